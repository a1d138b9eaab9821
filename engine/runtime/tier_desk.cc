#include "engine/runtime/tier_desk.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/posix_file.h"
#include "engine/runtime/files.h"

namespace outpace::runtime {
namespace {

constexpr size_t kReplayStep = 2'000;  // attempts, and those of the slice that reaches it
// Of time; longer while nothing was called.
constexpr absl::Duration kSliceMin = absl::Minutes(1), kSliceMax = absl::Minutes(10);
constexpr int kSlicesMost = 10'000;  // a step
// An attempt is learned when its last word is stored, which may be long after it was dialed.
constexpr absl::Duration kLongestCall = absl::Hours(26);

absl::Time EndOf(const campaign::Attempt& record) {
  return std::max({record.dialed_at, record.ended_at, record.disposed_at});
}

// A visitor that an end of the engine need not wait for.
class Stoppable final : public campaign::LeadVisitor {
 public:
  Stoppable(campaign::LeadVisitor& visitor, const std::atomic<bool>* stop)
      : visitor_(visitor), stop_(stop) {}
  absl::Status Visit(const campaign::LeadGlance& lead, campaign::WholeLead whole) override {
    if (stop_ != nullptr && stop_->load(std::memory_order_relaxed)) {
      return absl::CancelledError("the engine ends");
    }
    return visitor_.Visit(lead, whole);
  }

 private:
  campaign::LeadVisitor& visitor_;
  const std::atomic<bool>* const stop_;
};

}  // namespace

TierDesk::TierDesk(campaign::LeadStore& store, std::string directory, Log& log)
    : store_(store), directory_(std::move(directory)), log_(log) {}

// Campaign ids are of letters, digits, '-' and '_'.
std::string TierDesk::PathOf(const CampaignId& campaign) const {
  return absl::StrCat(directory_, "/", campaign, ".tiers");
}

void TierDesk::Put(const campaign::CampaignSettings& settings, absl::Time now) {
  const auto known = campaigns_.find(settings.id);
  const bool scores = settings.tier_mode == campaign::TierMode::kScore;
  if (known != campaigns_.end() && scores) {
    const bool blank = known->second.tiers->blank();
    known->second.tiers->UpdateSettings(settings);
    if (!blank && known->second.tiers->blank()) {  // other fields: learned anew
      known->second.from = now - kReplayMost;
      known->second.next = known->second.from - kLongestCall;
      known->second.to = now;
      known->second.replaying = true;
    }
    return;
  }
  if (known != campaigns_.end()) {
    SaveOne(known->second, now);
    campaigns_.erase(known);
    return;
  }
  if (!scores) return;
  Kept& kept = campaigns_[settings.id];
  kept.tiers = std::make_unique<tier::CampaignTiers>(settings);
  kept.from = now - kReplayMost;
  kept.to = now;
  if (!directory_.empty()) {
    const absl::StatusOr<std::string> bytes = ReadFile(PathOf(settings.id));
    const absl::StatusOr<absl::Time> until =
        bytes.ok() ? kept.tiers->Load(*bytes) : absl::StatusOr<absl::Time>(bytes.status());
    if (until.ok()) {
      kept.from = std::max(kept.from, *until);
      kept.saved = kept.tiers->Report().attempts;
    } else if (!absl::IsNotFound(until.status())) {
      log_.Warning("tiers.learned_anew",
                   {{"campaign", settings.id}, {"why", until.status().message()}});
    }
  }
  kept.next = kept.from - kLongestCall;
  kept.replaying = true;
}

tier::CampaignTiers* TierDesk::Find(const CampaignId& campaign) {
  const auto found = campaigns_.find(campaign);
  return found == campaigns_.end() ? nullptr : found->second.tiers.get();
}

std::vector<CampaignId> TierDesk::campaigns() const {
  std::vector<CampaignId> ids;
  for (const auto& [id, kept] : campaigns_) ids.push_back(id);
  return ids;
}

bool TierDesk::Replay() {
  for (auto& [id, kept] : campaigns_) {
    if (kept.replaying) return ReplayOne(kept) || Replay();
  }
  return false;
}

// True while this campaign has more. By slices of time: the store's index is by it.
bool TierDesk::ReplayOne(Kept& kept) {
  const CampaignId& id = kept.tiers->id();
  size_t seen = 0;
  absl::Duration slice = kSliceMin;
  for (int slices = 0; seen < kReplayStep && slices < kSlicesMost && kept.next < kept.to;
       ++slices) {
    const absl::Time end = std::min(kept.to, kept.next + slice);
    const size_t before = seen;
    const absl::Status read =
        store_.ForEachAttempt(kept.next, end, [&](const campaign::Attempt& attempt) {
          ++seen;
          const absl::Time ended = EndOf(attempt);
          if (attempt.campaign != id || attempt.open || ended <= kept.from || ended > kept.to) {
            return true;
          }
          auto lead = store_.GetLead(attempt.lead);
          if (lead.ok() && lead->has_value()) {
            kept.tiers->Learn(tier::AsOf(**std::move(lead), attempt), attempt);
          }
          return true;
        });
    if (!read.ok()) {
      log_.Warning("tiers.replay_failed", {{"campaign", id}, {"why", read.message()}});
      kept.replaying = false;
      return false;
    }
    kept.next = end;
    slice = seen > before ? kSliceMin : std::min(2 * slice, kSliceMax);
  }
  kept.replaying = kept.next < kept.to;
  if (!kept.replaying) {
    log_.Info("tiers.ready", {{"campaign", id}, {"results", kept.tiers->Report().attempts}});
  }
  return kept.replaying;
}

void TierDesk::Learn(const campaign::Lead& before, const campaign::Attempt& record) {
  if (tier::CampaignTiers* tiers = Find(record.campaign)) tiers->Learn(before, record);
}

absl::StatusOr<std::vector<campaign::Lead>> TierDesk::Candidates(const TierQuery& query) {
  std::vector<campaign::Lead> leads;
  tier::CampaignTiers* tiers = Find(query.campaign);
  if (tiers == nullptr) return leads;
  const auto lists = store_.Lists();
  if (!lists.ok()) return lists.status();
  std::set<ListId> dialed;
  for (const campaign::List& list : *lists) {
    if (list.campaign == query.campaign && list.dialed(query.now)) dialed.insert(list.id);
  }
  const std::vector<std::string> statuses = tiers->settings().DialedStatuses();
  while (leads.size() < query.most) {
    const std::vector<LeadId> ids = tiers->Candidates(query.most - leads.size());
    if (ids.empty()) break;
    for (const LeadId id : ids) {
      auto lead = store_.GetLead(id);
      if (!lead.ok()) return lead.status();
      if (!lead->has_value() || (*lead)->campaign != query.campaign ||
          (*lead)->next_call_time > query.now || (*lead)->hold_until > query.now ||
          !dialed.contains((*lead)->list) ||
          (!statuses.empty() &&
           std::find(statuses.begin(), statuses.end(), (*lead)->status) == statuses.end())) {
        continue;
      }
      leads.push_back(**std::move(lead));
    }
  }
  return leads;
}

std::vector<tier::RankedLead> TierDesk::Rank(const CampaignId& campaign,
                                             std::vector<campaign::Lead> leads, absl::Time now) {
  if (tier::CampaignTiers* tiers = Find(campaign)) return tiers->Rank(std::move(leads), now);
  std::vector<tier::RankedLead> as_they_came;
  for (campaign::Lead& lead : leads) {
    const campaign::Tier tier = lead.tier;
    as_they_came.push_back({std::move(lead), {.tier = tier}});
  }
  return as_they_came;
}

std::unique_ptr<TierDesk::Pass> TierDesk::BeginPass(size_t threads, absl::Time now) {
  // In turn: one with a long list does not keep the others waiting for ever.
  std::vector<Kept*> order;
  for (auto it = campaigns_.upper_bound(last_pass_); it != campaigns_.end(); ++it)
    order.push_back(&it->second);
  for (auto it = campaigns_.begin(); it != campaigns_.upper_bound(last_pass_); ++it)
    order.push_back(&it->second);
  for (Kept* kept : order) {
    if (kept->replaying || !kept->tiers->settings().active || !kept->tiers->WantsPass(now))
      continue;
    const auto lists = store_.Lists();
    if (!lists.ok()) return nullptr;
    std::vector<ListId> dialed;
    for (const campaign::List& list : *lists) {
      if (list.campaign == kept->tiers->id() && list.dialed(now)) dialed.push_back(list.id);
    }
    auto pass = std::make_unique<Pass>();
    pass->campaign = last_pass_ = kept->tiers->id();
    pass->parts = kept->tiers->BeginPass(threads, now, std::move(dialed));
    return pass;
  }
  return nullptr;
}

void TierDesk::Run(const campaign::LeadStore& store, Pass& pass, const std::atomic<bool>* stop) {
  std::vector<std::unique_ptr<Stoppable>> parts;
  std::vector<campaign::LeadVisitor*> visitors;
  for (const auto& part : pass.parts) {
    parts.push_back(std::make_unique<Stoppable>(*part, stop));
    visitors.push_back(parts.back().get());
  }
  pass.status = store.ScanLeads(pass.campaign, visitors);
}

void TierDesk::EndPass(std::unique_ptr<Pass> pass, absl::Time now, absl::Duration took) {
  tier::CampaignTiers* tiers = Find(pass->campaign);
  if (tiers == nullptr || !tiers->passing()) return;  // stopped scoring meanwhile
  if (!pass->status.ok()) {
    // What was seen so far is better than nothing; the next pass tries again.
    log_.Warning("tiers.pass_failed",
                 {{"campaign", pass->campaign}, {"why", pass->status.message()}});
  }
  tiers->EndPass(std::move(pass->parts), now, took);
  if (took < absl::Seconds(1)) return;
  const tier::TierReport report = tiers->Report();
  log_.Info("tiers.pass", {{"campaign", pass->campaign},
                           {"due", report.due},
                           {"seconds", absl::ToDoubleSeconds(took)}});
}

void TierDesk::SaveOne(Kept& kept, absl::Time until) {
  const uint64_t learned = kept.tiers->Report().attempts;
  if (directory_.empty() || kept.replaying || (learned == kept.saved && learned == 0)) return;
  const auto write = [&]() -> absl::Status {
    if (absl::Status s = MakeDirectories("tiers", directory_, 0700); !s.ok()) return s;
    auto file = AtomicFile::Create(PathOf(kept.tiers->id()));
    if (!file.ok()) return file.status();
    if (absl::Status s = (*file)->Write(kept.tiers->Save(until)); !s.ok()) return s;
    return (*file)->Commit();
  };
  if (const absl::Status status = write(); !status.ok()) {
    // Nothing is lost but time: after a start it is learned from the store.
    log_.Warning("tiers.not_saved", {{"campaign", kept.tiers->id()}, {"why", status.message()}});
    return;
  }
  kept.saved = learned;
}

void TierDesk::Save(absl::Time until) {
  for (auto& [id, kept] : campaigns_) SaveOne(kept, until);
}

}  // namespace outpace::runtime
