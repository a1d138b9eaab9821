#include "engine/runtime/store_service.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
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
  // `urgent`: neither it nor what came before it waits for others.
  void Push(Job job, bool urgent = false) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      jobs_.push_back(std::move(job));
      urgent_ |= urgent;
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
        if (gather_.count() > 0) {
          ready_.wait_for(lock, gather_, [this] { return stopping_ || urgent_; });
        }
        batch.swap(jobs_);
        urgent_ = false;
      }
      work_(std::move(batch));
    }
  }

  absl::AnyInvocable<void(Batch)> work_;
  const std::chrono::milliseconds gather_;
  std::mutex mutex_;
  std::condition_variable ready_;
  Batch jobs_;
  bool urgent_ = false;  // one of jobs_ is
  bool stopping_ = false;
  std::thread thread_;
};

struct CommitJob {
  campaign::StoreBatch batch;
  StoreService::CommitDone done;  // null: there is no batch
  // A refill that was just answered: what is put off for it.
  std::optional<campaign::DueQuery> refilled;
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

absl::StatusOr<std::vector<campaign::Lead>> WithTexts(const campaign::LeadStore& store,
                                                      std::vector<campaign::Lead> leads) {
  std::vector<campaign::Lead> whole;
  whole.reserve(leads.size());
  for (campaign::Lead& lead : leads) {
    if (!lead.has_fields) {
      absl::StatusOr<std::optional<campaign::Lead>> stored = store.GetLead(lead.id);
      if (!stored.ok()) return stored.status();
      if (!stored->has_value()) continue;
      lead.owner = std::move((*stored)->owner);
      lead.fields = std::move((*stored)->fields);
      lead.has_fields = true;
    }
    whole.push_back(std::move(lead));
  }
  return whole;
}

namespace {

absl::StatusOr<SievedLeads> WithTextsSieved(const campaign::LeadStore& store, LeadSieve& sieve,
                                            std::vector<campaign::Lead> leads,
                                            const SieveOrder& order) {
  auto whole = WithTexts(store, std::move(leads));
  if (!whole.ok()) return whole.status();
  return sieve.Sort(*std::move(whole), order);
}

}  // namespace

struct ThreadedStoreService::Impl {
  Impl(campaign::LeadStore& s, Loop& a, absl::Duration gather)
      : store(s),
        answers(a),
        writer("store-write", absl::ToChronoMilliseconds(gather),
               [this](std::deque<CommitJob> jobs) { Write(std::move(jobs)); }),
        reader("store-read", std::chrono::milliseconds(0),
               [](std::deque<absl::AnyInvocable<void()>> jobs) {
                 for (auto& job : jobs) job();
               }) {}

  void Write(std::deque<CommitJob> jobs) {
    campaign::StoreBatch joined;
    std::vector<StoreService::CommitDone> done;
    done.reserve(jobs.size());
    const auto write = [&] {
      if (done.empty()) return;
      const absl::Status status = store.Commit(joined);
      Answer([done = std::move(done), status]() mutable {
        for (StoreService::CommitDone& d : done) d(status);
      });
      joined = campaign::StoreBatch();
      done.clear();
    };
    for (CommitJob& job : jobs) {
      if (job.refilled.has_value()) {
        const CampaignId campaign = job.refilled->campaign;
        tending.insert_or_assign(campaign, *std::move(job.refilled));
      }
      if (job.done == nullptr) continue;
      // A batch with a condition may be refused, and the others must not be refused with it.
      const bool alone = !job.batch.unchanged.empty();
      if (alone) write();
      joined.Append(std::move(job.batch));
      done.push_back(std::move(job.done));
      if (alone) write();
    }
    write();
    Tend();
  }
  // One step for each campaign. A failure is not told here: one that spoils the store fails the
  // next commit, and a damaged record the next refill that comes to it.
  void Tend() {
    for (auto it = tending.begin(); it != tending.end();) {
      const absl::StatusOr<bool> more = store.Tend(it->second);
      it = more.ok() && *more ? std::next(it) : tending.erase(it);
    }
    if (!tending.empty() && !stopping) writer.Push(CommitJob());
  }
  // The controller's queue is far longer than its calls in flight; if it were ever full, the answer
  // would be lost and with it the attempt's progress, so this thread (which may wait) tries again.
  void Answer(Loop::Task task) {
    auto shared = std::make_shared<Loop::Task>(std::move(task));
    while (!answers.Post([shared] { (*shared)(); })) std::this_thread::yield();
  }

  campaign::LeadStore& store;
  Loop& answers;
  std::atomic<bool> stopping{false};
  std::map<CampaignId, campaign::DueQuery> tending;  // the writer's
  LeadSieve sieve{store};                            // the reader's
  Worker<CommitJob> writer;
  Worker<absl::AnyInvocable<void()>> reader;
};

ThreadedStoreService::ThreadedStoreService(campaign::LeadStore& store, Loop& answers,
                                           absl::Duration gather)
    : impl_(std::make_unique<Impl>(store, answers, gather)) {}
ThreadedStoreService::~ThreadedStoreService() { impl_->stopping = true; }

void ThreadedStoreService::Commit(campaign::StoreBatch batch, CommitDone done) {
  // While the disk is busy the next ones gather by themselves.
  const bool urgent = !batch.dnc_added.empty();
  impl_->writer.Push({std::move(batch), std::move(done), std::nullopt}, urgent);
}

void ThreadedStoreService::FetchDue(campaign::DueQuery query, FetchDone done) {
  impl_->reader.Push(
      [impl = impl_.get(), query = std::move(query), done = std::move(done)]() mutable {
        auto leads = impl->store.DueLeads(query);
        impl->Answer([done = std::move(done), leads = std::move(leads)]() mutable {
          done(std::move(leads));
        });
        impl->writer.Push({campaign::StoreBatch(), nullptr, std::move(query)});
      });
}

void ThreadedStoreService::LoadTexts(std::vector<campaign::Lead> leads, FetchDone done) {
  impl_->reader.Push(
      [impl = impl_.get(), leads = std::move(leads), done = std::move(done)]() mutable {
        auto whole = WithTexts(impl->store, std::move(leads));
        impl->Answer([done = std::move(done), whole = std::move(whole)]() mutable {
          done(std::move(whole));
        });
      });
}

void ThreadedStoreService::Sieve(std::vector<campaign::Lead> leads, SieveOrder order,
                                 SieveDone done) {
  impl_->reader.Push([impl = impl_.get(), leads = std::move(leads), order = std::move(order),
                      done = std::move(done)]() mutable {
    auto sieved = WithTextsSieved(impl->store, impl->sieve, std::move(leads), order);
    impl->Answer([done = std::move(done), sieved = std::move(sieved)]() mutable {
      done(std::move(sieved));
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
  query.with_fields = true;
  loop_.After(delay_, [this, query = std::move(query), done = std::move(done)]() mutable {
    const absl::Status tended = store_.Tend(query).status();
    if (!tended.ok()) return done(tended);
    done(store_.DueLeads(query));
  });
}

void LoopStoreService::LoadTexts(std::vector<campaign::Lead> leads, FetchDone done) {
  loop_.After(delay_, [this, leads = std::move(leads), done = std::move(done)]() mutable {
    done(WithTexts(store_, std::move(leads)));
  });
}

void LoopStoreService::Sieve(std::vector<campaign::Lead> leads, SieveOrder order, SieveDone done) {
  loop_.After(delay_, [this, leads = std::move(leads), order = std::move(order),
                       done = std::move(done)]() mutable {
    done(WithTextsSieved(store_, sieve_, std::move(leads), order));
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
