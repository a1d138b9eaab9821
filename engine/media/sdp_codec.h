#pragma once

// What the payload type numbers of an audio line stand for (RFC 8866 6.6, RFC 3551, RFC 7587,
// RFC 4733, RFC 3389), and the lines that say it. Part of sdp.h, which reads and writes the rest.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/codec/codec.h"

namespace outpace::media {

// Payload types of our offers, beside the static ones. A far end may use them towards us whatever
// numbers it gave in its answer (RFC 3264 6.1).
inline constexpr uint8_t kOurEventType = 101;      // telephone-event/8000
inline constexpr uint8_t kOurWideEventType = 110;  // telephone-event/48000, offered with Opus
inline constexpr uint8_t kOurOpusType = 111;
inline constexpr uint8_t kNoiseType = 13;  // CN/8000, static

// Codecs we would use, the best first, each once.
using CodecList = absl::InlinedVector<codec::Codec, codec::kCodecCount>;
inline CodecList DefaultCodecs() { return {codec::Codec::kPcmu, codec::Codec::kPcma}; }

struct SdpCodec {
  codec::Codec codec = codec::Codec::kPcmu;
  uint8_t payload_type = 0;  // the static type, or the dynamic one the far end gave it
  // Opus only, what the far end wants to receive (RFC 7587 6.1); for codec::EncoderOptions.
  bool fec = false;
  int bitrate_max = 0;  // bits a second, 6000..510000; 0: not said
};

// A telephone-event type and the clock its durations count in.
struct SdpEvent {
  uint8_t payload_type = 0;
  int rate = 8000;  // or 48000
};

// The codecs and event types of one audio line that we have in common with its writer.
struct SdpFormats {
  absl::InlinedVector<SdpCodec, 2> codecs;  // in its order
  absl::InlinedVector<SdpEvent, 2> events;
  bool comfort_noise = false;  // CN/8000 under type 13
};

// Reads an audio line's a=rtpmap and a=fmtp as they come, in any order; then the line's formats.
class FormatReader {
 public:
  // "0 PCMU/8000", "111 opus/48000/2". Nothing happens when it is malformed.
  void TakeRtpmap(absl::string_view value);
  // "111 useinbandfec=1;maxaveragebitrate=24000". The text must outlive the reader.
  void TakeFmtp(absl::string_view value);
  // `types` are those of the m= line. At most `codecs_max` codecs.
  SdpFormats Read(absl::Span<const uint8_t> types, absl::Span<const codec::Codec> ours,
                  size_t codecs_max) const;

 private:
  enum class Coding : uint8_t {
    kNone,
    kPcmu,
    kPcma,
    kG722,
    kOpus,
    kEvent,
    kWideEvent,
    kNoise,
    kOther
  };
  Coding CodingOf(uint8_t type) const;
  SdpCodec CodecOf(Coding coding, uint8_t type) const;

  std::array<Coding, 128> rtpmap_{};  // kNone: no a=rtpmap for it
  std::vector<std::pair<uint8_t, absl::string_view>> fmtp_;
};

// Digits only, no sign, no blanks; nullopt when empty, longer than 6 digits or above `max`.
std::optional<uint32_t> ParseSdpNumber(absl::string_view text, uint32_t max);

// What `formats` of ours look like: " 0 8 101" for the m= line, and the attribute lines.
std::string FormatTypes(const SdpFormats& formats);
std::string FormatLines(const SdpFormats& formats);
// What we offer.
SdpFormats OfferedFormats(absl::Span<const codec::Codec> ours, bool comfort_noise);

// What audio under `type` is, from a far end whose codecs are `theirs`: by its own numbers, else by
// those of an offer of ours of `ours`. nullopt: nothing that was negotiated.
std::optional<codec::Codec> CodecOfType(absl::Span<const SdpCodec> theirs,
                                        absl::Span<const codec::Codec> ours, uint8_t type);

}  // namespace outpace::media
