#pragma once

// What a trunk charges for a call, by what its operator has written of it (settings.h). Pure.

#include <cstdint>

#include "absl/time/time.h"
#include "engine/trunk/settings.h"

namespace outpace::trunk {

// The seconds charged for a call that was answered: at least billing.first, then rounded up to a
// whole number of steps. Not for calls that were not answered.
int BilledSeconds(const Billing& billing, absl::Duration answered);

// Their price in millionths of the currency, to the nearest.
int64_t CostMicros(double cost_per_minute, int billed_seconds);

}  // namespace outpace::trunk
