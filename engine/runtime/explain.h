#pragma once

// "Why this many calls": a decision of the pacer in sentences that a manager can check against what
// the board shows, as JSON, and as a table. Nothing here decides; it says what was decided and from
// which figures. docs/API.md has the JSON, docs/PACING.md how to read it.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "engine/base/ids.h"
#include "engine/runtime/decision_ring.h"

namespace outpace::runtime {

enum class Language { kEnglish, kChinese };

// What `campaign why` answers: a copy, so that it can be put into words on another loop.
struct WhyAnswer {
  CampaignId campaign;
  absl::Time now;
  absl::TimeZone zone = absl::UTCTimeZone();  // of the campaign's days
  std::string idle_reason;                    // why nothing is dialed; empty while it dials
  bool decided = false;                       // `latest` holds something
  DecisionRecord latest;
  std::vector<DecisionRecord> last;  // kept ones, newest first
};

// The first sentence says what was done and what bound it; the others give the figures: agents,
// calls, forecast, what was learned, the contract that binds. `idle_reason` as in WhyAnswer.
std::vector<std::string> Explain(const DecisionRecord& record, const std::string& idle_reason,
                                 Language language);

nlohmann::ordered_json DecisionJson(const DecisionRecord& record);
// {"campaign", "now_ms", "idle_reason", "why": {"en", "zh"}, "text", "decisions"}: docs/API.md.
std::string WhyJson(const WhyAnswer& answer);
// The sentences and a table of the last decisions, for a terminal.
std::string WhyText(const WhyAnswer& answer);

}  // namespace outpace::runtime
