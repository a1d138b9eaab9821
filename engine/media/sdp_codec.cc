#include "engine/media/sdp_codec.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace outpace::media {
namespace {

constexpr size_t kFmtpMax = 40;
constexpr int kWideRate = 48000;

uint8_t OurType(codec::Codec codec) {
  const int type = codec::InfoOf(codec).static_type;
  return type < 0 ? kOurOpusType : static_cast<uint8_t>(type);
}

void AppendLine(std::string& text, const SdpCodec& codec) {
  const codec::CodecInfo& info = codec::InfoOf(codec.codec);
  absl::StrAppend(&text, "a=rtpmap:", codec.payload_type, " ", info.name, "/", info.rtp_rate);
  if (info.channels > 1) absl::StrAppend(&text, "/", info.channels);
  text += "\r\n";
  // Said of our receiver: lost packets can be made good from the next one's copy.
  if (codec.codec == codec::Codec::kOpus) {
    absl::StrAppend(&text, "a=fmtp:", codec.payload_type, " useinbandfec=1\r\n");
  }
}

// "name=value" of Opus; others (stereo, cbr, usedtx, maxplaybackrate) do not change what we send.
void TakeOpusParameter(absl::string_view parameter, SdpCodec& codec) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(parameter, absl::MaxSplits('=', 1));
  const absl::string_view name = absl::StripAsciiWhitespace(parts.first);
  const std::optional<uint32_t> value =
      ParseSdpNumber(absl::StripAsciiWhitespace(parts.second), 999'999);
  if (!value.has_value()) return;
  if (absl::EqualsIgnoreCase(name, "useinbandfec")) codec.fec = *value == 1;
  if (absl::EqualsIgnoreCase(name, "maxaveragebitrate")) {
    codec.bitrate_max = std::clamp(static_cast<int>(*value), 6'000, 510'000);
  }
}

}  // namespace

std::optional<uint32_t> ParseSdpNumber(absl::string_view text, uint32_t max) {
  if (text.empty() || text.size() > 6) return std::nullopt;
  uint32_t value = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
    value = value * 10 + static_cast<uint32_t>(c - '0');
  }
  if (value > max) return std::nullopt;
  return value;
}

// Names compare without case (RFC 8866 6.6).
void FormatReader::TakeRtpmap(absl::string_view value) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(value, absl::MaxSplits(' ', 1));
  const std::optional<uint32_t> type = ParseSdpNumber(parts.first, 127);
  if (!type.has_value()) return;
  absl::string_view name = absl::StripAsciiWhitespace(parts.second);
  absl::ConsumeSuffix(&name, "/1");
  constexpr std::pair<absl::string_view, Coding> kNames[] = {
      {"PCMU/8000", Coding::kPcmu},
      {"PCMA/8000", Coding::kPcma},
      // 16 kHz of sound on a clock of 8000, a mistake that stayed (RFC 3551 4.5.2).
      {"G722/8000", Coding::kG722},
      {"opus/48000/2", Coding::kOpus},  // always 2 (RFC 7587 7)
      {"telephone-event/8000", Coding::kEvent},
      {"telephone-event/48000", Coding::kWideEvent},
      {"CN/8000", Coding::kNoise},
  };
  Coding coding = Coding::kOther;
  for (const auto& [known, meaning] : kNames) {
    if (absl::EqualsIgnoreCase(name, known)) coding = meaning;
  }
  rtpmap_[*type] = coding;
}

void FormatReader::TakeFmtp(absl::string_view value) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(value, absl::MaxSplits(' ', 1));
  const std::optional<uint32_t> type = ParseSdpNumber(parts.first, 127);
  if (!type.has_value() || fmtp_.size() == kFmtpMax) return;
  fmtp_.emplace_back(static_cast<uint8_t>(*type), parts.second);
}

// Static types need no rtpmap (RFC 3551 6); one that gives them another meaning is believed.
FormatReader::Coding FormatReader::CodingOf(uint8_t type) const {
  if (rtpmap_[type] != Coding::kNone) return rtpmap_[type];
  switch (type) {
    case 0:
      return Coding::kPcmu;
    case 8:
      return Coding::kPcma;
    case 9:
      return Coding::kG722;
    case kNoiseType:
      return Coding::kNoise;
    default:
      return Coding::kNone;
  }
}

SdpCodec FormatReader::CodecOf(Coding coding, uint8_t type) const {
  SdpCodec out{.payload_type = type};
  if (coding == Coding::kPcma) out.codec = codec::Codec::kPcma;
  if (coding == Coding::kG722) out.codec = codec::Codec::kG722;
  if (coding == Coding::kOpus) out.codec = codec::Codec::kOpus;
  if (coding != Coding::kOpus) return out;
  for (const auto& [of, text] : fmtp_) {
    if (of != type) continue;
    for (const absl::string_view parameter : absl::StrSplit(text, ';')) {
      TakeOpusParameter(parameter, out);
    }
  }
  return out;
}

SdpFormats FormatReader::Read(absl::Span<const uint8_t> types, absl::Span<const codec::Codec> ours,
                              size_t codecs_max) const {
  SdpFormats out;
  std::array<bool, 128> seen{};
  const auto has_event = [&out](int rate) {
    return absl::c_any_of(out.events, [&](const SdpEvent& event) { return event.rate == rate; });
  };
  for (const uint8_t type : types) {
    if (std::exchange(seen[type], true)) continue;
    switch (const Coding coding = CodingOf(type)) {
      case Coding::kPcmu:
      case Coding::kPcma:
      case Coding::kG722:
      case Coding::kOpus: {
        const SdpCodec codec = CodecOf(coding, type);
        // Audio on our own telephone-event number could not be told from a key press.
        if (type != kOurEventType && out.codecs.size() < codecs_max &&
            absl::c_linear_search(ours, codec.codec)) {
          out.codecs.push_back(codec);
        }
        break;
      }
      case Coding::kEvent:
      case Coding::kWideEvent: {
        const int rate = coding == Coding::kEvent ? 8000 : kWideRate;
        if (type >= 96 && !has_event(rate)) out.events.push_back({type, rate});
        break;
      }
      case Coding::kNoise:
        out.comfort_noise = out.comfort_noise || type == kNoiseType;
        break;
      case Coding::kNone:
      case Coding::kOther:
        break;
    }
  }
  return out;
}

std::string FormatTypes(const SdpFormats& formats) {
  std::string text;
  for (const SdpCodec& codec : formats.codecs) absl::StrAppend(&text, " ", codec.payload_type);
  if (formats.comfort_noise) absl::StrAppend(&text, " ", kNoiseType);
  for (const SdpEvent& event : formats.events) absl::StrAppend(&text, " ", event.payload_type);
  return text;
}

std::string FormatLines(const SdpFormats& formats) {
  std::string text;
  for (const SdpCodec& codec : formats.codecs) AppendLine(text, codec);
  if (formats.comfort_noise) absl::StrAppend(&text, "a=rtpmap:", kNoiseType, " CN/8000\r\n");
  for (const SdpEvent& event : formats.events) {
    // RFC 4733 2.4.1: the sixteen DTMF keys.
    absl::StrAppend(&text, "a=rtpmap:", event.payload_type, " telephone-event/", event.rate,
                    "\r\na=fmtp:", event.payload_type, " 0-15\r\n");
  }
  return text;
}

SdpFormats OfferedFormats(absl::Span<const codec::Codec> ours, bool comfort_noise) {
  SdpFormats out;
  bool narrow = false;
  bool wide = false;
  for (const codec::Codec codec : ours) {
    out.codecs.push_back({.codec = codec, .payload_type = OurType(codec)});
    const bool is_wide = codec::InfoOf(codec).rtp_rate == kWideRate;
    narrow = narrow || !is_wide;
    wide = wide || is_wide;
  }
  // Key presses run on the clock of the audio that they interrupt (RFC 4733 2.1).
  if (narrow) out.events.push_back({kOurEventType, 8000});
  if (wide) out.events.push_back({kOurWideEventType, kWideRate});
  out.comfort_noise = comfort_noise && narrow;
  return out;
}

std::optional<codec::Codec> CodecOfType(absl::Span<const SdpCodec> theirs,
                                        absl::Span<const codec::Codec> ours, uint8_t type) {
  for (const SdpCodec& codec : theirs) {
    if (codec.payload_type == type) return codec.codec;
  }
  for (const codec::Codec codec : ours) {
    if (OurType(codec) == type) return codec;
  }
  return std::nullopt;
}

}  // namespace outpace::media
