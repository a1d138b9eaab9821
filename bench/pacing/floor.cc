#include "bench/pacing/floor.h"

#include <algorithm>
#include <cmath>

#include "engine/base/check.h"

namespace outpace::lab {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(500);

size_t Size(int n) { return static_cast<size_t>(n); }

uint64_t Mix(uint64_t a, uint64_t b) {
  uint64_t z = a * 0x9e3779b97f4a7c15ULL + b + 0x632be59bd9b4e019ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

// Gamma(shape, 1) by Marsaglia and Tsang 2000.
double Gamma(Rng& rng, double shape) {
  if (shape < 1) return Gamma(rng, shape + 1) * std::pow(1 - rng.Uniform(), 1 / shape);
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = rng.Normal();
    const double v = std::pow(1 + c * x, 3);
    if (v > 0 && std::log(1 - rng.Uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) {
      return d * v;
    }
  }
}

double Beta(Rng& rng, double mean, double correlation) {
  // corr(p, outcome) = sd(p) / sqrt(mean (1 - mean)), so a + b = 1 / correlation^2 - 1.
  const double sum = 1 / (correlation * correlation) - 1;
  const double a = Gamma(rng, mean * sum);
  const double b = Gamma(rng, (1 - mean) * sum);
  return std::clamp(a / (a + b), 1e-4, 1 - 1e-4);
}

}  // namespace

Floor::Floor(const sim::Scenario& scenario, uint64_t seed, const PolicyMaker& make)
    : scenario_(scenario),
      seed_(seed),
      churn_rng_(Mix(seed, 77)),
      warm_up_(MonoTime() + scenario.warm_up),
      end_(warm_up_ + scenario.length) {
  int agents = scenario.shared_agents;
  campaigns_.resize(scenario.campaigns.size());
  idle_.resize(scenario.campaigns.size());
  for (size_t i = 0; i < campaigns_.size(); ++i) {
    campaigns_[i].spec = &scenario.campaigns[i];
    agents += scenario.campaigns[i].agents;
  }
  // With many agents decisions are bundled, as a controller with a queue of events would.
  decide_every_min_ = agents <= 200    ? absl::ZeroDuration()
                      : agents <= 1000 ? absl::Milliseconds(50)
                                       : absl::Milliseconds(250);
  for (size_t i = 0; i < campaigns_.size(); ++i) {
    campaigns_[i].policy = make(*this, i);
    campaigns_[i].tokens = scenario.campaigns[i].calls_per_second;
    Staff(i, scenario.campaigns[i].agents);
    Push(MonoTime(), Kind::kTick, i);
    if (!campaigns_[i].spec->phases.empty()) Push(MonoTime(), Kind::kPhase, i);
    if (campaigns_[i].spec->churn_share > 0) {
      Push(MonoTime() + campaigns_[i].spec->churn_every, Kind::kChurn, i);
    }
  }
  for (int i = 0; i < scenario.shared_agents; ++i) {
    agents_.emplace_back();
    agents_.back().shared = true;
    agents_.back().campaign = Size(i) % campaigns_.size();
    LogIn(agents_.size() - 1);
  }
}

void Floor::Run() {
  while (!events_.empty() && events_.top().at < end_) {
    const Event event = events_.top();
    events_.pop();
    now_ = event.at;
    Handle(event);
  }
  now_ = end_;
  for (Agent& agent : agents_) {
    if (agent.state == AgentState::kOff) continue;
    FloorResult& result = campaigns_[agent.campaign].result;
    if (agent.state != AgentState::kIdle) {
      AddTime(result, agent.busy_since, end_, result.busy_s, true);
    }
    AddTime(result, agent.logged_since, end_, result.logged_s, false);
  }
  for (Campaign& c : campaigns_) {
    c.result.leads_passed_over = static_cast<int64_t>(c.choice.size());
    double agents = 0;
    for (const Agent& agent : agents_) agents += agent.campaign == Size(0) ? 1 : 0;
    for (double& share : c.result.minute_occupancy) share /= 60 * std::max(1.0, agents);
  }
}

void Floor::Handle(const Event& event) {
  switch (event.kind) {
    case Kind::kTick:
      return OnTick(event.id);
    case Kind::kPhase:
      return OnPhase(event.id);
    case Kind::kChurn:
      return OnChurn(event.id);
    case Kind::kAnswer: {
      Attempt& attempt = attempts_[event.id];
      Campaign& c = campaigns_[attempt.campaign];
      --c.ringing;
      attempt.answered = now_;
      c.policy->OnAnswered(Id(event.id), now_);
      if (Counted() && attempt.fate.kind == Fate::kPerson) ++c.result.answers;
      if (c.spec->amd.present && c.spec->amd.delay > absl::ZeroDuration()) {
        ++c.in_amd;
        Push(now_ + c.spec->amd.delay, Kind::kVerdict, event.id);
        return;
      }
      return Offer(event.id);
    }
    case Kind::kVerdict: {
      Attempt& attempt = attempts_[event.id];
      Campaign& c = campaigns_[attempt.campaign];
      --c.in_amd;
      const bool person = attempt.fate.kind == Fate::kPerson;
      const bool says_machine =
          attempt.fate.amd_u < (person ? c.spec->amd.false_positive : c.spec->amd.caught);
      if (!says_machine) return Offer(event.id);
      c.policy->OnResolved(Id(event.id), pacing::AttemptResult::kMachine, now_);
      if (person && Counted()) {
        ++c.result.persons;
        ++c.result.abandoned;
        ++Half(c.result).persons;
        ++Half(c.result).abandoned;
      }
      return DecideSoon(attempt.campaign);
    }
    case Kind::kResolve: {
      const Attempt& attempt = attempts_[event.id];
      --campaigns_[attempt.campaign].ringing;
      campaigns_[attempt.campaign].policy->OnResolved(Id(event.id), attempt.result, now_);
      return DecideSoon(attempt.campaign);
    }
    case Kind::kLimit:
      return Abandon(event.id);
    case Kind::kTalkEnd: {
      Agent& agent = agents_[event.id];
      const Attempt& attempt = attempts_[agent.attempt];
      Campaign& c = campaigns_[attempt.campaign];
      const bool machine = attempt.fate.kind == Fate::kMachine;
      c.policy->OnTalkEnded(Id(agent.attempt), now_ - agent.since, now_);
      agent.state = AgentState::kWrap;
      agent.since = now_;
      const double wrap_s = machine && !c.spec->wrap_after_machine ? 0 : attempt.fate.wrap_s;
      Push(now_ + absl::Seconds(wrap_s), Kind::kWrapEnd, event.id);
      return;
    }
    case Kind::kWrapEnd: {
      Agent& agent = agents_[event.id];
      const Attempt& attempt = attempts_[agent.attempt];
      Campaign& c = campaigns_[attempt.campaign];
      if (attempt.fate.kind == Fate::kMachine) c.policy->OnWasMachine(Id(agent.attempt));
      c.policy->OnWrapEnded(now_ - agent.since, now_);
      AddTime(c.result, agent.busy_since, now_, c.result.busy_s, true);
      if (agent.leaving) return LogOff(agent);
      return BecomeFree(event.id);
    }
  }
}

void Floor::OnTick(size_t campaign) {
  Push(now_ + kTick, Kind::kTick, campaign);
  Decide(campaign);
}

const sim::ScenarioPhase* Floor::PhaseAt(size_t campaign, MonoTime at) const {
  const auto& phases = scenario_.campaigns[campaign].phases;
  if (phases.empty()) return nullptr;
  absl::Duration circle;
  for (const sim::ScenarioPhase& phase : phases) circle += phase.length;
  absl::Duration into;
  absl::IDivDuration(at - MonoTime(), circle, &into);
  for (const sim::ScenarioPhase& phase : phases) {
    if (into < phase.length) return &phase;
    into -= phase.length;
  }
  return &phases.back();
}

const sim::OutcomeMix& Floor::MixAt(size_t campaign, MonoTime at) const {
  const sim::ScenarioPhase* phase = PhaseAt(campaign, at);
  if (phase != nullptr && phase->mix.has_value()) return *phase->mix;
  return scenario_.campaigns[campaign].mix;
}

void Floor::OnPhase(size_t campaign) {
  Campaign& c = campaigns_[campaign];
  const sim::ScenarioPhase* phase = PhaseAt(campaign, now_);
  c.stalled = phase->stalled;
  Push(now_ + phase->length, Kind::kPhase, campaign);
  Staff(campaign, phase->agents.value_or(c.spec->agents));
  Decide(campaign);
}

void Floor::OnChurn(size_t campaign) {
  const sim::ScenarioCampaign& spec = *campaigns_[campaign].spec;
  Push(now_ + spec.churn_every, Kind::kChurn, campaign);
  const double factor = 1 + spec.churn_share * (2 * churn_rng_.Uniform() - 1);
  Staff(campaign, static_cast<int>(std::lround(spec.agents * factor)));
  Decide(campaign);
}

void Floor::Staff(size_t campaign, int wanted) {
  int present = 0;
  for (const Agent& agent : agents_) {
    if (!agent.shared && agent.campaign == campaign && agent.state != AgentState::kOff &&
        !agent.leaving) {
      ++present;
    }
  }
  for (size_t a = 0; a < agents_.size() && present < wanted; ++a) {
    Agent& agent = agents_[a];
    if (agent.shared || agent.campaign != campaign) continue;
    if (agent.state == AgentState::kOff) {
      LogIn(a);
    } else if (agent.leaving) {
      agent.leaving = false;
    } else {
      continue;
    }
    ++present;
  }
  while (present < wanted) {
    agents_.emplace_back();
    agents_.back().campaign = campaign;
    LogIn(agents_.size() - 1);
    ++present;
  }
  // Who leaves: free agents first, then the others after their call.
  for (const bool idle : {true, false}) {
    for (size_t a = agents_.size(); a-- > 0 && present > wanted;) {
      Agent& agent = agents_[a];
      if (agent.shared || agent.campaign != campaign || agent.state == AgentState::kOff ||
          agent.leaving || (agent.state == AgentState::kIdle) != idle) {
        continue;
      }
      --present;
      if (idle) {
        std::erase(idle_[campaign], a);
        LogOff(agent);
      } else {
        agent.leaving = true;
      }
    }
  }
}

void Floor::LogIn(size_t a) {
  agents_[a].logged_since = now_;
  agents_[a].leaving = false;
  BecomeFree(a);
}

void Floor::LogOff(Agent& agent) {
  FloorResult& result = campaigns_[agent.campaign].result;
  AddTime(result, agent.logged_since, now_, result.logged_s, false);
  agent.state = AgentState::kOff;
}

void Floor::AddTime(FloorResult& result, MonoTime from, MonoTime to, double& sum, bool busy) {
  if (busy) {
    for (MonoTime at = from; at < to;) {
      const auto minute = static_cast<size_t>((at - MonoTime()) / absl::Minutes(1));
      const MonoTime next = MonoTime() + absl::Minutes(static_cast<double>(minute + 1));
      if (result.minute_occupancy.size() <= minute) result.minute_occupancy.resize(minute + 1, 0);
      result.minute_occupancy[minute] += absl::ToDoubleSeconds(std::min(to, next) - at);
      at = next;
    }
  }
  from = std::max(from, warm_up_);
  if (to > from) sum += absl::ToDoubleSeconds(to - from);
}

double Floor::AnswerChance(size_t campaign, int64_t index, MonoTime at) const {
  const double mean = MixAt(campaign, at).person;
  const double correlation = scenario_.campaigns[campaign].forecast_correlation;
  if (correlation <= 0) return mean;
  Rng rng(Mix(Mix(seed_, campaign + 1000), static_cast<uint64_t>(index)));
  return Beta(rng, mean, correlation);
}

Floor::Fate Floor::Draw(size_t campaign, int64_t index, MonoTime at) const {
  const sim::ScenarioCampaign& spec = scenario_.campaigns[campaign];
  const sim::ScenarioPhase* phase = PhaseAt(campaign, at);
  sim::OutcomeMix mix = MixAt(campaign, at);
  if (spec.forecast_correlation > 0) {
    // The others keep their proportions.
    const double person = AnswerChance(campaign, index, at);
    const double rest = (1 - person) / (1 - mix.person);
    mix = {person, mix.machine * rest, mix.no_answer * rest, mix.fail * rest};
  }
  Rng rng(Mix(Mix(seed_, campaign), static_cast<uint64_t>(index)));
  Fate fate;
  const double congestion_u = rng.Uniform();
  const double outcome_u = rng.Uniform();
  fate.amd_u = rng.Uniform();
  fate.talk_s = spec.talk.Draw(rng) * (phase != nullptr ? phase->talk_scale : 1);
  fate.wrap_s = spec.wrap.Draw(rng);
  const double extra = phase != nullptr ? absl::ToDoubleSeconds(phase->answer_delay_extra) : 0;
  const double limit_s = absl::ToDoubleSeconds(spec.ring_time_max);
  if (phase != nullptr && congestion_u < phase->congestion) {
    fate.congested = true;
    fate.delay_s = 0.3;
    return fate;
  }
  if (outcome_u < mix.person) {
    fate.kind = Fate::kPerson;
    fate.delay_s = spec.person_ring.Draw(rng) + extra;
  } else if (outcome_u < mix.person + mix.machine) {
    fate.kind = Fate::kMachine;
    fate.delay_s = spec.machine_ring.Draw(rng) + extra;
    fate.talk_s = spec.machine_talk.Draw(rng);
  } else if (outcome_u < mix.person + mix.machine + mix.no_answer) {
    fate.kind = Fate::kNoAnswer;
    fate.delay_s = limit_s;
  } else {
    fate.delay_s = spec.fail_delay.Draw(rng);
  }
  if (fate.delay_s >= limit_s) {
    fate.kind = Fate::kNoAnswer;
    fate.delay_s = limit_s;
  }
  return fate;
}

Floor::Lead Floor::NextLead(size_t campaign, MonoTime at) {
  Lead lead;
  lead.index = campaigns_[campaign].next_lead++;
  const sim::ScenarioPhase* phase = PhaseAt(campaign, at);
  if (phase != nullptr && phase->segment.has_value()) lead.traits.segment = *phase->segment;
  if (scenario_.campaigns[campaign].forecast_correlation > 0) {
    lead.traits.answer_chance = AnswerChance(campaign, lead.index, at);
  }
  return lead;
}

void Floor::FillChoice(Campaign& c, size_t campaign) {
  while (c.choice.size() < kChoice && (c.spec->leads == 0 || c.next_lead < c.spec->leads)) {
    c.choice.push_back(NextLead(campaign, now_));
  }
  c.choice_traits.clear();
  for (const Lead& lead : c.choice) c.choice_traits.push_back(lead.traits);
}

void Floor::DecideSoon(size_t campaign) {
  Campaign& c = campaigns_[campaign];
  if (now_ - c.decided >= decide_every_min_) Decide(campaign);
}

void Floor::Decide(size_t campaign) {
  Campaign& c = campaigns_[campaign];
  if (c.stalled) return;
  c.decided = now_;
  pacing::PacingInput input;
  talk_ages_.clear();
  wrap_ages_.clear();
  free_times_.clear();
  int talking = 0;
  for (const Agent& agent : agents_) {
    if (agent.campaign != campaign || agent.state != AgentState::kTalking) continue;
    ++talking;
    if (agent.leaving) continue;
    talk_ages_.push_back(now_ - agent.since);
    free_times_.push_back(agent.free_at);
  }
  for (const Agent& agent : agents_) {
    if (agent.campaign != campaign || agent.state != AgentState::kWrap || agent.leaving) continue;
    wrap_ages_.push_back(now_ - agent.since);
    free_times_.push_back(agent.free_at);
  }
  input.agents_idle = static_cast<int>(idle_[campaign].size());
  input.talk_ages = talk_ages_;
  input.wrap_ages = wrap_ages_;
  input.calls_waiting = static_cast<int>(c.waiting.size());
  input.calls_in_amd = c.in_amd;
  const int lines = c.ringing + c.in_amd + static_cast<int>(c.waiting.size()) + talking;
  input.lines_free = c.spec->lines_max > 0 ? c.spec->lines_max - lines : 1'000'000;
  input.trunk_tokens = 1'000'000;
  if (c.spec->calls_per_second > 0) {
    // As the controller's bucket: after a stall no more than two ticks' worth.
    const double passed_s =
        std::min(absl::ToDoubleSeconds(now_ - c.tokens_at), 2 * absl::ToDoubleSeconds(kTick));
    c.tokens_at = now_;
    c.tokens = std::min(c.tokens + c.spec->calls_per_second * passed_s,
                        std::max(1.0, c.spec->calls_per_second));
    input.trunk_tokens = static_cast<int>(c.tokens);
  }
  const bool choose = c.spec->forecast_correlation > 0;
  pacing::LeadTraits alike;
  if (choose) {
    FillChoice(c, campaign);
    input.next = c.choice_traits;
    input.leads_ready = static_cast<int>(c.choice.size());
  } else {
    const int64_t left = c.spec->leads == 0 ? 1'000'000 : c.spec->leads - c.next_lead;
    input.leads_ready = static_cast<int>(std::min<int64_t>(left, 1'000'000));
    const sim::ScenarioPhase* phase = PhaseAt(campaign, now_);
    if (phase != nullptr && phase->segment.has_value()) {
      alike.segment = *phase->segment;
      c.choice_traits.assign(kChoice, alike);
      input.next = c.choice_traits;
      input.leads_ready = std::min<int>(input.leads_ready, kChoice);
    }
  }
  ++c.result.decisions;
  c.last_decision = c.policy->Decide(input, now_);
  const pacing::Decision& decision = c.last_decision;
  const int most = std::min({input.lines_free, input.trunk_tokens, input.leads_ready});
  OUTPACE_CHECK(decision.legs_to_place >= 0 && decision.legs_to_place <= std::max(0, most));
  c.tokens -= decision.legs_to_place;
  if (choose) {
    OUTPACE_CHECK(decision.picks.empty() || decision.picks.size() == Size(decision.legs_to_place));
    std::vector<bool> taken(c.choice.size(), false);
    for (size_t i = 0; i < Size(decision.legs_to_place); ++i) {
      const size_t pick = decision.picks.empty() ? i : decision.picks[i];
      OUTPACE_CHECK(!taken.at(pick));
      taken[pick] = true;
      Launch(campaign, c.choice[pick]);
    }
    size_t kept = 0;
    for (size_t i = 0; i < c.choice.size(); ++i) {
      if (!taken[i]) c.choice[kept++] = c.choice[i];
    }
    c.choice.resize(kept);
  } else {
    for (int i = 0; i < decision.legs_to_place; ++i) Launch(campaign, NextLead(campaign, now_));
  }
  if (on_decision) on_decision(campaign, decision, now_);
  c.result.lines_peak = std::max(c.result.lines_peak, lines + decision.legs_to_place);
}

void Floor::Launch(size_t campaign, const Lead& lead) {
  Campaign& c = campaigns_[campaign];
  const size_t id = attempts_.size();
  Attempt attempt;
  attempt.campaign = campaign;
  attempt.fate = Draw(campaign, lead.index, now_);
  attempt.dialed = now_;
  c.policy->OnDialed(Id(id), lead.traits, now_);
  ++c.ringing;
  if (Counted()) ++c.result.dials;
  const int64_t second = absl::ToInt64Seconds(now_ - MonoTime());
  c.dials_in_second = second == c.second ? c.dials_in_second + 1 : 1;
  c.second = second;
  c.result.dials_per_second_peak = std::max(c.result.dials_per_second_peak, c.dials_in_second);
  Kind kind = Kind::kResolve;
  const bool at_once = c.spec->amd.present && c.spec->amd.delay == absl::ZeroDuration();
  switch (attempt.fate.kind) {
    case Fate::kPerson:
      kind = Kind::kAnswer;
      break;
    case Fate::kMachine:
      if (at_once && attempt.fate.amd_u < c.spec->amd.caught) {
        attempt.result = pacing::AttemptResult::kMachine;
      } else {
        kind = Kind::kAnswer;
      }
      break;
    case Fate::kNoAnswer:
      attempt.result = pacing::AttemptResult::kNoAnswer;
      break;
    case Fate::kFail:
      attempt.result = attempt.fate.congested ? pacing::AttemptResult::kTrunkFault
                                              : pacing::AttemptResult::kInvalid;
      break;
  }
  const double delay_s = attempt.fate.delay_s;
  attempts_.push_back(attempt);
  Push(now_ + absl::Seconds(delay_s), kind, id);
}

void Floor::Offer(size_t id) {
  const size_t campaign = attempts_[id].campaign;
  if (!idle_[campaign].empty()) return Connect(idle_[campaign].front(), id);
  // A free agent who is shared takes the call of another campaign that has nobody.
  for (size_t other = 0; other < idle_.size(); ++other) {
    for (const size_t a : idle_[other]) {
      if (agents_[a].shared) {
        AddTime(campaigns_[other].result, agents_[a].logged_since, now_,
                campaigns_[other].result.logged_s, false);
        std::erase(idle_[other], a);
        agents_[a].campaign = campaign;
        agents_[a].logged_since = now_;
        idle_[campaign].push_back(a);
        return Connect(a, id);
      }
    }
  }
  attempts_[id].waiting = true;
  campaigns_[campaign].waiting.push_back(id);
  Push(now_ + campaigns_[campaign].spec->answer_limit, Kind::kLimit, id);
}

void Floor::Connect(size_t a, size_t id) {
  Agent& agent = agents_[a];
  Attempt& attempt = attempts_[id];
  Campaign& c = campaigns_[attempt.campaign];
  std::erase(idle_[agent.campaign], a);
  c.policy->OnConnected(Id(id), now_);
  const bool person = attempt.fate.kind == Fate::kPerson;
  if (Counted()) {
    if (person) {
      ++c.result.persons;
      ++Half(c.result).persons;
      c.result.wait_s += absl::ToDoubleSeconds(now_ - attempt.answered);
    } else {
      ++c.result.machines_to_agents;
    }
  }
  agent.state = AgentState::kTalking;
  agent.since = agent.busy_since = now_;
  agent.attempt = id;
  const double wrap_s = person || c.spec->wrap_after_machine ? attempt.fate.wrap_s : 0;
  agent.free_at = now_ + absl::Seconds(attempt.fate.talk_s + wrap_s);
  Push(now_ + absl::Seconds(attempt.fate.talk_s), Kind::kTalkEnd, a);
}

void Floor::BecomeFree(size_t a) {
  Agent& agent = agents_[a];
  agent.state = AgentState::kIdle;
  agent.since = now_;
  if (agent.shared && campaigns_.size() > 1) {
    // Lent to whoever has a call waiting, else to the campaign with the fewest free agents.
    size_t best = agent.campaign;
    const auto need = [&](size_t i) {
      return std::pair(campaigns_[i].waiting.size(),
                       -static_cast<double>(idle_[i].size()) / campaigns_[i].spec->weight);
    };
    for (size_t i = 0; i < campaigns_.size(); ++i) {
      if (need(i) > need(best)) best = i;
    }
    if (best != agent.campaign) {
      FloorResult& from = campaigns_[agent.campaign].result;
      AddTime(from, agent.logged_since, now_, from.logged_s, false);
      agent.logged_since = now_;
      agent.campaign = best;
    }
  }
  Campaign& c = campaigns_[agent.campaign];
  idle_[agent.campaign].push_back(a);
  if (!c.waiting.empty()) {
    const size_t attempt = c.waiting.front();
    c.waiting.pop_front();
    attempts_[attempt].waiting = false;
    Connect(a, attempt);
  }
  if (c.policy != nullptr) DecideSoon(agents_[a].campaign);
}

void Floor::Abandon(size_t id) {
  Attempt& attempt = attempts_[id];
  if (!attempt.waiting) return;
  Campaign& c = campaigns_[attempt.campaign];
  attempt.waiting = false;
  std::erase(c.waiting, id);
  c.policy->OnAbandoned(Id(id), now_);
  if (!Counted()) return;
  if (attempt.fate.kind != Fate::kPerson) {
    ++c.result.machines_abandoned;
    return;
  }
  ++c.result.persons;
  ++c.result.abandoned;
  ++Half(c.result).persons;
  ++Half(c.result).abandoned;
}

HalfHour& Floor::Half(FloorResult& result) {
  const auto half = static_cast<size_t>((now_ - warm_up_) / absl::Minutes(30));
  if (result.half_hours.size() <= half) result.half_hours.resize(half + 1);
  return result.half_hours[half];
}

Floor::Future Floor::FutureOf(AttemptId id) const {
  const Attempt& attempt = attempts_[id.value() - 1];
  const sim::AmdModel& amd = campaigns_[attempt.campaign].spec->amd;
  const bool reaches =
      attempt.fate.kind == Fate::kPerson || (attempt.fate.kind == Fate::kMachine && !amd.present);
  return {reaches, attempt.dialed + absl::Seconds(attempt.fate.delay_s)};
}

Floor::Future Floor::FutureOfNext(size_t campaign, size_t k) const {
  const Campaign& c = campaigns_[campaign];
  const Fate fate = Draw(campaign, c.next_lead + static_cast<int64_t>(k), now_);
  const bool reaches =
      fate.kind == Fate::kPerson || (fate.kind == Fate::kMachine && !c.spec->amd.present);
  return {reaches, now_ + absl::Seconds(fate.delay_s)};
}

}  // namespace outpace::lab
