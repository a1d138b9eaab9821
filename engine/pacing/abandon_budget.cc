#include "engine/pacing/abandon_budget.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace outpace::pacing {
namespace {
// A window is assumed to see at least kWindowMin / cap answers (67 at 3 %): below half of that a
// single lost call breaks any cap.
constexpr double kWindowMin = 2;

// The aim in units of the cap, by the calls left (fitted by a Markov chain of answers and losses
// against the occupancy each ratio buys; docs/PACING.md). At the edge it falls to a small share,
// never to nothing: one line per free agent costs 100 agents two thirds of their work. In the
// middle it is nearly constant, since a steady risk buys more than one that swings.
constexpr double kEdge = 1.0;             // calls left below which only the least is aimed at
constexpr double kEdgeWidth = 2;          // calls above it in which the aim recovers
constexpr double kLeastAim = 0.25;        // a short window; a long one can bear to be a call over
constexpr double kLeastAimGrowth = 0.02;  // per call of the whole budget above 5
constexpr double kLeastAimMax = 0.5;
constexpr double kDepth = 1;            // of it that is taken back over a reserve's worth of debt
constexpr double kReturn = 0.1;         // pull to the reserve, per call
constexpr double kReserve = 2.5;        // calls kept in hand, and
constexpr double kReserveGrowth = 0.3;  // x sqrt(whole budget)
constexpr double kMostAim = 1.1;

// k: weight of "as the shape says" and memory, in lost calls.
constexpr double kKPrior = 4;
constexpr double kKMemory = 250;
constexpr double kKMin = 0.1;
constexpr double kKMax = 20;

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

double Sane(double v) { return v > 0 ? std::min(v, 1e11) : 0.0; }

void Add(AbandonCounts& to, const AbandonCounts& from, double sign) {
  to.served = std::max(0.0, to.served + sign * from.served);
  to.machines = std::max(0.0, to.machines + sign * from.machines);
  to.ended = std::max(0.0, to.ended + sign * from.ended);
  to.abandoned = std::max(0.0, to.abandoned + sign * from.abandoned);
  to.amd_machines = std::max(0.0, to.amd_machines + sign * from.amd_machines);
}

}  // namespace

double AbandonCounts::MachineShare() const {
  const double over = std::max(ended, machines);
  return over > 0 ? machines / over : 0;
}

AbandonEstimate EstimateAbandoned(const AbandonCounts& counts, double amd_false_positive,
                                  Population population) {
  if (population != Population::kEstimate) {
    const bool machines_too = population == Population::kAnswered;
    const double met = machines_too ? counts.served + counts.amd_machines
                                    : std::max(0.0, counts.served - counts.machines);
    return {.persons = met + counts.abandoned, .abandoned = counts.abandoned};
  }
  const double over = std::max(counts.ended, counts.machines);
  const double share = counts.MachineShare();
  const double error = over > 0 ? std::sqrt(share * (1 - share) / over) : 0;
  const double open = std::max(0.0, counts.served - over);
  AbandonEstimate estimate;
  estimate.abandoned = counts.abandoned * (1 - std::max(0.0, share - error));
  estimate.persons =
      std::max(0.0, counts.served - counts.machines - open * share) + estimate.abandoned;
  if (counts.amd_machines > 0) {
    const double missed = std::min(
        counts.amd_machines, estimate.persons * amd_false_positive / (1 - amd_false_positive));
    estimate.persons += missed;
    estimate.abandoned += missed;
  }
  return estimate;
}

void AbandonBudget::SetContracts(absl::Span<const Contract> contracts) {
  std::vector<Window> windows(std::max<size_t>(1, contracts.size()));
  for (size_t i = 0; i < contracts.size(); ++i) {
    if (i < windows_.size() && windows_[i].contract.window == contracts[i].window) {
      windows[i] = windows_[i];
    }
    windows[i].contract = contracts[i];
  }
  for (Window& window : windows) {
    double& cap = window.contract.ratio_max;
    cap = cap > 0.0001 ? std::min(cap, 0.5) : 0.0001;  // NaN: the smallest
  }
  windows_ = std::move(windows);
  UpdateAim();
}

void AbandonBudget::SetAmdFalsePositive(double share) {
  amd_false_positive_ = share > 0 ? std::min(share, 0.5) : 0;
  UpdateAim();
}

void AbandonBudget::SetIntensity(double intensity) {
  intensity_ = intensity > 0.1 ? std::min(intensity, 2.0) : 0.1;
}

void AbandonBudget::Advance(MonoTime now) {
  bool moved = false;
  for (Window& window : windows_) {
    if (window.contract.window == absl::InfiniteDuration() || window.contract.told) continue;
    if (!window.started) {
      window.started = true;
      window.bucket_began = now;
    }
    const absl::Duration width =
        std::max(window.contract.window / static_cast<int>(kBuckets), absl::Seconds(1));
    if (now - window.bucket_began > window.contract.window * 2) {
      // Nothing was asked for a long time.
      window.counts = {};
      window.buckets = {};
      window.bucket_began = now;
      moved = true;
    }
    while (now - window.bucket_began >= width) {
      window.bucket_began = window.bucket_began + width;
      window.bucket = (window.bucket + 1) % kBuckets;
      Add(window.counts, window.buckets[window.bucket], -1);
      window.buckets[window.bucket] = {};
      moved = true;
    }
  }
  if (moved) UpdateAim();
}

template <typename F>
void AbandonBudget::Count(F add) {
  for (Window& window : windows_) {
    if (window.contract.told) continue;
    add(window.counts);
    if (window.contract.window != absl::InfiniteDuration()) add(window.buckets[window.bucket]);
  }
}

void AbandonBudget::OnServed() {
  Count([](AbandonCounts& c) { c.served += 1; });
  Learn(0);
}

void AbandonBudget::OnMachine() {
  Count([](AbandonCounts& c) { c.machines += 1; });
  UpdateAim();
}

void AbandonBudget::OnAmdMachine() {
  Count([](AbandonCounts& c) { c.amd_machines += 1; });
  UpdateAim();
}

void AbandonBudget::OnEnded() {
  Count([](AbandonCounts& c) { c.ended += 1; });
  UpdateAim();
}

void AbandonBudget::OnAbandoned() {
  Count([](AbandonCounts& c) { c.abandoned += 1; });
  Learn(1);
}

void AbandonBudget::SetAtRisk(int calls_waiting) {
  const double at_risk = std::max(0, calls_waiting);
  if (at_risk == at_risk_) return;
  at_risk_ = at_risk;
  UpdateAim();
}

void AbandonBudget::StartWindow(size_t contract) {
  Window& window = windows_[contract];
  window.counts = {};
  window.buckets = {};
  UpdateAim();
}

void AbandonBudget::SetCounts(const AbandonCounts& counts, size_t contract) {
  Window& window = windows_[contract];
  window.counts = {.served = Sane(counts.served),
                   .machines = Sane(counts.machines),
                   .ended = Sane(counts.ended),
                   .abandoned = Sane(counts.abandoned),
                   .amd_machines = Sane(counts.amd_machines)};
  if (!window.contract.told) {
    window.buckets = {};
    window.buckets[window.bucket] = window.counts;
  }
  UpdateAim();
}

AbandonEstimate AbandonBudget::Estimate(size_t contract) const {
  const Window& window = windows_[contract];
  return EstimateAbandoned(window.counts, amd_false_positive_, window.contract.population);
}

void AbandonBudget::Learn(double lost) {
  if (binding_ && aim_ > 0) {
    lost_foretold_ += intensity_ * aim_ / K();
    lost_seen_ += lost;
    const double fade = std::min(1.0, kKMemory / (kKPrior + std::max(lost_foretold_, lost_seen_)));
    lost_foretold_ *= fade;
    lost_seen_ *= fade;
  }
  UpdateAim();
}

double AbandonBudget::AimOf(const Window& window, double& left) const {
  const double cap = window.contract.ratio_max;
  const Population population = window.contract.population;
  const AbandonEstimate seen = EstimateAbandoned(window.counts, amd_false_positive_, population);
  const double persons = std::max(seen.persons, kWindowMin / cap);
  const double machines = population == Population::kEstimate ? window.counts.MachineShare() : 0;
  left = cap * persons - seen.abandoned - at_risk_ * (1 - machines);
  const double budget = cap * persons;
  const double least =
      std::min(kLeastAimMax, kLeastAim + kLeastAimGrowth * std::max(0.0, budget - 5));
  if (left < 1) {
    // The deeper in the red the less, so that a burst is paid back soon.
    const double depth = (1 - left) / (2 + kReserveGrowth * std::sqrt(budget));
    return cap * std::max(kLeastAim, least * (1 - kDepth * depth));
  }
  const double edge = least + (1 - least) * (left - kEdge) / kEdgeWidth;
  const double middle = 1 + kReturn * (left - kReserve - kReserveGrowth * std::sqrt(budget));
  return cap * std::clamp(std::min(edge, middle), least, kMostAim);
}

void AbandonBudget::UpdateAim() {
  aim_ = 1;
  spent_ = false;
  for (size_t i = 0; i < windows_.size(); ++i) {
    double left = 0;
    const double aim = AimOf(windows_[i], left);
    spent_ = spent_ || left < 1;
    if (aim < aim_) {
      aim_ = aim;
      left_ = left;
      binding_contract_ = static_cast<int>(i);
    }
  }
}

double AbandonBudget::Theta() const {
  return std::min(0.5, intensity_ * aim_ * ShapeFor(agents_) / K());
}

double AbandonBudget::K() const {
  return std::clamp((kKPrior + lost_seen_) / (kKPrior + lost_foretold_), kKMin, kKMax);
}

void AbandonBudget::Save(std::vector<double>& out) const {
  const AbandonCounts& c = windows_[0].counts;
  out.insert(out.end(), {c.served, c.machines, c.ended, c.abandoned, c.amd_machines, lost_seen_,
                         lost_foretold_});
}

bool AbandonBudget::Load(absl::Span<const double> in) {
  if (in.size() != kSavedSize) return false;
  for (const double v : in) {
    if (!(v >= 0 && v < 1e12)) return false;
  }
  lost_seen_ = std::min(in[5], kKMemory);
  lost_foretold_ = std::min(in[6], kKMemory);
  SetCounts({.served = in[0],
             .machines = in[1],
             .ended = in[2],
             .abandoned = in[3],
             .amd_machines = in[4]});
  return true;
}

}  // namespace outpace::pacing
