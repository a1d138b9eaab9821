#include "campaign/activity_log.h"

#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace outpace::campaign {

std::string ActivitiesKnown(absl::Time until) { return absl::StrCat(absl::ToUnixMicros(until)); }

absl::Time ParseActivitiesKnown(absl::string_view saved) {
  int64_t micros = 0;
  return absl::SimpleAtoi(saved, &micros) ? absl::FromUnixMicros(micros) : absl::InfiniteFuture();
}

}  // namespace outpace::campaign
