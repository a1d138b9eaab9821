#pragma once

// What the matcher knows of the world beside the list it is given: legal forms, places, the words
// of trades, nicknames, common surnames. The tables are in the .inc files.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace outpace::match {

// Where a legal form, written together in small letters, may be cut off a name; bits. Long ones are
// known with a letter off as well.
enum FormPlace : uint8_t { kFormNone = 0, kFormAnywhere = 1, kFormAtEnd = 2, kFormAtStart = 4 };
uint8_t LegalForm(absl::string_view together);
inline constexpr size_t kLegalFormBytesMax = 40;

// A place by its name (folded): a number above 0, 0 if it is none. A city is in its province:
// PlaceWithin(city, province).
uint16_t PlaceCode(absl::string_view name);
bool PlaceWithin(uint16_t inner, uint16_t outer);
// Longest Chinese place name `text` begins with, in octets; 0: none. `code` is then its number.
size_t HanPlacePrefix(absl::string_view text, uint16_t& code);

// The word that stands for the meaning of a trade word ("科技" -> "technology"); empty: it is none.
absl::string_view TradeWord(absl::string_view word);
// "the", "van", "und": words that say nothing about who it is.
bool IsStopWord(absl::string_view word);
// Longest Chinese trade word `text` ends in, in octets; 0: none.
size_t HanTradeSuffix(absl::string_view text);

// Chinese legal forms, name endings and words for branches, longest first.
const std::vector<absl::string_view>& HanForms();
const std::vector<absl::string_view>& HanEndings();
const std::vector<absl::string_view>& HanBranches();

// Whether two folded given names are forms of one: "bob" and "robert", "beth" and "liz".
bool SameGivenName(absl::string_view a, absl::string_view b);
// Share of all people with this surname (folded, in pinyin), 0..1; a usual share for rare ones.
double SurnameShareOf(absl::string_view surname);

}  // namespace outpace::match
