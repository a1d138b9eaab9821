#pragma once

// A file without a name: gone when its last user is, whatever happens to the program. What is too
// large for memory and of no use later lies here.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/load/byte_source.h"

namespace outpace::load {

// One thread until Finish(). A write that fails (disk full) is told by Finish(). More may be
// appended after it, and finished again, as long as nothing is mapped.
class TempFile {
 public:
  // In `directory`; empty: $TMPDIR, else /tmp. Unavailable: says which directory.
  static absl::StatusOr<std::unique_ptr<TempFile>> Make(const std::string& directory);
  ~TempFile();
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;

  void Append(absl::string_view octets);
  uint64_t size() const { return written_ + buffer_.size(); }
  // Everything appended is in the file from here on. ResourceExhausted: no room on the disk;
  // Unavailable: other errors of it.
  absl::Status Finish();

  // After Finish(): the file's octets as memory, which the system pages in and out at will. Valid
  // while this lives. Unavailable: cannot be mapped.
  absl::StatusOr<absl::string_view> Map();
  // After Finish(): as a source that keeps the file.
  static std::unique_ptr<ByteSource> IntoSource(std::unique_ptr<TempFile> file);
  // After Finish(): fills `to` from `offset` on; fewer octets only at the end.
  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> to) const;

 private:
  explicit TempFile(int descriptor) : descriptor_(descriptor) {}
  void Flush();

  const int descriptor_;
  std::string buffer_;
  uint64_t written_ = 0;
  int error_ = 0;  // errno of the first write that failed
  void* mapped_ = nullptr;
  size_t mapped_size_ = 0;
};

}  // namespace outpace::load
