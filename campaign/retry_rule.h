#pragma once

#include "absl/time/time.h"
#include "campaign/attempt.h"
#include "campaign/lead.h"
#include "campaign/settings.h"

namespace outpace::campaign {

// What the result of an attempt makes of its lead: status, called_count, tier, next_call_time, and
// which number is dialed next. In this order: a trunk fault does not count against the lead; an
// abandoned number rests for 72 h (Ofcom 2010, kept as the safe default); a callback comes at its
// time; final statuses never come back; then the lead's second number, where the table of statuses
// asks for it; then the delays and tries of lead_recycle, and those of the table. Pure.
Lead ApplyResult(const Lead& before, const Attempt& attempt, const CampaignSettings& settings);

// The lead at the moment its intent is stored: called_count + 1, status INCALL, and next_call_time
// put off by `unknown_rest`, so that an engine that dies now does not ring the number again.
Lead ApplyIntent(const Lead& before, absl::Time now, absl::Duration unknown_rest);
inline constexpr int kUnknownRestHours = 24;

// The number that the lead's next attempt dials: phone, or alt_phone where its last result asks for
// that. At most once in a row, so no lead goes to and fro between its numbers without using up
// tries.
E164 NumberToDial(const Lead& lead);

// The lead when its second number is next and may not be dialed: as if it had been in vain.
Lead WithoutSecondNumber(const Lead& before, const CampaignSettings& settings);

// Whether nothing will have this lead dialed again by itself.
bool IsFinal(const Lead& lead, const CampaignSettings& settings);

// Whether a lead that ended with this status is dialed again at all: a retry rule, the campaign's
// or a usual one, brings it back, or the campaign's dial_statuses names it. Never for a final
// status.
bool IsRetried(absl::string_view status, const CampaignSettings& settings);

}  // namespace outpace::campaign
