// What Admin says of itself in the evidence log: one event an operation that changes something or
// lets data out, whoever asked, and whether it was done.

#include <algorithm>
#include <future>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "campaign/number_plan.h"
#include "engine/runtime/admin_impl.h"

namespace outpace::runtime {
namespace {

struct Noted {
  const char* kind;
  bool always = false;  // done though nothing can be logged: it makes calls stop
};

const Noted* NotedOf(absl::string_view operation) {
  static const std::map<absl::string_view, Noted> kNoted = {
      {"campaign.create", {"campaign.created"}},
      {"campaign.set", {"campaign.changed"}},
      {"campaign.start", {"campaign.started"}},
      {"campaign.pause", {"campaign.paused", true}},
      {"import.undo", {"import.undone"}},
      {"import.undo.start", {"import.undo_began"}},
      {"import.cancel", {"import.cancelled", true}},
      {"template.set", {"template.changed"}},
      {"template.remove", {"template.removed"}},
      {"list.create", {"list.created"}},
      {"list.set", {"list.changed"}},
      {"list.active", {"list.switched"}},
      {"list.archived", {"list.archived"}},
      {"list.reset", {"list.reset"}},
      {"list.reset.start", {"list.reset_began"}},
      {"filter.set", {"filter.changed"}},
      {"filter.remove", {"filter.removed"}},
      {"campaign.recheck", {"campaign.rechecked"}},
      {"status.set", {"status.changed"}},
      {"status.remove", {"status.removed"}},
      {"status.import", {"status.imported"}},
      {"status.copy", {"status.copied"}},
      {"dedup.run", {"dedup.ran"}},
      {"dedup.start", {"dedup.began"}},
      {"dedup.apply", {"dedup.applied"}},
      {"dedup.undo", {"dedup.undone"}},
      {"dnc.add", {"dnc.added", true}},
      {"dnc.remove", {"dnc.removed"}},
      {"dnc.import", {"dnc.imported", true}},
      {"dnc.export", {"dnc.exported"}},
      {"dnc.registry.add", {"dnc.registry_added", true}},
      {"dnc.registry.remove", {"dnc.registry_removed"}},
      {"tier.challenge", {"tier.challenged"}},
      {"tier.end_trial", {"tier.trial_ended"}},
      {"qa.sheet.set", {"qa.sheet_changed"}},
      {"qa.score", {"qa.scored"}},
      {"agent.add", {"agent.changed"}},
      {"export.calls", {"export.calls"}},
      {"export.abandons", {"export.abandons"}},
      {"export.agents", {"export.agents"}},
      {"export.leads", {"export.leads"}},
      {"export.events", {"export.events"}},
      {"export.schedule.add", {"export.schedule_added"}},
      {"export.schedule.remove", {"export.schedule_removed"}},
      {"export.schedule.run", {"export.scheduled"}},
      {"erase.block", {"erase.blocked", true}},
      {"erase.leads", {"erase.leads"}},
      {"erase.person", {"erase.person"}},
      {"store.checkpoint", {"store.copied"}},
      {"store.backup", {"store.backed_up"}},
      {"recording.erased", {"recording.erased"}},
      {"recording.read", {"recording.played"}}};
  const auto it = kNoted.find(operation);
  return it == kNoted.end() ? nullptr : &it->second;
}

// Data leaves the system: without a trace of it in the log it does not.
bool LetsDataOut(absl::string_view operation) { return operation == "recording.read"; }

// Arguments that say which record; never a number, a password or a text of a lead.
constexpr const char* kArguments[] = {
    "campaign", "list",     "name",   "user",  "import", "job",    "lead",    "agent", "path",
    "from",     "to",       "day",    "zone",  "field",  "fields", "profile", "share", "reason",
    "source",   "obtained", "client", "state", "status", "sheet",  "by"};
constexpr const char* kFlags[] = {"active", "archived", "dry_run", "bom",
                                  "raw",    "force",    "merge",   "replace"};
// What came of it.
constexpr const char* kFigures[] = {
    "rows",          "added",   "leads",    "attempts", "recordings", "dnc_entries",
    "other_numbers", "erased",  "job",      "merged",   "numbers",    "scope",
    "range_mark",    "expires", "rejected", "sha256",   "scheduled",  "delivered"};

void AddMember(const Json& json, const char* member, absl::string_view name,
               std::vector<audit::Field>& about) {
  const auto it = json.find(member);
  if (it == json.end()) return;
  if (it->is_string()) {
    const std::string& text = it->get_ref<const std::string&>();
    int64_t id = 0;
    const bool is_id = name == "attempt" || name == "lead" || name == "list" || name == "import";
    if (is_id && absl::SimpleAtoi(text, &id) && absl::StrCat(id) == text) {
      about.emplace_back(name, id);
    } else if (!text.empty()) {
      about.emplace_back(name, text);
    }
  } else if (it->is_number_integer()) {
    about.emplace_back(name, it->get<int64_t>());
  } else if (it->is_boolean()) {
    about.emplace_back(name, it->get<bool>());
  }
}

// "name: old -> new; ...", in as many fields as it takes.
void AddChanges(const std::vector<std::string>& changes, std::vector<audit::Field>& about) {
  std::string text;
  int number = 0;
  const auto put = [&] {
    if (text.empty()) return;
    about.emplace_back(++number == 1 ? "changes" : absl::StrCat("changes_", number), text);
    text.clear();
  };
  for (const std::string& change : changes) {
    if (number >= 20) break;
    if (text.size() + change.size() > audit::kTextMax - 2) put();
    absl::StrAppend(&text, text.empty() ? "" : "; ", change);
  }
  put();
}

}  // namespace

absl::Status Admin::Impl::Note(audit::Event event) const {
  if (hooks.audit == nullptr) return absl::OkStatus();
  event.actor = hooks.actor;
  std::promise<absl::Status> told;
  const absl::Status taken = hooks.audit->Append(
      std::move(event), [&told](const absl::Status& status) { told.set_value(status); });
  return taken.ok() ? told.get_future().get() : taken;
}

std::map<std::string, std::string> Admin::Impl::SettingsBefore(absl::string_view operation,
                                                               const Json& arguments) const {
  const bool of_statuses = absl::StartsWith(operation, "status.");
  if (hooks.audit == nullptr || (!of_statuses && !absl::StartsWith(operation, "campaign."))) {
    return {};
  }
  const char* const member = !of_statuses ? "id" : operation == "status.copy" ? "to" : "campaign";
  auto settings = FindCampaign(Text(arguments, member));
  if (!settings.ok()) settings = campaign::CampaignSettings();
  std::map<std::string, std::string> values = settings->ToMap();
  // A row each: the table is longer than what an event tells of one text.
  values.erase("statuses");
  for (const campaign::Disposition& row : settings->statuses.rows()) {
    campaign::StatusSet one;
    one.Put(row);
    values[absl::StrCat("status ", row.status)] = one.ToText();
  }
  return values;
}

absl::StatusOr<Json> Admin::Impl::RunNoted(absl::string_view operation, const Json& arguments,
                                           const std::function<absl::StatusOr<Json>()>& run) {
  const Noted* const noted = NotedOf(operation);
  if (noted == nullptr || hooks.audit == nullptr) return run();
  if (absl::Status ready = hooks.audit->Ready(); !ready.ok() && !noted->always) {
    return absl::FailedPreconditionError(
        absl::StrCat("nothing was done, as the evidence log cannot be written: ", ready.message()));
  }
  const std::map<std::string, std::string> before = SettingsBefore(operation, arguments);
  absl::StatusOr<Json> answer = run();
  audit::Event event{noted->kind, "", {}};
  std::vector<audit::Field>& about = event.about;
  AddMember(arguments, "id", absl::StartsWith(operation, "campaign.") ? "campaign" : "id", about);
  for (const char* name : kArguments) AddMember(arguments, name, name, about);
  for (const char* name : kFlags) AddMember(arguments, name, name, about);
  if (operation == "recording.read" || operation == "qa.score") {
    AddMember(arguments, "attempt", "attempt", about);
  }
  for (const char* name : {"password", "phone"}) {
    if (arguments.contains(name)) about.emplace_back(absl::StrCat(name, "_changed"), true);
  }
  if (const std::string number = Text(arguments, "number"); !number.empty() && hooks.number_mark) {
    const auto phone = campaign::NormalizePhone(number, Text(arguments, "country", "US"));
    // A range says so in the answer.
    const bool is_range = answer.ok() && answer->contains("range_mark");
    if (!is_range) {
      about.emplace_back("number_mark", phone.ok() ? hooks.number_mark(*phone) : "no number");
    }
  }
  std::vector<std::string> changes;
  if (!before.empty()) {
    const std::map<std::string, std::string> after = SettingsBefore(operation, arguments);
    for (const auto& [name, value] : after) {
      const auto old = before.find(name);
      const std::string was = old == before.end() ? "" : old->second;
      if (was != value) changes.push_back(absl::StrCat(name, ": ", was, " -> ", value));
    }
    for (const auto& [name, was] : before) {
      if (!after.contains(name)) changes.push_back(absl::StrCat(name, ": ", was, " -> "));
    }
  } else if (const auto set = arguments.find("set"); set != arguments.end() && set->is_object()) {
    for (const auto& [name, value] : set->items()) {
      if (value.is_string()) {
        changes.push_back(absl::StrCat(name, ": -> ", value.get_ref<const std::string&>()));
      }
    }
  }
  AddChanges(changes, about);
  if (const auto attempts = arguments.find("attempts");
      attempts != arguments.end() && attempts->is_array()) {
    std::string ids;
    for (const Json& id : *attempts) absl::StrAppend(&ids, ids.empty() ? "" : " ", id.dump());
    about.emplace_back("attempts", ids);
  }
  if (answer.ok()) {
    for (const char* name : kFigures) {
      const bool twice = std::any_of(about.begin(), about.end(),
                                     [&](const audit::Field& f) { return f.name == name; });
      if (!twice) AddMember(*answer, name, name, about);
    }
  }
  about.emplace_back("result", answer.ok() ? "done"
                                           : absl::AsciiStrToLower(
                                                 absl::StatusCodeToString(answer.status().code())));
  const absl::Status kept = Note(std::move(event));
  if (kept.ok() || !answer.ok()) return answer;
  if (LetsDataOut(operation)) {
    return absl::UnavailableError(
        absl::StrCat("refused, as the evidence log cannot be written: ", kept.message()));
  }
  (*answer)["text"] = absl::StrCat(
      Text(*answer, "text"), "but the evidence log could not be written: ", kept.message(), "\n");
  (*answer)["incomplete"] = true;
  return answer;
}

}  // namespace outpace::runtime
