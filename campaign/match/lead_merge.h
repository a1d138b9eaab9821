#pragma once

// Several leads that are one person or company made one lead that is dialed. Nothing is thrown
// away: the others stay in the store, with their attempts, under a final status and with a pointer
// to the lead that took their place, and what every lead was before is kept, so that a merge can be
// taken back.

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/lead.h"
#include "campaign/match/match.h"
#include "campaign/status_set.h"

namespace outpace::match {

// Status of a lead that another one took the place of: final, never dialed.
inline constexpr absl::string_view kMergedStatus = "LSMERG";
// Its field with the id of that lead.
inline constexpr absl::string_view kMergedInto = "merged_into";

// Leads as records. Copies the texts it needs.
class LeadRecords {
 public:
  void Add(const campaign::Lead& lead);
  const std::vector<Record>& records() const { return records_; }
  LeadId lead(size_t i) const { return LeadId(records_[i].id); }
  size_t size() const { return records_.size(); }

 private:
  absl::string_view Keep(absl::string_view text);

  std::vector<Record> records_;
  std::deque<std::string> blocks_;
};

// Whether a lead may take part in a merge now: not merged before, and not in a call.
bool MayMerge(const campaign::Lead& lead);

// One lead before and after a merge.
struct LeadChange {
  campaign::Lead before, after;
};

// What a merge makes of two leads or more of one campaign; the one that goes on first. That is the
// one whose status binds most: do not call, then a sale, a callback that was promised, a refusal
// for good, an abandoned call that rests; of others one whose calls have come to an end, the one
// with the most tries, the earliest, the lowest id. Status, tier and the time of the next call are
// its own; among resting leads of one kind the longest rest counts. It gets
//  - of every field the newest text that is not empty, but the address as a whole from the lead
//    that has most of one;
//  - the others' numbers: as alt_phone when it has none, else as fields phone2, phone3, ...;
//  - their tries: called_count is the sum, last_call_time and hold_until the latest;
//  - the highest rank, and the fewest max_attempts any of them has.
// Pure. The leads must be two at least, with their fields, MayMerge().
// `statuses`: of their campaign.
std::vector<LeadChange> PlanMerge(
    std::vector<campaign::Lead> leads,
    const campaign::StatusSet& statuses = campaign::StatusSet::System());

// A lead after a merge is taken back: what the merge changed and nobody since is as before. Calls
// made since then count: status, tries and times are then the ones of `now`.
campaign::Lead UndoChange(const LeadChange& change, const campaign::Lead& now);

// A merge as it is kept: what `dedup undo` goes by.
struct Merge {
  uint64_t number = 0;
  absl::Time at;
  std::string reason;                          // "score 0.98", "review"
  std::vector<LeadChange> changes;             // none once one of its leads was erased
  absl::Time undone = absl::InfiniteFuture();  // when it was taken back
};
std::string EncodeMerge(const Merge& merge);
// DataLoss: the text is no merge.
absl::StatusOr<Merge> DecodeMerge(absl::string_view text);

}  // namespace outpace::match
