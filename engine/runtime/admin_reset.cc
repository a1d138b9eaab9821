// A list reset, the field's everyday verb: its leads may be dialed once more, without waiting for
// their rests. Nobody who has said no, bought, or has a number that does not exist comes back; a
// promised callback keeps its time; and who was abandoned keeps the rest that the rules ask for.

#include <algorithm>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "campaign/disposition.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/import_report.h"

namespace outpace::runtime {
namespace {

constexpr size_t kPortion = 1000;  // leads in one write
// As campaign/retry_rule.cc: no repeat sooner after an abandoned call.
constexpr absl::Duration kAbandonedRest = absl::Hours(72);

// Whether a reset brings leads of this status back at all.
bool ComesBack(const std::string& status) {
  if (status == "NEW" || status == "INCALL" || status == "DEC" || status == "XFER") return false;
  const campaign::Disposition* d = campaign::FindDisposition(status);
  return d == nullptr || !(d->completed || d->sale || d->dnc || d->unworkable ||
                           d->not_interested || d->scheduled_callback);
}

// False when the lead stays as it is.
bool ResetLead(campaign::Lead& lead) {
  if (!ComesBack(lead.status)) return false;
  absl::Time next = absl::InfinitePast();
  if (absl::EndsWith(lead.status, "DROP")) next = lead.last_call_time + kAbandonedRest;
  const bool changed = lead.next_call_time != next || !lead.recycled.empty() ||
                       lead.hold_until != absl::InfinitePast();
  lead.next_call_time = next;
  lead.hold_until = absl::InfinitePast();
  lead.recycled.clear();
  return changed;
}

}  // namespace

absl::StatusOr<Json> Admin::Impl::RunReset(ListId id, JobControl& control) {
  // Which leads, and then each as it is at that moment, while the engine begins no call with any.
  std::vector<LeadId> leads;
  absl::Status s = store.ForEachLead([&](const campaign::Lead& lead) {
    if (lead.list == id && ComesBack(lead.status)) leads.push_back(lead.id);
    return !control.cancelled;
  });
  if (!s.ok()) return s;
  control.total = leads.size();
  std::vector<LeadId> busy;
  LeadRange range;
  if (!leads.empty()) {
    const auto [first, last] = std::minmax_element(leads.begin(), leads.end());
    range = {*first, last->value() - first->value() + 1};
  }
  const bool withdraw = hooks.withdraw_leads && !leads.empty();
  if (withdraw) busy = hooks.withdraw_leads(range);
  auto end = absl::MakeCleanup([&] {
    if (withdraw) hooks.leads_withdrawn(range);
  });
  uint64_t changed = 0;
  campaign::StoreBatch batch;
  for (size_t i = 0; i < leads.size() && !control.cancelled; ++i) {
    auto lead = store.GetLead(leads[i]);
    if (!lead.ok()) return lead.status();
    const bool in_call = std::binary_search(busy.begin(), busy.end(), leads[i]);
    if (lead->has_value() && !in_call && ResetLead(**lead)) {
      batch.leads.push_back(**std::move(lead));
      ++changed;
    }
    if (batch.leads.size() == kPortion) {
      if (s = store.CommitUnsynced(batch); !s.ok()) return s;
      batch = campaign::StoreBatch();
    }
    control.done = i + 1;
  }
  if (s = store.CommitUnsynced(batch); !s.ok()) return s;
  if (s = store.SyncWrites(); !s.ok()) return s;
  if (control.cancelled) {
    return absl::CancelledError(
        absl::StrCat("cancelled: ", changed, " leads of list ", id.value(), " are reset"));
  }
  std::move(end).Invoke();
  auto list = EditList({{"list", absl::StrCat(id.value())}}, [this](campaign::List& edited) {
    edited.last_reset = clock.Wall();
    return absl::OkStatus();
  });
  if (!list.ok()) return list.status();
  if (hooks.leads_changed) hooks.leads_changed(list->campaign);
  Json answer = Answer(absl::StrCat("list ", id.value(), " reset: ", Grouped(changed),
                                    " leads may be dialed once more\n"));
  answer["list"] = id.value();
  answer["reset"] = changed;
  return answer;
}

absl::StatusOr<Json> Admin::Impl::ListReset(const Json& arguments) {
  auto list = FindList(arguments);
  if (!list.ok()) return list.status();
  return shared->desk.Run({"reset", absl::StrCat("list ", list->id.value()), {}},
                          [&](JobControl& control) { return RunReset(list->id, control); });
}

absl::StatusOr<Json> Admin::Impl::ListResetStart(const Json& arguments) {
  auto list = FindList(arguments);
  if (!list.ok()) return list.status();
  auto job = shared->desk.Start(
      {"reset", absl::StrCat("list ", list->id.value()), {}},
      [this, id = list->id](JobControl& control) { return RunReset(id, control); });
  if (!job.ok()) return job.status();
  Json answer = Answer("");
  answer["job"] = *job;
  return answer;
}

}  // namespace outpace::runtime
