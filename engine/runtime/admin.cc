#include "engine/runtime/admin.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "campaign/gate/gate.h"
#include "campaign/load/loader.h"
#include "campaign/number_plan.h"
#include "campaign/report/call_export.h"
#include "engine/runtime/files.h"
#include "engine/runtime/password.h"

namespace outpace::runtime {
namespace {

using Json = nlohmann::ordered_json;

std::string Text(const Json& json, const char* name, const std::string& otherwise = "") {
  const auto it = json.find(name);
  return it != json.end() && it->is_string() ? it->get<std::string>() : otherwise;
}

bool Flag(const Json& json, const char* name) {
  const auto it = json.find(name);
  return it != json.end() && it->is_boolean() && it->get<bool>();
}

absl::StatusOr<std::string> Need(const Json& json, const char* name) {
  std::string text = Text(json, name);
  if (text.empty()) return absl::InvalidArgumentError(absl::StrCat(name, ": is missing"));
  return text;
}

Json Answer(std::string text) { return {{"text", std::move(text)}}; }

std::string TimeText(absl::Time time, absl::TimeZone zone) {
  if (time == absl::InfinitePast()) return "-";
  if (time == absl::InfiniteFuture()) return "never";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, zone);
}

// A day of a campaign's calendar, "2026-11-21" or "today" or "yesterday"; or from/to.
absl::Status ReadRange(const Json& arguments, const Clock& clock, report::ExportOptions& options) {
  const std::string zone = Text(arguments, "zone");
  options.zone = absl::UTCTimeZone();
  if (!zone.empty()) {
    absl::StatusOr<absl::TimeZone> found = campaign::FindTimeZone(zone);
    if (!found.ok()) return found.status();
    options.zone = *found;
  }
  options.campaign = Text(arguments, "campaign");
  options.bom = Flag(arguments, "bom");
  const auto day_of = [&](const std::string& text, absl::CivilDay* day) {
    const absl::CivilDay today = absl::ToCivilDay(clock.Wall(), options.zone);
    if (text == "today" || text.empty()) {
      *day = today;
    } else if (text == "yesterday") {
      *day = today - 1;
    } else if (!absl::ParseCivilTime(text, day)) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", text, "' is no day; write 2026-11-21, today or yesterday"));
    }
    return absl::OkStatus();
  };
  absl::CivilDay first, last;
  const std::string from = Text(arguments, "from");
  if (!from.empty()) {
    if (absl::Status s = day_of(from, &first); !s.ok()) return s;
    if (absl::Status s = day_of(Text(arguments, "to", from), &last); !s.ok()) return s;
  } else {
    if (absl::Status s = day_of(Text(arguments, "day"), &first); !s.ok()) return s;
    last = first;
  }
  if (last < first) return absl::InvalidArgumentError("'to' lies before 'from'");
  options.from = absl::FromCivil(first, options.zone);
  options.to = absl::FromCivil(last + 1, options.zone);
  return absl::OkStatus();
}

}  // namespace

struct Admin::Impl {
  using Operation = absl::StatusOr<Json> (Impl::*)(const Json&);

  Impl(campaign::LeadStore& s, const Clock& c, AdminHooks h)
      : store(s), clock(c), hooks(std::move(h)) {}

  absl::StatusOr<campaign::CampaignSettings> FindCampaign(const std::string& id) const {
    auto campaigns = store.Campaigns();
    if (!campaigns.ok()) return campaigns.status();
    std::vector<std::string> names;
    for (campaign::CampaignSettings& settings : *campaigns) {
      if (settings.id == id) return std::move(settings);
      names.push_back(settings.id);
    }
    return absl::NotFoundError(absl::StrCat(
        "no campaign is named '", id, "'; ",
        names.empty() ? "there are none yet: outpace campaign create ID"
                      : absl::StrCat("there are: ", absl::StrJoin(names, ", "))));
  }

  absl::Status SaveCampaign(const campaign::CampaignSettings& settings) {
    campaign::StoreBatch batch;
    batch.campaigns.push_back(settings);
    if (absl::Status s = store.Commit(batch); !s.ok()) return s;
    if (hooks.campaign_changed) hooks.campaign_changed(settings);
    return absl::OkStatus();
  }

  absl::Status ApplySettings(const Json& arguments, campaign::CampaignSettings& settings) {
    const auto set = arguments.find("set");
    if (set == arguments.end()) return absl::OkStatus();
    for (const auto& [name, value] : set->items()) {
      if (!value.is_string()) return absl::InvalidArgumentError("settings are texts");
      absl::Status s = settings.Set(name, value.get<std::string>());
      if (s.ok()) continue;
      // Not every value's reader knows which setting it reads for.
      if (absl::StrContains(s.message(), name)) return s;
      return absl::Status(s.code(), absl::StrCat(name, ": ", s.message()));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Json> CampaignCreate(const Json& arguments) {
    auto id = Need(arguments, "id");
    if (!id.ok()) return id.status();
    if (FindCampaign(*id).ok()) {
      return absl::AlreadyExistsError(absl::StrCat(
          "campaign ", *id, " exists; change it with: outpace campaign set ", *id, " NAME=VALUE"));
    }
    campaign::CampaignSettings settings;
    if (absl::Status s = settings.Set("campaign_id", *id); !s.ok()) return s;
    if (absl::Status s = ApplySettings(arguments, settings); !s.ok()) return s;
    if (absl::Status s = SaveCampaign(settings); !s.ok()) return s;
    return Answer(absl::StrCat("campaign ", *id, " created",
                               settings.active ? "" : "; start it with: outpace campaign start " + *id,
                               "\n"));
  }

  absl::StatusOr<Json> CampaignSet(const Json& arguments) {
    auto id = Need(arguments, "id");
    if (!id.ok()) return id.status();
    auto settings = FindCampaign(*id);
    if (!settings.ok()) return settings.status();
    const campaign::CampaignSettings before = *settings;
    if (absl::Status s = ApplySettings(arguments, *settings); !s.ok()) return s;
    if (settings->id != before.id) return absl::InvalidArgumentError("campaign_id: cannot be changed");
    if (absl::Status s = SaveCampaign(*settings); !s.ok()) return s;
    // Leads that the old rules held back are looked at anew.
    if (absl::Status s = ClearHolds(settings->id); !s.ok()) return s;
    return Answer(absl::StrCat("campaign ", *id, " changed\n"));
  }

  absl::StatusOr<Json> SetActive(const Json& arguments, bool active) {
    auto id = Need(arguments, "id");
    if (!id.ok()) return id.status();
    auto settings = FindCampaign(*id);
    if (!settings.ok()) return settings.status();
    settings->active = active;
    if (absl::Status s = SaveCampaign(*settings); !s.ok()) return s;
    // A lead whose turn came just as the campaign was paused is held until it starts again.
    if (active) {
      if (absl::Status s = ClearHolds(settings->id); !s.ok()) return s;
    }
    return Answer(absl::StrCat("campaign ", *id, active ? " started\n" : " paused\n"));
  }
  absl::StatusOr<Json> CampaignStart(const Json& arguments) { return SetActive(arguments, true); }
  absl::StatusOr<Json> CampaignPause(const Json& arguments) { return SetActive(arguments, false); }

  absl::Status ClearHolds(const CampaignId& campaign) {
    campaign::StoreBatch batch;
    absl::Status failed;
    const auto flush = [&] {
      failed = store.CommitUnsynced(batch);
      batch = campaign::StoreBatch();
      return failed.ok();
    };
    absl::Status s = store.ForEachLead([&](const campaign::Lead& lead) {
      if (lead.campaign != campaign || lead.hold_until <= clock.Wall()) return true;
      batch.leads.push_back(lead);
      batch.leads.back().hold_until = absl::InfinitePast();
      return batch.leads.size() < 1000 || flush();
    });
    if (!s.ok()) return s;
    if (!flush()) return failed;
    if (s = store.SyncWrites(); !s.ok()) return s;
    if (hooks.leads_changed) hooks.leads_changed(campaign);
    return absl::OkStatus();
  }

  absl::StatusOr<Json> CampaignShow(const Json& arguments) {
    auto id = Need(arguments, "id");
    if (!id.ok()) return id.status();
    auto settings = FindCampaign(*id);
    if (!settings.ok()) return settings.status();
    std::string text;
    for (const auto& [name, value] : settings->ToMap()) absl::StrAppend(&text, name, "=", value, "\n");
    Json answer = Answer(text);
    answer["settings"] = settings->ToMap();
    return answer;
  }

  absl::StatusOr<Json> CampaignList(const Json&) {
    auto campaigns = store.Campaigns();
    if (!campaigns.ok()) return campaigns.status();
    auto counts = store.StatusCounts();
    if (!counts.ok()) return counts.status();
    std::string text = absl::StrFormat("%-8s %-8s %-16s %9s  %s\n", "ID", "ACTIVE", "DIAL_METHOD",
                                       "LEADS", "NAME");
    for (const campaign::CampaignSettings& c : *campaigns) {
      int64_t leads = 0;
      for (const auto& [status, count] : (*counts)[c.id]) leads += count;
      absl::StrAppendFormat(&text, "%-8s %-8s %-16s %9d  %s\n", c.id, c.active ? "Y" : "N",
                            campaign::DialMethodName(c.dial_method), leads, c.name);
    }
    return Answer(text);
  }

  // The list by number or name; made when it is new.
  absl::StatusOr<campaign::List> ListFor(const Json& arguments, const CampaignId& campaign) {
    auto lists = store.Lists();
    if (!lists.ok()) return lists.status();
    const std::string wanted = Text(arguments, "list");
    uint64_t number = 0;
    const bool by_number = absl::SimpleAtoi(wanted, &number);
    uint64_t highest = 100;
    for (campaign::List& list : *lists) {
      highest = std::max(highest, list.id.value());
      if (by_number ? list.id.value() != number : list.name != wanted) continue;
      if (list.campaign != campaign) {
        return absl::FailedPreconditionError(absl::StrCat(
            "list ", wanted, " belongs to campaign ", list.campaign, "; give another list"));
      }
      return std::move(list);
    }
    campaign::List list;
    list.id = ListId(by_number && number > 0 ? number : highest + 1);
    list.name = wanted;
    list.campaign = campaign;
    return list;
  }

  absl::StatusOr<Json> Import(const Json& arguments) {
    auto path = Need(arguments, "path");
    if (!path.ok()) return path.status();
    auto campaign = Need(arguments, "campaign");
    if (!campaign.ok()) return campaign.status();
    if (auto settings = FindCampaign(*campaign); !settings.ok()) return settings.status();
    auto list = ListFor(arguments, *campaign);
    if (!list.ok()) return list.status();
    auto bytes = ReadFile(*path);
    if (!bytes.ok()) return bytes.status();
    load::LoadOptions options;
    options.list = list->id;
    options.campaign = *campaign;
    options.layout = Text(arguments, "layout", "auto");
    options.encoding = Text(arguments, "encoding", "auto");
    options.country = Text(arguments, "country", "US");
    options.scrub_dnc = !Flag(arguments, "no_scrub");
    const std::string duplicates = Text(arguments, "duplicates", "campaign");
    static const std::map<std::string, load::DuplicateCheck> kChecks = {
        {"none", load::DuplicateCheck::kNone},
        {"list", load::DuplicateCheck::kList},
        {"campaign", load::DuplicateCheck::kCampaign},
        {"system", load::DuplicateCheck::kSystem}};
    const auto check = kChecks.find(duplicates);
    if (check == kChecks.end()) {
      return absl::InvalidArgumentError("duplicates: must be none, list, campaign or system");
    }
    options.duplicates = check->second;
    auto dnc = LoadDncSet(store);
    if (!dnc.ok()) return dnc.status();

    std::ofstream rejects;
    const std::string reject_path = Text(arguments, "rejects");
    if (!reject_path.empty()) {
      rejects.open(reject_path);
      if (!rejects) {
        return absl::UnavailableError(
            absl::StrCat(reject_path, ": cannot be written; name another reject file"));
      }
    }
    // The list before its leads: one without the other would be dialed whatever the list says.
    campaign::StoreBatch batch;
    batch.lists.push_back(*list);
    if (absl::Status s = store.Commit(batch); !s.ok()) return s;
    if (hooks.list_changed) hooks.list_changed(*list);
    auto report = load::LoadLeads(*bytes, options, *dnc, store, clock, [&](const load::Reject& r) {
      if (rejects.is_open()) {
        rejects << r.line << '\t' << r.column << '\t' << r.reason << '\t' << r.row << '\n';
      }
    });
    if (!report.ok()) {
      return absl::Status(report.status().code(),
                          absl::StrCat(*path, ": ", report.status().message()));
    }
    list->leads += static_cast<int64_t>(report->loaded);
    batch.lists[0] = *list;
    if (absl::Status s = store.Commit(batch); !s.ok()) return s;
    if (hooks.list_changed) hooks.list_changed(*list);
    if (hooks.leads_changed) hooks.leads_changed(*campaign);
    return ImportAnswer(*path, *list, *report, reject_path);
  }

  static Json ImportAnswer(const std::string& path, const campaign::List& list,
                           const load::LoadReport& report, const std::string& reject_path) {
    std::string text = absl::StrFormat(
        "%s: %d rows, %s, layout %s, into list %d\n  loaded               %8d\n"
        "  duplicates in file   %8d\n  duplicates in store  %8d\n  do not call          %8d\n"
        "  invalid              %8d\n",
        path, report.rows, report.encoding, report.layout, list.id.value(), report.loaded,
        report.duplicates_in_file, report.duplicates_in_store, report.dnc, report.invalid);
    std::map<std::string, int> reasons;
    for (const load::Reject& reject : report.rejects) ++reasons[reject.reason];
    int shown = 0;
    for (const auto& [reason, count] : reasons) {
      if (++shown > 12) break;
      absl::StrAppendFormat(&text, "    %6d  %s\n", count, reason);
    }
    if (!reject_path.empty() && report.rows > report.loaded) {
      absl::StrAppend(&text, "  rejected rows with line and reason: ", reject_path, "\n");
    }
    Json answer = Answer(text);
    answer["rows"] = report.rows;
    answer["loaded"] = report.loaded;
    answer["duplicates_in_file"] = report.duplicates_in_file;
    answer["duplicates_in_store"] = report.duplicates_in_store;
    answer["dnc"] = report.dnc;
    answer["invalid"] = report.invalid;
    answer["list"] = list.id.value();
    return answer;
  }

  absl::StatusOr<Json> ListLists(const Json&) {
    auto lists = store.Lists();
    if (!lists.ok()) return lists.status();
    std::string text =
        absl::StrFormat("%-8s %-8s %-7s %9s  %s\n", "LIST", "CAMPAIGN", "ACTIVE", "LOADED", "NAME");
    for (const campaign::List& list : *lists) {
      absl::StrAppendFormat(&text, "%-8d %-8s %-7s %9d  %s\n", list.id.value(), list.campaign,
                            list.active ? "Y" : "N", list.leads, list.name);
    }
    return Answer(text);
  }

  absl::StatusOr<Json> ListActive(const Json& arguments) {
    auto lists = store.Lists();
    if (!lists.ok()) return lists.status();
    uint64_t number = 0;
    if (!absl::SimpleAtoi(Text(arguments, "list"), &number)) {
      return absl::InvalidArgumentError("list: must be its number; see: outpace lead lists");
    }
    for (campaign::List& list : *lists) {
      if (list.id.value() != number) continue;
      list.active = Flag(arguments, "active");
      campaign::StoreBatch batch;
      batch.lists.push_back(list);
      if (absl::Status s = store.Commit(batch); !s.ok()) return s;
      if (hooks.list_changed) hooks.list_changed(list);
      if (absl::Status s = ClearHolds(list.campaign); !s.ok()) return s;
      return Answer(absl::StrCat("list ", number, list.active ? " is active\n" : " is off\n"));
    }
    return absl::NotFoundError(absl::StrCat("no list ", number, "; see: outpace lead lists"));
  }

  absl::StatusOr<std::vector<campaign::Lead>> FindLeads(const Json& arguments) {
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

  absl::StatusOr<Json> LeadShow(const Json& arguments) {
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
  absl::StatusOr<Json> LeadWhy(const Json& arguments) {
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
            today += attempt.lead == lead.id && attempt.sent ? 1 : 0;
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
        absl::StrAppend(&text, "  ", gate::RuleName(reason.rule), ": ", reason.text, " (until ",
                        TimeText(reason.until, absl::UTCTimeZone()), " UTC)\n");
      }
    }
    return Answer(text);
  }

  absl::StatusOr<Json> LeadCounts(const Json&) {
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

  absl::Status AddDnc(campaign::DncEntry entry) {
    if (hooks.add_dnc) return hooks.add_dnc(std::move(entry));
    campaign::StoreBatch batch;
    batch.dnc_added.push_back(std::move(entry));
    return store.Commit(batch);
  }

  absl::StatusOr<campaign::DncEntry> DncEntryOf(const Json& arguments, const std::string& number,
                                                const std::string& source) {
    auto phone = campaign::NormalizePhone(number, Text(arguments, "country", "US"));
    if (!phone.ok()) return phone.status();
    campaign::DncEntry entry;
    entry.phone = *phone;
    entry.campaign = Text(arguments, "campaign");
    entry.source = source;
    entry.added = clock.Wall();
    return entry;
  }

  absl::StatusOr<Json> DncAdd(const Json& arguments) {
    auto number = Need(arguments, "number");
    if (!number.ok()) return number.status();
    auto entry = DncEntryOf(arguments, *number, "command line");
    if (!entry.ok()) return entry.status();
    if (absl::Status s = AddDnc(*std::move(entry)); !s.ok()) return s;
    return Answer("added: the number is not dialed from now on\n");
  }

  absl::StatusOr<Json> DncRemove(const Json& arguments) {
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
  absl::StatusOr<Json> DncImport(const Json& arguments) {
    auto path = Need(arguments, "path");
    if (!path.ok()) return path.status();
    auto bytes = ReadFile(*path);
    if (!bytes.ok()) return bytes.status();
    std::istringstream lines(*bytes);
    std::string line;
    int64_t added = 0, number = 0;
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
        if (bad.size() < 2000) {
          absl::StrAppend(&bad, "  line ", number, ": ", entry.status().message(), "\n");
        }
        continue;
      }
      ++added;
      if (hooks.add_dnc) {
        if (absl::Status s = hooks.add_dnc(*std::move(entry)); !s.ok()) return s;
      } else {
        batch.dnc_added.push_back(*std::move(entry));
      }
    }
    if (!batch.empty()) {
      if (absl::Status s = store.Commit(batch); !s.ok()) return s;
    }
    Json answer = Answer(absl::StrCat(*path, ": ", added, " numbers added\n", bad));
    answer["added"] = added;
    return answer;
  }

  absl::StatusOr<Json> DncCheck(const Json& arguments) {
    auto number = Need(arguments, "number");
    if (!number.ok()) return number.status();
    auto entry = DncEntryOf(arguments, *number, "");
    if (!entry.ok()) return entry.status();
    auto dnc = LoadDncSet(store);
    if (!dnc.ok()) return dnc.status();
    switch (dnc->Match(entry->phone, entry->campaign)) {
      case dnc::DncMatch::kSystem: return Answer("on the system-wide do-not-call list\n");
      case dnc::DncMatch::kCampaign: return Answer("on the campaign's do-not-call list\n");
      case dnc::DncMatch::kNone: return Answer("not listed\n");
    }
    return Answer("");
  }

  absl::StatusOr<Json> AgentAdd(const Json& arguments) {
    auto user = Need(arguments, "user");
    if (!user.ok()) return user.status();
    if (user->size() > 20 || user->find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                      "0123456789_-.") != std::string::npos) {
      return absl::InvalidArgumentError("user: 1 to 20 of A-Z a-z 0-9 . _ -");
    }
    auto password = Need(arguments, "password");
    if (!password.ok()) return password.status();
    campaign::AgentRecord agent;
    agent.user = *user;
    agent.full_name = Text(arguments, "name");
    agent.phone_uri = Text(arguments, "phone");
    agent.password_hash = HashPassword(*password);
    campaign::StoreBatch batch;
    batch.agents.push_back(agent);
    if (absl::Status s = store.Commit(batch); !s.ok()) return s;
    if (hooks.agent_changed) hooks.agent_changed(agent);
    return Answer(absl::StrCat("agent ", *user, " may log in\n"));
  }

  absl::StatusOr<Json> AgentList(const Json&) {
    auto agents = store.Agents();
    if (!agents.ok()) return agents.status();
    std::string text = absl::StrFormat("%-20s %-32s %s\n", "USER", "PHONE", "NAME");
    for (const campaign::AgentRecord& agent : *agents) {
      absl::StrAppendFormat(&text, "%-20s %-32s %s\n", agent.user, agent.phone_uri, agent.full_name);
    }
    return Answer(text);
  }

  absl::StatusOr<Json> ExportCalls(const Json& arguments) {
    auto path = Need(arguments, "path");
    if (!path.ok()) return path.status();
    report::ExportOptions options;
    if (absl::Status s = ReadRange(arguments, clock, options); !s.ok()) return s;
    auto file = AtomicFile::Create(*path);
    if (!file.ok()) return file.status();
    auto rows = report::ExportCalls(store, options,
                                    [&](absl::string_view piece) { return (*file)->Write(piece); });
    if (!rows.ok()) return rows.status();
    if (absl::Status s = (*file)->Commit(); !s.ok()) return s;
    Json answer = Answer(absl::StrCat(*path, ": ", *rows, " calls\n"));
    answer["rows"] = *rows;
    return answer;
  }

  absl::StatusOr<Json> Summary(const Json& arguments) {
    report::ExportOptions options;
    if (absl::Status s = ReadRange(arguments, clock, options); !s.ok()) return s;
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

  campaign::LeadStore& store;
  const Clock& clock;
  const AdminHooks hooks;
};

Admin::Admin(campaign::LeadStore& store, const Clock& clock, AdminHooks hooks)
    : impl_(std::make_unique<Impl>(store, clock, std::move(hooks))) {}
Admin::~Admin() = default;

absl::StatusOr<Json> Admin::Run(absl::string_view operation, const Json& arguments) {
  static const std::map<std::string, Impl::Operation, std::less<>> kOperations = {
      {"campaign.create", &Impl::CampaignCreate}, {"campaign.set", &Impl::CampaignSet},
      {"campaign.start", &Impl::CampaignStart},   {"campaign.pause", &Impl::CampaignPause},
      {"campaign.show", &Impl::CampaignShow},     {"campaign.list", &Impl::CampaignList},
      {"import", &Impl::Import},                  {"list.list", &Impl::ListLists},
      {"list.active", &Impl::ListActive},         {"lead.show", &Impl::LeadShow},
      {"lead.why", &Impl::LeadWhy},               {"lead.counts", &Impl::LeadCounts},
      {"dnc.add", &Impl::DncAdd},                 {"dnc.remove", &Impl::DncRemove},
      {"dnc.import", &Impl::DncImport},           {"dnc.check", &Impl::DncCheck},
      {"agent.add", &Impl::AgentAdd},             {"agent.list", &Impl::AgentList},
      {"export.calls", &Impl::ExportCalls},       {"summary", &Impl::Summary}};
  const auto found = kOperations.find(operation);
  if (found == kOperations.end()) {
    return absl::NotFoundError(absl::StrCat("no operation is named '", operation, "'"));
  }
  if (!arguments.is_object()) return absl::InvalidArgumentError("the arguments are no JSON object");
  return (impl_.get()->*found->second)(arguments);
}

absl::StatusOr<dnc::DncSet> LoadDncSet(const campaign::LeadStore& store) {
  auto entries = store.AllDnc();
  if (!entries.ok()) return entries.status();
  dnc::DncSet set;
  for (const campaign::DncEntry& entry : *entries) set.Add(entry.phone, entry.campaign);
  return set;
}

}  // namespace outpace::runtime
