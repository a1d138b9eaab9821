#pragma once

#include "absl/time/time.h"
#include "campaign/attempt.h"
#include "campaign/lead.h"
#include "campaign/settings.h"

namespace outpace::campaign {

// What the result of an attempt makes of its lead: status, called_count, tier, next_call_time.
// Final statuses never come back; a trunk fault does not count against the lead; the campaign's
// recycle rules decide delay and number of tries; a callback moves to tier A at its time; an
// abandoned number rests for 72 h (Ofcom 2010, kept as the safe default). Pure.
Lead ApplyResult(const Lead& before, const Attempt& attempt, const CampaignSettings& settings);

// The lead at the moment its intent is stored: called_count + 1, status INCALL, and next_call_time
// put off by `unknown_rest`, so that an engine that dies now does not ring the number again.
Lead ApplyIntent(const Lead& before, absl::Time now, absl::Duration unknown_rest);
inline constexpr int kUnknownRestHours = 24;

// Whether a lead that ended with this status is dialed again at all: a retry rule, the campaign's
// or a usual one, brings it back, or the campaign's dial_statuses names it. Never for a final
// status.
bool IsRetried(absl::string_view status, const CampaignSettings& settings);

}  // namespace outpace::campaign
