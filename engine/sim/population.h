#pragma once

// The people behind a campaign's leads. What happens to the n-th call to lead i (who answers, after
// how long, how long they talk, who hangs up) hangs on the seed, the campaign, i and n alone, not
// on when or in which order a dialer gets to it: two settings are tried on the same people (common
// random numbers), so that a small difference between them shows in a short simulation. Only where
// the scenario itself changes over the day does the hour count too: the same random number is then
// held against another mix.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "engine/sim/scenario.h"
#include "engine/sim/sim_carrier.h"

namespace outpace::sim {

class Population {
 public:
  struct Options {
    // Who ends a conversation: the scenarios do not say.
    double caller_hangs_up = 0.5;
    double sales = 0.1;  // of persons who met an agent
    // The network takes the machines that AmdModel::caught says off the call: the dialer hears a
    // failure response in place of the answer. False: they pick up.
    bool network_amd = false;
  };
  // `spec` outlives the population. `campaign`: its number in the scenario.
  Population(const ScenarioCampaign& spec, uint64_t seed, size_t campaign, Options options)
      : spec_(spec), seed_(seed), campaign_(campaign), options_(options) {}

  // `lead` from 0, `number_of_call` from 1, `at` since the start of the simulation. `segment`: of
  // the lead's list; its leads answer as in the phase in which the list is dialed, at any time.
  CalleePlan PlanOf(uint64_t lead, int number_of_call, absl::Duration at,
                    std::optional<uint32_t> segment) const;

  // The phase in force, by its index; nullopt when there are none.
  std::optional<size_t> PhaseAt(absl::Duration at) const;

 private:
  const ScenarioCampaign& spec_;
  const uint64_t seed_;
  const size_t campaign_;
  const Options options_;
};

}  // namespace outpace::sim
