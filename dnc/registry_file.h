#pragma once

// A do-not-call registry as a file: the numbers of a national or state list, written once, mapped
// read-only by every process that asks, never changed. A newer copy is another file that takes its
// place by rename. Stretches lie in the file as they lie in memory (number_block.h), each at a
// multiple of 64 octets, behind an index that is checked when the file is opened:
//
//   head           magic, sizes, checksums, the RegistryInfo: 4,096 octets (Head in
//   registry_file.cc) stretches pages          for each 2^22 numbers that have any: its key and 64
//   slots of 32 bits, a slot the
//                  place of a stretch in units of 64 octets and its form
//
// In the octet order of the machine, little-endian everywhere we run.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/types/span.h"
#include "dnc/number_set.h"

namespace outpace::dnc {

struct RegistryInfo {
  std::string name;    // "us-national"
  std::string source;  // where it came from: file names, in words
  absl::CivilDay
      obtained;  // the day this copy was fetched: laws limit its age (16 CFR 310.4(b)(3)(iv))
};

// Durable when it returns; a file at `path` is replaced in one step, whoever has it mapped keeps
// the old one. Unavailable or ResourceExhausted: of the disk, and `path` is as it was.
absl::Status WriteRegistryFile(const NumberSet& numbers, const RegistryInfo& info,
                               const std::string& path);

// Immutable; any number of threads.
class RegistryFile {
 public:
  // Milliseconds whatever its size: the index is checked, the numbers are left to Verify().
  // NotFound; DataLoss: cut short, damaged, or not such a file.
  static absl::StatusOr<std::shared_ptr<const RegistryFile>> Open(const std::string& path);
  ~RegistryFile();
  RegistryFile(const RegistryFile&) = delete;
  RegistryFile& operator=(const RegistryFile&) = delete;

  bool Contains(uint64_t number) const;
  const RegistryInfo& info() const { return info_; }
  uint64_t size() const { return numbers_; }  // numbers
  size_t BytesMapped() const { return file_bytes_; }

  // Reads all of it (0.02 s for 340 MB that are in memory): DataLoss if an octet is not what was
  // written.
  absl::Status Verify() const;
  // All numbers, ascending.
  void ForEach(absl::FunctionRef<void(uint64_t number)> visit) const;

 private:
  struct Page;
  RegistryFile() = default;
  absl::Status Map(const std::string& path);
  absl::Status ReadIndex(const std::string& path);
  const Page* FindPage(uint64_t key) const;
  const Block* BlockAt(uint32_t slot) const;
  friend absl::Status WriteRegistryFile(const NumberSet& numbers, const RegistryInfo& info,
                                        const std::string& path);
  friend void DiffRegistries(const RegistryFile& before, const RegistryFile& after,
                             absl::FunctionRef<void(uint64_t number, bool added)> visit);

  const uint8_t* octets_ = nullptr;
  size_t file_bytes_ = 0;
  uint64_t numbers_ = 0;
  RegistryInfo info_;
  absl::Span<const Page> pages_;  // in the file, by key
  // Where the page of a key is in pages_, plus one: open addressing, half empty at least.
  std::vector<uint32_t> table_;
};

// Visits, ascending, each number that only one of two copies of a registry has. Memory: a stretch
// of each. Both outlive the call.
void DiffRegistries(const RegistryFile& before, const RegistryFile& after,
                    absl::FunctionRef<void(uint64_t number, bool added)> visit);

}  // namespace outpace::dnc
