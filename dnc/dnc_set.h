#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "engine/base/e164.h"
#include "engine/base/ids.h"

namespace outpace::dnc {

enum class DncMatch { kNone, kSystem, kCampaign };

// Do-not-call numbers, system-wide and per campaign: an immutable snapshot plus what was added
// since, so that readers never wait. No false positive and no false negative, ever.
class DncSet {
 public:
  // Campaign empty: system-wide.
  void Add(E164 phone, const CampaignId& campaign);
  void Remove(E164 phone, const CampaignId& campaign);
  // The system-wide set is named first when the number is in both.
  DncMatch Match(E164 phone, const CampaignId& campaign) const;
  // One set by itself, for a campaign that does not use the other.
  bool InSystem(E164 phone) const;
  bool InCampaign(E164 phone, const CampaignId& campaign) const;
  size_t size() const;  // entries of all sets

 private:
  absl::flat_hash_set<uint64_t> system_;
  absl::flat_hash_map<CampaignId, absl::flat_hash_set<uint64_t>> by_campaign_;
};

}  // namespace outpace::dnc
