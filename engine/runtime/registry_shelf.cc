#include "engine/runtime/registry_shelf.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace outpace::runtime {
namespace {

constexpr absl::string_view kExtension = ".dnc";
constexpr size_t kNameMax = 40;

bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= kNameMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
         });
}

bool ByName(const std::shared_ptr<const dnc::RegistryFile>& a,
            const std::shared_ptr<const dnc::RegistryFile>& b) {
  return a->info().name < b->info().name;
}

}  // namespace

std::string RegistryShelf::PathOf(absl::string_view name) const {
  return absl::StrCat(directory_, "/", name, kExtension);
}

absl::Status RegistryShelf::Load() {
  Registries found;
  std::error_code error;
  std::filesystem::directory_iterator files(directory_, error);
  if (error && error != std::errc::no_such_file_or_directory) {
    return absl::UnavailableError(absl::StrCat(directory_, ": cannot be read: ", error.message()));
  }
  if (!error) {
    for (const auto& file : files) {
      if (file.path().extension().string() != kExtension) continue;
      auto registry = dnc::RegistryFile::Open(file.path().string());
      if (!registry.ok()) return registry.status();
      found.push_back(*std::move(registry));
    }
  }
  std::sort(found.begin(), found.end(), ByName);
  absl::MutexLock lock(&mutex_);
  registries_ = std::move(found);
  return absl::OkStatus();
}

Registries RegistryShelf::All() const {
  absl::MutexLock lock(&mutex_);
  return registries_;
}

absl::Status RegistryShelf::Put(const dnc::NumberSet& numbers, const dnc::RegistryInfo& info) {
  if (!IsName(info.name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a registry's name is at most ", kNameMax,
                     " letters, digits, '-' and '_', for example us-national"));
  }
  if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::ErrnoToStatus(errno, absl::StrCat(directory_, ": cannot be made"));
  }
  const std::string path = PathOf(info.name);
  if (absl::Status s = dnc::WriteRegistryFile(numbers, info, path); !s.ok()) return s;
  auto registry = dnc::RegistryFile::Open(path);
  if (!registry.ok()) return registry.status();
  absl::MutexLock lock(&mutex_);
  std::erase_if(registries_, [&](const auto& old) { return old->info().name == info.name; });
  registries_.push_back(*std::move(registry));
  std::sort(registries_.begin(), registries_.end(), ByName);
  return absl::OkStatus();
}

absl::Status RegistryShelf::Remove(absl::string_view name) {
  absl::MutexLock lock(&mutex_);
  const auto found = std::find_if(registries_.begin(), registries_.end(),
                                  [&](const auto& old) { return old->info().name == name; });
  if (found == registries_.end()) {
    return absl::NotFoundError(
        absl::StrCat("no registry is named '", name, "'; see: outpace dnc registry list"));
  }
  if (::unlink(PathOf(name).c_str()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(PathOf(name), ": cannot be removed"));
  }
  registries_.erase(found);
  return absl::OkStatus();
}

}  // namespace outpace::runtime
