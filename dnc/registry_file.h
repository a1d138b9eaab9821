#pragma once

// A do-not-call registry as a file: the numbers of a national or state list, written once, mapped
// read-only by every process that asks, never changed. A newer copy is another file that takes its
// place by rename. Stretches lie in the file as they lie in memory (number_block.h), each at a
// multiple of 64 octets, before an index that is checked when the file is opened:
//
//   head       magic, sizes, checksums, the RegistryInfo: 4,096 octets (Head in registry_file.cc)
//   stretches
//   pages      for each 2^22 numbers that have any: its key and 64 slots of 32 bits, a slot the
//              place of a stretch in units of 64 octets and its form
//
// In the octet order of the machine, little-endian everywhere we run.
//
// Whoever writes into a file that is mapped changes the answers of those who have it mapped, or
// ends them (SIGBUS, where it becomes shorter). So files are made without the right to write.

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
#include "dnc/number_block.h"
#include "dnc/number_set.h"

namespace outpace::dnc {

struct RegistryInfo {
  std::string name;    // "us-national"
  std::string source;  // where it came from: file names, in words
  absl::CivilDay
      obtained;  // the day this copy was fetched: laws limit its age (16 CFR 310.4(b)(3)(iv))
};

// Durable when it returns; a file at `path` is replaced in one step, whoever has it mapped keeps
// the old one. Errors are those of the disk, and `path` is as it was; only if its directory cannot
// be synced it is the new one, which a power cut may take back.
absl::Status WriteRegistryFile(const NumberSet& numbers, const RegistryInfo& info,
                               const std::string& path);

// Immutable; any number of threads.
class RegistryFile {
 public:
  static constexpr size_t kUnit = 64;  // octets; a stretch begins at a multiple

  // Milliseconds whatever its size: the index is checked, the numbers are left to Verify().
  // NotFound; DataLoss: cut short, damaged, or not such a file. A lookup in a file that has passed
  // both reads nothing outside of it.
  static absl::StatusOr<std::shared_ptr<const RegistryFile>> Open(const std::string& path);
  ~RegistryFile();
  RegistryFile(const RegistryFile&) = delete;
  RegistryFile& operator=(const RegistryFile&) = delete;

  // Of 250 M numbers, asked for at random: 27 ns.
  bool Contains(uint64_t number) const {
    const uint32_t slot = SlotOf(number / kBlockNumbers);
    return slot != 0 && BlockAt(slot)->Contains(FormOf(slot), static_cast<uint16_t>(number));
  }
  const RegistryInfo& info() const { return info_; }
  uint64_t size() const { return numbers_; }  // numbers
  size_t BytesMapped() const { return file_bytes_; }

  // Reads all of it (0.02 s for 340 MB that are in memory): DataLoss if an octet is not what was
  // written, or a stretch reaches beyond the file.
  absl::Status Verify() const;
  // All numbers, ascending.
  void ForEach(absl::FunctionRef<void(uint64_t number)> visit) const;

 private:
  struct Page;
  static constexpr uint32_t kFormBits = 2;  // of a slot; above them the place
  RegistryFile() = default;
  absl::Status Map(const std::string& path);
  absl::Status ReadIndex(const std::string& path);
  void MakeTable();
  // The slot of a stretch; 0: it has no numbers.
  uint32_t SlotOf(uint64_t stretch) const {
    if (slots_.empty()) return FindSlot(stretch);
    const uint64_t at = stretch - first_stretch_;  // of what lies before: far beyond the end
    return at < slots_.size() ? slots_.data()[at] : 0;
  }
  uint32_t FindSlot(uint64_t stretch) const;  // by table_
  static Block::Form FormOf(uint32_t slot) {
    return static_cast<Block::Form>(slot & ((1u << kFormBits) - 1));
  }
  const Block* BlockAt(uint32_t slot) const {
    return Block::At(octets_ + size_t{slot >> kFormBits} * kUnit);
  }
  friend absl::Status WriteRegistryFile(const NumberSet& numbers, const RegistryInfo& info,
                                        const std::string& path);
  friend void DiffRegistries(const RegistryFile& before, const RegistryFile& after,
                             absl::FunctionRef<void(uint64_t number, bool added)> visit);

  const uint8_t* octets_ = nullptr;
  size_t file_bytes_ = 0;
  uint64_t numbers_ = 0;
  RegistryInfo info_;
  absl::Span<const Page> pages_;  // in the file, by key
  // The slots of all stretches from the first page's to the last one's, where these lie close
  // together, as those of a country do: one look instead of three that wait for each other, and no
  // guess. Empty: they do not.
  std::vector<uint32_t> slots_;
  uint64_t first_stretch_ = 0;
  // Otherwise: where the page of a key is in pages_, plus one; open addressing, half empty at
  // least.
  std::vector<uint32_t> table_;
};

// Visits, ascending, each number that only one of two copies of a registry has. Memory: a stretch
// of each. Both outlive the call.
void DiffRegistries(const RegistryFile& before, const RegistryFile& after,
                    absl::FunctionRef<void(uint64_t number, bool added)> visit);

}  // namespace outpace::dnc
