// pacing_optimum: prints the bound of optimal control by number of agents (bench/pacing/optimum.h).
//
//   pacing_optimum [agents...]
//
// Two-stage rings are solved for up to 50 agents; without arguments the table ends at 200.

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "bench/pacing/optimum.h"

int main(int argc, char** argv) {
  std::vector<int> sizes;
  for (int i = 1; i < argc; ++i) sizes.push_back(std::atoi(argv[i]));
  if (sizes.empty()) sizes = {1, 2, 5, 10, 20, 50, 100, 200};
  std::printf("%7s %22s %22s %22s %18s\n", "agents", "exponential ring 12 s", "two-stage ring 11 s",
              "knows who answers", "lines empty/full");
  for (const int agents : sizes) {
    if (agents < 1 || agents > 5000) {
      std::fprintf(stderr, "pacing_optimum: agents must be 1 to 5000\n");
      return 2;
    }
    outpace::lab::OptimumSettings settings;
    settings.agents = agents;
    const outpace::lab::OptimumResult plain = SolveOptimum(settings);
    settings.answer_ratio = 1;
    const outpace::lab::OptimumResult knowing = SolveOptimum(settings);
    std::printf("%7d %22.2f", agents, 100 * plain.occupancy);
    if (agents <= 50) {
      settings.answer_ratio = 0.2;
      settings.ring_s = 11;
      settings.ring_stages = 2;
      std::printf(" %22.2f", 100 * SolveOptimum(settings).occupancy);
    } else {
      std::printf(" %22s", "-");
    }
    std::printf(" %22.2f %12d / %d\n", 100 * knowing.occupancy, plain.lines_when_empty,
                plain.lines_when_full);
    std::fflush(stdout);
  }
  return 0;
}
