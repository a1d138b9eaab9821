#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/calling_window.h"
#include "engine/base/e164.h"
#include "engine/base/ids.h"

namespace outpace::campaign {

// VICIdial's names, so that a manager's habits hold. docs/CAMPAIGNS.md maps each to what it does
// here.
enum class DialMethod {
  kManual,          // MANUAL: no automatic calls
  kPreview,         // PREVIEW: pop first, the agent decides
  kProgressive,     // PROGRESSIVE: one line per free agent
  kRatio,           // RATIO: auto_dial_level lines per free agent
  kAdaptHardLimit,  // ADAPT_HARD_LIMIT: predictive, the abandonment limit is never crossed
                    // knowingly
  kAdaptTapered,    // ADAPT_TAPERED and ADAPT_AVERAGE: accepted, predictive with the same limit
  kAdaptAverage,
};
absl::string_view DialMethodName(DialMethod method);
bool IsPredictive(DialMethod method);

// What a campaign does with a status: how long until the next try and how many.
struct RecycleRule {
  std::string status;
  absl::Duration delay;  // 120 s .. 604800 s
  int tries_max = 1;     // further tries this rule allows, 1..10
};

struct CampaignSettings {
  CampaignId id;  // 1..8 of A-Z a-z 0-9 _ -
  std::string name;
  bool active = false;
  DialMethod dial_method = DialMethod::kAdaptHardLimit;
  double auto_dial_level = 1.0;              // RATIO: lines per free agent, 1..20
  double adaptive_maximum_level = 6.0;       // cap on lines per agent in predictive modes
  double adaptive_dropped_percentage = 3.0;  // abandonment limit, percent of answered calls
  absl::Duration drop_call_seconds = absl::Seconds(2);  // answer to agent, else abandoned
  absl::Duration dial_timeout = absl::Seconds(26);      // INVITE to giving up, >= 15 s (TSR)
  absl::Duration wrapup_seconds = absl::Seconds(60);    // wrap-up limit; then status DISPO
  int call_count_limit = 10;                            // tries a lead over its life
  int daily_call_count_limit = 3;                       // tries a lead a day (campaign's day)
  int hopper_level = 200;                               // leads kept ready in memory
  std::string trunk;                                    // name of the trunk in the configuration
  E164 campaign_cid;                                    // caller ID
  CallingWindow local_call_time;                        // "09:00-21:00", in the lead's own zone
  bool use_internal_dnc = true;
  bool use_campaign_dnc = true;
  std::vector<RecycleRule> recycle;
  absl::TimeZone report_zone = absl::UTCTimeZone();  // day boundaries of exports and counters

  // "name=value" text form, VICIdial's names; what the store keeps and `campaign show` prints.
  std::map<std::string, std::string> ToMap() const;
  // Changes one setting. InvalidArgument says which value is wrong, the range, and an example.
  absl::Status Set(absl::string_view name, absl::string_view value);
  static absl::StatusOr<CampaignSettings> FromMap(
      const std::map<std::string, std::string>& settings);
};

}  // namespace outpace::campaign
