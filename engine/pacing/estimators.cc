#include "engine/pacing/estimators.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "engine/base/check.h"

namespace outpace::pacing {
namespace {

constexpr double kScaleMax = 1e12;     // then everything is divided by it
constexpr double kSurvivalMin = 1e-9;  // older than this: the last hazard decides

// No bin is without any data: this much imagined time (seconds) at the neighbouring hazard keeps a
// bin nobody has reached from dividing zero by zero.
constexpr double kTimeMin = 1e-9;

double SaneAge(double age) { return age > 0 ? std::min(age, 1e6) : 0; }  // NaN is 0 too

double LogLogistic(double t, double median) {
  const double x = t / median;
  return x * x / (1 + x * x);
}

}  // namespace

LogBins::LogBins(double first, int octaves, int sub_bits) : first_(first), sub_bits_(sub_bits) {
  OUTPACE_CHECK(first > 0 && octaves >= 1 && sub_bits >= 0 && sub_bits <= 8);
  const int parts = 1 << sub_bits;
  edges_.push_back(0);
  for (int octave = 0; octave < octaves; ++octave) {
    for (int part = 0; part < parts; ++part) {
      edges_.push_back(first * std::ldexp(1 + static_cast<double>(part) / parts, octave));
    }
  }
  for (size_t i = 0; i + 1 < edges_.size(); ++i) widths_.push_back(edges_[i + 1] - edges_[i]);
  widths_.push_back(edges_.back());
}

size_t LogBins::Find(double age) const {
  const double y = age / first_;
  if (!(y >= 1)) return 0;
  // The exponent of y is the octave, the top bits of its fraction are the part: no logarithm.
  const auto bits = std::bit_cast<uint64_t>(y);
  const uint64_t octave = (bits >> 52) - 1023;
  const uint64_t part = (bits >> (52 - sub_bits_)) & ((uint64_t{1} << sub_bits_) - 1);
  const uint64_t bin = 1 + (octave << sub_bits_) + part;
  return std::min<size_t>(bin, edges_.size() - 1);
}

DurationLaw::DurationLaw(LogBins bins, size_t ends, double memory)
    : bins_(std::move(bins)),
      ends_(ends),
      keep_(1 - 1 / memory),
      time_(bins_.size(), 0),
      counts_(bins_.size() * ends, 0),
      survival_(bins_.size(), 1),
      incidence_(bins_.size(), 0),
      share_(ends, 0) {
  OUTPACE_CHECK(ends >= 1 && memory > 1);
  share_[0] = 1;
}

void DurationLaw::SetPrior(absl::Span<const PriorEnd> ends, double age_max, double weight) {
  OUTPACE_CHECK(ends.size() == ends_ && age_max > 0 && weight > 0);
  // Past age_max the law still needs a hazard: whatever is left ends at the rate 4 / age_max.
  double alive = 1;
  const size_t n = bins_.size();
  for (size_t bin = 0; bin < n; ++bin) {
    const double from = bins_.edge(bin);
    const double to = from + bins_.width(bin);
    double ended = 0;
    for (size_t e = 0; e < ends_; ++e) {
      const double whole = LogLogistic(age_max, ends[e].median);
      const double mass = LogLogistic(std::min(to, age_max), ends[e].median) -
                          LogLogistic(std::min(from, age_max), ends[e].median);
      const double count = std::max(0.0, mass) * ends[e].chance / whole;
      counts_[e * n + bin] += weight * count * scale_;
      ended += count;
    }
    const double spent = std::max(alive - ended / 2, 1e-3) * bins_.width(bin);
    if (from >= age_max || alive - ended < 1e-3) {
      counts_[(ends_ - 1) * n + bin] += weight * scale_ * spent * 4 / age_max;
    }
    time_[bin] += weight * scale_ * spent;
    alive = std::max(0.0, alive - ended);
  }
  Refresh();
}

void DurationLaw::SetMemory(double memory) { keep_ = 1 - 1 / std::max(memory, 2.0); }

void DurationLaw::Spend(absl::Span<const double> ages_in_progress, double passed) {
  for (const double age : ages_in_progress) SpendOne(age, passed);
}

void DurationLaw::SpendOne(double age, double passed) {
  age = SaneAge(age);
  const double from = std::max(0.0, age - SaneAge(passed));
  size_t bin = bins_.Find(age);
  for (double to = age; to > from; to = bins_.edge(bin--)) {
    time_[bin] += scale_ * (to - std::max(from, bins_.edge(bin)));
    if (bin == 0) break;
  }
}

void DurationLaw::Forget() {
  scale_ /= keep_;
  if (scale_ < kScaleMax) return;
  for (double& t : time_) t /= scale_;
  for (double& c : counts_) c /= scale_;
  scale_ = 1;
}

void DurationLaw::Observe(size_t end, double age, double passed) {
  OUTPACE_CHECK(end < ends_);
  age = SaneAge(age);
  Forget();
  SpendOne(age, passed);
  counts_[end * bins_.size() + bins_.Find(age)] += scale_;
}

void DurationLaw::Reclassify(size_t from, size_t to, double age) {
  OUTPACE_CHECK(from < ends_ && to < ends_);
  const size_t bin = bins_.Find(SaneAge(age));
  double& source = counts_[from * bins_.size() + bin];
  const double moved = std::min(source, scale_);
  source -= moved;
  counts_[to * bins_.size() + bin] += moved;
}

void DurationLaw::Refresh() {
  const size_t n = bins_.size();
  std::fill(share_.begin(), share_.end(), 0);
  double alive = 1;
  double answered = 0;
  const double unit = 1 / scale_;
  for (size_t bin = 0; bin < n; ++bin) {
    survival_[bin] = alive;
    incidence_[bin] = answered;
    const double time = std::max(time_[bin] * unit, kTimeMin);
    double ended = 0;
    for (size_t e = 0; e < ends_; ++e) ended += counts_[e * n + bin];
    ended *= unit;
    const double hazard = ended / time;
    const bool last = bin + 1 == n;
    const double ending = last ? alive : -std::expm1(-hazard * bins_.width(bin)) * alive;
    if (ended > 0) {
      for (size_t e = 0; e < ends_; ++e) {
        share_[e] += ending * counts_[e * n + bin] * unit / ended;
      }
      answered = share_[0];
    }
    if (last) {
      last_hazard_ = hazard;
      last_share_ = ended > 0 ? counts_[bin] * unit / ended : 0;
    }
    alive -= ending;
  }
  double sum = 0;
  for (const double s : share_) sum += s;
  if (sum > 0) {
    for (double& s : share_) s /= sum;
  }
}

double DurationLaw::Survival(double age) const {
  const size_t bin = bins_.Find(age);
  if (bin + 1 == bins_.size()) {
    return survival_[bin] * std::exp(-last_hazard_ * (age - bins_.edge(bin)));
  }
  const double part = (SaneAge(age) - bins_.edge(bin)) / bins_.width(bin);
  return survival_[bin] + part * (survival_[bin + 1] - survival_[bin]);
}

double DurationLaw::Incidence(double age) const {
  const size_t bin = bins_.Find(age);
  if (bin + 1 == bins_.size()) {
    const double ended = -std::expm1(-last_hazard_ * (age - bins_.edge(bin)));
    return incidence_[bin] + last_share_ * survival_[bin] * ended;
  }
  const double part = (age - bins_.edge(bin)) / bins_.width(bin);
  return incidence_[bin] + part * (incidence_[bin + 1] - incidence_[bin]);
}

double DurationLaw::ShareBy(double age) const {
  const double whole = Whole();
  return whole > 0 ? std::clamp(Incidence(SaneAge(age)) / whole, 0.0, 1.0) : 1;
}

double DurationLaw::OthersSurvival(double age) const {
  const double whole = Whole();
  if (!(whole < 1)) return 0;
  const double left = Survival(SaneAge(age)) - (whole - Incidence(SaneAge(age)));
  return std::clamp(left / (1 - whole), 0.0, 1.0);
}

double DurationLaw::Whole() const {
  const size_t last = bins_.size() - 1;
  return incidence_[last] + last_share_ * survival_[last];
}

double DurationLaw::EndsWithin(double age, double ahead) const {
  if (!(ahead > 0)) return 0;
  age = SaneAge(age);
  const double alive = Survival(age);
  if (alive < kSurvivalMin || age >= bins_.edge(bins_.size() - 1)) {
    return last_share_ * -std::expm1(-last_hazard_ * ahead);
  }
  return std::clamp((Incidence(age + ahead) - Incidence(age)) / alive, 0.0, 1.0);
}

double DurationLaw::EndsWithinFromEdge(size_t bin, double ahead) const {
  if (!(ahead > 0)) return 0;
  if (survival_[bin] < kSurvivalMin || bin + 1 == bins_.size()) {
    return last_share_ * -std::expm1(-last_hazard_ * ahead);
  }
  const double by = Incidence(bins_.edge(bin) + ahead) - incidence_[bin];
  return std::clamp(by / survival_[bin], 0.0, 1.0);
}

double DurationLaw::Share(size_t end) const { return share_[end]; }

double DurationLaw::Weight(size_t end) const {
  double sum = 0;
  for (size_t bin = 0; bin < bins_.size(); ++bin) sum += counts_[end * bins_.size() + bin];
  return sum / scale_;
}

double DurationLaw::MeanAge() const {
  const size_t n = bins_.size();
  const double whole = incidence_[n - 1] + last_share_ * survival_[n - 1];
  if (!(whole > 0)) return 0;
  double sum = 0;
  for (size_t bin = 0; bin + 1 < n; ++bin) {
    sum += (incidence_[bin + 1] - incidence_[bin]) * (bins_.edge(bin) + bins_.width(bin) / 2);
  }
  // What outlives the bins counts with the age at which they end: no figure is made up.
  const double beyond = bins_.edge(n - 1);
  return (sum + last_share_ * survival_[n - 1] * beyond) / whole;
}

double DurationLaw::Quantile(double p) const {
  const size_t n = bins_.size();
  const double whole = incidence_[n - 1] + last_share_ * survival_[n - 1];
  const double target = p * whole;
  const auto above = std::upper_bound(incidence_.begin(), incidence_.end(), target);
  if (above == incidence_.end()) return bins_.edge(n - 1);
  const auto bin = static_cast<size_t>(above - incidence_.begin()) - 1;
  const double rise = incidence_[bin + 1] - incidence_[bin];
  return bins_.edge(bin) + bins_.width(bin) * (target - incidence_[bin]) / rise;
}

void DurationLaw::Save(std::vector<double>& out) const {
  for (const double t : time_) out.push_back(t / scale_);
  for (const double c : counts_) out.push_back(c / scale_);
}

bool DurationLaw::Load(absl::Span<const double> in) {
  if (in.size() != SavedSize()) return false;
  for (const double v : in) {
    if (!(v >= 0 && v < 1e15)) return false;
  }
  scale_ = 1;
  std::copy_n(in.begin(), time_.size(), time_.begin());
  std::copy_n(in.begin() + static_cast<ptrdiff_t>(time_.size()), counts_.size(), counts_.begin());
  Refresh();
  return true;
}

void FillFreeAfterTalk(const DurationLaw& talk, const DurationLaw& wrap, double ahead,
                       std::vector<double>& table) {
  constexpr size_t kSteps = 5;
  const double step = ahead / kSteps;
  std::array<double, kSteps> wrapped;  // within what is left of `ahead` after the middle of a step
  for (size_t i = 0; i < kSteps; ++i) {
    wrapped[i] = wrap.EndsWithinFromEdge(0, ahead - (static_cast<double>(i) + 0.5) * step);
  }
  table.resize(talk.bins().size());
  for (size_t bin = 0; bin < table.size(); ++bin) {
    double before = 0;
    table[bin] = 0;
    for (size_t i = 0; i < kSteps; ++i) {
      const double by = talk.EndsWithinFromEdge(bin, static_cast<double>(i + 1) * step);
      table[bin] += (by - before) * wrapped[i];
      before = by;
    }
  }
}

}  // namespace outpace::pacing
