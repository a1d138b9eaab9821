#include "campaign/tier_choice.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace outpace::campaign {
namespace {

constexpr size_t kRulesMax = 50;
constexpr int kAttemptMax = 1000;

// In the order of the alphabet.
constexpr absl::string_view kUnusual[] = {
    "address1",        "address2",       "address3",  "alt_phone",        "comments",
    "company",         "date_of_birth",  "email",     "first_name",       "gender",
    "last_name",       "middle_initial", "multi_alt", "phone_number",     "postal_code",
    "security_phrase", "source_id",      "title",     "vendor_lead_code",
};

absl::Status BadRule(absl::string_view rule, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", rule.substr(0, 60), "\": ", why,
      "; a rule is written condition=>A or =>B, conditions are statuses (CALLBK|NP), a field "
      "(state=AK|HI) and the attempt (attempt>=5), joined by &; rules are separated by ;"));
}

bool IsStatus(absl::string_view text) {
  return !text.empty() && text.size() <= 6 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
}

// Any letters, Chinese ones too, but what separates.
bool IsWord(absl::string_view text) {
  return !text.empty() && text.size() <= 100 && text.find_first_of(";|&=<>,") == text.npos &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); });
}

std::vector<absl::string_view> Words(absl::string_view text) {
  std::vector<absl::string_view> words = absl::StrSplit(text, '|');
  for (absl::string_view& word : words) word = absl::StripAsciiWhitespace(word);
  return words;
}

absl::Status ReadCondition(absl::string_view text, absl::string_view whole, TierRule& rule) {
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "attempt") && rest.find_first_of("<>=") != rest.npos) {
    rest = absl::StripLeadingAsciiWhitespace(rest);
    const bool least = absl::ConsumePrefix(&rest, ">=");
    const bool most = !least && absl::ConsumePrefix(&rest, "<=");
    const bool exact = !least && !most && absl::ConsumePrefix(&rest, "=");
    int number = 0;
    if (!(least || most || exact) || !absl::SimpleAtoi(absl::StripAsciiWhitespace(rest), &number) ||
        number < 1 || number > kAttemptMax) {
      return BadRule(whole, "the attempt is >=, <= or = a number from 1 to 1000");
    }
    if (least || exact) rule.attempt_min = number;
    if (most || exact) rule.attempt_max = number;
    return absl::OkStatus();
  }
  const size_t equals = text.find('=');
  const absl::string_view name =
      equals == text.npos ? "status" : absl::StripAsciiWhitespace(text.substr(0, equals));
  const std::vector<absl::string_view> words =
      Words(equals == text.npos ? text : text.substr(equals + 1));
  if (name == "status") {
    if (!rule.last_status.empty()) return BadRule(whole, "statuses stand twice");
    for (absl::string_view word : words) {
      if (!IsStatus(word)) return BadRule(whole, "a status has 1 to 6 letters and digits");
      rule.last_status.emplace_back(word);
    }
    return absl::OkStatus();
  }
  if (!IsWord(name)) return BadRule(whole, "a field has a name");
  if (!rule.field.empty()) return BadRule(whole, "one field a rule");
  rule.field = std::string(name);
  for (absl::string_view word : words) {
    if (!word.empty() && !IsWord(word)) return BadRule(whole, "a value is one word or text");
    rule.values.emplace_back(word);
  }
  return absl::OkStatus();
}

absl::StatusOr<TierRule> ReadRule(absl::string_view text) {
  const std::vector<absl::string_view> sides = absl::StrSplit(text, "=>");
  if (sides.size() != 2) return BadRule(text, "it has no tier, or two");
  TierRule rule;
  const absl::string_view tier = absl::StripAsciiWhitespace(sides[1]);
  if (tier != "A" && tier != "B") return BadRule(text, "the tier is A or B");
  rule.tier = tier == "A" ? Tier::kA : Tier::kB;
  for (absl::string_view condition : absl::StrSplit(sides[0], '&', absl::SkipWhitespace())) {
    if (absl::Status s = ReadCondition(absl::StripAsciiWhitespace(condition), text, rule); !s.ok())
      return s;
  }
  if (rule.attempt_max > 0 && rule.attempt_min > rule.attempt_max) {
    return BadRule(text, "no attempt is in that range");
  }
  return rule;
}

}  // namespace

absl::string_view TierModeName(TierMode mode) {
  return mode == TierMode::kScore ? "SCORE" : "STATUS";
}

absl::StatusOr<std::vector<TierRule>> ParseTierRules(absl::string_view text) {
  std::vector<TierRule> rules;
  for (absl::string_view part : absl::StrSplit(text, ';', absl::SkipWhitespace())) {
    absl::StatusOr<TierRule> rule = ReadRule(absl::StripAsciiWhitespace(part));
    if (!rule.ok()) return rule.status();
    rules.push_back(*std::move(rule));
  }
  if (rules.size() > kRulesMax) {
    return absl::InvalidArgumentError(absl::StrCat("more than ", kRulesMax, " rules"));
  }
  return rules;
}

std::string TierRuleText(const TierRule& rule) {
  std::vector<std::string> parts;
  if (!rule.last_status.empty()) parts.push_back(absl::StrJoin(rule.last_status, "|"));
  if (!rule.field.empty())
    parts.push_back(absl::StrCat(rule.field, "=", absl::StrJoin(rule.values, "|")));
  if (rule.attempt_min > 0 && rule.attempt_min == rule.attempt_max) {
    parts.push_back(absl::StrCat("attempt=", rule.attempt_min));
  } else {
    if (rule.attempt_min > 0) parts.push_back(absl::StrCat("attempt>=", rule.attempt_min));
    if (rule.attempt_max > 0) parts.push_back(absl::StrCat("attempt<=", rule.attempt_max));
  }
  return absl::StrCat(absl::StrJoin(parts, " & "), "=>", TierName(rule.tier));
}

std::string TierRulesText(const std::vector<TierRule>& rules) {
  return absl::StrJoin(rules, "; ", [](std::string* out, const TierRule& rule) {
    absl::StrAppend(out, TierRuleText(rule));
  });
}

bool TierFields::Allows(absl::string_view field) const {
  const auto has = [field](const std::vector<std::string>& names) {
    return std::any_of(names.begin(), names.end(),
                       [field](const std::string& name) { return field == name; });
  };
  if (!only.empty()) return has(only);
  if (has(less)) return false;
  return has(more) ||
         std::find(std::begin(kUnusual), std::end(kUnusual), field) == std::end(kUnusual);
}

std::string TierFields::ToString() const {
  std::vector<std::string> parts = only;
  for (const std::string& name : more) parts.push_back(absl::StrCat("+", name));
  for (const std::string& name : less) parts.push_back(absl::StrCat("-", name));
  return absl::StrJoin(parts, ",");
}

absl::StatusOr<TierFields> ParseTierFields(absl::string_view text) {
  TierFields fields;
  for (absl::string_view part : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    absl::string_view name = absl::StripAsciiWhitespace(part);
    std::vector<std::string>& names = absl::ConsumePrefix(&name, "+")   ? fields.more
                                      : absl::ConsumePrefix(&name, "-") ? fields.less
                                                                        : fields.only;
    if (!IsWord(name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", part.substr(0, 40),
                       "\" is no field; write age,job for these alone, or +gender,-city"));
    }
    names.emplace_back(name);
  }
  if (!fields.only.empty() && !(fields.more.empty() && fields.less.empty())) {
    return absl::InvalidArgumentError(
        "either fields alone (age,job), or changes to the usual ones (+gender,-city)");
  }
  return fields;
}

}  // namespace outpace::campaign
