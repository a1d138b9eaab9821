#include "engine/trunk/tariff.h"

#include <algorithm>
#include <cmath>

namespace outpace::trunk {

int BilledSeconds(const Billing& billing, absl::Duration answered) {
  // A second that has begun is charged, once a millisecond of it is over.
  const int64_t seconds = absl::ToInt64Milliseconds(answered + absl::Milliseconds(999)) / 1000;
  const int64_t over = std::max<int64_t>(0, seconds - billing.first);
  const int64_t steps = (over + billing.then - 1) / billing.then;
  return static_cast<int>(billing.first + steps * billing.then);
}

int64_t CostMicros(double cost_per_minute, int billed_seconds) {
  return std::llround(cost_per_minute * 1e6 * billed_seconds / 60);
}

}  // namespace outpace::trunk
