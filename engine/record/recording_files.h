#pragma once

// The recordings directory as the writer sees it. One implementation is the machine's own
// (NewPosixRecordingFiles); tests have others that are slow, full or broken. Paths are relative to
// the directory; parts of a path that are symbolic links are not followed.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace outpace::record {

// One open file. One thread. Errors name the file and what to do; ResourceExhausted: the disk is
// full.
class RecordingFile {
 public:
  virtual ~RecordingFile() = default;  // closes
  // All of `bytes`, or an error; then some may have been written, and writing them again is right.
  virtual absl::Status WriteAt(uint64_t offset, absl::string_view bytes) = 0;
  // As many octets as there are, up to to.size(); 0 at the end.
  virtual absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<char> to) = 0;
  virtual absl::StatusOr<uint64_t> Size() = 0;
  virtual absl::Status Truncate(uint64_t size) = 0;
  virtual absl::Status Sync() = 0;  // to stable storage
  // The page cache need not keep what was written so far.
  virtual void DropCache() = 0;
};

class RecordingFiles {
 public:
  virtual ~RecordingFiles() = default;
  // Makes a new file, and the directories it lies in. AlreadyExists.
  virtual absl::StatusOr<std::unique_ptr<RecordingFile>> Create(const std::string& path) = 0;
  // NotFound, PermissionDenied.
  virtual absl::StatusOr<std::unique_ptr<RecordingFile>> Open(const std::string& path,
                                                              bool writable) = 0;
  // Gives a finished file its name, or, where that is taken, the name with "-2", "-3" ... before
  // its extension; makes directories; syncs them. The name it got.
  virtual absl::StatusOr<std::string> Publish(const std::string& from, const std::string& to) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;  // NotFound
  // Names of the files in a directory, sorted; none if it does not exist.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& directory) = 0;
  // Everything written so far to stable storage: one journal commit for all open recordings, where
  // a sync each would make hundreds.
  virtual absl::Status SyncAll() = 0;
};

// Makes `directory` (mode 0750) if need be. Files are made with mode 0640. `read_only`: NotFound
// where it does not exist.
absl::StatusOr<std::unique_ptr<RecordingFiles>> NewPosixRecordingFiles(const std::string& directory,
                                                                       bool read_only = false);

}  // namespace outpace::record
