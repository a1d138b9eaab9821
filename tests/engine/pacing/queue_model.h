#pragma once

// A campaign in virtual time: agents who talk and wrap up, dials that are answered or not, and a
// Pacer that is told what a controller would tell it and nothing else. No telephony. The base
// scenario is the one of docs/PACING.md: 20 % persons, 35 % machines (recognised at once), 30 % no
// answer, 15 % failures; ring 2 s + Erlang(3, mean 9 s); talk 150 s, wrap-up 30 s.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/rng.h"
#include "engine/pacing/pacer.h"

namespace outpace::pacing {

struct ModelConfig {
  int agents = 50;
  double persons = 0.20;
  double machines = 0.35;         // recognised before an agent is asked
  double machines_unknown = 0;    // answered like persons; the agent finds out
  double no_answer = 0.30;        // the rest fails
  double ring_delay_s = 2;        // fixed part of the answer delay
  double ring_erlang_mean_s = 9;  // Erlang(3) part
  double machine_ring_s = 20;
  double fail_mean_s = 5;
  double talk_mean_s = 150;
  double talk_cv = 0.8;
  double machine_talk_s = 12;
  double wrap_mean_s = 30;
  double wrap_cv = 0.5;
  double tick_s = 0.5;
  PacerSettings settings = {.method = DialMethod::kPredictive};
};

struct ModelResult {
  double occupancy = 0;  // share of agents' time on a call or in wrap-up
  int persons = 0;       // persons who answered and were connected or abandoned
  int connected = 0;     // calls connected, machines too
  int abandoned = 0;     // all calls that met no agent in time
  int dials = 0;
  int lines_peak = 0;
  int decisions = 0;
  double ratio() const {  // every abandoned call held against the persons, as a careful judge would
    return persons > 0 ? static_cast<double>(abandoned) / persons : 0;
  }
};

class QueueModel {
 public:
  QueueModel(const ModelConfig& config, uint64_t seed)
      : config_(config), rng_(seed), pacer_(config.settings), agents_(Size(config.agents)) {}

  // Runs for `length`; counts only what happens after `warm_up`.
  ModelResult Run(absl::Duration warm_up, absl::Duration length) {
    warm_up_ = MonoTime() + warm_up;
    const MonoTime end = MonoTime() + length;
    Push(MonoTime(), Kind::kTick, 0);
    while (!events_.empty() && events_.top().at < end) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.at;
      Handle(event);
    }
    for (const Agent& agent : agents_) {
      if (agent.state != AgentState::kIdle) AddBusy(agent.busy_since, end);
    }
    result_.occupancy = busy_s_ / (config_.agents * absl::ToDoubleSeconds(end - warm_up_));
    return result_;
  }

  Pacer& pacer() { return pacer_; }
  // Called with the model's time at each tick; may change config().
  std::function<void(absl::Duration)> on_tick;
  ModelConfig& config() { return config_; }
  // No decision is asked for while this is set: a controller that is stuck.
  bool stalled = false;

 private:
  enum class Kind { kTick, kAnswer, kResolve, kLimit, kTalkEnd, kWrapEnd };
  struct Event {
    MonoTime at;
    uint64_t order;
    Kind kind;
    size_t id;                                  // attempt or agent
    bool operator<(const Event& other) const {  // the queue's top is the earliest
      return std::pair(other.at, other.order) < std::pair(at, order);
    }
  };
  enum class AgentState { kIdle, kTalking, kWrap };
  struct Agent {
    AgentState state = AgentState::kIdle;
    MonoTime since;
    MonoTime busy_since;
    size_t attempt = 0;
  };
  struct Attempt {
    bool person = false;
    bool waiting = false;
    AttemptResult result = AttemptResult::kOther;
  };

  static size_t Size(int n) { return static_cast<size_t>(n); }
  static AttemptId Id(size_t attempt) { return AttemptId(attempt + 1); }
  bool Counted() const { return now_ >= warm_up_; }

  void Push(MonoTime at, Kind kind, size_t id) { events_.push({at, order_++, kind, id}); }
  void AddBusy(MonoTime from, MonoTime to) {
    from = std::max(from, warm_up_);
    if (to > from) busy_s_ += absl::ToDoubleSeconds(to - from);
  }

  void Handle(const Event& event) {
    switch (event.kind) {
      case Kind::kTick:
        if (on_tick) on_tick(now_ - MonoTime());
        Push(now_ + absl::Seconds(config_.tick_s), Kind::kTick, 0);
        Dial();
        break;
      case Kind::kAnswer:
        --ringing_;
        pacer_.OnAnswered(Id(event.id), now_);
        Offer(event.id);
        break;
      case Kind::kResolve:
        --ringing_;
        pacer_.OnResolved(Id(event.id), attempts_[event.id].result, now_);
        Dial();
        break;
      case Kind::kLimit:
        OnAnswerLimit(event.id);
        break;
      case Kind::kTalkEnd:
        OnTalkEnd(agents_[event.id], event.id);
        break;
      case Kind::kWrapEnd:
        OnWrapEnd(agents_[event.id]);
        break;
    }
  }

  void Offer(size_t attempt) {
    for (size_t a = 0; a < agents_.size(); ++a) {
      if (agents_[a].state == AgentState::kIdle) return Connect(a, attempt);
    }
    attempts_[attempt].waiting = true;
    waiting_.push_back(attempt);
    Push(now_ + config_.settings.answer_limit, Kind::kLimit, attempt);
  }

  void Connect(size_t a, size_t attempt) {
    pacer_.OnConnected(Id(attempt), now_);
    if (Counted()) {
      ++result_.connected;
      if (attempts_[attempt].person) ++result_.persons;
    }
    agents_[a] = {AgentState::kTalking, now_, now_, attempt};
    const double talk_s = attempts_[attempt].person
                              ? rng_.Lognormal(config_.talk_mean_s, config_.talk_cv)
                              : config_.machine_talk_s;
    Push(now_ + absl::Seconds(talk_s), Kind::kTalkEnd, a);
  }

  void OnAnswerLimit(size_t attempt) {
    if (!attempts_[attempt].waiting) return;
    attempts_[attempt].waiting = false;
    std::erase(waiting_, attempt);
    pacer_.OnAbandoned(Id(attempt), now_);
    if (Counted()) {
      ++result_.abandoned;
      if (attempts_[attempt].person) ++result_.persons;
    }
  }

  void OnTalkEnd(Agent& agent, size_t a) {
    pacer_.OnTalkEnded(Id(agent.attempt), now_ - agent.since, now_);
    agent.state = AgentState::kWrap;
    agent.since = now_;
    Push(now_ + absl::Seconds(rng_.Lognormal(config_.wrap_mean_s, config_.wrap_cv)), Kind::kWrapEnd,
         a);
  }

  void OnWrapEnd(Agent& agent) {
    if (!attempts_[agent.attempt].person) pacer_.OnWasMachine(Id(agent.attempt));
    pacer_.OnWrapEnded(now_ - agent.since, now_);
    AddBusy(agent.busy_since, now_);
    agent.state = AgentState::kIdle;
    if (!waiting_.empty()) {
      const size_t attempt = waiting_.front();
      waiting_.pop_front();
      attempts_[attempt].waiting = false;
      Connect(static_cast<size_t>(&agent - agents_.data()), attempt);
    }
    Dial();
  }

  void Dial() {
    if (stalled) return;
    int idle = 0;
    talk_ages_.clear();
    wrap_ages_.clear();
    for (const Agent& agent : agents_) {
      if (agent.state == AgentState::kIdle) ++idle;
      if (agent.state == AgentState::kTalking) talk_ages_.push_back(now_ - agent.since);
      if (agent.state == AgentState::kWrap) wrap_ages_.push_back(now_ - agent.since);
    }
    ++result_.decisions;
    PacingInput input;
    input.agents_idle = idle;
    input.talk_ages = talk_ages_;
    input.wrap_ages = wrap_ages_;
    input.calls_waiting = static_cast<int>(waiting_.size());
    input.lines_free = input.trunk_tokens = input.leads_ready = 1'000'000;
    const Decision decision = pacer_.Decide(input, now_);
    for (int i = 0; i < decision.legs_to_place; ++i) Launch();
    const int lines = ringing_ + static_cast<int>(waiting_.size() + talk_ages_.size());
    result_.lines_peak = std::max(result_.lines_peak, lines);
  }

  void Launch() {
    const size_t id = attempts_.size();
    Attempt attempt;
    pacer_.OnDialed(Id(id), {}, now_);
    ++ringing_;
    ++result_.dials;
    const double u = rng_.Uniform();
    const double known_machine = config_.persons + config_.machines_unknown;
    double ring_s = 0;
    Kind kind = Kind::kResolve;
    if (u < known_machine) {
      kind = Kind::kAnswer;
      attempt.person = u < config_.persons;
      ring_s = config_.ring_delay_s;
      for (int i = 0; i < 3; ++i) ring_s += rng_.Exponential(config_.ring_erlang_mean_s / 3);
    } else if (u < known_machine + config_.machines) {
      attempt.result = AttemptResult::kMachine;
      ring_s = config_.machine_ring_s * (0.7 + 0.6 * rng_.Uniform());
    } else if (u < known_machine + config_.machines + config_.no_answer) {
      attempt.result = AttemptResult::kNoAnswer;
      ring_s = absl::ToDoubleSeconds(config_.settings.ring_time_max);
    } else {
      attempt.result = AttemptResult::kInvalid;
      ring_s = rng_.Exponential(config_.fail_mean_s);
    }
    attempts_.push_back(attempt);
    Push(now_ + absl::Seconds(ring_s), kind, id);
  }

  ModelConfig config_;
  Rng rng_;
  Pacer pacer_;
  std::vector<Agent> agents_;
  std::vector<Attempt> attempts_;
  std::deque<size_t> waiting_;  // answered, no agent yet; oldest first
  std::priority_queue<Event> events_;
  uint64_t order_ = 0;
  MonoTime now_;
  MonoTime warm_up_;
  int ringing_ = 0;
  double busy_s_ = 0;
  std::vector<absl::Duration> talk_ages_;
  std::vector<absl::Duration> wrap_ages_;
  ModelResult result_;
};

}  // namespace outpace::pacing
