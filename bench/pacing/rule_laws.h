#pragma once

// The true laws of a scenario's campaign, tabulated for the look-ahead rule: what a dial of some
// age and a busy agent of some age will do within each ring time looked at.
//
// A phase changes the laws of what is dialed in it, and with the delay of answers also the ring
// times looked at. So there is a table for each pair of (laws when dialed, ring times now); phases
// that are alike share them.

#include <array>
#include <vector>

#include "bench/pacing/floor.h"
#include "engine/pacing/lookahead.h"
#include "engine/sim/scenario.h"

namespace outpace::lab {

// P(law <= seconds).
double Cdf(const sim::DelayLaw& law, double seconds);

class TrueLaws {
 public:
  using Row = std::array<double, pacing::kRingPoints>;

  // `campaign` must outlive the laws.
  explicit TrueLaws(const sim::ScenarioCampaign& campaign);

  // The phase in force; 0 when there are none. `at` is not before the start.
  size_t PhaseAt(MonoTime at) const;

  // P(answered within each ring time and put through to an agent) for a dial of this age that was
  // dialed in phase `then`, with the ring times of phase `now`.
  const Row& Answers(size_t then, size_t now, absl::Duration age) const;
  // The same for one who is known to answer and to be a person.
  const Row& AnswersOfPerson(size_t then, size_t now, absl::Duration age) const;
  // P(this call in AMD is put through), dialed in phase `then`, answered after `ring`.
  double PassesAmd(size_t then, absl::Duration ring) const;
  // P(free within ring time + AMD + answer limit) for an agent who has talked for `age`.
  const Row& FreesFromTalk(size_t then, size_t now, absl::Duration age) const;
  const Row& FreesFromWrap(size_t now, absl::Duration age) const;
  // Ring times looked at + AMD + answer limit, seconds: until then a free agent is in time.
  const Row& Deadlines(size_t now) const { return horizons_[horizon_of_[now]].deadlines; }
  // Share of dials put through to an agent, and the mean time the agent then takes (seconds).
  double AnswerRatio(size_t phase) const { return dials_[dial_of_[phase]].reach; }
  double HandleMean(size_t phase) const;
  // False: all phases have the same law of talk, and it need not be asked when a call began.
  bool talk_varies() const { return talks_.size() > 1; }
  absl::Duration ring_mean() const { return absl::Seconds(ring_mean_s_); }

 private:
  struct Dial {  // laws of a dial by the phase it was dialed in
    sim::OutcomeMix mix;
    double extra_s = 0;
    double congestion = 0;
    double reach = 0;
    double person = 0;   // of those who reach an agent
    double machine = 0;  // likewise
    bool operator==(const Dial& other) const;
  };
  struct Talk {
    double scale = 1;
    double machine_share = 0;
    bool operator==(const Talk&) const = default;
  };
  struct Horizon {
    double extra_s = 0;
    Row ring{};
    Row deadlines{};
  };
  struct Table {
    double step_s = 1;
    std::vector<Row> rows;  // by age / step, the last for all beyond
    const Row& At(absl::Duration age) const;
  };

  double PersonRing(const Dial& dial, double seconds) const;
  double MachineRing(const Dial& dial, double seconds) const;
  double Unresolved(const Dial& dial, double age_s) const;
  Table AnswerTable(const Dial& dial, const Horizon& horizon, bool person_only) const;
  Table TalkTable(const Talk& talk, const Horizon& horizon) const;
  Table WrapTable(const Horizon& horizon) const;
  template <typename T>
  static size_t IndexOf(std::vector<T>& all, const T& one);

  const sim::ScenarioCampaign& spec_;
  double limit_s_;
  double ring_mean_s_ = 0;
  double pass_person_ = 1;           // share of persons whom AMD lets through
  double pass_machine_ = 1;          // share of machines
  std::vector<int64_t> phase_ends_;  // nanoseconds into the circle
  std::vector<Dial> dials_;
  std::vector<Talk> talks_;
  std::vector<Horizon> horizons_;
  std::vector<size_t> dial_of_;  // by phase
  std::vector<size_t> talk_of_;
  std::vector<size_t> horizon_of_;
  std::vector<std::vector<Table>> answers_;         // [dial][horizon]
  std::vector<std::vector<Table>> person_answers_;  // likewise
  std::vector<std::vector<Table>> talk_frees_;      // [talk][horizon]
  std::vector<Table> wrap_frees_;                   // [horizon]
};

}  // namespace outpace::lab
