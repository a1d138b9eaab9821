#include "engine/call/leg_state.h"

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace outpace::call {
namespace {

constexpr bool NoPairTwice() {
  for (size_t i = 0; i < kLegTransitions.size(); ++i) {
    for (size_t j = i + 1; j < kLegTransitions.size(); ++j) {
      if (kLegTransitions[i].from == kLegTransitions[j].from &&
          kLegTransitions[i].on == kLegTransitions[j].on) {
        return false;
      }
    }
  }
  return true;
}
static_assert(NoPairTwice(), "one row per (state, event)");

absl::string_view Meaning(LegState state) {
  switch (state) {
    case LegState::kIdle:
      return "slot taken by an order, nothing sent";
    case LegState::kCalling:
      return "INVITE sent, no provisional response yet";
    case LegState::kRinging:
      return "a provisional response has come";
    case LegState::kGivenUp:
      return "given up before any provisional: the CANCEL waits for one (RFC 3261 9.1)";
    case LegState::kCancelling:
      return "CANCEL sent, final response of the INVITE awaited";
    case LegState::kAnswered:
      return "up by itself";
    case LegState::kBridged:
      return "up, joined with another leg";
    case LegState::kPrompting:
      return "up, hearing a prompt after which we hang up";
    case LegState::kAccepting:
      return "a call from outside: our 200 is sent, its ACK awaited";
    case LegState::kEnding:
      return "our BYE is sent, its answer awaited";
    case LegState::kEnded:
      return "final: the slot may be used again";
  }
  return "";
}

}  // namespace

absl::string_view LegStateName(LegState state) {
  static constexpr absl::string_view kNames[kLegStateCount] = {
      "idle",    "calling",   "ringing",   "given_up", "cancelling", "answered",
      "bridged", "prompting", "accepting", "ending",   "ended"};
  const auto i = static_cast<size_t>(state);
  OUTPACE_CHECK(i < kLegStateCount);
  return kNames[i];
}

absl::string_view LegInputName(LegInput event) {
  static constexpr absl::string_view kNames[kLegInputCount] = {"place",
                                                               "take",
                                                               "acked",
                                                               "refused",
                                                               "provisional",
                                                               "answer",
                                                               "answer_no_media",
                                                               "failure",
                                                               "hang_up",
                                                               "ring_limit",
                                                               "silence",
                                                               "connect",
                                                               "part",
                                                               "prompt",
                                                               "prompt_done",
                                                               "bye",
                                                               "bye_done",
                                                               "media_lost",
                                                               "guard"};
  const auto i = static_cast<size_t>(event);
  OUTPACE_CHECK(i < kLegInputCount);
  return kNames[i];
}

absl::string_view LegActionName(LegAction action) {
  static constexpr absl::string_view kNames[] = {
      "nothing",         "send_invite",     "send_accept",  "accept_up",      "report_refused",
      "report_progress", "accept",          "ack_then_bye", "report_failure", "wait_for_final",
      "send_cancel",     "report_given_up", "play_prompt",  "send_bye",       "report_bye"};
  const auto i = static_cast<size_t>(action);
  OUTPACE_CHECK(i < std::size(kNames));
  return kNames[i];
}

std::string LegStatesMarkdown() {
  std::string text =
      "# States of a leg\n\n"
      "Printed from `kLegTransitions` in `engine/call/leg_state.h`; a test compares the two. A "
      "pair\n"
      "that has no row is a counted no-op.\n\n"
      "| state | meaning |\n|---|---|\n";
  for (size_t i = 0; i < kLegStateCount; ++i) {
    const auto state = static_cast<LegState>(i);
    absl::StrAppend(&text, "| ", LegStateName(state), " | ", Meaning(state), " |\n");
  }
  absl::StrAppend(&text, "\n| from | on | to | action |\n|---|---|---|---|\n");
  for (const LegTransition& row : kLegTransitions) {
    absl::StrAppend(&text, "| ", LegStateName(row.from), " | ", LegInputName(row.on), " | ",
                    LegStateName(row.to), " | ", LegActionName(row.action), " |\n");
  }
  absl::StrAppend(&text, "\n```mermaid\nstateDiagram-v2\n  [*] --> idle\n");
  for (const LegTransition& row : kLegTransitions) {
    absl::StrAppend(&text, "  ", LegStateName(row.from), " --> ", LegStateName(row.to), ": ",
                    LegInputName(row.on), "\n");
  }
  absl::StrAppend(&text, "  ended --> [*]\n```\n");
  return text;
}

}  // namespace outpace::call
