#include "campaign/tier/trial.h"

#include <utility>

#include "engine/base/check.h"

namespace outpace::tier {
namespace {

constexpr uint32_t kKind = 3, kVersion = 1;

}  // namespace

absl::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kRunning:
      return "running";
    case Verdict::kPromote:
      return "promote";
    case Verdict::kKeep:
      return "keep";
    case Verdict::kNoDifference:
      return "no difference";
  }
  return "";
}

Trial::Trial(TrialSettings settings) : settings_(settings), ratio_(settings.alpha) {
  OUTPACE_CHECK(settings.challenger_share > 0 && settings.challenger_share < 1);
  OUTPACE_CHECK(settings.indifference > 0);
}

Arm Trial::ArmOf(LeadId lead) const {
  return Draw(lead, settings_.salt) < settings_.challenger_share ? Arm::kChallenger
                                                                 : Arm::kChampion;
}

void Trial::Learn(Arm arm, bool success, double challenger_share) {
  if (verdict_ != Verdict::kRunning) return;
  ratio_.Learn(arm == Arm::kChallenger, success, challenger_share);
  if (!success) return;  // the interval moves with successes only
  const Ratio interval = ratio_.Interval();
  const double limit = 1 + settings_.indifference;
  if (interval.low >= 1) {
    verdict_ = Verdict::kPromote;
  } else if (interval.high <= 1) {
    verdict_ = Verdict::kKeep;
  } else if (interval.low > 1 / limit && interval.high < limit) {
    verdict_ = Verdict::kNoDifference;
  }
}

std::string Trial::Save() const {
  ByteWriter out;
  out.Put(settings_.salt);
  out.Put(static_cast<uint8_t>(verdict_));
  ratio_.Save(&out);
  return out.Seal(kKind, kVersion);
}

absl::Status Trial::Load(absl::string_view bytes) {
  const absl::StatusOr<absl::string_view> payload = Unseal(bytes, kKind, kVersion);
  if (!payload.ok()) return payload.status();
  ByteReader in(*payload);
  if (in.Get<uint64_t>() != settings_.salt) {
    return absl::FailedPreconditionError("trial: of another salt");
  }
  const uint8_t verdict = in.Get<uint8_t>();
  if (verdict > static_cast<uint8_t>(Verdict::kNoDifference) || !ratio_.Load(&in) || !in.done()) {
    return absl::DataLossError("trial: damaged");
  }
  verdict_ = static_cast<Verdict>(verdict);
  return absl::OkStatus();
}

}  // namespace outpace::tier
