#pragma once

// The attempts of the last days by number, of all campaigns: what caps, rests and lock-outs of
// rules are counted from. In memory; rebuilt from the stored attempts at each start, so it is as
// durable as they are.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/attempt.h"
#include "campaign/rules/rule_set.h"
#include "campaign/status_set.h"
#include "engine/base/e164.h"
#include "engine/base/ids.h"

namespace outpace::gate {

// One thread writes, or several read.
class NumberHistory {
 public:
  using Attempts = absl::InlinedVector<rules::PastAttempt, 8>;
  // Kept beyond what rules reach for: a clock that was set forward and back again must not have
  // emptied it.
  static constexpr absl::Duration kSlack = absl::Hours(48);

  // Takes an attempt as its record says; again with the same number and time: its result has come.
  // Nothing for calls from outside, those that never left, and those that a trunk lost before the
  // number rang: nobody was reached, and the same lead may go out by the next trunk at once.
  // `statuses`: of the attempt's campaign.
  void Add(const campaign::Attempt& record,
           const campaign::StatusSet& statuses = campaign::StatusSet::System());
  // All attempts to any of `numbers`, newest first: appended to `out`.
  void Find(absl::Span<const E164> numbers, Attempts& out) const;
  // How the attempts of a campaign are marked in Find(); of one that has none, unlike any other.
  uint32_t MarkOf(const CampaignId& campaign) const;

  // Complete from then on; what was before is not known. InfiniteFuture: nothing is known yet.
  absl::Time from() const { return from_; }
  void set_from(absl::Time from) { from_ = from; }
  // Forgets what is older than `reach` and kSlack before `now`. A bounded step.
  void Prune(absl::Time now, absl::Duration reach);
  // Whether it knows all attempts of the last `reach`.
  bool Covers(absl::Duration reach, absl::Time now) const { return from_ <= now - reach; }
  // Takes over the attempts of one that ends where this begins.
  void AddOlder(const NumberHistory& older);

  size_t size() const { return order_.size(); }  // attempts; about 60 bytes each
  bool empty() const { return order_.empty(); }

 private:
  // Milliseconds since 1970 rounded up, campaign and flags: 8 bytes an attempt.
  using Packed = uint64_t;
  using Entries = absl::InlinedVector<Packed, 2>;  // by time of being added
  struct Addition {
    uint64_t number;
    int64_t millis;
  };
  // Where the attempt is known already, `newer` says whose result counts.
  void Put(uint64_t number, Packed packed, bool newer);
  static void Remove(Entries& entries, int64_t millis);

  absl::flat_hash_map<uint64_t, Entries> by_number_;
  std::deque<Addition> order_;  // oldest first, but for a clock that was set back
  absl::flat_hash_map<CampaignId, uint32_t> marks_;
  std::vector<CampaignId> campaigns_;  // by mark
  absl::Time from_ = absl::InfiniteFuture();
};

// What rules want to know of an attempt; `campaign` is left 0.
rules::PastAttempt PastAttemptOf(
    const campaign::Attempt& record,
    const campaign::StatusSet& statuses = campaign::StatusSet::System());

}  // namespace outpace::gate
