#pragma once

// A log in a directory of the test's own, with files that can be made full or broken, and a clock
// that stands still until told.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/audit/audit_log.h"
#include "engine/audit/verify.h"
#include "engine/audit/writer.h"

namespace outpace::audit {

class ManualClock final : public Clock {
 public:
  MonoTime Mono() const override { return MonoTime(nanos_.load()); }
  absl::Time Wall() const override { return absl::FromUnixNanos(nanos_.load()); }
  void Advance(absl::Duration by) { nanos_ += absl::ToInt64Nanoseconds(by); }

 private:
  std::atomic<int64_t> nanos_{1'790'000'000'000'000'000};  // 2026-09-21T14:13:20Z
};

using Tree = std::map<std::string, std::string>;  // name -> octets

class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string path = testing::TempDir() + "outpace-audit-XXXXXX";
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    path_ = path;
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string operator/(absl::string_view name) const { return absl::StrCat(path_, "/", name); }
  std::string Bytes(const std::string& name) const {
    std::ifstream file(*this / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void Put(const std::string& name, const std::string& bytes) const {
    std::ofstream(*this / name, std::ios::binary) << bytes;
  }
  Tree Read() const {
    Tree tree;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      const std::string name = entry.path().filename().string();
      tree[name] = Bytes(name);
    }
    return tree;
  }
  void Write(const Tree& tree) const {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      if (!tree.contains(entry.path().filename().string())) std::filesystem::remove(entry.path());
    }
    for (const auto& [name, bytes] : tree) Put(name, bytes);
  }

 private:
  std::string path_;
};

// Files in memory, for logs that are tampered with thousands of times.
class MemoryFiles final : public AuditFiles {
 public:
  explicit MemoryFiles(Tree tree = {}) : tree_(std::move(tree)) {}
  Tree& tree() { return tree_; }
  absl::StatusOr<std::unique_ptr<AuditFile>> Create(const std::string& name) override {
    if (!tree_.emplace(name, "").second) return absl::AlreadyExistsError(name);
    return Open(name, true);
  }
  absl::StatusOr<std::unique_ptr<AuditFile>> Open(const std::string& name, bool) override {
    if (!tree_.contains(name)) return absl::NotFoundError(name);
    return std::make_unique<File>(tree_[name]);
  }
  absl::Status Replace(const std::string& name, absl::string_view bytes) override {
    tree_[name] = std::string(bytes);
    return absl::OkStatus();
  }
  absl::Status Remove(const std::string& name) override {
    return tree_.erase(name) == 1 ? absl::OkStatus() : absl::NotFoundError(name);
  }
  absl::StatusOr<std::vector<std::string>> List() override {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : tree_) names.push_back(name);
    return names;
  }
  absl::Status Lock() override { return absl::OkStatus(); }

 private:
  class File final : public AuditFile {
   public:
    explicit File(std::string& bytes) : bytes_(bytes) {}
    absl::Status Append(absl::string_view bytes) override {
      bytes_.append(bytes.data(), bytes.size());
      return absl::OkStatus();
    }
    absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<char> to) override {
      if (offset >= bytes_.size()) return size_t{0};
      return bytes_.copy(to.data(), to.size(), offset);
    }
    absl::Status Truncate(uint64_t size) override {
      bytes_.resize(size);
      return absl::OkStatus();
    }
    absl::Status Sync() override { return absl::OkStatus(); }

   private:
    std::string& bytes_;
  };
  Tree tree_;
};

// Passes everything on to the machine's files, unless told to fail or to hang.
class TestFiles final : public AuditFiles {
 public:
  explicit TestFiles(const std::string& directory) {
    auto files = NewPosixAuditFiles(directory);
    EXPECT_TRUE(files.ok()) << files.status();
    files_ = *std::move(files);
  }
  // So many octets more fit; what does not is written in part, as on a full disk. -1: no limit.
  void SetRoom(int64_t octets) {
    const std::lock_guard<std::mutex> lock(mutex_);
    room_ = octets;
  }
  void FailSyncs(absl::Status status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    sync_status_ = std::move(status);
  }
  // ResourceExhausted: until a file gives back room that it has reserved.
  void FailHead(absl::Status status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    head_status_ = std::move(status);
  }
  // What reserves room from now on.
  void FailReserve(absl::Status status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    reserve_status_ = std::move(status);
  }
  void Hang() {
    const std::lock_guard<std::mutex> lock(mutex_);
    hang_ = true;
  }
  void AwaitHang() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return hanging_; });
  }
  void GoOn() {
    const std::lock_guard<std::mutex> lock(mutex_);
    hang_ = false;
    changed_.notify_all();
  }
  int syncs() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return syncs_;
  }

  absl::StatusOr<std::unique_ptr<AuditFile>> Create(const std::string& name) override {
    return Wrap(files_->Create(name));
  }
  absl::StatusOr<std::unique_ptr<AuditFile>> Open(const std::string& name, bool writable) override {
    return Wrap(files_->Open(name, writable));
  }
  absl::Status Replace(const std::string& name, absl::string_view bytes) override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!head_status_.ok()) return head_status_;
    }
    return files_->Replace(name, bytes);
  }
  absl::Status Remove(const std::string& name) override { return files_->Remove(name); }
  absl::StatusOr<std::vector<std::string>> List() override { return files_->List(); }
  absl::Status Lock() override { return files_->Lock(); }

 private:
  class File final : public AuditFile {
   public:
    File(TestFiles& files, std::unique_ptr<AuditFile> file)
        : files_(files), file_(std::move(file)) {}
    absl::Status Append(absl::string_view bytes) override {
      bool full = false;
      {
        std::unique_lock<std::mutex> lock(files_.mutex_);
        if (files_.hang_) {
          files_.hanging_ = true;
          files_.changed_.notify_all();
          files_.changed_.wait(lock, [this] { return !files_.hang_; });
          files_.hanging_ = false;
        }
        if (files_.room_ >= 0) {
          full = static_cast<int64_t>(bytes.size()) > files_.room_;
          if (full) bytes = bytes.substr(0, static_cast<size_t>(files_.room_));
          files_.room_ -= static_cast<int64_t>(bytes.size());
        }
      }
      if (absl::Status status = file_->Append(bytes); !status.ok()) return status;
      return full ? absl::ResourceExhaustedError("audit: the disk is full") : absl::OkStatus();
    }
    absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<char> to) override {
      return file_->ReadAt(offset, to);
    }
    absl::Status Truncate(uint64_t size) override {
      const std::lock_guard<std::mutex> lock(files_.mutex_);
      if (absl::IsResourceExhausted(files_.head_status_)) files_.head_status_ = absl::OkStatus();
      return file_->Truncate(size);
    }
    absl::Status Reserve(uint64_t) override {
      const std::lock_guard<std::mutex> lock(files_.mutex_);
      return files_.reserve_status_;
    }
    absl::Status Sync() override {
      const std::lock_guard<std::mutex> lock(files_.mutex_);
      ++files_.syncs_;
      return files_.sync_status_;  // no test cuts the power
    }

   private:
    TestFiles& files_;
    const std::unique_ptr<AuditFile> file_;
  };
  absl::StatusOr<std::unique_ptr<AuditFile>> Wrap(absl::StatusOr<std::unique_ptr<AuditFile>> file) {
    if (!file.ok()) return file.status();
    return std::make_unique<File>(*this, *std::move(file));
  }

  std::unique_ptr<AuditFiles> files_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int64_t room_ = -1;
  absl::Status sync_status_, head_status_, reserve_status_;
  bool hang_ = false, hanging_ = false;
  int syncs_ = 0;
};

inline SealKey TestKey(char digit = '7') { return *SealKey::Parse(std::string(64, digit)); }

inline Event EventOf(uint64_t lead, absl::string_view kind = "call.dialed") {
  return {std::string(kind), "engine", {{"campaign", "DEMO"}, {"lead", LeadId(lead)}}};
}

inline AuditReport VerifiedOf(AuditFiles& files, const SealKey& key) {
  VerifyOptions options;
  options.key = &key;
  auto report = VerifyAudit(files, options);
  EXPECT_TRUE(report.ok()) << report.status();
  return report.ok() ? *std::move(report) : AuditReport();
}

inline std::vector<StoredEvent> EventsIn(AuditFiles& files, std::vector<std::string> kinds = {}) {
  std::vector<StoredEvent> events;
  EventQuery query;
  query.kinds = std::move(kinds);
  const absl::Status status = ForEachEvent(files, query, [&](const StoredEvent& event, absl::string_view) {
    events.push_back(event);
    return true;
  });
  EXPECT_TRUE(status.ok()) << status;
  return events;
}

// Adds an event at the clock's time.
inline absl::Status AddNow(AuditWriter& writer, const Clock& clock, Event event) {
  event.at = clock.Wall();
  return writer.Add(event);
}

inline std::vector<std::string> LinesOf(const std::string& bytes) {
  std::vector<std::string> lines;
  size_t at = 0;
  while (at < bytes.size()) {
    const size_t end = bytes.find('\n', at);
    lines.push_back(bytes.substr(at, end == std::string::npos ? end : end + 1 - at));
    if (end == std::string::npos) break;
    at = end + 1;
  }
  return lines;
}

}  // namespace outpace::audit
