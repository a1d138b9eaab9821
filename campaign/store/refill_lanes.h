#pragma once

// Which lead comes next in a refill where more is asked than one order: shares by list, every n-th
// lead a new one. The leads a query may take are split into lanes, each in the campaign's order;
// each place of the answer is given to a lane, and a lane that has run dry leaves its places to the
// others.

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "campaign/lead_store.h"
#include "engine/base/ids.h"

namespace outpace::store {

class RefillLanes {
 public:
  // Keeps a reference to `query`.
  explicit RefillLanes(const campaign::DueQuery& query);

  size_t lanes() const { return parts_.size() * kKinds; }
  // Lanes that can have leads at all.
  size_t used() const { return parts_.size() * (query_.nth_new > 0 ? 2 : 1); }
  // The lane of the leads of this list and status; kNone: they are not asked for.
  static constexpr size_t kNone = static_cast<size_t>(-1);
  size_t LaneOf(ListId list, absl::string_view status) const;

  // Fills the answer: calls `take(lane)` for each place until `query.limit` were taken or all lanes
  // are dry. `take` returns whether the lane had one more; it is not asked again after "no".
  template <typename Take>
  void Fill(const Take& take) {
    for (size_t taken = 0; taken < query_.limit; ++taken) {
      bool found = false;
      while (!found) {
        const size_t part = NextPart();
        if (part == kNone) return;
        found = TakeOf(parts_[part], part, take);
        if (found) Give(part);
      }
    }
  }

 private:
  // Lanes of a part: leads of other statuses, or all; new leads where they have places of their
  // own.
  static constexpr size_t kKinds = 2;

  struct Part {
    int percent = 0;
    int credit = 0;  // in percent of a place: what it was owed after the last one
    size_t taken = 0;
    bool dry[kKinds] = {false, false};
    bool all_dry() const { return dry[0] && dry[1]; }
  };

  // The part that is owed most, among those that have leads left.
  size_t NextPart() const;
  // Books a place given to this part.
  void Give(size_t part);
  template <typename Take>
  bool TakeOf(Part& part, size_t index, const Take& take) {
    const bool new_first =
        query_.nth_new > 0 && (part.taken + 1) % static_cast<size_t>(query_.nth_new) == 0;
    for (const size_t kind : {size_t{new_first}, size_t{!new_first}}) {
      if (part.dry[kind]) continue;
      if (take(index * kKinds + kind)) return true;
      part.dry[kind] = true;
    }
    return false;
  }

  const campaign::DueQuery& query_;
  std::vector<Part> parts_;
};

}  // namespace outpace::store
