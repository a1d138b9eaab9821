// simulate: an hour of dialing in seconds, from one seed.

#include <cstdio>

#include "campaign/settings.h"
#include "engine/runtime/commands/options.h"
#include "engine/runtime/simulation.h"

namespace outpace::runtime {

int RunSimulateCommand(const Arguments& arguments) {
  namespace po = boost::program_options;
  Options options(
      "outpace simulate [--agents N] [--minutes M] [--seed S]",
      "Runs the whole dialer (pacing, gate, agents, call states, store) against a simulated "
      "carrier\n"
      "in virtual time. The same seed gives the same result on every machine.\n\n"
      "  outpace simulate --agents 20 --minutes 60 --answer-ratio 0.25 --talk 180 --wrap 20\n");
  options.Add()("seed", po::value<uint64_t>()->default_value(1), "random seed")(
      "agents", po::value<int>()->default_value(20), "agents, 1 to 500")(
      "minutes", po::value<int>()->default_value(60), "simulated minutes, 1 to 1440")(
      "answer-ratio", po::value<double>()->default_value(0.2), "share of persons, 0 to 0.5")(
      "machines", po::value<double>()->default_value(0.1),
      "share of answering machines, 0 to 0.35")("talk", po::value<double>()->default_value(180),
                                                "mean talk time in seconds")(
      "wrap", po::value<double>()->default_value(20), "mean wrap-up in seconds")(
      "limit", po::value<std::string>()->default_value("3"), "abandonment limit in percent")(
      "method", po::value<std::string>()->default_value("ADAPT_HARD_LIMIT"), "dial_method");
  if (auto code = options.Parse(arguments)) return *code;
  SimulationOptions sim;
  sim.seed = options.Get<uint64_t>("seed");
  sim.agents = options.Get<int>("agents");
  const int minutes = options.Get<int>("minutes");
  sim.carrier.person = options.Get<double>("answer-ratio");
  sim.carrier.machine = options.Get<double>("machines");
  sim.talk_mean = absl::Seconds(options.Get<double>("talk"));
  sim.wrap_mean = absl::Seconds(options.Get<double>("wrap"));
  if (sim.agents < 1 || sim.agents > 500 || minutes < 1 || minutes > 1440) {
    return Misuse(options.usage(), "--agents must be 1 to 500, --minutes 1 to 1440");
  }
  if (!(sim.carrier.person >= 0 && sim.carrier.person <= 0.5) ||
      !(sim.carrier.machine >= 0 && sim.carrier.machine <= 0.35)) {
    return Misuse(options.usage(), "--answer-ratio must be 0 to 0.5, --machines 0 to 0.35");
  }
  if (sim.talk_mean < absl::Seconds(1) || sim.wrap_mean < absl::Milliseconds(100)) {
    return Misuse(options.usage(), "--talk must be at least 1, --wrap at least 0.1");
  }
  absl::Status set = sim.settings.Set("dial_method", options.Text("method"));
  if (set.ok()) set = sim.settings.Set("adaptive_dropped_percentage", options.Text("limit"));
  if (!set.ok()) return Fail(set);
  // Lists and trunks are never what binds here.
  sim.leads = 2000 + 40 * sim.agents * minutes;
  sim.calls_per_second = 500;
  sim.calls_max = 3500;
  Simulation simulation(sim);
  simulation.RunFor(absl::Minutes(minutes));
  const SimulationResult result = simulation.Result();
  std::printf(
      "seed %llu: %d agents, %d minutes\n  attempts   %lld\n  answered   %lld\n  connected  %lld\n"
      "  abandoned  %lld (%.2f %%)\n  occupancy  %.1f %%\n  trace      %016llx\n",
      static_cast<unsigned long long>(sim.seed), sim.agents, minutes,
      static_cast<long long>(result.invites), static_cast<long long>(result.answered),
      static_cast<long long>(result.connected), static_cast<long long>(result.abandoned),
      100 * result.abandon_ratio, 100 * result.occupancy,
      static_cast<unsigned long long>(result.trace_hash));
  return kDone;
}

}  // namespace outpace::runtime
