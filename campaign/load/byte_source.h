#pragma once

// The octets of a list file, read block by block, so that a file of any size takes the same memory.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace outpace::load {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual uint64_t size() const = 0;
  // Octets from `offset` on into `to`: as many as fit, fewer only at the end; returns how many.
  // Any thread. Unavailable: the disk; DataLoss: the file became shorter.
  virtual absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> to) const = 0;
};

// A view of memory that outlives it.
std::unique_ptr<ByteSource> MemorySource(absl::string_view bytes);
// An open file. NotFound, PermissionDenied, Unavailable; InvalidArgument for a directory or pipe.
absl::StatusOr<std::unique_ptr<ByteSource>> OpenFileSource(const std::string& path);

}  // namespace outpace::load
