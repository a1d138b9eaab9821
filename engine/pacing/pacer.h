#pragma once

// One campaign's pacing: what has happened goes in as attempts and agents change state, and
// Decide() says how many legs to place now. It owns the learned laws (estimators.h), the
// abandonment budget (abandon_budget.h) and the rule (lookahead.h); the time is an argument, so an
// hour of dialing replays to the same decisions.

#include <array>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "engine/base/clock.h"
#include "engine/base/ids.h"
#include "engine/pacing/abandon_budget.h"
#include "engine/pacing/answer_model.h"
#include "engine/pacing/estimators.h"
#include "engine/pacing/lookahead.h"
#include "engine/pacing/policy.h"

namespace outpace::pacing {

enum class DialMethod {
  kManual,       // the agent dials; no leg is placed here
  kPreview,      // the agent looks at the lead first; no leg is placed here
  kProgressive,  // one line for each free agent
  kRatio,        // dial_level lines for each agent who is free or talking
  kPredictive,   // look-ahead within the abandonment cap
};

struct PacerSettings {
  DialMethod method = DialMethod::kProgressive;
  double dial_level = 1;            // kRatio: lines per agent, taken as 1..dial_level_max
  double dial_level_max = 10;       // most lines (ringing, waiting, talking) per agent, any method
  double abandon_ratio_max = 0.03;  // 16 CFR 310.4(b)(4)(i); in (0, 1); where `contracts` is empty
  std::vector<Contract> contracts = {};  // every one is kept
  double intensity = 1;                  // scales the risk taken, 0.6..1.4 (VICIdial's intensity)
  double amd_false_positive = 0.005;     // share of persons whom AMD takes for machines
  absl::Duration answer_limit = absl::Seconds(2);    // answer to agent, then the call is abandoned
  absl::Duration ring_time_max = absl::Seconds(26);  // INVITE to giving up
  int lines_max = 1'000'000;                         // most lines of the campaign at once
};

// Learned figures for boards and logs.
struct PacerSnapshot {
  double answer_ratio = 0;              // answered by what reaches agents / dialed
  std::array<double, kRingEnds> mix{};  // share of each RingEnd; sums to 1
  absl::Duration ring_time_mean;        // INVITE to answer
  absl::Duration talk_time_mean;
  absl::Duration wrap_time_mean;
  AbandonCounts window;        // persons and abandoned calls of the window
  int in_flight = 0;           // dialed, neither answered nor resolved
  int64_t callers_gone = 0;    // hung up while waiting, before the answer limit
  int64_t events_unknown = 0;  // named an attempt that is not in that state: counted, ignored
};

// Controller thread only. Copyable: a copy decides as the original would.
class Pacer final : public Policy {
 public:
  explicit Pacer(const PacerSettings& settings);
  // Takes effect at the next Decide(); what was learned is kept.
  void UpdateSettings(const PacerSettings& settings);

  void OnDialed(AttemptId id, const LeadTraits& lead, MonoTime now) override;
  void OnAnswered(AttemptId id, MonoTime now) override;
  void OnResolved(AttemptId id, AttemptResult result, MonoTime now) override;
  void OnConnected(AttemptId id, MonoTime now) override;
  void OnAbandoned(AttemptId id, MonoTime now) override;
  void OnWasMachine(AttemptId id) override;
  void OnTalkEnded(AttemptId id, absl::Duration talk, MonoTime now) override;
  void OnWrapEnded(absl::Duration wrap, MonoTime now) override;
  Decision Decide(const PacingInput& input, MonoTime now) override;

  PacerSnapshot Snapshot() const;
  // The abandonment window: StartWindow() at its beginning (day, month or campaign, as the
  // campaign's rule says), SetCounts() with what the store knows after a restart.
  void StartWindow(size_t contract) { budget_.StartWindow(contract); }
  void SetCounts(size_t contract, const AbandonCounts& counts) {
    budget_.SetCounts(counts, contract);
  }
  AbandonBudget& budget() { return budget_; }
  const AbandonBudget& budget() const { return budget_; }

  // What was learned, as plain numbers to be stored and given to LoadState() after a restart.
  // Dials in flight are not part of it. InvalidArgument, and no change, if `state` cannot be one.
  std::vector<double> SaveState() const;
  absl::Status LoadState(absl::Span<const double> state);

 private:
  struct InFlight {
    AttemptId id;
    MonoTime dialed;
    LeadPlace lead;
  };
  struct Answered {
    double ring_s = 0;
    LeadPlace lead;
  };
  struct LeadChance {
    double chance = 0;
    uint32_t index = 0;  // in PacingInput::next
  };
  // What a leg limit leaves of the wish, noting which limit bound it.
  static void Cap(int most, Limit limit, Decision& decision);

  bool TakeInFlight(AttemptId id, MonoTime now, double& age_s, LeadPlace& lead);
  // The exposure of a dial since the laws were last told of the time.
  void SpendLast(const LeadPlace& lead, double age_s, MonoTime now);
  void OnPerson(const Answered& answered);
  void CountInstant(bool instant);
  bool TakeAnswered(AttemptId id, Answered& answered);
  void Learn(const PacingInput& input, MonoTime now);  // spends the time, every kRefreshEvery
  void BuildTables();
  double SinceSpent(MonoTime now, double age_s) const;
  // Leaves legs_to_place as it is when the look-ahead was stopped by `legs_most` and not by the
  // risk.
  void DecidePredictive(const PacingInput& input, int free_now, int agents_all, int legs_floor,
                        int legs_most, Decision& decision);
  void SortChoice(const PacingInput& input, double up);
  // The next lead to dial, an index in PacingInput::next, and its chance.
  LeadChance Choose(double theta);
  Lookahead::Chances NewDial(double chance) const;
  Alarm AlarmOf(const PacingInput& input, MonoTime now);
  void Explain(const PacingInput& input, Decision& decision) const;
  int BurstAllowance(int agents_all, MonoTime now);

  PacerSettings settings_;
  AnswerModel answers_model_;
  DurationLaw ring_;
  DurationLaw talk_;
  DurationLaw wrap_;
  AbandonBudget budget_;
  Lookahead lookahead_;

  // A vector in an order that depends on the events alone (sums of doubles depend on the order),
  // and the place of each id in it.
  std::vector<InFlight> in_flight_;
  absl::flat_hash_map<AttemptId, size_t> in_flight_index_;
  absl::flat_hash_map<AttemptId, Answered> answered_;  // not yet connected
  int64_t callers_gone_ = 0;
  int64_t events_unknown_ = 0;

  bool spent_once_ = false;  // when the laws were last told of the time passed
  MonoTime spent_;
  bool tables_stale_ = true;
  MonoTime decided_;
  bool decided_once_ = false;
  double instant_answers_ = 0;  // share of the last dials answered in no time
  double instant_weight_ = 0;
  int machines_in_a_row_ = 0;  // found by AMD, no person in between
  absl::Duration ring_mean_, talk_mean_, wrap_mean_;
  double burst_tokens_ = 0;
  MonoTime burst_filled_;
  bool burst_started_ = false;

  // Tables over the bins of age, one for each ring point: q of a dial, c of a talking agent, c of
  // an agent in wrap-up. Rebuilt by BuildTables(), read by interpolation.
  std::array<std::vector<double>, kRingPoints> dial_table_;  // G(e + u) - G(e)
  std::vector<double> dial_left_;                            // 1 - G(e)
  std::vector<double> dial_others_;                          // survival of those nobody answers
  double amd_persons_ = 0.5;  // share of persons among AMD's verdicts, about the last 100
  std::array<std::vector<double>, kRingPoints> talk_table_;
  std::array<std::vector<double>, kRingPoints> wrap_table_;
  Lookahead::Chances new_dial_{};  // G(u)

  std::array<std::vector<double>, kRingPoints> answers_;  // scratch of one decision
  std::vector<LeadChance> choice_;                        // PacingInput::next, by chance
  std::vector<bool> taken_;
  std::vector<uint32_t> picks_;
  size_t choice_next_ = 0;
  uint32_t choice_oldest_ = 0;
  bool choice_alike_ = false;
  uint32_t picked_ = 0;  // ever
  std::array<std::vector<double>, kRingPoints> frees_;
  std::vector<double> dial_ages_;
  std::vector<double> talk_ages_;
  std::vector<double> wrap_ages_;
};

}  // namespace outpace::pacing
