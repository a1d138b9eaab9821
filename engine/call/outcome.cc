#include "engine/call/outcome.h"

namespace outpace::call {
namespace {

// What a Q.850 cause says by itself. kAnswered stands for "says nothing": 16 (normal clearing), 31
// (normal, unspecified), 127 and whatever a gateway invents leave the word to the SIP status.
CallOutcome FromCause(int cause) {
  switch (cause) {
    case 1:   // unallocated number
    case 22:  // number changed
    case 28:  // number incomplete
      return CallOutcome::kInvalid;
    case 17:
      return CallOutcome::kBusy;
    case 18:  // no user responding
    case 19:  // no answer from user
      return CallOutcome::kNoAnswer;
    case 20:  // subscriber absent
    case 27:  // destination out of order
      return CallOutcome::kUnreachable;
    case 21:
      return CallOutcome::kRejected;
    case 2:  // no route: the carrier's fault, another route may work
    case 3:
    case 34:  // no circuit
    case 38:  // network out of order
    case 41:  // temporary failure
    case 42:  // switching equipment congestion
    case 47:  // resource unavailable
      return CallOutcome::kCongestion;
    case 65:  // bearer capability not implemented
    case 79:  // service or option not implemented
    case 88:  // incompatible destination
      return CallOutcome::kMedia;
    default:
      return CallOutcome::kAnswered;
  }
}

CallOutcome FromStatus(int status) {
  switch (status) {
    case 404:
    case 410:
    case 484:
    case 604:
      return CallOutcome::kInvalid;
    case 486:
    case 600:
      return CallOutcome::kBusy;
    case 408:
    case 480:
    case 487:  // some networks end an unanswered ring with it; our own CANCEL is the shard's to
               // name
      return CallOutcome::kNoAnswer;
    case 502:
      return CallOutcome::kUnreachable;
    case 403:
    case 603:
    case 607:  // unwanted (RFC 8197)
    case 608:  // rejected by analytics (RFC 8688)
      return CallOutcome::kRejected;
    case 401:  // the trunk does not take our word for who we are: nobody's phone was tried
    case 407:
    case 500:
    case 503:
    case 504:
      return CallOutcome::kCongestion;
    case 415:
    case 488:
    case 606:
      return CallOutcome::kMedia;
    default:
      return CallOutcome::kFailed;
  }
}

}  // namespace

absl::string_view CallOutcomeName(CallOutcome outcome) {
  switch (outcome) {
    case CallOutcome::kAnswered:
      return "answered";
    case CallOutcome::kNoAnswer:
      return "no_answer";
    case CallOutcome::kBusy:
      return "busy";
    case CallOutcome::kInvalid:
      return "invalid";
    case CallOutcome::kUnreachable:
      return "unreachable";
    case CallOutcome::kRejected:
      return "rejected";
    case CallOutcome::kCongestion:
      return "congestion";
    case CallOutcome::kNoTrunk:
      return "no_trunk";
    case CallOutcome::kCancelled:
      return "cancelled";
    case CallOutcome::kMedia:
      return "media";
    case CallOutcome::kFailed:
      return "failed";
    case CallOutcome::kUnknown:
      return "unknown";
  }
  return "unknown";
}

CallOutcome OutcomeOf(int status, int q850_cause, bool local) {
  // Our own stack's verdicts: it heard nothing, or had nowhere to send. Neither is about the
  // number.
  if (local && (status == 408 || status >= 500)) return CallOutcome::kCongestion;
  const CallOutcome by_cause = FromCause(q850_cause);
  if (by_cause != CallOutcome::kAnswered) return by_cause;
  // 480 carries causes 19, 20 and 31 alike (RFC 3398 7.2.4.1): with 31 it says that it does not
  // know.
  if (status == 480 && q850_cause == 31) return CallOutcome::kFailed;
  return FromStatus(status);
}

bool IsTrunkFault(CallOutcome outcome) {
  return outcome == CallOutcome::kCongestion || outcome == CallOutcome::kNoTrunk;
}

}  // namespace outpace::call
