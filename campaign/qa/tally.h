#pragma once

// Reviews summed up: how each agent did, and at which criteria points are lost.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "campaign/qa/review.h"

namespace outpace::qa {

struct AgentTally {
  int reviews = 0, passed = 0, fatal = 0;  // `fatal`: reviews with a fatal fault
  double percent_sum = 0;

  double percent() const { return reviews == 0 ? 0 : percent_sum / reviews; }
};

struct CriterionTally {
  std::string name, name_zh;  // as in the sheet of the latest call
  int scored = 0;             // reviews in which it applied
  double share_sum = 0;       // of the points that could be had, 0..1 each

  double percent() const { return scored == 0 ? 0 : 100 * share_sum / scored; }
};

struct Tally {
  std::map<AgentId, AgentTally> agents;
  // By sheet and criterion.
  std::map<std::pair<std::string, std::string>, CriterionTally> criteria;
};
// Pure. Of a review that its own sheet does not bear out nothing is counted. `reviews`: by time of
// the call.
Tally TallyOf(absl::Span<const Review> reviews);

}  // namespace outpace::qa
