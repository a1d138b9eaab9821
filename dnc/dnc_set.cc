#include "dnc/dnc_set.h"

namespace outpace::dnc {

void DncSet::Add(E164 phone, const CampaignId& campaign) {
  if (campaign.empty()) {
    system_.insert(phone.value());
  } else {
    by_campaign_[campaign].insert(phone.value());
  }
}

void DncSet::Remove(E164 phone, const CampaignId& campaign) {
  if (campaign.empty()) {
    system_.erase(phone.value());
    return;
  }
  const auto it = by_campaign_.find(campaign);
  if (it == by_campaign_.end()) return;
  it->second.erase(phone.value());
  if (it->second.empty()) by_campaign_.erase(it);
}

bool DncSet::InSystem(E164 phone) const { return system_.contains(phone.value()); }

bool DncSet::InCampaign(E164 phone, const CampaignId& campaign) const {
  const auto it = by_campaign_.find(campaign);
  return it != by_campaign_.end() && it->second.contains(phone.value());
}

DncMatch DncSet::Match(E164 phone, const CampaignId& campaign) const {
  if (InSystem(phone)) return DncMatch::kSystem;
  return InCampaign(phone, campaign) ? DncMatch::kCampaign : DncMatch::kNone;
}

size_t DncSet::size() const {
  size_t total = system_.size();
  for (const auto& [campaign, numbers] : by_campaign_) total += numbers.size();
  return total;
}

}  // namespace outpace::dnc
