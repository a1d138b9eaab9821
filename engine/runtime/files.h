#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace outpace::runtime {

// The whole file. NotFound, PermissionDenied or InvalidArgument (a directory) with the path and a
// remedy.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// A file that appears under its name whole or not at all: written beside it, synced, then renamed.
class AtomicFile {
 public:
  static absl::StatusOr<std::unique_ptr<AtomicFile>> Create(const std::string& path);
  // PATH.part, for a library that writes files by name only: it may replace what is in it.
  const std::string& temporary() const { return temporary_; }
  ~AtomicFile();  // removes what was not committed
  absl::Status Write(absl::string_view bytes);
  // What was written is on the disk, still under its other name (PATH.part): what must not be lost
  // when something else is done before Commit().
  absl::Status Sync();
  absl::Status Commit();

 private:
  AtomicFile(std::string path, int fd);
  absl::Status Flush();
  const std::string path_;
  const std::string temporary_;
  int fd_;
  std::string buffer_;
};

}  // namespace outpace::runtime
