#pragma once

// Which column of a file is which field of a lead: by the names people give them, in English and
// Chinese, or by position in VICIdial's files without a header.

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace outpace::load {

enum class ColumnKind {
  kIgnored,    // known, but the engine decides it (lead_id, status, list_id, caller id, ...)
  kUntrusted,  // would steer the engine or a browser: ignored, and a person should know
  kText,       // kept under `field`
  kName,       // full name: kept, and split into first and last name where the file has neither
  kPhone,
  kAltPhone,
  kMultiAlt,     // VICIdial: number_phonecode_note!number_phonecode_note
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
  bool known = true;   // false: no alias, kept under its own name
};

struct ColumnMap {
  std::vector<Column> columns;
  bool has_phone = false;
};

// Maps a header row. `extra` maps header names to fields beside the known aliases. InvalidArgument
// when a header stands twice or `extra` names no field.
absl::StatusOr<ColumnMap> MapHeader(const std::vector<std::string>& headers,
                                    const std::map<std::string, std::string>& extra);

// Columns by position: "standard" (23, + rank, owner for 25, + called_count.. for more) or
// "stdrankowner", for rows of `count` columns.
ColumnMap StandardColumns(absl::string_view layout, size_t count);

// The field a header means ("手机号" -> "phone_number"); empty if no alias is known.
std::string FieldOfHeader(absl::string_view header);

// Some of the names the phone column is known by, for error messages.
absl::string_view PhoneAliases();

}  // namespace outpace::load
