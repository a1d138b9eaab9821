#include "campaign/tier/tier_rules.h"

#include <algorithm>

#include "campaign/tier/hash.h"
#include "engine/base/check.h"

namespace outpace::tier {
namespace {

constexpr uint32_t kKind = 2, kVersion = 1;

bool Contains(const std::vector<std::string>& values, absl::string_view value) {
  return std::any_of(values.begin(), values.end(),
                     [&](const std::string& v) { return value == absl::string_view(v); });
}

}  // namespace

bool Applies(const TierRule& rule, const LeadView& lead) {
  if (!rule.last_status.empty() && !Contains(rule.last_status, lead.last_status)) return false;
  if (rule.attempt_min > 0 && lead.attempt < rule.attempt_min) return false;
  if (rule.attempt_max > 0 && lead.attempt > rule.attempt_max) return false;
  if (rule.field.empty()) return true;
  for (const LeadField& field : lead.fields) {
    if (field.name == absl::string_view(rule.field)) return Contains(rule.values, field.value);
  }
  return Contains(rule.values, "");
}

bool Applies(const TierRule& rule, const campaign::Lead& lead) {
  const int attempt = lead.called_count + 1;
  if (!rule.last_status.empty() && !Contains(rule.last_status, lead.status)) return false;
  if (rule.attempt_min > 0 && attempt < rule.attempt_min) return false;
  if (rule.attempt_max > 0 && attempt > rule.attempt_max) return false;
  return rule.field.empty() || Contains(rule.values, lead.Field(rule.field));
}

int RuleOf(absl::Span<const TierRule> rules, const campaign::Lead& lead) {
  for (size_t i = 0; i < rules.size(); ++i) {
    if (Applies(rules[i], lead)) return static_cast<int>(i);
  }
  return -1;
}

std::optional<campaign::Tier> TierByRules(absl::Span<const TierRule> rules, const LeadView& lead) {
  for (const TierRule& rule : rules) {
    if (Applies(rule, lead)) return rule.tier;
  }
  return std::nullopt;
}

TierBoard::TierBoard(std::vector<TierRule> rules, double share_a)
    : rules_(std::move(rules)), share_a_(share_a) {
  OUTPACE_CHECK(share_a > 0 && share_a < 1);
}

double TierBoard::ShareAbove(LeadId id, double score) const {
  const double tie = static_cast<double>(Mix(id.value()) >> 11) * 0x1p-53;
  return quantile_.ShareAbove(score, tie);
}

TierDecision TierBoard::Decide(LeadId id, const LeadView& lead, double score) const {
  TierDecision decision;
  decision.share_above = ShareAbove(id, score);
  for (size_t i = 0; i < rules_.size(); ++i) {
    if (!Applies(rules_[i], lead)) continue;
    decision.tier = rules_[i].tier;
    decision.rule = static_cast<int>(i);
    return decision;
  }
  decision.tier = decision.share_above < share_a_ ? campaign::Tier::kA : campaign::Tier::kB;
  return decision;
}

std::string TierBoard::Save() const {
  ByteWriter out;
  quantile_.Save(&out);
  return out.Seal(kKind, kVersion);
}

absl::Status TierBoard::Load(absl::string_view bytes) {
  const absl::StatusOr<absl::string_view> payload = Unseal(bytes, kKind, kVersion);
  if (!payload.ok()) return payload.status();
  ByteReader in(*payload);
  if (!quantile_.Load(&in) || !in.done()) return absl::DataLossError("tier board: damaged");
  return absl::OkStatus();
}

}  // namespace outpace::tier
