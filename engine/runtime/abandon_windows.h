#pragma once

// Over which calls each limit on abandoned calls is counted. The pacer keeps the counts while it
// runs; this is what they are rebuilt from: after a restart from the stored attempts, after a
// change of the windows from what is remembered. Counts are kept by quarter of an hour of the
// answer, which is the finest step of the world's time zones, so a day's count is exact wherever
// its midnight is; a rolling window's begins up to a quarter early, the careful side.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "campaign/attempt.h"
#include "campaign/settings.h"
#include "engine/pacing/abandon_budget.h"

namespace outpace::runtime {

// 16 CFR 310.4(b)(4)(i): "or separately over each successive 30-day period".
inline constexpr absl::Duration kCampaignPeriod = absl::Hours(30 * 24);

struct WindowRule {
  std::string name;  // "regulation", "client"
  campaign::AbandonWindow window = campaign::AbandonWindow::kDay;
  double ratio_max = 0;  // abandoned over answered by a person
};
// The limits of a campaign: the regulation's first, then the client's if there is one.
std::vector<WindowRule> WindowRulesOf(const campaign::CampaignSettings& settings);

// How far back a rolling window reaches; InfiniteDuration for those that begin anew at some time.
absl::Duration RollingLength(campaign::AbandonWindow window);

// Of the periods of 30 days since `first`, the beginning of the one that `now` lies in.
// InfinitePast when `first` is.
absl::Time PeriodStart(absl::Time first, absl::Time now);

// Calls answered from then on are counted at `now`. `period`: PeriodStart() of the campaign;
// InfinitePast, before its first call, means from `now` on.
absl::Time WindowStart(campaign::AbandonWindow window, absl::Time now, absl::TimeZone zone,
                       absl::Time period);

// The earliest WindowStart() of the campaign's limits.
absl::Time WindowsReach(const campaign::CampaignSettings& settings, absl::Time now,
                        absl::Time period);

class AbandonLedger;

// ADAPT_TAPERED: persons who are still expected to answer until the end of the shift, four fifths
// of the last hour's pace from `now` on. The day's limit may be used against their number too. 0
// with other methods or windows, and from the end of the shift on.
double AnswersToCome(const campaign::CampaignSettings& settings, const AbandonLedger& ledger,
                     absl::Time now);

// What happened in each quarter of an hour of the last 31 days. One thread.
class AbandonLedger {
 public:
  // Complete from then on; what was before is not known.
  absl::Time from() const { return from_; }
  void set_from(absl::Time from) { from_ = from; }

  void AddServed(absl::Time answered) { ++At(answered).served; }
  void AddMachine(absl::Time answered) { ++At(answered).machines; }
  void AddAbandoned(absl::Time answered) { ++At(answered).abandoned; }
  // Takes what a stored attempt says. Nothing if nobody answered.
  void AddRecord(const campaign::Attempt& attempt);
  // Takes over another ledger of the same campaign that ends where this one begins.
  void AddOlder(const AbandonLedger& older);

  // Calls answered at `start` or later. All but `open` of the served are over.
  pacing::AbandonCounts Since(absl::Time start, int open) const;

 private:
  struct Quarter {
    int64_t served = 0, machines = 0, abandoned = 0;
  };
  Quarter& At(absl::Time time);
  absl::btree_map<int64_t, Quarter> quarters_;  // by number since 1970
  absl::Time from_ = absl::InfiniteFuture();
};

}  // namespace outpace::runtime
