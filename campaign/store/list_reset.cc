#include "campaign/store/list_reset.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "campaign/retry_rule.h"

namespace outpace::store {
namespace {

using campaign::Lead;
using campaign::StoreBatch;

constexpr size_t kBatch = 1000;
constexpr char kUnderWay[] = "under way";

std::string ProgressName(ListId list) { return absl::StrCat("list_reset.", list.value()); }

// Stores that the reset has begun; of one that was cut off, the list as it was then begun.
absl::StatusOr<campaign::List> Begin(campaign::LeadStore& store, ListId id, absl::Time now,
                                     bool& resumed) {
  const auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  const auto found = std::find_if(lists->begin(), lists->end(),
                                  [id](const campaign::List& list) { return list.id == id; });
  if (found == lists->end()) {
    return absl::NotFoundError(absl::StrCat("list ", id.value(), " does not exist"));
  }
  const auto progress = store.GetMeta(ProgressName(id));
  if (!progress.ok()) return progress.status();
  campaign::List list = *found;
  resumed = *progress == kUnderWay;
  if (resumed) return list;
  list.last_reset = now;
  StoreBatch batch;
  batch.lists = {list};
  batch.meta[ProgressName(id)] = kUnderWay;
  if (absl::Status status = store.Commit(batch); !status.ok()) return status;
  return list;
}

absl::StatusOr<campaign::CampaignSettings> SettingsOf(const campaign::LeadStore& store,
                                                      const CampaignId& id) {
  const auto campaigns = store.Campaigns();
  if (!campaigns.ok()) return campaigns.status();
  for (const campaign::CampaignSettings& settings : *campaigns) {
    if (settings.id == id) return settings;
  }
  return campaign::CampaignSettings();  // of no campaign yet: the usual rules
}

// Reads the leads once more, as they may have been written since they were found, and writes those
// that are still to be reset. Aborted: one was written or removed in between.
absl::Status TryBatchOf(campaign::LeadStore& store, const std::vector<LeadId>& ids,
                        const campaign::CampaignSettings& settings, absl::Time start,
                        const std::function<bool(LeadId)>& busy, ListResetCounts& counts) {
  StoreBatch batch;
  ListResetCounts found;
  for (const LeadId id : ids) {
    absl::StatusOr<std::optional<Lead>> lead = store.GetLead(id);
    if (!lead.ok()) return lead.status();
    if (!lead->has_value()) continue;
    (*lead)->has_fields = false;  // its texts stay as they are
    Lead reset = **lead;
    if (busy(id)) {
      ++found.busy;
    } else if (ResetLead(reset, settings, start)) {
      batch.unchanged.push_back(**std::move(lead));
      batch.leads.push_back(std::move(reset));
    } else {
      ++found.kept;
    }
  }
  found.reset = static_cast<int64_t>(batch.leads.size());
  if (absl::Status status = store.CommitUnsynced(batch); !status.ok()) return status;
  counts.reset += found.reset;
  counts.kept += found.kept;
  counts.busy += found.busy;
  return absl::OkStatus();
}

// Whoever writes a lead in between is done with it soon: this ends.
absl::Status WriteBatchOf(campaign::LeadStore& store, const std::vector<LeadId>& ids,
                          const campaign::CampaignSettings& settings, absl::Time start,
                          const std::function<bool(LeadId)>& busy, ListResetCounts& counts) {
  for (;;) {
    absl::Status status = TryBatchOf(store, ids, settings, start, busy, counts);
    if (!absl::IsAborted(status)) return status;
  }
}

absl::Status SetProgress(campaign::LeadStore& store, ListId list, const char* progress) {
  StoreBatch batch;
  batch.meta[ProgressName(list)] = progress;
  return store.Commit(batch);
}

}  // namespace

bool ResetLead(Lead& lead, const campaign::CampaignSettings& settings, absl::Time start) {
  const campaign::Disposition* disposition = settings.statuses.Find(lead.status);
  const bool promised = disposition != nullptr && disposition->scheduled_callback;
  // Three days without a call are owed to whom was abandoned, whoever begins the list anew.
  const bool abandoned = absl::EndsWith(lead.status, "DROP");
  if (promised || abandoned || lead.last_call_time >= start ||
      !campaign::IsRetried(lead.status, settings)) {
    return false;
  }
  lead.next_call_time = absl::InfinitePast();
  lead.hold_until = absl::InfinitePast();
  lead.recycled.clear();
  return true;
}

absl::StatusOr<ListResetCounts> ResetList(campaign::LeadStore& store, ListId id, absl::Time now,
                                          const std::function<bool(LeadId)>& busy,
                                          const ListResetControl& control) {
  ListResetCounts counts;
  absl::StatusOr<campaign::List> list;
  {
    absl::MutexLockMaybe lock(control.lists);
    list = Begin(store, id, now, counts.resumed);
  }
  if (!list.ok()) return list.status();
  const absl::Time start = list->last_reset;
  const absl::StatusOr<campaign::CampaignSettings> settings = SettingsOf(store, list->campaign);
  if (!settings.ok()) return settings.status();
  std::vector<LeadId> found;
  absl::Status status;
  const auto write = [&] {
    status = WriteBatchOf(store, found, *settings, start, busy, counts);
    found.clear();
  };
  const absl::Status read = store.ForEachLead([&](const Lead& lead) {
    if (control.cancelled != nullptr && *control.cancelled) {
      status = absl::CancelledError(
          absl::StrCat("cancelled; ", counts.reset, " leads had been reset, and stay so"));
      return false;
    }
    if (lead.list != id) return true;
    ++counts.leads;
    Lead reset = lead;
    if (!ResetLead(reset, *settings, start)) {
      ++counts.kept;
    } else if (lead.next_call_time == reset.next_call_time && lead.hold_until == reset.hold_until &&
               lead.recycled.empty()) {
      ++counts.unchanged;
    } else {
      found.push_back(lead.id);
    }
    if (found.size() == kBatch) write();
    return status.ok();
  });
  if (!read.ok()) return read;
  if (status.ok()) write();
  if (!status.ok()) return status;
  if (absl::Status s = SetProgress(store, id, ""); !s.ok()) return s;
  return counts;
}

absl::StatusOr<std::vector<ListId>> ResetsUnderWay(const campaign::LeadStore& store) {
  const auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  std::vector<ListId> under_way;
  for (const campaign::List& list : *lists) {
    const auto progress = store.GetMeta(ProgressName(list.id));
    if (!progress.ok()) return progress.status();
    if (*progress == kUnderWay) under_way.push_back(list.id);
  }
  return under_way;
}

absl::Status AbandonReset(campaign::LeadStore& store, ListId list) {
  return SetProgress(store, list, "");
}

}  // namespace outpace::store
