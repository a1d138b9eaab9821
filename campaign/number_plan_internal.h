#pragma once

// Between phone_reader.cc (text to digits) and number_plan.cc (digits to a number).

#include "absl/strings/string_view.h"
#include "campaign/number_plan.h"

namespace outpace::campaign::internal {

struct Parsed {
  E164 number;
  PhoneFault fault = PhoneFault::kNone;
  absl::string_view reason;  // static text
  bool repaired = false;
};

// `digits` holds ASCII digits only. `international`: they began with "+". `home`: calling code of
// the numbers written without one, 0 if there is none.
Parsed ParseDigits(absl::string_view digits, bool international, int home);

}  // namespace outpace::campaign::internal
