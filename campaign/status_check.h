#pragma once

// What a table of statuses must not say: loops, orders that cannot be kept or contradict each
// other, and what would break the law or the engine.

#include <string>
#include <vector>

#include "campaign/settings.h"

namespace outpace::campaign {

struct StatusFault {
  std::string status;  // of the row
  std::string reason;  // one sentence
  friend bool operator==(const StatusFault&, const StatusFault&) = default;
};

// All faults of the campaign's statuses at once, by row; empty: the table may be used. Looks at
// what else of the settings a row depends on: lead_recycle, client_id, use_campaign_dnc. Pure.
std::vector<StatusFault> CheckStatuses(const CampaignSettings& settings);
// "NA: its tries end in NA again ...", a line each.
std::string StatusFaultsText(const std::vector<StatusFault>& faults);

}  // namespace outpace::campaign
