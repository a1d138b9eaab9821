#include "engine/pacing/abandon_budget.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace outpace::pacing {
namespace {

// The long-run aim, as a share of the cap: leaves room for the noise of the controller.
constexpr double kAimShare = 0.95;
// Chance of breaking the cap that the aim may leave over each horizon.
constexpr double kBreachChance = 0.01;
// Horizons of the chance constraint, in units of 1 / cap answers (33 at 3 %). A window is assumed
// to see at least kWindowMin of them: below one, a single lost call breaks any cap.
constexpr std::array<double, 3> kHorizons = {1, 2, 4};
constexpr double kWindowMin = 2;

// Per answer, up to kGainAgents agents: 200 answers to act, 12 minutes at 50 agents; with more
// agents as many more answers, so that the time stays.
constexpr double kIntegralGain = 0.005;
constexpr double kGainAgents = 50;
constexpr double kRecentShare = 0.01;
constexpr double kProportionalGain = 0.3;
const double kLogGainMin = std::log(0.02);
const double kLogGainMax = std::log(4.0);

// theta / resulting ratio by number of agents at 3 %, base scenario (measured by simulation with
// known parameters). Linear in log N between the points.
constexpr std::array<std::pair<double, double>, 8> kShape = {{{5, 1.0},
                                                              {10, 0.75},
                                                              {20, 0.65},
                                                              {50, 0.50},
                                                              {100, 0.35},
                                                              {200, 0.30},
                                                              {500, 0.24},
                                                              {1000, 0.155}}};

double ShapeFor(double agents) {
  if (agents <= kShape.front().first) return kShape.front().second;
  for (size_t i = 1; i < kShape.size(); ++i) {
    if (agents > kShape[i].first) continue;
    const auto [n0, y0] = kShape[i - 1];
    const auto [n1, y1] = kShape[i];
    return y0 + (y1 - y0) * std::log(agents / n0) / std::log(n1 / n0);
  }
  return kShape.back().second;
}

}  // namespace

double AbandonCounts::Persons() const {
  const double over = std::max(ended, machines);
  const double machine_share = over > 0 ? machines / over : 0;
  const double open = std::max(0.0, served - over);
  return std::max(0.0, served - machines - open * machine_share) + abandoned;
}

double AbandonCounts::Ratio() const {
  const double persons = Persons();
  return persons > 0 ? abandoned / persons : 0;
}

double PoissonTail(int b, double mean) {
  if (b > mean + 10 * std::sqrt(mean) + 10) return 0;  // less than 1e-9
  double term = std::exp(-mean);
  double sum = term;
  for (int k = 1; k <= b; ++k) sum += term *= mean / k;
  return 1 - sum;
}

double PoissonMeanFor(int b, double chance) {
  if (b < 0) return 0;
  if (b > 500) return b - 3 * std::sqrt(static_cast<double>(b));  // far from any decision
  double low = 0;
  double high = b + 1;
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    (PoissonTail(b, middle) <= chance ? low : high) = middle;
  }
  return low;
}

void AbandonBudget::SetRatioMax(double ratio_max) {
  ratio_max_ = ratio_max > 0.0001 ? std::min(ratio_max, 0.5) : 0.0001;  // NaN: the smallest
  UpdateAim();
}

void AbandonBudget::OnServed() {
  counts_.served += 1;
  Learn(false);
}

void AbandonBudget::OnMachine() {
  counts_.machines = std::min(counts_.machines + 1, counts_.served);
  UpdateAim();
}

void AbandonBudget::OnEnded() {
  counts_.ended = std::min(counts_.ended + 1, counts_.served);
  UpdateAim();
}

void AbandonBudget::OnAbandoned() {
  counts_.abandoned += 1;
  Learn(true);
}

void AbandonBudget::SetAtRisk(int calls_waiting) {
  const double at_risk = std::max(0, calls_waiting);
  if (at_risk == at_risk_) return;
  at_risk_ = at_risk;
  UpdateAim();
}

void AbandonBudget::StartWindow() {
  counts_ = {};
  UpdateAim();
}

void AbandonBudget::SetCounts(const AbandonCounts& counts) {
  const auto sane = [](double v) { return v > 0 ? std::min(v, 1e12) : 0.0; };
  counts_.served = sane(counts.served);
  counts_.machines = std::min(sane(counts.machines), counts_.served);
  counts_.ended = std::min(sane(counts.ended), counts_.served);
  counts_.abandoned = sane(counts.abandoned);
  UpdateAim();
}

void AbandonBudget::Learn(bool abandoned) {
  const double lost = abandoned ? 1 : 0;
  // While the aim is throttled few dials carry risk, and the answers of progressive dialing say
  // nothing about k: the integral learns in proportion to the risk that was allowed.
  const double target = kAimShare * ratio_max_;
  if (aim_ > 0) {
    const double gain = kIntegralGain * std::min(1.0, kGainAgents / agents_);
    log_gain_ = std::clamp(log_gain_ + gain * (aim_ - lost) / target, kLogGainMin, kLogGainMax);
  }
  recent_ratio_ += kRecentShare * (lost - recent_ratio_);
  UpdateAim();
}

void AbandonBudget::UpdateAim() {
  const double persons = counts_.Persons();
  double aim = kAimShare * ratio_max_;
  for (const double horizon : kHorizons) {
    const double ahead = std::max(horizon / ratio_max_, kWindowMin / ratio_max_ - persons);
    const double allowed =
        std::floor(ratio_max_ * (persons + ahead) + 1e-9) - counts_.abandoned - at_risk_;
    const int b = static_cast<int>(std::clamp(allowed, -1.0, 1e6));
    if (b < 1) {
      aim = 0;
    } else if (PoissonTail(b, aim * ahead) > kBreachChance) {  // else it leaves the aim as it is
      aim = PoissonMeanFor(b, kBreachChance) / ahead;
    }
  }
  aim_ = aim;
}

double AbandonBudget::Theta() const {
  const double target = kAimShare * ratio_max_;
  const double excess = std::clamp((recent_ratio_ - target) / target, -1.0, 3.0);
  const double gain = std::exp(log_gain_ - kProportionalGain * std::max(0.0, excess));
  return std::min(0.5, aim_ * ShapeFor(agents_) * gain);
}

void AbandonBudget::Save(std::vector<double>& out) const {
  out.insert(out.end(), {counts_.served, counts_.machines, counts_.ended, counts_.abandoned,
                         log_gain_, recent_ratio_});
}

bool AbandonBudget::Load(absl::Span<const double> in) {
  if (in.size() != kSavedSize) return false;
  for (const double v : in) {
    if (!std::isfinite(v)) return false;
  }
  log_gain_ = std::clamp(in[4], kLogGainMin, kLogGainMax);
  recent_ratio_ = std::clamp(in[5], 0.0, 1.0);
  SetCounts({.served = in[0], .machines = in[1], .ended = in[2], .abandoned = in[3]});
  return true;
}

}  // namespace outpace::pacing
