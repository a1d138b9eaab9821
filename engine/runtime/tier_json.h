#pragma once

// What the tiers have learned as JSON: the answer of `tier show --json`, of the HTTP port, and a
// part of the board's (docs/API.md).

#include <nlohmann/json.hpp>

#include "campaign/tier/campaign_tiers.h"

namespace outpace::runtime {

nlohmann::ordered_json TierJson(const tier::TierReport& report);
nlohmann::ordered_json TierExplanationJson(const tier::TierExplanation& told);

}  // namespace outpace::runtime
