#pragma once

// What is counted against each limit on abandoned calls, exact to the call: every answered call of
// the longest window, in 8 bytes, by the minute of its answer, and for each contract a running
// count of its window. A call is taken again whenever more is known of it; a ledger that is made
// anew from the stored attempts, after a crash at any moment, counts the same.
//
// Cost: 8 bytes an answered call, up to twice that in the minutes of the last hour, and some 40 a
// minute, for the longest window and two days: a million answered calls a day took 253 MB with a
// window of 30 days. A change of the terms counts all of them anew: 23 ns a call on a busy core.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "campaign/abandon_contract.h"
#include "campaign/attempt.h"
#include "engine/pacing/abandon_budget.h"

namespace outpace::runtime {

// One thread. Copyable.
class AbandonLedger {
 public:
  // What is counted from now on, and of what is known; windows begin at the next Advance().
  void SetContracts(const std::vector<campaign::AbandonContract>& contracts, absl::TimeZone zone);
  // Moves the windows to `now`. `first_call`: the campaign's, InfinitePast before it. True when a
  // count has changed. What no window can reach any more is forgotten, two days after.
  bool Advance(absl::Time now, absl::Time first_call);

  // Complete from then on; what was before is not known.
  absl::Time from() const { return from_; }
  void set_from(absl::Time from) { from_ = from; }

  // What is known of a call now, and what was when it was last taken here; nullopt: it does not
  // count.
  void Update(const std::optional<campaign::CallFacts>& before,
              const std::optional<campaign::CallFacts>& now);
  // Takes what a stored attempt says.
  void AddRecord(const campaign::Attempt& attempt,
                 const campaign::StatusSet& statuses = campaign::StatusSet::System());
  // Takes over another ledger of the same campaign that ends where this one begins.
  void AddOlder(const AbandonLedger& older);

  // Of the window of the contract; zeros before the first Advance().
  pacing::AbandonCounts Counts(size_t contract) const;
  absl::Time WindowBegan(size_t contract) const;
  // Of calls answered at `start` or later, whatever the window.
  pacing::AbandonCounts Since(size_t contract, absl::Time start) const;

 private:
  using Senses = std::array<int64_t, campaign::kCallSenses>;
  struct View {
    campaign::AbandonContract contract;
    int64_t start_ms = INT64_MAX;
    Senses counts{};
  };
  void Add(const campaign::CallFacts& facts);
  void Count(const campaign::CallFacts& facts, int sign);
  // Of calls answered from `from_ms` on, before `to_ms`.
  Senses SensesOf(const campaign::AbandonContract& contract, int64_t from_ms, int64_t to_ms) const;
  void Forget(int64_t before_ms);

  std::vector<View> views_;
  absl::TimeZone zone_ = absl::UTCTimeZone();
  absl::btree_map<int64_t, std::vector<uint64_t>> minutes_;  // by number since 1970; see Pack()
  absl::Time from_ = absl::InfiniteFuture();
};

// What the engine holds of an attempt for the contracts; nullopt: it does not count.
std::optional<campaign::CallFacts> FactsOrNone(
    const campaign::Attempt& attempt,
    const campaign::StatusSet& statuses = campaign::StatusSet::System());

}  // namespace outpace::runtime
