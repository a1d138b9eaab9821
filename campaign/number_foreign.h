#pragma once

// Numbers of countries without a plan of our own, by libphonenumber (Debian's 8.12 with the
// metadata of 2022): 20-30 us a number, any thread. What its metadata is too old for is told by an
// operator's ranges.csv (docs/NUMBERS.md), which is asked first.

#include "absl/strings/string_view.h"
#include "campaign/number_plan_internal.h"

namespace outpace::campaign::internal {

// `digits` as dialed inside the country of calling code `home`, trunk prefix and all; or, `home`
// being 0, as written behind "+".
Parsed ParseForeign(absl::string_view digits, int home);

}  // namespace outpace::campaign::internal
