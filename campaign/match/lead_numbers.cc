#include "campaign/match/lead_numbers.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace outpace::match {
namespace {

std::string DigitsOf(absl::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(c))) digits.push_back(c);
  }
  return digits;
}

// One number with what may stand behind it: "+1 303 555 0101", "+13035550101 mobile 2",
// "3035550101_1_work" (number, calling code, note).
bool IsNumber(absl::string_view part, absl::string_view digits) {
  if (DigitsOf(part) == digits) return true;
  const std::pair<absl::string_view, absl::string_view> blank =
      absl::StrSplit(part, absl::MaxSplits(' ', 1));
  if (DigitsOf(blank.first) == digits) return true;
  const std::pair<absl::string_view, absl::string_view> rest =
      absl::StrSplit(part, absl::MaxSplits('_', 1));
  const std::pair<absl::string_view, absl::string_view> code =
      absl::StrSplit(rest.second, absl::MaxSplits('_', 1));
  return DigitsOf(rest.first) == digits ||
         absl::StrCat(DigitsOf(code.first), DigitsOf(rest.first)) == digits;
}

}  // namespace

bool HasNumber(const campaign::Lead& lead, E164 phone) {
  if (lead.phone == phone || lead.alt_phone == phone) return true;
  const std::string digits = phone.Digits();
  return std::any_of(lead.fields.begin(), lead.fields.end(), [&digits](const auto& field) {
    if (field.first != "alt_phones" && !absl::StartsWith(field.first, "phone")) return false;
    for (absl::string_view part : absl::StrSplit(field.second, absl::ByAnyChar(";,/|!\r\n"))) {
      if (IsNumber(absl::StripAsciiWhitespace(part), digits)) return true;
    }
    return false;
  });
}

}  // namespace outpace::match
