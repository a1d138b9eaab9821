#pragma once

// The inside of SofiaSignaling, shared by its .cc files: sofia_agent.cc opens the port and keeps
// the peers, sofia_send.cc makes the requests, sofia_receive.cc takes what comes in. Includes
// Sofia.

namespace outpace::sip {
struct Leg;
struct Request;
}  // namespace outpace::sip
// The contexts that nta hands back to our callbacks must be named before its headers: so all of
// those are included here, and nowhere else.
#define NTA_AGENT_MAGIC_T void
#define NTA_LEG_MAGIC_T ::outpace::sip::Leg
#define NTA_INCOMING_MAGIC_T ::outpace::sip::Leg
#define NTA_OUTGOING_MAGIC_T ::outpace::sip::Request
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tport.h>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "engine/base/check.h"
#include "engine/base/rng.h"
#include "engine/sip/datagram_path.h"
#include "engine/sip/peer_set.h"
#include "engine/sip/sip_text.h"
#include "engine/sip/sofia_message.h"
#include "engine/sip/sofia_signaling.h"
#include "engine/sip/stream_guard.h"
#include "engine/sip/stream_tap.h"
#include "engine/sip/trunk_auth.h"

namespace outpace::sip {

inline constexpr char kAllow[] = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE";
inline constexpr int kNormalClearing = 16;       // Q.850
inline constexpr int kTosCallSignalling = 0x60;  // CS3 (RFC 4594 4.1)

// Tag macros want const char*; NULL leaves the header out.
inline const char* OrNull(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

// A request of ours that waits for its response. Where the stack hands it back to us it is still
// alive: whoever destroys it takes it from the stack first.
struct Request {
  enum class Role : uint8_t { kInvite, kBye, kLastBye, kRefresh, kPrack, kOptions, kRegister };
  SofiaSignaling::Impl* owner = nullptr;
  Leg* leg = nullptr;  // of a dialog; else null
  Role role = Role::kInvite;
  int challenges_answered = 0;
  bool sent_again = false;  // after its connection broke
  nta_outgoing_t* handle = nullptr;
};

// The BYE of a call that is no leg (any more): kept only to answer a challenge to it.
struct LastBye : Request {
  uint16_t trunk = 0;
  call::DialogState dialog;
  uint32_t cseq = 0;
  int q850_cause = kNormalClearing;
};

// An OPTIONS under way.
struct OptionsPing : Request {
  uint16_t trunk = 0;
  MonoTime sent;
  std::string hop;
  std::string route_uri;  // as it was given to us
};

// What we keep up with a registrar. Call-ID and tag stay the same from start to end (RFC 3261
// 10.2.4).
struct Registration : Request {
  uint16_t trunk = 0;
  bool wanted = false;
  bool registered = false;
  bool minimum_tried = false;  // a 423 of this round has been followed
  std::string hop;
  std::string route_uri;  // as it was given to us
  std::string call_id;
  std::string from_tag;
  uint32_t cseq = 0;
  absl::Duration ask;      // the expiry we ask for; a 423 raises it
  absl::Duration backoff;  // zero after a success
  Loop::TimerId timer = 0;
};

// A PRACK under way, with all that is needed to send it again.
struct Prack : Request {
  call::DialogState dialog;  // the early dialog it belongs to
  std::string rack;
};

// One of the early dialogs of an INVITE, by its To-tag (RFC 3261 12.1, RFC 3262).
struct EarlyDialog {
  std::string to_tag;
  std::string remote_target;
  std::vector<std::string> route_set;
  uint32_t rseq = 0;  // of the last reliable provisional response
  std::string sdp;    // of the last one that had any: the answer, when the 2xx brings none
};

// The session timer of a leg, while it is on (RFC 4028).
struct Session {
  SessionTerms terms;
  Loop::TimerId refresh_timer = 0;
  Loop::TimerId give_up_timer = 0;
  MonoTime give_up_at;
  Request refresh;  // under way while it has a handle
  bool by_update = true;
  uint32_t cseq = 0;  // of the refresh
  bool minimum_tried = false;
};

// One leg as SIP sees it. The stack's objects hang on it and never outlive it undetached: their
// pointers are reused by the stack after destruction, so nothing is ever looked up by them.
struct Leg {
  enum class State {
    kCalling,     // INVITE sent, nothing heard
    kProceeding,  // a 1xx was heard
    kAnswered,    // 2xx heard, ACK not sent
    kOffered,     // their INVITE, not taken yet
    kAccepted,    // their INVITE, our 2xx sent, no ACK yet
    kUp,          // ACK sent, or heard
    kEnding,      // our BYE is under way
    kOver,        // failed, or ended by either side
  };
  SofiaSignaling::Impl* owner = nullptr;
  LegId id;
  State state = State::kCalling;
  bool cancelled = false;
  bool given_up = false;  // no further INVITE, whatever asks for one
  uint16_t trunk = call::kAgentTrunk;
  uint32_t invites = 1;      // sent so far; the n-th has CSeq n
  uint32_t next_cseq = 2;    // of our next request in the dialog
  call::DialogState dialog;  // up to the 2xx only what we chose ourselves
  nta_leg_t* nta = nullptr;
  Request invite;
  Request bye;
  int bye_cause = kNormalClearing;
  // To send the INVITE again, after a challenge; none when the trunk has nothing to answer it with.
  std::unique_ptr<call::InviteRequest> again;
  // (Proxy-)Authorization of the INVITE, which its ACK has to carry too (RFC 3261 13.2.2.4).
  std::string credentials;
  uint32_t remote_cseq = 0;  // of the last request of the far end; 0: none yet
  bool placed_by_us = true;  // so the Call-ID is ours: the longer wait after a glare
  bool far_updates = false;  // the far end takes UPDATE (RFC 3311)
  int64_t min_session = kMinSessionSeconds;  // raised by a 422
  std::string local_sdp;  // to refresh with; only where a session timer may need it
  std::vector<EarlyDialog> early;
  std::vector<std::unique_ptr<Prack>> pracks;
  std::unique_ptr<Session> session;
  // Their INVITE that waits for us (kOffered) or for its ACK (kAccepted; a late offer in kUp).
  nta_incoming_t* theirs = nullptr;
  bool offer_is_ours = false;  // the ACK brings the answer
  bool bye_wanted = false;     // as soon as that ACK has come (RFC 3261 15)
  uint64_t offered_call = 0;
  Loop::TimerId offer_timer = 0;
};

class SofiaSignaling::Impl {
 public:
  Impl(const SofiaConfig& config, SofiaLoop& loop, Log& log, call::SignalingEvents& events);
  ~Impl();

  absl::Status Open();
  absl::Status Invite(const call::InviteRequest& request);
  void Cancel(LegId id);
  void GiveUp(LegId id);
  void Ack(LegId id);
  void Bye(LegId id, int q850_cause);
  void Forget(LegId id);
  void ByeOrphan(const call::DialogState& dialog);
  void CancelOrphan(const call::Signaling::OrphanInvite& invite);
  void AddPeer(absl::string_view host);
  void SetTrunkAddresses(uint16_t trunk, const std::vector<std::string>& addresses);
  absl::Status Accept(LegId id, uint64_t call, absl::string_view sdp);
  void RefuseOffered(uint64_t call, int status);
  void SendPing(uint16_t trunk, const std::string& route_uri);
  void Register(uint16_t trunk, const std::string& route_uri);
  void Unregister(uint16_t trunk);
  void OnStray(msg_t* msg);

  int local_port(Transport transport) const;  // 0: not open
  int fd() const { return fd_; }
  bool filtering() const { return filtering_; }
  SofiaCounters counters() const;
  size_t stream_connections() const { return streams_ != nullptr ? streams_->connections() : 0; }

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
  static int ResponseCallback(Request* request, nta_outgoing_t* orq, const sip_t* sip);
  static int LegCallback(Leg* leg, nta_leg_t* nta, nta_incoming_t* irq, const sip_t* sip);
  static int AckCancelCallback(Leg* leg, nta_incoming_t* irq, const sip_t* sip);

  // sofia_incoming.cc: calls that a trunk offers us.
  void OnInviteOutside(msg_t* msg, const sip_t& sip);
  int CheckOffer(const sip_t& sip, const Source& source, uint16_t* trunk, std::string* number);
  void Offer(msg_t* msg, const sip_t& sip, uint16_t trunk, std::string number);
  void DropOffer(uint64_t call, int status, bool tell);
  void OnCancelled(Leg& leg);
  void OnAcked(Leg& leg, const sip_t& ack);
  void OnNeverAcked(Leg& leg);

  // sofia_inside.cc: requests of the far end inside a dialog.
  int OnByeReceived(Leg& leg, nta_incoming_t* irq, const sip_t& sip);
  int OnUpdate(Leg& leg, nta_incoming_t* irq, const sip_t& sip);
  int OnEarlyUpdate(Leg& leg, nta_incoming_t* irq, const sip_t& sip);
  int RefuseWith(nta_incoming_t* irq, int status, const char* header_line);

  // sofia_session.cc: session timers.
  void SetSession(Leg& leg, const std::optional<SessionTerms>& terms);
  void CancelSessionTimers(Leg& leg);
  void StopSession(Leg& leg);
  void Refresh(LegId id);
  void RefreshLater(Leg& leg, absl::Duration wait);
  bool SendRefresh(Leg& leg, const std::string& credentials);
  void OnRefreshResponse(Leg& leg, nta_outgoing_t* orq, const sip_t* sip);
  bool TryRefreshAgain(Leg& leg, int status, const sip_t* sip);
  void GiveUpSession(LegId id, int q850_cause);
  absl::Duration GlareWait(const Leg& leg);

  // sofia_prack.cc: early dialogs.
  bool OnReliable(Leg& leg, const sip_t& sip);  // false: not to be handled any further
  bool SendPrack(Leg& leg, Prack& prack, const std::string& credentials);
  void OnPrackResponse(Prack& prack, nta_outgoing_t* orq, const sip_t* sip);
  EarlyDialog* FindEarly(Leg& leg, absl::string_view to_tag);

  // Frees what the stack holds for the leg; it goes on by itself with what it must.
  void Detach(Leg& leg);
  // What a journal needs to end the dialog after a crash.
  call::DialogState Journal(const Leg& leg) const;
  const SipTrunk* TrunkOf(const Leg& leg) const;

  void OnRequestOutside(msg_t* msg, const sip_t& sip);
  void OnInviteResponse(Leg& leg, nta_outgoing_t* orq, const sip_t* sip);
  void OnByeResponse(Leg& leg, nta_outgoing_t* orq, const sip_t* sip);
  void OnPingResponse(OptionsPing& ping, nta_outgoing_t* orq, const sip_t* sip);
  void OnRegisterResponse(Registration& line, nta_outgoing_t* orq, const sip_t* sip);
  void OnRegistered(Registration& line, const sip_t& sip);
  void OnRegisterFailed(Registration& line, int status, absl::Duration retry_after,
                        absl::string_view reason);
  absl::Duration GrantedExpiry(const sip_t& sip, absl::Duration asked) const;
  // The dialog object to send a request with CSeq `cseq` through. The stack counts by object,
  // whatever number it is given, and knows nothing of what went through another (a PRACK): where
  // it would take the wrong number, this is an object of its own, for the moment.
  class Through {
   public:
    Through(Impl& impl, nta_leg_t* nta, const call::DialogState& dialog, uint32_t cseq);
    ~Through();
    Through(const Through&) = delete;
    Through& operator=(const Through&) = delete;
    nta_leg_t* get() const { return own_ != nullptr ? own_ : given_; }

   private:
    nta_leg_t* given_;
    nta_leg_t* own_ = nullptr;
  };
  // `credentials`: the header line, or empty.
  nta_outgoing_t* SendOptions(OptionsPing& ping, const std::string& credentials);
  bool SendRegister(Registration& line, const std::string& credentials);
  // Sends the INVITE a further time after a final response that asks for it. False: it stands.
  bool TryInviteAgain(Leg& leg, nta_outgoing_t* orq, const sip_t* sip);
  // The header that answers the challenge `orq` met, empty if there is none to be answered; counts
  // it.
  std::string Credentials(Request& request, uint16_t trunk, nta_outgoing_t* orq, const sip_t* sip);
  int OnRequestInside(Leg& leg, nta_incoming_t* irq, const sip_t& sip);
  int OnOffer(Leg& leg, nta_incoming_t* irq, const sip_t& sip);
  int Refuse(nta_incoming_t* irq, int status);

  Leg* Find(LegId id);
  nta_leg_t* MakeDialog(const call::DialogState& dialog, Leg* magic, nta_request_f* callback);
  DialogRoute RouteOf(const call::DialogState& dialog) const;
  uint32_t InvitesMax(uint16_t trunk) const;
  absl::Status SendInvite(Leg& leg, const call::InviteRequest& request);
  bool SendAck(nta_leg_t* nta, const call::DialogState& dialog, uint32_t cseq,
               const std::string& credentials);
  struct ByeText {
    uint32_t cseq = 2;
    int q850_cause = kNormalClearing;
    std::string credentials{};
  };
  nta_outgoing_t* SendBye(nta_leg_t* nta, const call::DialogState& dialog, const ByeText& text,
                          Request* magic);
  // Ends a call without a leg to tell.
  void SendLastBye(const call::DialogState& dialog, uint32_t cseq, int q850_cause);
  void OnLastByeResponse(LastBye& bye, nta_outgoing_t* orq, const sip_t* sip);
  enum class Before { kNothing, kAck };
  void EndUnknownDialog(const call::DialogState& dialog, Before bye, uint32_t bye_cseq);
  void EndStrayCall(const call::DialogState& dialog, const Leg* fork_of);
  void AckFailure(msg_t* msg, const sip_t& sip);
  bool IsOurs(const sip_t& sip) const;
  void TakeOverDatagrams();
  absl::Status OpenStreams();
  absl::Status OpenStream(Transport transport, int port);
  void Listening(Transport transport, int port);
  // HopUri() of a next hop that our transports and address can reach; else InvalidArgument.
  absl::StatusOr<std::string> UsableHop(absl::string_view route_uri) const;
  // Our Contact for a dialog over that next hop: it brings the far end's requests the same way.
  const std::string& ContactFor(absl::string_view next_hop) const;
  static bool IsStream(absl::string_view next_hop);  // TCP or TLS
  // Back the way a message came that the stack is handing us: over its connection, if it has one.
  std::string SourceHop(msg_t* msg) const;
  bool IsTrunk(absl::string_view host) const;
  std::vector<std::string> TlsNamesOf(absl::string_view address) const;
  void SetFilter();
  void HeardFromInvite(Leg& leg);
  // Runs `task` after `delay`, unless this object is gone by then.
  Loop::TimerId Later(absl::Duration delay, Loop::Task task);
  // Runs `event` now when no call into Signaling is under way, else in the loop's next turn.
  void Deliver(Loop::Task event);
  void Failed(absl::string_view what, const Leg* leg);

  const SofiaConfig config_;
  SofiaLoop& loop_;
  Log& log_;
  call::SignalingEvents& events_;
  nta_agent_t* agent_ = nullptr;
  int fd_ = -1;
  struct Listener {
    int port = 0;
    std::string contact{};
  };
  std::array<Listener, kTransports> listeners_;
  std::string via_host_;
  int depth_ = 0;
  bool filtering_ = false;
  size_t unanswered_ = 0;
  SofiaCounters counters_;
  PeerSet peers_;
  Rng rng_;
  uint64_t next_call_ = 1;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Leg>> offers_;  // calls that wait to be taken
  DatagramPath datagrams_;
  std::unique_ptr<StreamTap> stream_tap_;
  std::unique_ptr<StreamGuard> streams_;                      // once TCP or TLS is open
  std::vector<TrunkAuth> trunks_;                             // as config_.trunks
  std::vector<std::unique_ptr<Registration>> registrations_;  // as config_.trunks
  absl::flat_hash_map<Request*, std::unique_ptr<OptionsPing>> pings_;
  absl::flat_hash_map<Request*, std::unique_ptr<LastBye>> last_byes_;
  absl::flat_hash_map<LegId, std::unique_ptr<Leg>> legs_;
  absl::flat_hash_map<std::string, LegId> by_call_id_;
  // 2xx that were ended lately: the next copy is ACKed again but not ended again.
  absl::flat_hash_set<std::string> strays_;
  std::deque<std::pair<MonoTime, std::string>> strays_by_age_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace outpace::sip
