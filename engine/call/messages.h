#pragma once

// The messages between the controller and a call shard. Plain values: no pointer crosses a thread.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/ids.h"
#include "engine/call/media_plane.h"
#include "engine/call/outcome.h"
#include "engine/call/signaling.h"

namespace outpace::call {

enum class LegKind { kLead, kAgent };

// ---- controller to shard ----

// Place one leg. The controller has passed it through the gate and stored its intent durably.
struct DialOrder {
  LegId leg{};
  LegKind kind = LegKind::kLead;
  AttemptId attempt{};  // of a lead leg; none for an agent leg
  InviteIds ids{};
  uint16_t trunk = 0;  // index into the configured trunks; kAgentTrunk for an agent's phone
  std::string route_uri{};
  std::string request_uri{};
  std::string from_uri{};
  std::vector<SipHeader> headers{};
  absl::Duration ring_time_max{};  // INVITE to giving up
  // Listen to early media by the plan of this country (ISO 3166, lower case), "" for any, and give
  // up as soon as it says that nobody will answer. Absent: do not listen.
  std::optional<std::string> early_country{};
  // Listen to who answers, from the answer on. Absent: do not.
  std::optional<listen::AnswerTuning> answer_tuning{};
};

struct HangUp {  // BYE, CANCEL or give up, whichever the leg's state asks for
  LegId leg{};
  int q850_cause = 16;
};
struct Connect {  // join an answered lead leg with the agent's nailed-up leg
  LegId lead{};
  LegId agent{};
};
struct Disconnect {  // part a bridged leg from its partner; both legs stay up
  LegId leg{};
};
struct PlayThenHangUp {
  LegId leg{};
  Prompt prompt = Prompt::kSafeHarbor;
  bool after_beep = false;  // waits for a voicemail's beep, at most 20 s
};
// Something done to the audio of a leg that is up (ListenEarly: one that rings).
struct MediaOrder {
  LegId leg{};
  MediaAction action{};
};
// Recovery: end what a crashed predecessor left behind.
struct EndOrphanDialog {
  DialogState dialog{};
};
struct EndOrphanInvite {
  Signaling::OrphanInvite invite{};
};
// A call that a trunk offered (CallOffered): take it as this leg, or refuse it.
struct TakeCall {
  LegId leg{};
  uint64_t call = 0;
};
struct RefuseCall {
  uint64_t call = 0;
  int status = 480;
};
// A trunk's addresses as resolved now. The first route is for OPTIONS and REGISTER.
struct TrunkAddresses {
  uint16_t trunk = 0;
  std::vector<std::string> route_uris{};  // best first
  std::vector<std::string> addresses{};   // numeric hosts that requests of this trunk come from
};
// Answered with FenceReached as soon as everything posted before it has been handled: an order that
// was taken back by then never leaves.
struct Fence {
  uint64_t id = 0;
};
using ShardMessage =
    std::variant<DialOrder, HangUp, Connect, Disconnect, PlayThenHangUp, MediaOrder,
                 EndOrphanDialog, EndOrphanInvite, TakeCall, RefuseCall, TrunkAddresses, Fence>;

// ---- shard to controller ----

struct LegProgress {  // 18x
  LegId leg{};
  int status = 180;
  MonoTime at{};
};
struct LegAnswered {  // 2xx; ACK and journal entry are done
  LegId leg{};
  MonoTime at{};  // when the 2xx was received
};
struct LegConnected {  // bridged
  LegId lead{};
  LegId agent{};
  MonoTime at{};
};
// The call is over for the controller: result, times and cause are final. Sent once a leg.
struct LegEnded {
  LegId leg{};
  CallOutcome outcome = CallOutcome::kFailed;
  int sip_status = 0;
  int q850_cause = 0;
  bool by_far_end = false;  // who ended an answered leg
  bool invite_sent = true;  // false: refused before anything left (trunk closed, no port)
  // `outcome` was read from the final response in `sip_status`, not from why we gave up;
  bool by_response = false;
  bool local = false;        // and that response was made by our own stack.
  bool trunk_fault = false;  // the trunk's fault, not the lead's: the attempt is not held
                             // against the lead
  // A 2xx crossed our CANCEL: somebody picked up and met a BYE. `outcome` tells why we gave up, yet
  // for every rule on abandoned calls this leg was answered.
  bool crossed_answer = false;
  listen::Heard heard{};         // before the answer; kNone: nothing that could be told
  absl::Duration retry_after{};  // from a 503, or until the trunk's guard may let a call through
  MonoTime at{};
};
struct PromptFinished {
  LegId leg{};
  MonoTime at{};
};
// A verdict on what the leg's far end said, before or after the answer.
struct LegHeard {
  LegId leg{};
  listen::Heard heard{};
  MonoTime at{};
};
struct LegDigit {  // the far end pressed a key
  LegId leg{};
  char digit = 0;
};
struct LegJoined {  // a JoinCall succeeded, or not
  LegId leg{};
  bool joined = false;
};
struct LegFreed {  // the slot may be used again, with the next generation
  LegId leg{};
};
struct TrunkState {  // sent when the breaker opens, starts to probe, or closes
  uint16_t trunk = 0;
  bool open = false;     // open breaker: no calls
  bool probing = false;  // half open: one call at a time, until one gets through
  std::string reason{};
};
// A trunk offers a call. Answer with TakeCall or RefuseCall within seconds.
struct CallOffered {
  uint16_t shard = 0;
  uint64_t call = 0;
  uint16_t trunk = 0;
  std::string caller{};  // as the trunk wrote it: "+12025550100", "02025550100", "anonymous"
  std::string called{};
};
struct CallWithdrawn {  // the caller gave up before an answer
  uint64_t call = 0;
};
struct FenceReached {
  uint64_t id = 0;
};
using LegEvent = std::variant<LegProgress, LegAnswered, LegConnected, LegEnded, PromptFinished,
                              LegHeard, LegDigit, LegJoined, LegFreed, TrunkState, CallOffered,
                              CallWithdrawn, TrunkProbe, FenceReached>;

// Where a shard's events go. Thread safe; never blocks.
class LegEventSink {
 public:
  virtual ~LegEventSink() = default;
  virtual void OnLegEvent(LegEvent event) = 0;
};

}  // namespace outpace::call
