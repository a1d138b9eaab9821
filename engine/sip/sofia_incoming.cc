// Calls that a trunk offers us: somebody calls back a number that rang. Taken only from a trunk's
// own address and only for the numbers set for it; all else is refused without keeping anything,
// because an INVITE is the dearest message a stranger can make us hold.

#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/sip/random_text.h"
#include "engine/sip/sofia_agent.h"

namespace outpace::sip {
namespace {

using call::Failure;
using call::IncomingCall;

constexpr absl::Duration kOfferTime = absl::Seconds(10);
constexpr char kContactUser[] = "outpace";  // as in the Contact that we register

bool Contains(const std::vector<std::string>& numbers, const std::string& number) {
  return !number.empty() && std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

}  // namespace

void SofiaSignaling::Impl::OnInviteOutside(msg_t* msg, const sip_t& sip) {
  const Source source = SourceOf(msg);
  uint16_t trunk = 0;
  std::string number;
  const int status = CheckOffer(sip, source, &trunk, &number);
  if (status == 200) return Offer(msg, sip, trunk, std::move(number));
  ++counters_.requests_refused;
  if (!peers_.Contains(source.host)) {
    ++counters_.strangers_refused;
  } else {
    ++counters_.offers_refused;
  }
  const std::string unsupported = status == 420 ? UnsupportedOf(sip) : "";
  const std::string min_se = absl::StrCat(kMinSessionSeconds);
  nta_msg_treply(agent_, msg, status, nullptr, SIPTAG_ALLOW_STR(kAllow),
                 TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR("5")),
                 TAG_IF(status == 415, SIPTAG_ACCEPT_STR("application/sdp")),
                 TAG_IF(status == 422, SIPTAG_MIN_SE_STR(min_se.c_str())),
                 SIPTAG_UNSUPPORTED_STR(OrNull(unsupported)),
                 SIPTAG_SERVER_STR(OrNull(config_.user_agent)), TAG_END());
}

// The status to refuse with; 200 when the call may be offered to the shard.
int SofiaSignaling::Impl::CheckOffer(const sip_t& sip, const Source& source, uint16_t* trunk,
                                     std::string* number) {
  // A registrar sends calls to the Contact we gave it; the number that was called is in To then.
  *number = UserOf(sip.sip_request->rq_url);
  if (*number == kContactUser) *number = UserOf(sip.sip_to->a_url);
  bool from_trunk = false;
  bool ours = false;
  for (uint16_t i = 0; i < trunks_.size() && !ours; ++i) {
    if (!trunks_[i].Owns(source.host)) continue;
    from_trunk = true;
    ours = Contains(config_.trunks[i].inbound_numbers, *number);
    *trunk = i;
  }
  if (!from_trunk) return 403;
  if (!ours) return 404;
  if (View(sip.sip_from->a_tag).empty() || ContactOf(sip).empty()) return 400;
  if (!UnsupportedOf(sip).empty()) return 420;
  if (sip.sip_replaces != nullptr) return 481;  // no call of ours is taken over (RFC 3891 3)
  if (sip.sip_payload != nullptr && SdpOfMessage(sip).empty()) return 415;
  if (AnswerSession(SessionOf(sip), HasOption(sip.sip_supported, "timer"), absl::ZeroDuration())
          .too_small) {
    return 422;
  }
  if (by_call_id_.contains(View(sip.sip_call_id->i_id))) return 482;
  if (offers_.size() >= config_.offered_calls_max) return 503;
  return 200;
}

void SofiaSignaling::Impl::Offer(msg_t* msg, const sip_t& sip, uint16_t trunk, std::string number) {
  auto leg = std::make_unique<Leg>();
  leg->owner = this;
  leg->state = Leg::State::kOffered;
  leg->trunk = trunk;
  leg->placed_by_us = false;
  leg->next_cseq = 1;
  leg->bye = {.owner = this, .leg = leg.get(), .role = Request::Role::kBye};
  leg->dialog = DialogOfRequest(sip, SourceHop(msg));
  leg->dialog.from_tag = RandomHex();
  leg->remote_cseq = sip.sip_cseq->cs_seq;
  leg->far_updates = AllowsMethod(sip, "UPDATE");
  leg->offered_call = next_call_++;
  IncomingCall offered;
  offered.call = leg->offered_call;
  offered.trunk = trunk;
  offered.call_id = leg->dialog.call_id;
  offered.from_user = CallerOf(sip);
  offered.to_user = std::move(number);
  offered.sdp = SdpOfMessage(sip);
  leg->offer_is_ours = offered.sdp.empty();
  leg->nta = nta_leg_tcreate(agent_, LegCallback, leg.get(), SIPTAG_CALL_ID(sip.sip_call_id),
                             SIPTAG_FROM(sip.sip_to), SIPTAG_TO(sip.sip_from), TAG_END());
  if (leg->nta == nullptr || nta_leg_tag(leg->nta, leg->dialog.from_tag.c_str()) == nullptr) {
    Detach(*leg);
    return nta_msg_discard(agent_, msg);  // it will be repeated
  }
  leg->theirs = nta_incoming_create(agent_, leg->nta, msg, nullptr, TAG_END());
  if (leg->theirs == nullptr) return Detach(*leg);  // `msg` is gone with it
  nta_incoming_bind(leg->theirs, AckCancelCallback, leg.get());
  nta_incoming_treply(leg->theirs, SIP_100_TRYING, TAG_END());
  const uint64_t call = leg->offered_call;
  leg->offer_timer = Later(kOfferTime, [this, call] { DropOffer(call, 480, true); });
  offers_.emplace(call, std::move(leg));
  Deliver([this, offered = std::move(offered)] { events_.OnIncoming(offered); });
}

void SofiaSignaling::Impl::DropOffer(uint64_t call, int status, bool tell) {
  const auto it = offers_.find(call);
  if (it == offers_.end()) return;
  const std::unique_ptr<Leg> leg = std::move(it->second);
  offers_.erase(it);
  nta_incoming_treply(leg->theirs, status, nullptr, SIPTAG_ALLOW_STR(kAllow), TAG_END());
  Detach(*leg);
  if (tell) Deliver([this, call] { events_.OnIncomingGone(call); });
}

void SofiaSignaling::Impl::RefuseOffered(uint64_t call, int status) {
  DropOffer(call, std::clamp(status, 300, 699), false);
}

absl::Status SofiaSignaling::Impl::Accept(LegId id, uint64_t call, absl::string_view sdp) {
  if (sdp.empty()) return absl::InvalidArgumentError("accept: no SDP");
  if (legs_.contains(id)) return absl::AlreadyExistsError("accept: the leg is in use");
  const auto it = offers_.find(call);
  if (it == offers_.end()) return absl::NotFoundError("accept: the caller is gone");
  std::unique_ptr<Leg> leg = std::move(it->second);
  offers_.erase(it);
  loop_.Cancel(std::exchange(leg->offer_timer, 0));
  leg->id = id;
  leg->state = Leg::State::kAccepted;
  leg->local_sdp = std::string(sdp);
  msg_t* invite = nta_incoming_getrequest(leg->theirs);
  const sip_t* sip = sip_object(invite);
  const SessionAnswer session =
      AnswerSession(SessionOf(*sip), HasOption(sip->sip_supported, "timer"),
                    config_.trunks[leg->trunk].session_expires);
  msg_destroy(invite);
  const int sent = nta_incoming_treply(
      leg->theirs, SIP_200_OK, SIPTAG_CONTACT_STR(ContactFor(leg->dialog.next_hop).c_str()),
      SIPTAG_ALLOW_STR(kAllow), TAG_IF(session.require_timer, SIPTAG_REQUIRE_STR("timer")),
      TAG_IF(!session.header.empty(), SIPTAG_SUPPORTED_STR("timer")),
      SIPTAG_SESSION_EXPIRES_STR(OrNull(session.header)),
      SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(leg->local_sdp.c_str()),
      SIPTAG_SERVER_STR(OrNull(config_.user_agent)), TAG_END());
  if (sent < 0) {
    Failed("200", leg.get());
    Detach(*leg);
    return absl::UnavailableError("accept: the stack could not answer");
  }
  Leg& taken = *leg;
  by_call_id_.try_emplace(taken.dialog.call_id, id);
  legs_.emplace(id, std::move(leg));
  SetSession(taken, session.terms);
  if (taken.session == nullptr) taken.local_sdp.clear();
  return absl::OkStatus();
}

// ---- what their INVITE can still meet ----

int SofiaSignaling::Impl::AckCancelCallback(Leg* leg, nta_incoming_t*, const sip_t* sip) {
  Impl* self = leg->owner;
  if (sip == nullptr) {
    self->OnNeverAcked(*leg);
  } else if (sip->sip_request != nullptr && sip->sip_request->rq_method == sip_method_ack) {
    self->OnAcked(*leg, *sip);
  } else if (sip->sip_request != nullptr && sip->sip_request->rq_method == sip_method_cancel) {
    self->OnCancelled(*leg);
  }
  return 0;
}

void SofiaSignaling::Impl::OnCancelled(Leg& leg) {
  if (leg.state == Leg::State::kOffered) DropOffer(leg.offered_call, 487, true);
}

void SofiaSignaling::Impl::OnAcked(Leg& leg, const sip_t& ack) {
  if (leg.theirs != nullptr) nta_incoming_destroy(std::exchange(leg.theirs, nullptr));
  const LegId id = leg.id;
  std::string sdp = std::exchange(leg.offer_is_ours, false) ? SdpOfMessage(ack) : "";
  if (leg.state == Leg::State::kUp) {  // of a re-INVITE with a late offer
    if (sdp.empty()) return;           // left unanswered: the session stays as it was
    Deliver([this, id, sdp = std::move(sdp)] { events_.OnReinviteAnswer(id, sdp); });
    return;
  }
  if (leg.state != Leg::State::kAccepted) return;
  leg.state = Leg::State::kUp;
  if (leg.bye_wanted) return Bye(id, leg.bye_cause);
  Deliver([this, id, dialog = Journal(leg), sdp = std::move(sdp)] {
    events_.OnIncomingUp(id, dialog, sdp);
  });
}

// Our 200 was repeated for T1X64 (RFC 3261 13.3.1.4): BYE, because the far end may be up.
void SofiaSignaling::Impl::OnNeverAcked(Leg& leg) {
  if (leg.theirs != nullptr) nta_incoming_destroy(std::exchange(leg.theirs, nullptr));
  const LegId id = leg.id;
  if (leg.state == Leg::State::kUp) return GiveUpSession(id, 102);
  if (leg.state != Leg::State::kAccepted) return;
  StopSession(leg);
  leg.state = Leg::State::kOver;
  SendLastBye(leg.dialog, leg.next_cseq++, kNormalClearing);
  if (leg.bye_wanted) return Deliver([this, id] { events_.OnByeDone(id); });
  Failure failure;
  failure.status = 408;
  failure.local = true;
  failure.phrase = "No ACK";
  Deliver([this, id, failure = std::move(failure)] { events_.OnFailure(id, failure); });
}

}  // namespace outpace::sip
