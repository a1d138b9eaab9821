#pragma once

#include <deque>
#include <memory>
#include <optional>
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
#include "engine/runtime/abandon_ledger.h"
#include "engine/runtime/board.h"
#include "engine/runtime/contract_figures.h"
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
  MonoTime ranked_at;     // tier_mode=SCORE: when the hopper's order was made
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

  // The campaign's day (its report zone) turns at midnight: figures and daily limits start anew.
  // The windows of the limits on abandoned calls move to `now`. True when a day has ended. A clock
  // or zone that steps back does not begin an old day again.
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
  // The limits on abandoned calls, as the pacer numbers them.
  const std::vector<campaign::AbandonContract>& contracts() const { return contracts_; }
  // What is counted against them: the pacer is told of each change. `first_call`: when the first
  // was placed; InfinitePast: none yet.
  const AbandonLedger& ledger() const { return ledger_; }
  absl::Time first_call = absl::InfinitePast();
  // Of the stored attempts, at a start. SetBudgets() afterwards.
  void TakeLedger(AbandonLedger ledger);
  void AddRecord(const campaign::Attempt& attempt) {
    ledger_.AddRecord(attempt, settings_.statuses);
  }
  void LedgerIsCompleteFrom(absl::Time from) { ledger_.set_from(from); }
  void AddOlder(const AbandonLedger& older) { ledger_.AddOlder(older); }
  // Counts what is known of a call by now; `counted`, the caller's for each call, is what it was
  // counted as before.
  void CountCall(std::optional<campaign::CallFacts>& counted, const campaign::Attempt& record);
  // Tells the pacer what the ledger has of each limit's window. After the records of a start.
  void SetBudgets(absl::Time now);
  // SetBudgets() once a minute with ADAPT_TAPERED, since the forecast of the shift's answers moves.
  void RefreshBudgets(absl::Time wall, MonoTime now);
  // Each limit's window at `now`, for boards and `campaign contracts`.
  std::vector<ContractFigures> Contracts(absl::Time now) const;

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
  void TellPacer();

  campaign::CampaignSettings settings_;
  gate::Policy policy_;
  std::vector<campaign::AbandonContract> contracts_;
  AbandonLedger ledger_;
  std::shared_ptr<const DecisionTerms> terms_;
  absl::CivilDay day_;
  double answers_to_come_ = 0;  // told on top of the persons of the first limit
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
