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
#include "engine/base/posix_file.h"

namespace outpace::runtime {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kExtension = ".dnc";
constexpr size_t kNameMax = 40;

bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= kNameMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
         });
}

}  // namespace

bool RegistryShelf::Stamp::operator==(const Stamp& other) const {
  return there == other.there && SameFile(other) && octets == other.octets &&
         written.tv_sec == other.written.tv_sec && written.tv_nsec == other.written.tv_nsec;
}

RegistryShelf::Stamp RegistryShelf::StampOf(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return {};
  return {about.st_dev, about.st_ino, about.st_size, about.st_mtim, true};
}

std::string RegistryShelf::PathOf(absl::string_view name) const {
  return absl::StrCat(directory_, "/", name, kExtension);
}

absl::StatusOr<RegistryShelf::Entry> RegistryShelf::Read(const std::string& path) {
  // Before the file is opened: one that comes meanwhile is noticed by the next Refresh().
  const Stamp stamp = StampOf(path);
  auto registry = dnc::RegistryFile::Open(path);
  if (!registry.ok()) return registry.status();
  if (absl::Status s = (*registry)->Verify(); !s.ok()) {
    return absl::Status(s.code(), absl::StrCat(path, ": ", s.message()));
  }
  return Entry{*std::move(registry), stamp};
}

absl::Status RegistryShelf::Load() {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator file(directory_, error), end; !error && file != end;
       file.increment(error)) {
    if (file->path().extension().string() == kExtension) found.push_back(file->path());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return FileError("", directory_, "read", error.value());
  }
  std::map<std::string, Entry, std::less<>> registries;
  std::map<std::string, absl::Status, std::less<>> damaged;
  for (const fs::path& path : found) {
    auto entry = Read(path.string());
    if (entry.ok()) {
      registries.emplace(path.stem().string(), *std::move(entry));
    } else {
      damaged.emplace(path.stem().string(), entry.status());
    }
  }
  absl::MutexLock lock(&mutex_);
  registries_ = std::move(registries);
  damaged_ = std::move(damaged);
  return damaged_.empty() ? absl::OkStatus() : damaged_.begin()->second;
}

absl::Status RegistryShelf::Health() const {
  absl::MutexLock lock(&mutex_);
  return damaged_.empty() ? absl::OkStatus() : damaged_.begin()->second;
}

Registries RegistryShelf::All() const {
  absl::MutexLock lock(&mutex_);
  Registries all;
  for (const auto& [name, entry] : registries_) all.push_back(entry.file);
  return all;
}

absl::Status RegistryShelf::Put(const dnc::NumberSet& numbers, const dnc::RegistryInfo& info) {
  if (!IsName(info.name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a registry's name is at most ", kNameMax,
                     " letters, digits, '-' and '_', for example us-national"));
  }
  if (absl::Status s = MakeDirectories("", directory_, 0700); !s.ok()) return s;
  const std::string path = PathOf(info.name);
  if (absl::Status s = dnc::WriteRegistryFile(numbers, info, path); !s.ok()) return s;
  auto entry = Read(path);
  if (!entry.ok()) return entry.status();
  absl::MutexLock lock(&mutex_);
  registries_.insert_or_assign(info.name, *std::move(entry));
  damaged_.erase(info.name);
  return absl::OkStatus();
}

absl::Status RegistryShelf::Remove(absl::string_view name) {
  absl::MutexLock lock(&mutex_);
  const auto found = registries_.find(name);
  const auto damaged = damaged_.find(name);
  if (found == registries_.end() && damaged == damaged_.end()) {
    return absl::NotFoundError(
        absl::StrCat("no registry is named '", name, "'; see: outpace dnc registry list"));
  }
  // Gone already, by hand: that is what was asked for.
  if (::unlink(PathOf(name).c_str()) != 0 && errno != ENOENT) {
    return FileError("", PathOf(name), "removed", errno);
  }
  if (found != registries_.end()) registries_.erase(found);
  if (damaged != damaged_.end()) damaged_.erase(damaged);
  return SyncDirectory("", directory_);
}

absl::StatusOr<bool> RegistryShelf::Refresh() {
  absl::MutexLock lock(&mutex_);
  // One at a time: the next call finds the next.
  for (auto& [name, entry] : registries_) {
    const std::string path = PathOf(name);
    const Stamp stamp = StampOf(path);
    if (stamp == entry.stamp) continue;
    const bool written_into = stamp.there && stamp.SameFile(entry.stamp);
    entry.stamp = stamp;  // what is wrong is told once
    if (!stamp.there) {
      return absl::NotFoundError(
          absl::StrCat(path,
                       " was removed by hand: it stays in force until the engine ends; put it "
                       "back, or run: outpace dnc registry remove ",
                       name));
    }
    auto next = Read(path);
    if (next.ok()) {
      entry = *std::move(next);
      return true;
    }
    if (written_into) {
      return absl::DataLossError(
          absl::StrCat("written into while in use: ", next.status().message()));
    }
    return absl::FailedPreconditionError(
        absl::StrCat(next.status().message(),
                     "; the one that was there before stays in force until the engine ends"));
  }
  return false;
}

}  // namespace outpace::runtime
