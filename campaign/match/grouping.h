#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "campaign/match/match.h"
#include "campaign/match/prepared.h"

namespace outpace::match {

// Groups from pairs, surest pairs first. Two groups become one only when their members are alike on
// the whole, not because one record of each is like one of the other: "Ann Lee" and "Annie Lee",
// "Annie Lee" and "Annie Leigh" must not chain on until everybody is the same. No group holds both
// records of a pair of `apart`. Returns for every record the lowest index in its group.
// Deterministic.
std::vector<uint32_t> GroupPairs(const PreparedList& records, absl::Span<const Pair> pairs,
                                 double same, const IndexPairs& apart);

}  // namespace outpace::match
