#pragma once

// How much risk a dial may take. Law and contracts cap abandoned calls as a share of calls answered
// by a person in some window (16 CFR 310.4(b)(4)(i): 3 % per campaign and 30 days; Ofcom: per
// campaign and day; a client may ask for less), so there is a budget, in calls, and it is spent on
// the cumulative count:
//
//   left = cap x persons - abandoned          of the window, calls now waiting held against it
//
// The aim, the ratio to reach over the next answers, is about the cap while some calls are left and
// falls to a quarter of it before one more lost call would break the cap. So a campaign of one
// hour, for which 3 % means five calls, keeps its cap as well as one of a month, and over a long
// window nearly all of the budget is used. The aim never falls to nothing: the campaign slows down,
// the count of persons goes on growing, and it recovers. Several contracts: the smallest aim holds.
//
// theta, the P_ab allowed for a dial, is not the ratio that results: dials launched later are
// answered earlier and take the agent, agents finish who were not expected to. theta therefore is
// aim x shape(N) / k, with the shape known in advance and k = lost / (theta / shape), learned
// from the answers (a Gamma posterior that forgets).

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "engine/base/clock.h"

namespace outpace::pacing {

// Out of which calls a contract's ratio is.
enum class Population {
  kEstimate,  // persons, with the reasoned estimate of machines that nobody met
  kPersons,   // persons: all that nobody called a machine, abandoned calls among them
  kAnswered,  // every call that was answered, machines too
};

struct Contract {
  std::string name;                                  // for boards and logs
  double ratio_max = 0.03;                           // abandoned / population, in (0, 1)
  absl::Duration window = absl::InfiniteDuration();  // rolling; infinite: since StartWindow()
  Population population = Population::kEstimate;
  // Its counts are somebody else's, who tells each change by SetCounts(); none is made here.
  bool told = false;
};

// Counts of a window. `served`: answered and connected to an agent; `machines`: of those, the ones
// the agent found to be a machine; `ended`: of the served, calls that are over (so that the agent
// has had his say on them); `amd_machines`: answered and taken for a machine by AMD, nobody asked.
struct AbandonCounts {
  double served = 0;
  double machines = 0;
  double ended = 0;
  double abandoned = 0;
  double amd_machines = 0;

  // Share of machines among answered calls that agents met: the reasoned estimate of Ofcom's
  // formula (2010 statement, annex 3) for those whom nobody met.
  double MachineShare() const;
};

// Persons who answered and calls lost among them, as far as can be told. Connected calls that still
// talk are machines in the proportion found so far; so are abandoned calls, less one standard error
// (the careful side). `amd_false_positive`: share of persons whom AMD takes for machines; they were
// answered and met nobody. That is kEstimate (Ofcom, statement of 2010, 4.70 to 4.73 and annex 3);
// the other populations are plain sums: `persons` is then what the ratio is out of.
struct AbandonEstimate {
  double persons = 0;
  double abandoned = 0;
  double Ratio() const { return persons > 0 ? abandoned / persons : 0; }
};
AbandonEstimate EstimateAbandoned(const AbandonCounts& counts, double amd_false_positive,
                                  Population population = Population::kEstimate);

class AbandonBudget {
 public:
  explicit AbandonBudget(absl::Span<const Contract> contracts) { SetContracts(contracts); }
  // Caps outside (0, 1) are taken as the nearest of 0.0001 and 0.5; at least one contract. Counts
  // of contracts whose place and window stay are kept.
  void SetContracts(absl::Span<const Contract> contracts);
  void SetAmdFalsePositive(double share);
  // Scales theta and with it the ratio that results, within the caps. In [0.1, 2].
  void SetIntensity(double intensity);

  void SetAgents(int agents) { agents_ = agents; }  // logged in now, > 0
  void Advance(MonoTime now);                       // rolling windows move on
  void OnServed();
  void OnMachine();     // a served call turned out a machine
  void OnAmdMachine();  // AMD took an answered call for a machine
  void OnEnded();       // a served call is over
  void OnAbandoned();
  // Answered calls that wait for an agent at this moment: each may be lost, so each is held against
  // the budget until it is known.
  void SetAtRisk(int calls_waiting);
  // Whether the risk is what binds the dialing now; what is lost while something else does (lines,
  // leads) says nothing of k.
  void SetBinding(bool binding) { binding_ = binding; }
  // A new window (day, month, campaign) of that contract begins; what was learned of k is kept.
  void StartWindow(size_t contract = 0);
  // Counts of the present window: after a restart, and at each change of a contract that is told.
  void SetCounts(const AbandonCounts& counts, size_t contract = 0);
  const AbandonCounts& counts(size_t contract = 0) const { return windows_[contract].counts; }
  AbandonEstimate Estimate(size_t contract = 0) const;
  size_t contracts() const { return windows_.size(); }

  // Ratio to aim at over the next answers: 0.25 to 1.1 of the cap that binds.
  double Aim() const { return aim_; }
  int binding_contract() const { return binding_contract_; }
  bool Spent() const { return spent_; }  // of any contract
  double Left() const { return left_; }  // calls the binding contract may still lose
  // P_ab allowed for a dial.
  double Theta() const;

  static constexpr size_t kSavedSize = 7;
  void Save(std::vector<double>& out) const;  // counts of the first contract
  bool Load(absl::Span<const double> in);

 private:
  static constexpr size_t kBuckets = 96;
  struct Window {
    Contract contract;
    AbandonCounts counts;
    std::array<AbandonCounts, kBuckets> buckets;  // of a rolling window
    size_t bucket = 0;
    MonoTime bucket_began;
    bool started = false;  // by the first Advance(): the clock begins anywhere
  };
  template <typename F>
  void Count(F add);
  void Learn(double lost);
  double K() const;
  void UpdateAim();
  double AimOf(const Window& window, double& left) const;

  std::vector<Window> windows_;
  double amd_false_positive_ = 0;
  double intensity_ = 1;
  double lost_seen_ = 0;      // of the answers remembered,
  double lost_foretold_ = 0;  // and what theta / shape foretold for them
  int agents_ = 1;
  double at_risk_ = 0;
  bool binding_ = true;
  double aim_ = 0;
  double left_ = 0;
  bool spent_ = false;
  int binding_contract_ = 0;
};

}  // namespace outpace::pacing
