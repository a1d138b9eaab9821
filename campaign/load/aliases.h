#pragma once

// The fields of a lead a list file can fill, and the names that files give them: VICIdial's own,
// those of exports of common customer systems (Salesforce, HubSpot) and of Chinese company
// registers (企查查, 天眼查), and what people type.

#include <string>

#include "absl/strings/string_view.h"
#include "campaign/load/columns.h"

namespace outpace::load {

struct FieldKind {
  absl::string_view field;
  ColumnKind kind;
  campaign::FieldType type = campaign::FieldType::kText;
};

// nullptr: no field of this name; a column may still be kept under a name of its own.
const FieldKind* FindField(absl::string_view field);

// The field behind an alias in its normal form, or the field of that name; empty: none.
absl::string_view FieldOfAlias(absl::string_view normal);

// "  Time\nZone " -> "time_zone", "*手机号（必填）" -> "手机号"; full-width letters, brackets and
// blanks as ASCII ones; blanks, dashes, dots and slashes as '_'.
std::string NormalHeader(absl::string_view text);

}  // namespace outpace::load
