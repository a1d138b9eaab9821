// Operations on leads and do-not-call numbers.

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "campaign/gate/gate.h"
#include "campaign/number_plan.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/files.h"

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

absl::Status Admin::Impl::AddDnc(campaign::DncEntry entry) {
  if (hooks.add_dnc) return hooks.add_dnc({std::move(entry)});
  campaign::StoreBatch batch;
  batch.dnc_added.push_back(std::move(entry));
  return store.Commit(batch);
}

absl::StatusOr<campaign::DncEntry> Admin::Impl::DncEntryOf(const Json& arguments,
                                                           const std::string& number,
                                                           const std::string& source) {
  auto phone = campaign::NormalizePhone(number, Text(arguments, "country", "US"));
  if (!phone.ok()) return phone.status();
  const CampaignId campaign = Text(arguments, "campaign");
  if (!campaign.empty()) {
    if (auto known = FindCampaign(campaign); !known.ok()) return known.status();
  }
  campaign::DncEntry entry;
  entry.phone = *phone;
  entry.campaign = campaign;
  entry.source = source;
  entry.added = clock.Wall();
  return entry;
}

absl::StatusOr<Json> Admin::Impl::DncAdd(const Json& arguments) {
  auto number = Need(arguments, "number");
  if (!number.ok()) return number.status();
  auto entry = DncEntryOf(arguments, *number, "command line");
  if (!entry.ok()) return entry.status();
  if (absl::Status s = AddDnc(*std::move(entry)); !s.ok()) return s;
  return Answer("added: the number is not dialed from now on\n");
}

absl::StatusOr<Json> Admin::Impl::DncRemove(const Json& arguments) {
  auto number = Need(arguments, "number");
  if (!number.ok()) return number.status();
  auto entry = DncEntryOf(arguments, *number, "command line");
  if (!entry.ok()) return entry.status();
  if (hooks.remove_dnc) {
    if (absl::Status s = hooks.remove_dnc(*entry); !s.ok()) return s;
  } else {
    campaign::StoreBatch batch;
    batch.dnc_removed.push_back(*entry);
    if (absl::Status s = store.Commit(batch); !s.ok()) return s;
  }
  return Answer("removed\n");
}

// One number a line; the first cell of a CSV row counts, a heading without digits is passed over.
absl::StatusOr<Json> Admin::Impl::DncImport(const Json& arguments) {
  auto path = Need(arguments, "path");
  if (!path.ok()) return path.status();
  auto bytes = ReadFile(*path);
  if (!bytes.ok()) return bytes.status();
  std::istringstream lines(*bytes);
  std::string line;
  int64_t added = 0, rejected = 0, number = 0;
  std::string bad;
  campaign::StoreBatch batch;
  while (std::getline(lines, line)) {
    ++number;
    std::string cell = line.substr(0, line.find_first_of(",;\t\r"));
    // As spreadsheets write it: a byte order mark first, and numbers in quotes.
    if (number == 1 && absl::StartsWith(cell, "\xEF\xBB\xBF")) cell.erase(0, 3);
    if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') {
      cell = cell.substr(1, cell.size() - 2);
    }
    if (cell.find_first_of("0123456789") == std::string::npos) continue;
    auto entry = DncEntryOf(arguments, cell, absl::StrCat("import ", *path));
    if (!entry.ok()) {
      if (++rejected <= 20) {
        absl::StrAppend(&bad, "  line ", number, ": ", entry.status().message(), "\n");
      }
      continue;
    }
    ++added;
    batch.dnc_added.push_back(*std::move(entry));
  }
  if (!batch.empty()) {
    absl::Status s =
        hooks.add_dnc ? hooks.add_dnc(std::move(batch.dnc_added)) : store.Commit(batch);
    if (!s.ok()) return s;
  }
  Json answer = Answer(absl::StrCat(*path, ": ", added, " numbers added, ", rejected,
                                    " lines not understood\n", bad));
  answer["added"] = added;
  // A number that was meant to be blocked and is not: the command must not look like a success.
  answer["incomplete"] = rejected > 0;
  return answer;
}

absl::StatusOr<Json> Admin::Impl::DncCheck(const Json& arguments) {
  auto number = Need(arguments, "number");
  if (!number.ok()) return number.status();
  auto entry = DncEntryOf(arguments, *number, "");
  if (!entry.ok()) return entry.status();
  auto dnc = LoadDncSet(store);
  if (!dnc.ok()) return dnc.status();
  switch (dnc->Match(entry->phone, entry->campaign)) {
    case dnc::DncMatch::kSystem:
      return Answer("on the system-wide do-not-call list\n");
    case dnc::DncMatch::kCampaign:
      return Answer("on the campaign's do-not-call list\n");
    case dnc::DncMatch::kNone:
      return Answer("not listed\n");
  }
  return Answer("");
}

}  // namespace outpace::runtime
