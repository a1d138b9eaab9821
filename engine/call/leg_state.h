#pragma once

// The life of one leg as a table: which state an event leads to and what the shard then does. The
// races of RFC 3261 are rows here, not branches spread over the code: a 200 that crosses our CANCEL
// (13.2.2.4), a CANCEL that must wait for a 1xx (9.1), a 487 or an answer to a BYE that never
// comes. A (state, event) pair without a row is a counted no-op. docs/LEG_STATES.md is printed from
// the table by LegStatesMarkdown(), and a test compares the two.

#include <array>
#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace outpace::call {

enum class LegState {
  kIdle,        // slot taken by an order, nothing sent
  kCalling,     // INVITE sent, no provisional response yet
  kRinging,     // a provisional response (100 included) has come
  kGivenUp,     // given up before any provisional: CANCEL must wait for one (RFC 3261 9.1)
  kCancelling,  // CANCEL sent, final response of the INVITE awaited
  kAnswered,    // 2xx and ACK; the leg is up by itself (an agent's leg waits here between calls)
  kBridged,     // up, joined with another leg
  kPrompting,   // up, hearing a prompt after which we hang up
  kAccepting,   // a call from outside: our 200 is sent, its ACK awaited
  kEnding,      // our BYE is sent, its answer awaited
  kEnded,       // final: the slot may be used again
};
inline constexpr size_t kLegStateCount = 11;

enum class LegInput {
  kPlace,          // the order passed the trunk's guard
  kTake,           // a call from outside is ours
  kAcked,          // the ACK of our 200 has come, with audio we can use
  kRefused,        // trunk guard, media pool or the SIP stack refused: nothing left the machine
  kProvisional,    // 1xx
  kAnswer,         // 2xx with audio we can use
  kAnswerNoMedia,  // 2xx without
  kFailure,        // 300..699 or a local time-out
  kHangUp,         // the controller wants the leg ended
  kRingLimit,      // ring_time_max since the INVITE
  kSilence,        // no provisional in the time a living trunk takes
  kConnect,        // joined with another leg
  kPart,           // parted from it, by order or because the other leg ended
  kPrompt,         // play a prompt, then hang up
  kPromptDone,     // the prompt ran to its end
  kBye,            // the far end hung up
  kByeDone,        // our BYE was answered or timed out
  kMediaLost,      // no packet for the dead-call time
  kGuard,          // what we wait for did not come in the guard time
};
inline constexpr size_t kLegInputCount = 19;

enum class LegAction {
  kNothing,
  kSendInvite,      // open media, send the INVITE, start ring and silence timers
  kSendAccept,      // open media, answer 200
  kAcceptUp,        // journal, LegAnswered
  kReportRefused,   // LegEnded with invite_sent=false
  kReportProgress,  // LegProgress, from 101 up
  kAccept,          // journal, ACK, LegAnswered
  kAckThenBye,      // journal, ACK, BYE, LegEnded; guard
  kReportFailure,   // LegEnded from the final response and from why we gave up
  kWaitForFinal,    // guard
  kSendCancel,      // CANCEL; guard
  kReportGivenUp,   // LegEnded without a final response
  kPlayPrompt,      // prompt; guard
  kSendBye,         // BYE, LegEnded; guard
  kReportBye,       // LegEnded by the far end
};

struct LegTransition {
  LegState from;
  LegInput on;
  LegState to;
  LegAction action;
};

inline constexpr auto kLegTransitions = std::to_array<LegTransition>({
    {LegState::kIdle, LegInput::kPlace, LegState::kCalling, LegAction::kSendInvite},
    {LegState::kIdle, LegInput::kRefused, LegState::kEnded, LegAction::kReportRefused},
    {LegState::kIdle, LegInput::kHangUp, LegState::kEnded, LegAction::kReportRefused},
    {LegState::kIdle, LegInput::kTake, LegState::kAccepting, LegAction::kSendAccept},

    {LegState::kAccepting, LegInput::kRefused, LegState::kEnded, LegAction::kReportRefused},
    {LegState::kAccepting, LegInput::kAcked, LegState::kAnswered, LegAction::kAcceptUp},
    {LegState::kAccepting, LegInput::kAnswerNoMedia, LegState::kEnding, LegAction::kSendBye},
    {LegState::kAccepting, LegInput::kFailure, LegState::kEnded, LegAction::kReportFailure},
    {LegState::kAccepting, LegInput::kHangUp, LegState::kEnding, LegAction::kSendBye},
    {LegState::kAccepting, LegInput::kBye, LegState::kEnded, LegAction::kReportBye},

    {LegState::kCalling, LegInput::kRefused, LegState::kEnded, LegAction::kReportRefused},
    {LegState::kCalling, LegInput::kProvisional, LegState::kRinging, LegAction::kReportProgress},
    {LegState::kCalling, LegInput::kAnswer, LegState::kAnswered, LegAction::kAccept},
    {LegState::kCalling, LegInput::kAnswerNoMedia, LegState::kEnding, LegAction::kAckThenBye},
    {LegState::kCalling, LegInput::kFailure, LegState::kEnded, LegAction::kReportFailure},
    {LegState::kCalling, LegInput::kHangUp, LegState::kGivenUp, LegAction::kWaitForFinal},
    {LegState::kCalling, LegInput::kRingLimit, LegState::kGivenUp, LegAction::kWaitForFinal},
    {LegState::kCalling, LegInput::kSilence, LegState::kGivenUp, LegAction::kWaitForFinal},

    {LegState::kRinging, LegInput::kProvisional, LegState::kRinging, LegAction::kReportProgress},
    {LegState::kRinging, LegInput::kAnswer, LegState::kAnswered, LegAction::kAccept},
    {LegState::kRinging, LegInput::kAnswerNoMedia, LegState::kEnding, LegAction::kAckThenBye},
    {LegState::kRinging, LegInput::kFailure, LegState::kEnded, LegAction::kReportFailure},
    {LegState::kRinging, LegInput::kHangUp, LegState::kCancelling, LegAction::kSendCancel},
    {LegState::kRinging, LegInput::kRingLimit, LegState::kCancelling, LegAction::kSendCancel},

    {LegState::kGivenUp, LegInput::kProvisional, LegState::kCancelling, LegAction::kSendCancel},
    {LegState::kGivenUp, LegInput::kAnswer, LegState::kEnding, LegAction::kAckThenBye},
    {LegState::kGivenUp, LegInput::kAnswerNoMedia, LegState::kEnding, LegAction::kAckThenBye},
    {LegState::kGivenUp, LegInput::kFailure, LegState::kEnded, LegAction::kReportFailure},
    {LegState::kGivenUp, LegInput::kGuard, LegState::kEnded, LegAction::kReportGivenUp},

    {LegState::kCancelling, LegInput::kProvisional, LegState::kCancelling, LegAction::kNothing},
    {LegState::kCancelling, LegInput::kAnswer, LegState::kEnding, LegAction::kAckThenBye},
    {LegState::kCancelling, LegInput::kAnswerNoMedia, LegState::kEnding, LegAction::kAckThenBye},
    {LegState::kCancelling, LegInput::kFailure, LegState::kEnded, LegAction::kReportFailure},
    {LegState::kCancelling, LegInput::kGuard, LegState::kEnded, LegAction::kReportGivenUp},

    {LegState::kAnswered, LegInput::kConnect, LegState::kBridged, LegAction::kNothing},
    {LegState::kAnswered, LegInput::kPrompt, LegState::kPrompting, LegAction::kPlayPrompt},
    {LegState::kAnswered, LegInput::kHangUp, LegState::kEnding, LegAction::kSendBye},
    {LegState::kAnswered, LegInput::kMediaLost, LegState::kEnding, LegAction::kSendBye},
    {LegState::kAnswered, LegInput::kBye, LegState::kEnded, LegAction::kReportBye},

    {LegState::kBridged, LegInput::kPart, LegState::kAnswered, LegAction::kNothing},
    {LegState::kBridged, LegInput::kPrompt, LegState::kPrompting, LegAction::kPlayPrompt},
    {LegState::kBridged, LegInput::kHangUp, LegState::kEnding, LegAction::kSendBye},
    {LegState::kBridged, LegInput::kMediaLost, LegState::kEnding, LegAction::kSendBye},
    {LegState::kBridged, LegInput::kBye, LegState::kEnded, LegAction::kReportBye},

    {LegState::kPrompting, LegInput::kPromptDone, LegState::kEnding, LegAction::kSendBye},
    {LegState::kPrompting, LegInput::kGuard, LegState::kEnding, LegAction::kSendBye},
    {LegState::kPrompting, LegInput::kHangUp, LegState::kEnding, LegAction::kSendBye},
    {LegState::kPrompting, LegInput::kMediaLost, LegState::kEnding, LegAction::kSendBye},
    {LegState::kPrompting, LegInput::kBye, LegState::kEnded, LegAction::kReportBye},

    {LegState::kEnding, LegInput::kByeDone, LegState::kEnded, LegAction::kNothing},
    {LegState::kEnding, LegInput::kBye, LegState::kEnded, LegAction::kNothing},
    {LegState::kEnding, LegInput::kGuard, LegState::kEnded, LegAction::kNothing},
});

// The row for the pair, or nullptr when the event means nothing in that state: count it, do
// nothing.
constexpr const LegTransition* Find(LegState from, LegInput on) {
  for (const LegTransition& row : kLegTransitions) {
    if (row.from == from && row.on == on) return &row;
  }
  return nullptr;
}
static_assert(Find(LegState::kEnded, LegInput::kAnswer) == nullptr, "kEnded is final");

// Short lower-case names for logs: "ringing", "ring_limit", "send_cancel".
absl::string_view LegStateName(LegState state);
absl::string_view LegInputName(LegInput event);
absl::string_view LegActionName(LegAction action);

// The table as the text of docs/LEG_STATES.md.
std::string LegStatesMarkdown();

}  // namespace outpace::call
