// Operations on lists: make, show, change, switch, expire, archive, reset.

#include <algorithm>
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "campaign/number_plan.h"
#include "engine/runtime/admin_impl.h"

namespace outpace::runtime {
namespace {

constexpr size_t kNameMax = 120, kDescriptionMax = 500;

absl::Status CheckText(const char* name, const std::string& text, size_t most) {
  if (text.size() <= most && text.find_first_of("\r\n\t") == std::string::npos) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(name, ": one line of ", most, " bytes at most"));
}

// "2026-12-31": its last day; "2026-12-31T18:00": that minute; "never".
absl::StatusOr<absl::Time> ExpiryOf(const std::string& text, absl::TimeZone zone) {
  absl::CivilDay day;
  absl::CivilSecond second;
  if (text == "never") return absl::InfiniteFuture();
  if (text.find('T') != std::string::npos && absl::ParseCivilTime(text, &second)) {
    return absl::FromCivil(second, zone);
  }
  if (absl::ParseCivilTime(text, &day)) return absl::FromCivil(day + 1, zone);
  return absl::InvalidArgumentError(
      absl::StrCat("'", text.substr(0, 40),
                   "' is no day: write 2026-12-31 (its last day), 2026-12-31T18:00:00, or never"));
}

std::string StateOf(const campaign::List& list, absl::Time now) {
  if (list.archived) return "archived";
  if (list.expires <= now) return "expired";
  return list.active ? "active" : "off";
}

Json JsonOf(const campaign::List& list, absl::Time now) {
  Json json = {{"list", list.id.value()},   {"name", list.name},
               {"campaign", list.campaign}, {"state", StateOf(list, now)},
               {"active", list.active},     {"archived", list.archived},
               {"leads", list.leads},       {"description", list.description}};
  if (list.expires != absl::InfiniteFuture()) {
    json["expires_ms"] = absl::ToUnixMillis(list.expires);
  }
  if (list.last_reset != absl::InfinitePast()) {
    json["last_reset_ms"] = absl::ToUnixMillis(list.last_reset);
  }
  return json;
}

// What the leads of a list have come to.
struct ListTally {
  int64_t leads = 0, called = 0, contacted = 0, sales = 0, final_ones = 0, tries = 0;
  std::map<std::string, int64_t> by_status;

  void Add(const campaign::Lead& lead, const campaign::StatusSet& statuses) {
    ++leads;
    ++by_status[lead.status];
    tries += lead.called_count;
    if (lead.called_count == 0) return;
    ++called;
    const campaign::Disposition* disposition = statuses.Find(lead.status);
    if (disposition == nullptr) return;
    contacted += disposition->customer_contact ? 1 : 0;
    sales += disposition->sale ? 1 : 0;
    final_ones += lead.next_call_time == absl::InfiniteFuture() ? 1 : 0;
  }
  double Share(int64_t part) const {
    return leads == 0 ? 0 : static_cast<double>(part) / static_cast<double>(leads);
  }
};

}  // namespace

// The list by number or name; made when it is new.
absl::StatusOr<campaign::List> Admin::Impl::ListFor(const Json& arguments,
                                                    const CampaignId& campaign) {
  auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  const std::string wanted = Text(arguments, "list");
  uint64_t number = 0;
  const bool by_number = absl::SimpleAtoi(wanted, &number);
  uint64_t highest = 100;
  for (campaign::List& list : *lists) {
    highest = std::max(highest, list.id.value());
    const bool named = list.name == wanted && list.campaign == campaign;
    if (by_number ? list.id.value() != number : !named) continue;
    if (list.campaign != campaign) {
      return absl::FailedPreconditionError(absl::StrCat("list ", wanted, " belongs to campaign ",
                                                        list.campaign, "; give another list"));
    }
    return std::move(list);
  }
  if (absl::Status s = CheckText("list", wanted, kNameMax); !s.ok()) return s;
  campaign::List list;
  list.id = ListId(by_number && number > 0 ? number : highest + 1);
  list.name = wanted;
  list.campaign = campaign;
  return list;
}

absl::StatusOr<campaign::List> Admin::Impl::FindList(const Json& arguments) const {
  auto wanted = Need(arguments, "list");
  if (!wanted.ok()) return wanted.status();
  auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  uint64_t number = 0;
  const bool by_number = absl::SimpleAtoi(*wanted, &number);
  std::vector<campaign::List> named;
  for (campaign::List& list : *lists) {
    if (by_number && list.id.value() == number) return std::move(list);
    if (list.name == *wanted) named.push_back(std::move(list));
  }
  if (named.size() == 1) return std::move(named[0]);
  if (named.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "no list ", *wanted, ", neither by number nor by name; see: outpace list show"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("more than one list is named so: ",
                   absl::StrJoin(named, ", ",
                                 [](std::string* out, const campaign::List& list) {
                                   absl::StrAppend(out, list.id.value(), " of ", list.campaign);
                                 }),
                   "; give the number"));
}

absl::Status Admin::Impl::SaveList(const campaign::List& list) {
  campaign::StoreBatch batch;
  batch.lists.push_back(list);
  if (absl::Status s = store.Commit(batch); !s.ok()) return s;
  if (hooks.list_changed) hooks.list_changed(list);
  return absl::OkStatus();
}

absl::StatusOr<campaign::List> Admin::Impl::EditList(
    const Json& arguments, const std::function<absl::Status(campaign::List&)>& change) {
  absl::MutexLock lock(&shared->lists);
  auto list = FindList(arguments);
  if (!list.ok()) return list.status();
  if (absl::Status s = change(*list); !s.ok()) return s;
  if (absl::Status s = SaveList(*list); !s.ok()) return s;
  return list;
}

absl::Status Admin::Impl::ChangeList(const Json& set, campaign::List& list) const {
  auto settings = FindCampaign(list.campaign);
  if (!settings.ok()) return settings.status();
  for (const auto& [name, value] : set.items()) {
    if (!value.is_string()) return absl::InvalidArgumentError("settings are texts");
    const std::string text = value.get<std::string>();
    if (name == "name") {
      if (absl::Status s = CheckText("name", text, kNameMax); !s.ok()) return s;
      if (text.empty()) return absl::InvalidArgumentError("name: is missing");
      list.name = text;
    } else if (name == "description") {
      if (absl::Status s = CheckText("description", text, kDescriptionMax); !s.ok()) return s;
      list.description = text;
    } else if (name == "expires" || name == "expiration_date") {
      auto expires = ExpiryOf(text, settings->report_zone);
      if (!expires.ok()) return expires.status();
      list.expires = *expires;
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("a list has no '", name, "'; it has name, description, expires"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Json> Admin::Impl::ListCreate(const Json& arguments) {
  auto name = Need(arguments, "list");
  if (!name.ok()) return name.status();
  auto campaign = Need(arguments, "campaign");
  if (!campaign.ok()) return campaign.status();
  if (auto known = FindCampaign(*campaign); !known.ok()) return known.status();
  absl::MutexLock lock(&shared->lists);
  auto list = ListFor(arguments, *campaign);
  if (!list.ok()) return list.status();
  auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  for (const campaign::List& known : *lists) {
    if (known.id != list->id) continue;
    return absl::AlreadyExistsError(absl::StrCat(
        "list ", known.id.value(), " of campaign ", known.campaign,
        " exists; change it with: outpace list set ", known.id.value(), " NAME=VALUE"));
  }
  list->active = !Flag(arguments, "off");
  if (const auto set = arguments.find("set"); set != arguments.end()) {
    if (absl::Status s = ChangeList(*set, *list); !s.ok()) return s;
  }
  if (absl::Status s = SaveList(*list); !s.ok()) return s;
  Json answer =
      Answer(absl::StrCat("list ", list->id.value(), " (", list->name, ") of campaign ", *campaign,
                          " made; it is ", list->active ? "active" : "off", "\n"));
  answer["list"] = list->id.value();
  return answer;
}

absl::StatusOr<Json> Admin::Impl::ListSet(const Json& arguments) {
  const auto set = arguments.find("set");
  if (set == arguments.end() || !set->is_object() || set->empty()) {
    return absl::InvalidArgumentError("what shall be changed? name, description or expires");
  }
  absl::Time expired;
  auto list = EditList(arguments, [&](campaign::List& edited) {
    expired = edited.expires;
    return ChangeList(*set, edited);
  });
  if (!list.ok()) return list.status();
  if (list->expires != expired) {
    if (absl::Status s = ClearHolds(list->campaign); !s.ok()) return s;
  }
  return Answer(absl::StrCat("list ", list->id.value(), " changed; it is ",
                             StateOf(*list, clock.Wall()), "\n"));
}

absl::StatusOr<Json> Admin::Impl::ListActive(const Json& arguments) {
  auto list = EditList(arguments, [&](campaign::List& edited) {
    edited.active = Flag(arguments, "active");
    return absl::OkStatus();
  });
  if (!list.ok()) return list.status();
  if (absl::Status s = ClearHolds(list->campaign); !s.ok()) return s;
  const std::string state = StateOf(*list, clock.Wall());
  return Answer(absl::StrCat(
      "list ", list->id.value(), list->active ? " is active" : " is off",
      list->active && state != "active" ? absl::StrCat(", but ", state, ": it is not dialed") : "",
      "\n"));
}

absl::StatusOr<Json> Admin::Impl::ListArchived(const Json& arguments) {
  auto list = EditList(arguments, [&](campaign::List& edited) {
    edited.archived = Flag(arguments, "archived");
    return absl::OkStatus();
  });
  if (!list.ok()) return list.status();
  if (absl::Status s = ClearHolds(list->campaign); !s.ok()) return s;
  return Answer(absl::StrCat("list ", list->id.value(),
                             list->archived
                                 ? " is archived: it is not dialed, and shown with --all only"
                                 : absl::StrCat(" is ", StateOf(*list, clock.Wall())),
                             "\n"));
}

absl::StatusOr<Json> Admin::Impl::ListLists(const Json& arguments) {
  auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  const absl::Time now = clock.Wall();
  const std::string campaign = Text(arguments, "campaign");
  std::string text = absl::StrFormat("%-8s %-8s %-8s %9s  %-10s %s\n", "LIST", "CAMPAIGN", "STATE",
                                     "LOADED", "EXPIRES", "NAME");
  Json all = Json::array();
  int64_t hidden = 0;
  for (const campaign::List& list : *lists) {
    if (!campaign.empty() && list.campaign != campaign) continue;
    if (list.archived && !Flag(arguments, "all")) {
      ++hidden;
      continue;
    }
    absl::StrAppendFormat(&text, "%-8d %-8s %-8s %9d  %-10s %s\n", list.id.value(), list.campaign,
                          StateOf(list, now), list.leads,
                          list.expires == absl::InfiniteFuture()
                              ? "-"
                              : absl::FormatTime("%Y-%m-%d", list.expires, absl::UTCTimeZone()),
                          list.name);
    all.push_back(JsonOf(list, now));
  }
  if (hidden > 0) absl::StrAppend(&text, hidden, " archived; --all shows them too\n");
  Json answer = Answer(text);
  answer["lists"] = std::move(all);
  return answer;
}

absl::StatusOr<Json> Admin::Impl::ListShow(const Json& arguments) {
  auto list = FindList(arguments);
  if (!list.ok()) return list.status();
  auto settings = FindCampaign(list->campaign);
  if (!settings.ok()) return settings.status();
  ListTally tally;
  absl::Status s = store.ForEachLead([&](const campaign::Lead& lead) {
    if (lead.list == list->id) tally.Add(lead, settings->statuses);
    return true;
  });
  if (!s.ok()) return s;
  const absl::Time now = clock.Wall();
  const absl::TimeZone zone = settings->report_zone;
  std::string text =
      absl::StrFormat("list %d  %s  campaign %s  %s%s\n  expires %s  last reset %s  (%s)\n",
                      list->id.value(), list->name, list->campaign, StateOf(*list, now),
                      list->description.empty() ? "" : "  " + list->description,
                      TimeText(list->expires, zone), TimeText(list->last_reset, zone), zone.name());
  absl::StrAppendFormat(
      &text,
      "  leads      %9d\n  called     %9d  %5.1f %% penetration\n"
      "  contacted  %9d  %5.1f %%\n  sales      %9d  %5.1f %%\n  final      %9d  %5.1f %%\n"
      "  tries      %9d\n",
      tally.leads, tally.called, 100 * tally.Share(tally.called), tally.contacted,
      100 * tally.Share(tally.contacted), tally.sales, 100 * tally.Share(tally.sales),
      tally.final_ones, 100 * tally.Share(tally.final_ones), tally.tries);
  for (const auto& [status, count] : tally.by_status) {
    absl::StrAppendFormat(&text, "    %-8s %9d  %5.1f %%\n", status, count,
                          100 * tally.Share(count));
  }
  Json answer = Answer(text);
  answer.update(JsonOf(*list, now));
  answer["leads"] = tally.leads;
  answer["called"] = tally.called;
  answer["contacted"] = tally.contacted;
  answer["sales"] = tally.sales;
  answer["final"] = tally.final_ones;
  answer["tries"] = tally.tries;
  answer["penetration"] = tally.Share(tally.called);
  answer["statuses"] = tally.by_status;
  return answer;
}

}  // namespace outpace::runtime
