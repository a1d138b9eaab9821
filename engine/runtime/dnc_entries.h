#pragma once

#include "absl/status/status.h"
#include "campaign/lead_store.h"
#include "dnc/dnc_set.h"

namespace outpace::runtime {

// In force in `set` from here on. Where it is listed already the later end counts, which is
// returned: the one to store.
absl::Time PutEntry(const campaign::DncEntry& entry, dnc::DncSet& set);
void RemoveEntry(const campaign::DncEntry& entry, dnc::DncSet& set);

// Puts all stored do-not-call entries into `set`, by the stretch of numbers: fifty million take
// seconds, and 32 MiB beside the set while it runs.
absl::Status PutEntries(const campaign::LeadStore& store, dnc::DncSet& set);

}  // namespace outpace::runtime
