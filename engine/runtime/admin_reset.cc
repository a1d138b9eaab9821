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

absl::StatusOr<Json> Admin::Impl::RunReset(const campaign::List& list, JobControl& control,
                                           bool resume) {
  LeadSet leads;
  absl::Status s = store.ForEachLead([&](const campaign::Lead& lead) {
    if (lead.list == list.id) leads.Add(lead.id);
    return !control.cancelled;
  });
  if (!s.ok()) return s;
  if (control.cancelled) return absl::CancelledError("cancelled; nothing was changed");
  control.total = leads.size();
  const bool withdraw = hooks.withdraw_leads && !leads.empty();
  std::vector<LeadId> busy;
  if (withdraw) busy = hooks.withdraw_leads(leads);
  auto end = absl::MakeCleanup([&] {
    if (withdraw) hooks.leads_withdrawn(leads);
    if (hooks.leads_changed) hooks.leads_changed(list.campaign);
  });
  const auto reset = [&] {
    control.done = 0;
    return store::ResetList(store, list.id, clock.Wall(),
                            [&](LeadId lead) {
                              ++control.done;
                              return std::binary_search(busy.begin(), busy.end(), lead);
                            },
                            {&shared->lists, &control.cancelled});
  };
  auto counts = reset();
  // What the engine's end cut off is brought to its end first, then comes what is asked for now.
  if (counts.ok() && counts->resumed && !resume) counts = reset();
  if (absl::IsCancelled(counts.status()) && !control.stopping) {
    // By somebody who does not want it: the next start of the engine must not go on with it.
    if (s = store::AbandonReset(store, list.id); !s.ok()) return s;
  }
  if (!counts.ok()) return counts.status();
  std::move(end).Invoke();
  std::string text = absl::StrCat(
      "list ", list.id.value(), " reset: ", Grouped(static_cast<uint64_t>(counts->reset)),
      " leads may be dialed once more, ", Grouped(static_cast<uint64_t>(counts->unchanged)),
      " could be anyway, ", Grouped(static_cast<uint64_t>(counts->kept)),
      " stay as they are (final, promised a callback, abandoned, or called since it began)\n");
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
                          [&](JobControl& control) { return RunReset(*list, control, false); });
}

absl::StatusOr<Json> Admin::Impl::ListResetStart(const Json& arguments) {
  return StartWhenIdle(arguments, Unknown::kMayCome, [&]() -> absl::StatusOr<JobOrder> {
    auto list = FindList(arguments);
    if (!list.ok()) return list.status();
    return JobOrder{
        {"reset", absl::StrCat("list ", list->id.value()), {}},
        [this, list = *list](JobControl& control) { return RunReset(list, control, false); }};
  });
}

}  // namespace outpace::runtime
