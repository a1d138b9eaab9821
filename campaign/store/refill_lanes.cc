// Places go to parts by smooth weighted round robin: each place, every part is owed its percent
// more, the one owed most gets it and pays a whole place. With shares that are 100 together the
// pattern repeats after 100 places, so any 100 places in a row hold exactly the shares.

#include "campaign/store/refill_lanes.h"

#include <algorithm>

namespace outpace::store {

RefillLanes::RefillLanes(const campaign::DueQuery& query) : query_(query) {
  if (query.mix.empty()) {
    parts_.push_back({.percent = 100});
  } else {
    for (const campaign::ListShare& share : query.mix) parts_.push_back({.percent = share.percent});
  }
  for (Part& part : parts_) part.dry[1] = query.nth_new == 0;
}

size_t RefillLanes::LaneOf(ListId list, absl::string_view status) const {
  const auto holds = [status](const std::vector<std::string>& statuses) {
    return statuses.empty() ||
           std::find(statuses.begin(), statuses.end(), status) != statuses.end();
  };
  if (!holds(query_.statuses)) return kNone;
  size_t part = 0;
  if (!query_.mix.empty()) {
    const auto it =
        std::find_if(query_.mix.begin(), query_.mix.end(), [&](const campaign::ListShare& share) {
          return share.list == list && holds(share.statuses);
        });
    if (it == query_.mix.end()) return kNone;
    part = static_cast<size_t>(it - query_.mix.begin());
  }
  return part * kKinds + (query_.nth_new > 0 && status == "NEW" ? 1 : 0);
}

size_t RefillLanes::NextPart() const {
  size_t best = kNone;
  for (size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    if (part.all_dry()) continue;
    if (best == kNone || part.credit + part.percent > parts_[best].credit + parts_[best].percent) {
      best = i;
    }
  }
  return best;
}

void RefillLanes::Give(size_t index) {
  int whole = 0;
  for (Part& part : parts_) {
    if (part.all_dry()) continue;
    part.credit += part.percent;
    whole += part.percent;
  }
  parts_[index].credit -= whole;
  ++parts_[index].taken;
}

}  // namespace outpace::store
