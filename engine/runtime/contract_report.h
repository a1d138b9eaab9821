#pragma once

// What was counted against each limit on abandoned calls, for days that may be long over: from the
// stored calls, in the terms in which the engine counts while it dials (abandon_ledger.h).

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/lead_store.h"
#include "campaign/settings.h"
#include "engine/runtime/contract_figures.h"

namespace outpace::runtime {

struct CampaignContracts {
  CampaignId campaign;
  absl::TimeZone zone;  // the campaign's, in which its days and months begin
  std::vector<ContractFigures> figures;
};

// The limits of these campaigns as they stood at the end of [from, to), or stand at `now` if that
// is sooner; of a limit by day or month the figures of each of these in the range. Reads the calls
// as far back as the longest window of a limit reaches, once, on `threads` threads.
absl::StatusOr<std::vector<CampaignContracts>> ContractsInRange(
    const campaign::LeadStore& store, absl::Span<const campaign::CampaignSettings> settings,
    absl::Time from, absl::Time to, absl::Time now, int threads);

// Where the store keeps the time of a campaign's first call, in milliseconds since 1970.
std::string FirstCallKey(const CampaignId& campaign);
// InfinitePast: not known.
absl::StatusOr<absl::Time> ReadFirstCall(const campaign::LeadStore& store,
                                         const CampaignId& campaign);

}  // namespace outpace::runtime
