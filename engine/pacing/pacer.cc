#include "engine/pacing/pacer.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace outpace::pacing {
namespace {

// Rings up to 256 s in eighths of an octave, talks and wraps up to 4.5 h in quarters.
LogBins RingBins() { return LogBins(1.0 / 16, 12, 3); }
LogBins TalkBins() { return LogBins(1.0 / 4, 16, 2); }

constexpr auto kAnswer = static_cast<size_t>(RingEnd::kAnswer);

// Observations that a law remembers: dials (more where answers are rare, so that kAnswerMemory
// answers are among them) and talks; more with many agents, 20 dials and 5 talks each.
constexpr double kRingMemoryMin = 400;
constexpr double kAnswerMemory = 200;
constexpr double kTalkMemoryMin = 250;

// A step in the answer ratio (another list, another hour) shows in the last answers long before the
// law has learned it.
constexpr double kDriftMemory = 30;  // answers
constexpr double kDriftDeviations = 1.5;
constexpr double kDriftMin = 0.25;  // downwards with care: answers that are late look like none
constexpr double kDriftMax = 4;
constexpr double kDriftLawMin =
    40;  // answers the law must rest on before it can be said to be wrong

constexpr double kCaution = 1;  // standard errors
constexpr double kForever = 1e6;

// Before anything is known: a careful guess (many answers, long talks) that weighs as much as a few
// observations.
constexpr double kRingPriorWeight = 8;
constexpr double kTalkPriorWeight = 3;
constexpr std::array<DurationLaw::PriorEnd, kRingEnds> kRingPrior = {{
    {0.35, 6},   // answer
    {0.10, 15},  // machine
    {0.35, 20},  // no answer
    {0.05, 4},   // busy
    {0.05, 3},   // invalid
    {0.10, 4},   // other
}};
constexpr DurationLaw::PriorEnd kTalkPrior = {1, 60};
constexpr DurationLaw::PriorEnd kWrapPrior = {1, 10};
constexpr double kTalkAgeMax = 1800;
constexpr double kWrapAgeMax = 300;

const absl::Duration kRefreshEvery = absl::Milliseconds(500);

// Legs per agent and second that may be placed on top of those one decision may place at once (one
// per agent). A campaign at 4 % answers and 40 s talks needs 0.6.
constexpr double kBurstPerAgentSecond = 1;

constexpr double kStateVersion = 1;

RingEnd RingEndOf(AttemptResult result) {
  switch (result) {
    case AttemptResult::kPerson:
      return RingEnd::kAnswer;
    case AttemptResult::kMachine:
      return RingEnd::kMachine;
    case AttemptResult::kNoAnswer:
      return RingEnd::kNoAnswer;
    case AttemptResult::kBusy:
      return RingEnd::kBusy;
    case AttemptResult::kInvalid:
      return RingEnd::kInvalid;
    case AttemptResult::kOther:
    case AttemptResult::kTrunkFault:
    case AttemptResult::kCancelled:
      break;
  }
  return RingEnd::kOther;
}

// Value of a table over bins of age, linear between the edges.
double At(const LogBins& bins, const std::vector<double>& table, double age) {
  const size_t bin = bins.Find(age);
  if (bin + 1 == table.size()) return table[bin];
  const double part = std::max(0.0, age - bins.edge(bin)) / bins.width(bin);
  return table[bin] + part * (table[bin + 1] - table[bin]);
}

double Finite(double v, double otherwise) { return std::isfinite(v) ? v : otherwise; }

}  // namespace

absl::string_view LimitName(Limit limit) {
  switch (limit) {
    case Limit::kNone:
      return "none";
    case Limit::kMethod:
      return "method";
    case Limit::kAgents:
      return "agents";
    case Limit::kLevel:
      return "level";
    case Limit::kAbandonment:
      return "abandonment";
    case Limit::kBudget:
      return "budget";
    case Limit::kLines:
      return "lines";
    case Limit::kTrunkRate:
      return "trunk_rate";
    case Limit::kHopper:
      return "hopper";
    case Limit::kBurst:
      return "burst";
    case Limit::kSafety:
      return "safety";
  }
  return "none";
}

absl::string_view AlarmName(Alarm alarm) {
  switch (alarm) {
    case Alarm::kNone:
      return "none";
    case Alarm::kBadInput:
      return "bad_input";
    case Alarm::kClockStep:
      return "clock_step";
    case Alarm::kAnswersTooMany:
      return "answers_too_many";
    case Alarm::kNoPersons:
      return "no_persons";
  }
  return "none";
}

Pacer::Pacer(const PacerSettings& settings)
    : ring_(RingBins(), kRingEnds, kRingMemoryMin),
      talk_(TalkBins(), 1, kTalkMemoryMin),
      wrap_(TalkBins(), 1, kTalkMemoryMin),
      budget_(settings.abandon_ratio_max) {
  UpdateSettings(settings);
  ring_.SetPrior(kRingPrior, absl::ToDoubleSeconds(settings_.ring_time_max), kRingPriorWeight);
  talk_.SetPrior({&kTalkPrior, 1}, kTalkAgeMax, kTalkPriorWeight);
  wrap_.SetPrior({&kWrapPrior, 1}, kWrapAgeMax, kTalkPriorWeight);
}

void Pacer::UpdateSettings(const PacerSettings& settings) {
  settings_ = settings;
  settings_.dial_level_max = std::clamp(Finite(settings.dial_level_max, 1), 1.0, 1000.0);
  settings_.dial_level = std::clamp(Finite(settings.dial_level, 1), 1.0, settings_.dial_level_max);
  settings_.answer_limit =
      std::clamp(settings.answer_limit, absl::ZeroDuration(), absl::Seconds(60));
  settings_.ring_time_max =
      std::clamp(settings.ring_time_max, absl::Seconds(1), absl::Seconds(300));
  budget_.SetRatioMax(settings.abandon_ratio_max);
  tables_stale_ = true;
}

void Pacer::OnDialed(AttemptId id, const LeadTraits&, MonoTime now) {
  if (!in_flight_index_.emplace(id, in_flight_.size()).second) {
    ++events_unknown_;
    return;
  }
  in_flight_.push_back({id, now});
}

bool Pacer::TakeInFlight(AttemptId id, MonoTime now, double& age_s) {
  const auto found = in_flight_index_.find(id);
  if (found == in_flight_index_.end()) return false;
  const size_t place = found->second;
  age_s = absl::ToDoubleSeconds(now - in_flight_[place].dialed);
  in_flight_index_.erase(found);
  if (place + 1 != in_flight_.size()) {
    in_flight_[place] = in_flight_.back();
    in_flight_index_[in_flight_[place].id] = place;
  }
  in_flight_.pop_back();
  return true;
}

bool Pacer::TakeAnswered(AttemptId id, double* ring_s) {
  const auto found = answered_.find(id);
  if (found == answered_.end()) {
    ++events_unknown_;
    return false;
  }
  if (ring_s != nullptr) *ring_s = found->second;
  answered_.erase(found);
  return true;
}

void Pacer::OnAnswered(AttemptId id, MonoTime now) {
  double age_s = 0;
  if (!TakeInFlight(id, now, age_s)) {
    ++events_unknown_;
    return;
  }
  ring_.Observe(kAnswer, age_s, SinceSpent(now, age_s));
  drift_seen_ += 1;
  answered_.emplace(id, age_s);
}

void Pacer::OnResolved(AttemptId id, AttemptResult result, MonoTime now) {
  double age_s = 0;
  const RingEnd end = RingEndOf(result);
  if (TakeInFlight(id, now, age_s)) {
    if (result == AttemptResult::kTrunkFault) return;
    if (result == AttemptResult::kCancelled) {
      ring_.Censor(age_s, SinceSpent(now, age_s));
    } else {
      ring_.Observe(static_cast<size_t>(end), age_s, SinceSpent(now, age_s));
    }
    return;
  }
  if (!TakeAnswered(id, &age_s)) return;
  if (end == RingEnd::kMachine) {
    ring_.Reclassify(kAnswer, static_cast<size_t>(end), age_s);
    drift_seen_ = std::max(0.0, drift_seen_ - 1);
  } else {
    ++callers_gone_;
  }
}

void Pacer::OnConnected(AttemptId id, MonoTime) {
  if (TakeAnswered(id, nullptr)) budget_.OnServed();
}

void Pacer::OnAbandoned(AttemptId id, MonoTime) {
  if (TakeAnswered(id, nullptr)) budget_.OnAbandoned();
}

void Pacer::OnWasMachine(AttemptId) { budget_.OnMachine(); }

void Pacer::OnTalkEnded(AttemptId, absl::Duration talk, MonoTime now) {
  const double age_s = absl::ToDoubleSeconds(talk);
  talk_.Observe(0, age_s, SinceSpent(now, age_s));
  budget_.OnEnded();
}

void Pacer::OnWrapEnded(absl::Duration wrap, MonoTime now) {
  const double age_s = absl::ToDoubleSeconds(wrap);
  wrap_.Observe(0, age_s, SinceSpent(now, age_s));
}

double Pacer::SinceSpent(MonoTime now, double age_s) const {
  return spent_once_ ? absl::ToDoubleSeconds(now - spent_) : age_s;
}

void Pacer::Learn(const PacingInput& input, MonoTime now) {
  dial_ages_.clear();
  for (const InFlight& dial : in_flight_) {
    dial_ages_.push_back(absl::ToDoubleSeconds(now - dial.dialed));
  }
  talk_ages_.clear();
  for (const absl::Duration age : input.talk_ages) {
    talk_ages_.push_back(absl::ToDoubleSeconds(age));
  }
  wrap_ages_.clear();
  for (const absl::Duration age : input.wrap_ages) {
    wrap_ages_.push_back(absl::ToDoubleSeconds(age));
  }
  const bool due = !spent_once_ || now - spent_ >= kRefreshEvery;
  if (due) {
    const double passed = spent_once_ ? absl::ToDoubleSeconds(now - spent_) : kForever;
    for (const double age : dial_ages_) {
      const double from = std::max(0.0, age - passed);
      drift_expected_ += ring_.EndsWithin(from, age - from);
    }
    const double fade = std::min(1.0, kDriftMemory / std::max(drift_expected_, 1e-9));
    drift_expected_ *= fade;
    drift_seen_ *= fade;

    const double n = static_cast<double>(talk_ages_.size() + wrap_ages_.size()) + input.agents_idle;
    ring_.SetMemory(
        std::max({kRingMemoryMin, 20 * n, kAnswerMemory / std::max(ring_.Share(kAnswer), 0.01)}));
    talk_.SetMemory(std::max(kTalkMemoryMin, 5 * n));
    wrap_.SetMemory(std::max(kTalkMemoryMin, 5 * n));
    ring_.Spend(dial_ages_, passed);
    talk_.Spend(talk_ages_, passed);
    wrap_.Spend(wrap_ages_, passed);
    spent_once_ = true;
    spent_ = now;
  }
  if (due || tables_stale_) BuildTables();
}

double Pacer::AnswerFactor() const {
  if (!(drift_expected_ > 1) || ring_.Weight(kAnswer) < kDriftLawMin) return 1;
  // Only what chance does not explain: the difference, less kDriftDeviations of its own noise.
  const double difference = drift_seen_ - drift_expected_;
  const double noise = kDriftDeviations * std::sqrt(drift_expected_);
  const double beyond = std::max(0.0, std::abs(difference) - noise);
  const double factor = 1 + std::copysign(beyond, difference) / drift_expected_;
  return std::clamp(factor, kDriftMin, kDriftMax);
}

void Pacer::BuildTables() {
  tables_stale_ = false;
  ring_.Refresh();
  talk_.Refresh();
  wrap_.Refresh();
  // What is not known well is taken on the careful side by one standard error.
  const double answers_up =
      AnswerFactor() * (1 + kCaution / std::sqrt(std::max(ring_.Weight(kAnswer), 1.0)));
  const double frees_down = 1 / (1 + kCaution / std::sqrt(std::max(talk_.Weight(0), 1.0)));
  const double limit = absl::ToDoubleSeconds(settings_.answer_limit);
  for (size_t j = 0; j < kRingPoints; ++j) {
    const double u = std::max(1e-3, ring_.Quantile(kRingQuantiles[j]));
    dial_table_[j].resize(ring_.bins().size());
    for (size_t bin = 0; bin < dial_table_[j].size(); ++bin) {
      dial_table_[j][bin] = std::min(1.0, answers_up * ring_.EndsWithinFromEdge(bin, u));
    }
    new_dial_[j] = dial_table_[j][0];
    FillFreeAfterTalk(talk_, wrap_, u + limit, talk_table_[j]);
    for (double& free : talk_table_[j]) free *= frees_down;
    wrap_table_[j].resize(wrap_.bins().size());
    for (size_t bin = 0; bin < wrap_table_[j].size(); ++bin) {
      wrap_table_[j][bin] = frees_down * wrap_.EndsWithinFromEdge(bin, u + limit);
    }
  }
}

void Pacer::DecidePredictive(int free_now, int agents_all, int legs_floor, int legs_most,
                             Decision& decision) {
  std::array<RingPoint, kRingPoints> points;
  for (size_t j = 0; j < kRingPoints; ++j) {
    answers_[j].clear();
    for (const double age : dial_ages_) {
      answers_[j].push_back(At(ring_.bins(), dial_table_[j], age));
    }
    frees_[j].clear();
    for (const double age : talk_ages_) {
      frees_[j].push_back(At(talk_.bins(), talk_table_[j], age));
    }
    for (const double age : wrap_ages_) {
      frees_[j].push_back(At(wrap_.bins(), wrap_table_[j], age));
    }
    points[j] = {answers_[j], frees_[j], new_dial_[j]};
  }
  decision.theta = budget_.Theta();
  const LookaheadResult ahead =
      lookahead_.Launch(free_now, points, decision.theta, legs_most, agents_all <= kAgentsExactMax);
  decision.p_abandon = ahead.p_abandon;
  decision.answers_expected = ahead.answers_expected;
  decision.agents_expected_free = ahead.agents_expected_free;
  const bool stopped_by_risk = !(ahead.p_abandon <= decision.theta);  // NaN is a risk
  if (!stopped_by_risk) return;  // one of the caps binds: they are applied by the caller
  decision.legs_to_place = std::max(ahead.dials, legs_floor);
  decision.limit = budget_.Aim() > 0 ? Limit::kAbandonment : Limit::kBudget;
}

int Pacer::BurstAllowance(int agents_all, MonoTime now) {
  const double most = std::max(1, agents_all);
  if (!burst_started_) burst_tokens_ = most;
  const double passed_s = burst_started_ ? absl::ToDoubleSeconds(now - burst_filled_) : 0;
  burst_started_ = true;
  burst_filled_ = std::max(burst_filled_, now);
  burst_tokens_ += std::max(0.0, passed_s) * kBurstPerAgentSecond * most;
  burst_tokens_ = std::min(burst_tokens_, most);
  return static_cast<int>(burst_tokens_);
}

void Pacer::Cap(int most, Limit limit, Decision& decision) {
  if (decision.legs_to_place <= most) return;
  decision.legs_to_place = std::max(0, most);
  decision.limit = limit;
}

Decision Pacer::Decide(const PacingInput& input, MonoTime now) {
  const int idle = std::max(0, input.agents_idle);
  const int waiting = std::max(0, input.calls_waiting);
  const int talking = static_cast<int>(input.talk_ages.size());
  const int agents_all = idle + talking + static_cast<int>(input.wrap_ages.size());
  const int in_flight = static_cast<int>(in_flight_.size());
  const int lines = in_flight + waiting + talking;
  const int free_now = idle - waiting;
  const int legs_floor = std::max(0, free_now - in_flight);

  Learn(input, now);
  budget_.SetAtRisk(waiting);
  Decision decision;
  decision.answer_ratio = ring_.Share(kAnswer);
  decision.agents_expected_free = free_now;
  if (agents_all > 0) decision.dial_level = static_cast<double>(lines) / agents_all;
  if (settings_.method == DialMethod::kManual || settings_.method == DialMethod::kPreview) {
    decision.limit = Limit::kMethod;
    return decision;
  }
  if (agents_all == 0) {
    decision.limit = Limit::kAgents;
    return decision;
  }

  budget_.SetAgents(agents_all);
  const int burst = BurstAllowance(agents_all, now);
  const int level_room =
      static_cast<int>(std::min(settings_.dial_level_max * agents_all, 1e9)) - lines;
  // The caps in the order in which a tie is reported.
  const std::array<std::pair<int, Limit>, 6> caps = {{{input.leads_ready, Limit::kHopper},
                                                      {input.trunk_tokens, Limit::kTrunkRate},
                                                      {input.lines_free, Limit::kLines},
                                                      {settings_.lines_max - lines, Limit::kLines},
                                                      {level_room, Limit::kLevel},
                                                      {burst, Limit::kBurst}}};
  int legs_most = std::numeric_limits<int>::max();
  for (const auto& [most, limit] : caps) legs_most = std::min(legs_most, std::max(0, most));

  decision.legs_to_place = std::numeric_limits<int>::max();
  switch (settings_.method) {
    case DialMethod::kManual:
    case DialMethod::kPreview:
      break;  // returned above
    case DialMethod::kProgressive:
      decision.legs_to_place = legs_floor;
      decision.limit = Limit::kAgents;
      break;
    case DialMethod::kRatio: {
      // VICIdial's reading of a level: lines for each agent who is free or talking, and the lines
      // in use by talks count. So level 1 is one line per free agent.
      const bool spent = budget_.Aim() <= 0;
      const double level = spent ? 1 : settings_.dial_level;
      const int goal = static_cast<int>(std::floor(level * (idle + talking) + 1e-9));
      decision.legs_to_place = std::max(0, goal - lines);
      decision.limit = spent ? Limit::kBudget : Limit::kLevel;
      break;
    }
    case DialMethod::kPredictive:
      DecidePredictive(free_now, agents_all, legs_floor, legs_most, decision);
      break;
  }
  for (const auto& [most, limit] : caps) Cap(most, limit, decision);
  burst_tokens_ -= decision.legs_to_place;
  decision.dial_level = static_cast<double>(lines + decision.legs_to_place) / agents_all;
  return decision;
}

PacerSnapshot Pacer::Snapshot() const {
  PacerSnapshot snapshot;
  snapshot.answer_ratio = ring_.Share(kAnswer);
  for (size_t end = 0; end < kRingEnds; ++end) snapshot.mix[end] = ring_.Share(end);
  snapshot.ring_time_mean = absl::Seconds(ring_.MeanAge());
  snapshot.talk_time_mean = absl::Seconds(talk_.MeanAge());
  snapshot.wrap_time_mean = absl::Seconds(wrap_.MeanAge());
  snapshot.window = budget_.counts();
  snapshot.in_flight = static_cast<int>(in_flight_.size());
  snapshot.callers_gone = callers_gone_;
  snapshot.events_unknown = events_unknown_;
  return snapshot;
}

std::vector<double> Pacer::SaveState() const {
  std::vector<double> state = {kStateVersion};
  ring_.Save(state);
  talk_.Save(state);
  wrap_.Save(state);
  budget_.Save(state);
  return state;
}

absl::Status Pacer::LoadState(absl::Span<const double> state) {
  const std::array<size_t, 4> sizes = {ring_.SavedSize(), talk_.SavedSize(), wrap_.SavedSize(),
                                       AbandonBudget::kSavedSize};
  size_t whole = 1;
  for (const size_t size : sizes) whole += size;
  if (state.size() != whole || state[0] != kStateVersion) {
    return absl::InvalidArgumentError("pacing state: not of this version; starting from the prior");
  }
  Pacer loaded = *this;
  size_t at = 1;
  const auto next = [&](size_t size) {
    at += size;
    return state.subspan(at - size, size);
  };
  if (!loaded.ring_.Load(next(sizes[0])) || !loaded.talk_.Load(next(sizes[1])) ||
      !loaded.wrap_.Load(next(sizes[2])) || !loaded.budget_.Load(next(sizes[3]))) {
    return absl::InvalidArgumentError("pacing state: a number is out of range; nothing loaded");
  }
  loaded.tables_stale_ = true;
  *this = std::move(loaded);
  return absl::OkStatus();
}

}  // namespace outpace::pacing
