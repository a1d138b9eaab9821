#pragma once

// The learned tiers of all campaigns that score their leads (tier_mode=SCORE): what is kept of them
// on disk, what is learned again from the stored attempts after a start, and the passes over their
// leads. Owned by whoever runs it on one thread: tier_service.h.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "campaign/lead_store.h"
#include "campaign/tier/campaign_tiers.h"
#include "engine/base/log.h"

namespace outpace::runtime {

struct TierQuery {
  CampaignId campaign;
  absl::Time now;
  size_t most = 0;  // leads wanted
};

class TierDesk {
 public:
  // How far back results are learned from when nothing was kept.
  static constexpr absl::Duration kReplayMost = absl::Hours(24 * 30);

  // Store and log outlive it. `directory`: where what was learned is kept, a file a campaign, made
  // when needed; empty: nowhere.
  TierDesk(campaign::LeadStore& store, std::string directory, Log& log);

  // A campaign that no longer scores is saved and forgotten. `now`: attempts from here on are
  // learned as they end, those before from the store.
  void Put(const campaign::CampaignSettings& settings, absl::Time now);
  // Null: unknown, or it does not score.
  tier::CampaignTiers* Find(const CampaignId& campaign);
  std::vector<CampaignId> campaigns() const;

  // Learns some thousand results of before; true while there are more. The rest of the store's
  // attempts is left alone after an error, which is logged.
  bool Replay();
  void Learn(const campaign::Lead& before, const campaign::Attempt& record);
  // Leads of the shortlist that are due now, with their fields, best first.
  absl::StatusOr<std::vector<campaign::Lead>> Candidates(const TierQuery& query);
  // As they came, with tier and score as nothing was learned, where the campaign does not score.
  std::vector<tier::RankedLead> Rank(const CampaignId& campaign, std::vector<campaign::Lead> leads,
                                     absl::Time now);

  // A pass over the leads of one campaign; Run() on any thread, the rest on the owner's.
  struct Pass {
    CampaignId campaign;
    std::vector<std::unique_ptr<tier::PassScorer>> parts;
    absl::Status status;
  };
  // The next campaign that wants a pass; one at a time. Null: none does, or replay has not ended.
  std::unique_ptr<Pass> BeginPass(size_t threads, absl::Time now);
  // `stop`: once true the pass ends early, with what it has seen; null: never.
  static void Run(const campaign::LeadStore& store, Pass& pass,
                  const std::atomic<bool>* stop = nullptr);
  void EndPass(std::unique_ptr<Pass> pass, absl::Time now, absl::Duration took);

  // Writes what was learned since the last time. `until`: all results before are learned.
  void Save(absl::Time until);

 private:
  struct Kept {
    std::unique_ptr<tier::CampaignTiers> tiers;
    absl::Time from, to;  // results between, by their end, are to be learned from the store
    absl::Time next;      // attempts dialed before are done with
    bool replaying = false;
    uint64_t saved = 0;  // attempts learned when it was saved last
  };
  std::string PathOf(const CampaignId& campaign) const;
  bool ReplayOne(Kept& kept);
  void SaveOne(Kept& kept, absl::Time until);

  campaign::LeadStore& store_;
  const std::string directory_;
  Log& log_;
  std::map<CampaignId, Kept> campaigns_;
  CampaignId last_pass_;
};

}  // namespace outpace::runtime
