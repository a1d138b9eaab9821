#include "engine/sim/sim_signaling.h"

#include <utility>

#include "engine/base/check.h"

namespace outpace::sim {

SimSignaling::SimSignaling(SimCarrier& carrier, uint16_t shard) : carrier_(carrier), shard_(shard) {
  carrier_.Attach(shard_, this);
}

SimSignaling::~SimSignaling() { carrier_.Detach(shard_); }

absl::Status SimSignaling::Invite(const call::InviteRequest& request) {
  OUTPACE_CHECK(request.leg.shard == shard_ && events_ != nullptr);
  if (refuse_ > 0) {
    --refuse_;
    return absl::ResourceExhaustedError("simulated SIP stack is full");
  }
  OUTPACE_CHECK(call_ids_.emplace(request.leg, request.ids.call_id).second);
  OUTPACE_CHECK(legs_.emplace(request.ids.call_id, request.leg).second);
  carrier_.SendInvite(shard_, request);
  return absl::OkStatus();
}

const std::string& SimSignaling::CallId(LegId leg) const {
  const auto it = call_ids_.find(leg);
  OUTPACE_CHECK(it != call_ids_.end());  // the shard speaks of a leg that it has not or no more
  return it->second;
}

void SimSignaling::Cancel(LegId leg) { carrier_.SendCancel(CallId(leg)); }
void SimSignaling::Ack(LegId leg) { carrier_.SendAck(CallId(leg)); }
void SimSignaling::Bye(LegId leg, int) { carrier_.SendBye(CallId(leg)); }

void SimSignaling::Forget(LegId leg) {
  legs_.erase(CallId(leg));
  call_ids_.erase(leg);
}

void SimSignaling::ByeOrphan(const call::DialogState& dialog) { carrier_.SendBye(dialog.call_id); }
void SimSignaling::CancelOrphan(const OrphanInvite& invite) {
  carrier_.SendCancel(invite.ids.call_id);
}

void SimSignaling::Receive(const SimCarrier::Reply& reply) {
  const auto it = legs_.find(reply.call_id);
  if (it == legs_.end()) {
    // Of a forgotten leg or a dead predecessor. An answer must not stay up.
    if (reply.kind == SimCarrier::Reply::kAnswer) {
      ++late_answers_;
      carrier_.SendAck(reply.call_id);
      carrier_.SendBye(reply.call_id);
    }
    return;
  }
  const LegId leg = it->second;
  switch (reply.kind) {
    case SimCarrier::Reply::kProvisional:
      return events_->OnProvisional(leg, reply.status, reply.sdp);
    case SimCarrier::Reply::kAnswer:
      return events_->OnAnswer(leg, reply.dialog, reply.sdp);
    case SimCarrier::Reply::kFailure:
      return events_->OnFailure(leg, reply.failure);
    case SimCarrier::Reply::kBye:
      return events_->OnBye(leg, 16);
    case SimCarrier::Reply::kByeOk:
      return events_->OnByeDone(leg);
  }
}

}  // namespace outpace::sim
