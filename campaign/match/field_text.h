#pragma once

// Addresses, telephone numbers, dates and names of persons as they are compared.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace outpace::match {

struct Street {
  std::string number;  // "435", "13a"; of the house
  std::string text;    // the rest, abbreviations written out, all together: "slacienegaboulevard"
};
// `number`: of a field of its own, may be empty. Directions (n, west) are left out, and so is what
// follows "near", "between", "at": they are given or not as the writer likes.
Street ParseStreet(absl::string_view number, absl::string_view address);

// The last nine digits, which every way of writing a number with or without country and trunk codes
// has in common; fewer if it has fewer. 0: no number (under 7 digits). Extensions are left out.
uint64_t PhoneKey(absl::string_view phone);

// YYYYMMDD; 0: none. Where day and month cannot be told apart the month is taken first.
uint32_t DateKey(absl::string_view date);

// "New York City" -> "newyork", "深圳市" -> "shenzhen".
std::string CityKey(absl::string_view city);
// Letters and digits only.
std::string PlainKey(absl::string_view text);

struct PersonName {
  std::string given, surname;          // Latin letters; Chinese in pinyin
  std::string given_first;             // its first word: "mary" of "mary ann"
  std::string given_han, surname_han;  // the characters, if it was written in Chinese
};
// Either field may hold the whole name. Titles are left out.
PersonName ParsePersonName(absl::string_view first_name, absl::string_view last_name);

// A code that names which sound alike share (after Philips' Metaphone, cut down): "stephen" and
// "steven", "meyer" and "maier". At most eight letters.
std::string SoundCode(absl::string_view latin);

}  // namespace outpace::match
