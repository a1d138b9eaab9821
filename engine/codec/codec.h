#pragma once

// The codecs of a call's legs behind one pair of interfaces. Bridged legs of one codec are relayed
// untouched and never come here; what differs, is mixed, recorded or listened to does.

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/codec/g711.h"

namespace outpace::codec {

enum class Codec : uint8_t { kPcmu, kPcma, kG722, kOpus };
inline constexpr int kCodecCount = 4;

struct CodecInfo {
  absl::string_view name;  // of the rtpmap: "PCMU"
  int rtp_rate = 8000;  // timestamp units a second: 8000 for G.722 too (RFC 3551 4.5.2), Opus 48000
  int channels = 1;     // of the rtpmap: Opus says 2 whatever it carries (RFC 7587 7)
  int static_type = -1;  // RFC 3551; -1: dynamic
  bool wideband = false;
};
const CodecInfo& InfoOf(Codec codec);
constexpr bool IsG711(Codec codec) { return codec == Codec::kPcmu || codec == Codec::kPcma; }
// The law of a G.711 codec; mu-law for the others, which have none.
constexpr Law LawOf(Codec codec) { return codec == Codec::kPcma ? Law::kA : Law::kMu; }
constexpr Codec CodecOf(Law law) { return law == Law::kA ? Codec::kPcma : Codec::kPcmu; }

// Audio in a payload, in timestamp units (1 / rtp_rate s), without decoding it; 0 when it is not of
// this codec, is empty, or would be longer than 120 ms.
int TicksIn(Codec codec, absl::Span<const uint8_t> payload);
// What Decode appends for `ticks` at `rate` samples a second.
constexpr int64_t SamplesOf(int64_t ticks, int rtp_rate, int rate) {
  return ticks * rate / rtp_rate;
}
inline constexpr int kPayloadMsMax = 120;  // RFC 7587 4.2; more than any phone sends of the others

// One stream's state; single thread. Rates are 8000 or 16000 samples a second, fixed at
// construction; G.711 only takes 8000 (checked).
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Appends the samples of one packet's payload to `out`. False when the payload is not of this
  // codec (then nothing was appended). At most 120 ms. Two channels come out as one.
  virtual bool Decode(absl::Span<const uint8_t> payload, std::vector<int16_t>& out) = 0;
  // Appends `samples` samples in place of a lost packet; at most 120 ms.
  virtual void Conceal(size_t samples, std::vector<int16_t>& out) = 0;
  // Likewise for the packet just before the one with payload `next`, which is there already: Opus
  // may carry a copy of it (in-band FEC). Decode(next) still has to follow. Other codecs conceal.
  virtual void Recover(absl::Span<const uint8_t> next, size_t samples, std::vector<int16_t>& out) {
    (void)next;
    Conceal(samples, out);
  }
};
class Encoder {
 public:
  virtual ~Encoder() = default;
  // Encodes a frame (10, 20, 40 or 60 ms) into `out`, which is overwritten. G.711 and G.722 take
  // any length, G.722 at 16 kHz an even number of samples.
  virtual void Encode(absl::Span<const int16_t> frame, std::vector<uint8_t>& out) = 0;
};
std::unique_ptr<Decoder> NewDecoder(Codec codec, int rate);
struct EncoderOptions {
  // Opus: bits a second, 6000..64000; 0: 16000 at 8 kHz, 24000 at 16 kHz. Others have one rate.
  int bitrate = 0;
  // Opus: each packet carries a copy of the one before, for far ends that said useinbandfec=1
  // (RFC 7587 6.1). A quarter of the bits goes there.
  bool fec = false;
};
std::unique_ptr<Encoder> NewEncoder(Codec codec, int rate, const EncoderOptions& options = {});

}  // namespace outpace::codec
