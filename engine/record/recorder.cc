#include "engine/record/recorder.h"

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "engine/record/file_name.h"
#include "engine/record/recording_files.h"
#include "engine/record/writer.h"

namespace outpace::record {
namespace {

// Between two looks at the queue. A recording is never in a hurry, and batches are cheap.
constexpr std::chrono::milliseconds kPoll(50);

class ThreadedRecorder final : public Recorder {
 public:
  ThreadedRecorder(const RecorderConfig& config, KeyRing keys,
                   std::unique_ptr<RecordingFiles> own_files, RecordingFiles& files,
                   const Clock& clock, Log& log, ClosedSink closed)
      : own_files_(std::move(own_files)),
        writer_(config, std::move(keys), files, clock, log, std::move(closed)) {}
  ~ThreadedRecorder() override { Stop(); }

  absl::Status Start() {
    if (absl::Status status = writer_.Recover(); !status.ok()) return status;
    writing_ = std::thread([this] { Write(); });
    closing_ = std::thread([this] { Close(); });
    ::pthread_setname_np(writing_.native_handle(), "record-write");
    ::pthread_setname_np(closing_.native_handle(), "record-close");
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<RecordingTap>> Open(const RecordingOrder& order) override {
    return writer_.Open(order);
  }
  RecorderStats Stats() const override { return writer_.Stats(); }
  void Stored(AttemptId attempt) override { writer_.Stored(attempt); }
  void Stop() override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    if (writing_.joinable()) writing_.join();
    if (closing_.joinable()) closing_.join();
  }

 private:
  void Write() {
    for (;;) {
      writer_.Turn();
      std::unique_lock<std::mutex> lock(mutex_);
      if (changed_.wait_for(lock, kPoll, [this] { return stop_; })) break;
    }
    writer_.Stop();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      written_ = true;
    }
    changed_.notify_all();
  }
  void Close() {
    for (;;) {
      if (writer_.CloseTurn()) continue;
      std::unique_lock<std::mutex> lock(mutex_);
      if (changed_.wait_for(lock, kPoll, [this] { return written_; })) break;
    }
    while (writer_.CloseTurn()) {
    }
  }

  const std::unique_ptr<RecordingFiles> own_files_;
  Writer writer_;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  bool stop_ = false;
  bool written_ = false;  // the writer has ended all recordings
  std::thread writing_, closing_;
};

absl::StatusOr<std::unique_ptr<Recorder>> Start(const RecorderConfig& config,
                                                std::unique_ptr<RecordingFiles> own_files,
                                                RecordingFiles& files, const Clock& clock, Log& log,
                                                Recorder::ClosedSink closed) {
  if (absl::Status status = CheckPattern(config.pattern); !status.ok()) return status;
  if (config.queue_blocks < 16 || config.queue_blocks > (1 << 20) || config.recordings_max < 1 ||
      config.recordings_max > (1 << 20)) {
    return absl::InvalidArgumentError(
        "recordings: queue_blocks is 16 to 1048576, recordings_max 1 to 1048576");
  }
  KeyRing keys;
  if (!config.key_file.empty()) {
    std::vector<std::string> forbidden = config.forbidden_key_directories;
    forbidden.push_back(config.directory);
    auto loaded = KeyRing::Load(config.key_file, forbidden);
    if (!loaded.ok()) return loaded.status();
    keys = *std::move(loaded);
  }
  auto recorder = std::make_unique<ThreadedRecorder>(config, std::move(keys), std::move(own_files),
                                                     files, clock, log, std::move(closed));
  if (absl::Status status = recorder->Start(); !status.ok()) return status;
  return recorder;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Recorder>> StartRecorder(const RecorderConfig& config,
                                                        const Clock& clock, Log& log,
                                                        Recorder::ClosedSink closed) {
  auto files = NewPosixRecordingFiles(config.directory);
  if (!files.ok()) return files.status();
  RecordingFiles& posix = **files;
  return Start(config, *std::move(files), posix, clock, log, std::move(closed));
}

absl::StatusOr<std::unique_ptr<Recorder>> StartRecorder(const RecorderConfig& config,
                                                        RecordingFiles& files, const Clock& clock,
                                                        Log& log, Recorder::ClosedSink closed) {
  return Start(config, nullptr, files, clock, log, std::move(closed));
}

}  // namespace outpace::record
