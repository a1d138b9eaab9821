// What is under way with a campaign's leads, for counts over all of them.

#include "engine/runtime/controller.h"

namespace outpace::runtime {

LiveLeads Controller::LiveLeadsOf(const CampaignId& campaign) const {
  LiveLeads leads;
  leads.dnc = dnc_;
  for (const auto& [number, attempt] : numbers_in_call_) leads.numbers_in_call.push_back(number);
  for (const auto& [id, live] : live_) {
    if (live.record.campaign == campaign) leads.in_call.push_back(live.record.lead);
  }
  const auto runner = runners_.find(campaign);
  if (runner == runners_.end()) return leads;
  leads.in_hopper = runner->second->hopper.WaitingIds();
  leads.tried_out_today = runner->second->TriedOutToday();
  return leads;
}

}  // namespace outpace::runtime
