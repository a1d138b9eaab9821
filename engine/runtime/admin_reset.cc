// A list reset, the field's everyday verb: campaign/store/list_reset.h says who comes back. While
// it is under way the engine begins no call with a lead of the list.

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "campaign/store/list_reset.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/import_report.h"

namespace outpace::runtime {

absl::StatusOr<Json> Admin::Impl::RunReset(const campaign::List& list, JobControl& control) {
  uint64_t first = UINT64_MAX, last = 0, leads = 0;
  absl::Status s = store.ForEachLead([&](const campaign::Lead& lead) {
    if (lead.list == list.id) {
      first = std::min(first, lead.id.value());
      last = std::max(last, lead.id.value());
      ++leads;
    }
    return !control.cancelled;
  });
  if (!s.ok()) return s;
  if (control.cancelled) return absl::CancelledError("cancelled; nothing was changed");
  control.total = leads;
  const LeadRange range{LeadId(first), leads == 0 ? 0 : last - first + 1};
  const bool withdraw = hooks.withdraw_leads && leads > 0;
  std::vector<LeadId> busy;
  if (withdraw) busy = hooks.withdraw_leads(range);
  auto end = absl::MakeCleanup([&] {
    if (withdraw) hooks.leads_withdrawn(range);
  });
  auto counts = store::ResetList(store, list.id, clock.Wall(), [&](LeadId lead) {
    ++control.done;
    return std::binary_search(busy.begin(), busy.end(), lead);
  });
  if (!counts.ok()) return counts.status();
  std::move(end).Invoke();
  if (hooks.leads_changed) hooks.leads_changed(list.campaign);
  std::string text = absl::StrCat(
      "list ", list.id.value(), " reset: ", Grouped(static_cast<uint64_t>(counts->reset)),
      " leads may be dialed once more, ", Grouped(static_cast<uint64_t>(counts->unchanged)),
      " could be anyway, ", Grouped(static_cast<uint64_t>(counts->kept)),
      " stay as they are (final, or promised a callback)\n");
  if (counts->busy > 0) {
    absl::StrAppend(&text, counts->busy, " are in a call and were left alone\n");
  }
  Json answer = Answer(text);
  answer["list"] = list.id.value();
  answer["reset"] = counts->reset;
  answer["unchanged"] = counts->unchanged;
  answer["kept"] = counts->kept;
  answer["busy"] = counts->busy;
  return answer;
}

absl::StatusOr<Json> Admin::Impl::ListReset(const Json& arguments) {
  auto list = FindList(arguments);
  if (!list.ok()) return list.status();
  return shared->desk.Run({"reset", absl::StrCat("list ", list->id.value()), {}},
                          [&](JobControl& control) { return RunReset(*list, control); });
}

absl::StatusOr<Json> Admin::Impl::ListResetStart(const Json& arguments) {
  return WhenIdle(arguments, [&]() -> absl::StatusOr<Json> {
    auto list = FindList(arguments);
    if (!list.ok()) return list.status();
    return StartJob({"reset", absl::StrCat("list ", list->id.value()), {}},
                    [this, list = *list](JobControl& control) { return RunReset(list, control); });
  });
}

}  // namespace outpace::runtime
