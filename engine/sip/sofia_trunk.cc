// What we say to a trunk apart from calls: OPTIONS, to see that it is there (RFC 3261 11), and
// REGISTER, where a trunk wants to know our address before it takes calls (RFC 3261 10).

#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/url_tag.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/sip/random_text.h"
#include "engine/sip/sofia_agent.h"

namespace outpace::sip {
namespace {

using call::DialogState;
using call::TrunkProbe;

constexpr size_t kPingsMax = 256;  // under way at once; more are no use
constexpr absl::Duration kBackoffMin = absl::Seconds(5);
constexpr absl::Duration kBackoffMax = absl::Minutes(5);
constexpr absl::Duration kExpiryMin = absl::Seconds(10);  // below, we refresh no faster
constexpr absl::Duration kExpiryMax = absl::Hours(24);
constexpr double kRefreshAt = 0.8;

// "sip:carrier.example:5080" of "sip:user@carrier.example:5080".
std::string RegistrarUri(const std::string& aor) {
  const size_t at = aor.find('@');
  if (at == std::string::npos) return aor;
  return absl::StrCat("sip:", aor.substr(at + 1));
}

}  // namespace

// ---- OPTIONS ----

void SofiaSignaling::Impl::SendPing(uint16_t trunk, const std::string& route_uri) {
  const auto failed = [this, trunk, &route_uri](int status, absl::string_view reason) {
    TrunkProbe probe;
    probe.trunk = trunk;
    probe.status = status;
    probe.reason = std::string(reason);
    probe.route_uri = route_uri;
    Deliver([this, probe = std::move(probe)] { events_.OnProbe(probe); });
  };
  absl::StatusOr<std::string> hop = UsableHop(route_uri);
  if (!hop.ok()) return failed(503, hop.status().message());
  if (pings_.size() >= kPingsMax) return failed(408, "too many OPTIONS under way");
  auto ping = std::make_unique<OptionsPing>();
  ping->owner = this;
  ping->role = Request::Role::kOptions;
  ping->trunk = trunk;
  ping->sent = loop_.clock().Mono();
  ping->hop = *hop;
  ping->route_uri = route_uri;
  AddPeer(ParseSipUri(*hop)->host);
  ping->handle = SendOptions(*ping, "");
  if (ping->handle == nullptr) return failed(503, "the stack could not send");
  Request* key = ping.get();
  pings_.emplace(key, std::move(ping));
}

nta_outgoing_t* SofiaSignaling::Impl::SendOptions(OptionsPing& ping,
                                                  const std::string& credentials) {
  DialogState names;
  names.call_id = absl::StrCat("options-", RandomHex());
  names.from_uri = absl::StrCat("sip:outpace@", via_host_);
  names.from_tag = RandomHex();
  names.to_uri = ping.hop;
  nta_leg_t* nta = MakeDialog(names, nullptr, nullptr);
  if (nta == nullptr) return nullptr;
  nta_outgoing_t* orq = nta_outgoing_tcreate(
      nta, ResponseCallback, &ping, URL_STRING_MAKE(ping.hop.c_str()), SIP_METHOD_OPTIONS,
      URL_STRING_MAKE(ping.hop.c_str()), SIPTAG_CSEQ_STR("1 OPTIONS"),
      SIPTAG_CONTACT_STR(ContactFor(ping.hop).c_str()), SIPTAG_ACCEPT_STR("application/sdp"),
      SIPTAG_USER_AGENT_STR(OrNull(config_.user_agent)), SIPTAG_HEADER_STR(OrNull(credentials)),
      TAG_END());
  nta_leg_destroy(nta);
  return orq;
}

void SofiaSignaling::Impl::OnPingResponse(OptionsPing& ping, nta_outgoing_t* orq,
                                          const sip_t* sip) {
  const int status = nta_outgoing_status(orq);
  if (status < 200) return;
  const std::string credentials = Credentials(ping, ping.trunk, orq, sip);
  const bool local = sip == nullptr || nta_sip_is_internal(sip) != 0;
  ping.handle = nullptr;
  nta_outgoing_destroy(orq);
  if (!credentials.empty()) ping.handle = SendOptions(ping, credentials);
  if (ping.handle != nullptr) return;
  TrunkProbe probe;
  probe.trunk = ping.trunk;
  probe.route_uri = ping.route_uri;
  probe.status = status;
  // Any answer shows a trunk that lives, 401 or 405 too; only 503 says that it takes no calls.
  probe.ok = !local && status != 503;
  if (!local) probe.round_trip = loop_.clock().Mono() - ping.sent;
  if (local) {
    probe.reason = status == 408 ? "no answer to OPTIONS" : "cannot be reached";
  } else if (!probe.ok) {
    probe.reason = "answers OPTIONS with 503";
  }
  pings_.erase(&ping);
  Deliver([this, probe = std::move(probe)] { events_.OnProbe(probe); });
}

// ---- REGISTER ----

void SofiaSignaling::Impl::Register(uint16_t trunk, const std::string& route_uri) {
  if (trunk >= registrations_.size()) return;
  Registration& line = *registrations_[trunk];
  if (line.handle != nullptr) nta_outgoing_destroy(std::exchange(line.handle, nullptr));
  loop_.Cancel(line.timer);
  line.owner = this;
  line.role = Request::Role::kRegister;
  line.trunk = trunk;
  line.wanted = true;
  line.route_uri = route_uri;
  line.minimum_tried = false;
  line.challenges_answered = 0;
  line.ask = std::clamp(config_.trunks[trunk].register_expires, kExpiryMin, kExpiryMax);
  if (line.call_id.empty()) {
    line.call_id = absl::StrCat("register-", RandomHex());
    line.from_tag = RandomHex();
  }
  absl::StatusOr<std::string> hop = UsableHop(route_uri);
  const absl::StatusOr<SipUri> aor = ParseSipUri(config_.trunks[trunk].register_aor);
  if (!hop.ok() || !aor.ok() || aor->has_headers) {
    line.wanted = false;
    return OnRegisterFailed(line, 503, absl::ZeroDuration(),
                            "no usable address of record or route");
  }
  line.hop = *hop;
  AddPeer(ParseSipUri(*hop)->host);
  if (!SendRegister(line, "")) {
    OnRegisterFailed(line, 503, absl::ZeroDuration(), "the stack could not send");
  }
}

void SofiaSignaling::Impl::Unregister(uint16_t trunk) {
  if (trunk >= registrations_.size()) return;
  Registration& line = *registrations_[trunk];
  if (!line.wanted) return;
  line.wanted = false;
  loop_.Cancel(line.timer);
  // One that is under way may be granted yet: it is taken back as well.
  const bool held = line.registered || line.handle != nullptr;
  if (line.handle != nullptr) nta_outgoing_destroy(std::exchange(line.handle, nullptr));
  line.challenges_answered = 0;
  if (held && !SendRegister(line, "")) Failed("REGISTER", nullptr);
}

// With an expiry of 0 once it is not wanted any more.
bool SofiaSignaling::Impl::SendRegister(Registration& line, const std::string& credentials) {
  const std::string& aor = config_.trunks[line.trunk].register_aor;
  DialogState names;
  names.call_id = line.call_id;
  names.from_uri = names.to_uri = aor;
  names.from_tag = line.from_tag;
  nta_leg_t* nta = MakeDialog(names, nullptr, nullptr);
  if (nta == nullptr) return false;
  const std::string cseq = absl::StrCat(++line.cseq, " REGISTER");
  const std::string expires =
      absl::StrCat(line.wanted ? absl::ToInt64Seconds(line.ask) : int64_t{0});
  const std::string contact = absl::StrCat(ContactFor(line.hop), ";expires=", expires);
  const std::string registrar = RegistrarUri(aor);
  line.handle = nta_outgoing_tcreate(
      nta, ResponseCallback, &line, URL_STRING_MAKE(line.hop.c_str()), SIP_METHOD_REGISTER,
      URL_STRING_MAKE(registrar.c_str()), SIPTAG_CSEQ_STR(cseq.c_str()),
      SIPTAG_CONTACT_STR(contact.c_str()), SIPTAG_EXPIRES_STR(expires.c_str()),
      SIPTAG_ALLOW_STR(kAllow), SIPTAG_USER_AGENT_STR(OrNull(config_.user_agent)),
      SIPTAG_HEADER_STR(OrNull(credentials)), TAG_END());
  nta_leg_destroy(nta);
  return line.handle != nullptr;
}

void SofiaSignaling::Impl::OnRegisterResponse(Registration& line, nta_outgoing_t* orq,
                                              const sip_t* sip) {
  const int status = nta_outgoing_status(orq);
  if (status < 200) return;
  const std::string credentials = Credentials(line, line.trunk, orq, sip);
  const absl::Duration retry_after = sip != nullptr ? RetryAfterOf(*sip) : absl::ZeroDuration();
  line.handle = nullptr;
  if (!credentials.empty() && SendRegister(line, credentials)) {
    nta_outgoing_destroy(orq);
    return;
  }
  if (status == 423 && sip != nullptr && sip->sip_min_expires != nullptr && !line.minimum_tried) {
    line.minimum_tried = true;
    line.ask = std::clamp(absl::Seconds(static_cast<int64_t>(sip->sip_min_expires->me_delta)),
                          line.ask, kExpiryMax);
    line.challenges_answered = 0;
    if (SendRegister(line, "")) {
      nta_outgoing_destroy(orq);
      return;
    }
  }
  if (status < 300 && sip != nullptr) {
    OnRegistered(line, *sip);
  } else if (!line.wanted) {
    line.registered = false;
  } else {
    OnRegisterFailed(
        line, status, retry_after,
        sip == nullptr || nta_sip_is_internal(sip) != 0 ? "no answer to REGISTER" : PhraseOf(*sip));
  }
  nta_outgoing_destroy(orq);
}

void SofiaSignaling::Impl::OnRegistered(Registration& line, const sip_t& sip) {
  const bool was_registered = line.registered;
  line.registered = line.wanted;
  line.backoff = absl::ZeroDuration();
  if (line.wanted) {
    const absl::Duration granted = std::max(GrantedExpiry(sip, line.ask), kExpiryMin);
    const uint16_t trunk = line.trunk;
    line.timer = Later(granted * kRefreshAt, [this, trunk] {
      Registration& due = *registrations_[trunk];
      due.challenges_answered = 0;
      due.minimum_tried = false;
      if (!SendRegister(due, "")) OnRegisterFailed(due, 503, absl::ZeroDuration(), "cannot send");
    });
  }
  if (was_registered == line.registered) return;
  TrunkProbe probe;
  probe.trunk = line.trunk;
  probe.route_uri = line.route_uri;
  probe.kind = TrunkProbe::Kind::kRegister;
  probe.ok = line.registered;
  probe.status = 200;
  if (!line.registered) probe.reason = "unregistered";
  Deliver([this, probe = std::move(probe)] { events_.OnProbe(probe); });
}

void SofiaSignaling::Impl::OnRegisterFailed(Registration& line, int status,
                                            absl::Duration retry_after, absl::string_view reason) {
  line.registered = false;
  if (line.wanted) {
    line.backoff = std::clamp(2 * line.backoff, kBackoffMin, kBackoffMax);
    const uint16_t trunk = line.trunk;
    line.timer = Later(std::max(line.backoff, retry_after), [this, trunk] {
      Registration& due = *registrations_[trunk];
      due.challenges_answered = 0;
      due.minimum_tried = false;
      if (!SendRegister(due, "")) OnRegisterFailed(due, 503, absl::ZeroDuration(), "cannot send");
    });
  }
  TrunkProbe probe;
  probe.trunk = line.trunk;
  probe.route_uri = line.route_uri;
  probe.kind = TrunkProbe::Kind::kRegister;
  probe.status = status;
  probe.reason = std::string(reason);
  Deliver([this, probe = std::move(probe)] { events_.OnProbe(probe); });
}

// What the registrar wrote at our Contact, else in Expires, else what we asked for (RFC 3261
// 10.2.4). It lists the Contacts of others of this address of record too.
absl::Duration SofiaSignaling::Impl::GrantedExpiry(const sip_t& sip, absl::Duration asked) const {
  const auto is_our_port = [this](absl::string_view port) {
    return std::any_of(listeners_.begin(), listeners_.end(), [port](const Listener& listener) {
      return listener.port != 0 && port == absl::StrCat(listener.port);
    });
  };
  const sip_contact_t* ours = sip.sip_contact;
  for (const sip_contact_t* contact = ours; contact != nullptr; contact = contact->m_next) {
    if (absl::EqualsIgnoreCase(View(contact->m_url->url_host), via_host_) &&
        is_our_port(View(contact->m_url->url_port))) {
      ours = contact;
      break;
    }
  }
  uint64_t seconds = 0;
  if (ours != nullptr && ours->m_expires != nullptr &&
      absl::SimpleAtoi(View(ours->m_expires), &seconds)) {
    return absl::Seconds(static_cast<int64_t>(std::min<uint64_t>(seconds, 86'400)));
  }
  if (sip.sip_expires != nullptr) {
    return absl::Seconds(
        static_cast<int64_t>(std::min<uint64_t>(sip.sip_expires->ex_delta, 86'400)));
  }
  return asked;
}

}  // namespace outpace::sip
