#pragma once

// Packets come when the network likes; a mix needs 20 ms of each member on every tick. Between the
// two stands this buffer, one for each member.
//
// All packets are laid out on one line of media time, counted in output samples. How late a packet
// comes against that line, less what the fastest ones of the last seconds took, is its jitter; a
// histogram of it that forgets gives the delay which all but one packet in a hundred meet, and that
// is the target depth, 20 to 200 ms. The depth is led to the target where nobody hears it: by
// playing a quiet frame twice or leaving one out, which also takes up the drift of two clocks, and
// at the start of a talk spurt. When nothing is there at its time, sound is made up
// (Decoder::Conceal) without moving on: if the packet is merely late the buffer has become deeper
// by that, if a later one comes it was lost and the gap is filled already.
//
// A new SSRC, a jump of the timestamp (a music server, a transfer) or a pause without packets (DTX)
// is laid out anew by its time of arrival. Nothing in a packet is believed: whatever comes, the
// buffer holds at most kPacketsMax packets and kSpanMax of media time, the order of what is played
// is that of the timestamps, and a frame is always returned.
//
// Nothing is allocated after the first packets, except the decoder of a codec met for the first
// time and payload room that grows to the largest packet. Single thread.

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "engine/base/clock.h"
#include "engine/codec/codec.h"
#include "engine/media/comfort_noise.h"
#include "engine/media/rtp_packet.h"

namespace outpace::media {

inline constexpr absl::Duration kPlayoutTick = absl::Milliseconds(20);

struct PlayoutStats {
  uint64_t packets = 0;    // taken
  uint64_t late = 0;       // its time was over
  uint64_t duplicate = 0;  // of the same time as another
  uint64_t overflow = 0;   // no room for it, or thrown out for newer ones
  uint64_t malformed = 0;  // not of its codec
  uint64_t frames = 0;     // given out, each 20 ms
  uint64_t concealed = 0;  // of these: made up for a loss or a late packet
  uint64_t silent = 0;     // of these: nobody spoke (before the first packet, DTX)
  uint64_t inserted = 0;   // of these: a quiet one played again, to become deeper
  uint64_t dropped = 0;    // left out besides, to become shallower
  uint64_t resyncs = 0;    // new SSRC, timestamp jumps
  absl::Duration depth;    // delay that the buffer adds now
  absl::Duration target;   // that it is heading for
  absl::Duration jitter;   // RFC 3550 6.4.1
};

enum class PlayoutPut : uint8_t { kKept, kLate, kDuplicate, kOverflow, kMalformed };
enum class PlayoutFrame : uint8_t { kAudio, kConcealed, kSilence };

class PlayoutBuffer {
 public:
  static constexpr size_t kPacketsMax = 64;
  static constexpr absl::Duration kDepthMin = absl::Milliseconds(20);
  static constexpr absl::Duration kDepthMax = absl::Milliseconds(200);
  // Media time held at most: the deepest buffer and a burst of the largest packets on top.
  static constexpr absl::Duration kSpanMax = absl::Milliseconds(500);

  // `rate` is 8000 or 16000: samples a second that Get gives. G.711 needs 8000 (codec.h).
  explicit PlayoutBuffer(int rate);
  ~PlayoutBuffer();
  PlayoutBuffer(const PlayoutBuffer&) = delete;
  PlayoutBuffer& operator=(const PlayoutBuffer&) = delete;

  // Takes an audio packet as it came at `at`: `codec` is what its payload type stands for, the
  // header's timestamp counts in that codec's rtp_rate. The payload is copied and decoded when it
  // is played. Times never go back.
  PlayoutPut Put(codec::Codec codec, const RtpHeader& header, absl::Span<const uint8_t> payload,
                 MonoTime at);
  // Takes a CN payload (RFC 3389): pauses sound like it from now on.
  void PutNoise(absl::Span<const uint8_t> payload) { noise_.Take(payload); }
  // Overwrites `frame` (rate / 50 samples) with the next 20 ms. Called once each kPlayoutTick; a
  // tick that comes late is made good by the next ones coming early.
  PlayoutFrame Get(MonoTime now, absl::Span<int16_t> frame);
  // As new; statistics go on. For a leg that is on hold or has moved.
  void Reset();
  // While on, a packet is overwritten as soon as it has been played; what was played before that is
  // overwritten now. Afterwards it is as new: nothing said meanwhile is heard any more. For calls
  // whose recording is paused: no card number stays in memory.
  void SetConfidential(bool on);

  PlayoutStats stats() const;

 private:
  struct Packet {
    int64_t at = 0;      // media time of its first sample, in output samples
    int64_t length = 0;  // output samples
    codec::Codec codec = codec::Codec::kPcmu;
    std::vector<uint8_t> payload;
    int64_t end() const { return at + length; }
  };
  // Where one sender's timestamps stand on the line.
  struct Source {
    bool known = false;
    uint32_t ssrc = 0;
    int rtp_rate = 8000;
    uint32_t newest_timestamp = 0;
    int64_t newest_ticks = 0;  // since the first packet
    int64_t origin = 0;        // media time of that one
    int strays = 0;            // packets in a row that jumped
  };

  int64_t SamplesAt(MonoTime at) const;
  absl::Duration DurationOf(int64_t samples) const;
  int64_t Ms(int64_t ms) const { return ms * rate_ / 1000; }
  Packet& Head() { return *packets_[0]; }
  codec::Decoder& DecoderOf(codec::Codec codec);
  bool Place(const RtpHeader& header, int rtp_rate, int64_t arrival, int64_t* at);
  void Measure(int64_t lateness, int64_t arrival);
  PlayoutPut Insert(const Packet& what, absl::Span<const uint8_t> payload);
  void DropHead();
  // How late, against the fastest packets, the next sample to be heard is heard at `now`.
  int64_t Delay(int64_t now) const;
  bool Due(int64_t now) const;
  bool Start(int64_t now);
  bool EndSpurt();
  bool MakeSamples(int64_t now, bool may_conceal);
  void DecodeHead();
  void Conceal(size_t samples);
  void Steer(int64_t now);
  bool Quiet();
  void LeaveOutFrame();
  void TakeOut(size_t samples);

  const int rate_;
  const int64_t frame_;  // output samples
  std::array<std::unique_ptr<codec::Decoder>, codec::kCodecCount> decoders_;
  codec::Codec last_codec_ = codec::Codec::kPcmu;
  ComfortNoise noise_;

  // The first count_ are in use, in the order of their media time.
  std::array<std::unique_ptr<Packet>, kPacketsMax> packets_;
  size_t count_ = 0;
  Source source_;

  bool confidential_ = false;
  bool started_ = false;
  MonoTime epoch_;            // media time 0
  bool playing_ = false;      // false: a pause, or a talk spurt gathers
  int64_t next_ = 0;          // media time of the next sample to decode; never goes back
  int64_t made_up_ = 0;       // samples concealed at next_ without moving on
  std::vector<int16_t> pcm_;  // decoded, not given out; ends at next_
  bool concealing_ = false;   // in the frame being made
  bool dtx_ = false;          // the last packet announced a pause

  // Jitter, all in output samples. Bins are 5 ms wide.
  static constexpr size_t kBins = 50;
  static constexpr size_t kMinima = 8;
  std::array<float, kBins> histogram_{};
  std::array<int64_t, kMinima> minima_{};  // least lateness in each of the last seconds
  size_t minimum_ = 0;
  int64_t minimum_until_ = 0;
  int64_t base_ = 0;  // least of minima_
  int64_t target_ = 0;
  double jitter_ = 0;
  int64_t last_lateness_ = 0;

  double delay_ = 0;         // Delay(), smoothed
  double floor_ = 0;         // mean square of what is heard in pauses
  int64_t steer_after_ = 0;  // not again before
  int64_t now_ = 0;

  PlayoutStats stats_;
};

}  // namespace outpace::media
