#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/abandon_contract.h"
#include "campaign/calling_window.h"
#include "campaign/lead_order.h"
#include "campaign/list_mix.h"
#include "campaign/status_set.h"
#include "campaign/tier_choice.h"
#include "engine/base/e164.h"
#include "engine/base/ids.h"

namespace outpace::campaign {

// VICIdial's names, so that a manager's habits hold. docs/CAMPAIGNS.md maps each to what it does
// here.
enum class DialMethod {
  kManual,          // MANUAL: no automatic calls
  kPreview,         // PREVIEW: pop first, the agent decides
  kProgressive,     // PROGRESSIVE: one line per free agent
  kRatio,           // RATIO: auto_dial_level lines per free agent
  kAdaptHardLimit,  // ADAPT_HARD_LIMIT: predictive, the abandonment limit is never crossed
                    // knowingly
  kAdaptTapered,    // ADAPT_TAPERED: the same, against the budget of the shift's whole forecast
  kAdaptAverage,    // ADAPT_AVERAGE: the same, over the average of the campaign so far
};
absl::string_view DialMethodName(DialMethod method);
bool IsPredictive(DialMethod method);

// In which order a campaign's trunks are tried.
enum class TrunkChoice {
  kPriority,  // PRIORITY: as the setting `trunk` has them
  kCost,      // LEAST_COST: cheapest for the number first
};
absl::string_view TrunkChoiceName(TrunkChoice choice);

// Whether the engine listens to who answered, and whether the agent waits for it.
enum class AmdMode {
  kOff,
  kNonBlocking,  // the agent is connected at once; a machine that is found out later ends or flags
                 // the call
  kBlocking,     // the agent is connected when a person is heard, or after amd_decide_seconds
};
absl::string_view AmdModeName(AmdMode mode);

// What is done with a call that a machine answered (VICIdial: cpd_amd_action).
enum class MachineAction {
  kDisabled,  // nothing; the verdict is in the call record
  kFlag,      // the agent's screen says so, the agent decides
  kDispo,     // hung up, status AA; the agent is free at once
  kMessage,   // `am_message` is played after the beep, status AM, AL when it was heard to its end
};
absl::string_view MachineActionName(MachineAction action);

// VICIdial's campaign_recording.
enum class RecordingMode {
  kNever,
  kOnDemand,  // the agent starts and stops
  kAllCalls,  // from the agent on; the agent may stop
  kAllForce,  // from the agent on to the end; a pause for card data is all the agent may do
};
absl::string_view RecordingModeName(RecordingMode mode);
enum class RecordingFormat { kWav, kUlaw, kOpus };
absl::string_view RecordingFormatName(RecordingFormat format);

// What a campaign does with a status: how long until the next try and how many.
struct RecycleRule {
  std::string status;
  absl::Duration delay;  // 120 s .. 604800 s
  int tries_max = 1;     // further tries this rule allows, 1..10
};

struct CampaignSettings {
  CampaignId id;  // 1..8 of A-Z a-z 0-9 _ -
  std::string name;
  bool active = false;
  DialMethod dial_method = DialMethod::kAdaptHardLimit;
  double auto_dial_level = 1.0;              // RATIO: lines per agent, 1..20
  bool available_only_ratio_tally = false;   // RATIO: count free agents only
  double adaptive_maximum_level = 6.0;       // cap on lines per agent in predictive modes
  double adaptive_dropped_percentage = 3.0;  // abandonment limit, percent of answered calls
  AbandonWindow abandon_window = AbandonWindow::kMethod;  // of that limit
  double client_dropped_percentage = 0;  // a further limit, of the client's contract; 0: none
  AbandonWindow client_window = AbandonWindow::kCampaign;
  // Further limits: ready-made ones by name, and a client's own (ParseAbandonContracts()).
  std::vector<AbandonContract> abandon_contracts;
  int adaptive_intensity = 0;              // ADAPT_: risk taken times (1 + I/100), -40..40
  int adaptive_latest_server_time = 2100;  // ADAPT_TAPERED: end of the shift, HHMM in report_zone
  int adaptive_dl_diff_target = 0;         // kept; without effect (Notes())
  int campaign_weight = 50;                // share of a trunk that is short, 1..100
  int campaign_priority = 0;               // of a trunk that is short: higher first, -99..99
  absl::Duration min_ring_seconds = absl::Seconds(15);  // >= 15 s: not cancelled before (TSR)
  absl::Duration drop_call_seconds = absl::Seconds(2);  // answer to agent, else abandoned
  absl::Duration dial_timeout = absl::Seconds(26);      // INVITE to giving up, >= 15 s (TSR)
  absl::Duration wrapup_seconds = absl::Seconds(60);    // wrap-up limit; then status DISPO
  int call_count_limit = 10;                            // tries a lead over its life
  int daily_call_count_limit = 3;                       // tries a lead a day (campaign's day)
  int hopper_level = 200;                               // leads kept ready in memory
  LeadOrderChoice lead_order;                           // within tier and rank
  std::vector<ListShare> list_order_mix;                // 100 percent in all; empty: lists are one
  std::vector<std::string> dial_statuses;  // empty: all that are not final; see DialedStatuses()
  TierMode tier_mode = TierMode::kStatus;
  double tier_a_percentage = 20;        // SCORE: of the leads that no rule decides, 1..50
  double tier_explore_percentage = 10;  // SCORE: of the attempts, leads of B drawn at random, 1..50
  std::vector<TierRule> tier_rules;
  TierFields tier_fields;                 // what a score may be made from
  std::vector<std::string> tier_profile;  // fields by which leads are alike: company, address
  std::string lead_filter_id;  // a stored filter that leads must pass to be dialed; empty: none
  std::string trunk;           // names of trunks of the configuration: "a", "a,b", "a:70|b:30,c"
  TrunkChoice trunk_choice = TrunkChoice::kPriority;
  E164 campaign_cid;              // caller ID
  CallingWindow local_call_time;  // "09:00-21:00", in the lead's own zone
  // Sets of rules of jurisdictions that hold besides (campaign/rules): "us-tsr", "us-states", ...
  std::vector<std::string> compliance;
  // Calling codes and the beginnings of numbers behind them, "1", "44", "8610": nothing else is
  // dialed (IsDestination()). Empty: whatever a numbering plan allows.
  std::vector<std::string> allowed_destinations;
  bool use_internal_dnc = true;
  bool use_campaign_dnc = true;    // and that of its client
  bool use_dnc_registries = true;  // national and state registries, and states' lists
  std::string client_id;           // whom it calls for: the client's do-not-call list; empty: none
  std::vector<RecycleRule> recycle;  // goes before what `statuses` says of the same status
  StatusSet statuses;                // what each status means and does

  // What is heard. Prompts are names of the prompts directory; empty: the engine's own.
  bool early_media_detection = true;  // end calls that the network says nobody will answer
  AmdMode amd_mode = AmdMode::kNonBlocking;
  MachineAction cpd_amd_action = MachineAction::kFlag;
  absl::Duration amd_decide_seconds = absl::Milliseconds(2500);  // then taken for a person
  double amd_people_lost_percentage = 2.5;  // people taken for machines: the share aimed at
  double amd_audit_percentage = 5;  // of the verdicts that would end a call: an agent hears them
  // Keeps what every verdict was taken from: the recording begins at the answer, and rests from the
  // verdict on where the agent decides on it (ONDEMAND).
  bool amd_clips = false;
  std::string safe_harbor_audio, am_message, hold_music, agent_whisper;
  // The key by which an abandoned person asks, in the safe-harbor message, not to be called again:
  // "0".."9", "*", "#"; empty: none.
  std::string safe_harbor_dnc_key;
  RecordingMode campaign_recording = RecordingMode::kOnDemand;
  RecordingFormat recording_format = RecordingFormat::kWav;
  bool recording_encrypted = false;

  // Scores from which two leads are taken as one, and from which a person decides (campaign/match).
  double dedup_same = 0.90, dedup_review = 0.70;

  absl::TimeZone report_zone = absl::UTCTimeZone();  // day boundaries of exports and counters

  // "name=value" text form, VICIdial's names; what the store keeps and `campaign show` prints.
  std::map<std::string, std::string> ToMap() const;
  // Changes one setting. InvalidArgument says which value is wrong, the range, and an example.
  absl::Status Set(absl::string_view name, absl::string_view value);
  static absl::StatusOr<CampaignSettings> FromMap(
      const std::map<std::string, std::string>& settings);
  // What is set here and has no effect, or another than VICIdial's users expect: a sentence each,
  // for `campaign set` and `campaign show`.
  std::vector<std::string> Notes() const;

  // Statuses a lead must have to be dialed: dial_statuses, those that a recycle rule or a row of
  // the campaign's own brings back, and callbacks, which were promised. Empty: all.
  std::vector<std::string> DialedStatuses() const;

  // The window of adaptive_dropped_percentage: never kMethod.
  AbandonWindow RegulationWindow() const;
};

// For whoever reads attempts or leads of several campaigns.
StatusBook StatusesOf(const std::vector<CampaignSettings>& campaigns);

}  // namespace outpace::campaign
