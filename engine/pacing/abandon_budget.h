#pragma once

// How much risk a dial may take. The law caps abandoned calls as a share of calls answered by a
// person in some window (16 CFR 310.4(b)(4)(i): 3 % per campaign and 30 days; Ofcom: per campaign
// and day), so there is a budget, and two things can go wrong with it.
//
// On average: theta, the P_ab allowed per dial, is not the ratio that results. Dials launched later
// are answered earlier and take the agent, so at 100 agents theta = 0.0105 gives 3 %, at 5 agents
// 0.030. theta therefore is (aim x known shape in N x k), and k is found by a slow, bounded
// proportional-integral controller counted in answers, not in seconds.
//
// In a short campaign: with 180 answers 3 % means five calls, and a rule that is right on average
// breaks the cap in every second campaign. So the aim itself comes from a chance constraint on the
// cumulative count: with n answered and b abandoned so far, over the next m answers at most
// B = floor(cap (n + m)) - b more may be lost, and the aim is the ratio r for which
// P(Poisson(r m) > B) <= 1 %, for each of several m. When B has run out the aim is 0, which leaves
// progressive dialing: the campaign slows down and never stops, so n goes on growing and it
// recovers.

#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace outpace::pacing {

// Counts of the window. `served`: answered and connected to an agent; `machines`: of those, the
// ones the agent found to be a machine; `ended`: of the served, calls that are over (so that the
// agent has had his say on them).
struct AbandonCounts {
  double served = 0;
  double machines = 0;
  double ended = 0;
  double abandoned = 0;

  // Persons who answered, as far as can be told: connected calls that still talk are machines in
  // the proportion found so far (the "reasoned estimate" of Ofcom's formula). Abandoned calls all
  // count as persons, which is the careful side.
  double Persons() const;
  // abandoned / Persons(), 0 before the first answer.
  double Ratio() const;
};

// P(X > b) for a Poisson count with this mean (0 to 500), b >= 0.
double PoissonTail(int b, double mean);

// The largest Poisson mean with P(X > b) <= `chance` (0 < chance < 1), for b >= 0; 0 for b < 0.
double PoissonMeanFor(int b, double chance);

class AbandonBudget {
 public:
  // `ratio_max`: the cap, in (0, 1). Outside that it is taken as the nearest of 0.0001 and 0.5.
  explicit AbandonBudget(double ratio_max) { SetRatioMax(ratio_max); }
  void SetRatioMax(double ratio_max);
  double ratio_max() const { return ratio_max_; }

  // Agents logged in now (> 0): the more, the faster answers come, and the less each may move
  // theta.
  void SetAgents(int agents) { agents_ = agents; }
  void OnServed();
  void OnMachine();  // a served call turned out a machine
  void OnEnded();    // a served call is over
  void OnAbandoned();
  // Answered calls that wait for an agent at this moment: each may be lost, so each is held against
  // the budget until it is known.
  void SetAtRisk(int calls_waiting);
  // A new window (day, month, campaign) begins; what was learned of theta is kept.
  void StartWindow();
  // Counts of the present window from the store, after a restart.
  void SetCounts(const AbandonCounts& counts);
  const AbandonCounts& counts() const { return counts_; }

  // Ratio to aim at over the next answers: 0 when one more abandoned call would break the cap.
  double Aim() const { return aim_; }
  // P_ab allowed for a dial.
  double Theta() const;

  static constexpr size_t kSavedSize = 6;
  void Save(std::vector<double>& out) const;
  bool Load(absl::Span<const double> in);

 private:
  void Learn(bool abandoned);
  void UpdateAim();

  double ratio_max_ = 0.03;
  AbandonCounts counts_;
  double log_gain_ = 0;      // integral part: log of k
  double recent_ratio_ = 0;  // abandoned share of about the last 100 answers
  int agents_ = 1;
  double at_risk_ = 0;
  double aim_ = 0;
};

}  // namespace outpace::pacing
