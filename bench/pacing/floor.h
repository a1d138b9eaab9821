#pragma once

// A call floor in virtual time, without telephony: agents who talk and wrap up, dials that are
// answered or not, and one pacing rule a campaign that is told what a controller would tell it and
// nothing else. What happens to the n-th lead (who answers, after how long, how long they talk) is
// drawn from the seed, the campaign and n alone, so every rule is tried on the same people (common
// random numbers).

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/rng.h"
#include "engine/pacing/policy.h"
#include "engine/sim/scenario.h"

namespace outpace::lab {

struct HalfHour {
  int persons = 0;
  int abandoned = 0;
};

// What a run has shown, from the end of the warm-up.
struct FloorResult {
  double busy_s = 0;    // agents' time on calls and in wrap-up
  double logged_s = 0;  // agents' time logged in
  int64_t dials = 0;
  int64_t persons = 0;    // persons who answered and were connected or abandoned
  int64_t abandoned = 0;  // of those: met by nobody in time, or taken for a machine
  int64_t machines_to_agents = 0;
  int64_t machines_abandoned = 0;  // a machine that met nobody: no person, not counted
  int64_t answers = 0;             // persons who picked up, by lead dialed
  int64_t leads_passed_over = 0;   // left in the window of choice at the end
  int lines_peak = 0;
  int dials_per_second_peak = 0;
  int64_t decisions = 0;
  double wait_s = 0;  // answer (or verdict) to agent, summed over connected persons
  std::vector<HalfHour> half_hours;
  std::vector<double> minute_occupancy;  // busy share of each minute, warm-up included
  double occupancy() const { return logged_s > 0 ? busy_s / logged_s : 0; }
  double ratio() const {
    return persons > 0 ? static_cast<double>(abandoned) / static_cast<double>(persons) : 0;
  }
};

class Floor {
 public:
  using PolicyMaker =
      std::function<std::unique_ptr<pacing::Policy>(const Floor& floor, size_t campaign)>;

  // Leads a rule may choose among, where they have forecasts.
  static constexpr size_t kChoice = 100;

  // `scenario` must outlive the floor.
  Floor(const sim::Scenario& scenario, uint64_t seed, const PolicyMaker& make);
  Floor(sim::Scenario&& scenario, uint64_t seed, const PolicyMaker& make) = delete;
  // Runs warm-up and length. Once.
  void Run();
  const FloorResult& result(size_t campaign = 0) const { return campaigns_[campaign].result; }
  pacing::Policy& policy(size_t campaign = 0) { return *campaigns_[campaign].policy; }
  const pacing::Decision& last_decision(size_t campaign = 0) const {
    return campaigns_[campaign].last_decision;
  }
  // Called after each decision; for tests and plots.
  std::function<void(size_t campaign, const pacing::Decision&, MonoTime)> on_decision;

  const sim::Scenario& scenario() const { return scenario_; }
  uint64_t seed() const { return seed_; }
  // The phase in force; nullptr when the campaign has none.
  const sim::ScenarioPhase* PhaseAt(size_t campaign, MonoTime at) const;
  // The true mix at that time.
  const sim::OutcomeMix& MixAt(size_t campaign, MonoTime at) const;

  // For rules that are allowed to look into the future, as a bound for those that are not.
  struct Future {
    bool person = false;  // a person (or a machine that reaches an agent) will answer
    MonoTime answered;    // when
  };
  Future FutureOf(AttemptId id) const;                   // of a dial in flight
  Future FutureOfNext(size_t campaign, size_t k) const;  // of the k-th next lead, dialed now
  // When each busy agent who stays will be free, in the order of talk_ages and then wrap_ages.
  const std::vector<MonoTime>& free_times() const { return free_times_; }

 private:
  enum class Kind {
    kTick,
    kAnswer,
    kVerdict,
    kResolve,
    kLimit,
    kTalkEnd,
    kWrapEnd,
    kPhase,
    kChurn
  };
  struct Event {
    MonoTime at;
    uint64_t order;
    Kind kind;
    size_t id;                                  // attempt, agent or campaign
    bool operator<(const Event& other) const {  // the queue's top is the earliest
      return std::pair(other.at, other.order) < std::pair(at, order);
    }
  };
  enum class AgentState { kOff, kIdle, kTalking, kWrap };
  struct Agent {
    AgentState state = AgentState::kOff;
    bool leaving = false;
    bool shared = false;
    size_t campaign = 0;  // whose it is now; a shared agent is lent to one at a time
    MonoTime since;
    MonoTime busy_since;
    MonoTime free_at;
    MonoTime logged_since;
    size_t attempt = 0;
  };
  // A lead's fate, drawn once.
  struct Fate {
    enum Kind { kPerson, kMachine, kNoAnswer, kFail } kind = kFail;
    double delay_s = 0;
    double talk_s = 0;
    double wrap_s = 0;
    double amd_u = 0;  // decides the verdict
    bool congested = false;
  };
  struct Attempt {
    size_t campaign = 0;
    Fate fate;
    bool waiting = false;
    MonoTime dialed;
    MonoTime answered;
    pacing::AttemptResult result = pacing::AttemptResult::kOther;
  };
  struct Lead {
    int64_t index = 0;
    pacing::LeadTraits traits;
  };
  struct Campaign {
    const sim::ScenarioCampaign* spec = nullptr;
    std::unique_ptr<pacing::Policy> policy;
    std::deque<size_t> waiting;
    std::vector<Lead> choice;  // leads with forecasts, oldest first
    std::vector<pacing::LeadTraits> choice_traits;
    int64_t next_lead = 0;
    int ringing = 0;
    int in_amd = 0;
    int agents_wanted = 0;
    bool stalled = false;
    MonoTime decided = MonoTime() + -absl::Hours(1);
    bool decide_again = false;  // a decision is scheduled
    double tokens = 0;
    MonoTime tokens_at;
    int64_t second = -1;
    int dials_in_second = 0;
    FloorResult result;
    pacing::Decision last_decision;
  };

  static AttemptId Id(size_t attempt) { return AttemptId(attempt + 1); }
  bool Counted() const { return now_ >= warm_up_; }
  void Push(MonoTime at, Kind kind, size_t id) { events_.push({at, order_++, kind, id}); }
  void Handle(const Event& event);
  void OnTick(size_t campaign);
  void OnPhase(size_t campaign);
  void OnChurn(size_t campaign);
  void Staff(size_t campaign, int wanted);
  void LogIn(size_t agent);
  void LogOff(Agent& agent);
  void AddTime(FloorResult& result, MonoTime from, MonoTime to, double& sum, bool busy);

  double AnswerChance(size_t campaign, int64_t index, MonoTime at) const;
  Fate Draw(size_t campaign, int64_t index, MonoTime at) const;
  Lead NextLead(size_t campaign, MonoTime at);
  void FillChoice(Campaign& c, size_t campaign);
  void Decide(size_t campaign);
  void DecideSoon(size_t campaign);
  void Launch(size_t campaign, const Lead& lead);
  void Offer(size_t attempt);
  void Connect(size_t agent, size_t attempt);
  void BecomeFree(size_t agent);
  void Abandon(size_t attempt);
  HalfHour& Half(FloorResult& result);

  const sim::Scenario& scenario_;
  uint64_t seed_;
  std::vector<Campaign> campaigns_;
  std::vector<Agent> agents_;
  std::vector<std::deque<size_t>> idle_;  // by campaign, longest idle first
  std::vector<Attempt> attempts_;
  std::priority_queue<Event> events_;
  uint64_t order_ = 0;
  Rng churn_rng_;
  MonoTime now_;
  MonoTime warm_up_;
  MonoTime end_;
  absl::Duration decide_every_min_;
  std::vector<absl::Duration> talk_ages_;
  std::vector<absl::Duration> wrap_ages_;
  std::vector<MonoTime> free_times_;
};

}  // namespace outpace::lab
