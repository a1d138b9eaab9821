#pragma once

// Inside of Admin: its operations, in one file a subject, and what they share.

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "campaign/gate/gate.h"
#include "campaign/load/load_template.h"
#include "campaign/load/loader.h"
#include "campaign/qa/review.h"
#include "campaign/report/export_schedule.h"
#include "campaign/tier/campaign_tiers.h"
#include "engine/runtime/admin.h"
#include "engine/runtime/stored_filters.h"

namespace outpace::runtime {

using Json = nlohmann::ordered_json;

// Members of the arguments: empty or false when absent or of another type.
inline std::string Text(const Json& json, const char* name, const std::string& otherwise = "") {
  const auto it = json.find(name);
  return it != json.end() && it->is_string() ? it->get<std::string>() : otherwise;
}

inline bool Flag(const Json& json, const char* name) {
  const auto it = json.find(name);
  return it != json.end() && it->is_boolean() && it->get<bool>();
}

inline absl::StatusOr<std::string> Need(const Json& json, const char* name) {
  std::string text = Text(json, name);
  if (text.empty()) return absl::InvalidArgumentError(absl::StrCat(name, ": is missing"));
  return text;
}

// InvalidArgument: no number above 0, neither as such nor as text; `hint` says where to look.
inline absl::StatusOr<uint64_t> NumberIn(const Json& json, const char* name,
                                         absl::string_view hint = "; see: outpace import list") {
  const auto it = json.find(name);
  uint64_t number = 0;
  if (it != json.end() && it->is_number_integer() && it->get<int64_t>() > 0) {
    return it->get<uint64_t>();
  }
  if (it == json.end() || !it->is_string() || !absl::SimpleAtoi(it->get<std::string>(), &number) ||
      number == 0) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": must be a number, 1 or more", hint));
  }
  return number;
}

inline Json Answer(std::string text) { return {{"text", std::move(text)}}; }

inline std::string TimeText(absl::Time time, absl::TimeZone zone) {
  if (time == absl::InfinitePast()) return "-";
  if (time == absl::InfiniteFuture()) return "never";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, zone);
}

struct Admin::Impl {
  using Operation = absl::StatusOr<Json> (Impl::*)(const Json&);
  Impl(campaign::LeadStore& s, const Clock& c, AdminHooks h, AdminShared* given)
      : store(s),
        clock(c),
        hooks(std::move(h)),
        own(given == nullptr ? std::make_unique<AdminShared>(c) : nullptr),
        shared(given == nullptr ? own.get() : given) {}
  // An event of the evidence log, durable when it returns; OK too where there is no log.
  absl::Status Note(audit::Event event) const;
  // Runs an operation, and says so in the evidence log if it changes something or lets data out.
  absl::StatusOr<Json> RunNoted(absl::string_view operation, const Json& arguments,
                                const std::function<absl::StatusOr<Json>()>& run);
  std::map<std::string, std::string> SettingsBefore(absl::string_view operation,
                                                    const Json& arguments) const;
  absl::StatusOr<campaign::CampaignSettings> FindCampaign(const std::string& id) const;
  absl::Status SaveCampaign(const campaign::CampaignSettings& settings);
  absl::Status ApplySettings(const Json& arguments, campaign::CampaignSettings& settings);
  absl::StatusOr<Json> CampaignCreate(const Json& arguments);
  absl::StatusOr<Json> CampaignSet(const Json& arguments);
  absl::StatusOr<Json> SetActive(const Json& arguments, bool active);
  absl::StatusOr<Json> CampaignStart(const Json& arguments);
  absl::StatusOr<Json> CampaignPause(const Json& arguments);
  // Leads that a rule has held back until some hour are looked at anew; "id" empty: of all
  // campaigns.
  absl::StatusOr<Json> CampaignRecheck(const Json& arguments);
  absl::Status ClearHolds(const CampaignId& campaign);
  absl::Status ClearHold(LeadId id);
  absl::StatusOr<Json> CampaignShow(const Json& arguments);
  absl::StatusOr<Json> CampaignList(const Json&);
  // How many leads each rule holds back now, and when the next may be dialed.
  absl::StatusOr<Json> CampaignFunnel(const Json& arguments);
  absl::StatusOr<std::vector<LeadId>> TriedOutToday(const campaign::CampaignSettings& settings,
                                                    absl::Time now) const;
  // The list by number or name; made when it is new.
  absl::StatusOr<campaign::List> ListFor(const Json& arguments, const CampaignId& campaign);
  // The list by number, or by a name that only one has.
  absl::StatusOr<campaign::List> FindList(const Json& arguments) const;
  absl::Status SaveList(const campaign::List& list);
  // What `change` makes of the list that the arguments name, stored; nobody changes it meanwhile.
  absl::StatusOr<campaign::List> EditList(
      const Json& arguments, const std::function<absl::Status(campaign::List&)>& change);
  absl::Status ChangeList(const Json& set, campaign::List& list) const;
  absl::StatusOr<Json> ListCreate(const Json& arguments);
  absl::StatusOr<Json> ListSet(const Json& arguments);
  absl::StatusOr<Json> ListActive(const Json& arguments);
  absl::StatusOr<Json> ListArchived(const Json& arguments);
  absl::StatusOr<Json> ListLists(const Json& arguments);
  absl::StatusOr<Json> ListShow(const Json& arguments);
  // `resume`: only what is left of one that was cut off.
  absl::StatusOr<Json> RunReset(const campaign::List& list, JobControl& control, bool resume);
  absl::StatusOr<Json> ListReset(const Json& arguments);
  absl::StatusOr<Json> ListResetStart(const Json& arguments);
  struct ImportOrder;
  absl::StatusOr<ImportOrder> ReadImport(const Json& arguments);
  absl::Status ReadLoadOptions(const Json& arguments, ImportOrder& order);
  absl::StatusOr<load::LoadTemplate> FindTemplate(const std::string& name) const;
  absl::StatusOr<Json> TemplateSet(const Json& arguments);
  absl::StatusOr<Json> TemplateList(const Json&);
  absl::StatusOr<Json> TemplateShow(const Json& arguments);
  absl::StatusOr<Json> TemplateRemove(const Json& arguments);
  absl::Status SaveNewList(const campaign::List& list);
  // RunImport(), with its beginning and end in the evidence log.
  absl::StatusOr<Json> RunNotedImport(const ImportOrder& order, JobControl& control);
  absl::StatusOr<Json> RunImport(const ImportOrder& order, JobControl& control);
  absl::StatusOr<Json> ImportRun(const Json& arguments);
  absl::StatusOr<Json> ImportStart(const Json& arguments);
  // What a job is to do, read from its arguments and found good.
  struct JobOrder {
    JobTitle title;
    ImportDesk::Work work;
  };
  // What an order names and nobody knows: wrong, or an import under way may bring it.
  enum class Unknown { kIsWrong, kMayCome };
  // Starts what `read` gives and answers with its number. With "wait": true and another job under
  // way nothing is started, and the answer is that one, with the state "waiting": ask again. What
  // is wrong with an order is told at once; it counts as it is read when nothing is under way, so
  // that it cannot meet the numbers of a job that is ending.
  absl::StatusOr<Json> StartWhenIdle(const Json& arguments, Unknown unknown,
                                     const std::function<absl::StatusOr<JobOrder>()>& read);
  // Of the job under way, for who waits; `busy` itself for who does not.
  absl::StatusOr<Json> WaitFor(const absl::Status& busy, const Json& arguments) const;
  absl::StatusOr<Json> ImportProgress(const Json& arguments);
  absl::StatusOr<Json> ImportCancel(const Json& arguments);
  absl::StatusOr<Json> ImportList(const Json& arguments);
  absl::StatusOr<campaign::Import> FindImport(const Json& arguments) const;
  absl::StatusOr<Json> ImportShow(const Json& arguments);
  absl::StatusOr<absl::flat_hash_set<LeadId>> Tried(const LeadRange& range, absl::Time since) const;
  absl::Status RemoveLeads(const std::vector<campaign::Lead>& leads);
  absl::StatusOr<Json> RunUndo(campaign::Import import, JobControl& control);
  absl::StatusOr<campaign::Import> ReadUndo(const Json& arguments) const;
  absl::StatusOr<Json> ImportUndo(const Json& arguments);
  absl::StatusOr<Json> ImportUndoStart(const Json& arguments);
  absl::StatusOr<Json> ImportResume(const Json&);
  absl::StatusOr<std::vector<campaign::Lead>> FindLeads(const Json& arguments,
                                                        std::string* note) const;
  absl::StatusOr<std::vector<campaign::Attempt>> AttemptsOf(const campaign::Lead& lead) const;
  absl::StatusOr<Json> LeadSearch(const Json& arguments);
  absl::StatusOr<Json> LeadShow(const Json& arguments);
  // Why a lead is not dialed: everything the gate says now.
  absl::StatusOr<Json> LeadWhy(const Json& arguments);
  absl::StatusOr<Json> LeadCounts(const Json&);
  // In force and durable when it returns.
  absl::Status AddDnc(std::vector<campaign::DncEntry> entries);
  // Which list the arguments name: "scope": "state:FL", "campaign", "client", "state", or
  // "litigator": true; nothing: the system's.
  absl::StatusOr<dnc::DncScope> DncScopeIn(const Json& arguments) const;
  absl::Status CheckDncScope(const dnc::DncScope& scope) const;
  // All that the arguments say of entries, but for the number.
  absl::StatusOr<campaign::DncEntry> DncDefaultsIn(const Json& arguments,
                                                   const std::string& source) const;
  absl::StatusOr<campaign::DncEntry> DncEntryIn(const Json& arguments) const;
  absl::StatusOr<Json> DncAdd(const Json& arguments);
  absl::StatusOr<Json> DncRemove(const Json& arguments);
  absl::StatusOr<Json> DncImport(const Json& arguments);  // a file as DncFileReader reads it
  absl::StatusOr<Json> DncExport(const Json& arguments);
  absl::StatusOr<Json> DncList(const Json& arguments);
  absl::StatusOr<Json> DncCheck(const Json& arguments);
  // What the gate asks: the store's entries and, if wished, the registries.
  absl::StatusOr<dnc::DncSet> DncInForce(bool with_registries = true) const;
  // The same as far as these numbers are concerned, whatever the size of the lists.
  absl::StatusOr<dnc::DncSet> DncAbout(const std::vector<E164>& phones) const;
  absl::StatusOr<Json> RegistryAdd(const Json& arguments);
  absl::StatusOr<Json> RegistryList(const Json&);
  absl::StatusOr<Json> RegistryRemove(const Json& arguments);
  absl::StatusOr<Json> RegistryVerify(const Json&);
  // The filter that the arguments name or give; not yet compiled.
  absl::StatusOr<StoredFilter> FilterIn(const Json& arguments) const;
  // What the campaign's lead_filter_id has against a lead; none: it passes, or there is no filter.
  absl::StatusOr<std::optional<gate::Reason>> FilterReason(
      const campaign::Lead& lead, const campaign::CampaignSettings& settings) const;
  // Leads that campaigns with this lead_filter_id hold back are looked at anew.
  absl::Status FilterChanged(const std::string& name);
  absl::StatusOr<Json> FilterSet(const Json& arguments);
  absl::StatusOr<Json> FilterList(const Json&);
  absl::StatusOr<Json> FilterShow(const Json& arguments);
  absl::StatusOr<Json> FilterHistory(const Json& arguments);
  absl::StatusOr<Json> FilterRemove(const Json& arguments);
  absl::StatusOr<Json> LeadFilter(const Json& arguments);
  absl::StatusOr<campaign::CampaignSettings> StatusesOf(const Json& arguments) const;
  absl::Status SaveStatuses(const campaign::CampaignSettings& settings);
  absl::StatusOr<Json> StatusList(const Json& arguments);
  absl::StatusOr<Json> StatusSet(const Json& arguments);
  absl::StatusOr<Json> StatusRemove(const Json& arguments);
  absl::StatusOr<Json> StatusCheck(const Json& arguments);
  absl::StatusOr<Json> StatusExport(const Json& arguments);
  absl::StatusOr<Json> StatusImport(const Json& arguments);
  absl::StatusOr<Json> StatusCopy(const Json& arguments);
  struct DedupOrder;
  absl::StatusOr<DedupOrder> ReadDedup(const Json& arguments) const;
  absl::StatusOr<Json> RunDedup(const DedupOrder& order, JobControl& control);
  absl::StatusOr<Json> DedupRun(const Json& arguments);
  absl::StatusOr<Json> DedupStart(const Json& arguments);
  absl::StatusOr<Json> DedupApply(const Json& arguments);
  absl::StatusOr<Json> DedupHistory(const Json& arguments);
  absl::StatusOr<Json> DedupUndo(const Json& arguments);
  absl::Status AskTiers(const campaign::CampaignSettings& settings,
                        const std::function<absl::Status(tier::CampaignTiers&)>& ask);
  absl::StatusOr<Json> TierShow(const Json& arguments);
  absl::StatusOr<Json> TierExplain(const Json& arguments);
  absl::StatusOr<Json> TierChallenge(const Json& arguments);
  absl::StatusOr<Json> TierEndTrial(const Json& arguments);
  absl::StatusOr<Json> QaSample(const Json& arguments);
  absl::StatusOr<Json> QaSheetSet(const Json& arguments);
  absl::StatusOr<Json> QaSheetList(const Json&);
  absl::StatusOr<Json> QaScore(const Json& arguments);
  absl::StatusOr<std::vector<qa::Review>> ReviewsIn(const Json& arguments,
                                                    absl::TimeZone* zone) const;
  absl::StatusOr<Json> QaList(const Json& arguments);
  absl::StatusOr<Json> QaReport(const Json& arguments);
  absl::StatusOr<Json> AgentAdd(const Json& arguments);
  absl::StatusOr<Json> AgentList(const Json&);
  absl::StatusOr<Json> RunExport(const std::string& what, const Json& arguments);
  absl::StatusOr<Json> ExportCalls(const Json& arguments);
  absl::StatusOr<Json> ExportAbandons(const Json& arguments);
  absl::StatusOr<Json> ExportAgents(const Json& arguments);
  absl::StatusOr<Json> ExportLeads(const Json& arguments);
  absl::StatusOr<Json> ScheduleAdd(const Json& arguments);
  absl::StatusOr<Json> ScheduleList(const Json&);
  absl::StatusOr<Json> ScheduleRemove(const Json& arguments);
  // Now, of "day" or the day that a run now is about; what is due stays due.
  absl::StatusOr<Json> ScheduleRun(const Json& arguments);
  // Whatever is due: asked again and again while the engine runs.
  absl::StatusOr<Json> ScheduleDue(const Json&);
  // What came of a run in the table; of `due`, or by hand.
  absl::Status NoteScheduled(const std::string& name, std::optional<absl::Time> due,
                             const absl::StatusOr<Json>& ran);
  // One day's export, written and delivered.
  absl::StatusOr<Json> RunSchedule(const report::ExportSchedule& schedule, absl::CivilDay day);
  absl::StatusOr<Json> Summary(const Json& arguments);
  absl::StatusOr<E164> NumberToErase(const Json& arguments) const;
  absl::StatusOr<Json> EraseBlock(const Json& arguments);
  absl::StatusOr<Json> EraseLeads(const Json& arguments);
  absl::StatusOr<std::vector<campaign::Lead>> LeadsOfPerson(E164 phone) const;
  // `touched`: is given what they rewrote.
  absl::StatusOr<uint64_t> AnonymiseAttempts(E164 phone, const absl::flat_hash_set<LeadId>& leads,
                                             std::vector<AttemptId>& touched);
  absl::StatusOr<uint64_t> AnonymiseRecordings(E164 phone, const absl::flat_hash_set<LeadId>& leads,
                                               std::vector<AttemptId>& touched);
  absl::StatusOr<uint64_t> RemoveDncOf(E164 phone);
  absl::Status ScrubPerson(store::ScrubOrder order);
  absl::StatusOr<Json> RunErasure(E164 phone);
  absl::StatusOr<Json> ErasePerson(const Json& arguments);
  absl::StatusOr<Json> StoreCheckpoint(const Json& arguments);
  absl::StatusOr<Json> StoreBackup(const Json& arguments);
  absl::StatusOr<Json> StoreVerify(const Json& arguments);
  absl::StatusOr<Json> RecordingList(const Json& arguments);
  absl::StatusOr<Json> RecordingRead(const Json& arguments);
  absl::StatusOr<Json> RecordingErased(const Json& arguments);
  absl::StatusOr<Json> RecordingPending(const Json& arguments);
  campaign::LeadStore& store;
  const Clock& clock;
  const AdminHooks hooks;
  const std::unique_ptr<AdminShared> own;  // last: its jobs end before the rest goes
  AdminShared* const shared;
};

}  // namespace outpace::runtime
