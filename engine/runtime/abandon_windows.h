#pragma once

// The limits on abandoned calls that a campaign keeps, and where the window of each begins. What is
// counted in them is in abandon_ledger.h; how they are steered to, in engine/pacing.

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "campaign/abandon_contract.h"
#include "campaign/settings.h"

namespace outpace::runtime {

class AbandonLedger;

// 16 CFR 310.4(b)(4)(i): "or separately over each successive 30-day period".
inline constexpr absl::Duration kCampaignPeriod = absl::Hours(30 * 24);

// The limits of a campaign, all of them contracts: "regulation" (adaptive_dropped_percentage),
// "client" if there is one (client_dropped_percentage), and those of abandon_contracts. The first
// two count what the engine gave up on after drop_call_seconds, with the reasoned estimate. A
// ready-made one whose rule has gone from the rules in force keeps an AbandonContract's own values:
// 3 % of persons by day, two seconds from the answer.
std::vector<campaign::AbandonContract> ContractsOf(const campaign::CampaignSettings& settings);

// How far back a rolling window reaches; InfiniteDuration for those that begin anew at some time.
absl::Duration RollingLength(campaign::AbandonWindow window);

// Of the periods of 30 days since `first`, the beginning of the one that `now` lies in.
// InfinitePast when `first` is.
absl::Time PeriodStart(absl::Time first, absl::Time now);

// Calls answered from then on are counted at `now`. `period`: PeriodStart() of the campaign;
// InfinitePast, before its first call, means from `now` on.
absl::Time WindowStart(campaign::AbandonWindow window, absl::Time now, absl::TimeZone zone,
                       absl::Time period);
// When the window that began at `start` begins anew; `now` for one that rolls.
absl::Time WindowEnd(campaign::AbandonWindow window, absl::Time start, absl::Time now,
                     absl::TimeZone zone);

// The earliest WindowStart() of the campaign's limits.
absl::Time WindowsReach(const campaign::CampaignSettings& settings, absl::Time now,
                        absl::Time period);

// ADAPT_TAPERED: persons who are still expected to answer until the end of the shift, four fifths
// of the pace of the last 75 minutes from `now` on. The day's limit may be used against their
// number too. 0 with other methods or windows, and from the end of the shift on. `ledger` counts
// the campaign's contracts.
double AnswersToCome(const campaign::CampaignSettings& settings, const AbandonLedger& ledger,
                     absl::Time now);

}  // namespace outpace::runtime
