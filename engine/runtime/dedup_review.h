#pragma once

// The review file: pairs of leads of which nobody but a person can say whether they are one, with
// what speaks for and against in words. It is opened in a spreadsheet, gets a word in its column
// "decision", and is read back by `outpace dedup apply`.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "campaign/lead.h"
#include "campaign/match/match.h"
#include "engine/runtime/lead_merger.h"

namespace outpace::runtime {

struct ReviewPair {
  LeadId group;  // the lowest lead of those that belong together
  double score = 0;
  campaign::Lead a, b;
};

// Writes the whole file, or nothing: UTF-8 with a mark that spreadsheets know it by. Cells that a
// spreadsheet would run as a formula are made harmless.
absl::Status WriteReview(const std::string& path, absl::Span<const ReviewPair> pairs,
                         match::Kind kind);

// "last name equal (+11.0), first name nickname (+5.0), birth date different (-5.5)": strongest
// first.
std::string WhyText(absl::Span<const match::Evidence> why, size_t most);

struct ReviewDecisions {
  LeadPairs same, apart;
  uint64_t open = 0;                   // rows without a decision
  std::vector<std::string> not_taken;  // "line 7: ...": rows that could not be read
};
// InvalidArgument: no review file.
absl::StatusOr<ReviewDecisions> ReadReview(absl::string_view text);

}  // namespace outpace::runtime
