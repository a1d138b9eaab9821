#include "engine/runtime/tier_service.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "engine/base/check.h"

namespace outpace::runtime {
namespace {

constexpr absl::Duration kTend = absl::Seconds(1);
constexpr absl::Duration kSave = absl::Minutes(5);
// Results may wait while a list is read or a state written; a result is a lead and a record, some
// kilobytes.
constexpr size_t kWaitMost = 16'384;

TierService::Reports ReportsOf(TierDesk& desk) {
  TierService::Reports reports;
  for (const CampaignId& id : desk.campaigns()) reports[id] = desk.Find(id)->Report();
  return reports;
}

// Half the processors: the rest is the dialer's, whatever the scheduler thinks of priorities.
size_t PassThreads() { return std::max(1u, std::thread::hardware_concurrency() / 2); }

}  // namespace

ThreadedTierService::ThreadedTierService(campaign::LeadStore& store, std::string directory,
                                         const Clock& clock, Loop& answers, Log& log,
                                         Promoted promoted)
    : store_(store),
      clock_(clock),
      answers_(answers),
      log_(log),
      promoted_(std::move(promoted)),
      desk_(store, std::move(directory), log),
      loop_("tiers", clock, kWaitMost),
      pass_loop_("tier-pass", clock, 4),
      saved_at_(clock.Mono()) {
  loop_.Start();
  pass_loop_.Start();
  // Threads that a pass starts take its thread's policy.
  const bool posted = pass_loop_.Post([] {
    const sched_param none{};
    pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);
  });
  OUTPACE_CHECK(posted && loop_.Post([this] { Tend(); }));
}

ThreadedTierService::~ThreadedTierService() { Stop(); }

void ThreadedTierService::Stop() {
  if (stopped_.exchange(true)) return;
  pass_loop_.Stop();
  absl::Notification saved;
  if (loop_.Post([&] {
        desk_.Save(clock_.Wall());
        saved.Notify();
      })) {
    saved.WaitForNotification();
  }
  loop_.Stop();
}

// In steps: questions that come meanwhile are answered between two of them.
void ThreadedTierService::Replay() {
  replaying_ = desk_.Replay();
  if (replaying_) loop_.After(absl::ZeroDuration(), [this] { Replay(); });
}

void ThreadedTierService::Tend() {
  loop_.After(kTend, [this] { Tend(); });
  PublishReports();
  for (const CampaignId& id : desk_.campaigns()) {
    const std::optional<tier::ScorerChoice> choice = desk_.Find(id)->TakePromoted();
    if (choice.has_value() && promoted_) promoted_(id, *choice);
  }
  if (clock_.Mono() - saved_at_ >= kSave) {
    saved_at_ = clock_.Mono();
    desk_.Save(clock_.Wall());
  }
  if (!passing_) StartPass();
}

void ThreadedTierService::StartPass() {
  std::shared_ptr<TierDesk::Pass> pass = desk_.BeginPass(PassThreads(), clock_.Wall());
  if (pass == nullptr) return;
  passing_ = true;
  const bool posted = pass_loop_.Post([this, pass] {
    const MonoTime began = clock_.Mono();
    TierDesk::Run(store_, *pass, &stopped_);
    const absl::Duration took = clock_.Mono() - began;
    const auto end = [this, pass, took] {
      passing_ = false;
      desk_.EndPass(std::make_unique<TierDesk::Pass>(std::move(*pass)), clock_.Wall(), took);
    };
    // A full queue empties: results are learned faster than calls end.
    while (!loop_.Post(end) && !stopped_) std::this_thread::yield();
  });
  OUTPACE_CHECK(posted);
}

void ThreadedTierService::PublishReports() {
  Reports reports = ReportsOf(desk_);
  absl::MutexLock lock(&mutex_);
  reports_ = std::move(reports);
}

TierService::Reports ThreadedTierService::Report() const {
  absl::MutexLock lock(&mutex_);
  return reports_;
}

void ThreadedTierService::PutCampaign(const campaign::CampaignSettings& settings) {
  const bool posted = loop_.Post([this, settings] {
    desk_.Put(settings, clock_.Wall());
    if (!replaying_) Replay();
    PublishReports();
  });
  if (!posted) log_.Warning("tiers.settings_late", {{"campaign", settings.id}});
}

void ThreadedTierService::Learn(campaign::Lead before, campaign::Attempt record) {
  const bool posted =
      loop_.Post([this, before = std::move(before), record = std::move(record)]() mutable {
        desk_.Learn(before, record);
      });
  if (!posted && unlearned_++ == 0) log_.Warning("tiers.result_not_learned");
}

// The controller waits for it: a full queue of its loop is waited for in turn.
void ThreadedTierService::Answer(const std::function<void()>& task) {
  while (!answers_.Post(task) && !stopped_) std::this_thread::yield();
}

void ThreadedTierService::Candidates(TierQuery query, LeadsDone done) {
  auto shared = std::make_shared<LeadsDone>(std::move(done));
  const bool posted = !stopped_ && loop_.Post([this, query = std::move(query), shared] {
    auto answer =
        std::make_shared<absl::StatusOr<std::vector<campaign::Lead>>>(desk_.Candidates(query));
    Answer([shared, answer] { (*shared)(std::move(*answer)); });
  });
  if (!posted) (*shared)(std::vector<campaign::Lead>());
}

void ThreadedTierService::Rank(const CampaignId& campaign, std::vector<campaign::Lead> leads,
                               RankDone done) {
  auto shared = std::make_shared<RankDone>(std::move(done));
  auto held = std::make_shared<std::vector<campaign::Lead>>(std::move(leads));
  const bool posted = !stopped_ && loop_.Post([this, campaign, held, shared] {
    auto answer = std::make_shared<std::vector<tier::RankedLead>>(
        desk_.Rank(campaign, std::move(*held), clock_.Wall()));
    Answer([shared, answer] { (*shared)(std::move(*answer)); });
  });
  if (posted) return;
  std::vector<tier::RankedLead> as_they_came;
  for (campaign::Lead& lead : *held) {
    const campaign::Tier tier = lead.tier;
    as_they_came.push_back({std::move(lead), {.tier = tier}});
  }
  (*shared)(std::move(as_they_came));
}

absl::Status ThreadedTierService::Ask(absl::AnyInvocable<void(TierDesk&)> ask) {
  absl::Notification done;
  if (stopped_ || !loop_.Post([&] {
        ask(desk_);
        PublishReports();
        done.Notify();
      })) {
    return absl::UnavailableError("the tiers have too much to do; try again in a moment");
  }
  done.WaitForNotification();
  return absl::OkStatus();
}

LoopTierService::LoopTierService(campaign::LeadStore& store, Loop& loop, absl::Duration delay,
                                 Log& log)
    : store_(store), loop_(loop), delay_(delay), desk_(store, "", log) {}

void LoopTierService::PutCampaign(const campaign::CampaignSettings& settings) {
  desk_.Put(settings, loop_.clock().Wall());
  while (desk_.Replay()) {
  }
}

void LoopTierService::Learn(campaign::Lead before, campaign::Attempt record) {
  desk_.Learn(before, record);
}

void LoopTierService::PassIfWanted() {
  const absl::Time now = loop_.clock().Wall();
  while (std::unique_ptr<TierDesk::Pass> pass = desk_.BeginPass(1, now)) {
    TierDesk::Run(store_, *pass);
    desk_.EndPass(std::move(pass), now, absl::ZeroDuration());
  }
}

void LoopTierService::Candidates(TierQuery query, LeadsDone done) {
  loop_.After(delay_, [this, query = std::move(query), done = std::move(done)]() mutable {
    PassIfWanted();
    done(desk_.Candidates(query));
  });
}

void LoopTierService::Rank(const CampaignId& campaign, std::vector<campaign::Lead> leads,
                           RankDone done) {
  loop_.After(delay_, [this, campaign, leads = std::move(leads), done = std::move(done)]() mutable {
    done(desk_.Rank(campaign, std::move(leads), loop_.clock().Wall()));
  });
}

TierService::Reports LoopTierService::Report() const { return ReportsOf(desk_); }

absl::Status LoopTierService::Ask(absl::AnyInvocable<void(TierDesk&)> ask) {
  ask(desk_);
  return absl::OkStatus();
}

}  // namespace outpace::runtime
