// An import taken back as a whole.
//
// It is marked as being undone first, then its leads go in portions, then it is marked as undone:
// whatever kills the engine in between, the next start (or the same command) goes on where it
// stopped. A lead that has been dialed stays, with its history, and is named.

#include <algorithm>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "campaign/store/list_reset.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/import_report.h"

namespace outpace::runtime {
namespace {

constexpr uint64_t kPortion = 1000;     // leads removed in one write
constexpr size_t kNamedInText = 20;     // kept leads in the text; the answer has kNamedMost
constexpr size_t kNamedMost = 100'000;  // the rest is found with `lead search --import`

Json AnswerOf(const campaign::Import& import, uint64_t removed, const std::vector<uint64_t>& kept) {
  std::string text =
      absl::StrFormat("import %d of %s is taken back: %s leads removed, %s kept\n",
                      import.id.value(), import.file, Grouped(removed), Grouped(import.kept));
  if (!kept.empty()) {
    const size_t shown = std::min(kept.size(), kNamedInText);
    absl::StrAppend(&text, "kept, as they have been dialed: leads ",
                    absl::StrJoin(kept.begin(), kept.begin() + static_cast<ptrdiff_t>(shown), " "),
                    shown < import.kept ? absl::StrCat(" and more: outpace lead search --import ",
                                                       import.id.value())
                                        : "",
                    "\n");
  }
  Json answer = Answer(text);
  answer["import"] = import.id.value();
  answer["removed"] = removed;
  answer["kept"] = import.kept;
  answer["kept_leads"] = kept;
  return answer;
}

}  // namespace

// Which leads of the import somebody has tried to reach, as far as their attempts tell.
absl::StatusOr<absl::flat_hash_set<LeadId>> Admin::Impl::Tried(const LeadRange& range,
                                                               absl::Time since) const {
  absl::flat_hash_set<LeadId> tried;
  absl::Status s = store.ForEachAttempt(since - absl::Hours(1), absl::InfiniteFuture(),
                                        [&](const campaign::Attempt& attempt) {
                                          if (range.Has(attempt.lead)) tried.insert(attempt.lead);
                                          return true;
                                        });
  if (!s.ok()) return s;
  return tried;
}

// Removes leads in one write; their lists' counts follow.
absl::Status Admin::Impl::RemoveLeads(const std::vector<campaign::Lead>& leads) {
  if (leads.empty()) return absl::OkStatus();
  campaign::StoreBatch batch;
  for (const campaign::Lead& lead : leads) batch.leads_removed.push_back(lead.id);
  return store.Commit(batch);
}

absl::StatusOr<Json> Admin::Impl::RunUndo(campaign::Import import, JobControl& control) {
  const LeadRange range{import.first_lead, import.counts.accepted};
  control.total = range.count;
  import.state = campaign::ImportState::kUndoing;
  campaign::StoreBatch begun;
  begun.imports.push_back(import);
  if (absl::Status s = store.Commit(begun); !s.ok()) return s;

  std::vector<LeadId> busy;
  if (hooks.withdraw_leads) busy = hooks.withdraw_leads(range);
  const auto end = absl::MakeCleanup([&] {
    if (hooks.leads_withdrawn) hooks.leads_withdrawn(range);
  });
  auto tried = Tried(range, import.started);
  if (!tried.ok()) return tried.status();

  std::vector<uint64_t> kept;
  uint64_t kept_count = 0, removed = 0;
  std::vector<campaign::Lead> portion;
  for (uint64_t i = 0; i < range.count; ++i) {
    const LeadId id(range.first.value() + i);
    auto lead = store.GetLead(id);
    if (!lead.ok()) return lead.status();
    if (lead->has_value() && (*lead)->import == import.id) {
      const bool dialed = (*lead)->called_count > 0 ||
                          (*lead)->last_call_time != absl::InfinitePast() || tried->contains(id) ||
                          std::binary_search(busy.begin(), busy.end(), id);
      if (dialed) {
        if (++kept_count <= kNamedMost) kept.push_back(id.value());
      } else {
        portion.push_back(**std::move(lead));
      }
    }
    if (portion.size() == kPortion || (i + 1 == range.count && !portion.empty())) {
      if (absl::Status s = RemoveLeads(portion); !s.ok()) return s;
      removed += portion.size();
      portion.clear();
    }
    control.done = i + 1;
    if (control.cancelled && i + 1 < range.count) {
      return absl::CancelledError(
          absl::StrCat("import ", import.id.value(), " is half taken back (", removed,
                       " leads); go on with: outpace import undo ", import.id.value()));
    }
  }
  import.state = campaign::ImportState::kUndone;
  import.kept = kept_count;
  campaign::StoreBatch ended;
  ended.imports.push_back(import);
  if (absl::Status s = store.Commit(ended); !s.ok()) return s;
  return AnswerOf(import, removed, kept);
}

absl::StatusOr<campaign::Import> Admin::Impl::ReadUndo(const Json& arguments) const {
  auto import = FindImport(arguments);
  if (!import.ok()) return import.status();
  if (import->state == campaign::ImportState::kUndone) {
    return absl::FailedPreconditionError(absl::StrCat(
        "import ", import->id.value(), " has been taken back already; nothing was changed"));
  }
  return import;
}

absl::StatusOr<Json> Admin::Impl::ImportUndo(const Json& arguments) {
  auto import = ReadUndo(arguments);
  if (!import.ok()) return import.status();
  return shared->desk.Run({"undo", absl::StrCat("import ", import->id.value()), import->id},
                          [&](JobControl& control) { return RunUndo(*import, control); });
}

absl::StatusOr<Json> Admin::Impl::ImportUndoStart(const Json& arguments) {
  return StartWhenIdle(arguments, Unknown::kMayCome, [&]() -> absl::StatusOr<JobOrder> {
    auto import = ReadUndo(arguments);
    if (!import.ok()) return import.status();
    return JobOrder{
        {"undo", absl::StrCat("import ", import->id.value()), import->id},
        [this, import = *import](JobControl& control) { return RunUndo(import, control); }};
  });
}

// At the engine's start: goes on with the undos and resets that its end cut off.
absl::StatusOr<Json> Admin::Impl::ImportResume(const Json&) {
  auto imports = store.Imports();
  if (!imports.ok()) return imports.status();
  std::vector<campaign::Import> half;
  for (campaign::Import& import : *imports) {
    if (import.state == campaign::ImportState::kUndoing) half.push_back(std::move(import));
  }
  auto resets = store::ResetsUnderWay(store);
  if (!resets.ok()) return resets.status();
  Json answer = Answer("");
  answer["resumed"] = half.size();
  answer["resets"] = resets->size();
  if (half.empty() && resets->empty()) return answer;
  const JobTitle title =
      half.empty() ? JobTitle{"reset", absl::StrCat("list ", resets->front().value()), {}}
                   : JobTitle{"undo", absl::StrCat("import ", half[0].id.value()), half[0].id};
  auto job = shared->desk.Start(
      title, [this, half, resets = *resets](JobControl& control) -> absl::StatusOr<Json> {
        for (const campaign::Import& import : half) {
          if (auto undone = RunUndo(import, control); !undone.ok()) return undone;
        }
        for (const ListId id : resets) {
          auto list = FindList({{"list", absl::StrCat(id.value())}});
          if (!list.ok()) return list.status();
          if (auto reset = RunReset(*list, control, true); !reset.ok()) return reset;
        }
        return Answer("");
      });
  if (!job.ok()) return job.status();
  return answer;
}

}  // namespace outpace::runtime
