#pragma once

// Who gets what when a trunk is short. Several campaigns may dial over one trunk, and in some ticks
// its rate (CPS) or its lines do not serve all. Then the campaigns of the highest priority come
// first, and within a priority the supply is split in proportion to weights: nobody gets more than
// it asks for, what one does not need goes to the others (max-min fairness), and whole legs are
// made of it by largest remainders (Hamilton's method), so that nothing is lost and nothing is
// given twice. Of a supply of one leg a tick two equal campaigns cannot each get half: what a
// campaign was short of is its credit for the next tick, so over some ticks the proportions hold.

#include <vector>

#include "absl/types/span.h"

namespace outpace::pacing {

struct ShareClaim {
  int demand = 0;     // most units wanted; below 0 counts as 0
  int weight = 1;     // >= 1; less counts as 1
  int priority = 0;   // higher first
  double credit = 0;  // what Share() left owing the last time, within -1..1
};

struct ShareGrant {
  int units = 0;      // 0..demand
  double credit = 0;  // for the claim of the next time; 0 when the demand was met
};

// Shares `supply` units (below 0 counts as 0) among the claims; the grants are in their order and
// sum to min(supply, sum of demands). Ties go to the lower index. Pure.
std::vector<ShareGrant> Share(int supply, absl::Span<const ShareClaim> claims);

}  // namespace outpace::pacing
