// Operations on lists: load, show, switch.

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/files.h"

namespace outpace::runtime {

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
  campaign::List list;
  list.id = ListId(by_number && number > 0 ? number : highest + 1);
  list.name = wanted;
  list.campaign = campaign;
  return list;
}

absl::StatusOr<Json> Admin::Impl::Import(const Json& arguments) {
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
  if (const auto map = arguments.find("map"); map != arguments.end() && map->is_object()) {
    for (const auto& [column, field] : map->items()) {
      if (field.is_string()) options.columns[column] = field.get<std::string>();
    }
  }
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

  std::unique_ptr<AtomicFile> rejects;
  const std::string reject_path = Text(arguments, "rejects");
  if (!reject_path.empty()) {
    std::error_code ignored;
    if (std::filesystem::equivalent(*path, reject_path, ignored)) {
      return absl::InvalidArgumentError("rejects: is the list file itself; name another file");
    }
    auto file = AtomicFile::Create(reject_path);
    if (!file.ok()) return file.status();
    rejects = *std::move(file);
  }
  absl::Status rejects_written;
  // The list before its leads: one without the other would be dialed whatever the list says.
  campaign::StoreBatch batch;
  batch.lists.push_back(*list);
  if (absl::Status s = store.Commit(batch); !s.ok()) return s;
  if (hooks.list_changed) hooks.list_changed(*list);
  auto report = load::LoadLeads(*bytes, options, *dnc, store, clock, [&](const load::Reject& r) {
    if (rejects == nullptr || !rejects_written.ok()) return;
    rejects_written =
        rejects->Write(absl::StrCat(r.line, "\t", r.column, "\t", r.reason, "\t", r.row, "\n"));
  });
  if (!report.ok()) {
    return absl::Status(report.status().code(),
                        absl::StrCat(*path, ": ", report.status().message()));
  }
  if (rejects != nullptr && rejects_written.ok()) rejects_written = rejects->Commit();
  if (!rejects_written.ok()) return rejects_written;
  list->leads += static_cast<int64_t>(report->loaded);
  batch.lists[0] = *list;
  if (absl::Status s = store.Commit(batch); !s.ok()) return s;
  if (hooks.list_changed) hooks.list_changed(*list);
  if (hooks.leads_changed) hooks.leads_changed(*campaign);
  return ImportAnswer(*path, *list, *report, reject_path);
}

Json Admin::Impl::ImportAnswer(const std::string& path, const campaign::List& list,
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

absl::StatusOr<Json> Admin::Impl::ListLists(const Json&) {
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

absl::StatusOr<Json> Admin::Impl::ListActive(const Json& arguments) {
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

}  // namespace outpace::runtime
