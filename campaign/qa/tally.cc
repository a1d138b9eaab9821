#include "campaign/qa/tally.h"

namespace outpace::qa {

Tally TallyOf(absl::Span<const Review> reviews) {
  Tally tally;
  for (const Review& review : reviews) {
    const auto result = ResultOf(review.sheet, review.scores);
    if (!result.ok()) continue;
    AgentTally& agent = tally.agents[review.agent];
    ++agent.reviews;
    agent.passed += result->passed ? 1 : 0;
    agent.fatal += result->fatal.empty() ? 0 : 1;
    agent.percent_sum += result->percent;
    for (const Criterion& c : review.sheet.criteria) {
      const auto score = review.scores.find(c.id);
      if (score == review.scores.end()) continue;
      CriterionTally& criterion = tally.criteria[{review.sheet.name, c.id}];
      criterion.name = c.name;
      criterion.name_zh = c.name_zh;
      ++criterion.scored;
      criterion.share_sum += static_cast<double>(score->second) / c.points;
    }
  }
  return tally;
}

}  // namespace outpace::qa
