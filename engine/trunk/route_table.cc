#include "engine/trunk/route_table.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "engine/base/check.h"

namespace outpace::trunk {
namespace {

constexpr int kPrefixDigitsMax = 15;
constexpr int kStripMax = 7;  // of 8, the least an E.164 number has
constexpr uint32_t kWeightMax = 1000;
constexpr size_t kPathMembersMax = 32;

// Digits of an E.164 number are below 10^15, so the length fits above them.
uint64_t PrefixKey(int length, uint64_t digits) {
  return static_cast<uint64_t>(length) << 56 | digits;
}

bool IsDigits(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); });
}

// Names stand in paths, metrics and headers.
bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::StrContains("_-.", absl::string_view(&c, 1));
  });
}

void CheckRule(const PrefixRule& rule, const std::string& where, std::vector<std::string>& faults) {
  const std::string at = absl::StrCat(where, ", prefix '", rule.prefix, "': ");
  if (!IsDigits(rule.prefix) || rule.prefix.size() > kPrefixDigitsMax) {
    faults.push_back(absl::StrCat(at, "write up to ", kPrefixDigitsMax,
                                  " digits of the E.164 number, without '+' or '00'"));
  }
  if (!std::isfinite(rule.cost_per_minute) || rule.cost_per_minute < 0) {
    faults.push_back(absl::StrCat(at, "the cost must be 0 or more"));
  }
  if (rule.strip < 0 || rule.strip > kStripMax) {
    faults.push_back(absl::StrCat(at, "strip takes 0 to ", kStripMax, " digits off"));
  }
  const bool dialable = rule.prepend.size() <= 32 &&
                        std::all_of(rule.prepend.begin(), rule.prepend.end(), [](char c) {
                          return absl::StrContains("0123456789+*#", absl::string_view(&c, 1));
                        });
  if (!dialable) {
    faults.push_back(absl::StrCat(at, "prepend takes up to 32 of the characters 0-9 + * #"));
  }
}

// Puts candidates of one group in an order drawn by weight: each next one with a chance of its
// share among those left. Those of weight 0 follow, in the order written.
void DrawOrder(absl::Span<RouteCandidate> candidates, absl::Span<uint32_t> weights, Rng& rng) {
  uint64_t left = 0;
  for (const uint32_t weight : weights) left += weight;
  for (size_t i = 0; i + 1 < candidates.size() && left > 0; ++i) {
    size_t chosen = i;
    if (weights[i] != left) {
      uint64_t point = rng.Below(left);
      while (point >= weights[chosen]) point -= weights[chosen++];
    }
    left -= weights[chosen];
    // Rotation rather than a swap: what is not drawn stays in the order written.
    std::rotate(candidates.begin() + static_cast<ptrdiff_t>(i),
                candidates.begin() + static_cast<ptrdiff_t>(chosen),
                candidates.begin() + static_cast<ptrdiff_t>(chosen) + 1);
    std::rotate(weights.begin() + static_cast<ptrdiff_t>(i),
                weights.begin() + static_cast<ptrdiff_t>(chosen),
                weights.begin() + static_cast<ptrdiff_t>(chosen) + 1);
  }
}

}  // namespace

absl::string_view NoRouteName(NoRoute why) {
  switch (why) {
    case NoRoute::kNone:
      return "none";
    case NoRoute::kFull:
      return "full";
    case NoRoute::kClosed:
      return "closed";
    case NoRoute::kExcluded:
      return "tried";
    case NoRoute::kNotCarried:
      return "not_carried";
  }
  return "none";
}

absl::StatusOr<RouteTable> RouteTable::Create(std::vector<TrunkSettings> trunks) {
  RouteTable table(std::move(trunks));
  std::vector<std::string> faults;
  if (table.trunks_.size() >= 0xffff) faults.push_back("more than 65,534 trunks");
  absl::flat_hash_map<std::string, int> names;
  for (const TrunkSettings& trunk : table.trunks_) {
    const std::string where = absl::StrCat("trunk '", trunk.name, "'");
    if (!IsName(trunk.name)) {
      faults.push_back(absl::StrCat(where, ": a name has 1 to 64 letters, digits, '_', '-', '.'"));
    } else if (++names[trunk.name] == 2) {
      faults.push_back(absl::StrCat(where, ": the name is there twice"));
    }
    if (trunk.weight < 0 || trunk.weight > static_cast<int>(kWeightMax)) {
      faults.push_back(absl::StrCat(where, ": the weight must be 0 to ", kWeightMax));
    }
    if (!std::isfinite(trunk.cost_per_minute) || trunk.cost_per_minute < 0) {
      faults.push_back(absl::StrCat(where, ": the cost must be 0 or more"));
    }
    Prefixes& prefixes = table.prefixes_.emplace_back();
    for (size_t i = 0; i < trunk.prefixes.size(); ++i) {
      const PrefixRule& rule = trunk.prefixes[i];
      const size_t faults_before = faults.size();
      CheckRule(rule, where, faults);
      if (faults.size() > faults_before) continue;
      uint64_t digits = 0;
      (void)absl::SimpleAtoi(rule.prefix, &digits);  // "" stays 0
      const int length = static_cast<int>(rule.prefix.size());
      const bool fresh =
          prefixes.rules.emplace(PrefixKey(length, digits), static_cast<int32_t>(i)).second;
      if (!fresh) {
        faults.push_back(absl::StrCat(where, ": prefix '", rule.prefix, "' is there twice"));
      }
      prefixes.lengths |= 1u << length;
      prefixes.lists_allowed |= rule.allow;
    }
  }
  if (!faults.empty()) return absl::InvalidArgumentError(absl::StrJoin(faults, "\n"));
  return table;
}

int RouteTable::FindTrunk(absl::string_view name) const {
  for (size_t i = 0; i < trunks_.size(); ++i) {
    if (trunks_[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

absl::StatusOr<TrunkPath> RouteTable::ParsePath(absl::string_view text, TrunkChoice choice) const {
  TrunkPath path;
  path.choice = choice;
  if (absl::StripAsciiWhitespace(text).empty()) {
    for (size_t i = 0; i < trunks_.size(); ++i) {
      path.members.push_back(
          {static_cast<uint16_t>(i), 0, static_cast<uint32_t>(trunks_[i].weight)});
    }
    return path;
  }
  uint16_t group = 0;
  for (absl::string_view group_text : absl::StrSplit(text, ',')) {
    for (absl::string_view member_text : absl::StrSplit(group_text, '|')) {
      const std::pair<absl::string_view, absl::string_view> parts =
          absl::StrSplit(member_text, absl::MaxSplits(':', 1));
      const absl::string_view name = absl::StripAsciiWhitespace(parts.first);
      if (name.empty()) {
        return absl::InvalidArgumentError(
            "trunks: a name is missing; write e.g. \"a\", \"a,b\" or \"a:70|b:30,c\"");
      }
      const int trunk = FindTrunk(name);
      if (trunk < 0) {
        const auto name_of = [](std::string* out, const TrunkSettings& t) { out->append(t.name); };
        return absl::InvalidArgumentError(absl::StrCat(
            "trunks: there is no trunk '", name,
            "'; there are: ", trunks_.empty() ? "none" : absl::StrJoin(trunks_, ", ", name_of)));
      }
      uint32_t weight = static_cast<uint32_t>(trunks_[static_cast<size_t>(trunk)].weight);
      if (absl::StrContains(member_text, ':') &&
          (!absl::SimpleAtoi(parts.second, &weight) || weight > kWeightMax)) {
        return absl::InvalidArgumentError(absl::StrCat(
            "trunks: the weight of '", name, "' must be a whole number from 0 to ", kWeightMax));
      }
      const bool repeated =
          std::any_of(path.members.begin(), path.members.end(),
                      [&](const TrunkPath::Member& m) { return m.trunk == trunk; });
      if (repeated) {
        return absl::InvalidArgumentError(absl::StrCat("trunks: '", name, "' is there twice"));
      }
      path.members.push_back({static_cast<uint16_t>(trunk), group, weight});
      if (path.members.size() > kPathMembersMax) {
        return absl::InvalidArgumentError(
            absl::StrCat("trunks: more than ", kPathMembersMax, " in one list"));
      }
    }
    ++group;
  }
  return path;
}

bool RouteTable::Carries(uint16_t trunk, E164 number, RouteCandidate& out) const {
  OUTPACE_CHECK(trunk < trunks_.size());
  const Prefixes& prefixes = prefixes_[trunk];
  out = {.trunk = trunk, .rule = -1, .cost_per_minute = trunks_[trunk].cost_per_minute};
  uint64_t digits = number.value();
  int length = 0;
  for (uint64_t rest = digits; rest > 0; rest /= 10) ++length;
  for (; length >= 0; --length, digits /= 10) {
    if ((prefixes.lengths >> length & 1u) == 0) continue;
    const auto found = prefixes.rules.find(PrefixKey(length, digits));
    if (found == prefixes.rules.end()) continue;
    const PrefixRule& rule = trunks_[trunk].prefixes[static_cast<size_t>(found->second)];
    if (!rule.allow) return false;
    out.rule = found->second;
    if (rule.cost_per_minute > 0) out.cost_per_minute = rule.cost_per_minute;
    return true;
  }
  return !prefixes.lists_allowed;
}

NoRoute RouteTable::Find(E164 number, const TrunkPath& path,
                         absl::Span<const TrunkCondition> conditions, Rng& rng,
                         std::vector<RouteCandidate>& out) const {
  OUTPACE_CHECK(conditions.size() == trunks_.size() && number.valid());
  out.clear();
  bool full = false, closed = false, excluded = false;
  absl::InlinedVector<uint32_t, kPathMembersMax> weights;
  size_t i = 0;
  while (i < path.members.size()) {
    const uint16_t group = path.members[i].group;
    const size_t first = out.size();
    weights.clear();
    for (; i < path.members.size() && path.members[i].group == group; ++i) {
      const TrunkPath::Member& member = path.members[i];
      RouteCandidate candidate;
      if (!Carries(member.trunk, number, candidate)) continue;
      switch (conditions[member.trunk]) {
        case TrunkCondition::kUsable:
          out.push_back(candidate);
          weights.push_back(member.weight);
          break;
        case TrunkCondition::kClosed:
          closed = true;
          break;
        case TrunkCondition::kFull:
          full = true;
          break;
        case TrunkCondition::kExcluded:
          excluded = true;
          break;
      }
    }
    DrawOrder(absl::MakeSpan(out).subspan(first), absl::MakeSpan(weights), rng);
  }
  if (path.choice == TrunkChoice::kLeastCost) {
    // Few elements: an insertion sort keeps equal prices in order without a buffer.
    for (size_t k = 1; k < out.size(); ++k) {
      for (size_t j = k; j > 0 && out[j].cost_per_minute < out[j - 1].cost_per_minute; --j) {
        std::swap(out[j], out[j - 1]);
      }
    }
  }
  if (!out.empty()) return NoRoute::kNone;
  if (full) return NoRoute::kFull;
  if (closed) return NoRoute::kClosed;
  return excluded ? NoRoute::kExcluded : NoRoute::kNotCarried;
}

std::string RouteTable::Dialled(const RouteCandidate& candidate, E164 number) const {
  if (candidate.rule >= 0) {
    const PrefixRule& rule = trunks_[candidate.trunk].prefixes[static_cast<size_t>(candidate.rule)];
    if (rule.strip > 0 || !rule.prepend.empty()) {
      const std::string digits = number.Digits();
      return absl::StrCat(rule.prepend,
                          absl::string_view(digits).substr(static_cast<size_t>(rule.strip)));
    }
  }
  return number.ToString();
}

}  // namespace outpace::trunk
