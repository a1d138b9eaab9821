#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "campaign/lead.h"
#include "engine/base/e164.h"
#include "engine/base/ids.h"

namespace outpace::campaign {

// One try at a lead, from the intent that is stored before the INVITE leaves to the agent's
// disposition. Everything is as of the call: a lead that moves to another list later does not
// change yesterday's export. Times are wall-clock instants; InfinitePast means "did not happen".
struct Attempt {
  AttemptId id;
  LeadId lead;
  ListId list;
  CampaignId campaign;
  Tier tier = Tier::kA;
  // Why this lead was picked, when tiers are learned: expected successes an agent-minute (0: not
  // scored), whether it was drawn at random from tier B, and whose score put it where it was
  // ("champion", "challenger"; empty: nobody's, or a rule or promise did).
  double score = 0;
  bool explored = false;
  std::string scorer;
  int number_of_try = 1;    // 1: first try at this lead
  std::string last_status;  // the lead's status until then
  bool alt = false;         // `dialed` is the lead's alt_phone
  E164 dialed;
  E164 caller_id;
  std::string trunk;
  // Names on the wire, so that a restarted engine can end the call: see call::InviteIds.
  std::string call_id, from_tag, branch, route_uri, request_uri, from_uri;

  bool open = true;  // intent without a final result yet
  bool sent = true;  // false: refused before the INVITE left; never counted as a try
  // The person called us, and an agent took it: `dialed` is the caller's number, `caller_id` the
  // one that was called, `dialed_at` when it was offered. No try, and no part of any limit.
  bool inbound = false;
  std::string outcome;       // CallOutcomeName; empty while open
  bool trunk_fault = false;  // not held against the lead
  int sip_status = 0;
  int q850_cause = 0;
  bool abandoned = false;       // answered and met by no agent within the contract's seconds
  bool message_played = false;  // safe-harbor message ran to its end
  std::string status;           // disposition, six characters: SALE, NA, AB, DROP, ...
  std::string term_reason;      // CALLER, AGENT, ABANDON, SYSTEM, NONE
  // What was heard: before the answer ("sit_vacant", "announcement:vacant_number"), and who
  // answered, with the detector's confidence and features ("speech_ms=820 ..."); empty: nothing
  // that could be told, or nobody listened.
  std::string heard, amd, amd_features;
  int amd_confidence = 0;  // percent
  int amd_ms = 0;          // from the answer to the verdict
  // When whoever answered began to speak, and had ended as far as was heard until the verdict; ms
  // from the answer, -1: not measured.
  int greeting_start_ms = -1, greeting_end_ms = -1;
  AgentId agent;                               // who took it; empty if nobody
  int holds = 0;                               // how often the agent put the customer on hold
  absl::Duration held = absl::ZeroDuration();  // and for how long in all
  int conferences = 0;                         // others brought into the call by the agent
  // What the call costs at the trunk's tariff as of the call: the answered time rounded up to the
  // trunk's billing increments, and millionths of the tariff's currency. 0: not answered, or the
  // tariff is not known.
  int billed_seconds = 0;
  int64_t cost_micros = 0;
  std::string note;
  absl::Time callback_time = absl::InfinitePast();

  absl::Time dialed_at = absl::InfinitePast();  // intent stored
  absl::Time ringing_at = absl::InfinitePast();
  absl::Time answered_at = absl::InfinitePast();
  absl::Time connected_at = absl::InfinitePast();  // agent bridged
  absl::Time dropped_at = absl::InfinitePast();    // `abandoned`: given up, the message was ordered
  absl::Time ended_at = absl::InfinitePast();
  absl::Time disposed_at = absl::InfinitePast();

  friend bool operator==(const Attempt&, const Attempt&) = default;
};

}  // namespace outpace::campaign
