// Operations on leads.

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "campaign/gate/gate.h"
#include "campaign/number_plan.h"
#include "engine/runtime/admin_impl.h"

namespace outpace::runtime {

absl::StatusOr<std::vector<campaign::Lead>> Admin::Impl::FindLeads(const Json& arguments) {
  auto wanted = Need(arguments, "lead");
  if (!wanted.ok()) return wanted.status();
  std::vector<LeadId> ids;
  uint64_t number = 0;
  if (wanted->size() < 8 && absl::SimpleAtoi(*wanted, &number)) {
    ids.push_back(LeadId(number));
  } else {
    auto phone = campaign::NormalizePhone(*wanted, Text(arguments, "country", "US"));
    if (!phone.ok()) return phone.status();
    auto found = store.LeadsByPhone(*phone);
    if (!found.ok()) return found.status();
    ids = *found;
  }
  std::vector<campaign::Lead> leads;
  for (const LeadId id : ids) {
    auto lead = store.GetLead(id);
    if (!lead.ok()) return lead.status();
    if (lead->has_value()) leads.push_back(std::move(**lead));
  }
  if (leads.empty()) return absl::NotFoundError("no such lead, neither by id nor by number");
  return leads;
}

absl::StatusOr<Json> Admin::Impl::LeadShow(const Json& arguments) {
  auto leads = FindLeads(arguments);
  if (!leads.ok()) return leads.status();
  std::string text;
  for (const campaign::Lead& lead : *leads) {
    absl::StrAppendFormat(
        &text,
        "lead %d  list %d  campaign %s\n  status %s  tier %s  called %d  last call %s  due %s\n"
        "  phone_number %s  zones %s\n",
        lead.id.value(), lead.list.value(), lead.campaign, lead.status,
        campaign::TierName(lead.tier), lead.called_count,
        TimeText(lead.last_call_time, absl::UTCTimeZone()),
        TimeText(std::max(lead.next_call_time, lead.hold_until), absl::UTCTimeZone()),
        lead.phone.ToString(), absl::StrJoin(lead.time_zones, " "));
    for (const auto& [name, value] : lead.fields) {
      absl::StrAppend(&text, "  ", name, " ", value, "\n");
    }
  }
  return Answer(text);
}

// Why a lead is not dialed: everything the gate says now.
absl::StatusOr<Json> Admin::Impl::LeadWhy(const Json& arguments) {
  auto leads = FindLeads(arguments);
  if (!leads.ok()) return leads.status();
  auto dnc = LoadDncSet(store);
  if (!dnc.ok()) return dnc.status();
  auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  const absl::Time now = clock.Wall();
  std::string text;
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
    // A hold is the gate's own earlier answer; what holds the lead now is asked anew.
    gate::GateInput input{.lead = lead, .number = lead.phone, .settings = *settings};
    input.attempts_today = today;
    for (const campaign::List& list : *lists) {
      if (list.id == lead.list) input.list_active = list.active;
    }
    const gate::Verdict verdict = gate::Decide(input, *dnc, now);
    absl::StrAppend(&text, "lead ", lead.id.value(), " in campaign ", lead.campaign, ": ",
                    verdict.allowed() ? "may be dialed now" : "is held back", "\n");
    for (const gate::Reason& reason : verdict.reasons) {
      absl::StrAppend(&text, "  ", gate::RuleName(reason.rule), ": ", reason.text);
      if (reason.until != absl::InfiniteFuture()) {
        absl::StrAppend(&text, " (until ", TimeText(reason.until, absl::UTCTimeZone()), " UTC)");
      }
      absl::StrAppend(&text, "\n");
    }
  }
  return Answer(text);
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
