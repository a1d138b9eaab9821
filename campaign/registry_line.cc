#include "campaign/registry_line.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "campaign/number_plan.h"

namespace outpace::campaign {
namespace {

constexpr absl::string_view kSeparators = ",;\t|";
constexpr size_t kAreaDigits = 3, kLocalDigits = 7;

// The next cell, without blanks and quotes around it; `line` goes on behind it.
absl::string_view TakeCell(absl::string_view& line) {
  const size_t end = std::min(line.find_first_of(kSeparators), line.size());
  absl::string_view cell = absl::StripAsciiWhitespace(line.substr(0, end));
  line.remove_prefix(std::min(end + 1, line.size()));
  if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') {
    cell = cell.substr(1, cell.size() - 2);
  }
  return cell;
}

bool AllDigits(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

}  // namespace

E164 RegistryNumber(absl::string_view line, absl::string_view country) {
  absl::string_view cell = TakeCell(line);
  std::array<char, kAreaDigits + kLocalDigits> joined;
  if (cell.size() == kAreaDigits && AllDigits(cell)) {
    const absl::string_view local = TakeCell(line);
    if (local.size() == kLocalDigits && AllDigits(local)) {
      std::copy(cell.begin(), cell.end(), joined.begin());
      std::copy(local.begin(), local.end(), joined.begin() + kAreaDigits);
      cell = {joined.data(), joined.size()};
    }
  }
  E164 number;
  if (ReadPlainPhone(cell, CallingCode(country), number)) return number;
  const PhoneReading reading = ReadPhone(cell, country);
  return reading.fault == PhoneFault::kNone ? reading.number : E164();
}

}  // namespace outpace::campaign
