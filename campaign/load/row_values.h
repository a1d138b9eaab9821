#pragma once

// What single cells of a list file say: whole numbers, genders, names, dates of promised calls.
// Pure; views of what was given.

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace outpace::load {

// As absl::StripAsciiWhitespace, for cells that mostly have nothing to strip.
inline absl::string_view Trim(absl::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// C0 and C1 controls other than tab and line ends, and the marks that turn the direction of text
// (U+202A..E, U+2066..9): they make a screen show another text than the one that is stored. The
// zero-width joiners of names (U+200B..D) stay: some scripts need them.
bool HasControl(absl::string_view text);
// False: HasControl() is false of every part of `text`, and it holds no NUL. 16 octets at a time.
bool MayHaveControl(absl::string_view text);

// The whole of `text` as a number in low..high.
bool ParseWhole(absl::string_view text, int low, int high, int& out);

// "男", "Male" -> "M"; what it does not know stays as it is.
absl::string_view GenderOf(absl::string_view text);

// "Zhang, San" -> San Zhang; "Ann Lee" -> Ann, Lee; a name without a blank is a first name.
struct SplitName {
  absl::string_view first, last;
};
SplitName SplitFullName(absl::string_view name);

// The ISO code for a country's name as exchange files write it ("united kingdom", "中国"); else
// `text` itself.
absl::string_view CountryAlias(absl::string_view text);

// A promised call: "2026-06-01 10:00[:00]" in the lead's zone, or with "Z" or "+08:00" at its end.
struct CallbackTime {
  absl::Time at;
  bool moved = false;            // it lay in the hour that summer time skips
  absl::string_view fault = "";  // why not, in a few words; empty: good
};
// `zone`: IANA name of the lead's zone. It must lie after `now`, and within a year.
CallbackTime ReadCallback(absl::string_view text, absl::string_view zone, absl::Time now);

}  // namespace outpace::load
