#pragma once

// The do-not-call registries of this house: files NAME.dnc of one directory, all of them in force.

#include <sys/types.h>
#include <time.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "dnc/number_set.h"
#include "dnc/registry_file.h"

namespace outpace::runtime {

using Registries = std::vector<std::shared_ptr<const dnc::RegistryFile>>;

// Any thread.
class RegistryShelf {
 public:
  explicit RegistryShelf(std::string directory) : directory_(std::move(directory)) {}

  // Opens what is there and reads every octet of it, which is 0.1 s for 340 MB that are in memory;
  // no directory: none. DataLoss names a file that is damaged: nobody may dial as though it were
  // not there. The others are there nevertheless, so that it can be imported again.
  absl::Status Load();
  // What Load() has found and nobody has put right since.
  absl::Status Health() const;
  Registries All() const;  // by name
  // A registry of info.name, in place of the one of that name. Durable when it returns. Errors: of
  // the name and of the disk; the old one is then as it was.
  absl::Status Put(const dnc::NumberSet& numbers, const dnc::RegistryInfo& info);
  absl::Status Remove(absl::string_view name);  // NotFound

  // Whether the files are still those that were opened; to be asked every few seconds, since
  // somebody may put others in their place by hand. True: one of them is another, whole, and in
  // force from now on for who asks All() again. One difference a call; an error is told once:
  // DataLoss: a file in use was written into and is no registry any more, so what is answered from
  // it is worth nothing. Any other: the file has gone, or its successor is damaged, and the one
  // that was opened goes on.
  absl::StatusOr<bool> Refresh();

 private:
  // What tells one state of a file from another.
  struct Stamp {
    dev_t device = 0;
    ino_t inode = 0;
    off_t octets = 0;
    timespec written = {};
    bool there = false;
    bool operator==(const Stamp& other) const;
    bool SameFile(const Stamp& o) const { return device == o.device && inode == o.inode; }
  };
  struct Entry {
    std::shared_ptr<const dnc::RegistryFile> file;
    Stamp stamp;
  };
  std::string PathOf(absl::string_view name) const;
  static Stamp StampOf(const std::string& path);
  // Opened and read.
  static absl::StatusOr<Entry> Read(const std::string& path);

  const std::string directory_;
  mutable absl::Mutex mutex_;
  // By the file's name without ".dnc", which is how whoever handles files knows them.
  std::map<std::string, Entry, std::less<>> registries_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, absl::Status, std::less<>> damaged_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace outpace::runtime
