#include "campaign/qa/sample.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace outpace::qa {
namespace {

using Kind = SampleTerm::Kind;

constexpr int kCountMax = 100, kSecondsMax = 86400;

// Spreads ids evenly over all numbers; fixed for ever, or yesterday's sample would change (the
// finisher of MurmurHash3).
uint64_t Spread(uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdull;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ull;
  return x ^ (x >> 33);
}

bool ReadCount(absl::string_view text, int& count) {
  return absl::SimpleAtoi(text, &count) && count >= 1 && count <= kCountMax;
}
bool ReadPercent(absl::string_view text, double& percent) {
  return absl::SimpleAtod(text, &percent) && std::isfinite(percent) && percent > 0 &&
         percent <= 100;
}
bool ReadLimit(absl::string_view text, absl::Duration& limit) {
  int seconds = 0;
  if (!absl::SimpleAtoi(text, &seconds) || seconds < 1 || seconds > kSecondsMax) return false;
  limit = absl::Seconds(seconds);
  return true;
}

// "min:30", "max:3600": no terms, but bounds of the rule.
bool ReadBound(absl::string_view text, SampleRule& rule) {
  if (absl::ConsumePrefix(&text, "min:")) return ReadLimit(text, rule.min);
  return absl::ConsumePrefix(&text, "max:") && ReadLimit(text, rule.max);
}

bool ReadTerm(absl::string_view text, SampleTerm& term) {
  const std::vector<absl::string_view> cells = absl::StrSplit(text, ':');
  if (cells.size() == 2 && cells[0] == "agent") return ReadCount(cells[1], term.count);
  if (cells.size() == 2 && cells[0] == "share") {
    term.kind = Kind::kShare;
    return ReadPercent(cells[1], term.percent);
  }
  if (cells.size() == 3 && cells[0] == "status") {
    term.kind = Kind::kStatus;
    term.status = std::string(cells[1]);
    return !term.status.empty() && term.status.size() <= 6 && ReadPercent(cells[2], term.percent);
  }
  if (cells.size() == 3 && (cells[0] == "over" || cells[0] == "under")) {
    term.kind = cells[0] == "over" ? Kind::kLonger : Kind::kShorter;
    return ReadLimit(cells[1], term.limit) && ReadPercent(cells[2], term.percent);
  }
  return false;
}

std::string TermText(const SampleTerm& term) {
  switch (term.kind) {
    case Kind::kAgent:
      return absl::StrCat("agent:", term.count);
    case Kind::kStatus:
      return absl::StrCat("status:", term.status, ":", term.percent);
    case Kind::kLonger:
      return absl::StrCat("over:", absl::ToInt64Seconds(term.limit), ":", term.percent);
    case Kind::kShorter:
      return absl::StrCat("under:", absl::ToInt64Seconds(term.limit), ":", term.percent);
    case Kind::kShare:
      return absl::StrCat("share:", term.percent);
  }
  return "";
}

bool Concerns(const SampleTerm& term, const Call& call) {
  switch (term.kind) {
    case Kind::kAgent:
    case Kind::kShare:
      return true;
    case Kind::kStatus:
      return call.status == term.status;
    case Kind::kLonger:
      return call.length > term.limit;
    case Kind::kShorter:
      return call.length < term.limit;
  }
  return false;
}

}  // namespace

absl::StatusOr<SampleRule> ParseSampleRule(absl::string_view text) {
  SampleRule rule;
  for (absl::string_view part : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    part = absl::StripAsciiWhitespace(part);
    if (ReadBound(part, rule)) continue;
    SampleTerm term;
    if (!ReadTerm(part, term)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", part.substr(0, 40),
          "\" is no term of a sample; write agent:CALLS (1 to 100), "
          "status:STATUS:PERCENT, over:SECONDS:PERCENT, under:SECONDS:PERCENT, share:PERCENT, "
          "min:SECONDS or max:SECONDS, for example agent:2, status:SALE:100"));
    }
    rule.terms.push_back(std::move(term));
  }
  if (rule.terms.empty()) {
    return absl::InvalidArgumentError("the rule draws nothing; for example agent:2");
  }
  if (rule.min > rule.max) return absl::InvalidArgumentError("min is longer than max");
  return rule;
}

std::string SampleRuleText(const SampleRule& rule) {
  std::vector<std::string> parts;
  for (const SampleTerm& term : rule.terms) parts.push_back(TermText(term));
  if (rule.min > absl::ZeroDuration()) {
    parts.push_back(absl::StrCat("min:", absl::ToInt64Seconds(rule.min)));
  }
  if (rule.max < absl::InfiniteDuration()) {
    parts.push_back(absl::StrCat("max:", absl::ToInt64Seconds(rule.max)));
  }
  return absl::StrJoin(parts, ", ");
}

std::vector<Picked> Draw(const SampleRule& rule, std::vector<Call> calls) {
  calls.erase(std::remove_if(calls.begin(), calls.end(),
                             [&](const Call& call) {
                               return call.length < rule.min || call.length > rule.max;
                             }),
              calls.end());
  std::sort(calls.begin(), calls.end(), [](const Call& a, const Call& b) {
    const uint64_t of_a = Spread(a.attempt.value()), of_b = Spread(b.attempt.value());
    return of_a != of_b ? of_a < of_b : a.attempt < b.attempt;
  });
  std::vector<std::vector<std::string>> drawn(calls.size());
  for (const SampleTerm& term : rule.terms) {
    std::map<AgentId, int> of_agent;
    const auto concerned = std::count_if(calls.begin(), calls.end(),
                                         [&](const Call& call) { return Concerns(term, call); });
    const auto share =
        static_cast<int64_t>(std::ceil(static_cast<double>(concerned) * term.percent / 100));
    int64_t taken = 0;
    for (size_t i = 0; i < calls.size(); ++i) {
      if (!Concerns(term, calls[i])) continue;
      const bool by_agent = term.count > 0;
      if (by_agent ? of_agent[calls[i].agent]++ >= term.count : taken++ >= share) continue;
      drawn[i].push_back(TermText(term));
    }
  }
  std::vector<Picked> picked;
  for (size_t i = 0; i < calls.size(); ++i) {
    if (!drawn[i].empty()) picked.push_back({std::move(calls[i]), std::move(drawn[i])});
  }
  std::sort(picked.begin(), picked.end(), [](const Picked& a, const Picked& b) {
    if (a.call.agent != b.call.agent) return a.call.agent < b.call.agent;
    if (a.call.started != b.call.started) return a.call.started < b.call.started;
    return a.call.attempt < b.call.attempt;
  });
  return picked;
}

}  // namespace outpace::qa
