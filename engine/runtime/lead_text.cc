#include "engine/runtime/lead_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "campaign/number_info.h"
#include "engine/runtime/admin_impl.h"

namespace outpace::runtime {
namespace {

constexpr size_t kAttemptsShown = 20;

std::string Utc(absl::Time time) { return TimeText(time, absl::UTCTimeZone()); }

// Null for what did not happen.
Json Millis(absl::Time time) {
  if (time == absl::InfinitePast() || time == absl::InfiniteFuture()) return nullptr;
  return absl::ToUnixMillis(time);
}

Json NumberJson(E164 number) {
  const campaign::NumberInfo info = campaign::Describe(number);
  return {{"type", std::string(campaign::NumberTypeName(info.type))},
          {"region", std::string(info.region)},
          {"area", std::string(info.area)},
          {"city", std::string(info.city)},
          {"carrier", std::string(info.carrier)}};
}

Json AttemptJson(const campaign::Attempt& attempt) {
  Json json = {{"attempt", attempt.id.value()},
               {"dialed_ms", Millis(attempt.dialed_at)},
               {"try", attempt.number_of_try},
               {"open", attempt.open},
               {"inbound", attempt.inbound},
               {"status", attempt.status},
               {"outcome", attempt.outcome},
               {"agent", attempt.agent},
               {"answered_ms", Millis(attempt.answered_at)},
               {"ended_ms", Millis(attempt.ended_at)},
               {"note", attempt.note}};
  return json;
}

std::string AttemptLine(const campaign::Attempt& attempt) {
  std::string line = absl::StrFormat(
      "    %s  attempt %d  %s %s", Utc(attempt.dialed_at), attempt.id.value(),
      attempt.inbound ? "called in," : absl::StrCat("try ", attempt.number_of_try, ","),
      attempt.open ? "under way" : attempt.status);
  if (!attempt.outcome.empty()) absl::StrAppend(&line, " (", attempt.outcome, ")");
  if (!attempt.agent.empty()) absl::StrAppend(&line, "  agent ", attempt.agent);
  if (attempt.answered_at != absl::InfinitePast() && attempt.ended_at != absl::InfinitePast()) {
    absl::StrAppend(&line, "  ",
                    absl::FormatDuration(
                        absl::Trunc(attempt.ended_at - attempt.answered_at, absl::Seconds(1))));
  }
  return line + "\n";
}

}  // namespace

std::string NumberText(E164 number) {
  const campaign::NumberInfo info = campaign::Describe(number);
  std::vector<std::string> parts = {std::string(campaign::NumberTypeName(info.type))};
  if (!info.region.empty()) parts.push_back(std::string(info.region));
  std::string place(info.area);
  if (!info.city.empty() && info.city != info.area) {
    absl::StrAppend(&place, place.empty() ? "" : " ", info.city);
  }
  if (!place.empty()) parts.push_back(place);
  if (!info.carrier.empty()) parts.push_back(std::string(info.carrier));
  return absl::StrJoin(parts, ", ");
}

std::string LeadText(const campaign::Lead& lead, const campaign::Import* import,
                     const std::vector<campaign::Attempt>& attempts) {
  std::string text = absl::StrFormat(
      "lead %d  list %d  campaign %s\n  status %s  tier %s  rank %d  called %d  last call %s  "
      "due %s\n",
      lead.id.value(), lead.list.value(), lead.campaign, lead.status, campaign::TierName(lead.tier),
      lead.rank, lead.called_count, Utc(lead.last_call_time),
      Utc(std::max(lead.next_call_time, lead.hold_until)));
  absl::StrAppend(&text, "  phone_number ", lead.phone.ToString(), "  (", NumberText(lead.phone),
                  ")  zones ", absl::StrJoin(lead.time_zones, " "), "\n");
  if (lead.alt_phone.valid()) {
    absl::StrAppend(&text, "  alt_phone ", lead.alt_phone.ToString(), "  (",
                    NumberText(lead.alt_phone), ")\n");
  }
  absl::StrAppend(&text, "  entered ", Utc(lead.entry_date));
  if (lead.import.valid()) {
    absl::StrAppend(&text, "  import ", lead.import.value());
    if (import != nullptr) absl::StrAppend(&text, " (", import->file, ")");
  }
  absl::StrAppend(&text, "\n");
  if (lead.max_attempts > 0) absl::StrAppend(&text, "  max_attempts ", lead.max_attempts, "\n");
  if (!lead.recycled.empty()) absl::StrAppend(&text, "  tries by status ", lead.recycled, "\n");
  if (!lead.owner.empty()) absl::StrAppend(&text, "  owner ", lead.owner, "\n");
  for (const auto& [name, value] : lead.fields) {
    absl::StrAppend(&text, "  ", name, " ", value, "\n");
  }
  if (!attempts.empty()) absl::StrAppend(&text, "  attempts\n");
  for (size_t i = 0; i < attempts.size(); ++i) {
    if (i == kAttemptsShown) {
      absl::StrAppend(&text, "    and ", attempts.size() - i, " more: --json\n");
      break;
    }
    absl::StrAppend(&text, AttemptLine(attempts[i]));
  }
  return text;
}

Json LeadJson(const campaign::Lead& lead, const std::vector<campaign::Attempt>& attempts) {
  Json json = {{"lead", lead.id.value()},
               {"list", lead.list.value()},
               {"campaign", lead.campaign},
               {"import", lead.import.value()},
               {"status", lead.status},
               {"tier", std::string(campaign::TierName(lead.tier))},
               {"rank", lead.rank},
               {"called_count", lead.called_count},
               {"max_attempts", lead.max_attempts},
               {"entered_ms", Millis(lead.entry_date)},
               {"last_call_ms", Millis(lead.last_call_time)},
               {"next_call_ms", Millis(lead.next_call_time)},
               {"hold_until_ms", Millis(lead.hold_until)},
               {"final", lead.next_call_time == absl::InfiniteFuture()},
               {"phone_number", lead.phone.valid() ? lead.phone.ToString() : ""},
               {"number", NumberJson(lead.phone)},
               {"alt_phone", lead.alt_phone.valid() ? lead.alt_phone.ToString() : ""},
               {"time_zones", lead.time_zones},
               {"owner", lead.owner},
               {"fields", lead.fields},
               {"attempts", Json::array()}};
  for (const campaign::Attempt& attempt : attempts) {
    json["attempts"].push_back(AttemptJson(attempt));
  }
  return json;
}

std::string LeadHeading() {
  return absl::StrFormat("%-10s %-6s %-8s %-6s %6s %-16s %-16s  %s\n", "LEAD", "LIST", "CAMPAIGN",
                         "STATUS", "CALLED", "LAST CALL (UTC)", "NUMBER", "NAME");
}

std::string LeadLine(const campaign::Lead& lead) {
  std::string name(absl::StripAsciiWhitespace(
      absl::StrCat(lead.Field("first_name"), " ", lead.Field("last_name"))));
  if (name.empty()) name = lead.Field("name");
  if (const std::string& company = lead.Field("company"); !company.empty()) {
    absl::StrAppend(&name, name.empty() ? "" : ", ", company);
  }
  return absl::StrFormat(
      "%-10d %-6d %-8s %-6s %6d %-16s %-16s  %s\n", lead.id.value(), lead.list.value(),
      lead.campaign, lead.status, lead.called_count,
      lead.last_call_time == absl::InfinitePast()
          ? "-"
          : absl::FormatTime("%Y-%m-%d %H:%M", lead.last_call_time, absl::UTCTimeZone()),
      lead.phone.ToString(), name);
}

}  // namespace outpace::runtime
