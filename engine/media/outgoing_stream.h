#pragma once

// One leg hears one RTP stream from the first packet to the last, whoever is talking: the SSRC
// never changes, sequence numbers and timestamps only go forward. That matters most on an agent's
// nailed-up line, where calls come and go all day: a phone that saw a new stream with each call
// would reset its jitter buffer, or treat the audio as an injection and drop it.
//
// Within one source the sender's own gaps are kept (its sequence and timestamp plus an offset), so
// the listener still sees loss and silence as they were. When the source changes, or its numbers
// jump in a way no clock could, the stream is anchored anew: the next sequence number, a timestamp
// as far on as time has passed, and a marker (a talk spurt starts).

#include <cstdint>

#include "engine/base/clock.h"
#include "engine/media/rtp_packet.h"

namespace outpace::media {

// What the outgoing header says. Timestamps count in the stream's rate.
struct Stamp {
  uint16_t seq = 0;
  uint32_t timestamp = 0;
  bool marker = false;
};

// A timestamp or duration by another clock, of 8000 or 48000.
constexpr uint32_t RescaleTicks(uint32_t ticks, int from, int to) {
  return from < to ? ticks * static_cast<uint32_t>(to / from)
                   : ticks / static_cast<uint32_t>(from / to);
}

class OutgoingStream {
 public:
  OutgoingStream() = default;
  // Starts at random numbers of the caller's choice (RFC 3550 5.1).
  OutgoingStream(uint16_t first_seq, uint32_t first_timestamp)
      : next_seq_(first_seq), next_timestamp_(first_timestamp) {}

  // Timestamp units a second: 8000 until said otherwise, 48000 for Opus.
  void SetRate(int rate) { rate_ = rate; }

  // Stamp of a packet relayed from `source` (any number that names the sending leg, never 0),
  // holding `samples` samples. Telephone events (RFC 4733) keep the timestamp at which the key went
  // down, so it may lie behind; it does not move the stream.
  Stamp Relay(uint64_t source, const RtpHeader& in, uint32_t samples, bool event, MonoTime now);
  // Stamp of a frame of our own (a prompt) of `samples` samples; `marker` on its first.
  Stamp Own(uint32_t samples, bool first, MonoTime now);
  // Stamp of one of the packets of a key of ours (RFC 4733), `samples` long by now: they all have
  // the time at which it went down, which is `first`'s, and the audio goes on after it.
  Stamp Key(uint32_t samples, bool first, MonoTime now);
  // The next relayed packet starts a talk spurt, even from the same source.
  void Part() { source_ = 0; }

 private:
  void Anchor(uint64_t source, const RtpHeader& in, MonoTime now);
  uint32_t TimestampAt(MonoTime now) const;
  int64_t Samples(MonoTime from, MonoTime to) const;

  int rate_ = 8000;
  uint16_t next_seq_ = 0;        // one past the highest sent
  uint32_t next_timestamp_ = 0;  // end of the newest audio sent
  MonoTime last_at_;             // when that audio was sent
  bool started_ = false;

  uint32_t key_timestamp_ = 0;
  uint64_t source_ = 0;  // 0: none
  uint32_t source_ssrc_ = 0;
  uint16_t seq_offset_ = 0;
  uint32_t timestamp_offset_ = 0;
};

}  // namespace outpace::media
