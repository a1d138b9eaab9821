#include "engine/runtime/dnc_entries.h"

#include <cstddef>
#include <cstdint>

namespace outpace::runtime {

void PutEntries(const std::vector<campaign::DncEntry>& entries, dnc::DncSet& set) {
  // They come from the store in order of campaign and number, so that each campaign is one stretch
  // and its numbers are sorted; in another order the result is the same and takes longer.
  constexpr size_t kStretchMax = size_t{4} << 20;
  std::vector<uint64_t> phones;
  for (size_t i = 0; i < entries.size();) {
    const CampaignId& campaign = entries[i].campaign;
    phones.clear();
    for (; i < entries.size() && phones.size() < kStretchMax && entries[i].campaign == campaign;
         ++i) {
      phones.push_back(entries[i].phone.value());
    }
    set.AddMany(phones, campaign);
  }
}

}  // namespace outpace::runtime
