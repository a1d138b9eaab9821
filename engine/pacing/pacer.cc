#include "engine/pacing/pacer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/base/check.h"

namespace outpace::pacing {
namespace {

// Rings up to 256 s in eighths of an octave, talks and wraps up to 4.5 h in quarters.
LogBins RingBins() { return LogBins(1.0 / 16, 12, 3); }
LogBins TalkBins() { return LogBins(1.0 / 4, 16, 2); }

constexpr auto kAnswer = static_cast<size_t>(RingEnd::kAnswer);

// Observations that a law remembers: dials (more where answers are rare, so that kAnswerMemory
// answers are among them) and talks; more with many agents, 20 dials and 5 talks each.
constexpr double kRingMemoryMin = 400;
constexpr double kAnswerMemory = 400;
constexpr double kTalkMemoryMin = 250;

// What is not known well is taken on the careful side by so many standard errors.
constexpr double kCaution = 1;
constexpr int kCountMax = 1'000'000;
constexpr int kAmdCallsMax = 10'000;
constexpr double kForever = 1e6;
constexpr double kGapMaxS = 3;

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

constexpr double kAmdShare = 0.01;

// Every so many leads chosen, the oldest of the window is one.
constexpr uint32_t kOldestEvery = 30;

const absl::Duration kRefreshEvery = absl::Milliseconds(500);

// Legs per agent and second that may be placed on top of those one decision may place at once (one
// per agent). A campaign at 4 % answers and 40 s talks needs 0.6. With RATIO the user has said how
// many lines an agent is worth, and may have them within a second.
constexpr double kBurstPerAgentSecond = 1;

constexpr double kStateVersion = 2;

// A trunk that answers everything at once: so many of the last dials, answered within so long.
constexpr double kInstantAnswerS = 0.3;
constexpr double kInstantShareMax = 0.6;
constexpr double kInstantMemory = 30;
// AMD that calls everyone a machine: so many verdicts in a row. One person in ten among the answers
// gives that once in 600 times, and then only until the next person.
constexpr int kMachinesInARow = 60;

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

// An age among the bins: reads tables over them, linear between the edges.
class Place {
 public:
  Place(const LogBins& bins, double age) : bin_(bins.Find(age)) {
    if (bin_ + 1 == bins.size()) return;
    part_ = std::clamp((age - bins.edge(bin_)) / bins.width(bin_), 0.0, 1.0);
  }
  double In(const std::vector<double>& table) const {
    if (bin_ + 1 == table.size()) return table[bin_];
    return table[bin_] + part_ * (table[bin_ + 1] - table[bin_]);
  }

 private:
  size_t bin_;
  double part_ = 0;
};

std::vector<Contract> ContractsOf(const PacerSettings& settings) {
  if (!settings.contracts.empty()) return settings.contracts;
  return {{"abandonment", settings.abandon_ratio_max, absl::InfiniteDuration()}};
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
      budget_(ContractsOf(settings)) {
  UpdateSettings(settings);
  ring_.SetPrior(kRingPrior, absl::ToDoubleSeconds(settings_.ring_time_max), kRingPriorWeight);
  talk_.SetPrior({&kTalkPrior, 1}, kTalkAgeMax, kTalkPriorWeight);
  wrap_.SetPrior({&kWrapPrior, 1}, kWrapAgeMax, kTalkPriorWeight);
}

void Pacer::UpdateSettings(const PacerSettings& settings) {
  settings_ = settings;
  settings_.dial_level_max = std::clamp(Finite(settings.dial_level_max, 1), 1.0, 1000.0);
  settings_.dial_level = std::clamp(Finite(settings.dial_level, 1), 1.0, settings_.dial_level_max);
  settings_.lines_max = std::clamp(settings.lines_max, 0, kCountMax);
  settings_.answer_limit =
      std::clamp(settings.answer_limit, absl::ZeroDuration(), absl::Seconds(60));
  settings_.ring_time_max =
      std::clamp(settings.ring_time_max, absl::Seconds(1), absl::Seconds(300));
  budget_.SetContracts(ContractsOf(settings));
  budget_.SetAmdFalsePositive(settings.amd_false_positive);
  budget_.SetIntensity(settings.intensity);
  tables_stale_ = true;
}

void Pacer::OnDialed(AttemptId id, const LeadTraits& lead, MonoTime now) {
  if (!in_flight_index_.emplace(id, in_flight_.size()).second) {
    ++events_unknown_;
    return;
  }
  in_flight_.push_back({id, now, answers_model_.PlaceOf(lead)});
}

bool Pacer::TakeInFlight(AttemptId id, MonoTime now, double& age_s, LeadPlace& lead) {
  const auto found = in_flight_index_.find(id);
  if (found == in_flight_index_.end()) return false;
  const size_t place = found->second;
  age_s = absl::ToDoubleSeconds(now - in_flight_[place].dialed);
  lead = in_flight_[place].lead;
  in_flight_index_.erase(found);
  if (place + 1 != in_flight_.size()) {
    in_flight_[place] = in_flight_.back();
    in_flight_index_[in_flight_[place].id] = place;
  }
  in_flight_.pop_back();
  return true;
}

bool Pacer::TakeAnswered(AttemptId id, Answered& answered) {
  const auto found = answered_.find(id);
  if (found == answered_.end()) {
    ++events_unknown_;
    return false;
  }
  answered = found->second;
  answered_.erase(found);
  return true;
}

void Pacer::SpendLast(const LeadPlace& lead, double age_s, MonoTime now) {
  const double passed = std::min(age_s, SinceSpent(now, age_s));
  answers_model_.Spend(ring_, lead, std::max(0.0, age_s - passed), age_s);
}

void Pacer::CountInstant(bool instant) {
  instant_answers_ += ((instant ? 1.0 : 0.0) - instant_answers_) / kInstantMemory;
  instant_weight_ += 1;
}

void Pacer::OnAnswered(AttemptId id, MonoTime now) {
  Answered answered;
  if (!TakeInFlight(id, now, answered.ring_s, answered.lead)) {
    ++events_unknown_;
    return;
  }
  CountInstant(answered.ring_s >= 0 && answered.ring_s < kInstantAnswerS);
  SpendLast(answered.lead, answered.ring_s, now);
  ring_.Observe(kAnswer, answered.ring_s, SinceSpent(now, answered.ring_s));
  answered_.emplace(id, answered);
}

void Pacer::OnResolved(AttemptId id, AttemptResult result, MonoTime now) {
  double age_s = 0;
  LeadPlace lead;
  const RingEnd end = RingEndOf(result);
  if (TakeInFlight(id, now, age_s, lead)) {
    if (result == AttemptResult::kTrunkFault) return;
    CountInstant(false);
    SpendLast(lead, age_s, now);
    if (result == AttemptResult::kCancelled) {
      ring_.Censor(age_s, SinceSpent(now, age_s));
    } else {
      ring_.Observe(static_cast<size_t>(end), age_s, SinceSpent(now, age_s));
    }
    return;
  }
  Answered answered;
  if (!TakeAnswered(id, answered)) return;
  if (end == RingEnd::kMachine) {
    ring_.Reclassify(kAnswer, static_cast<size_t>(end), answered.ring_s);
    budget_.OnAmdMachine();
    amd_persons_ += kAmdShare * (0 - amd_persons_);
    ++machines_in_a_row_;
  } else {
    OnPerson(answered);
    ++callers_gone_;
  }
}

void Pacer::OnConnected(AttemptId id, MonoTime) {
  Answered answered;
  if (!TakeAnswered(id, answered)) return;
  OnPerson(answered);
  budget_.OnServed();
}

void Pacer::OnAbandoned(AttemptId id, MonoTime) {
  Answered answered;
  if (!TakeAnswered(id, answered)) return;
  OnPerson(answered);
  budget_.OnAbandoned();
}

void Pacer::OnPerson(const Answered& answered) {
  answers_model_.OnPerson(answered.lead);
  machines_in_a_row_ = 0;
  amd_persons_ += kAmdShare * (1 - amd_persons_);
}

void Pacer::OnWasMachine(AttemptId) { budget_.OnMachine(); }

void Pacer::OnTalkEnded(AttemptId, absl::Duration talk, MonoTime now) {
  const double age_s = absl::ToDoubleSeconds(talk);
  talk_.Observe(0, age_s, SinceSpent(now, age_s));
}

void Pacer::OnWrapEnded(absl::Duration wrap, MonoTime now) {
  const double age_s = absl::ToDoubleSeconds(wrap);
  wrap_.Observe(0, age_s, SinceSpent(now, age_s));
  budget_.OnEnded();  // the agent has had his say on it
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
  bool gap = false;  // too long since the last time: exposure and answers do not go together
  const bool due = !spent_once_ || now - spent_ >= kRefreshEvery;
  if (due) {
    const double passed = spent_once_ ? absl::ToDoubleSeconds(now - spent_) : kForever;
    gap = passed > kGapMaxS;
    for (size_t i = 0; i < in_flight_.size(); ++i) {
      const double age = dial_ages_[i];
      answers_model_.Spend(ring_, in_flight_[i].lead, std::max(0.0, age - passed), age);
    }

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
  if (due) answers_model_.Refresh(ring_, gap);
}

void Pacer::BuildTables() {
  tables_stale_ = false;
  ring_.Refresh();
  talk_.Refresh();
  wrap_.Refresh();
  ring_mean_ = absl::Seconds(ring_.MeanAge());
  talk_mean_ = absl::Seconds(talk_.MeanAge());
  wrap_mean_ = absl::Seconds(wrap_.MeanAge());
  // What is not known well is taken on the careful side by one standard error.
  const double frees_down = 1 / (1 + kCaution / std::sqrt(std::max(talk_.Weight(0), 1.0)));
  const double limit = absl::ToDoubleSeconds(settings_.answer_limit);
  const size_t bins = ring_.bins().size();
  dial_left_.resize(bins);
  dial_others_.resize(bins);
  for (size_t bin = 0; bin < bins; ++bin) {
    dial_left_[bin] = 1 - ring_.ShareBy(ring_.bins().edge(bin));
    dial_others_[bin] = ring_.OthersSurvival(ring_.bins().edge(bin));
  }
  for (size_t j = 0; j < kRingPoints; ++j) {
    const double u = std::max(1e-3, ring_.Quantile(kRingQuantiles[j]));
    dial_table_[j].resize(bins);
    for (size_t bin = 0; bin < bins; ++bin) {
      const double edge = ring_.bins().edge(bin);
      dial_table_[j][bin] = std::max(0.0, ring_.ShareBy(edge + u) - (1 - dial_left_[bin]));
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

void Pacer::DecidePredictive(const PacingInput& input, int free_now, int agents_all, int legs_floor,
                             int legs_most, Decision& decision) {
  for (size_t j = 0; j < kRingPoints; ++j) {
    answers_[j].clear();
    frees_[j].clear();
  }
  const double up = 1 + kCaution / std::sqrt(std::max(ring_.Weight(kAnswer), 1.0));
  for (size_t i = 0; i < in_flight_.size(); ++i) {
    const double chance = std::min(0.98, up * answers_model_.Chance(in_flight_[i].lead));
    const Place at(ring_.bins(), dial_ages_[i]);
    const double alive = chance * at.In(dial_left_) + (1 - chance) * at.In(dial_others_);
    for (size_t j = 0; j < kRingPoints; ++j) {
      const double q = chance * at.In(dial_table_[j]) / std::max(alive, 1e-6);
      answers_[j].push_back(std::clamp(q, 0.0, 1.0));
    }
  }
  for (int i = 0; i < std::min(input.calls_in_amd, kAmdCallsMax); ++i) {
    for (size_t j = 0; j < kRingPoints; ++j) answers_[j].push_back(amd_persons_);
  }
  for (const double age : talk_ages_) {
    const Place at(talk_.bins(), age);
    for (size_t j = 0; j < kRingPoints; ++j) frees_[j].push_back(at.In(talk_table_[j]));
  }
  for (const double age : wrap_ages_) {
    const Place at(wrap_.bins(), age);
    for (size_t j = 0; j < kRingPoints; ++j) frees_[j].push_back(at.In(wrap_table_[j]));
  }
  std::array<RingPoint, kRingPoints> points;
  for (size_t j = 0; j < kRingPoints; ++j) points[j] = {answers_[j], frees_[j], 0};
  for (size_t j = 0; j < kRingPoints; ++j) {
    for (const double q : answers_[j]) decision.answers_expected += kRingWeights[j] * q;
    for (const double c : frees_[j]) decision.agents_expected_free += kRingWeights[j] * c;
  }
  decision.theta = budget_.Theta();
  lookahead_.Begin(free_now, points, agents_all <= kAgentsExactMax);
  const bool choose = !input.next.empty();
  if (choose) SortChoice(input, up);
  const LeadChance alike = {std::min(0.98, up * answers_model_.campaign_ratio()), 0};
  int dials = 0;
  for (;; ++dials) {
    decision.p_abandon = lookahead_.Risk();
    const bool stopped_by_risk = !(decision.p_abandon <= decision.theta);  // NaN is a risk
    if (stopped_by_risk && dials >= legs_floor) break;
    if (dials >= legs_most) return;  // one of the caps binds: they are applied by the caller
    const LeadChance next = choose ? Choose(decision.theta) : alike;
    if (choose) picks_.push_back(next.index);
    lookahead_.Add(NewDial(next.chance));
  }
  decision.legs_to_place = dials;
  decision.limit = budget_.Spent() ? Limit::kBudget : Limit::kAbandonment;
}

// Which lead: with nothing in flight for a free agent, one likely lead is worth more than several
// middling ones that may answer together; the nearer the risk is to its limit, the less likely the
// next one should be, since a small chance still fits in. So the place among the leads by chance
// follows the room that is left. All leads of the window are dialed in the end, as many likely ones
// as unlikely: every kOldestEvery-th is the oldest.
void Pacer::SortChoice(const PacingInput& input, double up) {
  choice_.clear();
  const size_t n =
      std::min<size_t>(input.next.size(), static_cast<size_t>(std::max(0, input.leads_ready)));
  bool alike = true;
  for (size_t i = 0; i < n; ++i) {
    const double chance = std::min(0.98, up * answers_model_.Chance(input.next[i]));
    choice_.push_back({chance, static_cast<uint32_t>(i)});
    alike = alike && chance == choice_[0].chance;
  }
  taken_.assign(n, false);
  choice_next_ = 0;
  choice_oldest_ = 0;
  choice_alike_ = alike;
  if (alike) return;
  std::sort(choice_.begin(), choice_.end(), [](const LeadChance& a, const LeadChance& b) {
    return std::pair(a.chance, a.index) < std::pair(b.chance, b.index);
  });
}

Pacer::LeadChance Pacer::Choose(double theta) {
  if (choice_alike_) return choice_[choice_next_++];
  const auto take = [this](const LeadChance& lead) {
    taken_[lead.index] = true;
    return lead;
  };
  if (++picked_ % kOldestEvery == 0) {
    while (taken_[choice_oldest_]) ++choice_oldest_;
    for (const LeadChance& lead : choice_) {
      if (lead.index == choice_oldest_) return take(lead);
    }
  }
  const double used = std::clamp(lookahead_.Risk() / std::max(theta, 1e-12), 0.0, 1.0);
  const auto top = static_cast<double>(choice_.size() - 1);
  const auto at = static_cast<size_t>((1 - used) * top);
  for (size_t step = 0; step < choice_.size(); ++step) {
    if (at + step < choice_.size() && !taken_[choice_[at + step].index]) {
      return take(choice_[at + step]);
    }
    if (at >= step && !taken_[choice_[at - step].index]) return take(choice_[at - step]);
  }
  OUTPACE_CHECK(false);  // the caller asks for no more leads than there are
  return {};
}

Lookahead::Chances Pacer::NewDial(double chance) const {
  Lookahead::Chances dial;
  for (size_t j = 0; j < kRingPoints; ++j) dial[j] = chance * new_dial_[j];
  return dial;
}

Alarm Pacer::AlarmOf(const PacingInput& input, MonoTime now) {
  const bool back = decided_once_ && now < decided_;
  decided_once_ = true;
  decided_ = now;
  if (back) {
    // Time goes on from here: one progressive decision, nothing learned from the step.
    spent_ = burst_filled_ = now;
    return Alarm::kClockStep;
  }
  const auto absurd = [](absl::Span<const absl::Duration> ages) {
    return std::any_of(ages.begin(), ages.end(), [](absl::Duration age) {
      return age < absl::ZeroDuration() || age == absl::InfiniteDuration();
    });
  };
  const auto sane = [](int count) { return count >= 0 && count <= kCountMax; };
  if (!sane(input.agents_idle) || !sane(input.calls_waiting) || !sane(input.calls_in_amd) ||
      absurd(input.talk_ages) || absurd(input.wrap_ages)) {
    return Alarm::kBadInput;
  }
  if (instant_weight_ >= kInstantMemory / 2 && instant_answers_ > kInstantShareMax) {
    return Alarm::kAnswersTooMany;
  }
  if (machines_in_a_row_ >= kMachinesInARow) return Alarm::kNoPersons;
  return Alarm::kNone;
}

void Pacer::Explain(const PacingInput& input, Decision& decision) const {
  decision.agents_idle = std::max(0, input.agents_idle);
  decision.agents_talking = static_cast<int>(input.talk_ages.size());
  decision.agents_wrapping = static_cast<int>(input.wrap_ages.size());
  decision.calls_waiting = std::max(0, input.calls_waiting);
  decision.calls_in_amd = std::max(0, input.calls_in_amd);
  decision.in_flight = static_cast<int>(in_flight_.size());
  decision.answer_ratio = answers_model_.campaign_ratio();
  decision.machine_estimate = budget_.counts().MachineShare();
  decision.ring_time_mean = ring_mean_;
  decision.talk_time_mean = talk_mean_;
  decision.wrap_time_mean = wrap_mean_;
  decision.aim = budget_.Aim();
  decision.contract = budget_.binding_contract();
  decision.budget_left = budget_.Left();
  const AbandonEstimate window = budget_.Estimate(static_cast<size_t>(decision.contract));
  decision.persons = window.persons;
  decision.abandoned = window.abandoned;
}

int Pacer::BurstAllowance(int agents_all, MonoTime now) {
  const bool by_level = settings_.method == DialMethod::kRatio;
  const double most = std::max(1, agents_all) * (by_level ? settings_.dial_level : 1.0);
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
  const Alarm alarm = AlarmOf(input, now);
  const int idle = std::clamp(input.agents_idle, 0, kCountMax);
  const int waiting = std::clamp(input.calls_waiting, 0, kCountMax);
  const int in_amd = std::clamp(input.calls_in_amd, 0, kCountMax);
  const int talking = static_cast<int>(input.talk_ages.size());
  const int agents_all = idle + talking + static_cast<int>(input.wrap_ages.size());
  const int in_flight = static_cast<int>(in_flight_.size());
  const int lines = in_flight + waiting + in_amd + talking;
  const int free_now = idle - waiting;
  const int legs_floor = std::max(0, free_now - in_amd - in_flight);

  picks_.clear();
  if (alarm != Alarm::kClockStep && alarm != Alarm::kBadInput) Learn(input, now);
  budget_.Advance(now);
  budget_.SetAtRisk(waiting);
  Decision decision;
  decision.alarm = alarm;
  Explain(input, decision);
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
  const int leads_ready = input.next.empty()
                              ? input.leads_ready
                              : std::min(input.leads_ready, static_cast<int>(input.next.size()));
  // The caps in the order in which a tie is reported.
  const std::array<std::pair<int, Limit>, 6> caps = {{{leads_ready, Limit::kHopper},
                                                      {input.trunk_tokens, Limit::kTrunkRate},
                                                      {input.lines_free, Limit::kLines},
                                                      {settings_.lines_max - lines, Limit::kLines},
                                                      {level_room, Limit::kLevel},
                                                      {burst, Limit::kBurst}}};
  int legs_most = std::numeric_limits<int>::max();
  for (const auto& [most, limit] : caps) legs_most = std::min(legs_most, std::max(0, most));

  decision.legs_to_place = std::numeric_limits<int>::max();
  switch (alarm != Alarm::kNone ? DialMethod::kProgressive : settings_.method) {
    case DialMethod::kManual:
    case DialMethod::kPreview:
      break;  // returned above
    case DialMethod::kProgressive:
      decision.legs_to_place = legs_floor;
      decision.limit = alarm != Alarm::kNone ? Limit::kSafety : Limit::kAgents;
      break;
    case DialMethod::kRatio: {
      // VICIdial's reading of a level: lines for each agent who is free or talking, and the lines
      // in use by talks count. So level 1 is one line per free agent.
      const bool spent = budget_.Spent();
      const double level = spent ? 1 : settings_.dial_level;
      const int goal = static_cast<int>(std::floor(level * (idle + talking) + 1e-9));
      decision.legs_to_place = std::max(0, goal - lines);
      decision.limit = spent ? Limit::kBudget : Limit::kLevel;
      break;
    }
    case DialMethod::kPredictive:
      DecidePredictive(input, free_now, agents_all, legs_floor, legs_most, decision);
      break;
  }
  for (const auto& [most, limit] : caps) Cap(most, limit, decision);
  picks_.resize(std::min(picks_.size(), static_cast<size_t>(decision.legs_to_place)));
  // The rules that do not choose dial the oldest.
  if (!input.next.empty()) {
    for (auto i = static_cast<uint32_t>(picks_.size());
         i < static_cast<uint32_t>(decision.legs_to_place); ++i)
      picks_.push_back(i);
  }
  decision.picks = picks_;
  budget_.SetBinding(settings_.method == DialMethod::kPredictive &&
                     (decision.limit == Limit::kAbandonment || decision.limit == Limit::kBudget));
  burst_tokens_ -= decision.legs_to_place;
  decision.dial_level = static_cast<double>(lines + decision.legs_to_place) / agents_all;
  return decision;
}

PacerSnapshot Pacer::Snapshot() const {
  PacerSnapshot snapshot;
  snapshot.answer_ratio = answers_model_.campaign_ratio();
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
  answers_model_.Save(state);
  return state;
}

absl::Status Pacer::LoadState(absl::Span<const double> state) {
  const std::array<size_t, 4> sizes = {ring_.SavedSize(), talk_.SavedSize(), wrap_.SavedSize(),
                                       AbandonBudget::kSavedSize};
  size_t fixed = 1;
  for (const size_t size : sizes) fixed += size;
  if (state.size() < fixed || state[0] != kStateVersion) {
    return absl::InvalidArgumentError("pacing state: not of this version; starting from the prior");
  }
  Pacer loaded = *this;
  size_t at = 1;
  const auto next = [&](size_t size) {
    at += size;
    return state.subspan(at - size, size);
  };
  if (!loaded.ring_.Load(next(sizes[0])) || !loaded.talk_.Load(next(sizes[1])) ||
      !loaded.wrap_.Load(next(sizes[2])) || !loaded.budget_.Load(next(sizes[3])) ||
      !loaded.answers_model_.Load(state.subspan(fixed))) {
    return absl::InvalidArgumentError("pacing state: a number is out of range; nothing loaded");
  }
  // The places of dials in flight were in the old segments: they count for the campaign.
  for (InFlight& dial : loaded.in_flight_) dial.lead.segment = -1;
  for (auto& [id, answered] : loaded.answered_) answered.lead.segment = -1;
  loaded.answers_model_.Refresh(loaded.ring_, true);
  loaded.tables_stale_ = true;
  *this = std::move(loaded);
  return absl::OkStatus();
}

}  // namespace outpace::pacing
