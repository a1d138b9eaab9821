#pragma once

// What both stores agree on: which batches they take, and when a lead is due.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/lead.h"
#include "campaign/lead_store.h"
#include "engine/base/e164.h"
#include "engine/base/ids.h"

namespace outpace::store {

inline absl::Time DueAt(const campaign::Lead& lead) {
  return std::max(lead.next_call_time, lead.hold_until);
}

// Whether the lead can ever be due: a final lead (InfiniteFuture) is not in the queue at all.
inline bool CanBeDue(const campaign::Lead& lead) {
  return DueAt(lead) != absl::InfiniteFuture() && !lead.campaign.empty();
}

// Where a do-not-call entry stands within its list: numbers first, then ranges. Below 2^56.
inline constexpr uint64_t kDncRangeBit = uint64_t{1} << 55;
inline uint64_t DncPlace(const campaign::DncEntry& entry) {
  return entry.phone.valid() ? entry.phone.value() : entry.range.digits | kDncRangeBit;
}
// The places of all entries of one list that could hold the number; ascending.
std::vector<uint64_t> DncPlacesOf(E164 phone);

// InvalidArgument for a record that has no id, a name with a NUL byte or over 255 bytes, or a rank
// outside -99..99. Checked before anything is written; such a batch does not poison the store.
absl::Status CheckBatch(const campaign::StoreBatch& batch);

// Whether a stored lead, with its texts if `read` has them, is still as somebody read it.
bool IsUnchanged(const campaign::Lead& stored, const campaign::Lead& read);
absl::Status LeadHasChanged(LeadId id);  // Aborted

// Whether `store` takes such a load. InvalidArgument: ids are missing, two fields have one name;
// NotFound: the list is another campaign's; AlreadyExists: an import of that id.
absl::Status CheckBulkOptions(const campaign::BulkOptions& options,
                              const campaign::LeadStore& store);
// NotFound: what such a load is told when there is no list to take it.
absl::Status NoListToLoadInto(const CampaignId& campaign, ListId list);
absl::Status ImportIsThere(ImportId id);  // AlreadyExists
// Whether its leads may be written.
absl::Status CheckBulkLeads(LeadId first, absl::Span<const campaign::BulkLead> leads,
                            uint32_t zones_max);

}  // namespace outpace::store
