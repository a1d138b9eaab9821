#pragma once

// What a call shard needs of SIP. The one real implementation is engine/sip (Sofia-SIP); tests and
// the simulator bring their own. All of it is used on the shard's thread only.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/ids.h"

namespace outpace::call {

// The names a dialog goes by on the wire. Chosen by the engine and stored durably *before* the
// INVITE leaves, so that a restarted engine can CANCEL or recognise a call that its predecessor
// placed. Call-ID and tags carry at least 64 random bits each: a stranger cannot guess them.
struct InviteIds {
  std::string call_id{};  // "op-<attempt id>-<random>": the attempt's id is in the Call-ID
  std::string from_tag{};
  std::string branch{};  // Via branch of the INVITE; begins with "z9hG4bK" (RFC 3261 8.1.1.7)
};

// A header to go into our INVITE: name and value as they stand on the wire, without CR or LF.
using SipHeader = std::pair<std::string, std::string>;

// A leg that goes over no configured trunk: an agent's phone.
inline constexpr uint16_t kAgentTrunk = 0xffff;

struct InviteRequest {
  LegId leg{};
  InviteIds ids{};
  // Whose credentials, transport and extensions (100rel, session timer) apply; index into the
  // configured trunks.
  uint16_t trunk = kAgentTrunk;
  // Numeric, "sip:192.0.2.10:5060" or "sip:[2001:db8::1]:5061;transport=tls": names are never
  // resolved here.
  std::string route_uri{};
  std::string request_uri{};  // "sip:+12025550100@192.0.2.10:5060"
  std::string from_uri{};     // "sip:+12025550199@198.51.100.1": the caller ID
  std::string sdp_offer{};
  std::vector<SipHeader> headers{};  // P-Asserted-Identity, Privacy, Diversion, Identity, X-...
};

// Everything needed to end a dialog from another process after a crash (RFC 3261 12.1.2).
struct DialogState {
  std::string call_id{};
  std::string from_uri{};
  std::string from_tag{};
  std::string to_uri{};
  std::string to_tag{};
  std::string remote_target{};           // the Contact of the 2xx
  std::vector<std::string> route_set{};  // Record-Route, already in the order we send it
  std::string next_hop{};                // route_uri of the INVITE
  uint32_t cseq = 1;                     // of the INVITE; the BYE takes the next
};

struct Failure {
  int status = 0;                // 300..699; local time-outs are 408, unreachable next hops 503
  bool local = false;            // made by our own stack, not received
  int q850_cause = 0;            // Reason: Q.850;cause= (RFC 3326), 0 if absent
  absl::Duration retry_after{};  // Retry-After, zero if absent, clamped to 5 minutes
  std::string phrase{};
};

// A call that a trunk offers us. It is refused with 480 unless somebody takes it (Accept()) or
// refuses it within the time a caller waits; a 100 has been sent.
struct IncomingCall {
  uint64_t call = 0;  // names it until it is taken or refused; never 0
  uint16_t trunk = 0;
  std::string call_id{};
  std::string from_user{};  // user part of P-Asserted-Identity if the trunk sent one, else of From
  std::string to_user{};    // user part of the Request-URI: the number that was called
  std::string sdp{};        // offer; empty: the far end wants ours in the 200
};

// What a trunk showed of itself apart from calls: the answer to our OPTIONS, or to our REGISTER.
struct TrunkProbe {
  enum class Kind { kOptions, kRegister };
  uint16_t trunk = 0;
  Kind kind = Kind::kOptions;
  bool ok = false;  // kOptions: it answered, whatever the status but 503; kRegister: registered now
  int status = 0;   // of the answer; 408 for none
  absl::Duration round_trip{};  // zero for no answer
  std::string reason{};         // for people, when not ok
  std::string route_uri{};      // as given to Ping() or Register(): which of its addresses it was
};

// Called on the shard's thread, never from inside a call into Signaling.
class SignalingEvents {
 public:
  virtual ~SignalingEvents() = default;
  // 1xx above 100 (also 100: status tells). `sdp` is empty when there is no body.
  virtual void OnProvisional(LegId leg, int status, absl::string_view sdp) = 0;
  // 2xx to our INVITE, first To-tag only; further forks are ACKed and ended below this interface.
  // Nothing was sent yet: the shard journals `dialog` and then calls Ack().
  virtual void OnAnswer(LegId leg, const DialogState& dialog, absl::string_view sdp) = 0;
  virtual void OnFailure(LegId leg, const Failure& failure) = 0;
  // The far end hung up; its BYE is answered already.
  virtual void OnBye(LegId leg, int q850_cause) = 0;
  // Our BYE got its final answer or timed out. The leg's signalling is over.
  virtual void OnByeDone(LegId leg) = 0;
  // Re-INVITE with a new offer, `sdp` empty for a late offer. The return value is our answer (or
  // offer); empty refuses with 488.
  virtual std::string OnReinvite(LegId leg, absl::string_view sdp) = 0;

  // The answer to an offer of ours in a 200: to a late offer (OnReinvite with an empty `sdp`) in
  // its ACK, or to a re-INVITE that refreshed the session with our last SDP.
  virtual void OnReinviteAnswer(LegId /*leg*/, absl::string_view /*sdp*/) {}

  virtual void OnIncoming(const IncomingCall& /*call*/) {}
  // The caller gave up, or nobody took the call in time. Never after Accept().
  virtual void OnIncomingGone(uint64_t /*call*/) {}
  // The ACK of the 200 that Accept() sent has come; `sdp` only if ours was the offer. Comes once.
  // When it never comes: OnFailure with a local 408, and the far end has been sent a BYE.
  virtual void OnIncomingUp(LegId /*leg*/, const DialogState& /*dialog*/,
                            absl::string_view /*sdp*/) {}
  virtual void OnProbe(const TrunkProbe& /*probe*/) {}
};

class Signaling {
 public:
  virtual ~Signaling() = default;
  // Sends the INVITE. ResourceExhausted or Unavailable: nothing was sent and no event will come.
  virtual absl::Status Invite(const InviteRequest& request) = 0;
  // Asks the far end to stop ringing. The INVITE transaction lives on until its final response,
  // which still comes as OnFailure (487) or OnAnswer (the 200 crossed our CANCEL: Ack() and Bye()
  // it). Before any 1xx the CANCEL is held back until one comes (RFC 3261 9.1).
  virtual void Cancel(LegId leg) = 0;
  // Nobody is to be rung by this leg any more, and it is too early for a CANCEL: no further INVITE
  // is made for it, whatever a challenge (401, 407) or a 422 asks for. The one that is out is
  // repeated until a response comes (RFC 3261 17.1.1.2), which is then cancelled.
  virtual void GiveUp(LegId /*leg*/) {}
  virtual void Ack(LegId leg) = 0;
  virtual void Bye(LegId leg, int q850_cause) = 0;
  // Drops all state of the leg. Only after OnFailure, OnBye or OnByeDone, or to give up on a leg
  // whose CANCEL or BYE was never answered; late messages for it are handled below this interface.
  virtual void Forget(LegId leg) = 0;

  // Recovery after a crash: ends what a predecessor left up or ringing. Fire and forget;
  // retransmits by the transaction layer.
  virtual void ByeOrphan(const DialogState& dialog) = 0;
  struct OrphanInvite {
    InviteIds ids{};
    std::string route_uri{};
    std::string request_uri{};
    std::string from_uri{};
    uint16_t trunk = kAgentTrunk;  // with credentials: the INVITE may have been sent a second time
  };
  // CANCEL with the branch of the lost INVITE. A 200 that comes for it is ACKed and ended.
  virtual void CancelOrphan(const OrphanInvite& invite) = 0;

  // Takes an offered call as `leg`: 200 with `sdp`. NotFound: it is gone.
  virtual absl::Status Accept(LegId /*leg*/, uint64_t /*call*/, absl::string_view /*sdp*/) {
    return absl::UnimplementedError("incoming calls are not taken here");
  }
  virtual void Refuse(uint64_t /*call*/, int /*status: 300..699*/) {}

  // The numeric addresses ("192.0.2.10", "2001:db8::1") that requests and challenges of a trunk may
  // come from, from now on; what was there before for this trunk counts no more.
  virtual void SetTrunkAddresses(uint16_t /*trunk*/,
                                 const std::vector<std::string>& /*addresses*/) {}
  // One OPTIONS to the trunk; its end is OnProbe().
  virtual void Ping(uint16_t /*trunk*/, const std::string& /*route_uri*/) {}
  // Registers now and keeps refreshing until Unregister(); each change is told by OnProbe().
  virtual void Register(uint16_t /*trunk*/, const std::string& /*route_uri*/) {}
  virtual void Unregister(uint16_t /*trunk*/) {}
};

}  // namespace outpace::call
