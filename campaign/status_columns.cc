#include "campaign/status_columns.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace outpace::campaign {
namespace {

constexpr size_t kNameMax = 60;      // bytes
constexpr size_t kCategoryMax = 20;  // bytes
constexpr int kDelayMin = 120, kDelayMax = 604800, kTriesMax = 10;

absl::Status Bad(absl::string_view column, absl::string_view value, absl::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat(column, ": \"", value.substr(0, 40), "\" is not ", wanted));
}

bool IsLine(absl::string_view text, size_t length_max) {
  return text.size() <= length_max && std::none_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_iscntrl(static_cast<unsigned char>(c));
         });
}

absl::Status SetLine(absl::string_view column, absl::string_view value, size_t most,
                     std::string& out) {
  if (!IsLine(value, most)) {
    return Bad(column, value, absl::StrCat("one line of ", most, " bytes at most"));
  }
  out = std::string(value);
  return absl::OkStatus();
}

absl::Status SetFlag(absl::string_view column, absl::string_view value, bool& out) {
  if (value == "Y" || value == "y" || value == "1") {
    out = true;
  } else if (value.empty() || value == "N" || value == "n" || value == "0") {
    out = false;
  } else {
    return Bad(column, value, "Y or N");
  }
  return absl::OkStatus();
}

// Zero, or `low`..kDelayMax.
absl::Status SetSeconds(absl::string_view column, absl::string_view value, int low,
                        absl::Duration& out) {
  int seconds = 0;
  if (!value.empty() && !absl::SimpleAtoi(value, &seconds)) seconds = -1;
  if (seconds != 0 && (seconds < low || seconds > kDelayMax)) {
    return Bad(column, value, absl::StrCat("0, or seconds from ", low, " to ", kDelayMax));
  }
  out = absl::Seconds(seconds);
  return absl::OkStatus();
}

template <typename E, size_t n>
absl::Status SetNamed(absl::string_view column, absl::string_view value,
                      const std::pair<E, absl::string_view> (&names)[n], E& out) {
  std::string wanted;
  for (const auto& [each, name] : names) {
    if (absl::EqualsIgnoreCase(value, name)) {
      out = each;
      return absl::OkStatus();
    }
    absl::StrAppend(&wanted, wanted.empty() ? "" : ", ", name.empty() ? "empty" : name);
  }
  return Bad(column, value, absl::StrCat("one of ", wanted));
}

template <typename E, size_t n>
std::string NameIn(const std::pair<E, absl::string_view> (&names)[n], E wanted) {
  for (const auto& [each, name] : names) {
    if (each == wanted) return std::string(name);
  }
  return "";
}

constexpr std::pair<NextNumber, absl::string_view> kNumbers[] = {{NextNumber::kMain, "main"},
                                                                 {NextNumber::kAlt, "alt"}};
constexpr std::pair<TierMove, absl::string_view> kTiers[] = {
    {TierMove::kA, "A"}, {TierMove::kB, "B"}, {TierMove::kKeep, "keep"}};
constexpr std::pair<DncStep, absl::string_view> kDncSteps[] = {{DncStep::kNone, ""},
                                                               {DncStep::kCampaign, "campaign"},
                                                               {DncStep::kClient, "client"},
                                                               {DncStep::kSystem, "system"}};

struct Column {
  absl::string_view name;
  std::string (*get)(const Disposition& row);
  absl::Status (*set)(absl::string_view column, absl::string_view value, Disposition& row);
};
using V = absl::string_view;
using D = Disposition;

std::string SecondsText(absl::Duration d) { return absl::StrCat(absl::ToInt64Seconds(d)); }

const Column kBefore[] = {
    // the flags
    {"status", [](const D& d) { return d.status; },
     [](V c, V v, D& d) {
       if (!IsStatusName(v)) return Bad(c, v, "1 to 6 of A-Z a-z 0-9 _ -, for example HOT");
       d.status = std::string(v);
       return absl::OkStatus();
     }},
    {"name", [](const D& d) { return d.name; },
     [](V c, V v, D& d) { return SetLine(c, v, kNameMax, d.name); }},
    {"name_zh", [](const D& d) { return d.name_zh; },
     [](V c, V v, D& d) { return SetLine(c, v, kNameMax, d.name_zh); }},
    {"category", [](const D& d) { return d.category; },
     [](V c, V v, D& d) { return SetLine(c, v, kCategoryMax, d.category); }},
    {"hotkey", [](const D& d) { return d.hotkey == 0 ? std::string() : std::string(1, d.hotkey); },
     [](V c, V v, D& d) {
       const bool good =
           v.empty() || (v.size() == 1 && (absl::ascii_isdigit(static_cast<unsigned char>(v[0])) ||
                                           absl::ascii_islower(static_cast<unsigned char>(v[0]))));
       if (!good) return Bad(c, v, "one of 0-9 a-z, or empty");
       d.hotkey = v.empty() ? '\0' : v[0];
       return absl::OkStatus();
     }},
};

const Column kAfter[] = {
    {"delay", [](const D& d) { return SecondsText(d.next.delay); },
     [](V c, V v, D& d) { return SetSeconds(c, v, kDelayMin, d.next.delay); }},
    {"tries", [](const D& d) { return absl::StrCat(d.next.tries); },
     [](V c, V v, D& d) {
       int tries = 0;
       if (!v.empty() && (!absl::SimpleAtoi(v, &tries) || tries < 0 || tries > kTriesMax)) {
         return Bad(c, v, "a whole number from 0 to 10, for example 3");
       }
       d.next.tries = tries;
       return absl::OkStatus();
     }},
    {"then", [](const D& d) { return d.next.then; },
     [](V c, V v, D& d) {
       if (!v.empty() && !IsStatusName(v)) return Bad(c, v, "a status, for example MAXCAL");
       d.next.then = std::string(v);
       return absl::OkStatus();
     }},
    {"next", [](const D& d) { return NameIn(kNumbers, d.next.number); },
     [](V c, V v, D& d) { return SetNamed(c, v.empty() ? "main" : v, kNumbers, d.next.number); }},
    {"next_delay", [](const D& d) { return SecondsText(d.next.number_delay); },
     [](V c, V v, D& d) { return SetSeconds(c, v, 1, d.next.number_delay); }},
    {"tier", [](const D& d) { return NameIn(kTiers, d.next.tier); },
     [](V c, V v, D& d) { return SetNamed(c, v.empty() ? "B" : v, kTiers, d.next.tier); }},
    {"dnc", [](const D& d) { return NameIn(kDncSteps, d.next.dnc); },
     [](V c, V v, D& d) { return SetNamed(c, v, kDncSteps, d.next.dnc); }},
    {"final", [](const D& d) { return std::string(d.next.final ? "Y" : "N"); },
     [](V c, V v, D& d) { return SetFlag(c, v, d.next.final); }},
};

// The flag that lists a number and the step that does are told apart by their columns.
constexpr absl::string_view kDncFlag = "dnc_flag";
absl::string_view ColumnOf(const StatusFlag& flag) {
  return flag.name == "dnc" ? kDncFlag : flag.name;
}

template <size_t n>
const Column* FindIn(const Column (&columns)[n], absl::string_view name) {
  const auto* it = std::find_if(std::begin(columns), std::end(columns),
                                [&](const Column& c) { return c.name == name; });
  return it == std::end(columns) ? nullptr : it;
}

const StatusFlag* FindFlag(absl::string_view column) {
  for (const StatusFlag& flag : StatusFlags()) {
    if (ColumnOf(flag) == column) return &flag;
  }
  return nullptr;
}

}  // namespace

bool IsStatusName(absl::string_view text) {
  return !text.empty() && text.size() <= 6 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
}

std::vector<std::string> StatusColumns() {
  std::vector<std::string> names;
  for (const Column& column : kBefore) names.emplace_back(column.name);
  for (const StatusFlag& flag : StatusFlags()) names.emplace_back(ColumnOf(flag));
  for (const Column& column : kAfter) names.emplace_back(column.name);
  return names;
}

std::string StatusCell(const Disposition& row, absl::string_view column) {
  if (const StatusFlag* flag = FindFlag(column)) return row.*flag->member ? "Y" : "N";
  if (const Column* found = FindIn(kBefore, column)) return found->get(row);
  if (const Column* found = FindIn(kAfter, column)) return found->get(row);
  return "";
}

absl::Status SetStatusCell(absl::string_view column, absl::string_view value, Disposition& row) {
  value = absl::StripAsciiWhitespace(value);
  if (const StatusFlag* flag = FindFlag(column)) return SetFlag(column, value, row.*flag->member);
  if (const Column* found = FindIn(kBefore, column)) return found->set(column, value, row);
  if (const Column* found = FindIn(kAfter, column)) return found->set(column, value, row);
  std::string names;
  for (const std::string& name : StatusColumns()) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", column.substr(0, 40), "\" is no column of a status; they are ", names));
}

}  // namespace outpace::campaign
