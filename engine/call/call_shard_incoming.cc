// Calls that a trunk offers: told to the controller, then taken as a leg or refused.

#include <utility>

#include "engine/base/check.h"
#include "engine/call/call_shard.h"

namespace outpace::call {

void CallShard::Take(const TakeCall& m) {
  Leg& leg = TakeSlot(m.leg);
  const auto offer = offers_.find(m.call);
  if (offer == offers_.end()) {
    Fire(leg, LegInput::kRefused, Cause{.refusal = absl::NotFoundError("the caller has gone")});
    return;
  }
  leg.trunk = offer->second.trunk;
  leg.offer = m.call;
  Fire(leg, LegInput::kTake, {});
}

void CallShard::SendAccept(Leg& leg) {
  const auto offer = offers_.extract(leg.offer);
  OUTPACE_CHECK(!offer.empty());
  const std::string& sdp = offer.mapped().sdp;
  leg.invited_at = Now();
  leg.early_media = !sdp.empty();  // theirs is the offer; without one, ours is
  absl::StatusOr<std::string> answer = media_.Open(leg.id, MediaOf(leg));
  leg.media_open = answer.ok();
  absl::Status status = answer.status();
  if (status.ok() && !sdp.empty()) {
    status = media_.SetRemote(leg.id, sdp);
    if (status.ok()) answer = media_.LocalSdp(leg.id);
  }
  if (!status.ok()) {
    signaling_.Refuse(leg.offer, leg.media_open ? 488 : 503);
  } else {
    status = signaling_.Accept(leg.id, leg.offer, *answer);
  }
  leg.invited = status.ok();
  if (!status.ok()) Fire(leg, LegInput::kRefused, Cause{.refusal = status});
}

void CallShard::OnIncoming(const IncomingCall& call) {
  Enter();
  Count(kOffered);
  offers_[call.call] = call;
  EmitEvent(CallOffered{.shard = options_.shard,
                        .call = call.call,
                        .trunk = call.trunk,
                        .caller = call.from_user,
                        .called = call.to_user});
}

void CallShard::OnIncomingGone(uint64_t call) {
  Enter();
  if (offers_.erase(call) == 1) EmitEvent(CallWithdrawn{.call = call});
}

void CallShard::OnIncomingUp(LegId id, const DialogState& dialog, absl::string_view sdp) {
  Enter();
  Leg* leg = FindLeg(id);
  if (leg == nullptr) return;
  const bool usable = leg->early_media || (!sdp.empty() && media_.SetRemote(id, sdp).ok());
  Fire(*leg, usable ? LegInput::kAcked : LegInput::kAnswerNoMedia,
       Cause{.status = 200, .q850 = usable ? 16 : 88, .dialog = &dialog});
}

}  // namespace outpace::call
