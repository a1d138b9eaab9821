#include "engine/runtime/lead_merger.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "campaign/match/lead_numbers.h"

namespace outpace::runtime {
namespace {

constexpr size_t kPortion = 200;  // merges in one write
constexpr char kLast[] = "dedup.merges";
constexpr char kApart[] = "dedup.apart";

std::string KeyOf(uint64_t number) { return absl::StrFormat("dedup.merge.%010d", number); }

bool Has(const match::Merge& merge, LeadId lead) {
  return std::any_of(merge.changes.begin(), merge.changes.end(),
                     [lead](const match::LeadChange& change) { return change.before.id == lead; });
}

}  // namespace

absl::StatusOr<uint64_t> LeadMerger::LastNumber() const {
  auto text = store_.GetMeta(kLast);
  if (!text.ok()) return text.status();
  uint64_t last = 0;
  if (text->has_value() && !absl::SimpleAtoi(**text, &last)) {
    return absl::DataLossError("the store's number of merges is not readable");
  }
  return last;
}

absl::StatusOr<match::Merge> LeadMerger::Read(uint64_t number) const {
  auto text = store_.GetMeta(KeyOf(number));
  if (!text.ok()) return text.status();
  if (!text->has_value() || (*text)->empty()) {
    return absl::NotFoundError(absl::StrCat("no merge ", number, "; see: outpace dedup history"));
  }
  return match::DecodeMerge(**text);
}

absl::Status LeadMerger::WhileWithdrawn(
    std::vector<LeadId> leads,
    const std::function<absl::Status(const std::vector<LeadId>&)>& work) {
  if (leads.empty()) return absl::OkStatus();
  const LeadSet set = LeadSet::Of(std::move(leads));
  std::vector<LeadId> busy;
  if (hooks_.withdraw_leads) busy = hooks_.withdraw_leads(set);
  const auto end = absl::MakeCleanup([&] {
    if (hooks_.leads_withdrawn) hooks_.leads_withdrawn(set);
  });
  for (;;) {
    absl::Status status = work(busy);
    if (!absl::IsAborted(status)) return status;  // else a lead changed meanwhile: read it again
  }
}

absl::Status LeadMerger::MergePortion(absl::Span<const MergeOrder> orders, MergeCounts& counts,
                                      std::set<CampaignId>& campaigns) {
  absl::MutexLockMaybe lock(mutex_);
  std::vector<LeadId> all;
  for (const MergeOrder& order : orders) {
    all.insert(all.end(), order.leads.begin(), order.leads.end());
  }
  return WhileWithdrawn(all, [&](const std::vector<LeadId>& busy) -> absl::Status {
    auto last = LastNumber();
    if (!last.ok()) return last.status();
    const auto settings = store_.Campaigns();
    if (!settings.ok()) return settings.status();
    const campaign::StatusBook statuses = campaign::StatusesOf(*settings);
    campaign::StoreBatch batch;
    MergeCounts made;
    for (const MergeOrder& order : orders) {
      std::vector<campaign::Lead> leads;
      for (const LeadId id : order.leads) {
        auto lead = store_.GetLead(id);
        if (!lead.ok()) return lead.status();
        if (!lead->has_value() || !match::MayMerge(**lead)) continue;
        if (std::binary_search(busy.begin(), busy.end(), id)) continue;
        if (!leads.empty() && leads[0].campaign != (*lead)->campaign) continue;
        leads.push_back(**std::move(lead));
      }
      if (leads.size() < 2) {
        ++made.skipped;
        continue;
      }
      campaigns.insert(leads[0].campaign);
      match::Merge merge;
      merge.number = ++*last;
      merge.at = clock_.Wall();
      merge.reason = order.reason;
      const campaign::StatusSet& of_campaign = statuses.Of(leads[0].campaign);
      merge.changes = match::PlanMerge(std::move(leads), of_campaign);
      for (const match::LeadChange& change : merge.changes) {
        batch.unchanged.push_back(change.before);
        batch.leads.push_back(change.after);
      }
      batch.meta[KeyOf(merge.number)] = match::EncodeMerge(merge);
      ++made.merges;
      made.leads += merge.changes.size();
    }
    if (made.merges > 0) {
      batch.meta[kLast] = absl::StrCat(*last);
      if (absl::Status s = store_.Commit(batch); !s.ok()) return s;
    }
    counts.skipped += made.skipped;
    counts.merges += made.merges;
    counts.leads += made.leads;
    return absl::OkStatus();
  });
}

absl::StatusOr<MergeCounts> LeadMerger::Merge(absl::Span<const MergeOrder> orders) {
  MergeCounts counts;
  std::set<CampaignId> campaigns;
  absl::Status status;
  for (size_t at = 0; at < orders.size() && status.ok(); at += kPortion) {
    status = MergePortion(orders.subspan(at, kPortion), counts, campaigns);
  }
  for (const CampaignId& campaign : campaigns) {
    if (hooks_.leads_changed) hooks_.leads_changed(campaign);
  }
  if (!status.ok()) return status;
  return counts;
}

absl::StatusOr<match::Merge> LeadMerger::Undo(uint64_t number) {
  absl::MutexLockMaybe lock(mutex_);
  auto merge = Read(number);
  if (!merge.ok()) return merge.status();
  if (merge->undone != absl::InfiniteFuture()) {
    return absl::FailedPreconditionError(absl::StrCat("merge ", number, " was undone already"));
  }
  if (merge->changes.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the leads of merge ", number, " were erased"));
  }
  auto last = LastNumber();
  if (!last.ok()) return last.status();
  for (uint64_t later = *last; later > number; --later) {
    auto other = Read(later);
    if (!other.ok()) return other.status();
    if (other->undone != absl::InfiniteFuture()) continue;
    for (const match::LeadChange& change : merge->changes) {
      if (!Has(*other, change.before.id)) continue;
      return absl::FailedPreconditionError(absl::StrCat("lead ", change.before.id.value(),
                                                        " was merged once more; undo merge ", later,
                                                        " first"));
    }
  }
  std::vector<LeadId> all;
  for (const match::LeadChange& change : merge->changes) all.push_back(change.before.id);
  std::set<CampaignId> campaigns;
  absl::Status status = WhileWithdrawn(all, [&](const std::vector<LeadId>& busy) -> absl::Status {
    campaign::StoreBatch batch;
    for (const match::LeadChange& change : merge->changes) {
      const LeadId id = change.before.id;
      auto now = store_.GetLead(id);
      if (!now.ok()) return now.status();
      if (!now->has_value()) continue;  // removed since; the others come back all the same
      if (std::binary_search(busy.begin(), busy.end(), id)) {
        return absl::FailedPreconditionError(
            absl::StrCat("lead ", id.value(), " is in a call; try again when it has ended"));
      }
      campaigns.insert((*now)->campaign);
      batch.leads.push_back(match::UndoChange(change, **now));
      batch.unchanged.push_back(**std::move(now));
    }
    merge->undone = clock_.Wall();
    batch.meta[KeyOf(number)] = match::EncodeMerge(*merge);
    return store_.Commit(batch);
  });
  if (!status.ok()) return status;
  for (const CampaignId& campaign : campaigns) {
    if (hooks_.leads_changed) hooks_.leads_changed(campaign);
  }
  return merge;
}

absl::StatusOr<std::vector<match::Merge>> LeadMerger::History(uint64_t most, LeadId lead) const {
  auto last = LastNumber();
  if (!last.ok()) return last.status();
  std::vector<match::Merge> merges;
  for (uint64_t number = *last; number > 0 && merges.size() < most; --number) {
    auto merge = Read(number);
    if (!merge.ok()) return merge.status();
    if (!lead.valid() || Has(*merge, lead)) merges.push_back(*std::move(merge));
  }
  return merges;
}

absl::StatusOr<std::vector<std::string>> LeadMerger::Forget(
    const absl::flat_hash_set<LeadId>& leads, E164 phone) {
  absl::MutexLockMaybe lock(mutex_);
  auto last = LastNumber();
  if (!last.ok()) return last.status();
  campaign::StoreBatch batch;
  std::vector<std::string> names;
  for (uint64_t number = *last; number > 0; --number) {
    auto merge = Read(number);
    if (!merge.ok()) return merge.status();
    const bool knows = std::any_of(merge->changes.begin(), merge->changes.end(),
                                   [&leads, phone](const match::LeadChange& change) {
                                     return leads.contains(change.before.id) ||
                                            match::HasNumber(change.before, phone) ||
                                            match::HasNumber(change.after, phone);
                                   });
    if (!knows) continue;
    merge->changes.clear();
    names.push_back(KeyOf(number));
    batch.meta[names.back()] = match::EncodeMerge(*merge);
  }
  if (batch.empty()) return names;
  if (absl::Status s = store_.Commit(batch); !s.ok()) return s;
  return names;
}

absl::StatusOr<LeadPairs> LeadMerger::Apart() const {
  auto text = store_.GetMeta(kApart);
  if (!text.ok()) return text.status();
  LeadPairs pairs;
  if (!text->has_value()) return pairs;
  for (const absl::string_view pair : absl::StrSplit(**text, ' ', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> ids =
        absl::StrSplit(pair, absl::MaxSplits(':', 1));
    uint64_t a = 0, b = 0;
    if (!absl::SimpleAtoi(ids.first, &a) || !absl::SimpleAtoi(ids.second, &b)) {
      return absl::DataLossError("the store's pairs kept apart are not readable");
    }
    pairs.emplace(LeadId(a), LeadId(b));
  }
  return pairs;
}

absl::Status LeadMerger::KeepApart(const LeadPairs& pairs) {
  absl::MutexLockMaybe lock(mutex_);
  if (pairs.empty()) return absl::OkStatus();
  auto all = Apart();
  if (!all.ok()) return all.status();
  all->insert(pairs.begin(), pairs.end());
  campaign::StoreBatch batch;
  std::string& text = batch.meta[kApart];
  for (const auto& [a, b] : *all) {
    absl::StrAppend(&text, text.empty() ? "" : " ", a.value(), ":", b.value());
  }
  return store_.Commit(batch);
}

}  // namespace outpace::runtime
