#pragma once

// What a call shard needs of media. The one real implementation is engine/media (oRTP over its own
// sockets, one media thread); tests and the simulator bring their own.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/base/clock.h"
#include "engine/base/ids.h"
#include "engine/call/media_action.h"
#include "engine/listen/heard.h"

namespace outpace::call {

// How a leg's audio travels.
struct MediaOptions {
  // RTP/SAVP with keys in the SDP (SDES, RFC 4568): an answer without them is refused. Only
  // sensible where the signalling is encrypted.
  bool srtp = false;
  // An incoming call with an SDP: the far end's description is the offer, ours the answer, and what
  // Open returns is not sent. An offer of RTP/SAVP is then answered in kind without `srtp` too.
  bool far_end_offers = false;
  // The family of our media address: the one the signalling uses, as far as there is such an
  // address.
  enum class Family { kAny, kIpv4, kIpv6 } family = Family::kAny;
};

// How a leg's audio travelled, for the call record. Of what came: RFC 3550 A.3 and A.8.
struct LegQuality {
  uint64_t packets_in = 0;  // without duplicates
  uint64_t packets_lost = 0;
  uint64_t packets_out = 0;
  double jitter_ms = 0;   // at the end
  bool one_way = false;   // it was sent audio for seconds while bridged, and never sent any
};

class MediaEvents {  // called on the thread given by the implementation's owner; see MediaPlane
 public:
  virtual ~MediaEvents() = default;
  // A prompt that ran to its end. Not called when it was stopped or the leg was closed.
  virtual void OnPromptDone(LegId leg) = 0;
  // First valid packet from the leg's far end since Open().
  virtual void OnFirstMedia(LegId leg, MonoTime at) = 0;
  // No packet for the dead-call time (30 s by default) while the leg was expected to send.
  virtual void OnMediaLost(LegId leg) = 0;
  // A verdict on what the leg's far end said; see ListenEarly, ListenAnswer, ListenBeep.
  virtual void OnHeard(LegId leg, const listen::Heard& heard) = 0;
  // The far end pressed a key (RFC 4733), once for each: '0'..'9', '*', '#', 'A'..'D'.
  virtual void OnDigit(LegId leg, char digit) = 0;
  // A JoinCall: false when the call it was to join is gone or has 8 legs.
  virtual void OnJoined(LegId leg, bool joined) = 0;
  // Once, when the leg has been closed.
  virtual void OnQuality(LegId leg, const LegQuality& quality) {
    (void)leg;
    (void)quality;
  }
};

// A leg's media lives from Open to Close. Commands are posted to the media thread in order; none
// waits. One shard's thread calls; events come back through that shard's Loop.
class MediaPlane {
 public:
  virtual ~MediaPlane() = default;
  // Reserves a pre-bound RTP port and returns our SDP offer for it (PCMU, PCMA, telephone-event
  // 101, ptime 20; RFC 3264). ResourceExhausted when the pool is empty.
  virtual absl::StatusOr<std::string> Open(LegId leg, const MediaOptions& options) = 0;
  // Takes the far end's SDP (answer, or offer of a re-INVITE). InvalidArgument when it holds no
  // audio we can use; media then stays as it was. From now on only packets from that address count.
  virtual absl::Status SetRemote(LegId leg, absl::string_view sdp) = 0;
  // Our answer to a re-INVITE offer that SetRemote accepted.
  virtual std::string LocalSdp(LegId leg) = 0;
  // A new offer of ours in an open leg: in the 200 to a re-INVITE without SDP, or in a re-INVITE of
  // our own (RFC 6337 5.3: all we can do, and no longer on hold). The next SetRemote is its answer.
  // A refresh that changes nothing sends LocalSdp again instead.
  virtual std::string Offer(LegId leg) { return LocalSdp(leg); }
  // Joins two legs' audio at once, flushing the last packets heard from either (pre-roll), so that
  // the agent hears the start of the hello. A leg is bridged to one other at most.
  virtual void Bridge(LegId a, LegId b) = 0;
  virtual void Unbridge(LegId leg) = 0;  // also from its partner; does nothing if not bridged
  // From the start; replaces what plays. The end is told.
  void Play(LegId leg, Prompt prompt) { Do(leg, call::Play{.prompt = prompt}); }
  // All else: prompts, listening, recording, hold, mixes, keys. Legs may be of different shards. In
  // order with the other commands; without effect on a leg that is not open.
  virtual void Do(LegId leg, MediaAction action) = 0;
  // Releases the port (quarantined for 5 s, so no packet of an old call reaches a new one).
  virtual void Close(LegId leg) = 0;
};

}  // namespace outpace::call
