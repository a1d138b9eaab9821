#pragma once

// A call record is written as the call goes on, and stands when the call is over.

#include <string>

#include "campaign/attempt.h"

namespace outpace::campaign {

// Why `next` must not take the place of the stored record of the same attempt; empty: it may.
// What was so when the call was placed (lead, list, campaign, tier, score, numbers, trunk, time of
// dialing) never changes. Once the attempt is closed nothing does, but for two: the agent's late
// disposition of a call that has none, or only the engine's own DISPO (status, note, callback_time,
// disposed_at); and the erasure of a person (dialed, request_uri, note, from_uri become empty).
std::string WhyNotReplace(const Attempt& stored, const Attempt& next);

}  // namespace outpace::campaign
