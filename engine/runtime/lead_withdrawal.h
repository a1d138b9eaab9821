#pragma once

// Leads that are about to be removed from the store. Until they are, none of them may begin a new
// attempt, for its result would be written over the removal and bring the lead back.

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "engine/base/ids.h"

namespace outpace::runtime {

// `count` leads from `first` on.
struct LeadRange {
  LeadId first;
  uint64_t count = 1;
  bool Has(LeadId lead) const { return lead >= first && lead.value() - first.value() < count; }
  friend bool operator==(const LeadRange&, const LeadRange&) = default;
};

class Withdrawals {
 public:
  void Begin(const LeadRange& range) { open_.push_back({range, false, {}}); }
  // The leads are gone. Reads of the store that these campaigns have under way may still bring
  // them: they stay withdrawn until each of those reads has come back.
  void End(const LeadRange& range, std::set<CampaignId> reading) {
    for (Entry& entry : open_) {
      if (entry.range == range && !entry.ending) {
        entry.ending = true;
        entry.reading = std::move(reading);
        break;
      }
    }
    Forget();
  }
  void ReadCameBack(const CampaignId& campaign) {
    for (Entry& entry : open_) entry.reading.erase(campaign);
    Forget();
  }
  bool Has(LeadId lead) const {
    return std::any_of(open_.begin(), open_.end(),
                       [lead](const Entry& entry) { return entry.range.Has(lead); });
  }
  bool empty() const { return open_.empty(); }

 private:
  struct Entry {
    LeadRange range;
    bool ending = false;
    std::set<CampaignId> reading;
  };
  void Forget() {
    std::erase_if(open_, [](const Entry& e) { return e.ending && e.reading.empty(); });
  }
  std::vector<Entry> open_;
};

}  // namespace outpace::runtime
