#pragma once

// Several numbers of one lead. A lead has the number to dial and one alternate number in fields of
// their own; any further ones are kept in its text field "alt_phones", in one form whatever the
// file had:
//
//     +8613800000001 mobile;+861055550100;+61212345678 sister house
//
// Numbers in E.164, each with an optional note behind a blank, separated by ';' (a ';' of a note
// becomes ','). Exports turn it back into VICIdial's multi-alt cell.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/base/e164.h"

namespace outpace::load {

inline constexpr absl::string_view kAltPhonesField = "alt_phones";
inline constexpr size_t kAltPhonesMax = 20;  // of a lead; more are left out, and counted

// One number of a cell, not yet read. Views into the cell.
struct PhonePart {
  absl::string_view number;
  absl::string_view phone_code;  // dial prefix, of a multi-alt cell; empty: the row's country
  absl::string_view note;
};

// The numbers of a cell that may hold several, separated by ; , 、 / | or a line end (full-width
// forms too). A '/' or ',' inside one number is none ("010-5555/0100" does not occur in practice,
// and two halves would not read as numbers). Clears `parts` first; keeps its storage.
void SplitPhoneCell(absl::string_view cell, std::vector<PhonePart>& parts);

// 7275551212_1_work!7275551213_61_sister house: VICIdial's number_phonecode_note, joined with '!'.
void SplitMultiAlt(absl::string_view cell, std::vector<PhonePart>& parts);

// Appends one number to a lead's "alt_phones".
void AppendAltPhone(E164 number, absl::string_view note, std::string& field);

struct AltPhone {
  E164 number;
  std::string note;
};
// Reads "alt_phones" back; what is no number is left out.
std::vector<AltPhone> ParseAltPhones(absl::string_view field);

// "alt_phones" as VICIdial's multi-alt cell.
std::string FormatMultiAlt(absl::string_view field);

}  // namespace outpace::load
