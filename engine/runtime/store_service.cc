#include "engine/runtime/store_service.h"

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace outpace::runtime {
namespace {

// A thread that works off a queue. Its lock is held for a push or a swap only, never over disk
// work.
template <typename Job>
class Worker {
 public:
  using Batch = std::deque<Job>;
  // `gather`: how long the first job of a batch waits for others.
  Worker(const char* name, std::chrono::milliseconds gather, absl::AnyInvocable<void(Batch)> work)
      : work_(std::move(work)), gather_(gather) {
    thread_ = std::thread([this, name] {
      pthread_setname_np(pthread_self(), name);
      Run();
    });
  }
  ~Worker() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    ready_.notify_one();
    thread_.join();
  }
  void Push(Job job) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    ready_.notify_one();
  }

 private:
  void Run() {
    for (;;) {
      Batch batch;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        ready_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        if (gather_.count() > 0) ready_.wait_for(lock, gather_, [this] { return stopping_; });
        batch.swap(jobs_);
      }
      work_(std::move(batch));
    }
  }

  absl::AnyInvocable<void(Batch)> work_;
  const std::chrono::milliseconds gather_;
  std::mutex mutex_;
  std::condition_variable ready_;
  Batch jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

// A sync of the disk costs as much CPU as the writing of a dozen records, and takes as long as this
// or longer: what comes within it shares one.
constexpr std::chrono::milliseconds kGather(4);

struct CommitJob {
  campaign::StoreBatch batch;
  StoreService::CommitDone done;
};

}  // namespace

absl::StatusOr<std::optional<campaign::Lead>> FindRungLead(const campaign::LeadStore& store,
                                                           E164 phone, const CampaignId& campaign) {
  auto ids = store.LeadsByPhone(phone);
  if (!ids.ok()) return ids.status();
  std::optional<campaign::Lead> latest;
  for (const LeadId id : *ids) {
    auto lead = store.GetLead(id);
    if (!lead.ok()) return lead.status();
    if (!lead->has_value() || (*lead)->campaign != campaign || (*lead)->called_count == 0) continue;
    if (!latest || (*lead)->last_call_time > latest->last_call_time) latest = *std::move(*lead);
  }
  return latest;
}

struct ThreadedStoreService::Impl {
  Impl(campaign::LeadStore& s, Loop& a)
      : store(s),
        answers(a),
        writer("store-write", kGather,
               [this](std::deque<CommitJob> jobs) { Write(std::move(jobs)); }),
        reader("store-read", std::chrono::milliseconds(0),
               [](std::deque<absl::AnyInvocable<void()>> jobs) {
                 for (auto& job : jobs) job();
               }) {}

  void Write(std::deque<CommitJob> jobs) {
    campaign::StoreBatch joined;
    for (CommitJob& job : jobs) joined.Append(std::move(job.batch));
    const absl::Status status = store.Commit(joined);
    std::vector<StoreService::CommitDone> done;
    done.reserve(jobs.size());
    for (CommitJob& job : jobs) done.push_back(std::move(job.done));
    Answer([done = std::move(done), status]() mutable {
      for (StoreService::CommitDone& d : done) d(status);
    });
  }
  // The controller's queue is far longer than its calls in flight; if it were ever full, the answer
  // would be lost and with it the attempt's progress, so this thread (which may wait) tries again.
  void Answer(Loop::Task task) {
    auto shared = std::make_shared<Loop::Task>(std::move(task));
    while (!answers.Post([shared] { (*shared)(); })) std::this_thread::yield();
  }

  campaign::LeadStore& store;
  Loop& answers;
  Worker<CommitJob> writer;
  Worker<absl::AnyInvocable<void()>> reader;
};

ThreadedStoreService::ThreadedStoreService(campaign::LeadStore& store, Loop& answers)
    : impl_(std::make_unique<Impl>(store, answers)) {}
ThreadedStoreService::~ThreadedStoreService() = default;

void ThreadedStoreService::Commit(campaign::StoreBatch batch, CommitDone done) {
  impl_->writer.Push({std::move(batch), std::move(done)});
}

void ThreadedStoreService::FetchDue(campaign::DueQuery query, FetchDone done) {
  impl_->reader.Push(
      [impl = impl_.get(), query = std::move(query), done = std::move(done)]() mutable {
        auto leads = impl->store.DueLeads(query);
        impl->Answer([done = std::move(done), leads = std::move(leads)]() mutable {
          done(std::move(leads));
        });
      });
}

void ThreadedStoreService::GetAttempt(
    AttemptId id, absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Attempt>>)> done) {
  impl_->reader.Push([impl = impl_.get(), id, done = std::move(done)]() mutable {
    auto attempt = impl->store.GetAttempt(id);
    impl->Answer([done = std::move(done), attempt = std::move(attempt)]() mutable {
      done(std::move(attempt));
    });
  });
}

void ThreadedStoreService::GetLead(
    LeadId id, absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Lead>>)> done) {
  impl_->reader.Push([impl = impl_.get(), id, done = std::move(done)]() mutable {
    auto lead = impl->store.GetLead(id);
    impl->Answer(
        [done = std::move(done), lead = std::move(lead)]() mutable { done(std::move(lead)); });
  });
}

void ThreadedStoreService::FindRung(
    E164 phone, CampaignId campaign,
    absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Lead>>)> done) {
  impl_->reader.Push([impl = impl_.get(), phone, campaign = std::move(campaign),
                      done = std::move(done)]() mutable {
    auto lead = FindRungLead(impl->store, phone, campaign);
    impl->Answer(
        [done = std::move(done), lead = std::move(lead)]() mutable { done(std::move(lead)); });
  });
}

void LoopStoreService::Commit(campaign::StoreBatch batch, CommitDone done) {
  loop_.After(delay_, [this, batch = std::move(batch), done = std::move(done)]() mutable {
    done(store_.Commit(batch));
  });
}

void LoopStoreService::FetchDue(campaign::DueQuery query, FetchDone done) {
  loop_.After(delay_, [this, query = std::move(query), done = std::move(done)]() mutable {
    done(store_.DueLeads(query));
  });
}

void LoopStoreService::GetAttempt(
    AttemptId id, absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Attempt>>)> done) {
  loop_.After(delay_,
              [this, id, done = std::move(done)]() mutable { done(store_.GetAttempt(id)); });
}

void LoopStoreService::GetLead(
    LeadId id, absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Lead>>)> done) {
  loop_.After(delay_, [this, id, done = std::move(done)]() mutable { done(store_.GetLead(id)); });
}

void LoopStoreService::FindRung(
    E164 phone, CampaignId campaign,
    absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Lead>>)> done) {
  loop_.After(delay_,
              [this, phone, campaign = std::move(campaign), done = std::move(done)]() mutable {
                done(FindRungLead(store_, phone, campaign));
              });
}

}  // namespace outpace::runtime
