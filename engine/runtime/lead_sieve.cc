#include "engine/runtime/lead_sieve.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/runtime/stored_filters.h"

namespace outpace::runtime {
namespace {

bool IsCallback(const campaign::Lead& lead, const campaign::StatusSet& statuses) {
  const campaign::Disposition* disposition = statuses.Find(lead.status);
  return disposition != nullptr && disposition->scheduled_callback;
}

// Until when a lead that does not pass is left alone.
absl::Time HoldUntil(const filter::Filter& filter, const SieveOrder& order) {
  if (!filter.uses_today()) return absl::InfiniteFuture();
  return absl::FromCivil(absl::ToCivilDay(order.now, order.zone) + 1, order.zone);
}

}  // namespace

// Compiling costs more than a refill has to spare, so it is done once a version, zone and day.
absl::StatusOr<LeadSieve::Ready*> LeadSieve::Find(const SieveOrder& order) {
  const StoredFilters filters(store_);
  auto stored = filters.Find(order.filter);
  if (!stored.ok()) return stored.status();
  const absl::CivilDay today = absl::ToCivilDay(order.now, order.zone);
  std::unique_ptr<Ready>& ready = ready_[order.filter];
  if (ready != nullptr && ready->version == stored->version && ready->today == today &&
      ready->zone == order.zone.name()) {
    return ready.get();
  }
  auto filter = filters.Compile(*stored, today);
  if (!filter.ok()) return filter.status();
  // `values` asks the filter for its fields before it moves in.
  filter::LeadValues values(*filter, order.zone);
  ready = std::make_unique<Ready>(
      Ready{stored->version, today, order.zone.name(), *std::move(filter), std::move(values)});
  return ready.get();
}

absl::StatusOr<SievedLeads> LeadSieve::Sort(std::vector<campaign::Lead> leads,
                                            const SieveOrder& order) {
  SievedLeads sorted;
  if (order.filter.empty()) {
    sorted.passed = std::move(leads);
    return sorted;
  }
  auto ready = Find(order);
  if (!ready.ok()) return ready.status();
  const absl::Time until = HoldUntil((*ready)->filter, order);
  for (campaign::Lead& lead : leads) {
    if (IsCallback(lead, order.statuses) ||
        (*ready)->filter.DroppedBy((*ready)->values.Of(lead)) < 0) {
      sorted.passed.push_back(std::move(lead));
    } else {
      lead.hold_until = std::max(lead.hold_until, until);
      sorted.held.push_back(std::move(lead));
    }
  }
  return sorted;
}

absl::StatusOr<std::optional<gate::Reason>> LeadSieve::WhyNot(const campaign::Lead& lead,
                                                              const SieveOrder& order) {
  std::optional<gate::Reason> reason;
  if (order.filter.empty() || IsCallback(lead, order.statuses)) return reason;
  auto ready = Find(order);
  if (!ready.ok()) return ready.status();
  const filter::Filter& filter = (*ready)->filter;
  const int dropped = filter.DroppedBy((*ready)->values.Of(lead));
  if (dropped < 0) return reason;
  reason = gate::ReasonOf(
      gate::Rule::kLeadFilter,
      absl::StrCat("The campaign's filter ", order.filter, ", version ", (*ready)->version,
                   ", wants: ", filter.clauses()[static_cast<size_t>(dropped)]),
      HoldUntil(filter, order));
  return reason;
}

}  // namespace outpace::runtime
