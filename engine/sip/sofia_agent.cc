// The agent itself: its UDP port, its settings, its peers.

#include "engine/sip/sofia_agent.h"

#include <arpa/inet.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/sip/sip_socket.h"
#include "engine/sip/sofia_overrides.h"

namespace outpace::sip {
namespace {

constexpr size_t kLearnedPeersMax =
    900;  // with the configured ones inside the kernel filter's limit
constexpr int kGoodBufferBytes = 1 << 20;

}  // namespace

SofiaSignaling::Impl::Impl(const SofiaConfig& config, SofiaLoop& loop, Log& log,
                           call::SignalingEvents& events)
    : config_(config),
      loop_(loop),
      log_(log),
      events_(events),
      peers_(kLearnedPeersMax),
      rng_(config.seed),
      datagrams_(loop.clock(), {.answer = !config.drop_strangers}, config.tap) {
  for (const SipTrunk& trunk : config_.trunks) {
    trunks_.emplace_back(trunk.auth_user, trunk.auth_password, trunk.auth_realm);
    trunks_.back().SetAddresses(trunk.addresses);
    registrations_.push_back(std::make_unique<Registration>());
  }
}

absl::Status SofiaSignaling::Impl::Open() {
  OUTPACE_CHECK(loop_.OnLoopThread());
  const std::string bind = CanonicalHost(config_.bind_address);
  if (bind.empty()) return absl::InvalidArgumentError("sip: bind address is not numeric");
  via_host_ = config_.public_host.empty() ? bind : config_.public_host;
  const bool v6_host = absl::StrContains(via_host_, ':');
  if (v6_host && CanonicalHost(via_host_).empty()) {
    return absl::InvalidArgumentError("sip: public host has a port");
  }
  if (v6_host) via_host_ = absl::StrCat("[", via_host_, "]");
  if (!ParseSipUri(absl::StrCat("sip:", via_host_)).ok()) {
    return absl::InvalidArgumentError("sip: public host is not a host");
  }
  if (config_.port < 0 || config_.port > 65535) {
    return absl::InvalidArgumentError("sip: port out of range");
  }
  for (const std::string& peer : config_.peers) {
    if (absl::Status status = peers_.Configure(peer); !status.ok()) return status;
  }
  for (const SipTrunk& trunk : config_.trunks) {
    for (const std::string& address : trunk.addresses) {
      if (absl::Status status = peers_.Configure(address); !status.ok()) return status;
    }
  }

  const bool v6 = absl::StrContains(bind, ':');
  const std::string url =
      absl::StrCat("sip:", via_host_, ":", config_.port == 0 ? "*" : absl::StrCat(config_.port),
                   ";transport=udp;maddr=", v6 ? "[" : "", bind, v6 ? "]" : "");
  const uint64_t resolvers = ResolversRefused();
  const uint64_t lookups = NumericLookups();
  agent_ = nta_agent_create(
      loop_.root(), URL_STRING_MAKE(url.c_str()), AgentCallback, this,
      // As user agent nta answers retransmitted requests, sends the 2xx of a re-INVITE until its
      // ACK comes, and hands second forks to nta_msg_ackbye(), which is ours.
      NTATAG_UA(1), NTATAG_PASS_100(1), NTATAG_USE_SRV(0), NTATAG_USE_NAPTR(0),
      NTATAG_SERVER_RPORT(2), NTATAG_CLIENT_RPORT(1),
      NTATAG_SIP_T1(static_cast<unsigned>(absl::ToInt64Milliseconds(config_.t1))),
      NTATAG_SIP_T1X64(static_cast<unsigned>(absl::ToInt64Milliseconds(config_.t1x64))),
      // Over 1,300 bytes the stack would look for TCP first.
      NTATAG_UDP_MTU(65535), NTATAG_MAXSIZE(static_cast<usize_t>(config_.message_bytes_max)),
      NTATAG_MAX_PROCEEDING(static_cast<usize_t>(config_.proceeding_max)),
      // A response is dropped only for a header that routes it: a busy is a busy, whatever the
      // carrier wrote into Session-Expires.
      NTATAG_BAD_RESP_MASK(sip_mask_response),
      TPTAG_UDP_RMEM(static_cast<unsigned>(config_.udp_buffer_bytes)),
      TPTAG_UDP_WMEM(static_cast<unsigned>(config_.udp_buffer_bytes)),
      TPTAG_TOS(kTosCallSignalling), TPTAG_LOG(0), TAG_END());
  if (agent_ == nullptr) {
    return absl::UnavailableError(absl::StrCat("sip: cannot bind port ", config_.port));
  }
  // Without the resolver override a host name in a Contact can abort the process.
  OUTPACE_CHECK(ResolversRefused() > resolvers);
  OUTPACE_CHECK(NumericLookups() > lookups);

  const su_addrinfo_t* address = tport_get_address(tport_primaries(nta_agent_tports(agent_)));
  OUTPACE_CHECK(address != nullptr && address->ai_addr != nullptr);
  const auto* bound = reinterpret_cast<const su_sockaddr_t*>(address->ai_addr);
  Listening(Transport::kUdp, ntohs(bound->su_port));
  fd_ = FindUdpSocket(address->ai_addr);
  if (fd_ < 0 || ReceiveBufferBytes(fd_) < kGoodBufferBytes) {
    log_.Warning("sip.receive_buffer_small",
                 {{"granted_bytes", fd_ < 0 ? 0 : ReceiveBufferBytes(fd_)},
                  {"asked_bytes", config_.udp_buffer_bytes},
                  {"remedy", "raise net.core.rmem_max"}});
  }
  TakeOverDatagrams();
  SetFilter();
  if (absl::Status status = OpenStreams(); !status.ok()) return status;
  log_.Info("sip.open", {{"port", local_port(Transport::kUdp)},
                         {"tcp_port", local_port(Transport::kTcp)},
                         {"tls_port", local_port(Transport::kTls)},
                         {"strangers_dropped", filtering_}});
  return absl::OkStatus();
}

SofiaSignaling::Impl::~Impl() {
  OUTPACE_CHECK(loop_.OnLoopThread());
  for (auto& [id, leg] : legs_) {
    Detach(*leg);
  }
  for (auto& [call, leg] : offers_) Detach(*leg);
  for (auto& [request, bye] : last_byes_) nta_outgoing_destroy(bye->handle);
  for (auto& [request, ping] : pings_) nta_outgoing_destroy(ping->handle);
  for (auto& line : registrations_) {
    if (line->handle != nullptr) nta_outgoing_destroy(line->handle);
  }
  if (agent_ != nullptr) nta_agent_destroy(agent_);
}

void SofiaSignaling::Impl::AddPeer(absl::string_view host) {
  if (peers_.Learn(host)) SetFilter();
}

void SofiaSignaling::Impl::SetTrunkAddresses(uint16_t trunk,
                                             const std::vector<std::string>& addresses) {
  if (trunk >= trunks_.size()) return;
  trunks_[trunk].SetAddresses(addresses);
  for (const std::string& address : addresses) AddPeer(address);
}

void SofiaSignaling::Impl::TakeOverDatagrams() {
  for (tport_t* transport = tport_primaries(nta_agent_tports(agent_)); transport != nullptr;
       transport = tport_next(transport)) {
    const su_addrinfo_t* address = tport_get_address(transport);
    if (!tport_is_udp(transport) || address == nullptr) continue;
    const int fd = FindUdpSocket(address->ai_addr);
    if (fd >= 0) datagrams_.Attach(transport, fd);
  }
}

SofiaCounters SofiaSignaling::Impl::counters() const {
  SofiaCounters counters = counters_;
  counters.strangers_dropped = datagrams_.filter().counters().dropped;
  counters.strangers_banned = datagrams_.filter().counters().bans;
  counters.datagrams_in = datagrams_.counters().received;
  counters.datagrams_out = datagrams_.counters().sent;
  if (streams_ != nullptr) counters.streams = streams_->counters();
  counters.datagram_reads = datagrams_.counters().reads;
  counters.datagrams_wrong_size = datagrams_.counters().wrong_size;
  return counters;
}

void SofiaSignaling::Impl::SetFilter() {
  std::vector<StrangerFilter::Address> peers;
  for (const std::string& host : peers_.Hosts()) {
    if (const auto address = AddressOf(host)) peers.push_back(*address);
  }
  datagrams_.filter().SetPeers(peers);
  if (!config_.drop_strangers || fd_ < 0 || absl::StrContains(config_.bind_address, ':')) return;
  const absl::Status status = AdmitOnly(fd_, peers_.Ipv4());
  if (filtering_ && !status.ok()) AdmitAll(fd_);  // an old filter would shut out the new peer
  filtering_ = status.ok();
  if (!status.ok()) log_.Warning("sip.source_filter_off", {{"why", status.message()}});
}

void SofiaSignaling::Impl::Detach(Leg& leg) {
  loop_.Cancel(leg.offer_timer);
  StopSession(leg);
  for (const std::unique_ptr<Prack>& prack : leg.pracks) nta_outgoing_destroy(prack->handle);
  leg.pracks.clear();
  for (Request* request : {&leg.invite, &leg.bye}) {
    if (request->handle != nullptr) nta_outgoing_destroy(std::exchange(request->handle, nullptr));
  }
  if (leg.theirs != nullptr) nta_incoming_destroy(std::exchange(leg.theirs, nullptr));
  if (leg.nta != nullptr) nta_leg_destroy(std::exchange(leg.nta, nullptr));
}

const SipTrunk* SofiaSignaling::Impl::TrunkOf(const Leg& leg) const {
  return leg.trunk < config_.trunks.size() ? &config_.trunks[leg.trunk] : nullptr;
}

Leg* SofiaSignaling::Impl::Find(LegId id) {
  const auto it = legs_.find(id);
  return it != legs_.end() ? it->second.get() : nullptr;
}

Loop::TimerId SofiaSignaling::Impl::Later(absl::Duration delay, Loop::Task task) {
  return loop_.After(delay,
                     [task = std::move(task), alive = std::weak_ptr<bool>(alive_)]() mutable {
                       if (!alive.expired()) task();
                     });
}

void SofiaSignaling::Impl::Deliver(Loop::Task event) {
  if (depth_ == 0) return event();
  Later(absl::ZeroDuration(), std::move(event));
}

void SofiaSignaling::Impl::Failed(absl::string_view what, const Leg* leg) {
  ++counters_.send_failures;
  log_.Warning("sip.send_failed",
               {{"message", what}, {"leg", leg != nullptr ? leg->id.index : 0u}});
}

}  // namespace outpace::sip
