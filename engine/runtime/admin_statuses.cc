// Operations on the statuses of a campaign: shown, changed, checked, copied, as files.

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "campaign/status_check.h"
#include "campaign/status_columns.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/status_file.h"

namespace outpace::runtime {
namespace {

using campaign::Disposition;

std::string FlagsText(const Disposition& row) {
  std::vector<absl::string_view> flags;
  for (const auto& [name, member] : campaign::StatusFlags()) {
    if (row.*member) flags.push_back(name);
  }
  return absl::StrJoin(flags, ",");
}

std::string DelayText(absl::Duration delay) {
  const int64_t seconds = absl::ToInt64Seconds(delay);
  if (seconds % 3600 == 0 && seconds > 0) return absl::StrCat(seconds / 3600, " h");
  if (seconds % 60 == 0 && seconds > 0) return absl::StrCat(seconds / 60, " min");
  return absl::StrCat(seconds, " s");
}

// "3 tries after 30 min, then MAXCAL": with what lead_recycle says instead.
std::string NextText(const Disposition& row, const campaign::CampaignSettings& settings) {
  const campaign::NextStep& next = row.next;
  std::vector<std::string> parts;
  if (next.number == campaign::NextNumber::kAlt) {
    parts.push_back(next.number_delay == absl::ZeroDuration()
                        ? "second number at once"
                        : absl::StrCat("second number after ", DelayText(next.number_delay)));
  }
  const auto rule = std::find_if(settings.recycle.begin(), settings.recycle.end(),
                                 [&](const auto& r) { return r.status == row.status; });
  if (next.final) {
    parts.push_back("final");
  } else if (row.scheduled_callback) {
    parts.push_back("at its time");
  } else if (rule != settings.recycle.end()) {
    parts.push_back(absl::StrCat(rule->tries_max, rule->tries_max == 1 ? " try" : " tries",
                                 " after ", DelayText(rule->delay), " (lead_recycle)"));
  } else if (next.tries > 0) {
    parts.push_back(absl::StrCat(next.tries, next.tries == 1 ? " try" : " tries", " after ",
                                 DelayText(next.delay)));
  }
  if (!next.then.empty()) parts.push_back(absl::StrCat("then ", next.then));
  if (next.tier != campaign::TierMove::kB) {
    parts.push_back(absl::StrCat("tier ", campaign::StatusCell(row, "tier")));
  }
  if (next.dnc != campaign::DncStep::kNone) {
    parts.push_back(absl::StrCat("listed: ", campaign::StatusCell(row, "dnc")));
  }
  return absl::StrJoin(parts, ", ");
}

Json JsonOf(const Disposition& row, bool own) {
  Json json = Json::object();
  for (const std::string& column : campaign::StatusColumns()) {
    json[column] = campaign::StatusCell(row, column);
  }
  json["category_zh"] = std::string(campaign::CategoryNameZh(row.category));
  json["own"] = own;
  return json;
}

Json FaultsJson(const std::vector<campaign::StatusFault>& faults) {
  Json list = Json::array();
  for (const campaign::StatusFault& fault : faults) {
    list.push_back({{"status", fault.status}, {"reason", fault.reason}});
  }
  return list;
}

// One column of a row; "flags" is all ten: those named are on.
absl::Status SetCell(const std::string& column, const std::string& value, Disposition& row) {
  if (column != "flags") return campaign::SetStatusCell(column, value, row);
  Disposition changed = row;
  for (const auto& [name, member] : campaign::StatusFlags()) changed.*member = false;
  for (absl::string_view flag : absl::StrSplit(value, ',', absl::SkipWhitespace())) {
    flag = absl::StripAsciiWhitespace(flag);
    const auto& known = campaign::StatusFlags();
    const auto it = std::find_if(known.begin(), known.end(),
                                 [&](const campaign::StatusFlag& f) { return f.name == flag; });
    if (it == known.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "flags: \"", flag.substr(0, 40), "\" is none; they are ",
          absl::StrJoin(known, ", ", [](std::string* out, const campaign::StatusFlag& f) {
            absl::StrAppend(out, f.name);
          })));
    }
    changed.*(it->member) = true;
  }
  row = std::move(changed);
  return absl::OkStatus();
}

}  // namespace

// The campaign's, or where none is given those that every campaign has.
absl::StatusOr<campaign::CampaignSettings> Admin::Impl::StatusesOf(const Json& arguments) const {
  const std::string id = Text(arguments, "campaign");
  if (id.empty()) return campaign::CampaignSettings();
  return FindCampaign(id);
}

// Keeps what has changed if it may be used; in force when it returns.
absl::Status Admin::Impl::SaveStatuses(const campaign::CampaignSettings& settings) {
  if (const auto faults = campaign::CheckStatuses(settings); !faults.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("nothing was changed:\n", campaign::StatusFaultsText(faults)));
  }
  if (absl::Status s = SaveCampaign(settings); !s.ok()) return s;
  return ClearHolds(settings.id);  // a status that was final may not be any more
}

absl::StatusOr<Json> Admin::Impl::StatusList(const Json& arguments) {
  const auto settings = StatusesOf(arguments);
  if (!settings.ok()) return settings.status();
  std::string text =
      absl::StrFormat("%-7s %-3s %-3s %-34s %s\n", "STATUS", "KEY", "OWN", "NAME", "NEXT / FLAGS");
  Json list = Json::array();
  for (const Disposition& row : settings->statuses.rows()) {
    const bool is_own = settings->statuses.IsOwn(row.status);
    const std::string next = NextText(row, *settings), flags = FlagsText(row);
    absl::StrAppendFormat(&text, "%-7s %-3s %-3s %-34s %s%s%s\n", row.status,
                          campaign::StatusCell(row, "hotkey"), is_own ? "*" : "", row.name, next,
                          next.empty() || flags.empty() ? "" : "; ", flags);
    list.push_back(JsonOf(row, is_own));
  }
  Json answer = Answer(text);
  answer["statuses"] = std::move(list);
  return answer;
}

absl::StatusOr<Json> Admin::Impl::StatusSet(const Json& arguments) {
  const auto campaign = Need(arguments, "campaign");
  const auto status = Need(arguments, "status");
  if (!campaign.ok()) return campaign.status();
  if (!status.ok()) return status.status();
  auto settings = FindCampaign(*campaign);
  if (!settings.ok()) return settings.status();
  const Disposition* known = settings->statuses.Find(*status);
  Disposition row = known == nullptr ? Disposition() : *known;
  if (absl::Status s = campaign::SetStatusCell("status", *status, row); !s.ok()) return s;
  const auto set = arguments.find("set");
  if (set == arguments.end() || !set->is_object() || set->empty()) {
    return absl::InvalidArgumentError("set: nothing is to be changed; give COLUMN=VALUE");
  }
  // "flags" says all ten, so it goes before a single one.
  std::vector<std::pair<std::string, std::string>> cells;
  for (const auto& [column, value] : set->items()) {
    if (!value.is_string()) return absl::InvalidArgumentError("set: cells are texts");
    if (column == "status") return absl::InvalidArgumentError("status: cannot be renamed");
    cells.insert(column == "flags" ? cells.begin() : cells.end(), {column, value});
  }
  for (const auto& [column, value] : cells) {
    if (absl::Status s = SetCell(column, value, row); !s.ok()) return s;
  }
  settings->statuses.Put(row);
  if (absl::Status s = SaveStatuses(*settings); !s.ok()) return s;
  const std::string next = NextText(row, *settings);
  return Answer(absl::StrCat("status ", *status, " of campaign ", *campaign, ": ",
                             next.empty() ? "rests" : next, "\n"));
}

absl::StatusOr<Json> Admin::Impl::StatusRemove(const Json& arguments) {
  const auto campaign = Need(arguments, "campaign");
  const auto status = Need(arguments, "status");
  if (!campaign.ok()) return campaign.status();
  if (!status.ok()) return status.status();
  auto settings = FindCampaign(*campaign);
  if (!settings.ok()) return settings.status();
  if (!settings->statuses.Remove(*status)) {
    return absl::NotFoundError(absl::StrCat("campaign ", *campaign, " has no row of its own for ",
                                            *status,
                                            campaign::FindDisposition(*status) == nullptr
                                                ? ""
                                                : "; what every campaign has cannot be removed, "
                                                  "but an agent's may be hidden: selectable=N"));
  }
  if (absl::Status s = SaveStatuses(*settings); !s.ok()) return s;
  return Answer(absl::StrCat("status ", *status, " of campaign ", *campaign,
                             settings->statuses.Find(*status) == nullptr
                                 ? " is removed\n"
                                 : " is as in every campaign again\n"));
}

absl::StatusOr<Json> Admin::Impl::StatusCheck(const Json& arguments) {
  const auto settings = StatusesOf(arguments);
  if (!settings.ok()) return settings.status();
  const std::vector<campaign::StatusFault> faults = campaign::CheckStatuses(*settings);
  Json answer = Answer(faults.empty() ? "the statuses are sound\n"
                                      : campaign::StatusFaultsText(faults) + "\n");
  answer["faults"] = FaultsJson(faults);
  answer["incomplete"] = !faults.empty();
  return answer;
}

absl::StatusOr<Json> Admin::Impl::StatusExport(const Json& arguments) {
  const auto path = Need(arguments, "path");
  if (!path.ok()) return path.status();
  const auto settings = StatusesOf(arguments);
  if (!settings.ok()) return settings.status();
  const bool own_only = Flag(arguments, "own");
  if (absl::Status s = WriteStatusFile(settings->statuses, own_only, *path); !s.ok()) return s;
  const size_t rows = (own_only ? settings->statuses.own() : settings->statuses.rows()).size();
  Json answer = Answer(absl::StrCat(*path, ": ", rows, " statuses\n"));
  answer["rows"] = rows;
  return answer;
}

absl::StatusOr<Json> Admin::Impl::StatusImport(const Json& arguments) {
  const auto campaign = Need(arguments, "campaign");
  const auto path = Need(arguments, "path");
  if (!campaign.ok()) return campaign.status();
  if (!path.ok()) return path.status();
  auto settings = FindCampaign(*campaign);
  if (!settings.ok()) return settings.status();
  const bool replace = Flag(arguments, "replace");
  const campaign::StatusSet known = replace ? campaign::StatusSet() : settings->statuses;
  auto rows = ReadStatusFile(*path, known);
  if (!rows.ok()) {
    return absl::Status(rows.status().code(), absl::StrCat(*path, ":\n", rows.status().message()));
  }
  settings->statuses = known;
  for (const Disposition& row : *rows) {
    // What is as everywhere is no row of one's own.
    const Disposition* system = campaign::FindDisposition(row.status);
    if (system != nullptr && *system == row) {
      settings->statuses.Remove(row.status);
    } else {
      settings->statuses.Put(row);
    }
  }
  const size_t own_rows = settings->statuses.own().size();
  if (Flag(arguments, "dry_run")) {
    const std::vector<campaign::StatusFault> faults = campaign::CheckStatuses(*settings);
    Json answer = Answer(absl::StrCat(
        faults.empty() ? "" : campaign::StatusFaultsText(faults) + "\n", *path, ": ", rows->size(),
        " rows, ", own_rows, " of them the campaign's own then; nothing was changed\n"));
    answer["faults"] = FaultsJson(faults);
    answer["incomplete"] = !faults.empty();
    return answer;
  }
  if (absl::Status s = SaveStatuses(*settings); !s.ok()) return s;
  Json answer = Answer(absl::StrCat(*path, ": ", rows->size(), " rows; campaign ", *campaign,
                                    " has ", own_rows, " of its own\n"));
  answer["rows"] = rows->size();
  return answer;
}

absl::StatusOr<Json> Admin::Impl::StatusCopy(const Json& arguments) {
  const auto from = Need(arguments, "from");
  const auto to = Need(arguments, "to");
  if (!from.ok()) return from.status();
  if (!to.ok()) return to.status();
  const auto source = FindCampaign(*from);
  if (!source.ok()) return source.status();
  auto target = FindCampaign(*to);
  if (!target.ok()) return target.status();
  target->statuses = source->statuses;
  if (absl::Status s = SaveStatuses(*target); !s.ok()) return s;
  return Answer(absl::StrCat("campaign ", *to, " has the statuses of ", *from, ": ",
                             target->statuses.own().size(), " of its own\n"));
}

}  // namespace outpace::runtime
