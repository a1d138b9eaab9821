#include "engine/runtime/admin.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "campaign/report/call_export.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/config.h"
#include "engine/runtime/dnc_entries.h"
#include "engine/runtime/export_file.h"
#include "engine/runtime/low_priority.h"
#include "engine/runtime/password.h"
#include "engine/runtime/report_desk.h"

namespace outpace::runtime {
namespace {

// "sip:anna@192.0.2.7:5060": names are never resolved on a call's way.
bool IsNumericSipUri(absl::string_view uri) {
  if (!absl::ConsumePrefix(&uri, "sip:")) return false;
  const size_t at = uri.find('@');
  if (at != absl::string_view::npos) uri.remove_prefix(at + 1);
  uri = uri.substr(0, uri.find(';'));
  return ParseEndpoint(absl::StrContains(uri, ':') ? std::string(uri) : absl::StrCat(uri, ":5060"))
      .ok();
}

}  // namespace

absl::StatusOr<Json> Admin::Impl::AgentAdd(const Json& arguments) {
  auto user = Need(arguments, "user");
  if (!user.ok()) return user.status();
  if (user->size() > 20 ||
      user->find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789_-.") != std::string::npos) {
    return absl::InvalidArgumentError("user: 1 to 20 of A-Z a-z 0-9 . _ -");
  }
  auto agents = store.Agents();
  if (!agents.ok()) return agents.status();
  campaign::AgentRecord agent;
  agent.user = *user;
  for (campaign::AgentRecord& known : *agents) {
    if (known.user == *user) agent = std::move(known);  // what is not given stays as it is
  }
  if (arguments.contains("name")) agent.full_name = Text(arguments, "name");
  if (arguments.contains("phone")) agent.phone_uri = Text(arguments, "phone");
  if (!agent.phone_uri.empty() && !IsNumericSipUri(agent.phone_uri)) {
    return absl::InvalidArgumentError(
        "phone: must be sip:name@address:port with a numeric address, e.g. "
        "sip:anna@192.0.2.7:5060");
  }
  if (arguments.contains("password") || agent.password_hash.empty()) {
    auto password = Need(arguments, "password");
    if (!password.ok()) return password.status();
    agent.password_hash = HashPassword(*password);
  }
  campaign::StoreBatch batch;
  batch.agents.push_back(agent);
  if (absl::Status s = store.Commit(batch); !s.ok()) return s;
  if (hooks.agent_changed) hooks.agent_changed(agent);
  return Answer(absl::StrCat("agent ", *user, " may log in\n"));
}

absl::StatusOr<Json> Admin::Impl::AgentList(const Json&) {
  auto agents = store.Agents();
  if (!agents.ok()) return agents.status();
  std::string text = absl::StrFormat("%-20s %-32s %s\n", "USER", "PHONE", "NAME");
  for (const campaign::AgentRecord& agent : *agents) {
    absl::StrAppendFormat(&text, "%-20s %-32s %s\n", agent.user, agent.phone_uri, agent.full_name);
  }
  return Answer(text);
}

absl::StatusOr<Json> Admin::Impl::Summary(const Json& arguments) {
  report::ExportOptions options;
  if (absl::Status s = ReadExportRange(arguments, clock, options); !s.ok()) return s;
  auto sum = report::SummarizeCalls(store, options);
  if (!sum.ok()) return sum.status();
  std::string text = absl::StrFormat(
      "attempts %d\n  answered %d  connected %d  abandoned %d (%.2f %% of people who answered)\n"
      "  machines %d  no answer %d  busy %d  invalid %d  unreachable %d  rejected %d\n"
      "  trunk faults %d  unknown %d  open %d\nsales %d  dispositions %d  talk time %s\n",
      sum->attempts, sum->answered, sum->connected, sum->abandoned, 100 * sum->AbandonRatio(),
      sum->machines, sum->no_answer, sum->busy, sum->invalid, sum->unreachable, sum->rejected,
      sum->trunk_faults, sum->unknown, sum->open, sum->sales, sum->dispositions,
      absl::FormatDuration(sum->talk_time));
  Json answer = Answer(text);
  answer["attempts"] = sum->attempts;
  answer["answered"] = sum->answered;
  answer["connected"] = sum->connected;
  answer["abandoned"] = sum->abandoned;
  answer["abandon_ratio"] = sum->AbandonRatio();
  answer["unknown"] = sum->unknown;
  return answer;
}

Admin::Admin(campaign::LeadStore& store, const Clock& clock, AdminHooks hooks, AdminShared* shared)
    : impl_(std::make_unique<Impl>(store, clock, std::move(hooks), shared)) {}
Admin::~Admin() = default;

absl::StatusOr<Json> Admin::Run(absl::string_view operation, const Json& arguments) {
  static const std::map<std::string, Impl::Operation, std::less<>> kOperations = {
      {"campaign.create", &Impl::CampaignCreate},
      {"campaign.set", &Impl::CampaignSet},
      {"campaign.start", &Impl::CampaignStart},
      {"campaign.pause", &Impl::CampaignPause},
      {"campaign.recheck", &Impl::CampaignRecheck},
      {"campaign.show", &Impl::CampaignShow},
      {"campaign.list", &Impl::CampaignList},
      {"campaign.funnel", &Impl::CampaignFunnel},
      {"import", &Impl::ImportRun},
      {"import.start", &Impl::ImportStart},
      {"import.progress", &Impl::ImportProgress},
      {"import.cancel", &Impl::ImportCancel},
      {"import.list", &Impl::ImportList},
      {"import.show", &Impl::ImportShow},
      {"import.undo", &Impl::ImportUndo},
      {"import.undo.start", &Impl::ImportUndoStart},
      {"import.resume", &Impl::ImportResume},
      {"template.set", &Impl::TemplateSet},
      {"template.list", &Impl::TemplateList},
      {"template.show", &Impl::TemplateShow},
      {"template.remove", &Impl::TemplateRemove},
      {"list.list", &Impl::ListLists},
      {"list.show", &Impl::ListShow},
      {"list.create", &Impl::ListCreate},
      {"list.set", &Impl::ListSet},
      {"list.active", &Impl::ListActive},
      {"list.reset", &Impl::ListReset},
      {"list.reset.start", &Impl::ListResetStart},
      {"list.archived", &Impl::ListArchived},
      {"lead.show", &Impl::LeadShow},
      {"lead.search", &Impl::LeadSearch},
      {"lead.why", &Impl::LeadWhy},
      {"lead.counts", &Impl::LeadCounts},
      {"lead.filter", &Impl::LeadFilter},
      {"filter.set", &Impl::FilterSet},
      {"filter.list", &Impl::FilterList},
      {"filter.show", &Impl::FilterShow},
      {"filter.history", &Impl::FilterHistory},
      {"filter.remove", &Impl::FilterRemove},
      {"status.list", &Impl::StatusList},
      {"status.set", &Impl::StatusSet},
      {"status.remove", &Impl::StatusRemove},
      {"status.check", &Impl::StatusCheck},
      {"status.export", &Impl::StatusExport},
      {"status.import", &Impl::StatusImport},
      {"status.copy", &Impl::StatusCopy},
      {"dedup.run", &Impl::DedupRun},
      {"dedup.start", &Impl::DedupStart},
      {"dedup.apply", &Impl::DedupApply},
      {"dedup.history", &Impl::DedupHistory},
      {"dedup.undo", &Impl::DedupUndo},
      {"dnc.add", &Impl::DncAdd},
      {"dnc.remove", &Impl::DncRemove},
      {"dnc.import", &Impl::DncImport},
      {"dnc.export", &Impl::DncExport},
      {"dnc.list", &Impl::DncList},
      {"dnc.check", &Impl::DncCheck},
      {"dnc.registry.add", &Impl::RegistryAdd},
      {"dnc.registry.list", &Impl::RegistryList},
      {"dnc.registry.remove", &Impl::RegistryRemove},
      {"dnc.registry.verify", &Impl::RegistryVerify},
      {"tier.show", &Impl::TierShow},
      {"tier.explain", &Impl::TierExplain},
      {"tier.challenge", &Impl::TierChallenge},
      {"tier.end_trial", &Impl::TierEndTrial},
      {"qa.sample", &Impl::QaSample},
      {"qa.sheet.set", &Impl::QaSheetSet},
      {"qa.sheet.list", &Impl::QaSheetList},
      {"qa.score", &Impl::QaScore},
      {"qa.list", &Impl::QaList},
      {"qa.report", &Impl::QaReport},
      {"agent.add", &Impl::AgentAdd},
      {"agent.list", &Impl::AgentList},
      {"export.calls", &Impl::ExportCalls},
      {"export.abandons", &Impl::ExportAbandons},
      {"export.agents", &Impl::ExportAgents},
      {"export.leads", &Impl::ExportLeads},
      {"export.schedule.add", &Impl::ScheduleAdd},
      {"export.schedule.list", &Impl::ScheduleList},
      {"export.schedule.remove", &Impl::ScheduleRemove},
      {"export.schedule.run", &Impl::ScheduleRun},
      {"export.schedule.due", &Impl::ScheduleDue},
      {"summary", &Impl::Summary},
      {"erase.block", &Impl::EraseBlock},
      {"erase.leads", &Impl::EraseLeads},
      {"erase.person", &Impl::ErasePerson},
      {"store.checkpoint", &Impl::StoreCheckpoint},
      {"store.backup", &Impl::StoreBackup},
      {"store.verify", &Impl::StoreVerify},
      {"recording.list", &Impl::RecordingList},
      {"recording.read", &Impl::RecordingRead},
      {"recording.erased", &Impl::RecordingErased},
      {"recording.pending", &Impl::RecordingPending}};
  if (operation == "export.events" && arguments.is_object()) {
    return impl_->RunNoted(operation, arguments,
                           [&] { return ExportEvents(impl_->store, impl_->clock, arguments); });
  }
  // These only read: nothing of Admin's own is in them.
  if (operation == "report.list") return ListReports();
  if (operation == "report") {
    absl::StatusOr<Json> made = absl::InternalError("");
    AtLowPriority([&] {
      made = MakeReport(impl_->store, impl_->clock, arguments);
      return made.status();
    }).IgnoreError();
    return made;
  }
  const auto found = kOperations.find(operation);
  if (found == kOperations.end()) {
    return absl::NotFoundError(absl::StrCat("no operation is named '", operation, "'"));
  }
  if (!arguments.is_object()) return absl::InvalidArgumentError("the arguments are no JSON object");
  return impl_->RunNoted(operation, arguments,
                         [&] { return (impl_.get()->*found->second)(arguments); });
}

absl::StatusOr<dnc::DncSet> LoadDncSet(const campaign::LeadStore& store) {
  dnc::DncSet set;
  if (absl::Status read = PutEntries(store, set); !read.ok()) return read;
  auto erased = ReadErasedPeople(store);
  if (!erased.ok()) return erased.status();
  erased->PutInto(set);
  return set;
}

}  // namespace outpace::runtime
