// Leads that an undo or an erasure is about to remove leave the hoppers first; who was erased is
// not rung again.

#include "engine/runtime/controller.h"

namespace outpace::runtime {

std::vector<LeadId> Controller::Withdraw(const LeadSet& leads) {
  withdrawals_.Begin(leads);
  return Withdrawn(leads);
}

std::vector<LeadId> Controller::Withdrawn(const LeadSet& leads) {
  std::vector<LeadId> busy;
  for (auto& [id, runner] : runners_) {
    runner->hopper.DropIf([&leads](LeadId lead) { return leads.Has(lead); });
    for (const LeadId lead : runner->hopper.Out()) {
      if (leads.Has(lead)) busy.push_back(lead);
    }
  }
  std::sort(busy.begin(), busy.end());
  return busy;
}

void Controller::EndWithdraw(const LeadSet& leads) {
  std::set<CampaignId> reading;
  for (const auto& [id, runner] : runners_) {
    if (runner->fetching) reading.insert(id);
  }
  withdrawals_.End(leads, std::move(reading));
}

void Controller::PutErased(const ErasedPeople& people, E164 phone, Done done) {
  people.PutInto(dnc_);
  campaign::DncEntry entry;
  entry.phone = phone;
  if (CancelUnanswered(entry)) done = AfterShard(std::move(done));
  if (done) done(absl::OkStatus());
}

}  // namespace outpace::runtime
