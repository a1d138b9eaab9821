#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace outpace {

// A telephone number as ITU-T E.164 has it: country code and national number, 8 to 15 digits, no
// leading zero. Kept as one integer (10^15 < 2^50), so it is cheap to copy, hash, sort and store.
class E164 {
 public:
  constexpr E164() = default;
  // `digits` without "+"; must have 8 to 15 digits (checked by the caller; see ParseE164).
  constexpr explicit E164(uint64_t digits) : digits_(digits) {}
  constexpr uint64_t value() const { return digits_; }
  constexpr bool valid() const { return digits_ != 0; }
  // "14155550100".
  std::string Digits() const;
  // "+14155550100". For SIP, exports and screens; never for a log.
  std::string ToString() const;
  // "+1415****100": for screens of users who may not see numbers. Not for logs either.
  std::string Masked() const;
  friend constexpr auto operator<=>(E164, E164) = default;
  template <typename H>
  friend H AbslHashValue(H h, E164 n) {
    return H::combine(std::move(h), n.digits_);
  }

 private:
  uint64_t digits_ = 0;
};

// Parses "+" and 8..15 digits (ITU-T E.164); spaces, '-', '.', '(' and ')' are skipped.
// InvalidArgument names the byte offset, never the number: phone numbers stay out of logs.
absl::StatusOr<E164> ParseE164(absl::string_view text);

}  // namespace outpace
