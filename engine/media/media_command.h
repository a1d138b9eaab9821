#pragma once

// What a shard tells the media thread. Plain values; one mailbox for all shards, so that a leg
// opened by one shard and bridged by another is there when the bridge asks for it.

#include <cstdint>
#include <memory>
#include <variant>

#include "engine/base/ids.h"
#include "engine/call/media_plane.h"
#include "engine/media/sdp.h"
#include "engine/media/srtp.h"

namespace outpace::media {

struct OpenLeg {
  LegId leg;
  uint32_t port = 0;  // index into the pool
};
struct SetPeer {
  LegId leg;
  MediaAddress remote;
  uint16_t rtcp_port = 0;  // of the far end; 0: no reports
  uint8_t packet_ms = 20;  // of our own frames
  // The far end's codecs; the first is what we send.
  absl::InlinedVector<SdpCodec, 2> codecs;
  uint8_t event_type = 0;                   // telephone-event type, 0: the far end takes none
  int event_rate = 8000;                    // clock of its durations
  absl::InlinedVector<SdpEvent, 2> events;  // that may come
  bool sends = true;    // the far end sends us audio (else silence is no sign of a dead call)
  bool listens = true;  // the far end takes audio (not on hold)
  // Keys that are new with this description; nullptr: as before. A leg that has them never sends
  // or hears a packet in the clear.
  std::shared_ptr<SrtpSender> sender;
  std::shared_ptr<SrtpReceiver> receiver;
};
struct BridgeLegs {
  LegId a;
  LegId b;
};
struct UnbridgeLeg {
  LegId leg;
};
struct DoAction {
  LegId leg;
  call::MediaAction action;
};
struct CloseLeg {
  LegId leg;
};
using MediaCommand = std::variant<OpenLeg, SetPeer, BridgeLegs, UnbridgeLeg, DoAction, CloseLeg>;

}  // namespace outpace::media
