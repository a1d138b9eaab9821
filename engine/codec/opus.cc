// Opus (RFC 6716) by libopus, one channel, as speech. A decoder at 8000 or 16000 samples a second
// decodes what the far end sends at any bandwidth, and two channels into one.

#include <opus.h>

#include <algorithm>

#include "engine/base/check.h"
#include "engine/codec/codec_parts.h"

namespace outpace::codec {
namespace {

// Of 0..10: 3 is where speech at these rates stops to gain what it costs
// (docs/decisions/codecs.md).
constexpr int kComplexity = 3;
// Losses that the encoder prepares for where FEC is on: it sends no copies at 0.
constexpr int kLossPercent = 10;
// RFC 6716 3.4 R3: one frame has 1275 octets at most, and our packets hold one.
constexpr size_t kPacketMax = 1275;
// A datagram's worth.
constexpr size_t kPayloadMax = 1500;

class OpusVoiceDecoder final : public Decoder {
 public:
  explicit OpusVoiceDecoder(int rate) : samples_max_(rate / 1000 * kPayloadMsMax) {
    int error = OPUS_OK;
    state_ = opus_decoder_create(rate, 1, &error);
    OUTPACE_CHECK(error == OPUS_OK && state_ != nullptr);
  }
  ~OpusVoiceDecoder() override { opus_decoder_destroy(state_); }

  bool Decode(absl::Span<const uint8_t> payload, std::vector<int16_t>& out) override {
    if (payload.empty() || payload.size() > kPayloadMax) return false;
    return Run(payload, samples_max_, false, out);
  }
  void Conceal(size_t samples, std::vector<int16_t>& out) override { MakeUp({}, samples, out); }
  void Recover(absl::Span<const uint8_t> next, size_t samples, std::vector<int16_t>& out) override {
    MakeUp(next.size() > kPayloadMax ? absl::Span<const uint8_t>() : next, samples, out);
  }

 private:
  bool Run(absl::Span<const uint8_t> payload, int samples, bool fec, std::vector<int16_t>& out) {
    const size_t first = out.size();
    out.resize(first + static_cast<size_t>(samples));
    const int made =
        opus_decode(state_, payload.empty() ? nullptr : payload.data(),
                    static_cast<opus_int32>(payload.size()), out.data() + first, samples, fec);
    out.resize(first + static_cast<size_t>(std::max(made, 0)));
    return made > 0;
  }

  // libopus makes up multiples of 2.5 ms; the rest, which only a damaged timestamp can ask for, is
  // left silent.
  void MakeUp(absl::Span<const uint8_t> next, size_t samples, std::vector<int16_t>& out) {
    OUTPACE_CHECK(samples <= static_cast<size_t>(samples_max_));
    const size_t end = out.size() + samples;
    const int step = samples_max_ / (kPayloadMsMax * 2 / 5);
    const int whole = static_cast<int>(samples) / step * step;
    if (whole > 0 && !(!next.empty() && Run(next, whole, true, out))) Run({}, whole, false, out);
    out.resize(end);
  }

  const int samples_max_;
  OpusDecoder* state_ = nullptr;
};

class OpusVoiceEncoder final : public Encoder {
 public:
  OpusVoiceEncoder(int rate, const EncoderOptions& options) {
    int error = OPUS_OK;
    state_ = opus_encoder_create(rate, 1, OPUS_APPLICATION_VOIP, &error);
    OUTPACE_CHECK(error == OPUS_OK && state_ != nullptr);
    const int usual = rate == 8000 ? 16'000 : 24'000;
    const int bitrate = options.bitrate == 0 ? usual : std::clamp(options.bitrate, 6'000, 64'000);
    Set(OPUS_SET_BITRATE(bitrate));
    Set(OPUS_SET_COMPLEXITY(kComplexity));
    Set(OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    Set(OPUS_SET_INBAND_FEC(options.fec ? 1 : 0));
    Set(OPUS_SET_PACKET_LOSS_PERC(options.fec ? kLossPercent : 0));
  }
  ~OpusVoiceEncoder() override { opus_encoder_destroy(state_); }

  void Encode(absl::Span<const int16_t> frame, std::vector<uint8_t>& out) override {
    out.resize(kPacketMax);
    const opus_int32 size = opus_encode(state_, frame.data(), static_cast<int>(frame.size()),
                                        out.data(), static_cast<opus_int32>(out.size()));
    OUTPACE_CHECK(size > 0);  // else not a length that the codec has
    out.resize(static_cast<size_t>(size));
  }

 private:
  template <typename... Request>
  void Set(Request... request) {
    OUTPACE_CHECK(opus_encoder_ctl(state_, request...) == OPUS_OK);
  }

  OpusEncoder* state_ = nullptr;
};

}  // namespace

std::unique_ptr<Decoder> NewOpusDecoder(int rate) {
  return std::make_unique<OpusVoiceDecoder>(rate);
}
std::unique_ptr<Encoder> NewOpusEncoder(int rate, const EncoderOptions& options) {
  return std::make_unique<OpusVoiceEncoder>(rate, options);
}

int OpusTicks(absl::Span<const uint8_t> payload) {
  if (payload.empty() || payload.size() > kPayloadMax) return 0;
  // Counts and lengths within are checked, as the decoder will.
  const unsigned char* frames[48];
  opus_int16 sizes[48];
  const int count = opus_packet_parse(payload.data(), static_cast<opus_int32>(payload.size()),
                                      nullptr, frames, sizes, nullptr);
  const int ticks = count * opus_packet_get_samples_per_frame(payload.data(), 48000);
  return count > 0 && ticks <= kPayloadMsMax * 48 ? ticks : 0;
}

}  // namespace outpace::codec
