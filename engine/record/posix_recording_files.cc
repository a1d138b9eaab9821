#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/base/posix_file.h"
#include "engine/record/recording_files.h"

namespace outpace::record {
namespace {

absl::Status FileError(absl::string_view path, absl::string_view doing, int error) {
  return outpace::FileError("recordings", path, doing, error);
}

class PosixFile final : public RecordingFile {
 public:
  PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  absl::Status WriteAt(uint64_t offset, absl::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t put =
          ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return FileError(path_, "written", errno);
      bytes.remove_prefix(static_cast<size_t>(put));
      offset += static_cast<uint64_t>(put);
    }
    return absl::OkStatus();
  }
  absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<char> to) override {
    size_t got = 0;
    while (got < to.size()) {
      const ssize_t n =
          ::pread(fd_.get(), to.data() + got, to.size() - got, static_cast<off_t>(offset + got));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return FileError(path_, "read", errno);
      if (n == 0) break;
      got += static_cast<size_t>(n);
    }
    return got;
  }
  absl::StatusOr<uint64_t> Size() override {
    struct stat info {};
    if (::fstat(fd_.get(), &info) != 0) return FileError(path_, "looked at", errno);
    return static_cast<uint64_t>(info.st_size);
  }
  absl::Status Truncate(uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) == 0) return absl::OkStatus();
    return FileError(path_, "cut", errno);
  }
  absl::Status Sync() override {
    return ::fsync(fd_.get()) == 0 ? absl::OkStatus() : FileError(path_, "synced", errno);
  }
  void DropCache() override { ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED); }

 private:
  const Descriptor fd_;
  const std::string path_;
};

// "a/b.wav", 2 -> "a/b-2.wav"; the extension is all from the first dot of the last part on.
std::string Numbered(const std::string& path, int number) {
  if (number == 1) return path;
  const size_t slash = path.rfind('/');
  const size_t dot = path.find('.', slash == std::string::npos ? 0 : slash + 1);
  if (dot == std::string::npos) return absl::StrCat(path, "-", number);
  return absl::StrCat(path.substr(0, dot), "-", number, path.substr(dot));
}

class PosixFiles final : public RecordingFiles {
 public:
  PosixFiles(Descriptor root, std::string directory)
      : root_(std::move(root)), directory_(std::move(directory)) {}

  absl::StatusOr<std::unique_ptr<RecordingFile>> Create(const std::string& path) override {
    return OpenFile(path, O_RDWR | O_CREAT | O_EXCL, /*make=*/true);
  }
  absl::StatusOr<std::unique_ptr<RecordingFile>> Open(const std::string& path,
                                                      bool writable) override {
    return OpenFile(path, writable ? O_RDWR : O_RDONLY, /*make=*/false);
  }

  absl::StatusOr<std::string> Publish(const std::string& from, const std::string& to) override {
    auto source = Parent(from, /*make=*/false);
    if (!source.ok()) return source.status();
    auto target = Parent(to, /*make=*/true);
    if (!target.ok()) return target.status();
    for (int number = 1; number < 10'000; ++number) {
      const std::string name = Numbered(to, number);
      if (::renameat2(source->get(), Leaf(from).c_str(), target->get(), Leaf(name).c_str(),
                      RENAME_NOREPLACE) == 0) {
        // A rename is one transaction of the file system: syncing one of its ends is enough.
        if (::fsync(target->get()) != 0) return FileError(name, "synced", errno);
        return name;
      }
      if (errno != EEXIST) return FileError(name, "named", errno);
    }
    return FileError(to, "named", EEXIST);
  }

  absl::Status Remove(const std::string& path) override {
    auto parent = Parent(path, /*make=*/false);
    if (!parent.ok()) return parent.status();
    if (::unlinkat(parent->get(), Leaf(path).c_str(), 0) != 0) {
      return FileError(Full(path), "removed", errno);
    }
    if (::fsync(parent->get()) != 0) return FileError(Full(path), "removed for good", errno);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override {
    std::vector<std::string> names;
    const int fd =
        ::openat(root_.get(), directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return names;
    if (fd < 0) return FileError(Full(directory), "listed", errno);
    DIR* const dir = ::fdopendir(fd);
    if (dir == nullptr) {
      ::close(fd);
      return FileError(Full(directory), "listed", errno);
    }
    while (const dirent* entry = ::readdir(dir)) {
      if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    ::closedir(dir);
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::Status SyncAll() override {
    return ::syncfs(root_.get()) == 0 ? absl::OkStatus() : FileError(directory_, "synced", errno);
  }

 private:
  static std::string Leaf(const std::string& path) { return path.substr(path.rfind('/') + 1); }
  std::string Full(const std::string& path) const { return absl::StrCat(directory_, "/", path); }

  // The directory a file lies in, step by step and through no link.
  absl::StatusOr<Descriptor> Parent(const std::string& path, bool make) {
    if (path.empty() || path[0] == '/') return FileError(path, "used", EPERM);
    Descriptor at(::fcntl(root_.get(), F_DUPFD_CLOEXEC, 0));
    std::vector<std::string> parts = absl::StrSplit(path, '/');
    for (const std::string& part : parts) {
      if (part.empty() || part == "." || part == "..") return FileError(path, "used", EPERM);
    }
    parts.pop_back();
    for (const std::string& part : parts) {
      constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
      int next = ::openat(at.get(), part.c_str(), kFlags);
      if (next < 0 && errno == ENOENT && make) {
        if (::mkdirat(at.get(), part.c_str(), 0750) != 0 && errno != EEXIST) {
          return FileError(Full(path), "made", errno);
        }
        if (::fsync(at.get()) != 0) return FileError(Full(path), "made", errno);
        next = ::openat(at.get(), part.c_str(), kFlags);
      }
      if (next < 0) return FileError(Full(path), "opened", errno);
      at = Descriptor(next);
    }
    return at;
  }

  absl::StatusOr<std::unique_ptr<RecordingFile>> OpenFile(const std::string& path, int flags,
                                                          bool make) {
    auto parent = Parent(path, make);
    if (!parent.ok()) return parent.status();
    Descriptor fd(
        ::openat(parent->get(), Leaf(path).c_str(), flags | O_NOFOLLOW | O_CLOEXEC, 0640));
    if (fd.get() < 0) return FileError(Full(path), make ? "made" : "opened", errno);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
      return FileError(Full(path), "opened as a file", ENOTDIR);
    }
    return std::make_unique<PosixFile>(std::move(fd), Full(path));
  }

  const Descriptor root_;
  const std::string directory_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RecordingFiles>> NewPosixRecordingFiles(const std::string& directory,
                                                                       bool read_only) {
  if (directory.empty()) {
    return absl::InvalidArgumentError("recordings: no directory is named");
  }
  if (!read_only) {
    if (absl::Status status = MakeDirectories("recordings", directory, 0750); !status.ok())
      return status;
  }
  Descriptor root(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (root.get() < 0) return FileError(directory, "opened", errno);
  return std::make_unique<PosixFiles>(std::move(root), directory);
}

}  // namespace outpace::record
