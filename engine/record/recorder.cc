#include "engine/record/recorder.h"

#include <pthread.h>

#include <thread>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "engine/record/file_name.h"
#include "engine/record/recording_files.h"
#include "engine/record/writer.h"

namespace outpace::record {
namespace {

// Between two looks at the queue. A recording is never in a hurry, and batches are cheap.
constexpr absl::Duration kPoll = absl::Milliseconds(50);

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
      absl::MutexLock lock(&mutex_);
      stop_ = true;
    }
    if (writing_.joinable()) writing_.join();
    if (closing_.joinable()) closing_.join();
  }

 private:
  void Write() {
    for (;;) {
      writer_.Turn();
      absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&stop_), kPoll)) break;
    }
    writer_.Stop();
    absl::MutexLock lock(&mutex_);
    written_ = true;
  }
  void Close() {
    for (;;) {
      if (writer_.CloseTurn()) continue;
      absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&written_), kPoll)) break;
    }
    while (writer_.CloseTurn()) {
    }
  }

  const std::unique_ptr<RecordingFiles> own_files_;
  Writer writer_;
  absl::Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  bool written_ ABSL_GUARDED_BY(mutex_) = false;  // the writer has ended all recordings
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
    auto loaded = KeyRing::Load(config.key_file, config.directory);
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
