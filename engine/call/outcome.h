#pragma once

#include "absl/strings/string_view.h"

namespace outpace::call {

// What became of one attempt, as the network told it. Results, not errors.
enum class CallOutcome {
  kAnswered,     // 2xx; what the agent made of it is the disposition
  kNoAnswer,     // rang to the limit, or 480/408 with "no answer"
  kBusy,         // 486, 600, Q.850 17
  kInvalid,      // vacant number (404, 410, 484, 604, Q.850 1/22/28)
  kUnreachable,  // switched off or out of coverage (480 + Q.850 20, 502)
  kRejected,     // 603, Q.850 21
  kCongestion,   // 503, 500, Q.850 34/38/41/42/47: the trunk's fault, not the lead's
  kNoTrunk,      // never left: breaker open, no capacity
  kCancelled,    // given up by us before an answer (ring limit counts as kNoAnswer)
  kMedia,        // 488, 415, 606, or an SDP answer without usable audio
  kFailed,       // anything else
  kUnknown,      // the engine died during the attempt
};

// "answered", "no_answer", ...: the names in records, metrics and exports.
absl::string_view CallOutcomeName(CallOutcome outcome);

// Maps a final response to what it says of the number (RFC 3398 8.2.6.1 and RFC 4497; the Reason
// header's Q.850 cause, when there, is believed before the status; notes in docs/decisions).
// `status` 300..699; `q850_cause` 0 if unknown; `local`: our own stack's time-out or refusal.
CallOutcome OutcomeOf(int status, int q850_cause, bool local);

// Whether the outcome is the trunk's fault, so the attempt is not held against the lead.
bool IsTrunkFault(CallOutcome outcome);

}  // namespace outpace::call
