#pragma once

// Leads that are about to be removed from the store. Until they are, none of them may begin a new
// attempt, for its result would be written over the removal and bring the lead back.

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/ids.h"

namespace outpace::runtime {

// `count` leads from `first` on.
struct LeadRange {
  LeadId first;
  uint64_t count = 1;
  bool Has(LeadId lead) const { return lead >= first && lead.value() - first.value() < count; }
  friend bool operator==(const LeadRange&, const LeadRange&) = default;
};

// Leads, kept as runs of ids in a row. Those of a file are one run, so a list of a million is
// small.
class LeadSet {
 public:
  LeadSet() = default;
  LeadSet(const LeadRange& range) {  // NOLINT(google-explicit-constructor): a range is a set
    if (range.count > 0) runs_.push_back(range);
  }
  // In any order, also several times.
  static LeadSet Of(std::vector<LeadId> leads) {
    std::sort(leads.begin(), leads.end());
    LeadSet set;
    for (const LeadId lead : leads) {
      if (!set.Has(lead)) set.Add(lead);
    }
    return set;
  }
  // By rising id.
  void Add(LeadId lead) {
    if (!runs_.empty()) {
      const uint64_t next = runs_.back().first.value() + runs_.back().count;
      OUTPACE_CHECK(lead.value() >= next);
      if (lead.value() == next) {
        ++runs_.back().count;
        return;
      }
    }
    runs_.push_back({lead, 1});
  }
  bool Has(LeadId lead) const {
    const auto after =
        std::upper_bound(runs_.begin(), runs_.end(), lead,
                         [](LeadId wanted, const LeadRange& run) { return wanted < run.first; });
    return after != runs_.begin() && std::prev(after)->Has(lead);
  }
  bool empty() const { return runs_.empty(); }
  uint64_t size() const {
    uint64_t leads = 0;
    for (const LeadRange& run : runs_) leads += run.count;
    return leads;
  }
  const std::vector<LeadRange>& runs() const { return runs_; }
  friend bool operator==(const LeadSet&, const LeadSet&) = default;

 private:
  std::vector<LeadRange> runs_;  // by rising id, none next to another
};

class Withdrawals {
 public:
  void Begin(const LeadSet& leads) { open_.push_back({leads, false, {}}); }
  // The leads are gone. Reads of the store that these campaigns have under way may still bring
  // them: they stay withdrawn until each of those reads has come back.
  void End(const LeadSet& leads, std::set<CampaignId> reading) {
    for (Entry& entry : open_) {
      if (entry.leads == leads && !entry.ending) {
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
                       [lead](const Entry& entry) { return entry.leads.Has(lead); });
  }
  bool empty() const { return open_.empty(); }

 private:
  struct Entry {
    LeadSet leads;
    bool ending = false;
    std::set<CampaignId> reading;
  };
  void Forget() {
    std::erase_if(open_, [](const Entry& e) { return e.ending && e.reading.empty(); });
  }
  std::vector<Entry> open_;
};

}  // namespace outpace::runtime
