#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/gate/number_history.h"
#include "campaign/lead_store.h"
#include "campaign/settings.h"

namespace outpace::runtime {

// How far back the rules look that any of the campaigns has chosen; zero: none looks back.
absl::Duration HistoryReach(absl::Span<const campaign::CampaignSettings> campaigns);

// The stored attempts from `reach` (and the history's slack) before `now` until `to`, by number;
// empty if `reach` is zero. Reads all attempts of that time.
absl::StatusOr<gate::NumberHistory> ReadHistory(const campaign::LeadStore& store,
                                                absl::Duration reach, absl::Time now,
                                                absl::Time to);

}  // namespace outpace::runtime
