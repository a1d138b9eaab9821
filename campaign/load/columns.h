#pragma once

// Which column of a file is which field of a lead: by the names people give them, in English and
// Chinese (aliases.h), by what an operator says (`--map`), or by position in VICIdial's files
// without a header (layouts.h).

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/field_type.h"

namespace outpace::load {

enum class ColumnKind {
  kIgnored,    // known, but the engine decides it (lead_id, status, list_id, caller id, ...)
  kUntrusted,  // would steer the engine or a browser: ignored, and a person should know
  kText,       // kept under `field`
  kName,       // full name: kept, and split into first and last name where the file has neither
  kPhone,      // the number to dial: one column a file
  kAltPhone,  // further numbers, one or several to a cell: see alt_phones.h. Several columns a file
  kMultiAlt,  // VICIdial: number_phonecode_note!number_phonecode_note
  kThirdPhone,   // address3: an address, or VICIdial's third number when nothing but a number
  kPhoneCode,    // dial prefix of the row's country: "1", "44"
  kCountry,      // ISO code or name of the row's country
  kTimeZone,     // IANA name
  kRank,         // -99..99
  kPriority,     // 0..100, the exchange files' word for rank
  kMaxAttempts,  // 1..10
  kOwner,
  kCallback,  // local date and time of a promised call
  kGender,
  kDateOfBirth,
  kCallerId,  // ignored: a caller ID comes from the campaign; refused when it holds a line end
};

struct Column {
  ColumnKind kind = ColumnKind::kText;
  std::string field;   // name in Lead::fields, or of the setting; "-" if ignored
  std::string header;  // as written in the file, for rejects; the field's name without a header
  campaign::FieldType type = campaign::FieldType::kText;  // of the field
  bool type_named = false;  // by the operator: a value of another kind is a fault of its row
  bool known = true;        // false: no alias, kept under its own name
};

struct ColumnMap {
  std::vector<Column> columns;
  bool has_phone = false;
};

// What `--map "注册资本=registered_capital:number"` says of a column.
struct ColumnTarget {
  std::string field;  // "-": leave the column out
  campaign::FieldType type = campaign::FieldType::kText;
  bool has_type = false;  // false: TypeOfField(field)
};
// "registered_capital:number", "city", "-". InvalidArgument: no name a field may have, or no type.
absl::StatusOr<ColumnTarget> ParseColumnTarget(absl::string_view text);

// Maps a header row. `extra` maps header names to targets (ParseColumnTarget), before the known
// aliases. InvalidArgument when a header stands twice or a target is none.
absl::StatusOr<ColumnMap> MapHeader(const std::vector<std::string>& headers,
                                    const std::map<std::string, std::string>& extra);

// The column of a file without a header that holds `field` ("-": ignored).
Column ColumnOfField(absl::string_view field);

// The field a header means ("手机号" -> "phone_number"); empty if no alias is known.
std::string FieldOfHeader(absl::string_view header);

// What is usually in a field: registered_capital is a number, founded a date; else text.
campaign::FieldType TypeOfField(absl::string_view field);

// Some of the names the phone column is known by, for error messages.
absl::string_view PhoneAliases();

}  // namespace outpace::load
