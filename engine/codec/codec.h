#pragma once

// The codecs of a call's legs behind one pair of interfaces. Bridged legs of one codec are relayed
// untouched and never come here; what differs, is mixed, recorded or listened to does.

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

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

// One stream's state; single thread. Rates are 8000 or 16000 samples a second, fixed at
// construction; G.711 only takes 8000 (checked).
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Appends the samples of one packet's payload to `out`. False when the payload is not of this
  // codec (then nothing was appended). At most 120 ms.
  virtual bool Decode(absl::Span<const uint8_t> payload, std::vector<int16_t>& out) = 0;
  // Appends `samples` samples in place of a lost packet.
  virtual void Conceal(size_t samples, std::vector<int16_t>& out) = 0;
};
class Encoder {
 public:
  virtual ~Encoder() = default;
  // Encodes a frame (10, 20, 40 or 60 ms) into `out`, which is overwritten.
  virtual void Encode(absl::Span<const int16_t> frame, std::vector<uint8_t>& out) = 0;
};
std::unique_ptr<Decoder> NewDecoder(Codec codec, int rate);
std::unique_ptr<Encoder> NewEncoder(Codec codec, int rate);

}  // namespace outpace::codec
