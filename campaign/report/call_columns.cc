#include "campaign/report/call_columns.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace outpace::report {
namespace {

using campaign::AttemptView;
using campaign::Disposition;

void Nothing(const CallRow&, std::string&) {}

void AppendUnlessZero(int64_t value, std::string& to) {
  if (value != 0) AppendNumber(value, to);
}
void AppendUnlessNegative(int64_t value, std::string& to) {
  if (value >= 0) AppendNumber(value, to);
}

int64_t RingMillis(const AttemptView& a) {
  return MillisBetween(a.ringing_micros,
                       Happened(a.answered_micros) ? a.answered_micros : a.ended_micros);
}

int64_t WrapupMillis(const AttemptView& a) {
  return a.agent.empty() ? -1 : MillisBetween(a.ended_micros, a.disposed_micros);
}

int64_t AnsweredMillis(const AttemptView& a) {
  return std::max<int64_t>(0, MillisBetween(a.answered_micros, a.ended_micros));
}

int64_t QueueMillis(const AttemptView& a) {
  return MillisBetween(a.answered_micros,
                       Happened(a.connected_micros) ? a.connected_micros : a.ended_micros);
}

void AppendScore(double score, std::string& to) {
  if (score == 0) return;
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), score, std::chars_format::general, 6);
  to.append(text, end.ptr);
}

// Millionths as a decimal number.
void AppendMoney(int64_t micros, std::string& to) {
  if (micros < 0) to.push_back('-');
  const int64_t size = micros < 0 ? -micros : micros;
  AppendNumber(size / 1'000'000, to);
  to.push_back('.');
  for (int64_t unit = 100'000; unit > 0; unit /= 10) {
    to.push_back(static_cast<char>('0' + size / unit % 10));
  }
}

int64_t GreetingToMessage(const AttemptView& a) {
  const int64_t to_drop = MillisBetween(a.answered_micros, a.dropped_micros);
  if (to_drop < 0 || a.greeting_end_ms < 0) return -1;
  return std::max<int64_t>(0, to_drop - a.greeting_end_ms);
}

void AppendLength(const AttemptView& a, std::string& to) {
  const bool both = Happened(a.answered_micros) && Happened(a.ended_micros);
  const int64_t seconds = both ? (a.ended_micros - a.answered_micros) / 1'000'000 : 0;
  AppendNumber(std::max<int64_t>(0, seconds), to);
}

void AppendRecordingSeconds(const CallRow& r, std::string& to) {
  if (r.recording == nullptr || r.recording->file.empty()) return;
  // Half a millisecond rounds up.
  AppendSeconds((absl::ToInt64Microseconds(r.recording->length) + 500) / 1000, to);
}

void AppendLocalCallTime(const CallRow& r, std::string& to) {
  if (!Happened(r.lead.last_call_micros)) return;
  const bool known = r.lead.zone != nullptr && r.lead.zone->known;
  to.append(DateCell(absl::FromUnixMicros(r.lead.last_call_micros),
                     known ? r.lead.zone->zone : r.context.zone));
}

void AppendCalledSinceReset(const CallRow& r, std::string& to) {
  if (!r.lead.id.valid()) return;
  const bool called =
      r.lead.called_count > 0 && Happened(r.lead.last_call_micros) &&
      (r.list == nullptr || absl::FromUnixMicros(r.lead.last_call_micros) >= r.list->last_reset);
  to.push_back(called ? 'Y' : 'N');
}

void AppendHungUpBy(const AttemptView& a, std::string& to) {
  static constexpr std::pair<absl::string_view, absl::string_view> kNames[] = {{"CALLER", "客户"},
                                                                               {"AGENT", "坐席"},
                                                                               {"ABANDON", "呼损"},
                                                                               {"SYSTEM", "系统"},
                                                                               {"NONE", "未接通"}};
  for (const auto& [reason, name] : kNames) {
    if (a.term_reason == reason) to.append(name.data(), name.size());
  }
}

const Disposition* DispositionOf(const CallRow& r) {
  CellContext& context = r.context;
  if (context.statuses == nullptr || context.statuses_of != r.attempt.campaign) {
    context.statuses_of = std::string(r.attempt.campaign);
    context.statuses = &context.names.statuses.Of(context.statuses_of);
  }
  return context.statuses->Find(r.attempt.status);
}
absl::string_view StatusName(const CallRow& r) {
  const Disposition* const disposition = DispositionOf(r);
  return disposition != nullptr ? absl::string_view(disposition->name) : absl::string_view();
}
absl::string_view StatusNameZh(const CallRow& r) {
  const Disposition* const disposition = DispositionOf(r);
  return disposition != nullptr ? absl::string_view(disposition->name_zh) : absl::string_view();
}

absl::string_view CustomerName(const CallRow& r) {
  std::string& name = r.context.scratch;
  const absl::string_view first = r.lead.texts[kFirstName], last = r.lead.texts[kLastName];
  name.assign(first.data(), first.size());
  if (!first.empty() && !last.empty()) name.push_back(' ');
  name.append(last.data(), last.size());
  return name;
}

// clang-format off: one column, one entry.
constexpr CallColumn kColumns[] = {
    {"call_date", CellType::kDate, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { r.context.dates.Append(r.attempt.dialed_micros, to); },
     "When the attempt's intent was stored, just before the INVITE left; zone of the "
     "export"},
    {"phone_number_dialed", CellType::kPhone, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendPhone(r.attempt.dialed, to); },
     "The number called, E.164 digits with country code, without `+`"},
    {"status", CellType::kText, AsOf::kCall, [](const CallRow& r) -> absl::string_view { return r.attempt.status; }, nullptr,
     "The attempt's disposition: the agent's, or the engine's if it met no agent; empty "
     "while open"},
    {"user", CellType::kText, AsOf::kCall, [](const CallRow& r) -> absl::string_view { return r.attempt.agent; }, nullptr,
     "Agent who took the call; empty if nobody did (VICIdial writes `VDAD` there)"},
    {"full_name", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.agent != nullptr ? absl::string_view(r.agent->full_name) : absl::string_view(); }, nullptr,
     "That agent's name"},
    {"campaign_id", CellType::kText, AsOf::kCall, [](const CallRow& r) -> absl::string_view { return r.attempt.campaign; }, nullptr,
     "Campaign that placed the call"},
    {"vendor_lead_code", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kVendorLeadCode]; }, nullptr,
     "The client's key of the lead, from the list file"},
    {"source_id", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kSourceId]; }, nullptr,
     "From the list file"},
    {"list_id", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { if (r.attempt.list.valid()) AppendNumber(static_cast<int64_t>(r.attempt.list.value()), to); },
     "List the lead was in when called"},
    {"gmt_offset_now", CellType::kNumber, AsOf::kNow, nullptr, [](const CallRow& r, std::string& to) { GmtOffsetCells::Append(r.lead.zone, r.attempt.dialed_micros, to); },
     "Hours east of UTC in the lead's (first) time zone at the instant of the call, "
     "`-5.00`"},
    {"phone_code", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kPhoneCode]; }, nullptr,
     "From the list file, as it was written there"},
    {"phone_number", CellType::kPhone, AsOf::kNow, nullptr, [](const CallRow& r, std::string& to) { AppendPhone(r.lead.phone, to); },
     "The lead's main number, E.164 digits with country code"},
    {"title", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kTitle]; }, nullptr,
     "From the list file"},
    {"first_name", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kFirstName]; }, nullptr,
     "From the list file"},
    {"middle_initial", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kMiddleInitial]; }, nullptr,
     "From the list file"},
    {"last_name", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kLastName]; }, nullptr,
     "From the list file"},
    {"address1", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kAddress1]; }, nullptr,
     "From the list file"},
    {"address2", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kAddress2]; }, nullptr,
     "From the list file"},
    {"address3", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kAddress3]; }, nullptr,
     "From the list file"},
    {"city", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kCity]; }, nullptr,
     "From the list file"},
    {"state", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kState]; }, nullptr,
     "From the list file"},
    {"province", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kProvince]; }, nullptr,
     "From the list file"},
    {"postal_code", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kPostalCode]; }, nullptr,
     "From the list file"},
    {"country_code", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kCountryCode]; }, nullptr,
     "From the list file"},
    {"gender", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kGender]; }, nullptr,
     "From the list file"},
    {"date_of_birth", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kDateOfBirth]; }, nullptr,
     "From the list file, as it was written there"},
    {"alt_phone", CellType::kPhone, AsOf::kNow, nullptr, [](const CallRow& r, std::string& to) { AppendPhone(r.lead.alt_phone, to); },
     "The lead's second number, E.164 digits"},
    {"email", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kEmail]; }, nullptr,
     "From the list file"},
    {"security_phrase", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kSecurityPhrase]; }, nullptr,
     "From the list file"},
    {"comments", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kComments]; }, nullptr,
     "From the list file"},
    {"length_in_sec", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendLength(r.attempt, to); },
     "Whole seconds from answer to end, rounded down; 0 if not answered or not ended"},
    {"user_group", CellType::kCode, AsOf::kNone, nullptr, [](const CallRow& r, std::string& to) { Nothing(r, to); },
     "Always empty: Outpace has no user groups"},
    {"alt_dial", CellType::kCode, AsOf::kNow, nullptr, [](const CallRow& r, std::string& to) { if (r.lead.id.valid()) to.append(r.attempt.dialed == r.lead.phone ? "MAIN" : "ALT"); },
     "`MAIN` if the number called is the lead's main number, else `ALT`"},
    {"rank", CellType::kNumber, AsOf::kNow, nullptr, [](const CallRow& r, std::string& to) { if (r.lead.id.valid()) AppendNumber(r.lead.rank, to); },
     "The lead's rank, -99 to 99"},
    {"owner", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.texts[kOwner]; }, nullptr,
     "The lead's owner"},
    {"lead_id", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendNumber(static_cast<int64_t>(r.attempt.lead.value()), to); },
     "Outpace's id of the lead"},
    {"list_name", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.list != nullptr ? absl::string_view(r.list->name) : absl::string_view(); }, nullptr,
     "Name of that list"},
    {"list_description", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.list != nullptr ? absl::string_view(r.list->description) : absl::string_view(); }, nullptr,
     "Description of that list"},
    {"status_name", CellType::kName, AsOf::kNone, [](const CallRow& r) -> absl::string_view { return StatusName(r); }, nullptr,
     "The status in words, empty for a status that is not in the table of dispositions"},
    {"attempt_id", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendNumber(static_cast<int64_t>(r.attempt.id.value()), to); },
     "Outpace's id of the attempt: rising, never used twice"},
    {"call_id", CellType::kText, AsOf::kCall, [](const CallRow& r) -> absl::string_view { return r.attempt.call_id; }, nullptr,
     "SIP Call-ID: finds the call in the carrier's records and in a packet trace"},
    {"tier", CellType::kCode, AsOf::kCall, [](const CallRow& r) -> absl::string_view { return campaign::TierName(r.attempt.tier); }, nullptr,
     "The lead's tier, `A` or `B`"},
    {"number_of_try", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendNumber(r.attempt.number_of_try, to); },
     "1 for the first try at this lead"},
    {"outcome", CellType::kText, AsOf::kCall, [](const CallRow& r) -> absl::string_view { return r.attempt.outcome; }, nullptr,
     "`answered`, `no_answer`, `busy`, `invalid`, `unreachable`, `rejected`, "
     "`congestion`, `no_trunk`, `cancelled`, `media`, `failed`, `unknown` (the engine "
     "died during the call); empty while open"},
    {"sip_status", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendUnlessZero(r.attempt.sip_status, to); },
     "Final SIP response, 200 to 699; empty if none came"},
    {"q850_cause", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendUnlessZero(r.attempt.q850_cause, to); },
     "ITU-T Q.850 cause of the Reason header; empty if none came"},
    {"dialed_ms", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendMillis(r.attempt.dialed_micros, to); },
     "As `call_date`"},
    {"ringing_ms", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendMillis(r.attempt.ringing_micros, to); },
     "First 180 or 183"},
    {"answered_ms", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendMillis(r.attempt.answered_micros, to); },
     "200 to the INVITE"},
    {"connected_ms", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendMillis(r.attempt.connected_micros, to); },
     "An agent was bridged to the person"},
    {"ended_ms", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendMillis(r.attempt.ended_micros, to); },
     "The call was over, on either side"},
    {"disposed_ms", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendMillis(r.attempt.disposed_micros, to); },
     "The result was stored: with an agent, the end of the wrap-up"},
    {"ring_seconds", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendSeconds(RingMillis(r.attempt), to); },
     "From ringing to answer, or to the end if not answered"},
    {"talk_seconds", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendSeconds(MillisBetween(r.attempt.connected_micros, r.attempt.ended_micros), to); },
     "From connected to ended"},
    {"wrapup_seconds", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendSeconds(WrapupMillis(r.attempt), to); },
     "From ended to disposed; empty without an agent"},
    {"abandoned", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { to.push_back(r.attempt.abandoned ? 'Y' : 'N'); },
     "`Y` if a person answered and met no agent within `drop_call_seconds`"},
    {"term_reason", CellType::kText, AsOf::kCall, [](const CallRow& r) -> absl::string_view { return r.attempt.term_reason; }, nullptr,
     "Who ended it: `CALLER`, `AGENT` (hung up, put the phone down or logged out), `ABANDON`, "
     "`SYSTEM` (the engine or its SIP did, or a phone was lost), `NONE` (not answered)"},
    {"trunk", CellType::kText, AsOf::kCall, [](const CallRow& r) -> absl::string_view { return r.attempt.trunk; }, nullptr,
     "Name of the trunk"},
    {"caller_id", CellType::kPhone, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendPhone(r.attempt.caller_id, to); },
     "Caller ID shown, E.164 digits"},
    {"note", CellType::kText, AsOf::kCall, [](const CallRow& r) -> absl::string_view { return r.attempt.note; }, nullptr,
     "The agent's note on this call"},
    {"callback_date", CellType::kDate, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { r.context.dates.Append(r.attempt.callback_micros, to); },
     "When the agent promised to call back; zone of the export"},
    {"callback_ms", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendMillis(r.attempt.callback_micros, to); },
     "The same instant"},
    {"message_played", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { to.push_back(r.attempt.message_played ? 'Y' : 'N'); },
     "`Y` if the abandonment message ran to its end"},
    {"trunk_fault", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { to.push_back(r.attempt.trunk_fault ? 'Y' : 'N'); },
     "`Y` if the trunk was at fault: not held against the lead"},
    {"sent", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { to.push_back(r.attempt.sent ? 'Y' : 'N'); },
     "`N` if the call was refused before the INVITE left: nobody's telephone rang"},
    {"open", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { to.push_back(r.attempt.open ? 'Y' : 'N'); },
     "`Y` while there is no result yet: export again later"},
    {"lead_status_now", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.lead.status; }, nullptr,
     "The lead's status, which later calls may have changed"},
    {"called_count_now", CellType::kNumber, AsOf::kNow, nullptr, [](const CallRow& r, std::string& to) { if (r.lead.id.valid()) AppendNumber(r.lead.called_count, to); },
     "Tries at the lead so far"},
    {"entry_date", CellType::kDate, AsOf::kNow, nullptr, [](const CallRow& r, std::string& to) { r.context.dates.Append(r.lead.entry_micros, to); },
     "When the lead was loaded; zone of the export"},
    {"inbound", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { to.push_back(r.attempt.inbound ? 'Y' : 'N'); },
     "`Y` if the person called us ([calls from outside](INBOUND.md)): "
     "`phone_number_dialed` is the caller's number, `caller_id` the one called, "
     "`call_date` when the call came, `number_of_try` the tries so far"},
    {"heard", CellType::kText, AsOf::kCall, [](const CallRow& r) -> absl::string_view { return r.attempt.heard; }, nullptr,
     "What the network said before the answer: `ringback`, `busy_tone`, `sit_vacant`, "
     "`announcement:vacant_number` ([ANNOUNCEMENTS.md](ANNOUNCEMENTS.md)); empty if "
     "nothing that could be told"},
    {"amd", CellType::kText, AsOf::kCall, [](const CallRow& r) -> absl::string_view { return r.attempt.amd; }, nullptr,
     "Who answered by the detector: `human`, `machine`, `fax`, `silence`; empty if nobody "
     "listened or nothing was said"},
    {"amd_confidence", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendUnlessZero(r.attempt.amd_confidence, to); },
     "How sure it was, percent"},
    {"amd_ms", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendUnlessZero(r.attempt.amd_ms, to); },
     "From the answer to that verdict, ms"},
    {"amd_features", CellType::kText, AsOf::kCall, [](const CallRow& r) -> absl::string_view { return r.attempt.amd_features; }, nullptr,
     "What it judged by, `name=value` with spaces between"},
    {"recording", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.recording != nullptr ? absl::string_view(r.recording->file) : absl::string_view(); }, nullptr,
     "File of the recording, in the recordings directory; empty if there is none, or not "
     "any more"},
    {"recording_sha256", CellType::kCode, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return r.recording != nullptr ? absl::string_view(r.recording->sha256) : absl::string_view(); }, nullptr,
     "SHA-256 of that file"},
    {"recording_seconds", CellType::kNumber, AsOf::kNow, nullptr, [](const CallRow& r, std::string& to) { AppendRecordingSeconds(r, to); },
     "Its length"},
    {"last_status", CellType::kText, AsOf::kCall, [](const CallRow& r) -> absl::string_view { return r.attempt.last_status; }, nullptr,
     "The lead's status until this call"},
    {"score", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendScore(r.attempt.score, to); },
     "Expected successes an agent-minute when the lead was picked; empty: it was not scored"},
    {"explored", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { to.push_back(r.attempt.explored ? 'Y' : 'N'); },
     "`Y` if the lead was drawn at random from tier B"},
    {"scorer", CellType::kText, AsOf::kCall, [](const CallRow& r) -> absl::string_view { return r.attempt.scorer; }, nullptr,
     "Whose score it was: `champion`, `challenger`; empty: nobody's"},
    {"alt", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { to.push_back(r.attempt.alt ? 'Y' : 'N'); },
     "`Y` if the lead's second number was dialed"},
    {"holds", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendNumber(r.attempt.holds, to); },
     "How often the agent put the customer on hold"},
    {"held_seconds", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendSeconds(absl::ToInt64Milliseconds(r.attempt.held), to); },
     "For how long in all"},
    {"conferences", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendNumber(r.attempt.conferences, to); },
     "Others whom the agent brought into the call"},
    {"billed_seconds", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendNumber(r.attempt.billed_seconds, to); },
     "Answered time rounded up to the trunk's billing increments; 0: not answered, or the "
     "tariff is not known"},
    {"cost", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendMoney(r.attempt.cost_micros, to); },
     "What the call costs at the trunk's tariff as of the call, in the tariff's currency, six "
     "decimals"},
    {"last_local_call_time", CellType::kDate, AsOf::kNow, nullptr, [](const CallRow& r, std::string& to) { AppendLocalCallTime(r, to); },
     "When the lead was last called, in its own first time zone; empty when it never was"},
    {"modify_date", CellType::kDate, AsOf::kNow, nullptr, [](const CallRow& r, std::string& to) { r.context.dates.Append(Happened(r.lead.last_call_micros) ? r.lead.last_call_micros : r.lead.entry_micros, to); },
     "The last call of the lead, or its entry if it was never called; zone of the export"},
    {"called_since_last_reset", CellType::kCode, AsOf::kNow, nullptr, [](const CallRow& r, std::string& to) { AppendCalledSinceReset(r, to); },
     "`Y` if the lead was called since its list was last reset, else `N`"},
    {"answered_date", CellType::kDate, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { r.context.dates.Append(r.attempt.answered_micros, to); },
     "200 to the INVITE; zone of the export"},
    {"connected_date", CellType::kDate, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { r.context.dates.Append(r.attempt.connected_micros, to); },
     "When an agent was bridged to the person; zone of the export"},
    {"ended_date", CellType::kDate, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { r.context.dates.Append(r.attempt.ended_micros, to); },
     "When the call was over, on either side; zone of the export"},
    {"hold_time", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendClock(absl::ToInt64Milliseconds(r.attempt.held), to); },
     "How long the customer was on hold in all, HH:MM:SS"},
    {"call_type", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { to.append(r.attempt.inbound ? "Inbound" : "Outbound"); },
     "`Outbound`, or `Inbound` if the person called us"},
    {"ani", CellType::kPhone, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendPhone(r.attempt.inbound ? r.attempt.dialed : r.attempt.caller_id, to); },
     "The calling number: our caller ID, of a call from outside the caller's number; "
     "E.164 digits"},
    {"dnis", CellType::kPhone, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendPhone(r.attempt.inbound ? r.attempt.caller_id : r.attempt.dialed, to); },
     "The number called; E.164 digits"},
    {"customer_name", CellType::kText, AsOf::kNow, [](const CallRow& r) -> absl::string_view { return CustomerName(r); }, nullptr,
     "First and last name of the lead"},
    {"call_time", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendClock(MillisBetween(r.attempt.dialed_micros, r.attempt.ended_micros), to); },
     "From the intent to the end, HH:MM:SS"},
    {"bill_time", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendClock(AnsweredMillis(r.attempt), to); },
     "From answer to end, HH:MM:SS; 00:00:00 if not answered"},
    {"ivr_time", CellType::kCode, AsOf::kNone, nullptr, [](const CallRow& r, std::string& to) { AppendClock(0 * r.attempt.number_of_try, to); },
     "Always 00:00:00: no menu is played to people who are called"},
    {"queue_wait_time", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendClock(QueueMillis(r.attempt), to); },
     "From answer to the agent, or to the end if no agent came, HH:MM:SS"},
    {"queue_seconds", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendSeconds(QueueMillis(r.attempt), to); },
     "From answer to the agent, or to the end if no agent came; empty if not answered"},
    {"ring_time", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendClock(RingMillis(r.attempt), to); },
     "From ringing to answer, or to the end if not answered, HH:MM:SS"},
    {"talk_time", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendClock(MillisBetween(r.attempt.connected_micros, r.attempt.ended_micros), to); },
     "From connected to ended, HH:MM:SS"},
    {"park_time", CellType::kCode, AsOf::kNone, nullptr, [](const CallRow& r, std::string& to) { AppendClock(0 * r.attempt.number_of_try, to); },
     "Always 00:00:00: what is held counts in HOLD TIME"},
    {"after_call_work_time", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendClock(WrapupMillis(r.attempt), to); },
     "From ended to disposed, HH:MM:SS; empty without an agent"},
    {"transfers", CellType::kNumber, AsOf::kNone, nullptr, [](const CallRow& r, std::string& to) { Nothing(r, to); },
     "Always empty: calls handed on are not counted one by one"},
    {"abandoned_number", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { to.push_back(r.attempt.abandoned ? '1' : '0'); },
     "1 if a person answered and met no agent in time, else 0"},
    {"hung_up_by_zh", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendHungUpBy(r.attempt, to); },
     "Who ended it: 客户 (caller), 坐席 (agent), 呼损 (abandoned), 系统 (engine), 未接通 (not "
     "answered)"},
    {"status_name_zh", CellType::kName, AsOf::kNone, [](const CallRow& r) -> absl::string_view { return StatusNameZh(r); }, nullptr,
     "The status in Chinese, empty for a status that is not in the table of dispositions"},
    {"abandoned_zh", CellType::kCode, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { to.append(r.attempt.abandoned ? "是" : "否"); },
     "是 if a person answered and met no agent in time, else 否"},
    {"answer_to_drop_seconds", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendSeconds(MillisBetween(r.attempt.answered_micros, r.attempt.dropped_micros), to); },
     "From answer to giving up, when the message was ordered"},
    {"greeting_start_ms", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendUnlessNegative(r.attempt.greeting_start_ms, to); },
     "From the answer until whoever answered began to speak, ms; empty: not measured"},
    {"greeting_end_ms", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendUnlessNegative(r.attempt.greeting_end_ms, to); },
     "From the answer until they had ended, as far as was heard before the verdict, ms; "
     "empty: not measured"},
    {"greeting_to_message_seconds", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendSeconds(GreetingToMessage(r.attempt), to); },
     "From the end of the greeting to the order to play the message; 0.000 if it was "
     "ordered before, empty if either is not known (16 CFR 310.4(b)(4)(iii): two seconds)"},
    {"message_seconds", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendSeconds(MillisBetween(r.attempt.dropped_micros, r.attempt.ended_micros), to); },
     "From the order to play the message to the end of the call"},
    {"dropped_ms", CellType::kNumber, AsOf::kCall, nullptr, [](const CallRow& r, std::string& to) { AppendMillis(r.attempt.dropped_micros, to); },
     "When the call was given up and the message ordered"},
};
// clang-format on

}  // namespace

absl::string_view CellTypeName(CellType type) {
  switch (type) {
    case CellType::kText:
    case CellType::kName:
      return "text";
    case CellType::kCode:
      return "code";
    case CellType::kPhone:
      return "digits";
    case CellType::kDate:
      return "date";
    case CellType::kNumber:
      return "number";
  }
  return "";
}

absl::string_view AsOfName(AsOf as_of) {
  return as_of == AsOf::kCall ? "call" : as_of == AsOf::kNow ? "now" : "-";
}

absl::Span<const CallColumn> CallColumns() { return kColumns; }

const CallColumn* FindCallColumn(absl::string_view name) {
  const auto* const it = std::find_if(std::begin(kColumns), std::end(kColumns),
                                      [&](const CallColumn& c) { return c.name == name; });
  return it == std::end(kColumns) ? nullptr : it;
}

}  // namespace outpace::report
