// A shard's trunks: orders that wait for their turn at the rate, OPTIONS and registration, and what
// the guard makes of each call.

#include <algorithm>
#include <utility>

#include "engine/call/call_shard.h"

namespace outpace::call {

TrunkRefusal CallShard::Admit(Leg& leg) {
  const TrunkRefusal refusal = trunks_[leg.trunk].guard.Admit(leg.ticket, Now());
  PublishTrunk(leg.trunk);
  return refusal;
}

void CallShard::Start(Leg& leg, TrunkRefusal refusal) {
  if (refusal == TrunkRefusal::kNone) {
    Fire(leg, LegInput::kPlace, {});
    return;
  }
  Fire(leg, LegInput::kRefused,
       Cause{.retry_after = trunks_[leg.trunk].guard.RetryAfter(refusal, Now()),
             .refusal = absl::UnavailableError(TrunkRefusalName(refusal))});
}

// Sends as many of the waiting orders as the rate allows now, and comes back when it allows more.
void CallShard::RunQueue(uint16_t index) {
  Trunk& trunk = trunks_[index];
  trunk.queue_timer = 0;
  while (!trunk.queue.empty()) {
    Leg* leg = const_cast<Leg*>(PeekLeg(trunk.queue.front()));
    if (leg != nullptr) {  // else given up while it waited
      const TrunkRefusal refusal = Admit(*leg);
      if (refusal == TrunkRefusal::kCps) {
        // One that was given up does not count.
        const absl::Duration wait =
            std::max(trunk.guard.RetryAfter(refusal, Now()), absl::Milliseconds(1));
        trunk.queue_timer = loop_.After(wait, [this, index] {
          RunQueue(index);
          Enter();
        });
        return;
      }
      Start(*leg, refusal);
    }
    trunk.queue.pop_front();
  }
}

void CallShard::OnAddresses(const TrunkAddresses& m) {
  if (m.trunk >= trunks_.size() || m.route_uris.empty()) return;
  Trunk& trunk = trunks_[m.trunk];
  signaling_.SetTrunkAddresses(m.trunk, m.addresses);
  const bool moved = trunk.route_uri != m.route_uris.front();
  trunk.route_uri = m.route_uris.front();
  const TrunkLimits& limits = trunk.guard.limits();
  if (limits.registers && moved) signaling_.Register(m.trunk, trunk.route_uri);
  if (limits.options_interval > absl::ZeroDuration() && trunk.options_timer == 0) Ping(m.trunk);
}

void CallShard::Ping(uint16_t index) {
  Trunk& trunk = trunks_[index];
  signaling_.Ping(index, trunk.route_uri);
  trunk.options_timer =
      loop_.After(trunk.guard.limits().options_interval, [this, index] { Ping(index); });
}

void CallShard::OnProbe(const TrunkProbe& probe) {
  Enter();
  if (probe.trunk >= trunks_.size()) return;
  TrunkGuard& guard = trunks_[probe.trunk].guard;
  if (probe.kind == TrunkProbe::Kind::kOptions) {
    guard.OptionsResult(probe.ok, Now());
  } else {
    guard.SetRegistered(probe.ok, probe.reason);
  }
  PublishTrunk(probe.trunk);
  EmitEvent(probe);
}

void CallShard::Heard(Leg& leg) {
  leg.heard = true;
  if (leg.trunk != kAgentTrunk) trunks_[leg.trunk].guard.Heard(leg.ticket);
}

void CallShard::Settle(Leg& leg, TrunkVerdict verdict, absl::Duration retry_after) {
  if (leg.trunk == kAgentTrunk) return;  // an agent's phone that is off says nothing of the others
  trunks_[leg.trunk].guard.Settle(leg.ticket, verdict, retry_after, Now());
  PublishTrunk(leg.trunk);
}

void CallShard::PublishTrunk(uint16_t index) {
  Trunk& trunk = trunks_[index];
  std::optional<TrunkChange> change = trunk.guard.TakeChange();
  if (!change.has_value()) return;
  StopTimer(trunk.probe_timer);
  log_.Warning("trunk.breaker", {{"trunk", trunk.guard.limits().name},
                                 {"open", change->open},
                                 {"probing", change->probing},
                                 {"reason", change->reason}});
  EmitEvent(TrunkState{.trunk = index,
                       .open = change->open,
                       .probing = change->probing,
                       .reason = std::move(change->reason)});
  // May make the next change already: after this one has been told.
  if (trunk.guard.breaker() == TrunkGuard::Breaker::kOpen) OnTrunkTimer(index);
}

// Runs when the back-off may be over; a later Retry-After can have moved it.
void CallShard::OnTrunkTimer(uint16_t index) {
  Trunk& trunk = trunks_[index];
  trunk.probe_timer = 0;
  trunk.guard.Tick(Now());
  if (trunk.guard.breaker() != TrunkGuard::Breaker::kOpen) return PublishTrunk(index);
  trunk.probe_timer = loop_.After(std::max(trunk.guard.probe_at() - Now(), absl::ZeroDuration()),
                                  [this, index] { OnTrunkTimer(index); });
}

}  // namespace outpace::call
