#include "engine/runtime/import_desk.h"

#include <pthread.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace outpace::runtime {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

struct ImportDesk::Job {
  uint64_t number = 0;
  JobTitle title;
  JobControl control;
  absl::Time started;
  MonoTime began;
  // Under the desk's mutex:
  JobState state = JobState::kRunning;
  absl::Duration spent;
  absl::StatusOr<Json> answer = absl::UnavailableError("not done yet");
};

absl::Duration ImportDesk::View::Left() const {
  if (state != JobState::kRunning) return absl::ZeroDuration();
  if (done == 0 || total == 0 || spent < absl::Milliseconds(200)) return absl::InfiniteDuration();
  return spent * (static_cast<double>(total - std::min(done, total)) / static_cast<double>(done));
}

absl::Status ImportDesk::IdleLocked() const {
  if (stopped_) return absl::UnavailableError("the engine is stopping");
  if (jobs_.empty() || jobs_.back()->state != JobState::kRunning) return absl::OkStatus();
  const View view = ViewOf(*jobs_.back());
  const std::string share =
      view.total == 0 ? ""
                      : absl::StrFormat(", %.0f %%", 100.0 * static_cast<double>(view.done) /
                                                         static_cast<double>(view.total));
  const bool vowel = view.title.kind != "reset" && view.title.kind != "dedup";
  return absl::FailedPreconditionError(
      absl::StrCat(vowel ? "an " : "a ", view.title.kind, " is under way: ", view.title.what, share,
                   ", for ", absl::FormatDuration(absl::Trunc(view.spent, absl::Seconds(1))),
                   "; try again when it has ended, see: outpace import list"));
}

absl::Status ImportDesk::Idle() const {
  absl::MutexLock lock(&mutex_);
  return IdleLocked();
}

absl::StatusOr<std::shared_ptr<ImportDesk::Job>> ImportDesk::Begin(JobTitle title) {
  absl::MutexLock lock(&mutex_);
  if (absl::Status idle = IdleLocked(); !idle.ok()) return idle;
  auto job = std::make_shared<Job>();
  job->number = ++last_;
  job->title = std::move(title);
  job->started = clock_.Wall();
  job->began = clock_.Mono();
  jobs_.push_back(job);
  if (jobs_.size() > kJobsKept) jobs_.pop_front();
  return job;
}

void ImportDesk::Finish(Job& job, absl::StatusOr<Json> answer) {
  absl::MutexLock lock(&mutex_);
  job.spent = clock_.Mono() - job.began;
  job.answer = std::move(answer);
  // By what the work says: it may have failed for another reason although it was cancelled too.
  job.state = job.answer.ok()                          ? JobState::kDone
              : absl::IsCancelled(job.answer.status()) ? JobState::kCancelled
                                                       : JobState::kFailed;
}

absl::StatusOr<uint64_t> ImportDesk::Start(JobTitle title, Work work) {
  auto job = Begin(std::move(title));
  if (!job.ok()) return job.status();
  if (thread_.joinable()) thread_.join();  // its job has ended
  thread_ = std::thread([this, job = *job, work = std::move(work)] {
    pthread_setname_np(pthread_self(), "import");
    Finish(*job, work(job->control));
  });
  return (*job)->number;
}

absl::StatusOr<Json> ImportDesk::Run(JobTitle title, const Work& work) {
  auto job = Begin(std::move(title));
  if (!job.ok()) return job.status();
  absl::StatusOr<Json> answer = work((*job)->control);
  Finish(**job, answer);
  return answer;
}

std::shared_ptr<ImportDesk::Job> ImportDesk::Find(uint64_t number) const {
  absl::MutexLock lock(&mutex_);
  if (jobs_.empty()) return nullptr;
  if (number == 0) return jobs_.back();
  const auto found = std::find_if(jobs_.begin(), jobs_.end(),
                                  [number](const auto& job) { return job->number == number; });
  return found == jobs_.end() ? nullptr : *found;
}

ImportDesk::View ImportDesk::ViewOf(const Job& job) const {
  View view;
  view.job = job.number;
  view.title = job.title;
  view.state = job.state;
  view.started = job.started;
  view.spent = job.state == JobState::kRunning ? clock_.Mono() - job.began : job.spent;
  view.done = job.control.done;
  view.total = job.control.total;
  view.rows = job.control.rows;
  view.accepted = job.control.accepted;
  if (job.state != JobState::kRunning) view.failure = job.answer.status();
  return view;
}

absl::StatusOr<ImportDesk::View> ImportDesk::Look(uint64_t job) const {
  const std::shared_ptr<Job> found = Find(job);
  if (found == nullptr) {
    return absl::NotFoundError("no such import is under way; see: outpace import list");
  }
  absl::MutexLock lock(&mutex_);
  return ViewOf(*found);
}

absl::StatusOr<Json> ImportDesk::Answer(uint64_t job) const {
  const std::shared_ptr<Job> found = Find(job);
  if (found == nullptr) return absl::NotFoundError("no such import; see: outpace import list");
  absl::MutexLock lock(&mutex_);
  return found->answer;
}

absl::Status ImportDesk::Cancel(uint64_t job) {
  const std::shared_ptr<Job> found = Find(job);
  if (found == nullptr) {
    return absl::NotFoundError("no such import is under way; see: outpace import list");
  }
  found->control.cancelled = true;
  return absl::OkStatus();
}

void ImportDesk::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    if (!jobs_.empty()) {
      jobs_.back()->control.stopping = true;
      jobs_.back()->control.cancelled = true;
    }
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace outpace::runtime
