#include "campaign/load/row_values.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "campaign/calling_window.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace outpace::load {
namespace {

// A promised call further away than this is a slip of the keyboard.
constexpr absl::Duration kCallbackMax = absl::Hours(24 * 366);

bool ParseDigits(absl::string_view text, size_t at, size_t count, int& out) {
  if (text.size() < at + count) return false;
  const absl::string_view part = text.substr(at, count);
  return std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
         ParseWhole(part, 0, 9999, out);
}

bool IsControl(unsigned char c) {
  return c < 0x20 ? c != '\t' && c != '\n' && c != '\r' : c == 0x7f;
}

// Controls, and the octets that begin the longer ones: C2 (U+0080..) and E2 (U+2000..).
bool MayBeginControl(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return IsControl(octet) || octet == 0xc2 || octet == 0xe2;
}

CallbackTime Refuse(absl::string_view why) {
  CallbackTime out;
  out.fault = why;
  return out;
}

}  // namespace

bool HasControl(absl::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (IsControl(c)) return true;
    if (c == 0xc2 && i + 1 < text.size()) {
      const auto d = static_cast<unsigned char>(text[i + 1]);
      // U+0080 has no function and comes out of GB18030 files (81 30 81 30); it is left alone.
      if (d > 0x80 && d <= 0x9f) return true;
    }
    if (c == 0xe2 && i + 2 < text.size()) {
      const auto d = static_cast<unsigned char>(text[i + 1]);
      const auto e = static_cast<unsigned char>(text[i + 2]);
      if (d == 0x80 && e >= 0xaa && e <= 0xae) return true;
      if (d == 0x81 && e >= 0xa6 && e <= 0xa9) return true;
    }
  }
  return false;
}

bool MayHaveControl(absl::string_view text) {
  size_t i = 0;
#if defined(__SSE2__)
  const auto all = [](char c) { return _mm_set1_epi8(c); };
  for (; i + 16 <= text.size(); i += 16) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));
    // Below 0x20 as unsigned numbers: what 0x1f as the minimum leaves as it is.
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(octets, all(0x1f)), octets);
    const __m128i allowed = _mm_or_si128(
        _mm_cmpeq_epi8(octets, all('\n')),
        _mm_or_si128(_mm_cmpeq_epi8(octets, all('\r')), _mm_cmpeq_epi8(octets, all('\t'))));
    const __m128i high = _mm_or_si128(
        _mm_cmpeq_epi8(octets, all('\x7f')),
        _mm_or_si128(_mm_cmpeq_epi8(octets, all('\xc2')), _mm_cmpeq_epi8(octets, all('\xe2'))));
    if (_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(allowed, low), high)) != 0) return true;
  }
#endif
  return std::any_of(text.begin() + static_cast<ptrdiff_t>(i), text.end(), MayBeginControl);
}

bool ParseWhole(absl::string_view text, int low, int high, int& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out >= low && out <= high;
}

absl::string_view GenderOf(absl::string_view text) {
  if (text.size() == 1) return text;
  if (text == "男" || absl::EqualsIgnoreCase(text, "male")) return "M";
  if (text == "女" || absl::EqualsIgnoreCase(text, "female")) return "F";
  return text;
}

SplitName SplitFullName(absl::string_view name) {
  const size_t comma = name.find(',');
  if (comma != absl::string_view::npos) {
    return {Trim(name.substr(comma + 1)), Trim(name.substr(0, comma))};
  }
  const size_t blank = name.find_last_of(' ');
  if (blank == absl::string_view::npos) return {name, {}};
  return {Trim(name.substr(0, blank)), name.substr(blank + 1)};
}

absl::string_view CountryAlias(absl::string_view text) {
  struct Name {
    absl::string_view name, iso;
  };
  static constexpr Name kNames[] = {
      {"united states", "US"},  {"united states of america", "US"},
      {"america", "US"},        {"canada", "CA"},
      {"united kingdom", "GB"}, {"great britain", "GB"},
      {"england", "GB"},        {"scotland", "GB"},
      {"wales", "GB"},          {"china", "CN"},
      {"hong kong", "HK"},      {"australia", "AU"},
      {"中国", "CN"},           {"美国", "US"},
      {"加拿大", "CA"},         {"英国", "GB"},
      {"香港", "HK"},           {"澳大利亚", "AU"},
      {"澳洲", "AU"},
  };
  if (text.size() <= 3) return text;  // a code
  const std::string lower = absl::AsciiStrToLower(text);
  for (const Name& name : kNames) {
    if (name.name == lower) return name.iso;
  }
  return text;
}

CallbackTime ReadCallback(absl::string_view text, absl::string_view zone, absl::Time now) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const bool shape = text.size() >= 16 && ParseDigits(text, 0, 4, year) && text[4] == '-' &&
                     ParseDigits(text, 5, 2, month) && text[7] == '-' &&
                     ParseDigits(text, 8, 2, day) && (text[10] == ' ' || text[10] == 'T') &&
                     ParseDigits(text, 11, 2, hour) && text[13] == ':' &&
                     ParseDigits(text, 14, 2, minute);
  if (!shape) return Refuse("write it as 2026-06-01 10:00");
  absl::string_view rest = text.substr(16);
  if (rest.size() >= 3 && rest[0] == ':' && ParseDigits(rest, 1, 2, second)) rest.remove_prefix(3);
  const absl::CivilSecond civil(year, month, day, hour, minute, second);
  if (civil.year() != year || civil.month() != month || civil.day() != day ||
      civil.hour() != hour || civil.minute() != minute || civil.second() != second) {
    return Refuse("no such date or time");
  }
  CallbackTime out;
  int offset_hour = 0, offset_minute = 0;
  if (rest.empty()) {
    const absl::StatusOr<absl::TimeZone> found = campaign::FindTimeZone(zone);
    if (!found.ok()) return Refuse("the lead's time zone is not installed");
    const absl::TimeZone::TimeInfo info = found->At(civil);
    // In the hour that is skipped in spring: the first instant behind the gap. In the hour that
    // comes twice in autumn: the earlier one.
    out.moved = info.kind == absl::TimeZone::TimeInfo::SKIPPED;
    out.at = out.moved ? info.trans : info.pre;
  } else if (rest == "Z") {
    out.at = absl::FromCivil(civil, absl::UTCTimeZone());
  } else if (rest.size() == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':' &&
             ParseDigits(rest, 1, 2, offset_hour) && ParseDigits(rest, 4, 2, offset_minute) &&
             offset_hour <= 14 && offset_minute < 60) {
    const absl::Duration offset = absl::Hours(offset_hour) + absl::Minutes(offset_minute);
    out.at = absl::FromCivil(civil, absl::UTCTimeZone()) - (rest[0] == '+' ? offset : -offset);
  } else {
    return Refuse("write it as 2026-06-01 10:00");
  }
  // A list of calls promised for the past would be dialed at once, all of it.
  if (out.at <= now) return Refuse("in the past");
  if (out.at > now + kCallbackMax) return Refuse("more than a year ahead");
  return out;
}

}  // namespace outpace::load
