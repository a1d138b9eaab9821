// What comes in: responses to our requests, requests inside our dialogs and outside of them, and
// stray responses. Requests outside a dialog are answered without a transaction, so that a flood
// leaves nothing behind; an event may make the shard forget its leg, so nothing here touches a leg
// after delivering one.

#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/sip/sofia_agent.h"
#include "engine/sip/sofia_overrides.h"

namespace outpace::sip {
namespace {

using call::DialogState;
using call::Failure;

constexpr absl::Duration kStrayMemory = absl::Seconds(40);  // a 2xx is repeated for 32 s
constexpr size_t kStraysMax = 4'096;

// Two 2xx with the same key are the same call.
std::string StrayKey(const DialogState& dialog) {
  return absl::StrCat(dialog.call_id, "\n", dialog.from_tag, "\n", dialog.to_tag);
}

}  // namespace

// ---- responses to our INVITE and BYE ----

void SofiaSignaling::Impl::HeardFromInvite(Leg& leg) {
  if (leg.state != Leg::State::kCalling) return;
  leg.state = Leg::State::kProceeding;
  --unanswered_;
}

int SofiaSignaling::Impl::ResponseCallback(Request* request, nta_outgoing_t* orq,
                                           const sip_t* sip) {
  Impl* self = request->owner;
  switch (request->role) {
    case Request::Role::kInvite:
      self->OnInviteResponse(*request->leg, orq, sip);
      break;
    case Request::Role::kBye:
      self->OnByeResponse(*request->leg, orq, sip);
      break;
    case Request::Role::kLastBye:
      self->OnLastByeResponse(static_cast<LastBye&>(*request), orq, sip);
      break;
    case Request::Role::kRefresh:
      self->OnRefreshResponse(*request->leg, orq, sip);
      break;
    case Request::Role::kPrack:
      self->OnPrackResponse(static_cast<Prack&>(*request), orq, sip);
      break;
    case Request::Role::kOptions:
      self->OnPingResponse(static_cast<OptionsPing&>(*request), orq, sip);
      break;
    case Request::Role::kRegister:
      self->OnRegisterResponse(static_cast<Registration&>(*request), orq, sip);
      break;
  }
  return 0;
}

void SofiaSignaling::Impl::OnInviteResponse(Leg& leg, nta_outgoing_t* orq, const sip_t* sip) {
  const int status = nta_outgoing_status(orq);
  const LegId id = leg.id;
  HeardFromInvite(leg);
  if (TryInviteAgain(leg, orq, sip)) return;
  if (status > 100 && status < 200 && sip != nullptr && !OnReliable(leg, *sip)) return;
  std::string sdp = sip != nullptr ? SdpOfMessage(*sip) : "";
  if (status < 200) {
    Deliver([this, id, status, sdp = std::move(sdp)] { events_.OnProvisional(id, status, sdp); });
    return;
  }
  if (status < 300) {
    // What we chose ourselves we keep; only the far end's half comes out of the message.
    DialogState heard = DialogOf(*sip, leg.dialog.next_hop);
    leg.dialog.to_tag = std::move(heard.to_tag);
    leg.dialog.remote_target = std::move(heard.remote_target);
    leg.dialog.route_set = std::move(heard.route_set);
    if (!leg.dialog.to_tag.empty()) nta_leg_rtag(leg.nta, leg.dialog.to_tag.c_str());
    leg.state = Leg::State::kAnswered;
    leg.invite.handle = nullptr;
    leg.again.reset();
    if (sdp.empty()) {  // the answer may have come before, in a reliable provisional
      if (EarlyDialog* early = FindEarly(leg, leg.dialog.to_tag)) sdp = std::move(early->sdp);
    }
    leg.early.clear();
    leg.far_updates = AllowsMethod(*sip, "UPDATE");
    SetSession(leg, TermsOfResponse(SessionOf(*sip)));
    if (leg.session == nullptr) leg.local_sdp.clear();
    nta_outgoing_destroy(orq);
    Deliver([this, id, dialog = Journal(leg), sdp = std::move(sdp)] {
      events_.OnAnswer(id, dialog, sdp);
    });
    return;
  }
  Failure failure;
  failure.status = status;
  failure.local = nta_sip_is_internal(sip) != 0;
  if ((leg.cancelled || leg.given_up) && (status == 401 || status == 407 || status == 422)) {
    failure.status = 487;  // it asks for an INVITE that is not wanted any more
    failure.local = true;
  }
  if (sip != nullptr) {
    failure.q850_cause = CauseOf(*sip);
    failure.retry_after = RetryAfterOf(*sip);
    failure.phrase = PhraseOf(*sip);
  }
  leg.state = Leg::State::kOver;
  leg.invite.handle = nullptr;
  leg.again.reset();
  leg.early.clear();
  nta_outgoing_destroy(orq);
  Deliver([this, id, failure = std::move(failure)] { events_.OnFailure(id, failure); });
}

void SofiaSignaling::Impl::OnByeResponse(Leg& leg, nta_outgoing_t* orq, const sip_t* sip) {
  if (nta_outgoing_status(orq) < 200) return;
  const LegId id = leg.id;
  std::string credentials = Credentials(leg.bye, leg.trunk, orq, sip);
  // Its connection broke: who knows what the far end has read of it. A call that stays up there
  // costs more than a 481.
  const bool again = nta_outgoing_status(orq) == 503 && nta_sip_is_internal(sip) != 0 &&
                     IsStream(leg.dialog.next_hop) && !std::exchange(leg.bye.sent_again, true);
  leg.bye.handle = nullptr;
  nta_outgoing_destroy(orq);
  if (again || !credentials.empty()) {
    leg.bye.handle = SendBye(leg.nta, leg.dialog,
                             {.cseq = leg.next_cseq++,
                              .q850_cause = leg.bye_cause,
                              .credentials = std::move(credentials)},
                             &leg.bye);
    if (leg.bye.handle != nullptr) return;
    Failed("BYE", &leg);
  }
  leg.state = Leg::State::kOver;
  Deliver([this, id] { events_.OnByeDone(id); });
}

// ---- requests we receive ----

int SofiaSignaling::Impl::AgentCallback(void* magic, nta_agent_t* agent, msg_t* msg, sip_t* sip) {
  auto* self = static_cast<Impl*>(magic);
  if (sip != nullptr && sip->sip_request != nullptr) {
    self->OnRequestOutside(msg, *sip);
  } else {
    self->OnStray(msg);
    nta_msg_discard(agent, msg);
  }
  return 0;
}

// Outside any dialog of ours. Answered without a transaction: a flood leaves nothing behind.
void SofiaSignaling::Impl::OnRequestOutside(msg_t* msg, const sip_t& sip) {
  const sip_method_t method = sip.sip_request->rq_method;
  if (method == sip_method_ack) return nta_msg_discard(agent_, msg);
  if (method == sip_method_invite && sip.sip_to->a_tag == nullptr) return OnInviteOutside(msg, sip);
  int status = 405;
  std::string unsupported;
  if (!peers_.Contains(SourceOf(msg).host)) {
    status = 403;
    ++counters_.strangers_refused;
  } else if (method == sip_method_options) {
    const int scheme = sip.sip_request->rq_url->url_type;
    const bool ours = scheme == url_sip || scheme == url_sips || scheme == url_tel;
    unsupported = UnsupportedOf(sip);
    status = !ours ? 416 : !unsupported.empty() ? 420 : 200;  // RFC 3261 8.2.2
  } else if (method == sip_method_cancel || sip.sip_to->a_tag != nullptr) {
    status = 481;
  } else if (method == sip_method_refer) {
    status = 603;
  } else if (method == sip_method_unknown) {
    status = 501;
  }
  if (status != 200) ++counters_.requests_refused;
  nta_msg_treply(agent_, msg, status, nullptr, SIPTAG_ALLOW_STR(kAllow),
                 TAG_IF(status == 200, SIPTAG_ACCEPT_STR("application/sdp")),
                 TAG_IF(status == 420, SIPTAG_UNSUPPORTED_STR(unsupported.c_str())),
                 SIPTAG_SERVER_STR(OrNull(config_.user_agent)), TAG_END());
}

// ---- strays ----

// ACK of a 3xx..6xx to an INVITE of a process that died, most often the 487 that our CancelOrphan()
// brought about; without it the far end repeats the response for 32 s (RFC 3261 17.1.1.3). To holds
// the Request-URI because our INVITEs put it there.
void SofiaSignaling::Impl::AckFailure(msg_t* msg, const sip_t& sip) {
  if (sip.sip_via->v_branch == nullptr) return;
  DialogState dialog = DialogOf(sip, SourceHop(msg));
  nta_leg_t* nta = MakeDialog(dialog, nullptr, nullptr);
  if (nta == nullptr) return;
  const std::string cseq = absl::StrCat(dialog.cseq, " ACK");
  nta_outgoing_t* ack = nta_outgoing_tcreate(
      nta, nullptr, nullptr, URL_STRING_MAKE(dialog.next_hop.c_str()), SIP_METHOD_ACK,
      URL_STRING_MAKE(dialog.to_uri.c_str()), SIPTAG_CSEQ_STR(cseq.c_str()),
      NTATAG_BRANCH_KEY(sip.sip_via->v_branch), NTATAG_STATELESS(1), TAG_END());
  if (ack == nullptr) Failed("ACK", nullptr);
  nta_leg_destroy(nta);
}

// A response to an INVITE that no transaction of the stack takes: a repeated 2xx, the 2xx of
// another fork, or an answer to an INVITE of a process that died. Does not take `msg`.
void SofiaSignaling::Impl::OnStray(msg_t* msg) {
  const sip_t* sip = sip_object(msg);
  if (sip == nullptr || sip->sip_status == nullptr || sip->sip_cseq == nullptr ||
      sip->sip_call_id == nullptr || sip->sip_from == nullptr || sip->sip_to == nullptr ||
      sip->sip_cseq->cs_method != sip_method_invite || sip->sip_status->st_status < 200 ||
      !IsOurs(*sip)) {
    return;
  }
  if (!peers_.Contains(SourceOf(msg).host)) return;

  const auto by_call_id = by_call_id_.find(View(sip->sip_call_id->i_id));
  Leg* leg = by_call_id != by_call_id_.end() ? Find(by_call_id->second) : nullptr;
  if (leg != nullptr && leg->dialog.from_tag != View(sip->sip_from->a_tag)) leg = nullptr;
  if (sip->sip_status->st_status >= 300) {
    if (leg == nullptr) AckFailure(msg, *sip);
    return;  // of a leg we know, the stack ACKs them
  }
  const bool has_dialog =
      leg != nullptr && leg->invite.handle == nullptr && leg->state != Leg::State::kOver;
  if (has_dialog && leg->dialog.to_tag == View(sip->sip_to->a_tag)) {
    if (leg->state == Leg::State::kAnswered) return;  // the shard has not ACKed yet
    ++counters_.acks_repeated;
    // Of the INVITE, or of a re-INVITE that refreshed the session.
    const uint32_t cseq = sip->sip_cseq->cs_seq;
    const bool first = cseq == leg->dialog.cseq;
    if (!SendAck(leg->nta, leg->dialog, cseq, first ? leg->credentials : "")) Failed("ACK", leg);
    return;
  }
  EndStrayCall(DialogOf(*sip, leg != nullptr ? leg->dialog.next_hop : SourceHop(msg)), leg);
}

void SofiaSignaling::Impl::EndStrayCall(const DialogState& dialog, const Leg* fork_of) {
  const MonoTime now = loop_.clock().Mono();
  while (!strays_by_age_.empty() && strays_by_age_.front().first <= now) {
    strays_.erase(strays_by_age_.front().second);
    strays_by_age_.pop_front();
  }
  const std::string key = StrayKey(dialog);
  if (strays_.contains(key)) {  // its BYE is under way or done; only the ACK was lost
    ++counters_.acks_repeated;
    nta_leg_t* nta = MakeDialog(dialog, nullptr, nullptr);
    if (nta == nullptr || !SendAck(nta, dialog, dialog.cseq, "")) Failed("ACK", nullptr);
    nta_leg_destroy(nta);
    return;
  }
  if (strays_.size() < kStraysMax) {
    strays_.insert(key);
    strays_by_age_.emplace_back(now + kStrayMemory, key);
  }
  ++counters_.strays_ended;
  log_.Info("sip.stray_answer_ended", {{"fork", fork_of != nullptr}});
  // In its early dialog a fork of ours may have had PRACKs.
  const uint32_t cseq = fork_of != nullptr ? fork_of->next_cseq : 0;
  EndUnknownDialog(dialog, Before::kAck, std::max(cseq, dialog.cseq + 1));
}

void EndStray(nta_agent_s* agent, msg_s* msg) {
  auto* impl = static_cast<SofiaSignaling::Impl*>(nta_agent_magic(agent));
  if (impl != nullptr) impl->OnStray(msg);
  msg_destroy(msg);
}

}  // namespace outpace::sip
