// Requests of the far end inside a dialog of ours: BYE, re-INVITE, UPDATE and the rest. An event
// may make the shard forget its leg, so nothing here touches a leg after delivering one.

#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/sip/sofia_agent.h"

namespace outpace::sip {

int SofiaSignaling::Impl::LegCallback(Leg* leg, nta_leg_t*, nta_incoming_t* irq, const sip_t* sip) {
  return leg->owner->OnRequestInside(*leg, irq, *sip);
}

int SofiaSignaling::Impl::Refuse(nta_incoming_t* irq, int status) {
  return RefuseWith(irq, status, nullptr);
}

int SofiaSignaling::Impl::RefuseWith(nta_incoming_t* irq, int status, const char* header_line) {
  ++counters_.requests_refused;
  nta_incoming_treply(irq, status, nullptr, SIPTAG_ALLOW_STR(kAllow),
                      SIPTAG_HEADER_STR(header_line), TAG_END());
  return status;
}

// Returns the status to answer with; 2xx to BYE and offers is sent here. After an event `leg` may
// be gone.
int SofiaSignaling::Impl::OnRequestInside(Leg& leg, nta_incoming_t* irq, const sip_t& sip) {
  const sip_method_t method = sip.sip_request->rq_method;
  if (method == sip_method_ack) {  // of a 2xx whose transaction is gone: nothing to do or answer
    nta_incoming_destroy(irq);
    return 0;
  }
  msg_t* request = nta_incoming_getrequest(irq);
  const bool peer = request != nullptr && peers_.Contains(SourceOf(request).host);
  msg_destroy(request);
  if (!peer) {
    ++counters_.strangers_refused;
    return Refuse(irq, 403);
  }
  // Without our tag it is no request of this dialog, but a second INVITE under its Call-ID.
  if (View(sip.sip_to->a_tag).empty()) return Refuse(irq, 482);
  const uint32_t cseq = sip.sip_cseq->cs_seq;
  if (method != sip_method_cancel) {
    if (cseq < leg.remote_cseq) return Refuse(irq, 500);  // overtaken (RFC 3261 12.2.2)
    leg.remote_cseq = cseq;
    if (const std::string unknown = UnsupportedOf(sip); !unknown.empty()) {
      return RefuseWith(irq, 420, absl::StrCat("Unsupported: ", unknown).c_str());
    }
  }
  switch (method) {
    case sip_method_bye:
      return OnByeReceived(leg, irq, sip);
    case sip_method_invite:
      if (leg.state == Leg::State::kUp) return OnOffer(leg, irq, sip);
      return Refuse(irq, leg.state == Leg::State::kAnswered || leg.state == Leg::State::kAccepted
                             ? 491
                             : 481);
    case sip_method_update:
      return OnUpdate(leg, irq, sip);
    case sip_method_options:
    case sip_method_info:
      nta_incoming_treply(irq, SIP_200_OK, SIPTAG_ALLOW_STR(kAllow), TAG_END());
      return 200;
    case sip_method_cancel:
      return Refuse(irq, 481);
    case sip_method_refer:
      return Refuse(irq, 603);
    case sip_method_unknown:
      return Refuse(irq, 501);
    default:
      return Refuse(irq, 405);
  }
}

int SofiaSignaling::Impl::OnByeReceived(Leg& leg, nta_incoming_t* irq, const sip_t& sip) {
  if (leg.state == Leg::State::kEnding) return 200;  // the BYEs crossed
  // A caller may hang up before his ACK has come through (RFC 3261 15).
  if (leg.state != Leg::State::kAnswered && leg.state != Leg::State::kUp &&
      leg.state != Leg::State::kAccepted) {
    return Refuse(irq, 481);
  }
  const LegId id = leg.id;
  const int cause = CauseOf(sip);
  StopSession(leg);
  leg.state = Leg::State::kOver;
  if (leg.theirs != nullptr) nta_incoming_destroy(std::exchange(leg.theirs, nullptr));
  nta_incoming_treply(irq, SIP_200_OK, TAG_END());
  Deliver([this, id, cause] { events_.OnBye(id, cause); });
  return 200;
}

// RFC 3311; with an offer or only to refresh the session or the target.
int SofiaSignaling::Impl::OnUpdate(Leg& leg, nta_incoming_t* irq, const sip_t& sip) {
  leg.far_updates = true;
  const bool up = leg.state == Leg::State::kUp;
  if (up && !SdpOfMessage(sip).empty()) return OnOffer(leg, irq, sip);
  if (leg.state == Leg::State::kOver || leg.state == Leg::State::kEnding) return Refuse(irq, 481);
  if (!up) return OnEarlyUpdate(leg, irq, sip);
  std::string target = ContactOf(sip);
  const SipTrunk* trunk = TrunkOf(leg);
  const SessionAnswer session =
      AnswerSession(SessionOf(sip), HasOption(sip.sip_supported, "timer"),
                    trunk != nullptr ? trunk->session_expires : absl::ZeroDuration());
  if (session.too_small) {
    return RefuseWith(irq, 422, absl::StrCat("Min-SE: ", kMinSessionSeconds).c_str());
  }
  if (!target.empty()) leg.dialog.remote_target = std::move(target);
  nta_incoming_treply(irq, SIP_200_OK, SIPTAG_CONTACT_STR(ContactFor(leg.dialog.next_hop).c_str()),
                      SIPTAG_ALLOW_STR(kAllow),
                      TAG_IF(session.require_timer, SIPTAG_REQUIRE_STR("timer")),
                      TAG_IF(!session.header.empty(), SIPTAG_SUPPORTED_STR("timer")),
                      SIPTAG_SESSION_EXPIRES_STR(OrNull(session.header)), TAG_END());
  SetSession(leg, session.terms);
  return 200;
}

// Before the 2xx, in the early dialog that the tag names.
int SofiaSignaling::Impl::OnEarlyUpdate(Leg& leg, nta_incoming_t* irq, const sip_t& sip) {
  const std::string tag(View(sip.sip_from->a_tag));
  EarlyDialog* early = FindEarly(leg, tag);
  const std::string offer = SdpOfMessage(sip);
  // While our own offer waits for its answer (RFC 3311 5.2).
  if (!offer.empty() && (early == nullptr || early->sdp.empty())) return Refuse(irq, 491);
  std::string target = ContactOf(sip);
  std::string answer;
  if (!offer.empty()) {
    const LegId id = leg.id;
    answer = events_.OnReinvite(id, offer);
    Leg* still = Find(id);
    if (answer.empty() || still == nullptr) return Refuse(irq, 488);
    early = FindEarly(*still, tag);
    if (early != nullptr) early->sdp = offer;
  }
  if (early != nullptr && !target.empty()) early->remote_target = std::move(target);
  nta_incoming_treply(irq, SIP_200_OK, SIPTAG_CONTACT_STR(ContactFor(leg.dialog.next_hop).c_str()),
                      SIPTAG_ALLOW_STR(kAllow),
                      TAG_IF(!answer.empty(), SIPTAG_CONTENT_TYPE_STR("application/sdp")),
                      SIPTAG_PAYLOAD_STR(OrNull(answer)), TAG_END());
  return 200;
}

// Re-INVITE, or UPDATE with an offer (RFC 3261 14.2, RFC 3311). Without SDP the re-INVITE wants our
// offer, and its ACK brings the answer.
int SofiaSignaling::Impl::OnOffer(Leg& leg, nta_incoming_t* irq, const sip_t& sip) {
  const bool invite = sip.sip_request->rq_method == sip_method_invite;
  const bool refreshing =
      leg.session != nullptr && leg.session->refresh.handle != nullptr && !leg.session->by_update;
  if (refreshing || leg.theirs != nullptr) return Refuse(irq, 491);  // glare (RFC 3261 14.2)
  const SipTrunk* trunk = TrunkOf(leg);
  const SessionAnswer session =
      AnswerSession(SessionOf(sip), HasOption(sip.sip_supported, "timer"),
                    trunk != nullptr ? trunk->session_expires : absl::ZeroDuration());
  if (session.too_small) {
    return RefuseWith(irq, 422, absl::StrCat("Min-SE: ", kMinSessionSeconds).c_str());
  }
  const LegId id = leg.id;
  std::string target = ContactOf(sip);
  const std::string offer = SdpOfMessage(sip);
  const std::string answer = events_.OnReinvite(id, offer);
  Leg* still = Find(id);
  if (answer.empty() || still == nullptr || still->state != Leg::State::kUp) {
    return Refuse(irq, 488);
  }
  if (!target.empty()) still->dialog.remote_target = std::move(target);  // RFC 3261 12.2.2
  nta_incoming_treply(irq, SIP_200_OK,
                      SIPTAG_CONTACT_STR(ContactFor(still->dialog.next_hop).c_str()),
                      SIPTAG_ALLOW_STR(kAllow), SIPTAG_CONTENT_TYPE_STR("application/sdp"),
                      TAG_IF(session.require_timer, SIPTAG_REQUIRE_STR("timer")),
                      TAG_IF(!session.header.empty(), SIPTAG_SUPPORTED_STR("timer")),
                      SIPTAG_SESSION_EXPIRES_STR(OrNull(session.header)),
                      SIPTAG_PAYLOAD_STR(answer.c_str()), TAG_END());
  SetSession(*still, session.terms);
  still->local_sdp = still->session != nullptr ? answer : "";
  if (!invite) return 200;
  if (offer.empty()) {
    still->theirs = irq;
    still->offer_is_ours = true;
    nta_incoming_bind(irq, AckCancelCallback, still);
    return 0;
  }
  // The transaction stays with the stack, which repeats the 200 until the ACK comes. A callback may
  // not return 2xx for an INVITE; having replied and let go, what it returns does not matter.
  nta_incoming_destroy(irq);
  return 0;
}

}  // namespace outpace::sip
