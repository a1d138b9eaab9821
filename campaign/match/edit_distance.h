#pragma once

#include "absl/strings/string_view.h"

namespace outpace::match {

// Fewest insertions, deletions, changes and swaps of neighbours that make `a` into `b` (optimal
// string alignment), in octets. Texts over 64 octets are compared by their first 64. Never more
// than 64.
int EditDistance(absl::string_view a, absl::string_view b);

// 1 - distance / length of the longer; 1 for equal texts, 0 when one of them is empty.
double EditSimilarity(absl::string_view a, absl::string_view b);

// Jaro's similarity with Winkler's bonus for a common beginning (0.1 for each of up to four).
double JaroWinkler(absl::string_view a, absl::string_view b);

}  // namespace outpace::match
