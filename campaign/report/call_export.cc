// The call result export: one table of columns, so that header, rows and documentation have one
// order.

#include "campaign/report/call_export.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "campaign/disposition.h"
#include "campaign/report/cells.h"
#include "campaign/report/csv_writer.h"

namespace outpace::report {
namespace {

using campaign::Attempt;
using campaign::Disposition;
using campaign::Lead;

// What a cell is made from.
struct Row {
  const Attempt& attempt;
  const Lead& lead;  // as it is now; all empty if the store has no such lead any more
  const campaign::AgentRecord* agent;  // null: nobody took the call, or no longer known
  const campaign::List* list;          // null: not known
  campaign::Recording recording;       // without a file if the call has none, or none any more
  absl::TimeZone zone;
};

std::string Millis(absl::Time time) {
  return Happened(time) ? absl::StrCat(absl::ToUnixMillis(time)) : "";
}

// Seconds with three decimals between two instants; empty unless both happened. The wall clock may
// have been set back in between: then 0.
std::string Seconds(absl::Time from, absl::Time to) {
  if (!Happened(from) || !Happened(to)) return "";
  const int64_t ms = std::max<int64_t>(0, absl::ToUnixMillis(to) - absl::ToUnixMillis(from));
  return absl::StrFormat("%d.%03d", ms / 1000, ms % 1000);
}

std::string Flag(bool value) { return value ? "Y" : "N"; }

std::string Number(int64_t value) { return absl::StrCat(value); }
std::string NumberOrNone(int value) { return value == 0 ? "" : absl::StrCat(value); }

std::string GmtOffset(const Row& row) {
  return GmtOffsetCell(row.lead.time_zones, row.attempt.dialed_at);
}

std::string RingSeconds(const Attempt& a) {
  return Seconds(a.ringing_at, Happened(a.answered_at) ? a.answered_at : a.ended_at);
}

std::string LengthInSec(const Attempt& a) {
  if (!Happened(a.answered_at) || !Happened(a.ended_at)) return "0";
  return absl::StrCat(std::max<int64_t>(0, absl::ToInt64Seconds(a.ended_at - a.answered_at)));
}

std::string StatusName(const Attempt& a) {
  const Disposition* disposition = campaign::FindDisposition(a.status);
  return disposition != nullptr ? std::string(disposition->name) : "";
}

std::string AltDial(const Row& row) {
  if (!row.lead.id.valid()) return "";
  return row.attempt.dialed == row.lead.phone ? "MAIN" : "ALT";
}

struct Column {
  const char* name;
  bool text;  // from outside: may have to be neutralised
  std::string (*value)(const Row& row);
};

// A column of the lead's file that we only pass through.
#define OUTPACE_LEAD_FIELD(name)                                \
  {                                                             \
    name, true, [](const Row& r) { return r.lead.Field(name); } \
  }

constexpr Column kColumns[] = {
    // VICIdial's Export Calls Report.
    {"call_date", false, [](const Row& r) { return DateCell(r.attempt.dialed_at, r.zone); }},
    {"phone_number_dialed", false, [](const Row& r) { return PhoneCell(r.attempt.dialed); }},
    {"status", true, [](const Row& r) { return r.attempt.status; }},
    {"user", true, [](const Row& r) { return r.attempt.agent; }},
    {"full_name", true,
     [](const Row& r) { return r.agent != nullptr ? r.agent->full_name : std::string(); }},
    {"campaign_id", true, [](const Row& r) { return r.attempt.campaign; }},
    OUTPACE_LEAD_FIELD("vendor_lead_code"),
    OUTPACE_LEAD_FIELD("source_id"),
    {"list_id", false,
     [](const Row& r) {
       return r.attempt.list.valid() ? absl::StrCat(r.attempt.list.value()) : "";
     }},
    {"gmt_offset_now", false, GmtOffset},
    OUTPACE_LEAD_FIELD("phone_code"),
    {"phone_number", false, [](const Row& r) { return PhoneCell(r.lead.phone); }},
    OUTPACE_LEAD_FIELD("title"),
    OUTPACE_LEAD_FIELD("first_name"),
    OUTPACE_LEAD_FIELD("middle_initial"),
    OUTPACE_LEAD_FIELD("last_name"),
    OUTPACE_LEAD_FIELD("address1"),
    OUTPACE_LEAD_FIELD("address2"),
    OUTPACE_LEAD_FIELD("address3"),
    OUTPACE_LEAD_FIELD("city"),
    OUTPACE_LEAD_FIELD("state"),
    OUTPACE_LEAD_FIELD("province"),
    OUTPACE_LEAD_FIELD("postal_code"),
    OUTPACE_LEAD_FIELD("country_code"),
    OUTPACE_LEAD_FIELD("gender"),
    OUTPACE_LEAD_FIELD("date_of_birth"),
    {"alt_phone", false, [](const Row& r) { return PhoneCell(r.lead.alt_phone); }},
    OUTPACE_LEAD_FIELD("email"),
    OUTPACE_LEAD_FIELD("security_phrase"),
    OUTPACE_LEAD_FIELD("comments"),
    {"length_in_sec", false, [](const Row& r) { return LengthInSec(r.attempt); }},
    {"user_group", false, [](const Row&) { return std::string(); }},
    {"alt_dial", false, AltDial},
    {"rank", false, [](const Row& r) { return r.lead.id.valid() ? Number(r.lead.rank) : ""; }},
    {"owner", true, [](const Row& r) { return r.lead.owner; }},
    {"lead_id", false, [](const Row& r) { return absl::StrCat(r.attempt.lead.value()); }},
    {"list_name", true,
     [](const Row& r) { return r.list != nullptr ? r.list->name : std::string(); }},
    {"list_description", false, [](const Row&) { return std::string(); }},
    {"status_name", false, [](const Row& r) { return StatusName(r.attempt); }},
    // Ours.
    {"attempt_id", false, [](const Row& r) { return absl::StrCat(r.attempt.id.value()); }},
    {"call_id", true, [](const Row& r) { return r.attempt.call_id; }},
    {"tier", false, [](const Row& r) { return std::string(campaign::TierName(r.attempt.tier)); }},
    {"number_of_try", false, [](const Row& r) { return Number(r.attempt.number_of_try); }},
    {"outcome", true, [](const Row& r) { return r.attempt.outcome; }},
    {"sip_status", false, [](const Row& r) { return NumberOrNone(r.attempt.sip_status); }},
    {"q850_cause", false, [](const Row& r) { return NumberOrNone(r.attempt.q850_cause); }},
    {"dialed_ms", false, [](const Row& r) { return Millis(r.attempt.dialed_at); }},
    {"ringing_ms", false, [](const Row& r) { return Millis(r.attempt.ringing_at); }},
    {"answered_ms", false, [](const Row& r) { return Millis(r.attempt.answered_at); }},
    {"connected_ms", false, [](const Row& r) { return Millis(r.attempt.connected_at); }},
    {"ended_ms", false, [](const Row& r) { return Millis(r.attempt.ended_at); }},
    {"disposed_ms", false, [](const Row& r) { return Millis(r.attempt.disposed_at); }},
    {"ring_seconds", false, [](const Row& r) { return RingSeconds(r.attempt); }},
    {"talk_seconds", false,
     [](const Row& r) { return Seconds(r.attempt.connected_at, r.attempt.ended_at); }},
    {"wrapup_seconds", false,
     [](const Row& r) {
       return r.attempt.agent.empty() ? std::string()
                                      : Seconds(r.attempt.ended_at, r.attempt.disposed_at);
     }},
    {"abandoned", false, [](const Row& r) { return Flag(r.attempt.abandoned); }},
    {"term_reason", true, [](const Row& r) { return r.attempt.term_reason; }},
    {"trunk", true, [](const Row& r) { return r.attempt.trunk; }},
    {"caller_id", false, [](const Row& r) { return PhoneCell(r.attempt.caller_id); }},
    {"note", true, [](const Row& r) { return r.attempt.note; }},
    {"callback_date", false,
     [](const Row& r) { return DateCell(r.attempt.callback_time, r.zone); }},
    {"callback_ms", false, [](const Row& r) { return Millis(r.attempt.callback_time); }},
    {"message_played", false, [](const Row& r) { return Flag(r.attempt.message_played); }},
    {"trunk_fault", false, [](const Row& r) { return Flag(r.attempt.trunk_fault); }},
    {"sent", false, [](const Row& r) { return Flag(r.attempt.sent); }},
    {"open", false, [](const Row& r) { return Flag(r.attempt.open); }},
    {"lead_status_now", true, [](const Row& r) { return r.lead.id.valid() ? r.lead.status : ""; }},
    {"called_count_now", false,
     [](const Row& r) { return r.lead.id.valid() ? Number(r.lead.called_count) : ""; }},
    {"entry_date", false, [](const Row& r) { return DateCell(r.lead.entry_date, r.zone); }},
    {"inbound", false, [](const Row& r) { return Flag(r.attempt.inbound); }},
    {"heard", true, [](const Row& r) { return r.attempt.heard; }},
    {"amd", true, [](const Row& r) { return r.attempt.amd; }},
    {"amd_confidence", false, [](const Row& r) { return NumberOrNone(r.attempt.amd_confidence); }},
    {"amd_ms", false, [](const Row& r) { return NumberOrNone(r.attempt.amd_ms); }},
    {"amd_features", true, [](const Row& r) { return r.attempt.amd_features; }},
    {"recording", true, [](const Row& r) { return r.recording.file; }},
    {"recording_sha256", false, [](const Row& r) { return r.recording.sha256; }},
    {"recording_seconds", false,
     [](const Row& r) {
       return r.recording.file.empty()
                  ? std::string()
                  : absl::StrFormat("%.3f", absl::ToDoubleSeconds(r.recording.length));
     }},
};
#undef OUTPACE_LEAD_FIELD

bool Wanted(const Attempt& attempt, const ExportOptions& options) {
  return options.campaign.empty() || attempt.campaign == options.campaign;
}

template <typename Key, typename Record>
const Record* FindIn(const std::map<Key, Record>& map, const Key& key) {
  const auto it = map.find(key);
  return it == map.end() ? nullptr : &it->second;
}

void Add(const Attempt& a, DaySummary& sum) {
  if (a.inbound) return;  // no call of ours
  sum.trunk_faults += a.trunk_fault ? 1 : 0;
  if (!a.sent) return;  // nobody's telephone rang, and nothing was tried
  ++sum.attempts;
  sum.open += a.open ? 1 : 0;
  sum.answered += Answered(a) ? 1 : 0;
  sum.connected += Happened(a.connected_at) ? 1 : 0;
  sum.abandoned += a.abandoned ? 1 : 0;
  sum.no_answer += a.outcome == "no_answer" ? 1 : 0;
  sum.busy += a.outcome == "busy" ? 1 : 0;
  sum.invalid += a.outcome == "invalid" ? 1 : 0;
  sum.unreachable += a.outcome == "unreachable" ? 1 : 0;
  sum.rejected += a.outcome == "rejected" ? 1 : 0;
  sum.unknown += a.outcome == "unknown" ? 1 : 0;
  sum.dispositions += !a.agent.empty() && Happened(a.disposed_at) ? 1 : 0;
  const Disposition* disposition = campaign::FindDisposition(a.status);
  sum.sales += disposition != nullptr && disposition->sale ? 1 : 0;
  sum.machines += ByMachine(Answered(a), disposition) ? 1 : 0;
  if (Happened(a.connected_at) && Happened(a.ended_at)) {
    sum.talk_time += std::max(absl::ZeroDuration(), a.ended_at - a.connected_at);
  }
}

}  // namespace

std::vector<std::string> ExportColumns() {
  std::vector<std::string> names;
  for (const Column& column : kColumns) names.push_back(column.name);
  return names;
}

absl::StatusOr<int64_t> ExportCalls(const campaign::LeadStore& store, const ExportOptions& options,
                                    const std::function<absl::Status(absl::string_view)>& write) {
  std::map<AgentId, campaign::AgentRecord> agents;
  const absl::StatusOr<std::vector<campaign::AgentRecord>> agent_records = store.Agents();
  if (!agent_records.ok()) return agent_records.status();
  for (const campaign::AgentRecord& agent : *agent_records) agents[agent.user] = agent;
  std::map<ListId, campaign::List> lists;
  const absl::StatusOr<std::vector<campaign::List>> list_records = store.Lists();
  if (!list_records.ok()) return list_records.status();
  for (const campaign::List& list : *list_records) lists[list.id] = list;

  CsvWriter csv(write);
  if (options.bom) csv.Raw("\xef\xbb\xbf");
  for (const Column& column : kColumns) csv.Plain(column.name);
  absl::Status status = csv.EndRow();
  if (!status.ok()) return status;

  int64_t rows = 0;
  const absl::Status read =
      store.ForEachAttempt(options.from, options.to, [&](const Attempt& attempt) {
        if (!Wanted(attempt, options)) return true;
        absl::StatusOr<std::optional<Lead>> lead = store.GetLead(attempt.lead);
        if (!lead.ok()) {
          status = lead.status();
          return false;
        }
        Lead none;
        none.entry_date = absl::InfinitePast();
        absl::StatusOr<std::optional<campaign::Recording>> recording =
            store.GetRecording(attempt.id);
        if (!recording.ok()) {
          status = recording.status();
          return false;
        }
        const Row row = {.attempt = attempt,
                         .lead = lead->has_value() ? **lead : none,
                         .agent = FindIn(agents, attempt.agent),
                         .list = FindIn(lists, attempt.list),
                         .recording = recording->value_or(campaign::Recording()),
                         .zone = options.zone};
        for (const Column& column : kColumns) {
          column.text ? csv.Text(column.value(row)) : csv.Plain(column.value(row));
        }
        status = csv.EndRow();
        ++rows;
        return status.ok();
      });
  if (!status.ok()) return status;
  if (!read.ok()) return read;
  if (status = csv.Finish(); !status.ok()) return status;
  return rows;
}

double DaySummary::AbandonRatio() const {
  const int64_t persons = answered - machines;
  return persons > 0 ? static_cast<double>(abandoned) / static_cast<double>(persons) : 0.0;
}

absl::StatusOr<DaySummary> SummarizeCalls(const campaign::LeadStore& store,
                                          const ExportOptions& options) {
  DaySummary sum;
  const absl::Status status =
      store.ForEachAttempt(options.from, options.to, [&](const Attempt& attempt) {
        if (Wanted(attempt, options)) Add(attempt, sum);
        return true;
      });
  if (!status.ok()) return status;
  return sum;
}

}  // namespace outpace::report
