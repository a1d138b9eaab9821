#pragma once

// The log's directory as writer and reader see it. One implementation is the machine's own
// (NewPosixAuditFiles); tests have others that are full, broken or dead. Names are of files in the
// directory, without any '/'; links are not followed.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace outpace::audit {

// One open file. One thread. Errors name the file and what to do; ResourceExhausted: the disk is
// full.
class AuditFile {
 public:
  virtual ~AuditFile() = default;  // closes
  // At the end. After an error some may have been written.
  virtual absl::Status Append(absl::string_view bytes) = 0;
  // As many octets as there are, up to to.size(); 0 at the end.
  virtual absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<char> to) = 0;
  // What lies behind `size` goes, and what was reserved there.
  virtual absl::Status Truncate(uint64_t size) = 0;
  // Takes room on the disk for the first `size` octets; the file is as long as before. OK too where
  // the file system cannot do that. ResourceExhausted: there is not so much room.
  virtual absl::Status Reserve(uint64_t /*size*/) { return absl::OkStatus(); }
  virtual absl::Status Sync() = 0;  // to stable storage
};

class AuditFiles {
 public:
  virtual ~AuditFiles() = default;
  // A new file whose name is on stable storage when this returns. AlreadyExists.
  virtual absl::StatusOr<std::unique_ptr<AuditFile>> Create(const std::string& name) = 0;
  // NotFound, PermissionDenied.
  virtual absl::StatusOr<std::unique_ptr<AuditFile>> Open(const std::string& name,
                                                          bool writable) = 0;
  // The file holds `bytes` afterwards, or what it held before: after a crash too.
  virtual absl::Status Replace(const std::string& name, absl::string_view bytes) = 0;
  virtual absl::Status Remove(const std::string& name) = 0;     // NotFound; durable
  virtual absl::StatusOr<std::vector<std::string>> List() = 0;  // sorted
  // From now on no other writer gets the directory, in this process or another, until this object
  // goes. FailedPrecondition: one has it.
  virtual absl::Status Lock() = 0;
};

// Makes `directory` (mode 0700) if need be. Files are made with mode 0600. `read_only`: NotFound
// where it does not exist.
absl::StatusOr<std::unique_ptr<AuditFiles>> NewPosixAuditFiles(const std::string& directory,
                                                               bool read_only = false);

}  // namespace outpace::audit
