#pragma once

// The learned tiers seen from the controller's loop: questions go to a thread that may read the
// store and score thousands of leads, answers come back as tasks of the asking loop. In simulation
// the same interface runs on virtual time.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "campaign/settings.h"
#include "engine/base/log.h"
#include "engine/base/loop.h"
#include "engine/runtime/asio_loop.h"
#include "engine/runtime/tier_desk.h"

namespace outpace::runtime {

class TierService {
 public:
  using LeadsDone = absl::AnyInvocable<void(absl::StatusOr<std::vector<campaign::Lead>>)>;
  using RankDone = absl::AnyInvocable<void(std::vector<tier::RankedLead>)>;
  using Reports = std::map<CampaignId, tier::TierReport>;
  virtual ~TierService() = default;

  // Controller's loop only; none waits. `done` runs there.
  virtual void PutCampaign(const campaign::CampaignSettings& settings) = 0;
  // An attempt's final record is stored. `before`: its lead when it was placed, with fields.
  virtual void Learn(campaign::Lead before, campaign::Attempt record) = 0;
  // TierDesk::Candidates().
  virtual void Candidates(TierQuery query, LeadsDone done) = 0;
  // TierDesk::Rank(). Where the thread has too much to do, as they came.
  virtual void Rank(const CampaignId& campaign, std::vector<campaign::Lead> leads,
                    RankDone done) = 0;
  // As of a second ago. Any thread.
  virtual Reports Report() const = 0;

  // Runs `ask` where the tiers are kept and returns when it has. Any thread but the controller's
  // and the tiers' own. Unavailable: too much to do, or it ends.
  virtual absl::Status Ask(absl::AnyInvocable<void(TierDesk&)> ask) = 0;
};

// A thread for learning and ranking, and one of low priority for passes over lists.
class ThreadedTierService final : public TierService {
 public:
  // A challenger has won: the campaign's settings are to follow. On the tiers' thread.
  using Promoted = std::function<void(const CampaignId&, const tier::ScorerChoice&)>;

  // All outlive it. `directory`: TierDesk.
  ThreadedTierService(campaign::LeadStore& store, std::string directory, const Clock& clock,
                      Loop& answers, Log& log, Promoted promoted);
  ~ThreadedTierService() override;  // Stop()

  void PutCampaign(const campaign::CampaignSettings& settings) override;
  void Learn(campaign::Lead before, campaign::Attempt record) override;
  void Candidates(TierQuery query, LeadsDone done) override;
  void Rank(const CampaignId& campaign, std::vector<campaign::Lead> leads, RankDone done) override;
  Reports Report() const override;
  absl::Status Ask(absl::AnyInvocable<void(TierDesk&)> ask) override;

  // Learns what was told so far, saves, and takes nothing further. Idempotent.
  void Stop();

 private:
  void Tend();
  void Replay();
  void StartPass();
  void Answer(const std::function<void()>& task);
  void PublishReports();

  campaign::LeadStore& store_;
  const Clock& clock_;
  Loop& answers_;
  Log& log_;
  const Promoted promoted_;
  TierDesk desk_;
  AsioLoop loop_;
  AsioLoop pass_loop_;
  bool passing_ = false, replaying_ = false;
  std::atomic<bool> stopped_ = false;
  MonoTime saved_at_;
  uint64_t unlearned_ = 0;  // results refused as too many waited
  mutable absl::Mutex mutex_;
  Reports reports_;
};

// The same on one thread: questions are answered after `delay` of the loop's own time, passes take
// none.
class LoopTierService final : public TierService {
 public:
  LoopTierService(campaign::LeadStore& store, Loop& loop, absl::Duration delay, Log& log);
  void PutCampaign(const campaign::CampaignSettings& settings) override;
  void Learn(campaign::Lead before, campaign::Attempt record) override;
  void Candidates(TierQuery query, LeadsDone done) override;
  void Rank(const CampaignId& campaign, std::vector<campaign::Lead> leads, RankDone done) override;
  Reports Report() const override;
  absl::Status Ask(absl::AnyInvocable<void(TierDesk&)> ask) override;

 private:
  void PassIfWanted();

  campaign::LeadStore& store_;
  Loop& loop_;
  const absl::Duration delay_;
  mutable TierDesk desk_;
};

}  // namespace outpace::runtime
