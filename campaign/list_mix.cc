#include "campaign/list_mix.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "campaign/disposition.h"

namespace outpace::campaign {
namespace {

bool IsStatus(absl::string_view text) {
  return !text.empty() && text.size() <= 6 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
}

// Whether one lead can be of both shares.
bool Overlap(const ListShare& a, const ListShare& b) {
  if (a.list != b.list) return false;
  if (a.statuses.empty() || b.statuses.empty()) return true;
  return std::any_of(a.statuses.begin(), a.statuses.end(), [&b](const std::string& status) {
    return std::find(b.statuses.begin(), b.statuses.end(), status) != b.statuses.end();
  });
}

bool ParseShare(absl::string_view text, ListShare& share) {
  const std::vector<absl::string_view> cells = absl::StrSplit(text, ':');
  uint64_t list = 0;
  if (cells.size() < 2 || cells.size() > 3 || !absl::SimpleAtoi(cells[0], &list) || list == 0 ||
      !absl::SimpleAtoi(cells[1], &share.percent) || share.percent < 1 || share.percent > 100) {
    return false;
  }
  share.list = ListId(list);
  if (cells.size() < 3) return true;
  for (absl::string_view status : absl::StrSplit(cells[2], '+')) {
    if (!IsStatus(status)) return false;
    share.statuses.emplace_back(status);
  }
  return true;
}

}  // namespace

absl::StatusOr<std::vector<ListShare>> ParseListMix(absl::string_view text) {
  std::vector<ListShare> mix;
  int percent = 0;
  for (absl::string_view part : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    ListShare share;
    if (!ParseShare(absl::StripAsciiWhitespace(part), share)) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", part.substr(0, 40),
                       "\" is not list:percent or list:percent:statuses with 1..100 percent, for "
                       "example 101:70,102:30 or 101:70:NEW+NA,102:30"));
    }
    for (const ListShare& other : mix) {
      if (Overlap(share, other)) {
        return absl::InvalidArgumentError(
            absl::StrCat("list ", share.list.value(), " stands twice for the same leads"));
      }
    }
    percent += share.percent;
    mix.push_back(std::move(share));
  }
  if (!mix.empty() && percent != 100) {
    return absl::InvalidArgumentError(
        absl::StrCat("the shares are ", percent, " percent together; they must be 100"));
  }
  return mix;
}

std::string ListMixText(const std::vector<ListShare>& mix) {
  return absl::StrJoin(mix, ",", [](std::string* out, const ListShare& share) {
    absl::StrAppend(out, share.list.value(), ":", share.percent);
    if (!share.statuses.empty()) absl::StrAppend(out, ":", absl::StrJoin(share.statuses, "+"));
  });
}

absl::StatusOr<std::vector<std::string>> ParseDialStatuses(absl::string_view text) {
  std::vector<std::string> statuses;
  for (absl::string_view status : absl::StrSplit(text, absl::ByAnyChar(", "), absl::SkipEmpty())) {
    if (status == "-") continue;
    if (!IsStatus(status)) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", status.substr(0, 40), "\" is not a status, for example NEW,NA,B"));
    }
    const Disposition* disposition = FindDisposition(status);
    if (disposition != nullptr && disposition->next.final) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", status, "\" is final: its leads are never dialed again"));
    }
    if (std::find(statuses.begin(), statuses.end(), status) != statuses.end()) {
      return absl::InvalidArgumentError(absl::StrCat("\"", status, "\" stands twice"));
    }
    statuses.emplace_back(status);
  }
  return statuses;
}

}  // namespace outpace::campaign
