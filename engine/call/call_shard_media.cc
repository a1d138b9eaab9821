// What a leg's audio tells: verdicts of the listeners and keys pressed, on their way to the
// controller.

#include <utility>

#include "engine/call/call_shard.h"
#include "engine/listen/early_listener.h"

namespace outpace::call {

// From the 2xx on: the first packets of the hello are on their way.
void CallShard::ListenToAnswer(Leg& leg) {
  if (leg.answer_tuning != nullptr) {
    media_.Do(leg.id, ListenAnswer{.tuning = *std::exchange(leg.answer_tuning, nullptr)});
  } else if (leg.listens_early) {
    media_.Do(leg.id, ListenStop{});
  }
}

void CallShard::OnHeard(LegId id, const listen::Heard& heard) {
  Enter();
  Leg* leg = FindLeg(id);
  if (leg == nullptr) return;
  const bool unanswered = leg->state == LegState::kCalling || leg->state == LegState::kRinging;
  if (unanswered) leg->heard_early = std::make_unique<listen::Heard>(heard);
  EmitEvent(LegHeard{.leg = id, .heard = heard, .at = Now()});
  // Whoever is told "the number you have dialed is not in service" need not hear it three times.
  if (unanswered && listen::IsDead(heard)) GiveUp(*leg, Why::kHeard, LegInput::kHangUp, 16);
}

void CallShard::OnDigit(LegId id, char digit) {
  Enter();
  if (FindLeg(id) != nullptr) EmitEvent(LegDigit{.leg = id, .digit = digit});
}

void CallShard::OnJoined(LegId id, bool joined) {
  Enter();
  if (FindLeg(id) != nullptr) EmitEvent(LegJoined{.leg = id, .joined = joined});
}

}  // namespace outpace::call
