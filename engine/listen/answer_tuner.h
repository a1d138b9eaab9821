#pragma once

// Learns from a campaign's own calls how sure the detector has to be there before it says
// "machine". An agent's disposition tells the truth of the calls that reached one: a person, or a
// machine. A machine called a person shows itself that way; a person called a machine only where
// that verdict did not end the call, which is why a campaign connects a small random share of its
// "machine" verdicts all the same (audit calls), or lets an agent hear every verdict while it
// starts.
//
// Counts are kept by confidence and fade, since carriers and lists change. The confidence asked for
// is the lowest at which the share of people called machines stays under the target with the
// benefit of the doubt on the people's side: the upper bound of a one-sided interval, so that a
// campaign that has seen little asks for much. Pure: no clock, no chance. One thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/listen/heard.h"

namespace outpace::listen {

struct AnswerTunerSettings {
  double lost_share_max = 0.025;  // of people who answer, called machines; (0, 0.5)
  double doubt = 1.28;            // standard deviations kept from it: 90 % one-sided; >= 0
  float careful = 0.97f;          // confidence asked for before enough is known; 0.5..0.999
  float least = 0.6f;             // never less than this; 0.5..careful
  double people_min = 50;         // truths of people wanted before `careful` is left; > 0
  double memory = 2000;           // truths after which old ones have faded to 1/e; > 0
};

class AnswerTuner {
 public:
  explicit AnswerTuner(const AnswerTunerSettings& settings = {});

  enum class Truth : uint8_t { kPerson, kMachine };
  // An agent's word on a call. `verdict` is what the detector stood by (kHuman, kMachine; others do
  // not count), `confidence` its confidence, 0..1. `weight`: how many calls this one stands for;
  // for an audit call 1 / (share of calls audited), else 1; > 0.
  void Learn(Sound verdict, float confidence, Truth truth, double weight = 1);

  // For AnswerTuning::machine_confidence_min. 0.5..0.999.
  float MachineConfidenceMin() const;

  // What was measured, faded; for boards and reports. Shares are of those who answered, by the
  // agents' word; 0 with none.
  struct Errors {
    double people = 0;  // truths weighed
    double machines = 0;
    double lost_share = 0;        // people called machines / people
    double lost_share_bound = 0;  // the same with `doubt`
    double missed_share = 0;      // machines called people / machines
  };
  Errors Measured() const;
  // The same had verdicts asked for `machine_confidence_min`; 0.5..0.999.
  Errors Expected(float machine_confidence_min) const;

  // The state as text, for a restart: one line, versioned. Load takes what Save wrote.
  // InvalidArgument: not of this version, or damaged.
  std::string Save() const;
  absl::Status Load(absl::string_view text);

  static constexpr size_t kBins = 40;

 private:
  double LostBound(double lost) const;

  struct Counts {
    std::array<double, kBins> people{};
    std::array<double, kBins> machines{};
  };

  AnswerTunerSettings settings_;
  // By the machine's probability: confidence of "machine", or 1 - confidence of "human".
  Counts counts_;
  double said_machine_people_ = 0;   // people whom the verdict that stood called machines
  double said_person_machines_ = 0;  // and machines it called people
  double people_squares_ = 0;  // of their weights: few heavy calls prove less than many light ones
};

}  // namespace outpace::listen
