// What leaves: INVITE, CANCEL, ACK and BYE of our legs, and what ends the calls of a predecessor.
// Every next hop is given to the stack as a numeric URI of its own; Request-URI and Route are text
// to it and never decide where a packet goes.

#include <sofia-sip/sip_tag.h>
#include <sofia-sip/url_tag.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/sip/invite_headers.h"
#include "engine/sip/sofia_agent.h"

namespace outpace::sip {
namespace {

using call::DialogState;

std::string NameAddr(absl::string_view uri, absl::string_view tag) {
  return tag.empty() ? absl::StrCat("<", uri, ">") : absl::StrCat("<", uri, ">;tag=", tag);
}

std::string ReasonHeader(int q850_cause) {
  const bool valid = q850_cause >= 1 && q850_cause <= 127;
  return absl::StrCat("Q.850;cause=", valid ? q850_cause : kNormalClearing);
}

// No headers in the URI: the stack would move them into the INVITE.
absl::Status CheckUri(const std::string& text) {
  const absl::StatusOr<SipUri> uri = ParseSipUri(text);
  if (uri.ok() && uri->has_headers) return absl::InvalidArgumentError("sip uri: has headers");
  return uri.status();
}

absl::Status CheckIds(const call::InviteIds& ids) {
  if (!IsCallId(ids.call_id)) return absl::InvalidArgumentError("invite: bad Call-ID");
  if (!IsToken(ids.from_tag)) return absl::InvalidArgumentError("invite: bad From tag");
  if (!IsToken(ids.branch) || !absl::StartsWith(ids.branch, "z9hG4bK")) {
    return absl::InvalidArgumentError("invite: bad branch");
  }
  return absl::OkStatus();
}

std::string NthBranch(const std::string& branch, uint32_t n) {
  return n == 1 ? branch : absl::StrCat(branch, ".", n);
}

}  // namespace

// How many INVITEs a call over this trunk can take.
uint32_t SofiaSignaling::Impl::InvitesMax(uint16_t trunk) const {
  if (trunk >= trunks_.size()) return 1;
  return 1 + (trunks_[trunk].answers() ? TrunkAuth::kAnswersMax : 0) +
         (config_.trunks[trunk].session_expires > absl::ZeroDuration() ? 1 : 0);
}

nta_leg_t* SofiaSignaling::Impl::MakeDialog(const DialogState& dialog, Leg* magic,
                                            nta_request_f* callback) {
  const std::string from = NameAddr(dialog.from_uri, dialog.from_tag);
  const std::string to = NameAddr(dialog.to_uri, dialog.to_tag);
  return nta_leg_tcreate(agent_, callback, magic, SIPTAG_CALL_ID_STR(dialog.call_id.c_str()),
                         SIPTAG_FROM_STR(from.c_str()), SIPTAG_TO_STR(to.c_str()), TAG_END());
}

SofiaSignaling::Impl::Through::Through(Impl& impl, nta_leg_t* nta, const DialogState& dialog,
                                       uint32_t cseq)
    : given_(nta) {
  const uint32_t last = nta_leg_get_seq(nta);
  if (last != 0 && last + 1 != cseq) own_ = impl.MakeDialog(dialog, nullptr, nullptr);
}

SofiaSignaling::Impl::Through::~Through() {
  if (own_ != nullptr) nta_leg_destroy(own_);
}

absl::Status SofiaSignaling::Impl::Invite(const call::InviteRequest& request) {
  absl::StatusOr<std::string> hop = UsableHop(request.route_uri);
  if (!hop.ok()) return hop.status();
  if (absl::Status status = CheckIds(request.ids); !status.ok()) return status;
  for (const std::string* uri : {&request.request_uri, &request.from_uri}) {
    if (absl::Status status = CheckUri(*uri); !status.ok()) return status;
  }
  if (legs_.contains(request.leg) || by_call_id_.contains(request.ids.call_id)) {
    return absl::AlreadyExistsError("invite: the leg or its Call-ID is in use");
  }
  if (unanswered_ >= config_.unanswered_invites_max) {
    return absl::ResourceExhaustedError("invite: too many INVITEs without an answer");
  }

  auto leg = std::make_unique<Leg>();
  leg->owner = this;
  leg->id = request.leg;
  leg->trunk = request.trunk;
  leg->invite = {.owner = this, .leg = leg.get(), .role = Request::Role::kInvite};
  leg->bye = {.owner = this, .leg = leg.get(), .role = Request::Role::kBye};
  leg->dialog.call_id = request.ids.call_id;
  leg->dialog.from_uri = request.from_uri;
  leg->dialog.from_tag = request.ids.from_tag;
  leg->dialog.to_uri = request.request_uri;
  leg->dialog.next_hop = *hop;
  leg->nta = MakeDialog(leg->dialog, leg.get(), LegCallback);
  if (leg->nta == nullptr) return absl::UnavailableError("invite: the stack made no dialog");
  AddPeer(ParseSipUri(*hop)->host);
  if (absl::Status status = SendInvite(*leg, request); !status.ok()) {
    nta_leg_destroy(leg->nta);
    return status;
  }
  if (InvitesMax(request.trunk) > 1) leg->again = std::make_unique<call::InviteRequest>(request);
  leg->local_sdp = request.sdp_offer;
  by_call_id_.emplace(request.ids.call_id, request.leg);
  legs_.emplace(request.leg, std::move(leg));
  return absl::OkStatus();
}

// The next INVITE of the leg: the n-th has CSeq n and, from the second on, ".n" after its branch.
// CancelOrphan() counts on both.
absl::Status SofiaSignaling::Impl::SendInvite(Leg& leg, const call::InviteRequest& request) {
  absl::StatusOr<std::string> lines = InviteHeaderLines(request.headers);
  if (!lines.ok()) return lines.status();
  if (config_.assert_identity && !HasHeader(request.headers, "P-Asserted-Identity")) {
    absl::StrAppend(&*lines, "P-Asserted-Identity: <", request.from_uri, ">\r\n");
  }
  if (!leg.credentials.empty()) absl::StrAppend(&*lines, leg.credentials, "\r\n");
  const SipTrunk* trunk = TrunkOf(leg);
  const bool timer = trunk != nullptr && trunk->session_expires > absl::ZeroDuration();
  const bool reliable = trunk != nullptr && trunk->hundred_rel;
  const std::string supported =
      absl::StrCat(timer ? "timer" : "", timer && reliable ? ", " : "", reliable ? "100rel" : "");
  const std::string expires = absl::StrCat(
      std::max(leg.min_session, timer ? absl::ToInt64Seconds(trunk->session_expires) : 0),
      ";refresher=uac");
  const std::string min_se = absl::StrCat(leg.min_session);
  leg.dialog.cseq = leg.invites;
  leg.next_cseq = std::max(leg.next_cseq, leg.invites + 1);
  const std::string cseq = absl::StrCat(leg.invites, " INVITE");
  const std::string branch = NthBranch(request.ids.branch, leg.invites);
  leg.invite.handle = nta_outgoing_tcreate(
      leg.nta, ResponseCallback, &leg.invite, URL_STRING_MAKE(leg.dialog.next_hop.c_str()),
      SIP_METHOD_INVITE, URL_STRING_MAKE(request.request_uri.c_str()),
      SIPTAG_CSEQ_STR(cseq.c_str()), NTATAG_BRANCH_KEY(branch.c_str()),
      SIPTAG_CONTACT_STR(ContactFor(leg.dialog.next_hop).c_str()),
      SIPTAG_USER_AGENT_STR(OrNull(config_.user_agent)), SIPTAG_ALLOW_STR(kAllow),
      SIPTAG_SUPPORTED_STR(OrNull(supported)),
      TAG_IF(timer, SIPTAG_SESSION_EXPIRES_STR(expires.c_str())),
      TAG_IF(timer, SIPTAG_MIN_SE_STR(min_se.c_str())),
      TAG_IF(!lines->empty(), SIPTAG_HEADER_STR(lines->c_str())),
      TAG_IF(!request.sdp_offer.empty(), SIPTAG_CONTENT_TYPE_STR("application/sdp")),
      TAG_IF(!request.sdp_offer.empty(), SIPTAG_PAYLOAD_STR(request.sdp_offer.c_str())), TAG_END());
  if (leg.invite.handle == nullptr) {
    return absl::UnavailableError("invite: the stack could not send");
  }
  ++counters_.invites;
  ++unanswered_;
  leg.state = Leg::State::kCalling;
  return absl::OkStatus();
}

void SofiaSignaling::Impl::Cancel(LegId id) {
  Leg* leg = Find(id);
  if (leg == nullptr) {
    ++counters_.unknown_legs;
    return;
  }
  if (leg->invite.handle == nullptr || leg->cancelled) return;
  leg->cancelled = true;
  // The stack holds it back until a 1xx comes (RFC 3261 9.1). The transaction stays ours: if a 200
  // crosses the CANCEL, the shard must learn of the answer.
  nta_outgoing_tcancel(leg->invite.handle, nullptr, nullptr, TAG_NULL());
}

void SofiaSignaling::Impl::GiveUp(LegId id) {
  Leg* leg = Find(id);
  if (leg == nullptr) {
    ++counters_.unknown_legs;
    return;
  }
  leg->given_up = true;
}

DialogRoute SofiaSignaling::Impl::RouteOf(const DialogState& dialog) const {
  return RouteInDialog(dialog, [this](absl::string_view host) { return peers_.Contains(host); });
}

bool SofiaSignaling::Impl::SendAck(nta_leg_t* nta, const DialogState& dialog, uint32_t number,
                                   const std::string& credentials) {
  const DialogRoute route = RouteOf(dialog);
  const std::string cseq = absl::StrCat(number, " ACK");
  // The stack's own ACK takes the CSeq of the leg's last request and asserts when that is not the
  // INVITE's, or when the INVITE's transaction is gone: so the CSeq is given. And its own ACK lives
  // for T1X64, while the far end may repeat its 2xx for 32 s: so it keeps none (STATELESS), and
  // each repeated 2xx comes to OnStray(), which sends one more from here.
  return nta_outgoing_tcreate(
             nta, nullptr, nullptr, URL_STRING_MAKE(route.hop.c_str()), SIP_METHOD_ACK,
             URL_STRING_MAKE(route.request_uri.c_str()), SIPTAG_CSEQ_STR(cseq.c_str()),
             SIPTAG_ROUTE_STR(OrNull(route.route_header)),
             SIPTAG_USER_AGENT_STR(OrNull(config_.user_agent)),
             SIPTAG_HEADER_STR(OrNull(credentials)), NTATAG_STATELESS(1), TAG_END()) != nullptr;
}

nta_outgoing_t* SofiaSignaling::Impl::SendBye(nta_leg_t* nta, const DialogState& dialog,
                                              const ByeText& text, Request* magic) {
  const DialogRoute route = RouteOf(dialog);
  const std::string cseq = absl::StrCat(text.cseq, " BYE");
  const std::string reason = ReasonHeader(text.q850_cause);
  const Through through(*this, nta, dialog, text.cseq);
  return nta_outgoing_tcreate(
      through.get(), magic != nullptr ? ResponseCallback : nullptr, magic,
      URL_STRING_MAKE(route.hop.c_str()), SIP_METHOD_BYE,
      URL_STRING_MAKE(route.request_uri.c_str()), SIPTAG_CSEQ_STR(cseq.c_str()),
      SIPTAG_ROUTE_STR(OrNull(route.route_header)), SIPTAG_REASON_STR(reason.c_str()),
      SIPTAG_USER_AGENT_STR(OrNull(config_.user_agent)),
      SIPTAG_HEADER_STR(OrNull(text.credentials)), TAG_END());
}

void SofiaSignaling::Impl::Ack(LegId id) {
  Leg* leg = Find(id);
  if (leg == nullptr) {
    ++counters_.unknown_legs;
    return;
  }
  if (leg->state != Leg::State::kAnswered) return;
  leg->state = Leg::State::kUp;
  // When it fails the far end repeats its 2xx, and that is ACKed again.
  if (!SendAck(leg->nta, leg->dialog, leg->dialog.cseq, leg->credentials)) Failed("ACK", leg);
}

void SofiaSignaling::Impl::Bye(LegId id, int q850_cause) {
  Leg* leg = Find(id);
  if (leg == nullptr) {
    ++counters_.unknown_legs;
    return;
  }
  if (leg->invite.handle != nullptr) {  // no dialog yet that a BYE could end
    Cancel(id);
    return;
  }
  leg->bye_cause = q850_cause;
  if (leg->state == Leg::State::kAccepted) {  // not before their ACK
    leg->bye_wanted = true;
    return;
  }
  Ack(id);  // a 2xx must be ACKed before its BYE (RFC 3261 15)
  if (leg->state != Leg::State::kUp) return;
  StopSession(*leg);
  leg->state = Leg::State::kEnding;
  leg->bye.handle = SendBye(leg->nta, leg->dialog,
                            {.cseq = leg->next_cseq++, .q850_cause = q850_cause}, &leg->bye);
  if (leg->bye.handle == nullptr) {
    Failed("BYE", leg);
    leg->state = Leg::State::kOver;
    Deliver([this, id] { events_.OnByeDone(id); });
  }
}

void SofiaSignaling::Impl::Forget(LegId id) {
  Leg* leg = Find(id);
  if (leg == nullptr) {
    ++counters_.unknown_legs;
    return;
  }
  HeardFromInvite(*leg);
  // Only a cancelled transaction outlives its handle and ACKs what still comes.
  if (leg->invite.handle != nullptr) Cancel(id);
  if (leg->state == Leg::State::kAccepted) leg->state = Leg::State::kUp;  // there is no later
  if (leg->state == Leg::State::kAnswered || leg->state == Leg::State::kUp) {
    Bye(id, kNormalClearing);
  }
  if (const auto it = by_call_id_.find(leg->dialog.call_id);
      it != by_call_id_.end() && it->second == id) {
    by_call_id_.erase(it);
  }
  Detach(*leg);  // a BYE goes on retransmitting by itself
  legs_.erase(id);
}

// A PRACK, UPDATE or re-INVITE after this was written takes further numbers, and a BYE with a
// number that was used before is refused (RFC 3261 12.2.2). Numbers may be left out, so the BYE
// after a crash leaves out as many as a day of refreshes takes.
DialogState SofiaSignaling::Impl::Journal(const Leg& leg) const {
  constexpr uint32_t kRefreshesADay = 2'000;
  DialogState dialog = leg.dialog;
  dialog.cseq = leg.next_cseq - 1;
  if (leg.session != nullptr && leg.session->terms.we_refresh) dialog.cseq += kRefreshesADay;
  return dialog;
}

// ---- recovery ----

void SofiaSignaling::Impl::EndUnknownDialog(const DialogState& dialog, Before bye_after,
                                            uint32_t bye_cseq) {
  if (bye_after == Before::kAck) {
    nta_leg_t* nta = MakeDialog(dialog, nullptr, nullptr);
    if (nta == nullptr || !SendAck(nta, dialog, dialog.cseq, "")) Failed("ACK", nullptr);
    nta_leg_destroy(nta);
  }
  SendLastBye(dialog, bye_cseq, kNormalClearing);
}

// Not the stateless BYE of the stack's nta_msg_ackbye(): this one is retransmitted.
void SofiaSignaling::Impl::SendLastBye(const DialogState& dialog, uint32_t cseq, int q850_cause) {
  nta_leg_t* nta = MakeDialog(dialog, nullptr, nullptr);
  if (nta == nullptr) return Failed("dialog", nullptr);
  // A trunk that may challenge it is remembered until it has answered.
  const absl::StatusOr<SipUri> hop = ParseSipUri(dialog.next_hop);
  const auto trunk = std::find_if(trunks_.begin(), trunks_.end(), [&hop](const TrunkAuth& t) {
    return hop.ok() && t.answers() && t.Owns(hop->host);
  });
  std::unique_ptr<LastBye> bye;
  if (trunk != trunks_.end()) {
    bye = std::make_unique<LastBye>();
    bye->owner = this;
    bye->role = Request::Role::kLastBye;
    bye->trunk = static_cast<uint16_t>(trunk - trunks_.begin());
    bye->dialog = dialog;
    bye->cseq = cseq;
    bye->q850_cause = q850_cause;
  }
  nta_outgoing_t* orq = SendBye(nta, dialog, {.cseq = cseq, .q850_cause = q850_cause}, bye.get());
  nta_leg_destroy(nta);
  if (orq == nullptr) return Failed("BYE", nullptr);
  if (bye == nullptr) return;
  bye->handle = orq;
  Request* key = bye.get();
  last_byes_.emplace(key, std::move(bye));
}

void SofiaSignaling::Impl::OnLastByeResponse(LastBye& bye, nta_outgoing_t* orq, const sip_t* sip) {
  if (nta_outgoing_status(orq) < 200) return;
  const std::string credentials = Credentials(bye, bye.trunk, orq, sip);
  bye.handle = nullptr;
  nta_outgoing_destroy(orq);
  if (!credentials.empty()) {
    nta_leg_t* nta = MakeDialog(bye.dialog, nullptr, nullptr);
    if (nta != nullptr) {
      bye.handle = SendBye(
          nta, bye.dialog,
          {.cseq = ++bye.cseq, .q850_cause = bye.q850_cause, .credentials = credentials}, &bye);
      nta_leg_destroy(nta);
    }
    if (bye.handle != nullptr) return;
    Failed("BYE", nullptr);
  }
  last_byes_.erase(&bye);
}

void SofiaSignaling::Impl::ByeOrphan(const DialogState& dialog) {
  const absl::StatusOr<std::string> hop = UsableHop(dialog.next_hop);
  if (!hop.ok() || !IsCallId(dialog.call_id) || !IsToken(dialog.from_tag) ||
      !CheckUri(dialog.from_uri).ok() || !CheckUri(dialog.to_uri).ok()) {
    log_.Warning("sip.orphan_unusable", {});
    return;
  }
  AddPeer(ParseSipUri(*hop)->host);
  DialogState checked = dialog;
  checked.next_hop = *hop;
  EndUnknownDialog(checked, Before::kNothing, checked.cseq + 1);
}

void SofiaSignaling::Impl::CancelOrphan(const call::Signaling::OrphanInvite& invite) {
  const absl::StatusOr<std::string> hop = UsableHop(invite.route_uri);
  if (!hop.ok() || !CheckIds(invite.ids).ok() || !CheckUri(invite.request_uri).ok() ||
      !CheckUri(invite.from_uri).ok()) {
    log_.Warning("sip.orphan_unusable", {});
    return;
  }
  AddPeer(ParseSipUri(*hop)->host);
  DialogState dialog;
  dialog.call_id = invite.ids.call_id;
  dialog.from_uri = invite.from_uri;
  dialog.from_tag = invite.ids.from_tag;
  dialog.to_uri = invite.request_uri;
  nta_leg_t* nta = MakeDialog(dialog, nullptr, nullptr);
  if (nta == nullptr) return Failed("dialog", nullptr);
  // Everything the far end matches a CANCEL by is as in the lost INVITE (RFC 3261 9.1):
  // Request-URI, Call-ID, From with its tag, To without one, CSeq number, and the Via with its
  // branch; the Via's host and port are the same because the port is. Which of the INVITEs was the
  // last, after challenges, is not known: the CANCELs of the others are answered 481.
  for (uint32_t n = 1; n <= InvitesMax(invite.trunk); ++n) {
    const std::string cseq = absl::StrCat(n, " CANCEL");
    const std::string branch = NthBranch(invite.ids.branch, n);
    nta_outgoing_t* cancel =
        nta_outgoing_tcreate(nta, nullptr, nullptr, URL_STRING_MAKE(hop->c_str()),
                             SIP_METHOD_CANCEL, URL_STRING_MAKE(invite.request_uri.c_str()),
                             SIPTAG_CSEQ_STR(cseq.c_str()), NTATAG_BRANCH_KEY(branch.c_str()),
                             SIPTAG_USER_AGENT_STR(OrNull(config_.user_agent)), TAG_END());
    if (cancel == nullptr) Failed("CANCEL", nullptr);
  }
  nta_leg_destroy(nta);
}

}  // namespace outpace::sip
