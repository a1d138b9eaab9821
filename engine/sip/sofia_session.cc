// Session timers (RFC 4028): the refresh of a call by UPDATE or re-INVITE, and its end when the
// refresh of the side whose turn it is does not come. The terms are session_timer.h's.

#include <sofia-sip/sip_tag.h>
#include <sofia-sip/url_tag.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/sip/sofia_agent.h"

namespace outpace::sip {
namespace {

constexpr int kRecoveryOnTimerExpiry = 102;  // Q.850
constexpr int kTemporaryFailure = 41;
constexpr absl::Duration kRetryWaitMin = absl::Seconds(2);

}  // namespace

void SofiaSignaling::Impl::CancelSessionTimers(Leg& leg) {
  if (leg.session == nullptr) return;
  loop_.Cancel(std::exchange(leg.session->refresh_timer, 0));
  loop_.Cancel(std::exchange(leg.session->give_up_timer, 0));
}

void SofiaSignaling::Impl::StopSession(Leg& leg) {
  if (leg.session == nullptr) return;
  CancelSessionTimers(leg);
  if (leg.session->refresh.handle != nullptr) nta_outgoing_destroy(leg.session->refresh.handle);
  leg.session.reset();
}

// Starts the time from now: a refresh has just been agreed on.
void SofiaSignaling::Impl::SetSession(Leg& leg, const std::optional<SessionTerms>& terms) {
  CancelSessionTimers(leg);
  if (!terms.has_value()) {
    if (leg.session != nullptr && leg.session->refresh.handle == nullptr) leg.session.reset();
    return;
  }
  if (leg.session == nullptr) {
    leg.session = std::make_unique<Session>();
    leg.session->refresh.owner = this;
    leg.session->refresh.leg = &leg;
    leg.session->refresh.role = Request::Role::kRefresh;
  }
  Session& session = *leg.session;
  session.terms = *terms;
  session.give_up_at = loop_.clock().Mono() + GiveUpAfter(*terms);
  const LegId id = leg.id;
  session.give_up_timer =
      Later(GiveUpAfter(*terms), [this, id] { GiveUpSession(id, kRecoveryOnTimerExpiry); });
  if (terms->we_refresh) RefreshLater(leg, RefreshAfter(*terms));
}

void SofiaSignaling::Impl::RefreshLater(Leg& leg, absl::Duration wait) {
  loop_.Cancel(leg.session->refresh_timer);
  const LegId id = leg.id;
  leg.session->refresh_timer = Later(wait, [this, id] { Refresh(id); });
}

void SofiaSignaling::Impl::Refresh(LegId id) {
  Leg* leg = Find(id);
  if (leg == nullptr || leg->session == nullptr || leg->session->refresh.handle != nullptr) return;
  leg->session->refresh_timer = 0;
  // Not before our ACK, and not across an offer of ours that is not answered yet.
  if (leg->state != Leg::State::kUp || leg->theirs != nullptr) {
    return RefreshLater(*leg, kRetryWaitMin);
  }
  leg->session->refresh.challenges_answered = 0;
  leg->session->minimum_tried = false;
  if (!SendRefresh(*leg, "")) Failed("refresh", leg);
}

bool SofiaSignaling::Impl::SendRefresh(Leg& leg, const std::string& credentials) {
  Session& session = *leg.session;
  // UPDATE where the far end has it: it cannot glare with an offer, and leaves the media alone.
  session.by_update = leg.far_updates || leg.local_sdp.empty();
  session.cseq = leg.next_cseq++;
  const DialogRoute route = RouteOf(leg.dialog);
  const sip_method_t method = session.by_update ? sip_method_update : sip_method_invite;
  const char* name = session.by_update ? "UPDATE" : "INVITE";
  const std::string cseq = absl::StrCat(session.cseq, " ", name);
  const std::string expires =
      absl::StrCat(absl::ToInt64Seconds(session.terms.expires), ";refresher=uac");
  const std::string min_se = absl::StrCat(leg.min_session);
  const bool sdp = !session.by_update;
  const Through through(*this, leg.nta, leg.dialog, session.cseq);
  session.refresh.handle = nta_outgoing_tcreate(
      through.get(), ResponseCallback, &session.refresh, URL_STRING_MAKE(route.hop.c_str()), method,
      name, URL_STRING_MAKE(route.request_uri.c_str()), SIPTAG_CSEQ_STR(cseq.c_str()),
      SIPTAG_ROUTE_STR(OrNull(route.route_header)),
      SIPTAG_CONTACT_STR(ContactFor(route.hop).c_str()), SIPTAG_SUPPORTED_STR("timer"),
      SIPTAG_SESSION_EXPIRES_STR(expires.c_str()), SIPTAG_MIN_SE_STR(min_se.c_str()),
      SIPTAG_ALLOW_STR(kAllow), SIPTAG_USER_AGENT_STR(OrNull(config_.user_agent)),
      SIPTAG_HEADER_STR(OrNull(credentials)),
      TAG_IF(sdp, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
      TAG_IF(sdp, SIPTAG_PAYLOAD_STR(leg.local_sdp.c_str())), TAG_END());
  return session.refresh.handle != nullptr;
}

void SofiaSignaling::Impl::OnRefreshResponse(Leg& leg, nta_outgoing_t* orq, const sip_t* sip) {
  const int status = nta_outgoing_status(orq);
  if (status < 200) return;
  Session& session = *leg.session;
  const LegId id = leg.id;
  const std::string credentials = Credentials(session.refresh, leg.trunk, orq, sip);
  session.refresh.handle = nullptr;
  const std::unique_ptr<nta_outgoing_t, void (*)(nta_outgoing_t*)> done(orq, nta_outgoing_destroy);
  if (!credentials.empty() && SendRefresh(leg, credentials)) return;
  if (status < 300) {
    if (std::string target = ContactOf(*sip); !target.empty()) {
      leg.dialog.remote_target = std::move(target);
    }
    if (!session.by_update && !SendAck(leg.nta, leg.dialog, session.cseq, "")) Failed("ACK", &leg);
    const bool answered = !session.by_update;
    SetSession(leg, TermsOfResponse(SessionOf(*sip)));
    if (!answered) return;
    std::string sdp = SdpOfMessage(*sip);
    if (sdp.empty()) return;
    Deliver([this, id, sdp = std::move(sdp)] { events_.OnReinviteAnswer(id, sdp); });
    return;
  }
  if (TryRefreshAgain(leg, status, sip)) return;
  // The far end does not know the call, or is not there (RFC 3261 12.2.1.2).
  if (status == 481 || status == 408) {
    GiveUpSession(id, status == 481 ? kTemporaryFailure : kRecoveryOnTimerExpiry);
  }
}

// True when a refresh that failed is sent again or will be.
bool SofiaSignaling::Impl::TryRefreshAgain(Leg& leg, int status, const sip_t* sip) {
  Session& session = *leg.session;
  switch (status) {
    case 422:
      if (sip == nullptr || session.minimum_tried || MinSeOf(*sip) > kMinSeObeyedSeconds) break;
      session.minimum_tried = true;
      leg.min_session = std::max(leg.min_session, MinSeOf(*sip));
      session.terms.expires = std::max(session.terms.expires, absl::Seconds(leg.min_session));
      return SendRefresh(leg, "");
    case 405:
    case 501:
      if (!session.by_update || leg.local_sdp.empty()) break;
      leg.far_updates = false;
      return SendRefresh(leg, "");
    case 491:
      RefreshLater(leg, GlareWait(leg));
      return true;
    case 408:
    case 481:
      return false;
    default:
      break;
  }
  // Anything else leaves the call as it is (RFC 4028 10); there is time for another try or two.
  const absl::Duration left = session.give_up_at - loop_.clock().Mono();
  if (left > 2 * kRetryWaitMin) RefreshLater(leg, left / 2);
  return true;
}

// RFC 3261 14.1, in steps of 10 ms: who chose the Call-ID waits longer, so that the two do not meet
// again.
absl::Duration SofiaSignaling::Impl::GlareWait(const Leg& leg) {
  const auto steps = [this](uint64_t n) {
    return absl::Milliseconds(10 * static_cast<int64_t>(rng_.Below(n)));
  };
  return leg.placed_by_us ? absl::Milliseconds(2'100) + steps(191) : steps(201);
}

// The refresh did not come: BYE, and the shard is told as of a far end that hung up.
void SofiaSignaling::Impl::GiveUpSession(LegId id, int q850_cause) {
  Leg* leg = Find(id);
  if (leg == nullptr || leg->state != Leg::State::kUp) return;
  StopSession(*leg);
  leg->state = Leg::State::kOver;
  ++counters_.sessions_expired;
  SendLastBye(leg->dialog, leg->next_cseq++, q850_cause);
  Deliver([this, id, q850_cause] { events_.OnBye(id, q850_cause); });
}

}  // namespace outpace::sip
