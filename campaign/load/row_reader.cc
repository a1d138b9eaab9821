#include "campaign/load/row_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "campaign/filter/values.h"
#include "campaign/load/encoding.h"
#include "campaign/load/row_values.h"
#include "campaign/number_info.h"
#include "campaign/number_plan.h"

namespace outpace::load {
namespace {

using K = ColumnKind;

bool Fail(RowLead& out, absl::string_view code, absl::string_view column,
          absl::string_view reason) {
  out.finding.code = code;
  out.finding.column = column;
  out.finding.reason.assign(reason.data(), reason.size());
  return false;
}

absl::string_view Cell(const Row& row, size_t column) {
  return column < row.fields.size() ? row.fields[column] : absl::string_view();
}

// Whether a text is what its column's type says.
bool IsOfType(absl::string_view text, campaign::FieldType type) {
  double number = 0;
  int32_t day = 0;
  bool flag = false;
  switch (type) {
    case campaign::FieldType::kText:
      return true;
    case campaign::FieldType::kNumber:
      return filter::ReadNumber(text, number);
    case campaign::FieldType::kDate:
      return filter::ReadDay(text, day);
    case campaign::FieldType::kFlag:
      return filter::ReadFlag(text, flag);
  }
  return false;
}

// Nothing but what numbers are written with: an address3 of this kind is VICIdial's third number.
bool LooksLikeNumber(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || c == ' ' || c == '+' || c == '-' || c == '(' || c == ')' ||
           c == '.';
  });
}

}  // namespace

RowReader::RowReader(const Rules& rules)
    : rules_(rules),
      home_({rules.options.country, campaign::CallingCode(rules.options.country), true}),
      zones_(rules.zones) {
  // The dial prefix says more than the country's name, it was made for dialing: it comes last.
  for (const K kind : {K::kCountry, K::kPhoneCode}) {
    for (size_t i = 0; i < rules.columns.columns.size(); ++i) {
      if (rules.columns.columns[i].kind == kind) country_columns_.push_back(i);
    }
  }
  for (size_t i = 0; i < rules.columns.columns.size(); ++i) {
    const K kind = rules.columns.columns[i].kind;
    if (kind == K::kPhone) phone_column_ = i;
    if (kind == K::kTimeZone) zone_columns_.push_back(i);
    if (kind == K::kAltPhone || kind == K::kMultiAlt || kind == K::kThirdPhone) {
      further_columns_.push_back(i);
    }
  }
}

bool RowReader::Read(const Row& row, const PieceFacts& facts, RowLead& out) {
  out.lead = campaign::BulkLead();
  out.texts.assign(rules_.layout.fields.size(), {});
  out.phone_repaired = out.short_row = out.alt_dropped = out.time_adjusted = false;
  return CheckRow(row, facts, out) && ReadPhones(row, out) && ReadZone(row, out) &&
         ReadFields(row, facts, out);
}

bool RowReader::CheckRow(const Row& row, const PieceFacts& facts, RowLead& out) const {
  switch (row.fault) {
    case RowFault::kNone:
      break;
    case RowFault::kUnclosedQuote:
      return Fail(out, "E_UNCLOSED_QUOTE", "",
                  absl::StrCat("a quote opens and never closes; the ", row.octets,
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
  if (facts.nul && absl::StrContains(row.raw, '\0')) {
    return Fail(out, "E_NUL", "", "NUL octets");
  }
  if (!facts.clean) {
    const RowText text = CheckRowText(row.raw, rules_.is_utf8);
    if (text == RowText::kCut && !row.has_line_end) {
      return Fail(out, "E_TRUNCATED", "", "the file is cut in the middle of a character");
    }
    if (text != RowText::kGood) {
      return Fail(out, "E_ENCODING", "", "bytes that are no text in the file's encoding");
    }
  }
  const size_t wanted = rules_.columns.columns.size();
  if (row.fields.size() < wanted) {
    if (!row.has_line_end) {
      return Fail(out, "E_TRUNCATED", "",
                  "the last row has neither all its columns nor a line end: the file is cut");
    }
    out.short_row = true;
  }
  // One empty column too many is a separator at the line's end; more is data nobody can place.
  if (row.fields.size() > wanted &&
      !(row.fields.size() == wanted + 1 && Trim(row.fields[wanted]).empty())) {
    return Fail(out, "E_COLUMN_COUNT", "",
                absl::StrCat(row.fields.size(), " columns where the header has ", wanted));
  }
  return true;
}

const RowReader::Country& RowReader::CountryOf(const Row& row) {
  for (size_t i = country_columns_.size(); i-- > 0;) {
    const size_t column = country_columns_[i];
    absl::string_view cell = Trim(Cell(row, column));
    if (rules_.columns.columns[column].kind == K::kPhoneCode) {
      absl::ConsumePrefix(&cell, "+");
      absl::ConsumePrefix(&cell, "00");
    }
    if (cell.empty()) continue;
    if (cell != country_text_ || country_text_.empty()) {
      country_text_.assign(cell.data(), cell.size());
      country_.name = CountryAlias(country_text_);
      country_.home = campaign::CallingCode(country_.name);
      country_.known = country_.home != 0;
    }
    return country_;
  }
  return home_;
}

bool RowReader::MayDial(E164 number) const {
  return rules_.options.destinations.empty() ||
         campaign::IsDestination(number, rules_.options.destinations);
}

bool RowReader::ReadNumber(absl::string_view cell, const Country& country, E164& number) const {
  if (campaign::ReadPlainPhone(cell, country.home, number)) return true;
  const campaign::PhoneReading reading = campaign::ReadPhone(cell, country.name);
  number = reading.number;
  return reading.fault == campaign::PhoneFault::kNone;
}

bool RowReader::ReadPhones(const Row& row, RowLead& out) {
  const Country& country = CountryOf(row);
  further_ = 0;
  erased_ = E164();
  third_erased_ = false;
  out.alt_phones.clear();
  const absl::string_view phone = Cell(row, phone_column_);
  const bool none = Trim(phone).empty();
  if (none) ReadFurtherPhones(row, country, out);
  if (none && !out.lead.alt_phone.valid() && erased_.valid()) {
    out.lead.phone = erased_;  // refused for what it is, with the do-not-call numbers
  } else if (none && out.lead.alt_phone.valid()) {
    // The first further number is the one to dial, and the next one its alternate.
    out.lead.phone = std::exchange(out.lead.alt_phone, E164());
    if (const auto rest = ParseAltPhones(out.alt_phones); !rest.empty()) {
      out.lead.alt_phone = rest.front().number;
      const size_t end = out.alt_phones.find(';');
      out.alt_phones.erase(0, end == std::string::npos ? end : end + 1);
    }
  } else if (!campaign::ReadPlainPhone(phone, country.home, out.lead.phone)) {
    campaign::PhoneReading reading = campaign::ReadPhone(phone, country.name);
    if (reading.fault != campaign::PhoneFault::kNone) {
      const bool ambiguous = reading.fault == campaign::PhoneFault::kAmbiguous;
      return Fail(out, campaign::PhoneFaultCode(reading.fault),
                  rules_.columns.columns[phone_column_].header,
                  !country.known && ambiguous
                      ? "no country code, and the row's country is not known"
                      : absl::StrCat("phone: ", reading.reason));
    }
    out.lead.phone = reading.number;
    out.phone_repaired = reading.repaired;
    if (!reading.extension.empty()) {
      out.extension = std::move(reading.extension);
      out.texts[rules_.layout.extension] = out.extension;
    }
  }
  if (!MayDial(out.lead.phone)) {
    return Fail(out, "E_PHONE_DEST", rules_.columns.columns[phone_column_].header,
                "phone: a destination that is not allowed");
  }
  if (!none) ReadFurtherPhones(row, country, out);
  if (!out.alt_phones.empty()) out.texts[rules_.layout.alt_phones] = out.alt_phones;
  return true;
}

void RowReader::TakeFurther(E164 number, absl::string_view note, RowLead& out) {
  if (number == out.lead.phone || number == out.lead.alt_phone) return;
  if (!MayDial(number)) {
    out.alt_dropped = true;
  } else if (rules_.dnc.IsErased(number)) {
    erased_ = number;
    out.alt_dropped = true;
  } else if (!out.lead.alt_phone.valid()) {
    out.lead.alt_phone = number;
  } else if (further_ == kAltPhonesMax) {
    out.alt_dropped = true;
  } else {
    ++further_;
    AppendAltPhone(number, note, out.alt_phones);
  }
}

void RowReader::ReadFurtherPhones(const Row& row, const Country& country, RowLead& out) {
  for (const size_t column : further_columns_) {
    const absl::string_view cell = Trim(Cell(row, column));
    if (cell.empty()) continue;
    const K kind = rules_.columns.columns[column].kind;
    E164 number;
    if (kind == K::kThirdPhone) {
      if (!LooksLikeNumber(cell) || !ReadNumber(cell, country, number)) continue;
      third_erased_ = third_erased_ || rules_.dnc.IsErased(number);
      TakeFurther(number, "", out);
      continue;
    }
    if (kind == K::kAltPhone && ReadNumber(cell, country, number)) {
      TakeFurther(number, "", out);
      continue;
    }
    kind == K::kMultiAlt ? SplitMultiAlt(cell, parts_) : SplitPhoneCell(cell, parts_);
    for (const PhonePart& part : parts_) {
      Country own = country;
      if (!part.phone_code.empty()) own = {part.phone_code, campaign::CallingCode(part.phone_code)};
      if (ReadNumber(part.number, own, number)) {
        TakeFurther(number, part.note, out);
      } else {
        out.alt_dropped = true;
      }
    }
  }
}

bool RowReader::ReadZone(const Row& row, RowLead& out) {
  for (const size_t column : zone_columns_) {
    const absl::string_view name = Trim(Cell(row, column));
    if (name.empty()) continue;
    bool known = false;
    const absl::StatusOr<uint32_t> id = zones_.OfName(name, known);
    if (!id.ok()) {
      status_ = id.status();
      return false;
    }
    if (!known) {
      return Fail(out, "E_TIMEZONE", rules_.columns.columns[column].header,
                  "time zone: not an IANA name such as America/New_York");
    }
    out.lead.zones = *id;
    out.zone_name = name;
    return true;
  }
  const uint32_t set = campaign::ZoneSetOf(out.lead.phone);
  if (set == 0) {
    return Fail(out, "E_TIMEZONE", "",
                "phone: its time zone is not known, so it may not be dialed");
  }
  const absl::StatusOr<uint32_t> id = zones_.OfSet(set);
  if (!id.ok()) {
    status_ = id.status();
    return false;
  }
  out.lead.zones = *id;
  out.zone_name = campaign::ZonesOfSet(set).front();
  return true;
}

bool RowReader::ReadFields(const Row& row, const PieceFacts& facts, RowLead& out) const {
  const bool controls = facts.controls && MayHaveControl(row.raw);
  const std::vector<Column>& columns = rules_.columns.columns;
  for (size_t i = 0; i < columns.size(); ++i) {
    const Column& column = columns[i];
    const absl::string_view cell = Cell(row, i);
    // Numbers are read by a reader of their own, which refuses controls.
    if (controls && column.kind != K::kPhone && column.kind != K::kAltPhone && HasControl(cell)) {
      return Fail(out, "E_CONTROL_CHAR", column.header, "control or direction characters");
    }
    const absl::string_view text = Trim(cell);
    if (text.empty() || (column.kind == K::kThirdPhone && third_erased_)) continue;
    if (column.kind == K::kText && !column.type_named) {
      out.texts[rules_.layout.slots[i]] = text;
    } else if (column.kind == K::kCallerId) {
      // A line end in it could become a header of a SIP message.
      if (cell.find_first_of("\r\n") != absl::string_view::npos) {
        return Fail(out, "E_CONTROL_CHAR", column.header, "a line end in a caller ID");
      }
    } else if (!ReadField(column, rules_.layout.slots[i], text, out)) {
      return false;
    }
  }
  const LeadLayout& layout = rules_.layout;
  if (layout.name != LeadLayout::kNone && out.texts[layout.first_name].empty() &&
      out.texts[layout.last_name].empty()) {
    const SplitName name = SplitFullName(out.texts[layout.name]);
    out.texts[layout.first_name] = name.first;
    out.texts[layout.last_name] = name.last;
  }
  return true;
}

bool RowReader::ReadField(const Column& column, size_t slot, absl::string_view text,
                          RowLead& out) const {
  int number = 0;
  if (column.type_named && !IsOfType(text, column.type)) {
    return Fail(out, "E_FIELD_TYPE", column.header,
                absl::StrCat("not a ", campaign::FieldTypeName(column.type)));
  }
  switch (column.kind) {
    case K::kIgnored:
    case K::kUntrusted:
    case K::kPhone:
    case K::kAltPhone:
    case K::kMultiAlt:
    case K::kTimeZone:
    case K::kCallerId:
      return true;
    case K::kText:
    case K::kName:
    case K::kThirdPhone:
    case K::kPhoneCode:
    case K::kCountry:
    case K::kOwner:
      out.texts[slot] = text;
      return true;
    case K::kRank:
      if (!ParseWhole(text, -99, 99, number)) {
        return Fail(out, "E_VALUE_RANGE", column.header, "rank: not a whole number -99..99");
      }
      out.lead.rank = static_cast<int8_t>(number);
      return true;
    case K::kPriority:
      if (!ParseWhole(text, 0, 100, number)) {
        return Fail(out, "E_VALUE_RANGE", column.header, "priority: not a whole number 0..100");
      }
      out.lead.rank = static_cast<int8_t>(std::min(number, 99));
      return true;
    case K::kMaxAttempts:
      if (!ParseWhole(text, 1, 10, number)) {
        return Fail(out, "E_VALUE_RANGE", column.header, "max_attempts: not a whole number 1..10");
      }
      out.lead.max_attempts = static_cast<uint8_t>(number);
      return true;
    case K::kGender:
      out.texts[slot] = GenderOf(text);
      return true;
    case K::kDateOfBirth:
      // Both stand for "not known" in the field's files.
      if (text != "0000-00-00" && text != "1970-01-01") out.texts[slot] = text;
      return true;
    case K::kCallback: {
      const CallbackTime callback = ReadCallback(text, out.zone_name, rules_.now);
      if (!callback.fault.empty()) {
        return Fail(out, "E_DATE", column.header, absl::StrCat("callback: ", callback.fault));
      }
      out.lead.next_call_micros = absl::ToUnixMicros(callback.at);
      out.time_adjusted = callback.moved;
      return true;
    }
  }
  return true;
}

}  // namespace outpace::load
