// The short way for plain cells. It knows the punctuation that never changes what a number means
// and nothing else; whatever is not plain, good or certain is left to phone_reader.cc, so that the
// two can only differ in speed.

#include "absl/strings/string_view.h"
#include "campaign/number_plan.h"
#include "campaign/number_plan_internal.h"

namespace outpace::campaign {
namespace {

// A phone cell longer than this has something to tell beside a number.
constexpr size_t kPlainMax = 32;

}  // namespace

bool ReadPlainPhone(absl::string_view text, int home, E164& number) {
  if (text.size() > kPlainMax) return false;
  char digits[kPlainMax];
  size_t count = 0;
  uint64_t value = 0;
  bool plus = false;
  size_t before_dash = 0;  // digits in front of the last dash
  for (const char c : text) {
    const unsigned digit = static_cast<unsigned char>(c) - unsigned{'0'};
    if (digit <= 9) {
      digits[count++] = c;
      value = value * 10 + digit;
    } else if (c == '-') {
      before_dash = count;
    } else if (c == '+') {
      if (plus || count > 0) return false;
      plus = true;
    } else if (c != ' ' && c != '(' && c != ')' && c != '.') {
      return false;
    }
  }
  if (count == 0 || count > internal::kDigitsMax) return false;
  // What a spreadsheet's number leaves behind, and "010-55550101-8002" with an extension.
  if (digits[count - 1] == '0' && text.find(".0") != absl::string_view::npos) return false;
  if (before_dash >= 10 && count - before_dash <= 6) return false;
  const internal::Parsed parsed =
      internal::ParseDigits(internal::Digits(absl::string_view(digits, count), value), plus, home);
  if (parsed.fault != PhoneFault::kNone || parsed.repaired) return false;
  number = parsed.number;
  return true;
}

}  // namespace outpace::campaign
