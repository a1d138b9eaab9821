#include "campaign/load/row_reader.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "campaign/calling_window.h"
#include "campaign/load/text_decoder.h"
#include "campaign/number_plan.h"

namespace outpace::load {
namespace {

using K = ColumnKind;

// A promised call further away than this is a slip of the keyboard.
constexpr absl::Duration kCallbackMax = absl::Hours(24 * 366);

bool Fail(RowResult& out, absl::string_view code, absl::string_view column,
          absl::string_view reason) {
  out.code = std::string(code);
  out.column = std::string(column);
  out.reason = std::string(reason);
  return false;
}

absl::string_view Cell(const Row& row, size_t column) {
  return column < row.columns ? absl::string_view(row.fields[column]) : absl::string_view();
}

absl::string_view Trimmed(const Row& row, size_t column) {
  return absl::StripAsciiWhitespace(Cell(row, column));
}

// C0 and C1 controls other than tab and line ends, and the marks that turn the direction of text
// (U+202A..E, U+2066..9): they make a screen show another text than the one that is stored. The
// zero-width joiners of names (U+200B..D) stay: some scripts need them.
bool HasControl(absl::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 ? c != '\t' && c != '\n' && c != '\r' : c == 0x7f) return true;
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

// The whole of `text` as a number in low..high.
bool ParseWhole(absl::string_view text, int low, int high, int& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out >= low && out <= high;
}

// "Zhang, San" -> San Zhang; "Ann Lee" -> Ann, Lee; a name without a blank stays whole.
void SplitName(absl::string_view name, std::map<std::string, std::string>& fields) {
  const size_t comma = name.find(',');
  if (comma != absl::string_view::npos) {
    fields["last_name"] = std::string(absl::StripAsciiWhitespace(name.substr(0, comma)));
    fields["first_name"] = std::string(absl::StripAsciiWhitespace(name.substr(comma + 1)));
    return;
  }
  const size_t blank = name.find_last_of(' ');
  if (blank == absl::string_view::npos) {
    fields["first_name"] = std::string(name);
    return;
  }
  fields["first_name"] = std::string(absl::StripAsciiWhitespace(name.substr(0, blank)));
  fields["last_name"] = std::string(name.substr(blank + 1));
}

// Names of countries as exchange files write them, beside the ISO codes CallingCode knows.
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
  const std::string lower = absl::AsciiStrToLower(text);
  for (const Name& name : kNames) {
    if (name.name == lower) return name.iso;
  }
  return text;
}

bool ParseDigits(absl::string_view text, size_t at, size_t count, int& out) {
  if (text.size() < at + count) return false;
  const absl::string_view part = text.substr(at, count);
  return std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
         ParseWhole(part, 0, 9999, out);
}

}  // namespace

RowResult RowReader::Read(const Row& row) const {
  RowResult out;
  if (CheckRow(row, out) && ReadPhones(row, out) && ReadZone(row, out)) ReadFields(row, out);
  return out;
}

bool RowReader::CheckRow(const Row& row, RowResult& out) const {
  switch (row.fault) {
    case RowFault::kNone:
      break;
    case RowFault::kUnclosedQuote:
      return Fail(out, "E_UNCLOSED_QUOTE", "",
                  absl::StrCat("a quote opens and never closes; the ", row.raw.size(),
                               " bytes to the end of the file went with it"));
    case RowFault::kBadQuote:
      return Fail(out, "E_BAD_QUOTE", "", "text behind a closing quote");
    case RowFault::kFieldTooLong:
      return Fail(out, "E_FIELD_TOO_LONG", "", "a field over 65536 bytes");
    case RowFault::kTooManyColumns:
      return Fail(out, "E_TOO_MANY_COLUMNS", "", "more than 256 columns");
    case RowFault::kRowTooLong:
      return Fail(out, "E_FIELD_TOO_LONG", "", "a row over 262144 bytes");
  }
  if (row.raw.find('\0') != absl::string_view::npos) {
    return Fail(out, "E_NUL", "", "NUL octets");
  }
  if (!clean_) {
    const Utf8 check = CheckUtf8(row.raw);
    if (check == Utf8::kCutAtEnd && !row.has_line_end) {
      return Fail(out, "E_TRUNCATED", "", "the file is cut in the middle of a character");
    }
    if (check != Utf8::kValid || absl::StrContains(row.raw, "\xEF\xBF\xBD")) {
      return Fail(out, "E_ENCODING", "", "bytes that are no text in the file's encoding");
    }
  }
  const size_t wanted = columns_.columns.size();
  if (row.columns < wanted) {
    if (!row.has_line_end) {
      return Fail(out, "E_TRUNCATED", "",
                  "the last row has neither all its columns nor a line end: the file is cut");
    }
    out.short_row = true;
  }
  // One empty column too many is a separator at the line's end; more is data nobody can place.
  if (row.columns > wanted &&
      !(row.columns == wanted + 1 && absl::StripAsciiWhitespace(row.fields[wanted]).empty())) {
    return Fail(out, "E_COLUMN_COUNT", "",
                absl::StrCat(row.columns, " columns where the header has ", wanted));
  }
  return true;
}

std::string RowReader::CountryOf(const Row& row, bool& known) const {
  std::string country = options_.country;
  known = true;
  // The dial prefix says more than the country's name: it was made for dialing.
  for (const ColumnKind kind : {K::kCountry, K::kPhoneCode}) {
    for (size_t i = 0; i < columns_.columns.size(); ++i) {
      if (columns_.columns[i].kind != kind) continue;
      absl::string_view cell = Trimmed(row, i);
      if (kind == K::kPhoneCode) {
        absl::ConsumePrefix(&cell, "+");
        absl::ConsumePrefix(&cell, "00");
      }
      if (cell.empty()) continue;
      const absl::string_view named = CountryAlias(cell);
      known = campaign::CallingCode(named) != 0;
      country = std::string(named);
    }
  }
  return country;
}

bool RowReader::ReadPhones(const Row& row, RowResult& out) const {
  bool country_known = true;
  const std::string country = CountryOf(row, country_known);
  const Column* phone_column = nullptr;
  absl::string_view phone, alt;
  for (size_t i = 0; i < columns_.columns.size(); ++i) {
    const Column& column = columns_.columns[i];
    if (column.kind == K::kPhone) {
      phone_column = &column;
      phone = Cell(row, i);
    } else if (column.kind == K::kAltPhone) {
      alt = Cell(row, i);
    } else if (column.kind == K::kMultiAlt && absl::StripAsciiWhitespace(alt).empty()) {
      // 7275551212_1_work!7275551213_61_home: the first is the alternate number.
      alt = Cell(row, i);
      alt = alt.substr(0, alt.find_first_of("!_"));
    }
  }
  if (absl::StripAsciiWhitespace(phone).empty()) std::swap(phone, alt);
  const campaign::PhoneReading reading = campaign::ReadPhone(phone, country);
  const std::string& header = phone_column->header;
  if (reading.fault != campaign::PhoneFault::kNone) {
    if (!country_known && reading.fault == campaign::PhoneFault::kAmbiguous) {
      return Fail(out, "E_PHONE_AMBIGUOUS", header,
                  "no country code, and the row's country is not known");
    }
    return Fail(out, campaign::PhoneFaultCode(reading.fault), header,
                absl::StrCat("phone: ", reading.reason));
  }
  if (!options_.destinations.empty() &&
      !campaign::IsDestination(reading.number, options_.destinations)) {
    return Fail(out, "E_PHONE_DEST", header, "phone: a destination that is not allowed");
  }
  out.lead.phone = reading.number;
  out.phone_repaired = reading.repaired;
  if (!reading.extension.empty()) out.lead.fields["extension"] = reading.extension;
  if (!absl::StripAsciiWhitespace(alt).empty()) {
    const campaign::PhoneReading other = campaign::ReadPhone(alt, country);
    const bool good = other.fault == campaign::PhoneFault::kNone &&
                      (options_.destinations.empty() ||
                       campaign::IsDestination(other.number, options_.destinations));
    if (good) out.lead.alt_phone = other.number;
    out.alt_dropped = !good;
  }
  return true;
}

bool RowReader::ReadZone(const Row& row, RowResult& out) const {
  for (size_t i = 0; i < columns_.columns.size(); ++i) {
    if (columns_.columns[i].kind != K::kTimeZone) continue;
    const absl::string_view name = Trimmed(row, i);
    if (name.empty()) continue;
    // "EST" and "Etc/GMT+5" know no summer time, so only names of places are taken.
    if (!absl::StrContains(name, '/') || absl::StartsWith(name, "Etc/") ||
        !campaign::FindTimeZone(name).ok()) {
      return Fail(out, "E_TIMEZONE", columns_.columns[i].header,
                  "time zone: not an IANA name such as America/New_York");
    }
    out.lead.time_zones = {std::string(name)};
    return true;
  }
  out.lead.time_zones = campaign::TimeZonesOf(out.lead.phone);
  if (out.lead.time_zones.empty()) {
    return Fail(out, "E_TIMEZONE", "",
                "phone: its time zone is not known, so it may not be dialed");
  }
  return true;
}

bool RowReader::ReadFields(const Row& row, RowResult& out) const {
  campaign::Lead& lead = out.lead;
  for (size_t i = 0; i < columns_.columns.size(); ++i) {
    const Column& column = columns_.columns[i];
    const absl::string_view cell = Cell(row, i);
    const absl::string_view trimmed = absl::StripAsciiWhitespace(cell);
    if (column.kind != K::kPhone && column.kind != K::kAltPhone && HasControl(cell)) {
      return Fail(out, "E_CONTROL_CHAR", column.header, "control or direction characters");
    }
    if (trimmed.empty()) continue;
    int number = 0;
    switch (column.kind) {
      case K::kIgnored:
      case K::kUntrusted:
      case K::kPhone:
      case K::kAltPhone:
      case K::kTimeZone:
        break;
      case K::kCallerId:
        if (cell.find_first_of("\r\n") != absl::string_view::npos) {
          return Fail(out, "E_CONTROL_CHAR", column.header, "a line end in a caller ID");
        }
        break;
      case K::kRank:
        if (!ParseWhole(trimmed, -99, 99, lead.rank)) {
          return Fail(out, "E_VALUE_RANGE", column.header, "rank: not a whole number -99..99");
        }
        break;
      case K::kPriority:
        if (!ParseWhole(trimmed, 0, 100, number)) {
          return Fail(out, "E_VALUE_RANGE", column.header, "priority: not a whole number 0..100");
        }
        lead.rank = std::min(number, 99);
        break;
      case K::kMaxAttempts:
        if (!ParseWhole(trimmed, 1, 10, number)) {
          return Fail(out, "E_VALUE_RANGE", column.header,
                      "max_attempts: not a whole number 1..10");
        }
        lead.max_attempts = number;
        break;
      case K::kOwner:
        lead.owner = std::string(trimmed);
        break;
      case K::kCallback:
        if (!ReadCallback(trimmed, column, out)) return false;
        break;
      case K::kGender:
        lead.fields[column.field] = trimmed == "男" || absl::EqualsIgnoreCase(trimmed, "male") ? "M"
                                    : trimmed == "女" || absl::EqualsIgnoreCase(trimmed, "female")
                                        ? "F"
                                        : std::string(trimmed);
        break;
      case K::kDateOfBirth:
        // Both stand for "not known" in the field's files.
        if (trimmed != "0000-00-00" && trimmed != "1970-01-01") {
          lead.fields[column.field] = std::string(trimmed);
        }
        break;
      case K::kName:
        lead.fields["name"] = std::string(trimmed);
        break;
      case K::kText:
      case K::kPhoneCode:
      case K::kCountry:
      case K::kMultiAlt:
      case K::kThirdPhone:
        lead.fields[column.field] = std::string(trimmed);
        break;
    }
  }
  const auto name = lead.fields.find("name");
  if (name != lead.fields.end() && lead.fields.count("first_name") == 0 &&
      lead.fields.count("last_name") == 0) {
    SplitName(std::string(name->second), lead.fields);
  }
  return true;
}

// "2026-06-01 10:00[:00]" in the lead's zone, or with "Z" or "+08:00" at its end.
bool RowReader::ReadCallback(absl::string_view text, const Column& column, RowResult& out) const {
  const auto fail = [&](absl::string_view why) {
    return Fail(out, "E_DATE", column.header, absl::StrCat("callback: ", why));
  };
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const bool shape = text.size() >= 16 && ParseDigits(text, 0, 4, year) && text[4] == '-' &&
                     ParseDigits(text, 5, 2, month) && text[7] == '-' &&
                     ParseDigits(text, 8, 2, day) && (text[10] == ' ' || text[10] == 'T') &&
                     ParseDigits(text, 11, 2, hour) && text[13] == ':' &&
                     ParseDigits(text, 14, 2, minute);
  if (!shape) return fail("write it as 2026-06-01 10:00");
  absl::string_view rest = text.substr(16);
  if (rest.size() >= 3 && rest[0] == ':' && ParseDigits(rest, 1, 2, second)) rest.remove_prefix(3);
  const absl::CivilSecond civil(year, month, day, hour, minute, second);
  if (civil.year() != year || civil.month() != month || civil.day() != day ||
      civil.hour() != hour || civil.minute() != minute || civil.second() != second) {
    return fail("no such date or time");
  }
  absl::Time at;
  int offset_hour = 0, offset_minute = 0;
  if (rest.empty()) {
    const absl::StatusOr<absl::TimeZone> zone = campaign::FindTimeZone(out.lead.time_zones.front());
    if (!zone.ok()) return fail("the lead's time zone is not installed");
    const absl::TimeZone::TimeInfo info = zone->At(civil);
    // In the hour that is skipped in spring: the first instant behind the gap. In the hour that
    // comes twice in autumn: the earlier one.
    at = info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
    out.time_adjusted = info.kind == absl::TimeZone::TimeInfo::SKIPPED;
  } else if (rest == "Z") {
    at = absl::FromCivil(civil, absl::UTCTimeZone());
  } else if (rest.size() == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':' &&
             ParseDigits(rest, 1, 2, offset_hour) && ParseDigits(rest, 4, 2, offset_minute) &&
             offset_hour <= 14 && offset_minute < 60) {
    const absl::Duration offset = absl::Hours(offset_hour) + absl::Minutes(offset_minute);
    at = absl::FromCivil(civil, absl::UTCTimeZone()) - (rest[0] == '+' ? offset : -offset);
  } else {
    return fail("write it as 2026-06-01 10:00");
  }
  // A list of calls promised for the past would be dialed at once, all of it.
  if (at <= now_) return fail("in the past");
  if (at > now_ + kCallbackMax) return fail("more than a year ahead");
  out.lead.next_call_time = at;
  out.lead.status = "CALLBK";
  return true;
}

}  // namespace outpace::load
