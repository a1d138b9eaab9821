#pragma once

// What is kept of a recording beside its file: whose it is, where it lies, what it should hash to,
// and, after an erasure, that and why it is gone. One an attempt.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "engine/base/e164.h"
#include "engine/base/ids.h"

namespace outpace::campaign {

// A stretch that holds silence in place of what was said.
struct RecordingGap {
  bool lost = false;  // the disk stalled; else the agent paused
  absl::Duration from{}, to{};
  friend bool operator==(const RecordingGap&, const RecordingGap&) = default;
};

struct Recording {
  AttemptId attempt;
  LeadId lead;
  CampaignId campaign;
  AgentId agent;
  E164 number;  // the customer's; none: withheld
  absl::Time started = absl::InfinitePast();
  absl::Duration length{};
  std::string file;    // relative to the recordings directory; empty: none was written, or erased
  std::string sha256;  // hex, of the file
  uint64_t bytes = 0;
  std::string format;  // wav, wav-ulaw, opus
  bool encrypted = false;
  bool cut = false;         // the engine ended during the call
  absl::Duration paused{};  // of the length
  absl::Duration lost{};
  std::vector<RecordingGap> gaps;
  std::string fault;  // what went wrong while it was written
  absl::Time erased_at = absl::InfinitePast();
  std::string erased_reason;  // "retention 90 days", or as the operator gave it

  bool erased() const { return erased_at != absl::InfinitePast(); }
};

// All that is given must agree. By rising start, then attempt.
struct RecordingQuery {
  AttemptId attempt;                       // none: any
  LeadId lead;                             // none: any
  E164 number;                             // none: any
  AgentId agent;                           // empty: any
  CampaignId campaign;                     // empty: any
  absl::Time from = absl::InfinitePast();  // started in [from, to)
  absl::Time to = absl::InfiniteFuture();
  bool with_erased = true;
  size_t limit = 1000;
};

// Whether `recording` is one the query asks for; its limit aside.
inline bool Matches(const RecordingQuery& query, const Recording& recording) {
  return (!query.attempt.valid() || recording.attempt == query.attempt) &&
         (!query.lead.valid() || recording.lead == query.lead) &&
         (!query.number.valid() || recording.number == query.number) &&
         (query.agent.empty() || recording.agent == query.agent) &&
         (query.campaign.empty() || recording.campaign == query.campaign) &&
         recording.started >= query.from && recording.started < query.to &&
         (query.with_erased || !recording.erased());
}

}  // namespace outpace::campaign
