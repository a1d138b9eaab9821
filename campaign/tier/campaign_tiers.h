#pragma once

// What one campaign has learned of its leads, and what follows for the next ones dialed: each
// lead's tier, the order of the hopper, the share of tier B that is dialed at random so that the
// lift of A is measured, and a challenger's trial.
//
// A *pass* looks at all leads that are due and keeps the best as a shortlist, for the index of due
// leads is in the campaign's own order. Between passes what comes from shortlist and index is
// scored anew each time it is ranked, so the order of the hopper follows what was learned last.
//
// One thread; PassScorer is a copy for another one. Time is passed in. The state is a function of
// the settings and the calls made, in their order.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/attempt.h"
#include "campaign/lead.h"
#include "campaign/lead_scan.h"
#include "campaign/settings.h"
#include "campaign/tier/ab_test.h"
#include "campaign/tier/lead_facts.h"
#include "campaign/tier/model.h"
#include "campaign/tier/tier_rules.h"
#include "campaign/tier/trial.h"

namespace outpace::tier {

// What a scorer may look at. A campaign's champion has those of its settings.
struct ScorerChoice {
  campaign::TierFields fields = {};
  std::vector<std::string> profile = {};
  friend bool operator==(const ScorerChoice&, const ScorerChoice&) = default;
};
ModelSettings ModelSettingsOf(const ScorerChoice& choice);

// Why a lead is dialed when it is, for its call record.
struct Pick {
  campaign::Tier tier = campaign::Tier::kB;
  double score = 0;         // expected successes in a minute of an agent's time
  bool explored = false;    // of tier B, drawn at random
  bool challenger = false;  // scored by the challenger
  bool by_rule = false;     // a rule or a promise decided the tier, not the score
};
struct RankedLead {
  campaign::Lead lead;  // its tier is the pick's
  Pick pick;
};

// A pass over the due leads, on one thread. Gathers; CampaignTiers::EndPass() takes it.
class PassScorer final : public campaign::LeadVisitor {
 public:
  struct Entry {
    LeadId id;
    int rank = 0;
    bool promised = false;  // a callback
    bool by_rule = false;   // a rule says A, or it is promised
    double score = 0;
    double above = 0;  // share of the due leads that score higher; EndPass() sets it
    bool challenger = false;
  };
  static constexpr size_t kBest = 20'000;  // kept of a pass
  static constexpr size_t kDrawn = 4'000;  // of those that may be drawn at random

  absl::Status Visit(const campaign::LeadGlance& lead, campaign::WholeLead whole) override;
  uint64_t due() const { return due_; }
  uint64_t damaged() const { return damaged_; }  // leads that could not be read, passed by

 private:
  friend class CampaignTiers;
  struct Shared;
  explicit PassScorer(std::shared_ptr<const Shared> shared);
  void Keep(const Entry& entry);
  void KeepDrawn(double draw, const Entry& entry);

  std::shared_ptr<const Shared> shared_;
  LeadFacts champion_facts_, challenger_facts_;
  RunningQuantile champion_scores_, challenger_scores_;
  std::vector<Entry> best_[2];  // of champion and challenger; heaps, the worst in front
  std::vector<std::pair<double, Entry>> drawn_;  // by draw; a heap, the highest in front
  uint64_t due_ = 0, damaged_ = 0;
};

struct TierReport {
  campaign::TierMode mode = campaign::TierMode::kStatus;
  uint64_t attempts = 0, contacts = 0;  // learned from
  uint64_t successes = 0;
  // A beside the leads of B drawn at random, in all attempts so far.
  ArmCounts a, drawn_b;
  Ratio ratio;
  double p_value = 1;
  // The last pass.
  absl::Time passed_at = absl::InfinitePast();
  absl::Duration pass_took;
  uint64_t due = 0, shortlist = 0;
  // A trial under way.
  bool trial = false;
  ScorerChoice champion, challenger;
  ArmCounts champion_arm, challenger_arm;
  Ratio trial_ratio;  // challenger / champion
  double trial_p_value = 1;
  // The trial that ended last.
  std::string last_trial;  // "promote 2026-11-22T10:00:00Z"; empty: none
};

struct TierExplanation {
  Pick pick;
  std::string rule;        // the rule that decided; empty: the score
  double share_above = 0;  // of the due leads that score higher
  LeadScore score;
  std::vector<Reason> reasons;
  int best_hour = 0;  // in the lead's zone, within the campaign's window
};

class CampaignTiers {
 public:
  explicit CampaignTiers(const campaign::CampaignSettings& settings);
  ~CampaignTiers();
  CampaignTiers(CampaignTiers&&) noexcept;
  CampaignTiers& operator=(CampaignTiers&&) noexcept;

  const CampaignId& id() const { return settings_.id; }
  const campaign::CampaignSettings& settings() const { return settings_; }
  // Other fields or another profile: the champion begins anew, for its features would not mean the
  // same, unless it was promoted with just these.
  void UpdateSettings(const campaign::CampaignSettings& settings);
  // Nothing learned that the store could teach again (CampaignTiers just made, or begun anew).
  bool blank() const;

  // Orders leads for the hopper, best first: promised callbacks, then A, then B, each by rank and
  // score; leads drawn at random stand among them as often as the campaign says. `leads` have their
  // fields.
  std::vector<RankedLead> Rank(std::vector<campaign::Lead> leads, absl::Time now);
  // An attempt has its final record. `before`: the lead as it was when it was placed, with fields.
  void Learn(const campaign::Lead& before, const campaign::Attempt& record);

  // Ids worth reading for the hopper: the best of the last pass that were not asked for since, and
  // of those drawn at random their share. At most `most`.
  std::vector<LeadId> Candidates(size_t most);
  // The first passes of a campaign, and when the shortlist has run low, come sooner.
  bool WantsPass(absl::Time now) const;
  bool passing() const { return passing_; }
  std::vector<std::unique_ptr<PassScorer>> BeginPass(size_t threads, absl::Time now,
                                                     std::vector<ListId> dialed_lists);
  void EndPass(std::vector<std::unique_ptr<PassScorer>> parts, absl::Time now, absl::Duration took);

  TierExplanation Explain(const campaign::Lead& lead, absl::Time now, int reasons);
  TierReport Report() const;

  // FailedPrecondition: there is one already.
  absl::Status Challenge(const ScorerChoice& challenger, double share, uint64_t salt);
  absl::Status EndTrial(absl::Time now);  // the champion stays; FailedPrecondition: there is none
  // A challenger that has won since the last call: the campaign's new choice.
  std::optional<ScorerChoice> TakePromoted();

  // All that was learned, until when it is known (`until`, told to Load()'s caller: later attempts
  // are learned from the store). DataLoss, FailedPrecondition: nothing is changed.
  std::string Save(absl::Time until) const;
  absl::StatusOr<absl::Time> Load(absl::string_view bytes);

 private:
  struct Scored {
    Pick pick;
    double above = 0;
    int rule = -1;
    bool promised = false;
    LeadScore score;
  };
  Scored ScoreOf(const campaign::Lead& lead, absl::Time now);
  void BeginAnew();
  void FinishTrial(absl::string_view verdict, absl::Time now);
  void LearnArms(LeadId lead, const campaign::Attempt& record, bool success);

  campaign::CampaignSettings settings_;
  ScorerChoice champion_choice_, challenger_choice_;
  std::unique_ptr<TierModel> champion_, challenger_;
  std::unique_ptr<Trial> trial_;  // with challenger_, or neither
  TrialSettings trial_settings_;
  ScorerChoice settings_choice_;  // as the settings say
  std::unique_ptr<LeadFacts> champion_facts_, challenger_facts_;
  std::unique_ptr<TierBoard> champion_board_, challenger_board_;
  SequentialRatio lift_;
  double recent_a_ = 0, recent_drawn_ = 0;              // attempts of late, fading
  double recent_champion_ = 0, recent_challenger_ = 0;  // likewise, of tier A
  uint64_t successes_ = 0;
  uint64_t generation_ = 0;  // of the scorers: a pass of others says nothing of these
  // Of the last pass, best last, and drawn at random.
  std::vector<LeadId> shortlist_, drawn_;
  absl::Time passed_at_ = absl::InfinitePast();
  absl::Duration pass_took_;
  uint64_t due_ = 0, shortlisted_ = 0;
  bool passing_ = false;
  std::optional<ScorerChoice> promoted_;
  std::string last_trial_;
};

}  // namespace outpace::tier
