#pragma once

// Between the readers (text to digits) and the national plans (digits to a number).

#include <cstddef>
#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "campaign/number_plan.h"

namespace outpace::campaign::internal {

struct Parsed {
  E164 number;
  PhoneFault fault = PhoneFault::kNone;
  absl::string_view reason;  // static text
  bool repaired = false;
};

inline constexpr uint64_t kPowersOfTen[] = {
    1,
    10,
    100,
    1'000,
    10'000,
    100'000,
    1'000'000,
    10'000'000,
    100'000'000,
    1'000'000'000,
    10'000'000'000,
    100'000'000'000,
    1'000'000'000'000,
    10'000'000'000'000,
    100'000'000'000'000,
    1'000'000'000'000'000,
    10'000'000'000'000'000,
    100'000'000'000'000'000,
    1'000'000'000'000'000'000,
    10'000'000'000'000'000'000u,
};
// An international prefix of four digits and E.164's fifteen: more is no number, and fewer fit 64
// bits.
inline constexpr size_t kDigitsMax = 19;

// ASCII digits and what they are worth, kept in step so that no plan has to read them twice.
class Digits {
 public:
  // `text`: at most kDigitsMax digits, which must outlive this; `value`: theirs.
  Digits(absl::string_view text, uint64_t value) : text_(text), value_(value) {}
  explicit Digits(absl::string_view text) : text_(text) {
    for (const char c : text) value_ = value_ * 10 + static_cast<uint64_t>(c - '0');
  }
  absl::string_view text() const { return text_; }
  uint64_t value() const { return value_; }
  size_t size() const { return text_.size(); }
  bool empty() const { return text_.empty(); }
  char operator[](size_t i) const { return text_[i]; }
  bool StartsWith(absl::string_view prefix) const { return absl::StartsWith(text_, prefix); }
  // Takes off the first `count` digits, which are worth `worth`.
  void Drop(size_t count, uint64_t worth) {
    text_.remove_prefix(count);
    value_ -= worth * kPowersOfTen[text_.size()];
  }

 private:
  absl::string_view text_;
  uint64_t value_ = 0;
};

// Whether the digits begin with a calling code that belongs to a country or territory.
bool IsCountry(Digits international);

// `international`: they began with "+". `home`: calling code of the numbers written without one, 0
// if there is none.
Parsed ParseDigits(Digits digits, bool international, int home);

}  // namespace outpace::campaign::internal
