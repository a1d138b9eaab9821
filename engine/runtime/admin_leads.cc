// Operations on leads.

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "campaign/gate/gate.h"
#include "campaign/number_plan.h"
#include "campaign/retry_rule.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/attempt_history.h"
#include "engine/runtime/lead_text.h"

namespace outpace::runtime {
namespace {

constexpr size_t kPhoneDigitsMin = 8;  // E.164; shorter digits are an id only
constexpr int kHistoryDays = 60;

}  // namespace

// By id or by number. Digits may be both: eight or more are looked for as a number too, and when
// there are leads of both kinds all are found and `note` says so.
absl::StatusOr<std::vector<campaign::Lead>> Admin::Impl::FindLeads(const Json& arguments,
                                                                   std::string* note) const {
  auto wanted = Need(arguments, "lead");
  if (!wanted.ok()) return wanted.status();
  absl::string_view text = *wanted;
  const bool id_only = absl::ConsumePrefix(&text, "id:");
  const bool digits = !text.empty() && absl::c_all_of(text, absl::ascii_isdigit);
  std::vector<campaign::Lead> leads;
  uint64_t number = 0;
  if (digits && absl::SimpleAtoi(text, &number)) {
    auto lead = store.GetLead(LeadId(number));
    if (!lead.ok()) return lead.status();
    if (lead->has_value()) leads.push_back(**std::move(lead));
  }
  const size_t by_id = leads.size();
  if (!id_only && (!digits || text.size() >= kPhoneDigitsMin)) {
    auto phone = campaign::NormalizePhone(text, Text(arguments, "country", "US"));
    if (!phone.ok() && by_id == 0) return phone.status();
    auto found = phone.ok() ? store.LeadsByPhone(*phone) : std::vector<LeadId>();
    if (!found.ok()) return found.status();
    for (const LeadId id : *found) {
      if (by_id == 1 && id == leads[0].id) continue;
      auto lead = store.GetLead(id);
      if (!lead.ok()) return lead.status();
      if (lead->has_value()) leads.push_back(**std::move(lead));
    }
  }
  if (leads.empty()) {
    return absl::NotFoundError(
        id_only ? "no lead has this id"
                : "no such lead, neither by id nor by number (--country for numbers without one)");
  }
  if (by_id == 1 && leads.size() > 1) {
    *note = absl::StrCat("lead ", number, " by its id, and ", leads.size() - 1,
                         " by their number, which has the same digits; id:", number,
                         " means the lead alone\n");
  }
  return leads;
}

// The attempts at a lead, latest first. Attempts are kept by time, so this goes back day by day
// until all tries are found or `kHistoryDays` are looked through.
absl::StatusOr<std::vector<campaign::Attempt>> Admin::Impl::AttemptsOf(
    const campaign::Lead& lead) const {
  std::vector<campaign::Attempt> attempts;
  if (lead.last_call_time == absl::InfinitePast()) return attempts;
  absl::Time to = std::max(lead.last_call_time, lead.entry_date) + absl::Minutes(1);
  const absl::Time first = std::max(lead.entry_date, to - absl::Hours(24) * kHistoryDays);
  int tries = 0;
  while (to > first && tries < std::max(1, lead.called_count)) {
    const absl::Time from = std::max(first - absl::Seconds(1), to - absl::Hours(24));
    std::vector<campaign::Attempt> of_day;
    absl::Status s = store.ForEachAttempt(from, to, [&](const campaign::Attempt& attempt) {
      if (attempt.lead == lead.id) of_day.push_back(attempt);
      return true;
    });
    if (!s.ok()) return s;
    tries += static_cast<int>(of_day.size());
    attempts.insert(attempts.end(), of_day.rbegin(), of_day.rend());
    to = from;
  }
  return attempts;
}

absl::StatusOr<Json> Admin::Impl::LeadShow(const Json& arguments) {
  std::string text;
  auto leads = FindLeads(arguments, &text);
  if (!leads.ok()) return leads.status();
  auto imports = store.Imports();
  if (!imports.ok()) return imports.status();
  Json all = Json::array();
  for (const campaign::Lead& lead : *leads) {
    auto attempts = AttemptsOf(lead);
    if (!attempts.ok()) return attempts.status();
    const auto import = absl::c_find_if(
        *imports, [&lead](const campaign::Import& one) { return one.id == lead.import; });
    absl::StrAppend(&text,
                    LeadText(lead, import == imports->end() ? nullptr : &*import, *attempts));
    all.push_back(LeadJson(lead, *attempts));
  }
  Json answer = Answer(text);
  answer["leads"] = std::move(all);
  return answer;
}

// Why a lead is not dialed: everything the gate says now.
absl::StatusOr<Json> Admin::Impl::LeadWhy(const Json& arguments) {
  std::string text;
  auto leads = FindLeads(arguments, &text);
  if (!leads.ok()) return leads.status();
  std::vector<E164> phones;
  for (const campaign::Lead& lead : *leads) {
    phones.push_back(lead.phone);
    if (lead.alt_phone.valid()) phones.push_back(lead.alt_phone);
  }
  auto dnc = DncAbout(phones);
  if (!dnc.ok()) return dnc.status();
  auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  const absl::Time now = clock.Wall();
  Json all = Json::array();
  for (const campaign::Lead& lead : *leads) {
    auto settings = FindCampaign(lead.campaign);
    if (!settings.ok()) return settings.status();
    int today = 0;
    const absl::CivilDay day = absl::ToCivilDay(now, settings->report_zone);
    absl::Status s = store.ForEachAttempt(
        absl::FromCivil(day, settings->report_zone), now, [&](const campaign::Attempt& attempt) {
          today += attempt.lead == lead.id && attempt.sent && !attempt.inbound ? 1 : 0;
          return true;
        });
    if (!s.ok()) return s;
    const gate::Policy policy(*settings, rules::RuleBook::InForce());
    auto history = ReadHistory(store, policy.rules().HistoryNeeded(), now, now + absl::Hours(1));
    if (!history.ok()) return history.status();
    // A hold is the gate's own earlier answer; what holds the lead now is asked anew.
    gate::GateInput input{.lead = lead,
                          .number = campaign::NumberToDial(lead),
                          .settings = *settings,
                          .policy = policy,
                          .history = *history};
    input.attempts_today = today;
    const auto list =
        absl::c_find_if(*lists, [&lead](const campaign::List& one) { return one.id == lead.list; });
    if (list != lists->end()) input.list_active = list->dialed(now);
    gate::Verdict verdict = gate::Decide(input, *dnc, now);
    for (gate::Reason& reason : verdict.reasons) {
      if (reason.rule != gate::Rule::kListInactive) continue;
      absl::StrAppend(
          &reason.text, " It is ",
          list->archived ? "archived."
          : list->active
              ? absl::StrCat("expired since ", TimeText(list->expires, settings->report_zone), ".")
              : "off.");
    }
    auto filtered = FilterReason(lead, *settings);
    if (!filtered.ok()) return filtered.status();
    if (filtered->has_value()) verdict.reasons.push_back(**std::move(filtered));
    for (gate::Reason& reason : gate::NotTaken(lead, *settings)) {
      verdict.reasons.push_back(std::move(reason));
    }
    absl::StrAppend(&text, "lead ", lead.id.value(), " in campaign ", lead.campaign, ": ",
                    verdict.allowed() ? "may be dialed now" : "is held back", "\n");
    for (const gate::Reason& reason : verdict.reasons) {
      absl::StrAppend(&text, "  ", reason.id, ": ", reason.text);
      if (reason.until != absl::InfiniteFuture()) {
        absl::StrAppend(&text, " (until ", TimeText(reason.until, absl::UTCTimeZone()), " UTC)");
      }
      absl::StrAppend(&text, "\n");
    }
    Json one = {{"lead", lead.id.value()},
                {"campaign", lead.campaign},
                {"list", lead.list.value()},
                {"may_be_dialed", verdict.allowed()},
                {"reasons", Json::array()}};
    for (const gate::Reason& reason : verdict.reasons) {
      one["reasons"].push_back(
          {{"rule", std::string(gate::RuleName(reason.rule))},
           {"id", reason.id},
           {"text", reason.text},
           {"source", reason.source},
           {"until",
            reason.until == absl::InfiniteFuture()
                ? Json(nullptr)
                : Json(absl::FormatTime(absl::RFC3339_sec, reason.until, absl::UTCTimeZone()))}});
    }
    all.push_back(std::move(one));
  }
  Json answer = Answer(text);
  answer["leads"] = std::move(all);
  return answer;
}

absl::StatusOr<Json> Admin::Impl::LeadCounts(const Json&) {
  auto counts = store.StatusCounts();
  if (!counts.ok()) return counts.status();
  std::string text = absl::StrFormat("%-8s %-8s %9s\n", "CAMPAIGN", "STATUS", "LEADS");
  for (const auto& [campaign, statuses] : *counts) {
    for (const auto& [status, count] : statuses) {
      absl::StrAppendFormat(&text, "%-8s %-8s %9d\n", campaign, status, count);
    }
  }
  Json answer = Answer(text);
  answer["counts"] = *counts;
  return answer;
}

}  // namespace outpace::runtime
