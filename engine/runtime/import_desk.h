#pragma once

// Loading or taking back leads by the million takes minutes. Such a job has a thread of its own, so
// that everything else can be asked meanwhile, and there is one at a time, so that two loads do not
// miss each other's duplicates. Whoever started it, or anybody else, looks how far it is and may
// cancel it.

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/ids.h"

namespace outpace::runtime {

// What a job tells of itself while it runs, and is told. Any thread.
struct JobControl {
  std::atomic<uint64_t> done{0}, total{0};     // octets of a file; leads of an undo
  std::atomic<uint64_t> rows{0}, accepted{0};  // of an import, so far
  std::atomic<bool> cancelled{false};          // end as soon as you can, and leave nothing behind
  std::atomic<bool> stopping{false};  // with `cancelled`: as the engine ends, by nobody's wish
};

struct JobTitle {
  std::string kind;  // "import", "undo", "reset", "dedup", "erasure"
  std::string what;  // the file's name: for people, never a number
  ImportId import;   // none: nothing will be stored
};

enum class JobState : uint8_t { kRunning, kDone, kFailed, kCancelled };

class ImportDesk {
 public:
  using Work = std::function<absl::StatusOr<nlohmann::ordered_json>(JobControl&)>;

  // A job as it stands.
  struct View {
    uint64_t job = 0;
    JobTitle title;
    JobState state = JobState::kRunning;
    absl::Time started;
    absl::Duration spent;  // so far, or in all
    uint64_t done = 0, total = 0, rows = 0, accepted = 0;
    // Left at the rate so far; InfiniteDuration: not known yet.
    absl::Duration Left() const;
    absl::Status failure;  // of a job that failed
  };

  explicit ImportDesk(const Clock& clock) : clock_(clock) {}
  ~ImportDesk() { Stop(); }

  // Runs `work` on the desk's thread; the number is for Look(). FailedPrecondition while another
  // job is under way, and says which.
  absl::StatusOr<uint64_t> Start(JobTitle title, Work work);
  // The same on the calling thread, for callers who have nothing else to do.
  absl::StatusOr<nlohmann::ordered_json> Run(JobTitle title, const Work& work);

  // FailedPrecondition while a job is under way, and says which; Unavailable after Stop(). Who
  // alone starts jobs may rely on it until the next Start().
  absl::Status Idle() const;

  // The job of this number, or with 0 the one under way or, when there is none, the latest.
  // NotFound: never was, or kJobsKept others came since.
  absl::StatusOr<View> Look(uint64_t job) const;
  // What the work returned, once it is done; the error it failed with.
  absl::StatusOr<nlohmann::ordered_json> Answer(uint64_t job) const;
  // Nothing when it has ended. NotFound as Look().
  absl::Status Cancel(uint64_t job);
  // Cancels what runs and waits for its end. No job is taken afterwards.
  void Stop();

 private:
  struct Job;
  // So many are remembered, for whoever asks what became of one while others come after it. With
  // their answers, which of an undo may name 100,000 leads.
  static constexpr size_t kJobsKept = 32;
  absl::Status IdleLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::shared_ptr<Job>> Begin(JobTitle title);
  void Finish(Job& job, absl::StatusOr<nlohmann::ordered_json> answer);
  std::shared_ptr<Job> Find(uint64_t number) const;
  View ViewOf(const Job& job) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  mutable absl::Mutex mutex_;
  std::deque<std::shared_ptr<Job>> jobs_ ABSL_GUARDED_BY(mutex_);  // the last may be under way
  uint64_t last_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // started and joined by Start() and Stop() only
};

}  // namespace outpace::runtime
