#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "campaign/attempt.h"
#include "campaign/gate/policy.h"
#include "campaign/settings.h"
#include "engine/base/clock.h"
#include "engine/listen/answer_tuner.h"
#include "engine/pacing/pacer.h"
#include "engine/runtime/abandon_windows.h"
#include "engine/runtime/board.h"
#include "engine/runtime/decision_ring.h"
#include "engine/runtime/explain.h"
#include "engine/runtime/hopper.h"
#include "engine/runtime/trunk_desk.h"

namespace outpace::runtime {

// What the controller keeps for one campaign: its settings, hopper and pacer, the figures of the
// day, and how often each lead was tried today. Controller's loop only.
class CampaignRunner {
 public:
  explicit CampaignRunner(const campaign::CampaignSettings& settings);

  const campaign::CampaignSettings& settings() const { return settings_; }
  void UpdateSettings(const campaign::CampaignSettings& settings);
  const gate::Policy& policy() const { return policy_; }  // of settings()

  Hopper hopper;
  // How sure answering-machine detection has to be here, from what agents say of its verdicts.
  listen::AnswerTuner amd_tuner;
  bool fetching = false;  // a refill is on its way
  MonoTime next_fetch;    // not before, after an empty refill
  pacing::Pacer pacer;
  pacing::Decision last_decision;
  std::string idle_reason;        // why nothing is dialed
  int ringing = 0;                // attempts with an intent and no answer or end yet
  int screening = 0;              // answered, person or machine not yet known
  std::deque<AttemptId> waiting;  // answered, no agent yet; oldest first

  // Why: the decisions that tell something, and what the event log has not been told of yet.
  DecisionRing decisions;
  int legs_unlogged = 0;
  MonoTime logged_at;
  bool logged_once = false;
  std::vector<pacing::LeadTraits> next_traits;  // scratch of a decision

  CampaignTrunks trunks;
  int lines = 0;  // attempts that hold a line of a trunk

  // Agents who take calls or will after the present one, as of the last look, and whether more
  // calls ring than those who have left since could ever take.
  int agents_staying = 0;
  bool withdrawing = false;

  // The campaign's day (its report zone) turns at midnight: figures, daily limits and the
  // abandonment windows of a day start anew; so do those of a campaign's period when that is over.
  // True when a day has ended. A clock or zone that steps back does not begin an old day again.
  bool RollDay(absl::Time now);
  DayFigures today;
  int AttemptsToday(LeadId lead) const;
  // Leads that have had all their attempts of today, in no order.
  std::vector<LeadId> TriedOutToday() const;
  void CountAttempt(LeadId lead) { ++attempts_today_[lead]; }
  // Takes back a CountAttempt() and its place in `today`. Nothing when midnight came in between:
  // then it was counted on the day before.
  void UncountAttempt(LeadId lead);
  // Takes back its place in the lead's daily limit only: the trunk's fault is not the lead's.
  void ForgiveTry(LeadId lead);
  void CountDisposition(const std::string& status);
  // Adds an attempt of today that was stored before this process began.
  void CountRecord(const campaign::Attempt& attempt);
  // What is counted against the limits on abandoned calls, and when the first call was placed;
  // InfinitePast: none yet.
  AbandonLedger ledger;
  absl::Time first_call = absl::InfinitePast();
  // Tells the pacer what the ledger has of each limit's window; `open` connected calls still talk.
  // After the records of a start, and when the windows have changed.
  void SetBudgets(absl::Time now, int open);
  // SetBudgets() from time to time where the ledger knows better than the pacer: once a minute with
  // ADAPT_TAPERED, since the forecast of the shift's answers moves, and each quarter of an hour
  // with a rolling window, since what was counted before the start leaves it.
  void RefreshBudgets(absl::Time wall, MonoTime now, int open);

  // Remembers a decision taken at `now` and what was placed of it. True when its legs are to be
  // written to the event log: once a second at most.
  bool NoteDecision(DecisionRecord record, absl::Time at, MonoTime now);
  // The latest decision and the `most` last ones that tell something.
  WhyAnswer Why(size_t most, absl::Time now) const;

  // What this campaign shows, without the agents' part.
  CampaignFigures Figures() const;
  // The learned laws of pacer and detector as text for the store, and back. InvalidArgument: not
  // such a text.
  std::string SaveLearned() const;
  absl::Status LoadLearned(const std::string& text);

 private:
  // The limits counted over this window start to count from nothing.
  void StartWindows(campaign::AbandonWindow window);

  campaign::CampaignSettings settings_;
  gate::Policy policy_;
  std::shared_ptr<const DecisionTerms> terms_;
  absl::CivilDay day_;
  absl::Time period_ = absl::InfinitePast();
  double answers_to_come_ = 0;  // what SetBudgets() added to the persons of the first limit
  MonoTime refreshed_;
  absl::flat_hash_map<LeadId, int> attempts_today_;
};

// What a campaign's decisions are taken under, in words.
DecisionTerms TermsOf(const campaign::CampaignSettings& settings);

// What the pacer is told of a campaign's settings.
pacing::PacerSettings PacerSettingsOf(const campaign::CampaignSettings& settings);

// Delays from answer to bridge in fixed buckets of 0.1 ms to 3 s: quantiles without keeping
// samples.
class DelayHistogram {
 public:
  void Add(absl::Duration delay);
  double QuantileMs(double q) const;  // 0 without samples

 private:
  static constexpr size_t kBuckets = 30'000;
  std::vector<uint32_t> counts_ = std::vector<uint32_t>(kBuckets + 1);
  uint64_t total_ = 0;
};

}  // namespace outpace::runtime
