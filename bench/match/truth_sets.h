#pragma once

// Lists in which somebody has said which records are the same, and how well a grouping agrees with
// that: over pairs, and over records (B-cubed: Bagga and Baldwin 1998), which a single very large
// group does not drown.

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "campaign/match/match.h"

namespace outpace::match {

struct TruthSet {
  std::string name;
  Kind kind = Kind::kPerson;
  std::vector<Record> records;   // views into `texts`
  std::vector<uint32_t> entity;  // of each record
  bool b_cubed = false;          // how it is judged: else by pairs
  std::deque<std::string> texts;
};

// Febrl (rec_id, given_name, ...): the answer in rec_id, "rec-12-dup-0", is taken out.
absl::StatusOr<TruthSet> ReadFebrl(const std::string& path);
// id, name, addr, city, phone, type, entity.
absl::StatusOr<TruthSet> ReadRestaurants(const std::string& path);
// person_id, company_id, name.
absl::StatusOr<TruthSet> ReadCompanyNames(const std::string& path);

// The records whose entity falls into part `part` of `parts`.
TruthSet PartOf(const TruthSet& whole, uint32_t part, uint32_t parts);

struct Quality {
  double precision = 0, recall = 0;
  double F1() const {
    return precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
  }
};
// `group` as of Result::group, over the records of the set.
Quality PairQuality(const TruthSet& set, const std::vector<uint32_t>& group);
Quality BCubed(const TruthSet& set, const std::vector<uint32_t>& group);
// The measure the set is judged by.
Quality Judge(const TruthSet& set, const std::vector<uint32_t>& group);

}  // namespace outpace::match
