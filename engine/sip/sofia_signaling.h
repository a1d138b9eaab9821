#pragma once

// SIP over Sofia's transaction layer (nta), one agent and one port a call shard. nta and not
// nua: half the CPU and a quarter of the memory a call, and no offer/answer engine to fight. What
// nta of Debian 12 gets wrong is worked around here; docs/decisions/sofia-sip.md lists the traps.
//
// Three rules hold for everything this class sends and takes:
// - No name is ever resolved. Next hops are numeric, and the stack is given no resolver.
// - SIP leaves for, and is taken from, peers only: the configured ones and each next hop an INVITE
//   was ever sent to. What the far end writes into Contact and Record-Route cannot aim a packet at
//   anyone else.
// - A call the far end believes in is ended: stray 2xx responses (forks, and INVITEs of a process
//   that died) are ACKed and ended with a BYE that is retransmitted.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/base/log.h"
#include "engine/call/signaling.h"
#include "engine/sip/sofia_loop.h"
#include "engine/sip/stream_limits.h"
#include "engine/sip/transport.h"
#include "engine/trace/wire_tap.h"

namespace outpace::sip {

// What SIP itself has to know of a trunk.
struct SipTrunk {
  std::string name;                    // for log lines
  std::vector<std::string> addresses;  // numeric; more by SetTrunkAddresses()
  Transport transport = Transport::kUdp;
  // TLS: the name its certificate must carry (subjectAltName, or CN where there is none); empty:
  // the address we connect to.
  std::string tls_name;
  // Digest (RFC 7616, RFC 8760): a challenge is answered only when it comes from one of
  // `addresses`, on a request that went there, for this realm (empty: the first realm the trunk
  // names), and never with a weaker algorithm than the trunk has offered before. No user: no
  // challenge is answered.
  std::string auth_user;
  std::string auth_password;
  std::string auth_realm;
  // Register(): "sip:user@domain", with the domain also in the Request-URI.
  std::string register_aor;
  absl::Duration register_expires = absl::Hours(1);
  bool hundred_rel = false;                               // Supported: 100rel, and PRACK (RFC 3262)
  absl::Duration session_expires = absl::ZeroDuration();  // RFC 4028; zero: we ask for none
  std::vector<std::string> inbound_numbers;  // user parts of Request-URIs we take calls for
};

struct SofiaConfig {
  std::string bind_address = "127.0.0.1";  // numeric
  int port = 0;                            // 0: any free one, see local_port()
  std::string public_host;                 // host in Via and Contact; empty: bind_address
  std::string user_agent = "Outpace";
  // TCP and TLS are listened on when a trunk uses them: TCP on `port` (0: any free one), TLS on
  // `tls_port`. All of them on bind_address, whose family the next hops must be of.
  bool tcp = false;  // also without such a trunk, for agents' phones
  int tls_port = 0;  // 0: any free one
  // PEM files. Without a certificate, connections to our TLS port are refused, and trunks that ask
  // for one refuse ours.
  std::string tls_certificate_file;  // ours, then its intermediates
  std::string tls_private_key_file;
  std::string tls_ca_file;  // who may sign a trunk's certificate; empty: the system's authorities
  bool tls_clients_show_certificates = false;  // trunks that connect to us must, too
  StreamLimits streams;                        // of TCP and TLS connections
  std::vector<std::string> peers;              // numeric addresses we take SIP from
  std::vector<SipTrunk> trunks;  // InviteRequest::trunk indexes it; their addresses are peers too
  // Datagrams of other sources are dropped: by the kernel (IPv4), and by our own receive filter
  // before the stack (IPv6, and where the kernel refuses). When false, their requests are answered
  // 403 without keeping state, up to 16 in 2 s; then the source is not heard for 300 s.
  bool drop_strangers = true;
  // Is shown every SIP message sent and taken, over TLS before encryption; may be null, else
  // outlives the signaling.
  trace::WireTap* tap = nullptr;
  bool assert_identity =
      false;  // P-Asserted-Identity with the caller ID (RFC 3325), trusted trunks
  absl::Duration t1 = absl::Milliseconds(500);  // first retransmission (RFC 3261 17.1.1.1)
  // Time-out of INVITE without any response, and of BYE. The RFC's 32 s keep a dead trunk's INVITEs
  // in a list that the stack walks for each retransmission.
  absl::Duration t1x64 = absl::Seconds(10);
  int udp_buffer_bytes = 4 << 20;  // asked for each way
  uint64_t seed = 1;               // of the random wait after a glare (RFC 3261 14.1)
  // Calls that trunks offer and nobody has taken yet; more are refused with 503.
  size_t offered_calls_max = 50;
  int message_bytes_max = 64 << 10;
  int proceeding_max = 1'000;             // requests from outside in progress
  size_t unanswered_invites_max = 2'000;  // INVITEs without a 1xx yet; more: ResourceExhausted
};

// Since start. Loop thread.
struct SofiaCounters {
  uint64_t invites = 0;
  uint64_t strangers_refused = 0;  // requests answered 403
  uint64_t strangers_dropped = 0;  // datagrams the receive filter dropped; the kernel's are extra
  uint64_t strangers_banned = 0;   // times a source was banned
  uint64_t datagrams_in = 0;       // handed to the stack
  uint64_t datagrams_out = 0;
  uint64_t datagram_reads = 0;        // system calls that brought datagrams
  uint64_t datagrams_wrong_size = 0;  // under 16 bytes or over 20 KiB: dropped
  uint64_t requests_refused = 0;      // other requests answered 4xx..6xx
  uint64_t strays_ended = 0;          // 2xx that were forks or orphans: ACKed and ended
  uint64_t acks_repeated = 0;         // for a 2xx that came again
  uint64_t send_failures = 0;         // ACK, BYE or CANCEL the stack would not build or send
  uint64_t sessions_expired = 0;      // calls ended because no refresh came
  uint64_t offers_refused = 0;        // calls offered by trunks: wrong number, too many
  uint64_t challenges_answered = 0;   // 401 and 407 that we answered
  uint64_t unknown_legs = 0;          // commands for a leg that is not there
  StreamCounters streams;             // of TCP and TLS connections
};

class SofiaSignaling final : public call::Signaling {
 public:
  // On the loop's thread, best in Run()'s on_start; destroyed there too (on_stop). `loop`, `log`
  // and `events` outlive the object; events start with the first INVITE. InvalidArgument: an
  // address or name in `config` is malformed. Unavailable: the port is taken.
  static absl::StatusOr<std::unique_ptr<SofiaSignaling>> Create(const SofiaConfig& config,
                                                                SofiaLoop& loop, Log& log,
                                                                call::SignalingEvents& events);
  ~SofiaSignaling() override;

  // InvalidArgument: an id or URI is malformed, or route_uri is not numeric (names are never
  // resolved). AlreadyExists: the leg has an INVITE. ResourceExhausted: too many INVITEs without an
  // answer. Unavailable: the stack cannot send. In all these cases nothing was sent.
  // InvalidArgument also for a header that may not be set. A 401 or 407 is a Failure unless the
  // trunk's credentials answer it (SipTrunk). A 3xx is a Failure: redirects are not followed.
  absl::Status Invite(const call::InviteRequest& request) override;
  void Cancel(LegId leg) override;
  void GiveUp(LegId leg) override;
  void Ack(LegId leg) override;
  void Bye(LegId leg, int q850_cause) override;
  void Forget(LegId leg) override;
  void ByeOrphan(const call::DialogState& dialog) override;
  void CancelOrphan(const OrphanInvite& invite) override;
  void SetTrunkAddresses(uint16_t trunk, const std::vector<std::string>& addresses) override;
  // InvalidArgument: no SDP. AlreadyExists: the leg is in use. A call is offered for 10 s.
  absl::Status Accept(LegId leg, uint64_t call, absl::string_view sdp) override;
  void Refuse(uint64_t call, int status) override;
  // A route that is not numeric ends in OnProbe() too. OPTIONS without an answer: T1X64.
  void Ping(uint16_t trunk, const std::string& route_uri) override;
  // Refreshes at 80 % of what the registrar granted; after a failure, waits 5 s, and twice as long
  // each time, to 5 minutes.
  void Register(uint16_t trunk, const std::string& route_uri) override;
  void Unregister(uint16_t trunk) override;

  // Adds a source we take SIP from; numeric, else ignored. Invite() does this for its next hop.
  void AddPeer(absl::string_view host);

  int local_port(Transport transport = Transport::kUdp) const;  // 0: not open
  int receive_buffer_bytes() const;  // granted, as the kernel counts; 0 if unknown
  int send_buffer_bytes() const;
  bool strangers_dropped() const;     // the kernel filter is in place
  size_t stream_connections() const;  // TCP and TLS, either way
  SofiaCounters counters() const;

  class Impl;  // for the .cc files of this folder

 private:
  explicit SofiaSignaling(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace outpace::sip
