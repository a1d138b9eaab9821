#pragma once

// Which records mean the same person or company, though written differently. Records are blocked
// (only those that share a key are compared), each pair is scored by its fields, and pairs over the
// threshold form groups. Every score can say what it was made of. docs/MATCHING.md tells the method
// and what it was measured on.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace outpace::match {

enum class Kind { kPerson, kCompany };

// UTF-8 as written; empty: not known. Views: the texts outlive the call.
struct Record {
  uint64_t id = 0;  // a lead's id, or a row's number
  absl::string_view first_name, last_name;
  absl::string_view company;  // of a company: its name; of a person: where they work
  absl::string_view street_number, address1, address2, city, state, postal_code;
  absl::string_view date_of_birth;
  absl::string_view phone;  // digits, E.164 or as written
  absl::string_view email;
  absl::string_view vendor_code;
};

// What one field had to say about a pair.
struct Evidence {
  const char* field = "";  // "last_name", "company core", "phone"
  const char* rule = "";   // "equal", "Jaro-Winkler", "initial", "shared switchboard", ...
  double similarity = 0;   // 0..1; of `field`
  double weight = 0;       // what it added to the score, in bits (log2 of the odds); may be below 0
};

struct Pair {
  uint32_t a = 0, b = 0;  // indexes of the records, a < b
  double score = 0;       // 0..1: how sure it is that both are the same
};

// Indexes of two records, in any order.
using IndexPairs = std::vector<std::pair<uint32_t, uint32_t>>;

struct Options {
  Kind kind = Kind::kPerson;
  double same = 0.90;    // from here on taken as the same
  double review = 0.70;  // from here on shown to a person
  int threads = 2;
  IndexPairs apart;  // that somebody said are two: never in one group
};

struct Result {
  std::vector<Pair> pairs;  // score >= options.review, by a, then b
  // group[i]: the lowest index of the records that are the same as record i (itself if none).
  std::vector<uint32_t> group;
  uint64_t compared = 0;                // pairs scored
  uint64_t blocks = 0, blocks_cut = 0;  // keys; of them so common that they were split or dropped
};

// Pure but for threads; the same records give the same result, whatever the number of threads.
// InvalidArgument: thresholds out of order, or no record has an index of `apart`.
absl::StatusOr<Result> FindDuplicates(absl::Span<const Record> records, const Options& options);

// The evidence for and against one pair, strongest first.
std::vector<Evidence> Explain(const Record& a, const Record& b, Kind kind, double* score);

// A company's name without legal form, city and case: "深圳市华强电子有限公司" and
// "华强电子（深圳）" have one core. For people who look why.
std::string CompanyCore(absl::string_view name);

}  // namespace outpace::match
