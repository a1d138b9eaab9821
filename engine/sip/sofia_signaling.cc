#include "engine/sip/sofia_signaling.h"

namespace outpace::sip {
struct Leg;
}
// The contexts that Sofia hands back to our callbacks; they must be named before its headers.
#define NTA_AGENT_MAGIC_T void
#define NTA_LEG_MAGIC_T ::outpace::sip::Leg
#define NTA_OUTGOING_MAGIC_T ::outpace::sip::Leg
#include <arpa/inet.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>
#include <sofia-sip/url_tag.h>

#include <cerrno>
#include <deque>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/sip/sip_socket.h"
#include "engine/sip/sip_text.h"
#include "engine/sip/sofia_message.h"
#include "engine/sip/sofia_overrides.h"

namespace outpace::sip {
namespace {

using call::DialogState;
using call::Failure;

constexpr char kAllow[] = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE";
constexpr int kNormalClearing = 16;                         // Q.850
constexpr int kTosCallSignalling = 0x60;                    // CS3 (RFC 4594 4.1)
constexpr absl::Duration kStrayMemory = absl::Seconds(40);  // a 2xx is repeated for 32 s
constexpr size_t kStraysMax = 4'096;
constexpr size_t kLearnedPeersMax =
    900;  // with the configured ones inside the kernel filter's limit
constexpr int kGoodBufferBytes = 1 << 20;

// The address as the peer set keeps it, empty if `host` is no numeric address.
std::string CanonicalHost(absl::string_view host) {
  unsigned char address[sizeof(in6_addr)];
  char text[INET6_ADDRSTRLEN];
  const std::string copy(host);
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, copy.c_str(), address) == 1 &&
        inet_ntop(family, address, text, sizeof text) != nullptr) {
      return text;
    }
  }
  return "";
}

struct Source {
  std::string host;
  int port = 0;
};

// Where a received message came from.
Source SourceOf(msg_t* msg) {
  const su_sockaddr_t* from = msg_addr(msg);
  char text[INET6_ADDRSTRLEN];
  if (from->su_family != AF_INET && from->su_family != AF_INET6) return {};
  const void* address = from->su_family == AF_INET
                            ? static_cast<const void*>(&from->su_sin.sin_addr)
                            : &from->su_sin6.sin6_addr;
  if (inet_ntop(from->su_family, address, text, sizeof text) == nullptr) return {};
  return {text, ntohs(from->su_port)};
}

std::string HopTo(const Source& source) {
  const bool v6 = absl::StrContains(source.host, ':');
  return absl::StrCat("sip:", v6 ? "[" : "", source.host, v6 ? "]" : "", ":", source.port);
}

std::string NameAddr(absl::string_view uri, absl::string_view tag) {
  return tag.empty() ? absl::StrCat("<", uri, ">") : absl::StrCat("<", uri, ">;tag=", tag);
}

std::string ReasonHeader(int q850_cause) {
  const bool valid = q850_cause >= 1 && q850_cause <= 127;
  return absl::StrCat("Q.850;cause=", valid ? q850_cause : kNormalClearing);
}

// tag macros want const char*; NULL leaves the header out.
const char* OrNull(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

absl::Status CheckIds(const call::InviteIds& ids) {
  if (!IsCallId(ids.call_id)) return absl::InvalidArgumentError("invite: bad Call-ID");
  if (!IsToken(ids.from_tag)) return absl::InvalidArgumentError("invite: bad From tag");
  if (!IsToken(ids.branch) || !absl::StartsWith(ids.branch, "z9hG4bK")) {
    return absl::InvalidArgumentError("invite: bad branch");
  }
  return absl::OkStatus();
}

// Two 2xx with the same key are the same call.
std::string StrayKey(const DialogState& dialog) {
  return absl::StrCat(dialog.call_id, "\n", dialog.from_tag, "\n", dialog.to_tag);
}

}  // namespace

// One leg as SIP sees it. The stack's objects hang on it and never outlive it undetached: their
// pointers are reused by the stack after destruction, so nothing is ever looked up by them.
struct Leg {
  enum class State {
    kCalling,     // INVITE sent, nothing heard
    kProceeding,  // a 1xx was heard
    kAnswered,    // 2xx heard, ACK not sent
    kUp,          // ACK sent
    kEnding,      // our BYE is under way
    kOver,        // failed, or ended by either side
  };
  SofiaSignaling::Impl* owner = nullptr;
  LegId id;
  State state = State::kCalling;
  bool cancelled = false;
  std::string branch;
  DialogState dialog;  // up to the 2xx only what we chose ourselves
  nta_leg_t* nta = nullptr;
  nta_outgoing_t* invite = nullptr;
  nta_outgoing_t* bye = nullptr;
};

class SofiaSignaling::Impl {
 public:
  Impl(const SofiaConfig& config, SofiaLoop& loop, Log& log, call::SignalingEvents& events)
      : config_(config), loop_(loop), log_(log), events_(events) {}
  ~Impl();

  absl::Status Open();
  absl::Status Invite(const call::InviteRequest& request);
  void Cancel(LegId id);
  void Ack(LegId id);
  void Bye(LegId id, int q850_cause);
  void Forget(LegId id);
  void ByeOrphan(const DialogState& dialog);
  void CancelOrphan(const call::Signaling::OrphanInvite& invite);
  void AddPeer(absl::string_view host);
  void OnStray(msg_t* msg);

  int local_port() const { return local_port_; }
  int fd() const { return fd_; }
  bool filtering() const { return filtering_; }
  const SofiaCounters& counters() const { return counters_; }

  // While one is alive, events wait: none comes from inside a call into Signaling.
  class Entered {
   public:
    explicit Entered(Impl& impl) : impl_(impl) {
      OUTPACE_CHECK(impl_.loop_.OnLoopThread());
      ++impl_.depth_;
    }
    ~Entered() { --impl_.depth_; }

   private:
    Impl& impl_;
  };

 private:
  static int AgentCallback(void* magic, nta_agent_t* agent, msg_t* msg, sip_t* sip);
  static int InviteCallback(Leg* leg, nta_outgoing_t* orq, const sip_t* sip);
  static int ByeCallback(Leg* leg, nta_outgoing_t* orq, const sip_t* sip);
  static int LegCallback(Leg* leg, nta_leg_t* nta, nta_incoming_t* irq, const sip_t* sip);

  void OnRequestOutside(msg_t* msg, const sip_t& sip);
  void OnInviteResponse(Leg& leg, nta_outgoing_t* orq, const sip_t* sip);
  int OnRequestInside(Leg& leg, nta_incoming_t* irq, const sip_t& sip);
  int OnOffer(Leg& leg, nta_incoming_t* irq, const sip_t& sip);
  int Refuse(nta_incoming_t* irq, int status);

  Leg* Find(LegId id);
  bool IsPeer(absl::string_view host) const { return peers_.contains(CanonicalHost(host)); }
  nta_leg_t* MakeDialog(const DialogState& dialog, Leg* magic, nta_request_f* callback);
  bool SendAck(nta_leg_t* nta, const DialogState& dialog, absl::string_view branch);
  nta_outgoing_t* SendBye(nta_leg_t* nta, const DialogState& dialog, int q850_cause, Leg* magic);
  void EndUnknownDialog(const DialogState& dialog, absl::string_view branch);
  void AckFailure(msg_t* msg, const sip_t& sip);
  bool IsOurs(const sip_t& sip) const;
  void SetFilter();
  void HeardFromInvite(Leg& leg);
  // Runs `event` now when no call into Signaling is under way, else in the loop's next turn.
  void Deliver(Loop::Task event);
  void Failed(absl::string_view what, const Leg* leg);

  const SofiaConfig config_;
  SofiaLoop& loop_;
  Log& log_;
  call::SignalingEvents& events_;
  nta_agent_t* agent_ = nullptr;
  int fd_ = -1;
  int local_port_ = 0;
  std::string via_host_;
  std::string contact_;
  int depth_ = 0;
  bool filtering_ = false;
  size_t unanswered_ = 0;
  size_t learned_peers_ = 0;
  SofiaCounters counters_;
  absl::btree_set<std::string> peers_;  // canonical
  absl::flat_hash_map<LegId, std::unique_ptr<Leg>> legs_;
  absl::flat_hash_map<std::string, LegId> by_call_id_;
  // 2xx that were ended lately: the next copy is ACKed again but not ended again.
  absl::flat_hash_set<std::string> strays_;
  std::deque<std::pair<MonoTime, std::string>> strays_by_age_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// ---- the agent ----

absl::Status SofiaSignaling::Impl::Open() {
  OUTPACE_CHECK(loop_.OnLoopThread());
  const std::string bind = CanonicalHost(config_.bind_address);
  if (bind.empty()) return absl::InvalidArgumentError("sip: bind address is not numeric");
  via_host_ = config_.public_host.empty() ? bind : config_.public_host;
  if (absl::StrContains(via_host_, ':')) via_host_ = absl::StrCat("[", via_host_, "]");
  if (!ParseSipUri(absl::StrCat("sip:", via_host_)).ok()) {
    return absl::InvalidArgumentError("sip: public host is not a host");
  }
  if (config_.port < 0 || config_.port > 65535) {
    return absl::InvalidArgumentError("sip: port out of range");
  }
  for (const std::string& peer : config_.peers) {
    const std::string canonical = CanonicalHost(peer);
    if (canonical.empty())
      return absl::InvalidArgumentError("sip: a peer is not a numeric address");
    peers_.insert(canonical);
  }

  const bool v6 = absl::StrContains(bind, ':');
  const std::string url =
      absl::StrCat("sip:", via_host_, ":", config_.port == 0 ? "*" : absl::StrCat(config_.port),
                   ";transport=udp;maddr=", v6 ? "[" : "", bind, v6 ? "]" : "");
  const uint64_t resolvers = ResolversRefused();
  agent_ = nta_agent_create(
      loop_.root(), URL_STRING_MAKE(url.c_str()), AgentCallback, this,
      // As user agent nta answers retransmitted requests, sends the 2xx of a re-INVITE until its
      // ACK comes, and hands second forks to nta_msg_ackbye(), which is ours.
      NTATAG_UA(1), NTATAG_PASS_100(1), NTATAG_USE_SRV(0), NTATAG_USE_NAPTR(0),
      NTATAG_SERVER_RPORT(2), NTATAG_CLIENT_RPORT(1),
      NTATAG_SIP_T1(static_cast<unsigned>(absl::ToInt64Milliseconds(config_.t1))),
      NTATAG_SIP_T1X64(static_cast<unsigned>(absl::ToInt64Milliseconds(config_.t1x64))),
      // By default an INVITE over 1,300 bytes waits 4 s for TCP before it goes by UDP.
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

  const su_addrinfo_t* address = tport_get_address(tport_primaries(nta_agent_tports(agent_)));
  OUTPACE_CHECK(address != nullptr && address->ai_addr != nullptr);
  const auto* bound = reinterpret_cast<const su_sockaddr_t*>(address->ai_addr);
  local_port_ = ntohs(bound->su_port);
  fd_ = FindUdpSocket(address->ai_addr);
  contact_ = absl::StrCat("<sip:outpace@", via_host_, ":", local_port_, ">");
  if (fd_ < 0 || ReceiveBufferBytes(fd_) < kGoodBufferBytes) {
    log_.Warning("sip.receive_buffer_small",
                 {{"granted_bytes", fd_ < 0 ? 0 : ReceiveBufferBytes(fd_)},
                  {"asked_bytes", config_.udp_buffer_bytes},
                  {"remedy", "raise net.core.rmem_max"}});
  }
  SetFilter();
  log_.Info("sip.open", {{"port", local_port_}, {"strangers_dropped", filtering_}});
  return absl::OkStatus();
}

SofiaSignaling::Impl::~Impl() {
  OUTPACE_CHECK(loop_.OnLoopThread());
  for (auto& [id, leg] : legs_) {
    if (leg->invite != nullptr) nta_outgoing_destroy(leg->invite);
    if (leg->bye != nullptr) nta_outgoing_destroy(leg->bye);
    nta_leg_destroy(leg->nta);
  }
  if (agent_ != nullptr) nta_agent_destroy(agent_);
}

void SofiaSignaling::Impl::AddPeer(absl::string_view host) {
  std::string canonical = CanonicalHost(host);
  if (canonical.empty() || peers_.contains(canonical)) return;
  if (learned_peers_ >= kLearnedPeersMax) {
    log_.Warning("sip.peers_full", {{"peers", static_cast<uint64_t>(peers_.size())}});
    return;
  }
  ++learned_peers_;
  peers_.insert(std::move(canonical));
  SetFilter();
}

void SofiaSignaling::Impl::SetFilter() {
  if (!config_.drop_strangers || fd_ < 0 || absl::StrContains(config_.bind_address, ':')) return;
  std::vector<uint32_t> sources;
  for (const std::string& peer : peers_) {
    in_addr address{};
    if (inet_pton(AF_INET, peer.c_str(), &address) == 1) sources.push_back(ntohl(address.s_addr));
  }
  const absl::Status status = AdmitOnly(fd_, sources);
  if (filtering_ && !status.ok()) AdmitAll(fd_);  // an old filter would shut out the new peer
  filtering_ = status.ok();
  if (!status.ok()) log_.Warning("sip.source_filter_off", {{"why", status.message()}});
}

Leg* SofiaSignaling::Impl::Find(LegId id) {
  const auto it = legs_.find(id);
  return it != legs_.end() ? it->second.get() : nullptr;
}

void SofiaSignaling::Impl::Deliver(Loop::Task event) {
  if (depth_ == 0) {
    event();
    return;
  }
  loop_.After(absl::ZeroDuration(),
              [event = std::move(event), alive = std::weak_ptr<bool>(alive_)]() mutable {
                if (!alive.expired()) event();
              });
}

void SofiaSignaling::Impl::Failed(absl::string_view what, const Leg* leg) {
  ++counters_.send_failures;
  log_.Warning("sip.send_failed",
               {{"message", what}, {"leg", leg != nullptr ? leg->id.index : 0u}});
}

// ---- requests we send ----

nta_leg_t* SofiaSignaling::Impl::MakeDialog(const DialogState& dialog, Leg* magic,
                                            nta_request_f* callback) {
  const std::string from = NameAddr(dialog.from_uri, dialog.from_tag);
  const std::string to = NameAddr(dialog.to_uri, dialog.to_tag);
  return nta_leg_tcreate(agent_, callback, magic, SIPTAG_CALL_ID_STR(dialog.call_id.c_str()),
                         SIPTAG_FROM_STR(from.c_str()), SIPTAG_TO_STR(to.c_str()), TAG_END());
}

absl::Status SofiaSignaling::Impl::Invite(const call::InviteRequest& request) {
  absl::StatusOr<std::string> hop = NumericHop(request.route_uri);
  if (!hop.ok()) return hop.status();
  if (absl::Status status = CheckIds(request.ids); !status.ok()) return status;
  for (const std::string* uri : {&request.request_uri, &request.from_uri}) {
    if (absl::StatusOr<SipUri> parsed = ParseSipUri(*uri); !parsed.ok()) return parsed.status();
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
  leg->branch = request.ids.branch;
  leg->dialog.call_id = request.ids.call_id;
  leg->dialog.from_uri = request.from_uri;
  leg->dialog.from_tag = request.ids.from_tag;
  leg->dialog.to_uri = request.request_uri;
  leg->dialog.next_hop = *hop;
  leg->dialog.cseq = 1;  // the number CancelOrphan() counts on
  leg->nta = MakeDialog(leg->dialog, leg.get(), LegCallback);
  if (leg->nta == nullptr) return absl::UnavailableError("invite: the stack made no dialog");
  AddPeer(ParseSipUri(*hop)->host);

  const std::string identity =
      config_.assert_identity ? absl::StrCat("P-Asserted-Identity: <", request.from_uri, ">") : "";
  leg->invite = nta_outgoing_tcreate(
      leg->nta, InviteCallback, leg.get(), URL_STRING_MAKE(hop->c_str()), SIP_METHOD_INVITE,
      URL_STRING_MAKE(request.request_uri.c_str()), SIPTAG_CSEQ_STR("1 INVITE"),
      NTATAG_BRANCH_KEY(request.ids.branch.c_str()), SIPTAG_CONTACT_STR(contact_.c_str()),
      SIPTAG_USER_AGENT_STR(OrNull(config_.user_agent)), SIPTAG_ALLOW_STR(kAllow),
      TAG_IF(!identity.empty(), SIPTAG_HEADER_STR(identity.c_str())),
      TAG_IF(!request.sdp_offer.empty(), SIPTAG_CONTENT_TYPE_STR("application/sdp")),
      TAG_IF(!request.sdp_offer.empty(), SIPTAG_PAYLOAD_STR(request.sdp_offer.c_str())), TAG_END());
  if (leg->invite == nullptr) {
    nta_leg_destroy(leg->nta);
    return absl::UnavailableError("invite: the stack could not send");
  }
  ++counters_.invites;
  ++unanswered_;
  by_call_id_.emplace(request.ids.call_id, request.leg);
  legs_.emplace(request.leg, std::move(leg));
  return absl::OkStatus();
}

void SofiaSignaling::Impl::Cancel(LegId id) {
  Leg* leg = Find(id);
  if (leg == nullptr) {
    ++counters_.unknown_legs;
    return;
  }
  if (leg->invite == nullptr || leg->cancelled) return;
  leg->cancelled = true;
  // The stack holds it back until a 1xx comes (RFC 3261 9.1). The transaction stays ours: if a 200
  // crosses the CANCEL, the shard must learn of the answer.
  nta_outgoing_tcancel(leg->invite, nullptr, nullptr, TAG_NULL());
}

bool SofiaSignaling::Impl::SendAck(nta_leg_t* nta, const DialogState& dialog,
                                   absl::string_view branch) {
  const DialogRoute route =
      RouteInDialog(dialog, [this](absl::string_view host) { return IsPeer(host); });
  const std::string cseq = absl::StrCat(dialog.cseq, " ACK");
  const std::string invite_branch(branch);
  // The stack's own idea of an ACK aborts the process in two cases: when a later request of the leg
  // has moved its CSeq on, and when the INVITE's transaction is gone. So CSeq and branch are given,
  // and it keeps no ACK of its own: that would vanish after T1X64 while the far end may repeat its
  // 2xx for 32 s. Each repeated 2xx reaches OnStray() and is ACKed from there.
  return nta_outgoing_tcreate(
             nta, nullptr, nullptr, URL_STRING_MAKE(route.hop.c_str()), SIP_METHOD_ACK,
             URL_STRING_MAKE(route.request_uri.c_str()), SIPTAG_CSEQ_STR(cseq.c_str()),
             SIPTAG_ROUTE_STR(OrNull(route.route_header)),
             TAG_IF(!invite_branch.empty(), NTATAG_ACK_BRANCH(invite_branch.c_str())),
             SIPTAG_USER_AGENT_STR(OrNull(config_.user_agent)), NTATAG_STATELESS(1),
             TAG_END()) != nullptr;
}

nta_outgoing_t* SofiaSignaling::Impl::SendBye(nta_leg_t* nta, const DialogState& dialog,
                                              int q850_cause, Leg* magic) {
  const DialogRoute route =
      RouteInDialog(dialog, [this](absl::string_view host) { return IsPeer(host); });
  const std::string cseq = absl::StrCat(dialog.cseq + 1, " BYE");
  const std::string reason = ReasonHeader(q850_cause);
  return nta_outgoing_tcreate(
      nta, magic != nullptr ? ByeCallback : nullptr, magic, URL_STRING_MAKE(route.hop.c_str()),
      SIP_METHOD_BYE, URL_STRING_MAKE(route.request_uri.c_str()), SIPTAG_CSEQ_STR(cseq.c_str()),
      SIPTAG_ROUTE_STR(OrNull(route.route_header)), SIPTAG_REASON_STR(reason.c_str()),
      SIPTAG_USER_AGENT_STR(OrNull(config_.user_agent)), TAG_END());
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
  if (!SendAck(leg->nta, leg->dialog, leg->branch)) Failed("ACK", leg);
}

void SofiaSignaling::Impl::Bye(LegId id, int q850_cause) {
  Leg* leg = Find(id);
  if (leg == nullptr) {
    ++counters_.unknown_legs;
    return;
  }
  if (leg->invite != nullptr) {  // no dialog yet that a BYE could end
    Cancel(id);
    return;
  }
  Ack(id);  // a 2xx must be ACKed before its BYE (RFC 3261 15)
  if (leg->state != Leg::State::kUp) return;
  leg->state = Leg::State::kEnding;
  leg->bye = SendBye(leg->nta, leg->dialog, q850_cause, leg);
  if (leg->bye == nullptr) {
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
  if (leg->invite != nullptr) {
    Cancel(id);  // only a cancelled transaction outlives its handle and ACKs what still comes
    nta_outgoing_destroy(leg->invite);
  }
  if (leg->state == Leg::State::kAnswered || leg->state == Leg::State::kUp)
    Bye(id, kNormalClearing);
  if (leg->bye != nullptr) nta_outgoing_destroy(leg->bye);  // goes on retransmitting by itself
  nta_leg_destroy(leg->nta);
  by_call_id_.erase(leg->dialog.call_id);
  legs_.erase(id);
}

// ---- recovery and strays ----

void SofiaSignaling::Impl::EndUnknownDialog(const DialogState& dialog, absl::string_view branch) {
  nta_leg_t* nta = MakeDialog(dialog, nullptr, nullptr);
  if (nta == nullptr) {
    Failed("dialog", nullptr);
    return;
  }
  if (!branch.empty() && !SendAck(nta, dialog, branch)) Failed("ACK", nullptr);
  // Not the stateless BYE of the stack's nta_msg_ackbye(): this one is retransmitted.
  nta_outgoing_t* bye = SendBye(nta, dialog, kNormalClearing, nullptr);
  if (bye == nullptr) Failed("BYE", nullptr);
  nta_leg_destroy(nta);
}

void SofiaSignaling::Impl::ByeOrphan(const DialogState& dialog) {
  const absl::StatusOr<std::string> hop = NumericHop(dialog.next_hop);
  if (!hop.ok() || !IsCallId(dialog.call_id) || !IsToken(dialog.from_tag) ||
      !ParseSipUri(dialog.from_uri).ok() || !ParseSipUri(dialog.to_uri).ok()) {
    log_.Warning("sip.orphan_unusable", {});
    return;
  }
  AddPeer(ParseSipUri(*hop)->host);
  DialogState checked = dialog;
  checked.next_hop = *hop;
  EndUnknownDialog(checked, "");
}

void SofiaSignaling::Impl::CancelOrphan(const call::Signaling::OrphanInvite& invite) {
  const absl::StatusOr<std::string> hop = NumericHop(invite.route_uri);
  if (!hop.ok() || !CheckIds(invite.ids).ok() || !ParseSipUri(invite.request_uri).ok() ||
      !ParseSipUri(invite.from_uri).ok()) {
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
  // branch; the Via's host and port are the same because the port is.
  nta_outgoing_t* cancel =
      nta_outgoing_tcreate(nta, nullptr, nullptr, URL_STRING_MAKE(hop->c_str()), SIP_METHOD_CANCEL,
                           URL_STRING_MAKE(invite.request_uri.c_str()), SIPTAG_CSEQ_STR("1 CANCEL"),
                           NTATAG_BRANCH_KEY(invite.ids.branch.c_str()),
                           SIPTAG_USER_AGENT_STR(OrNull(config_.user_agent)), TAG_END());
  if (cancel == nullptr) Failed("CANCEL", nullptr);
  nta_leg_destroy(nta);
}

// True for a response whose only Via is the one we put on (RFC 3261 8.1.3.3).
bool SofiaSignaling::Impl::IsOurs(const sip_t& sip) const {
  const sip_via_t* via = sip.sip_via;
  if (via == nullptr || via->v_next != nullptr || via->v_host == nullptr) return false;
  const std::string port = absl::StrCat(local_port_);
  return absl::EqualsIgnoreCase(via->v_host, via_host_) &&
         View(via->v_port != nullptr ? via->v_port : SIP_DEFAULT_SERV) == port;
}

// ACK of a 3xx..6xx to an INVITE of a process that died, most often the 487 that our CancelOrphan()
// brought about; without it the far end repeats the response for 32 s (RFC 3261 17.1.1.3). To holds
// the Request-URI because our INVITEs put it there.
void SofiaSignaling::Impl::AckFailure(msg_t* msg, const sip_t& sip) {
  if (sip.sip_via->v_branch == nullptr) return;
  DialogState dialog = DialogOf(sip, HopTo(SourceOf(msg)));
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
  const Source source = SourceOf(msg);
  if (!IsPeer(source.host)) return;

  const auto by_call_id = by_call_id_.find(View(sip->sip_call_id->i_id));
  Leg* leg = by_call_id != by_call_id_.end() ? Find(by_call_id->second) : nullptr;
  if (leg != nullptr && leg->dialog.from_tag != View(sip->sip_from->a_tag)) leg = nullptr;
  if (sip->sip_status->st_status >= 300) {
    if (leg == nullptr) AckFailure(msg, *sip);
    return;  // of a leg we know, the stack ACKs them
  }
  const std::string branch(View(sip->sip_via->v_branch));
  const bool has_dialog =
      leg != nullptr && leg->invite == nullptr && leg->state != Leg::State::kOver;
  if (has_dialog && leg->dialog.to_tag == View(sip->sip_to->a_tag)) {
    if (leg->state == Leg::State::kAnswered) return;  // the shard has not ACKed yet
    ++counters_.acks_repeated;
    if (!SendAck(leg->nta, leg->dialog, leg->branch)) Failed("ACK", leg);
    return;
  }

  const DialogState dialog = DialogOf(*sip, leg != nullptr ? leg->dialog.next_hop : HopTo(source));
  const MonoTime now = loop_.clock().Mono();
  while (!strays_by_age_.empty() && (strays_by_age_.front().first <= now)) {
    strays_.erase(strays_by_age_.front().second);
    strays_by_age_.pop_front();
  }
  const std::string key = StrayKey(dialog);
  if (strays_.contains(key)) {
    ++counters_.acks_repeated;
    if (nta_leg_t* nta = MakeDialog(dialog, nullptr, nullptr); nta != nullptr) {
      if (!SendAck(nta, dialog, branch)) Failed("ACK", nullptr);
      nta_leg_destroy(nta);
    }
    return;
  }
  if (strays_.size() < kStraysMax) {
    strays_.insert(key);
    strays_by_age_.emplace_back(now + kStrayMemory, key);
  }
  ++counters_.strays_ended;
  log_.Info("sip.stray_answer_ended", {{"fork", leg != nullptr}});
  EndUnknownDialog(dialog, branch.empty() ? "z9hG4bK" : branch);
}

void EndStray(nta_agent_s* agent, msg_s* msg) {
  auto* impl = static_cast<SofiaSignaling::Impl*>(nta_agent_magic(agent));
  if (impl != nullptr) impl->OnStray(msg);
  msg_destroy(msg);
}

// ---- responses to our INVITE and BYE ----

void SofiaSignaling::Impl::HeardFromInvite(Leg& leg) {
  if (leg.state != Leg::State::kCalling) return;
  leg.state = Leg::State::kProceeding;
  --unanswered_;
}

int SofiaSignaling::Impl::InviteCallback(Leg* leg, nta_outgoing_t* orq, const sip_t* sip) {
  leg->owner->OnInviteResponse(*leg, orq, sip);
  return 0;
}

void SofiaSignaling::Impl::OnInviteResponse(Leg& leg, nta_outgoing_t* orq, const sip_t* sip) {
  const int status = nta_outgoing_status(orq);
  const LegId id = leg.id;
  HeardFromInvite(leg);
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
    leg.invite = nullptr;
    nta_outgoing_destroy(orq);
    Deliver([this, id, dialog = leg.dialog, sdp = std::move(sdp)] {
      events_.OnAnswer(id, dialog, sdp);
    });
    return;
  }
  Failure failure;
  failure.status = status;
  failure.local = nta_sip_is_internal(sip) != 0;
  if (sip != nullptr) {
    failure.q850_cause = CauseOf(*sip);
    failure.retry_after = RetryAfterOf(*sip);
    failure.phrase = PhraseOf(*sip);
  }
  leg.state = Leg::State::kOver;
  leg.invite = nullptr;
  nta_outgoing_destroy(orq);
  Deliver([this, id, failure = std::move(failure)] { events_.OnFailure(id, failure); });
}

int SofiaSignaling::Impl::ByeCallback(Leg* leg, nta_outgoing_t* orq, const sip_t*) {
  if (nta_outgoing_status(orq) < 200) return 0;
  Impl* self = leg->owner;
  const LegId id = leg->id;
  leg->state = Leg::State::kOver;
  leg->bye = nullptr;
  nta_outgoing_destroy(orq);
  self->Deliver([self, id] { self->events_.OnByeDone(id); });
  return 0;
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
  int status = 405;
  if (!IsPeer(SourceOf(msg).host)) {
    status = 403;
    ++counters_.strangers_refused;
  } else if (method == sip_method_options) {
    status = 200;
  } else if (method == sip_method_cancel || sip.sip_to->a_tag != nullptr) {
    status = 481;
  } else if (method == sip_method_invite) {
    status = 403;  // the dialer takes no calls
  } else if (method == sip_method_refer) {
    status = 603;
  } else if (method == sip_method_unknown) {
    status = 501;
  }
  if (status != 200) ++counters_.requests_refused;
  nta_msg_treply(agent_, msg, status, nullptr, SIPTAG_ALLOW_STR(kAllow),
                 TAG_IF(status == 200, SIPTAG_ACCEPT_STR("application/sdp")),
                 SIPTAG_SERVER_STR(OrNull(config_.user_agent)), TAG_END());
}

int SofiaSignaling::Impl::LegCallback(Leg* leg, nta_leg_t*, nta_incoming_t* irq, const sip_t* sip) {
  return leg->owner->OnRequestInside(*leg, irq, *sip);
}

int SofiaSignaling::Impl::Refuse(nta_incoming_t* irq, int status) {
  ++counters_.requests_refused;
  nta_incoming_treply(irq, status, nullptr, SIPTAG_ALLOW_STR(kAllow), TAG_END());
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
  const bool peer = request != nullptr && IsPeer(SourceOf(request).host);
  msg_destroy(request);
  if (!peer) {
    ++counters_.strangers_refused;
    return Refuse(irq, 403);
  }
  const bool up = leg.state == Leg::State::kAnswered || leg.state == Leg::State::kUp;
  switch (method) {
    case sip_method_bye: {
      if (leg.state == Leg::State::kEnding) return 200;  // the BYEs crossed
      if (!up) return Refuse(irq, 481);
      const LegId id = leg.id;
      const int cause = CauseOf(sip);
      leg.state = Leg::State::kOver;
      nta_incoming_treply(irq, SIP_200_OK, TAG_END());
      Deliver([this, id, cause] { events_.OnBye(id, cause); });
      return 200;
    }
    case sip_method_invite:
      if (leg.state == Leg::State::kUp) return OnOffer(leg, irq, sip);
      return Refuse(irq, leg.state == Leg::State::kAnswered ? 491 : 481);
    case sip_method_update:
      if (leg.state == Leg::State::kUp && !SdpOfMessage(sip).empty()) return OnOffer(leg, irq, sip);
      if (leg.state != Leg::State::kUp && sip.sip_payload != nullptr) return Refuse(irq, 491);
      nta_incoming_treply(irq, SIP_200_OK, SIPTAG_CONTACT_STR(contact_.c_str()), TAG_END());
      return 200;
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

// Re-INVITE, or UPDATE with an offer (RFC 3261 14.2, RFC 3311).
int SofiaSignaling::Impl::OnOffer(Leg& leg, nta_incoming_t* irq, const sip_t& sip) {
  const bool invite = sip.sip_request->rq_method == sip_method_invite;
  const LegId id = leg.id;
  const std::string target = ContactOf(sip);
  const std::string answer = events_.OnReinvite(id, SdpOfMessage(sip));
  if (answer.empty()) return Refuse(irq, 488);
  if (Leg* still = Find(id); still != nullptr && !target.empty()) {
    still->dialog.remote_target = target;  // target refresh (RFC 3261 12.2.2)
  }
  nta_incoming_treply(irq, SIP_200_OK, SIPTAG_CONTACT_STR(contact_.c_str()),
                      SIPTAG_ALLOW_STR(kAllow), SIPTAG_CONTENT_TYPE_STR("application/sdp"),
                      SIPTAG_PAYLOAD_STR(answer.c_str()), TAG_END());
  if (!invite) return 200;
  // The transaction stays with the stack, which repeats the 200 until the ACK comes. A callback may
  // not return 2xx for an INVITE; having replied and let go, what it returns does not matter.
  nta_incoming_destroy(irq);
  return 0;
}

// ---- the public face ----

absl::StatusOr<std::unique_ptr<SofiaSignaling>> SofiaSignaling::Create(
    const SofiaConfig& config, SofiaLoop& loop, Log& log, call::SignalingEvents& events) {
  auto impl = std::make_unique<Impl>(config, loop, log, events);
  if (absl::Status status = impl->Open(); !status.ok()) return status;
  return std::unique_ptr<SofiaSignaling>(new SofiaSignaling(std::move(impl)));
}

SofiaSignaling::SofiaSignaling(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SofiaSignaling::~SofiaSignaling() = default;

absl::Status SofiaSignaling::Invite(const call::InviteRequest& request) {
  const Impl::Entered entered(*impl_);
  return impl_->Invite(request);
}

void SofiaSignaling::Cancel(LegId leg) {
  const Impl::Entered entered(*impl_);
  impl_->Cancel(leg);
}

void SofiaSignaling::Ack(LegId leg) {
  const Impl::Entered entered(*impl_);
  impl_->Ack(leg);
}

void SofiaSignaling::Bye(LegId leg, int q850_cause) {
  const Impl::Entered entered(*impl_);
  impl_->Bye(leg, q850_cause);
}

void SofiaSignaling::Forget(LegId leg) {
  const Impl::Entered entered(*impl_);
  impl_->Forget(leg);
}

void SofiaSignaling::ByeOrphan(const call::DialogState& dialog) {
  const Impl::Entered entered(*impl_);
  impl_->ByeOrphan(dialog);
}

void SofiaSignaling::CancelOrphan(const OrphanInvite& invite) {
  const Impl::Entered entered(*impl_);
  impl_->CancelOrphan(invite);
}

void SofiaSignaling::AddPeer(absl::string_view host) { impl_->AddPeer(host); }
int SofiaSignaling::local_port() const { return impl_->local_port(); }
int SofiaSignaling::receive_buffer_bytes() const { return ReceiveBufferBytes(impl_->fd()); }
int SofiaSignaling::send_buffer_bytes() const { return SendBufferBytes(impl_->fd()); }
bool SofiaSignaling::strangers_dropped() const { return impl_->filtering(); }
const SofiaCounters& SofiaSignaling::counters() const { return impl_->counters(); }

}  // namespace outpace::sip
