#pragma once

// Which of a trunk's own numbers a call shows. People answer numbers of their own area, carriers
// and analytics block a number that rings too many people, so a pool spreads the calls: each number
// has a cap a day and a rest between two calls, and nothing is shown beyond either. When all are
// used up the call does not leave; it is never made with a number that should rest.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/e164.h"
#include "engine/trunk/settings.h"

namespace outpace::trunk {

enum class NoCallerId {
  kNone,      // there is one
  kEmpty,     // the pool has no number and the campaign has none either
  kDailyCap,  // each has had its calls of the day: until the next day
  kResting,   // some may be used again after `wait`
};
absl::string_view NoCallerIdName(NoCallerId why);  // "empty", "daily_cap", "resting"

struct CallerIdTaken {
  NoCallerId why = NoCallerId::kNone;
  CallerId id{};           // valid only for kNone
  absl::Duration wait{};   // kResting: until the first of them is rested
  uint32_t index = 0;      // for GiveBack()
  MonoTime used_before{};  // for GiveBack()
};

// The caller IDs of one trunk with their use of the day. One thread.
class CallerIdRota {
 public:
  // Numbers that appear twice count once. `pool` as checked by CheckCallerIdPool().
  explicit CallerIdRota(CallerIdPool pool);

  // Takes a number for one call to `dialed` and counts it.
  //
  // `campaign_cid`: the campaign's own number, not valid() if it has none. kFixed shows it, or the
  // pool's first number; a campaign's number that is not of the pool is capped like the others and
  // counts as not owned. kRotating and kLocal choose from the pool, and fall back on the campaign's
  // number only when the pool is empty.
  // `day`: any number that is another on another day where the caps are counted (days since 1970 in
  // the campaign's zone, say); the counts start anew when it changes.
  CallerIdTaken Take(E164 dialed, E164 campaign_cid, MonoTime now, int64_t day);

  // The call never left: its count and the number's rest are as before. Nothing when it had none.
  void GiveBack(const CallerIdTaken& taken);

  // Calls of the day of one number, 0 if unknown.
  int CallsToday(E164 number) const;
  // Of the pool: how many have calls left today.
  int NumbersLeft() const;

  // Counts of the day and what is left of each rest, in one line of text. Our own numbers stand in
  // it: for the store, not for logs. Up to about 20 octets for each number that was used today.
  std::string Save(MonoTime now) const;
  // Takes up what Save() wrote, if `day` is the day it was written on; else all start at zero.
  // InvalidArgument when the text is damaged; then nothing has changed.
  absl::Status Restore(absl::string_view text, MonoTime now, int64_t day);

 private:
  struct Use {
    CallerId id{};
    int calls = 0;
    MonoTime last{};
    bool used = false;  // `last` means something
  };
  // Numbers that share the digits their area is known by, used in turn.
  struct Area {
    std::vector<uint32_t> members{};
    uint32_t next = 0;
    // Nobody of the area is free before; spares a busy pool the walk through all its numbers.
    MonoTime none_before{};
    bool exhausted = false;  // until the next day
  };

  void StartDay(int64_t day);
  uint32_t IndexOf(CallerId id);  // adds it if it is new
  bool Capped(const Use& use) const {
    return pool_.calls_per_day > 0 && use.calls >= pool_.calls_per_day;
  }
  bool Rested(const Use& use, MonoTime now) const;
  // The next of `area` that may be used, or -1 and why in `taken`.
  int64_t NextOf(Area& area, MonoTime now, CallerIdTaken& taken);
  CallerIdTaken TakeIndex(uint32_t index, MonoTime now);

  CallerIdPool pool_;
  std::vector<Use> uses_;  // the pool's first, then campaigns' own
  absl::flat_hash_map<uint64_t, uint32_t> index_;
  Area all_;
  absl::flat_hash_map<uint64_t, Area> areas_;  // by AreaKey of caller_id_pool.cc
  int64_t day_ = INT64_MIN;
};

// InvalidArgument with every fault: a negative cap or rest, numbers that are none.
absl::Status CheckCallerIdPool(const CallerIdPool& pool);

// Digits of the country code at the head of a number: 1 (+1, +7), 2 (+86) or 3 (ITU-T E.164 annex).
int CountryCodeLength(E164 number);

}  // namespace outpace::trunk
