#include "bench/pacing/rule_laws.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace outpace::lab {
namespace {

using sim::DelayLaw;

constexpr double kRingStep = 0.05;  // seconds
constexpr double kTalkStep = 0.5;   // of the integration; rows may be further apart
constexpr size_t kTalkRowsMax = 4096;
constexpr double kTail = 1e-4;  // beyond this survival the last row stands for all

// Where the survival of the law gets below kTail, at most 8 hours.
double TailAt(const DelayLaw& law, double scale) {
  double at = 8;
  while (at < 28'800 && Cdf(law, at / scale) < 1 - kTail) at *= 1.25;
  return at;
}

double Ratio(double part, double whole) {
  return whole > 1e-12 ? std::clamp(part / whole, 0.0, 1.0) : 1;
}

// P(age < talk, talk + wrap <= age + x) by the midpoint rule; `talk` is the cdf at multiples of
// kTalkStep, `wrap` P(wrap <= x - middle of the k-th step).
double EndsWithin(const std::vector<double>& talk, size_t age, double x,
                  const std::vector<double>& wrap) {
  double sum = 0;
  for (size_t k = 0; k < wrap.size(); ++k) {
    const size_t from = std::min(age + k, talk.size() - 1);
    const size_t to = std::min(age + k + 1, talk.size() - 1);
    const double width = std::min(1.0, x / kTalkStep - static_cast<double>(k));
    sum += wrap[k] * width * (talk[to] - talk[from]);
  }
  return sum;
}

std::vector<double> WrapWeights(const DelayLaw* wrap, double x) {
  std::vector<double> weights;
  for (double from = 0; from < x; from += kTalkStep) {
    const double middle = (from + std::min(from + kTalkStep, x)) / 2;
    weights.push_back(wrap != nullptr ? Cdf(*wrap, x - middle) : 1);
  }
  return weights;
}

}  // namespace

double Cdf(const DelayLaw& law, double seconds) {
  using Kind = DelayLaw::Kind;
  const double t = seconds - law.fixed_s;
  switch (law.kind) {
    case Kind::kConstant:
      return t >= law.mean_s ? 1 : 0;
    case Kind::kExponential:
      return t <= 0 ? 0 : -std::expm1(-t / law.mean_s);
    case Kind::kErlang: {
      if (t <= 0) return 0;
      const double x = t * law.stages / law.mean_s;
      double term = std::exp(-x);
      double sum = 0;
      for (int k = 0; k < law.stages; ++k) {
        sum += term;
        term *= x / (k + 1);
      }
      return 1 - sum;
    }
    case Kind::kLognormal: {
      if (t <= 0) return 0;
      const double variance = std::log1p(law.cv * law.cv);
      if (variance == 0) return t >= law.mean_s ? 1 : 0;
      const double z = (std::log(t / law.mean_s) + variance / 2) / std::sqrt(variance);
      return 0.5 * std::erfc(-z * M_SQRT1_2);
    }
    case Kind::kUniform: {
      const double half = law.mean_s * law.cv;
      if (half <= 0) return t >= law.mean_s ? 1 : 0;
      return std::clamp((t - law.mean_s + half) / (2 * half), 0.0, 1.0);
    }
    case Kind::kSamples: {
      if (law.samples.empty()) return t >= 0 ? 1 : 0;
      const auto below = std::count_if(law.samples.begin(), law.samples.end(),
                                       [t](double sample) { return sample <= t; });
      return static_cast<double>(below) / static_cast<double>(law.samples.size());
    }
  }
  return 1;
}

bool TrueLaws::Dial::operator==(const Dial& o) const {
  return mix.person == o.mix.person && mix.machine == o.mix.machine &&
         mix.no_answer == o.mix.no_answer && mix.fail == o.mix.fail && extra_s == o.extra_s &&
         congestion == o.congestion;
}

const TrueLaws::Row& TrueLaws::Table::At(absl::Duration age) const {
  const double index = absl::ToDoubleSeconds(age) / step_s + 0.5;
  const double last = static_cast<double>(rows.size() - 1);
  return rows[static_cast<size_t>(std::clamp(index, 0.0, last))];
}

template <typename T>
size_t TrueLaws::IndexOf(std::vector<T>& all, const T& one) {
  const auto it = std::find(all.begin(), all.end(), one);
  if (it != all.end()) return static_cast<size_t>(it - all.begin());
  all.push_back(one);
  return all.size() - 1;
}

TrueLaws::TrueLaws(const sim::ScenarioCampaign& campaign)
    : spec_(campaign), limit_s_(absl::ToDoubleSeconds(campaign.ring_time_max)) {
  const bool verdict = spec_.amd.present && spec_.amd.delay > absl::ZeroDuration();
  if (spec_.amd.present) pass_machine_ = 1 - spec_.amd.caught;
  if (verdict) pass_person_ = 1 - spec_.amd.false_positive;
  const double after_s = (verdict ? absl::ToDoubleSeconds(spec_.amd.delay) : 0) +
                         absl::ToDoubleSeconds(spec_.answer_limit);
  ring_mean_s_ = spec_.person_ring.Mean();

  std::vector<sim::ScenarioPhase> phases = spec_.phases;
  if (phases.empty()) phases.push_back({});
  int64_t ends = 0;
  std::vector<double> extras;
  for (const sim::ScenarioPhase& phase : phases) {
    phase_ends_.push_back(ends += absl::ToInt64Nanoseconds(phase.length));
    Dial dial;
    dial.mix = phase.mix.value_or(spec_.mix);
    dial.extra_s = absl::ToDoubleSeconds(phase.answer_delay_extra);
    dial.congestion = phase.congestion;
    const double persons = dial.mix.person * PersonRing(dial, limit_s_) * pass_person_;
    const double machines = dial.mix.machine * MachineRing(dial, limit_s_) * pass_machine_;
    dial.reach = (1 - dial.congestion) * (persons + machines);
    dial.machine = machines > 0 ? machines / (persons + machines) : 0;
    dial.person = 1 - dial.machine;
    dial_of_.push_back(IndexOf(dials_, dial));
    talk_of_.push_back(IndexOf(talks_, Talk{phase.talk_scale, dial.machine}));
    horizon_of_.push_back(IndexOf(extras, dial.extra_s));
  }
  for (const double extra : extras) {
    Horizon horizon;
    horizon.extra_s = extra;
    Dial dial;
    dial.extra_s = extra;
    const double all = PersonRing(dial, limit_s_);
    for (size_t j = 0; j < pacing::kRingPoints; ++j) {
      double low = 0;
      double high = limit_s_;
      for (int i = 0; i < 50; ++i) {
        const double middle = (low + high) / 2;
        (PersonRing(dial, middle) < pacing::kRingQuantiles[j] * all ? low : high) = middle;
      }
      horizon.ring[j] = high;
      horizon.deadlines[j] = high + after_s;
    }
    horizons_.push_back(horizon);
  }
  for (const Horizon& horizon : horizons_) wrap_frees_.push_back(WrapTable(horizon));
  for (const Dial& dial : dials_) {
    answers_.emplace_back();
    person_answers_.emplace_back();
    for (const Horizon& horizon : horizons_) {
      answers_.back().push_back(AnswerTable(dial, horizon, false));
      person_answers_.back().push_back(AnswerTable(dial, horizon, true));
    }
  }
  for (const Talk& talk : talks_) {
    talk_frees_.emplace_back();
    for (const Horizon& horizon : horizons_) {
      talk_frees_.back().push_back(TalkTable(talk, horizon));
    }
  }
}

size_t TrueLaws::PhaseAt(MonoTime at) const {
  if (phase_ends_.size() == 1) return 0;
  const int64_t into = std::max<int64_t>(at.nanos(), 0) % phase_ends_.back();
  return static_cast<size_t>(std::upper_bound(phase_ends_.begin(), phase_ends_.end(), into) -
                             phase_ends_.begin());
}

double TrueLaws::PersonRing(const Dial& dial, double seconds) const {
  return Cdf(spec_.person_ring, std::min(seconds, limit_s_) - dial.extra_s);
}

double TrueLaws::MachineRing(const Dial& dial, double seconds) const {
  return Cdf(spec_.machine_ring, std::min(seconds, limit_s_) - dial.extra_s);
}

double TrueLaws::Unresolved(const Dial& dial, double age_s) const {
  const double normal = dial.mix.person * (1 - PersonRing(dial, age_s)) +
                        dial.mix.machine * (1 - MachineRing(dial, age_s)) + dial.mix.no_answer +
                        dial.mix.fail * (1 - Cdf(spec_.fail_delay, age_s));
  return (1 - dial.congestion) * normal + (age_s < 0.3 ? dial.congestion : 0);
}

TrueLaws::Table TrueLaws::AnswerTable(const Dial& dial, const Horizon& horizon,
                                      bool person_only) const {
  Table table;
  table.step_s = kRingStep;
  const auto rows = static_cast<size_t>(limit_s_ / kRingStep) + 1;
  table.rows.resize(rows);
  const double persons = person_only ? 1 : (1 - dial.congestion) * dial.mix.person * pass_person_;
  const double machines =
      person_only ? 0 : (1 - dial.congestion) * dial.mix.machine * pass_machine_;
  for (size_t i = 0; i < rows; ++i) {
    const double age = static_cast<double>(i) * kRingStep;
    const double person_now = PersonRing(dial, age);
    const double machine_now = machines > 0 ? MachineRing(dial, age) : 0;
    const double whole =
        person_only ? PersonRing(dial, limit_s_) - person_now : Unresolved(dial, age);
    for (size_t j = 0; j < pacing::kRingPoints; ++j) {
      double part = persons * (PersonRing(dial, age + horizon.ring[j]) - person_now);
      if (machines > 0) {
        part += machines * (MachineRing(dial, age + horizon.ring[j]) - machine_now);
      }
      table.rows[i][j] = Ratio(part, whole);
    }
  }
  return table;
}

TrueLaws::Table TrueLaws::TalkTable(const Talk& talk, const Horizon& horizon) const {
  const double tail = TailAt(spec_.talk, talk.scale);
  const auto steps = static_cast<size_t>(tail / kTalkStep) + 1;
  const size_t stride = (steps + kTalkRowsMax - 1) / kTalkRowsMax;
  const double longest = *std::max_element(horizon.deadlines.begin(), horizon.deadlines.end());
  const size_t beyond = static_cast<size_t>(longest / kTalkStep) + 2;
  std::vector<double> person(steps + beyond);
  std::vector<double> machine(steps + beyond);
  for (size_t i = 0; i < person.size(); ++i) {
    const double at = static_cast<double>(i) * kTalkStep;
    person[i] = Cdf(spec_.talk, at / talk.scale);
    machine[i] = talk.machine_share > 0 ? Cdf(spec_.machine_talk, at) : 0;
  }
  Table table;
  table.step_s = kTalkStep * static_cast<double>(stride);
  table.rows.resize((steps + stride - 1) / stride);
  const double persons = 1 - talk.machine_share;
  for (size_t j = 0; j < pacing::kRingPoints; ++j) {
    const double x = horizon.deadlines[j];
    const std::vector<double> wrap = WrapWeights(&spec_.wrap, x);
    const std::vector<double> machine_wrap =
        WrapWeights(spec_.wrap_after_machine ? &spec_.wrap : nullptr, x);
    for (size_t row = 0; row < table.rows.size(); ++row) {
      const size_t age = row * stride;
      double part = persons * EndsWithin(person, age, x, wrap);
      double whole = persons * (1 - person[age]);
      if (talk.machine_share > 0) {
        part += talk.machine_share * EndsWithin(machine, age, x, machine_wrap);
        whole += talk.machine_share * (1 - machine[age]);
      }
      table.rows[row][j] = Ratio(part, whole);
    }
  }
  return table;
}

TrueLaws::Table TrueLaws::WrapTable(const Horizon& horizon) const {
  Table table;
  table.step_s = kTalkStep;
  table.rows.resize(
      std::min(static_cast<size_t>(TailAt(spec_.wrap, 1) / kTalkStep) + 1, kTalkRowsMax));
  for (size_t i = 0; i < table.rows.size(); ++i) {
    const double age = static_cast<double>(i) * kTalkStep;
    const double ended = Cdf(spec_.wrap, age);
    for (size_t j = 0; j < pacing::kRingPoints; ++j) {
      table.rows[i][j] = Ratio(Cdf(spec_.wrap, age + horizon.deadlines[j]) - ended, 1 - ended);
    }
  }
  return table;
}

const TrueLaws::Row& TrueLaws::Answers(size_t then, size_t now, absl::Duration age) const {
  return answers_[dial_of_[then]][horizon_of_[now]].At(age);
}

const TrueLaws::Row& TrueLaws::AnswersOfPerson(size_t then, size_t now, absl::Duration age) const {
  return person_answers_[dial_of_[then]][horizon_of_[now]].At(age);
}

const TrueLaws::Row& TrueLaws::FreesFromTalk(size_t then, size_t now, absl::Duration age) const {
  return talk_frees_[talk_of_[then]][horizon_of_[now]].At(age);
}

const TrueLaws::Row& TrueLaws::FreesFromWrap(size_t now, absl::Duration age) const {
  return wrap_frees_[horizon_of_[now]].At(age);
}

double TrueLaws::PassesAmd(size_t then, absl::Duration ring) const {
  const Dial& dial = dials_[dial_of_[then]];
  const double at = absl::ToDoubleSeconds(ring);
  const double persons =
      dial.mix.person * (PersonRing(dial, at + kRingStep) - PersonRing(dial, at - kRingStep));
  const double machines =
      dial.mix.machine * (MachineRing(dial, at + kRingStep) - MachineRing(dial, at - kRingStep));
  return Ratio(persons * pass_person_ + machines * pass_machine_, persons + machines);
}

double TrueLaws::HandleMean(size_t phase) const {
  const Dial& dial = dials_[dial_of_[phase]];
  const double wrap = spec_.wrap.Mean();
  const double person = spec_.talk.Mean() * talks_[talk_of_[phase]].scale + wrap;
  const double machine = spec_.machine_talk.Mean() + (spec_.wrap_after_machine ? wrap : 0);
  return dial.person * person + dial.machine * machine;
}

}  // namespace outpace::lab
