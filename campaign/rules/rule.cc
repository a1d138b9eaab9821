#include "campaign/rules/rule.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/base/overload.h"

namespace outpace::rules {
namespace {

constexpr absl::string_view kDayNames[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

// "Mon-Fri", "Mon,Wed", "daily".
std::string DaysText(uint8_t weekdays) {
  if (weekdays == 0x7f) return "daily";
  std::vector<std::string> runs;
  for (int day = 0; day < 7; ++day) {
    if ((weekdays >> day & 1) == 0) continue;
    int last = day;
    while (last < 6 && (weekdays >> (last + 1) & 1) != 0) ++last;
    runs.push_back(last == day ? std::string(kDayNames[day])
                               : absl::StrCat(kDayNames[day], "-", kDayNames[last]));
    day = last;
  }
  return absl::StrJoin(runs, ",");
}

std::string SpanText(int hours, int days) {
  if (days > 0) return absl::StrCat(days, days == 1 ? " local day" : " local days");
  return absl::StrCat(hours, " h");
}

std::string TypesText(const std::vector<campaign::NumberType>& types) {
  return absl::StrJoin(types, ", ", [](std::string* out, campaign::NumberType type) {
    absl::StrAppend(out, campaign::NumberTypeName(type));
  });
}

std::string OpenText(const WindowRule& rule) {
  return absl::StrJoin(rule.open, ", ", [](std::string* out, const OpenHours& hours) {
    absl::StrAppend(
        out, DaysText(hours.weekdays), " ",
        absl::StrFormat("%02d:%02d-%02d:%02d", hours.start_minute / 60, hours.start_minute % 60,
                        hours.end_minute / 60, hours.end_minute % 60));
  });
}

std::string BlockText(const BlockRule& rule) {
  std::vector<std::string> parts;
  if (!rule.types.empty()) parts.push_back(TypesText(rule.types));
  if (!rule.prefixes.empty()) {
    parts.push_back(absl::StrCat("+", absl::StrJoin(rule.prefixes, " +")));
  }
  if (rule.uncovered) parts.push_back("countries that no chosen rule speaks of");
  return absl::StrCat("never: ", absl::StrJoin(parts, "; "));
}

}  // namespace

absl::string_view EvidenceName(Evidence evidence) {
  switch (evidence) {
    case Evidence::kRead:
      return "read";
    case Evidence::kSecondary:
      return "secondary";
    case Evidence::kMemory:
      return "from memory, check";
  }
  return "";
}

absl::string_view AfterName(After after) {
  switch (after) {
    case After::kAttempt:
      return "attempt";
    case After::kAnswer:
      return "answer";
    case After::kAbandoned:
      return "abandoned";
    case After::kMachine:
      return "machine";
    case After::kConversation:
      return "conversation";
    case After::kRefusal:
      return "refusal";
  }
  return "";
}

absl::string_view BasisName(Basis basis) {
  switch (basis) {
    case Basis::kNone:
      return "none";
    case Basis::kBusiness:
      return "existing_business";
    case Basis::kExpress:
      return "express";
    case Basis::kWritten:
      return "written";
  }
  return "";
}

absl::string_view KindName(const RuleValue& value) {
  return std::visit(
      Overload{
          [](const WindowRule&) { return "window"; }, [](const HolidayRule&) { return "holidays"; },
          [](const CapRule&) { return "cap"; }, [](const RestRule&) { return "rest"; },
          [](const ConsentRule&) { return "consent"; }, [](const RingRule&) { return "ring"; },
          [](const RegistryRule&) { return "registry"; }, [](const BlockRule&) { return "block"; },
          [](const AbandonRule&) { return "abandon"; }},
      value);
}

std::string ValueText(const RuleValue& value) {
  return std::visit(
      Overload{
          [](const WindowRule& rule) { return OpenText(rule); },
          [](const HolidayRule& rule) {
            return absl::StrCat("none on ", absl::StrJoin(rule.days, ", ",
                                                          [](std::string* out, const Holiday& day) {
                                                            absl::StrAppend(out, day.text());
                                                          }));
          },
          [](const CapRule& rule) {
            return absl::StrCat("at most ", rule.max, rule.answered_only ? " answered" : "", " in ",
                                SpanText(rule.hours, rule.days),
                                rule.campaign_only ? ", by campaign" : "");
          },
          [](const RestRule& rule) {
            return absl::StrCat("none for ", SpanText(rule.hours, rule.days), " after ",
                                AfterName(rule.after));
          },
          [](const ConsentRule& rule) {
            return absl::StrCat(
                "consent: ", BasisName(rule.basis),
                rule.days > 0 ? absl::StrCat(", ", rule.days, " days old at most") : "",
                rule.types.empty() ? "" : absl::StrCat(", for ", TypesText(rule.types)));
          },
          [](const RingRule& rule) { return absl::StrCat("rings ", rule.seconds, " s at least"); },
          [](const RegistryRule& rule) {
            return absl::StrCat("register copy at most ", rule.days, " days old");
          },
          [](const BlockRule& rule) { return BlockText(rule); },
          [](const AbandonRule& rule) {
            constexpr absl::string_view kFrom[] = {"", " of the greeting's start",
                                                   " of the greeting's end"};
            return absl::StrCat("abandoned at most ", rule.percent, " % by ",
                                campaign::AbandonWindowName(rule.window), ", agent within ",
                                rule.answer_seconds, " s", kFrom[static_cast<int>(rule.start)]);
          }},
      value);
}

}  // namespace outpace::rules
