#include "campaign/load/xlsx_format.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"

namespace outpace::load {
namespace {

using Kind = NumberFormat::Kind;

// A spreadsheet's number has fifteen digits; of a longer one the last are gone.
constexpr double kExactMax = 1e15;
constexpr double kSerialMax = 2958466;  // 9999-12-31 and a day

// The first section of a format code (for positive numbers), its quotes and escapes resolved:
// literals[i] tells whether text[i] stands for itself.
struct Section {
  std::string text;
  std::string literals;
  bool conditional = false;  // "[<=999]": not one pattern for all numbers

  void Add(char c, bool literal) {
    text += c;
    literals += literal ? '1' : '0';
  }
};

Section FirstSection(absl::string_view code) {
  Section out;
  for (size_t i = 0; i < code.size() && code[i] != ';'; ++i) {
    const char c = code[i];
    if (c == '"') {
      for (++i; i < code.size() && code[i] != '"'; ++i) out.Add(code[i], true);
    } else if (c == '\\') {
      if (++i < code.size()) out.Add(code[i], true);
    } else if (c == '_' || c == '*') {
      ++i;  // a blank as wide as the next character, or that character as filling
    } else if (c == '[') {
      const size_t end = std::min(code.find(']', i), code.size());
      const absl::string_view inside = code.substr(i + 1, end - i - 1);
      const bool compares = !inside.empty() && absl::StrContains("<>=", inside.substr(0, 1));
      out.conditional = out.conditional || compares;
      // "[h]": hours that go on beyond 24 are a duration, which is a plain number to a list.
      const bool elapsed =
          !inside.empty() && absl::StrContains("hHmMsS", inside.substr(0, 1)) && inside.size() <= 2;
      out.conditional = out.conditional || elapsed;
      i = end;
    } else {
      out.Add(c, false);
    }
  }
  return out;
}

std::string ShowSerial(double serial, Kind kind, bool date1904) {
  const double day = std::floor(serial);
  auto seconds = static_cast<int64_t>(std::llround((serial - day) * 86400));
  auto days = static_cast<int64_t>(day);
  if (seconds == 86400) {
    seconds = 0;
    ++days;
  }
  const std::string time =
      absl::StrFormat("%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (kind == Kind::kTime || (days == 0 && !date1904)) return time;
  std::string date;
  if (!date1904 && days == 60) {
    date = "1900-02-29";  // a day that Lotus 1-2-3 had and everybody after it keeps
  } else {
    const absl::CivilDay first = date1904    ? absl::CivilDay(1904, 1, 1)
                                 : days < 60 ? absl::CivilDay(1899, 12, 31)
                                             : absl::CivilDay(1899, 12, 30);
    date = absl::FormatCivilTime(first + days);
  }
  return kind == Kind::kDate && seconds == 0 ? date : absl::StrCat(date, " ", time);
}

// Digits into the places of a pattern, from the right; what has no place stays in front.
std::string FillPattern(std::string digits, absl::string_view pattern) {
  std::string out;  // backwards
  const size_t first_place = pattern.find_first_of("0#");
  for (size_t i = pattern.size(); i-- > 0;) {
    const char c = pattern[i];
    if (c != '0' && c != '#') {
      if (digits.empty() && i > first_place &&
          pattern.substr(0, i).find('0') == absl::string_view::npos) {
        continue;  // a dash between digits that are not there
      }
      out += c;
      continue;
    }
    if (!digits.empty()) {
      out += digits.back();
      digits.pop_back();
    } else if (c == '0') {
      out += '0';
    }
    if (i == first_place) {
      out.append(digits.rbegin(), digits.rend());
      digits.clear();
    }
  }
  std::reverse(out.begin(), out.end());
  return out;
}

std::string ShowPlain(absl::string_view value, double number) {
  const bool digits_only = std::all_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  if (std::abs(number) >= kExactMax) return absl::StrFormat("%.14E", number);
  if (digits_only) return std::string(value);
  if (number == std::floor(number)) return absl::StrFormat("%.0f", number);
  return absl::StrFormat("%.15g", number);
}

}  // namespace

NumberFormat FormatOfCode(absl::string_view code) {
  const Section section = FirstSection(code);
  if (section.conditional) return {};
  bool date = false, time = false, digit = false, other = false, separator = false;
  size_t zeros = 0;
  for (size_t i = 0; i < section.text.size(); ++i) {
    const char c = section.text[i];
    if (section.literals[i] == '1') {
      separator = true;
      continue;
    }
    switch (absl::ascii_tolower(static_cast<unsigned char>(c))) {
      case 'y':
      case 'd':
      case 'e':  // a year too, in Chinese and Japanese formats; "0.00E+00" is told by its digits
        date = true;
        break;
      case 'h':
      case 's':
        time = true;
        break;
      case 'm':
      case 'a':
      case 'p':
      case '/':
      case ':':
        break;  // a month or a minute: the others tell
      case '0':
      case '#':
        digit = true;
        zeros += c == '0';
        break;
      case '-':
      case ' ':
      case '(':
      case ')':
      case '+':
        separator = true;
        break;
      default:
        // Octets of 年 and the like are literals that need no quotes.
        other = other || static_cast<unsigned char>(c) < 0x80;
    }
  }
  if (absl::EqualsIgnoreCase(code, "general")) return {};
  if (!digit && (date || time || section.text.find_first_of("mM") != std::string::npos)) {
    if (date && time) return {Kind::kDateTime, ""};
    return {time ? Kind::kTime : Kind::kDate, ""};
  }
  if (digit && !other && !date && !time && (zeros > 1 || separator)) {
    return {Kind::kPattern, section.text};
  }
  return {};
}

NumberFormat FormatOfNumber(int id) {
  if ((id >= 14 && id <= 17) || (id >= 27 && id <= 31) || id == 36 || (id >= 50 && id <= 54) ||
      id == 57 || id == 58) {
    return {Kind::kDate, ""};
  }
  if (id == 22) return {Kind::kDateTime, ""};
  // 32..35 and 55, 56 are times in Chinese and Japanese files.
  if ((id >= 18 && id <= 21) || (id >= 32 && id <= 35) || id == 45 || id == 47 || id == 55 ||
      id == 56) {
    return {Kind::kTime, ""};
  }
  return {};
}

std::string ShowNumber(absl::string_view value, const NumberFormat& format, bool date1904) {
  value = absl::StripAsciiWhitespace(value);
  double number = 0;
  if (!absl::SimpleAtod(value, &number) || !std::isfinite(number)) return std::string(value);
  switch (format.kind) {
    case Kind::kPlain:
      break;
    case Kind::kDate:
    case Kind::kDateTime:
    case Kind::kTime:
      // A telephone number in a column of dates is still one.
      if (number >= 0 && number < kSerialMax) return ShowSerial(number, format.kind, date1904);
      break;
    case Kind::kPattern:
      if (number >= 0 && number < kExactMax && number == std::floor(number)) {
        return FillPattern(absl::StrFormat("%.0f", number), format.pattern);
      }
      break;
  }
  return ShowPlain(value, number);
}

}  // namespace outpace::load
