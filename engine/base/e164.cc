#include "engine/base/e164.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace outpace {

std::string E164::Digits() const { return absl::StrCat(digits_); }

std::string E164::ToString() const { return absl::StrCat("+", digits_); }

std::string E164::Masked() const {
  std::string text = ToString();
  // Keeps "+", the first four digits and the last three.
  for (size_t i = 5; i + 3 < text.size(); ++i) text[i] = '*';
  return text;
}

absl::StatusOr<E164> ParseE164(absl::string_view text) {
  if (!absl::StartsWith(text, "+")) return absl::InvalidArgumentError("phone: no '+' at byte 0");
  uint64_t value = 0;
  int count = 0;
  for (size_t i = 1; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (absl::ascii_isdigit(c)) {
      if (++count > 15) return absl::InvalidArgumentError("phone: more than 15 digits");
      if (count == 1 && c == '0') {
        return absl::InvalidArgumentError("phone: a country code has no leading 0");
      }
      value = value * 10 + static_cast<uint64_t>(c - '0');
    } else if (!absl::StrContains(" -.()", text.substr(i, 1))) {
      return absl::InvalidArgumentError(absl::StrCat("phone: bad byte at ", i));
    }
  }
  if (count < 8) return absl::InvalidArgumentError(absl::StrCat("phone: ", count, " digits"));
  return E164(value);
}

}  // namespace outpace
