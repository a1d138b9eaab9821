#pragma once

// A line of a do-not-call registry, as registries write them.

#include "absl/strings/string_view.h"
#include "engine/base/e164.h"

namespace outpace::campaign {

// The number of "202,5550143" (the FTC's files: area code, then the number), "2025550143",
// "+12025550143", "\"202-555-0143\";2026-01-05": the first cell, or the first two where they are
// three and seven digits; read as a lead's number is, so any spelling matches. `country`: of
// numbers without a country code. 0: none that could be dialed. 20-60 ns. Any thread.
E164 RegistryNumber(absl::string_view line, absl::string_view country);

}  // namespace outpace::campaign
