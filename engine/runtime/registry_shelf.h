#pragma once

// The do-not-call registries of this house: files NAME.dnc of one directory, all of them in force.

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
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

  // Opens what is there, which takes milliseconds; no directory: none. DataLoss names the file that
  // is damaged: nobody may dial as though it were not there.
  absl::Status Load();
  Registries All() const;  // by name
  // A registry of info.name, in place of the one of that name. Durable when it returns. Errors: of
  // the name and of the disk; the old one is then as it was.
  absl::Status Put(const dnc::NumberSet& numbers, const dnc::RegistryInfo& info);
  absl::Status Remove(absl::string_view name);  // NotFound

 private:
  std::string PathOf(absl::string_view name) const;

  const std::string directory_;
  mutable absl::Mutex mutex_;
  Registries registries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace outpace::runtime
