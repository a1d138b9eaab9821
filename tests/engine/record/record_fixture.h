#pragma once

// A writer on a directory of the test's own, turned by hand, with files that can be made slow, full
// or broken, and a clock that stands still until told.

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/record/recording_reader.h"
#include "engine/record/writer.h"

namespace outpace::record {

class ManualClock final : public Clock {
 public:
  MonoTime Mono() const override { return MonoTime(nanos_.load()); }
  absl::Time Wall() const override { return absl::FromUnixNanos(nanos_.load()); }
  void Advance(absl::Duration by) { nanos_ += absl::ToInt64Nanoseconds(by); }

 private:
  std::atomic<int64_t> nanos_{1'790'000'000'000'000'000};
};

class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string path = testing::TempDir() + "outpace-record-XXXXXX";
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    path_ = path;
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string operator/(absl::string_view name) const { return absl::StrCat(path_, "/", name); }
  std::string Put(absl::string_view name, absl::string_view bytes, int mode = 0600) const {
    const std::string path = *this / name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
    return path;
  }
  std::string Bytes(absl::string_view name) const {
    std::ifstream file(*this / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
      if (entry.is_regular_file()) {
        files.push_back(std::filesystem::relative(entry.path(), path_).string());
      }
    }
    std::sort(files.begin(), files.end());
    return files;
  }

 private:
  std::string path_;
};

// Passes everything on to the machine's files, unless told to fail or to hang.
class TestFiles final : public RecordingFiles {
 public:
  explicit TestFiles(const std::string& directory) {
    auto files = NewPosixRecordingFiles(directory);
    EXPECT_TRUE(files.ok()) << files.status();
    files_ = *std::move(files);
  }
  // Writes fail from now on; OK: no longer.
  void FailWrites(absl::Status status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    failure_ = std::move(status);
  }
  // A write of more than this in all fails as a full disk does, after having written what fits.
  void SetRoom(int64_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    room_ = bytes;
  }
  void Hang() {
    const std::lock_guard<std::mutex> lock(mutex_);
    hang_ = true;
  }
  void GoOn() {
    const std::lock_guard<std::mutex> lock(mutex_);
    hang_ = false;
    changed_.notify_all();
  }
  int hanging() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return hanging_;
  }
  int syncs() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return syncs_;
  }
  void AwaitHang() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return hanging_ > 0; });
  }

  absl::StatusOr<std::unique_ptr<RecordingFile>> Create(const std::string& path) override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!failure_.ok()) return failure_;
    }
    return Wrap(files_->Create(path));
  }
  absl::StatusOr<std::unique_ptr<RecordingFile>> Open(const std::string& path,
                                                      bool writable) override {
    return Wrap(files_->Open(path, writable));
  }
  absl::StatusOr<std::string> Publish(const std::string& from, const std::string& to) override {
    return files_->Publish(from, to);
  }
  absl::Status Remove(const std::string& path) override { return files_->Remove(path); }
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override {
    return files_->List(directory);
  }
  absl::Status SyncAll() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++syncs_;
    return absl::OkStatus();
  }

 private:
  class File final : public RecordingFile {
   public:
    File(TestFiles& files, std::unique_ptr<RecordingFile> file)
        : files_(files), file_(std::move(file)) {}
    absl::Status WriteAt(uint64_t offset, absl::string_view bytes) override {
      bool full = false;
      {
        std::unique_lock<std::mutex> lock(files_.mutex_);
        if (files_.hang_) {
          ++files_.hanging_;
          files_.changed_.notify_all();
          files_.changed_.wait(lock, [this] { return !files_.hang_; });
          --files_.hanging_;
        }
        if (!files_.failure_.ok()) return files_.failure_;
        if (files_.room_ >= 0) {
          full = static_cast<int64_t>(bytes.size()) > files_.room_;
          if (full) bytes = bytes.substr(0, static_cast<size_t>(files_.room_));
          files_.room_ -= static_cast<int64_t>(bytes.size());
        }
      }
      if (absl::Status status = file_->WriteAt(offset, bytes); !status.ok()) return status;
      return full ? absl::ResourceExhaustedError("recordings: the disk is full") : absl::OkStatus();
    }
    absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<char> to) override {
      return file_->ReadAt(offset, to);
    }
    absl::StatusOr<uint64_t> Size() override { return file_->Size(); }
    absl::Status Truncate(uint64_t size) override { return file_->Truncate(size); }
    absl::Status Sync() override { return absl::OkStatus(); }  // no test cuts the power
    void DropCache() override { file_->DropCache(); }

   private:
    TestFiles& files_;
    const std::unique_ptr<RecordingFile> file_;
  };

  absl::StatusOr<std::unique_ptr<RecordingFile>> Wrap(
      absl::StatusOr<std::unique_ptr<RecordingFile>> file) {
    if (!file.ok()) return file.status();
    return std::make_unique<File>(*this, *std::move(file));
  }

  std::unique_ptr<RecordingFiles> files_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  absl::Status failure_;
  int64_t room_ = -1;  // no limit
  bool hang_ = false;
  int hanging_ = 0;
  int syncs_ = 0;
};

inline const absl::Time kStarted = absl::FromUnixSeconds(1'790'000'000);

inline RecordingOrder OrderOf(uint64_t attempt, Format format = Format::kWav) {
  RecordingOrder order;
  order.attempt = AttemptId(attempt);
  order.lead = LeadId(12);
  order.campaign = "DEMO";
  order.agent = "a1";
  order.number = "+14155550100";
  order.started = kStarted;
  order.format = format;
  return order;
}

// A recording read back.
struct Heard {
  absl::Status status;
  std::vector<int16_t> callee, agent;
  bool cut = false;
};

inline Heard Hear(const std::string& directory, const std::string& name, const KeyRing& keys = {}) {
  Heard heard;
  auto files = NewPosixRecordingFiles(directory);
  auto file = (*files)->Open(name, /*writable=*/false);
  heard.status = file.status();
  if (!file.ok()) return heard;
  auto reader = RecordingReader::Open(**file, keys);
  heard.status = reader.status();
  if (!reader.ok()) return heard;
  std::vector<int16_t> stereo;
  for (;;) {
    const auto more = (*reader)->Next(stereo);
    heard.status = more.status();
    if (!more.ok() || !*more) break;
  }
  heard.cut = (*reader)->cut();
  for (size_t i = 0; i + 1 < stereo.size(); i += 2) {
    heard.callee.push_back(stereo[i]);
    heard.agent.push_back(stereo[i + 1]);
  }
  return heard;
}

class RecordTest : public ::testing::Test {
 protected:
  static constexpr size_t kPacket = 160;

  RecordTest() : files_(directory_.path()) { config_.directory = directory_.path(); }

  // The engine starts (again).
  void Start(KeyRing keys = KeyRing()) {
    writer_ = std::make_unique<Writer>(
        config_, std::move(keys), files_, clock_, log_,
        [this](RecordingClosed closed) { closed_.push_back(std::move(closed)); });
    const absl::Status status = writer_->Recover();
    ASSERT_TRUE(status.ok()) << status;
  }
  std::unique_ptr<RecordingTap> Open(const RecordingOrder& order) {
    auto tap = writer_->Open(order);
    EXPECT_TRUE(tap.ok()) << tap.status();
    return *std::move(tap);
  }
  // Until nothing is left to do.
  void Settle() {
    writer_->Turn();
    while (writer_->CloseTurn()) {
    }
  }
  RecordingClosed Last() {
    Settle();
    EXPECT_FALSE(closed_.empty());
    return closed_.empty() ? RecordingClosed() : closed_.back();
  }
  Heard Hear(const RecordingClosed& closed, const KeyRing& keys = {}) {
    return record::Hear(directory_.path(), closed.file, keys);
  }

  ScratchDirectory directory_;
  TestFiles files_;
  RecorderConfig config_;
  ManualClock clock_;
  NullLog log_;
  std::vector<RecordingClosed> closed_;
  std::unique_ptr<Writer> writer_;
};

// Packets of 20 ms of one octet.
inline void Say(RecordingTap& tap, Side side, int64_t from, int64_t to, uint8_t octet,
                codec::Law law = codec::Law::kMu) {
  const std::vector<uint8_t> packet(160, octet);
  for (int64_t at = from; at < to; at += 160) {
    tap.Write(
        side, at, law,
        absl::MakeConstSpan(packet).first(static_cast<size_t>(std::min<int64_t>(160, to - at))));
  }
}

}  // namespace outpace::record
