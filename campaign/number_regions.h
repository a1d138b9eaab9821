#pragma once

#include "absl/strings/string_view.h"
#include "engine/base/e164.h"

namespace outpace::campaign::internal {

// ISO 3166 code ("DE") of the country whose calling code the number begins with; of several that
// share one the largest. Empty: no country's. 5 ns. Any thread.
absl::string_view RegionOf(E164 number);

// The same for a calling code alone.
absl::string_view RegionOfCallingCode(int code);

}  // namespace outpace::campaign::internal
