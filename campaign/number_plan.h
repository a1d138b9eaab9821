#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/base/e164.h"

namespace outpace::campaign {

// Turns what people write into E.164, by tables (20-50 ns a number; libphonenumber needs 20-27 us and
// its stale metadata calls new area codes invalid). Knows the plans of US/CA, GB, CN, HK and AU in
// detail; numbers of other countries pass with "+" or the phone_code when 8..15 digits long.
// `country`: ISO code of the file's home ("US", "GB", "CN", "AU"), or a phone_code such as "1", "44".
// Accepts full-width digits, 00/011/+ prefixes, trunk 0, punctuation, "tel:", a leading apostrophe and
// extensions (dropped). InvalidArgument says why in a few words, never the number.
absl::StatusOr<E164> NormalizePhone(absl::string_view text, absl::string_view country);

// IANA zones the number may lie in, by its longest known prefix; at least one for any E.164 (country
// level falls back to all zones of the country; unknown country: {"UTC"} plus a stated reason is not
// possible, so an empty vector means "not known: do not dial").
std::vector<std::string> TimeZonesOf(E164 number);

}  // namespace outpace::campaign
