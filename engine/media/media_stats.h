#pragma once

#include <atomic>
#include <cstdint>

namespace outpace::media {

// What the media thread has done since it started. A snapshot; see MediaServer::Stats().
struct MediaStats {
  uint64_t packets_in = 0;       // datagrams read from RTP sockets, good or bad
  uint64_t packets_out = 0;      // RTP packets sent
  uint64_t dropped_foreign = 0;  // from an address that is not the SDP's (RTP bleed, injection)
  uint64_t dropped_short = 0;    // too short, wrong version or lengths that lie
  uint64_t dropped_payload_type = 0;  // a codec that was not negotiated
  uint64_t dropped_no_leg = 0;        // to a port without a leg: late packets, scans
  uint64_t dropped_by_ortp = 0;       // keys (RFC 4733) that it could not make out
  uint64_t dropped_duplicate = 0;     // heard already
  uint64_t dropped_rtcp = 0;          // reports on an RTP port (RFC 5761); they are never read
  uint64_t dropped_srtp_tag = 0;      // SRTP that is not from who has the key, or too short
  uint64_t dropped_srtp_replay = 0;   // SRTP heard already
  uint64_t no_peer = 0;         // good, but the leg is not bridged or its partner takes no audio
  uint64_t sends_failed = 0;    // the kernel refused (buffer full, unreachable)
  uint64_t commands_stale = 0;  // named a leg that was closed already
  uint64_t events_delayed = 0;  // a shard's loop was full; the event was sent later
  uint64_t one_way_legs = 0;    // bridged legs that were sent audio for 5 s and never sent any
  uint64_t prompt_frames = 0;   // of packets_out
  uint64_t sockets = 0;         // RTP and RTCP sockets bound
  uint64_t legs = 0;            // open now
  uint64_t sessions = 0;        // of them, with an oRTP session: a key came or a frame of ours went
  uint64_t bridged_calls = 0;   // pairs of legs joined now
  uint64_t mixed_calls = 0;     // calls of three and more now, supervisors counted
};

// A number that one thread writes and any thread reads: no locked instruction on the packet path.
class Counter {
 public:
  void Add(uint64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void Subtract(uint64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
  }
  uint64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

}  // namespace outpace::media
