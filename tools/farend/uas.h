#pragma once

// The called side of SIP over UDP (RFC 3261 13, 17.2): server transactions, dialogs, and the one
// client transaction a called party needs, its BYE. It owns no socket and no clock: datagrams are
// handed in, a function sends them, timers come from the Loop. So the 32 s rules are tested in
// virtual time.
//
// What it does by itself: 100 after an INVITE, retransmission of finals until the ACK, the last
// answer again to a retransmitted request, 200 to CANCEL, BYE and OPTIONS. What it leaves to its
// owner: when to ring, how to answer, when to hang up.
//
// A CANCEL is matched by branch and Call-ID, not by the sent-by of the Via: a dialer that died and
// came back sends the CANCEL of its predecessor's INVITE from a new socket, and must be understood.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/loop.h"
#include "engine/base/rng.h"
#include "tools/farend/sip_message.h"
#include "tools/farend/udp.h"

namespace outpace::farend {

// One incoming call of this UAS. Rising, never used twice. 0: none.
using CallRef = uint64_t;

// Called on the loop's thread, from inside Uas::OnDatagram() or a timer; may call back into the
// Uas. `at` is the wall time at which the datagram came.
class UasEvents {
 public:
  virtual ~UasEvents() = default;
  // First INVITE of a call. The owner answers now or later, or calls Ignore(). `call_id` as on the
  // wire.
  virtual void OnInvite(CallRef call, const SipMessage& invite, absl::Time at) = 0;
  // The INVITE of a call we know: retransmitted (same branch, answered by the last response), or a
  // new one with a Call-ID that was used before (refused with 482).
  virtual void OnDuplicateInvite(absl::string_view call_id, bool retransmission, absl::Time at) = 0;
  // CANCEL while no final response was sent; the CANCEL has its 200. The owner calls Fail(call,
  // 487), or Answer() to act out a 200 that crosses the CANCEL.
  virtual void OnCancel(CallRef call, absl::Time at) = 0;
  // First ACK of our 200.
  virtual void OnAck(CallRef call, absl::Time at) = 0;
  // The peer hung up; its BYE has its 200. The call is over.
  virtual void OnBye(CallRef call, absl::Time at) = 0;
  // INVITE inside the dialog. Returns our session description; empty refuses with 488.
  virtual std::string OnReinvite(CallRef call, const SipMessage& invite, absl::Time at) = 0;
  // Our BYE was answered, with any final status. The call is over.
  virtual void OnByeDone(CallRef call) = 0;
  // A peer that should have spoken did not: no ACK for 32 s, or no answer to our BYE. The call is
  // over.
  virtual void OnLost(CallRef call, absl::string_view call_id, absl::string_view why) = 0;
};

struct UasOptions {
  Endpoint local;                               // for Contact and Via
  std::string user = "farend";                  // user part of the Contact
  absl::Duration t1 = absl::Milliseconds(500);  // RFC 3261 17.1.1.1
  absl::Duration t2 = absl::Seconds(4);
  absl::Duration t4 = absl::Seconds(5);
};

struct UasStats {
  uint64_t datagrams = 0;
  uint64_t malformed = 0;        // not SIP, or without the headers every message has
  uint64_t unmatched = 0;        // ACK, response or in-dialog request of no call we know
  uint64_t retransmissions = 0;  // ours
};

class Uas {
 public:
  using SendFn = std::function<void(Endpoint to, absl::string_view bytes)>;
  // `loop` and `events` outlive this object. `seed`: for tags and branches.
  Uas(Loop& loop, const UasOptions& options, uint64_t seed, SendFn send, UasEvents& events);
  ~Uas();
  Uas(const Uas&) = delete;
  Uas& operator=(const Uas&) = delete;

  void OnDatagram(Endpoint from, absl::string_view bytes, absl::Time at);

  // Sends 101..199; `sdp` empty: no body. Does nothing once a final response was sent.
  void Provisional(CallRef call, int status, absl::string_view sdp);
  // Sends 200 and repeats it until the ACK. False (and nothing sent) when a final was sent before.
  bool Answer(CallRef call, absl::string_view sdp);
  struct Refusal {
    int status = 486;       // 300..699
    std::string phrase{};   // empty: the usual one
    int q850_cause = 0;     // 0: no Reason header
    int retry_after_s = 0;  // 0: no Retry-After header
  };
  // Sends a failure response and repeats it until the ACK. False when a final was sent before.
  bool Fail(CallRef call, const Refusal& refusal);
  // Says nothing at all to this INVITE, nor to its retransmissions or its CANCEL: a dead trunk.
  void Ignore(CallRef call);
  // Hangs up an answered call; OnByeDone() or OnLost() follows. False, and nothing is sent, when
  // there is nothing to hang up or the ACK has not come yet (RFC 3261 15: a callee waits for it).
  bool Bye(CallRef call, int q850_cause);

  const UasStats& stats() const { return stats_; }

 private:
  // One INVITE server transaction, the first of a call or of a re-INVITE.
  struct InviteServer {
    std::string branch;
    uint32_t cseq = 0;
    SipMessage request;  // body dropped
    Endpoint reply_to;
    std::string last_response;  // bytes; empty: none yet
    enum class State { kProceeding, kAnswered, kFailed, kConfirmed } state = State::kProceeding;
    Loop::TimerId resend = 0;
    Loop::TimerId limit = 0;
    absl::Duration interval;
  };
  struct Call {
    CallRef ref = 0;
    std::string call_id;
    std::string local_tag;
    std::string remote_tag;
    std::string local_uri;   // To of the INVITE, with our tag: the From of our requests
    std::string remote_uri;  // From of the INVITE
    std::string remote_target;
    std::vector<std::string> route_set;
    Endpoint source;
    uint32_t local_cseq = 0;
    InviteServer first;
    std::unique_ptr<InviteServer> again;  // re-INVITE in progress or just done
    bool ignored = false;
    bool up = false;    // 200 sent, no BYE yet
    bool over = false;  // told the owner so; kept only to answer retransmissions
    Loop::TimerId linger = 0;
  };
  struct ByeClient {
    CallRef call = 0;
    std::string bytes;
    Endpoint to;
    absl::Duration interval;
    Loop::TimerId resend = 0;
    Loop::TimerId limit = 0;
    bool report = true;
  };
  struct CachedReply {
    std::string bytes;
    MonoTime until;
  };

  void OnRequest(Endpoint from, SipMessage message, absl::Time at);
  void OnResponse(const SipMessage& message);
  void OnInvite(Endpoint from, const Via& via, SipMessage message, uint32_t cseq, absl::Time at);
  void NewCall(Endpoint from, const Via& via, SipMessage message, uint32_t cseq, absl::Time at);
  void OnReinvite(Call& call, Endpoint from, const Via& via, SipMessage message, uint32_t cseq,
                  absl::Time at);
  void OnAck(const SipMessage& message, const Via& via, uint32_t cseq, absl::Time at);
  void OnCancel(Endpoint from, const Via& via, const SipMessage& message, absl::Time at);
  void OnBye(Endpoint from, const Via& via, const SipMessage& message, absl::Time at);

  Call* Find(CallRef ref);
  Call* FindByCallId(absl::string_view call_id);
  Call* FindDialog(const SipMessage& message);
  InviteServer* Server(Call& call, bool again) { return again ? call.again.get() : &call.first; }
  SipMessage Reply(const SipMessage& request, Endpoint from, int status, absl::string_view phrase,
                   absl::string_view local_tag) const;
  Endpoint ReplyTo(Endpoint from, const Via& via) const;
  void ReplyOnce(Endpoint from, const Via& via, const SipMessage& request, int status,
                 absl::string_view local_tag);
  void SendFinal(Call& call, bool again, const SipMessage& response, bool success);
  void ArmResend(CallRef ref, bool again);
  void Unacknowledged(CallRef ref, bool again);
  void StopTimers(InviteServer& server);
  bool SendBye(Call& call, int q850_cause, bool report);
  void ArmByeResend(const std::string& branch);
  void EndBye(const std::string& branch);
  void Linger(Call& call, absl::Duration how_long);
  void Erase(CallRef ref);
  void SweepReplies();
  std::string NewToken();

  Loop& loop_;
  const UasOptions options_;
  Rng rng_;
  SendFn send_;
  UasEvents& events_;
  UasStats stats_;
  CallRef next_call_ = 0;
  absl::flat_hash_map<CallRef, std::unique_ptr<Call>> calls_;
  absl::flat_hash_map<std::string, CallRef> by_call_id_;
  // Every Call-ID ever seen, as a hash: a dialer must not use one twice, however long ago it was.
  absl::flat_hash_set<uint64_t> seen_call_ids_;
  absl::flat_hash_map<std::string, ByeClient> byes_;  // by branch
  // Responses to BYE, CANCEL and OPTIONS, kept 64*T1 for retransmitted requests (RFC 3261 17.2.2).
  absl::flat_hash_map<std::string, CachedReply> replies_;
  std::deque<std::string> reply_order_;
};

}  // namespace outpace::farend
