#pragma once

// Reading calls by the million, for exports and reports over all of a day: two microseconds a call
// on one thread, where ForEachAttempt() takes ten. So calls are shown as numbers and views of bytes
// that were read once, a few thousand at a time, on several threads.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/attempt.h"
#include "campaign/lead.h"
#include "campaign/recording.h"

namespace outpace::campaign {

// "Did not happen" as microseconds since 1970 UTC.
inline constexpr int64_t kNeverMicros = INT64_MIN;

// An Attempt without strings of its own; fields as there. Instants are microseconds since 1970 UTC.
struct AttemptView {
  AttemptId id;
  LeadId lead;
  ListId list;
  absl::string_view campaign;
  Tier tier = Tier::kA;
  double score = 0;
  bool explored = false;
  absl::string_view scorer;
  int number_of_try = 1;
  absl::string_view last_status;
  bool alt = false;
  E164 dialed, caller_id;
  absl::string_view trunk;
  absl::string_view call_id, from_tag, branch, route_uri, request_uri, from_uri;
  bool open = true, sent = true, inbound = false;
  absl::string_view outcome;
  bool trunk_fault = false;
  int sip_status = 0, q850_cause = 0;
  bool abandoned = false, message_played = false;
  absl::string_view status, term_reason;
  absl::string_view heard, amd, amd_features;
  int amd_confidence = 0, amd_ms = 0;
  int greeting_start_ms = -1, greeting_end_ms = -1;
  absl::string_view agent, note;
  int holds = 0;
  absl::Duration held = absl::ZeroDuration();
  int conferences = 0, billed_seconds = 0;
  int64_t cost_micros = 0;
  int64_t callback_micros = kNeverMicros;
  int64_t dialed_micros = kNeverMicros, ringing_micros = kNeverMicros,
          answered_micros = kNeverMicros;
  int64_t connected_micros = kNeverMicros, dropped_micros = kNeverMicros;
  int64_t ended_micros = kNeverMicros, disposed_micros = kNeverMicros;
};
Attempt ToAttempt(const AttemptView& view);
// Views of `attempt`, good as long as it is. Instants are cut to the microsecond.
AttemptView ViewOf(const Attempt& attempt);

// Is shown calls on one thread at a time.
class AttemptVisitor {
 public:
  virtual ~AttemptVisitor() = default;
  // Some thousand calls by rising id, good until this returns. Pieces are numbered from 0 on by
  // rising ids and given out in that order, so who puts them together again waits only for those
  // that other visitors are at. `recordings`: of each call, null if it has none or none were asked
  // for. An error ends the scan, which returns it.
  virtual absl::Status Visit(uint64_t piece, absl::Span<const AttemptView> attempts,
                             absl::Span<const Recording* const> recordings) = 0;
  // The scan ends early with an error: who waits in Visit() for another visitor's piece returns.
  // Any thread, also while Visit() runs.
  virtual void Cancel(const absl::Status&) {}
};

struct AttemptScan {
  absl::Time from = absl::InfinitePast();  // dialed_at in [from, to)
  absl::Time to = absl::InfiniteFuture();
  bool recordings = false;  // their records too
};

// One text of a lead.
struct LeadText {
  absl::string_view name, text;
};

// A Lead without strings of its own; fields as there.
struct LeadView {
  LeadId id;
  ListId list;
  absl::string_view campaign, status;
  E164 phone, alt_phone;
  Tier tier = Tier::kA;
  int rank = 0, max_attempts = 0, called_count = 0;
  int64_t entry_micros = kNeverMicros, last_call_micros = kNeverMicros;
  const std::vector<std::string>* zones = nullptr;  // never null for a visitor
  // Owner and fields. Two leads of one ViewLeads() call with the same `layout`, if it is not null,
  // have the same names in the same places (one may end earlier).
  absl::Span<const LeadText> texts;
  const void* layout = nullptr;
};

}  // namespace outpace::campaign
