#pragma once

#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "campaign/attempt.h"
#include "campaign/settings.h"
#include "engine/base/clock.h"
#include "engine/pacing/pacer.h"
#include "engine/runtime/board.h"
#include "engine/runtime/hopper.h"

namespace outpace::runtime {

// What the controller keeps for one campaign: its settings, hopper and pacer, the figures of the
// day, and how often each lead was tried today. Controller's loop only.
class CampaignRunner {
 public:
  explicit CampaignRunner(const campaign::CampaignSettings& settings);

  const campaign::CampaignSettings& settings() const { return settings_; }
  void UpdateSettings(const campaign::CampaignSettings& settings);

  Hopper hopper;
  bool fetching = false;  // a refill is on its way
  MonoTime next_fetch;    // not before, after an empty refill
  pacing::Pacer pacer;
  pacing::Decision last_decision;
  std::string idle_reason;        // why nothing is dialed
  int ringing = 0;                // attempts with an intent and no answer or end yet
  std::deque<AttemptId> waiting;  // answered, no agent yet; oldest first

  // The campaign's day (its report zone) turns at midnight: figures and daily limits start anew.
  // True when a day has ended. A clock or zone that steps back does not begin an old day again.
  bool RollDay(absl::Time now);
  DayFigures today;
  int AttemptsToday(LeadId lead) const;
  void CountAttempt(LeadId lead) { ++attempts_today_[lead]; }
  // Takes back a CountAttempt() and its place in `today`. Nothing when midnight came in between:
  // then it was counted on the day before.
  void UncountAttempt(LeadId lead);
  void CountDisposition(const std::string& status);
  // Adds an attempt of today that was stored before this process began.
  void CountRecord(const campaign::Attempt& attempt);
  // After the records: what of today's abandonment budget is spent. The window is the campaign's
  // day.
  void SetBudgetFromToday();

  // What this campaign shows, without the agents' part.
  CampaignFigures Figures() const;
  // The pacer's learned laws as text for the store, and back. InvalidArgument: not such a text.
  std::string SaveLearned() const;
  absl::Status LoadLearned(const std::string& text);

 private:
  campaign::CampaignSettings settings_;
  absl::CivilDay day_;
  absl::flat_hash_map<LeadId, int> attempts_today_;
};

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
