// TCP and TLS beside the agent's UDP port: the listeners, what Contact says for each, and which
// next hops can be reached at all.

#include <arpa/inet.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>

#include <algorithm>
#include <climits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/sip/sofia_agent.h"

namespace outpace::sip {
namespace {

// Messages that wait for a connection, or for a far end that reads slowly; the stack's maximum, and
// the backlog of a listener too.
constexpr unsigned kQueueMax = 1'000;

std::string Bracketed(absl::string_view host) {
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]") : std::string(host);
}

// As Via and the stack name them; UDP for any other.
Transport TransportNamed(absl::string_view name) {
  for (const Transport transport : {Transport::kTcp, Transport::kTls}) {
    if (absl::EqualsIgnoreCase(name, TransportName(transport))) return transport;
  }
  return Transport::kUdp;
}

size_t IndexOf(Transport transport) { return static_cast<size_t>(transport); }

}  // namespace

int SofiaSignaling::Impl::local_port(Transport transport) const {
  return listeners_[IndexOf(transport)].port;
}

void SofiaSignaling::Impl::Listening(Transport transport, int port) {
  const bool udp = transport == Transport::kUdp;
  listeners_[IndexOf(transport)] = {
      port, absl::StrCat("<sip:outpace@", via_host_, ":", port,
                         udp ? "" : ";transport=", udp ? "" : TransportName(transport), ">")};
}

absl::Status SofiaSignaling::Impl::OpenStreams() {
  const auto used = [this](Transport transport) {
    return std::any_of(config_.trunks.begin(), config_.trunks.end(),
                       [&](const SipTrunk& trunk) { return trunk.transport == transport; });
  };
  const bool tcp = config_.tcp || used(Transport::kTcp);
  const bool tls = used(Transport::kTls);
  if (!tcp && !tls) return absl::OkStatus();
  if (config_.tap != nullptr) {
    stream_tap_ = std::make_unique<StreamTap>(loop_.clock(), *config_.tap);
  }
  streams_ = std::make_unique<StreamGuard>(
      loop_, log_, config_.streams,
      [this](const std::string& host) { return peers_.Contains(host) || IsTrunk(host); },
      [this](const std::string& host) { return IsTrunk(host); });
  if (tcp) {
    if (absl::Status status = OpenStream(Transport::kTcp, config_.port); !status.ok()) {
      return status;
    }
  }
  if (!tls) return absl::OkStatus();
  const TlsFiles files = {config_.tls_certificate_file, config_.tls_private_key_file,
                          config_.tls_ca_file, config_.tls_clients_show_certificates};
  if (absl::Status status = streams_->UseTls(
          files, [this](absl::string_view address) { return TlsNamesOf(address); });
      !status.ok()) {
    return status;
  }
  if (files.certificate.empty()) log_.Warning("sip.tls_without_certificate", {});
  return OpenStream(Transport::kTls, config_.tls_port);
}

absl::Status SofiaSignaling::Impl::OpenStream(Transport transport, int port) {
  if (port < 0 || port > 65535) return absl::InvalidArgumentError("sip: port out of range");
  const std::string url =
      absl::StrCat(transport == Transport::kTls ? "sips:" : "sip:", via_host_, ":",
                   port == 0 ? "*" : absl::StrCat(port), ";transport=", TransportName(transport),
                   ";maddr=", Bracketed(config_.bind_address));
  if (nta_agent_add_tport(
          agent_, URL_STRING_MAKE(url.c_str()),
          // A connection that ends fails the requests that wait for a response over it at once.
          TPTAG_SDWN_ERROR(1),
          // The guard does the waiting; the stack's timers follow the wall clock.
          TPTAG_IDLE(UINT_MAX), TPTAG_TIMEOUT(UINT_MAX),
          // CRLF CRLF is answered (RFC 5626 3.5.1).
          TPTAG_PONG2PING(1), TPTAG_QUEUESIZE(kQueueMax), TPTAG_TOS(kTosCallSignalling),
          TAG_END()) != 0) {
    return absl::UnavailableError(
        absl::StrCat("sip: cannot listen on ", TransportName(transport), " port ", port));
  }
  for (tport_t* primary = tport_primaries(nta_agent_tports(agent_)); primary != nullptr;
       primary = tport_next(primary)) {
    if (View(tport_name(primary)->tpn_proto) != TransportName(transport)) continue;
    const su_addrinfo_t* address = tport_get_address(primary);
    OUTPACE_CHECK(address != nullptr && address->ai_addr != nullptr);
    Listening(transport, ntohs(reinterpret_cast<const su_sockaddr_t*>(address->ai_addr)->su_port));
    return absl::OkStatus();
  }
  return absl::UnavailableError("sip: the stack does not know a transport");
}

absl::StatusOr<std::string> SofiaSignaling::Impl::UsableHop(absl::string_view route_uri) const {
  const absl::StatusOr<Hop> hop = ParseHop(route_uri);
  if (!hop.ok()) return hop.status();
  if (local_port(hop->transport) == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("next hop: no trunk uses ", TransportName(hop->transport)));
  }
  if (absl::StrContains(hop->host, ':') != absl::StrContains(config_.bind_address, ':')) {
    return absl::InvalidArgumentError("next hop: not of the bind address' family");
  }
  return HopUri(hop->host, hop->port, hop->transport);
}

const std::string& SofiaSignaling::Impl::ContactFor(absl::string_view next_hop) const {
  const absl::StatusOr<Hop> hop = ParseHop(next_hop);
  return listeners_[IndexOf(hop.ok() ? hop->transport : Transport::kUdp)].contact;
}

bool SofiaSignaling::Impl::IsTrunk(absl::string_view host) const {
  return std::any_of(trunks_.begin(), trunks_.end(),
                     [host](const TrunkAuth& trunk) { return trunk.Owns(host); });
}

std::vector<std::string> SofiaSignaling::Impl::TlsNamesOf(absl::string_view address) const {
  std::vector<std::string> names;
  for (size_t i = 0; i < trunks_.size(); ++i) {
    const SipTrunk& trunk = config_.trunks[i];
    if (trunk.transport != Transport::kTls || !trunks_[i].Owns(address)) continue;
    names.push_back(trunk.tls_name.empty() ? std::string(address) : trunk.tls_name);
  }
  return names;
}

bool SofiaSignaling::Impl::IsStream(absl::string_view next_hop) {
  const absl::StatusOr<Hop> hop = ParseHop(next_hop);
  return hop.ok() && hop->transport != Transport::kUdp;
}

std::string SofiaSignaling::Impl::SourceHop(msg_t* msg) const {
  const Source source = SourceOf(msg);
  const tport_t* transport = tport_delivered_by(nta_agent_tports(agent_), msg);
  return HopUri(source.host, source.port,
                transport != nullptr ? TransportNamed(View(tport_name(transport)->tpn_proto))
                                     : Transport::kUdp);
}

// True for a response whose only Via is the one we put on (RFC 3261 8.1.3.3).
bool SofiaSignaling::Impl::IsOurs(const sip_t& sip) const {
  const sip_via_t* via = sip.sip_via;
  if (via == nullptr || via->v_next != nullptr || via->v_host == nullptr) return false;
  const Transport transport = TransportNamed(View(sip_via_transport(via)));
  const std::string port = absl::StrCat(local_port(transport));
  return absl::EqualsIgnoreCase(via->v_host, via_host_) &&
         (via->v_port != nullptr ? View(via->v_port) : absl::StrCat(DefaultPort(transport))) ==
             port;
}

}  // namespace outpace::sip
