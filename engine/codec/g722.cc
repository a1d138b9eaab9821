// G.722 at 64 kbit/s by spandsp. At 8000 samples a second spandsp codes the lower of the two bands
// alone, which is what a telephone leg has; a decoder at 8000 leaves out the upper one.

#include <spandsp.h>

#include "engine/base/check.h"
#include "engine/codec/codec_parts.h"
#include "engine/codec/concealment.h"

namespace outpace::codec {
namespace {

constexpr int kBitRate = 64000;
constexpr size_t kOctetsMax = size_t{kPayloadMsMax} * 8;

int OptionsOf(int rate) { return rate == 8000 ? G722_SAMPLE_RATE_8000 : 0; }

class G722Decoder final : public Decoder {
 public:
  explicit G722Decoder(int rate)
      : rate_(static_cast<size_t>(rate)),
        state_(g722_decode_init(nullptr, kBitRate, OptionsOf(rate))),
        concealment_(rate) {
    OUTPACE_CHECK(state_ != nullptr);
  }
  ~G722Decoder() override { g722_decode_free(state_); }

  bool Decode(absl::Span<const uint8_t> payload, std::vector<int16_t>& out) override {
    if (payload.empty() || payload.size() > kOctetsMax) return false;
    const size_t first = out.size();
    out.resize(first + payload.size() * rate_ / 8000);
    const int made =
        g722_decode(state_, out.data() + first, payload.data(), static_cast<int>(payload.size()));
    OUTPACE_CHECK(made >= 0 && static_cast<size_t>(made) == out.size() - first);
    concealment_.Decoded(out, out.size() - first);
    return true;
  }
  void Conceal(size_t samples, std::vector<int16_t>& out) override {
    OUTPACE_CHECK(samples <= size_t{kPayloadMsMax} * rate_ / 1000);
    concealment_.Conceal(samples, out);
  }

 private:
  const size_t rate_;
  g722_decode_state_t* const state_;
  Concealment concealment_;
};

class G722Encoder final : public Encoder {
 public:
  explicit G722Encoder(int rate)
      : rate_(rate), state_(g722_encode_init(nullptr, kBitRate, OptionsOf(rate))) {
    OUTPACE_CHECK(state_ != nullptr);
  }
  ~G722Encoder() override { g722_encode_free(state_); }

  void Encode(absl::Span<const int16_t> frame, std::vector<uint8_t>& out) override {
    OUTPACE_CHECK(rate_ == 8000 || frame.size() % 2 == 0);
    out.resize(frame.size());
    const int made = g722_encode(state_, out.data(), frame.data(), static_cast<int>(frame.size()));
    OUTPACE_CHECK(made >= 0 && static_cast<size_t>(made) <= out.size());
    out.resize(static_cast<size_t>(made));
  }

 private:
  const int rate_;
  g722_encode_state_t* const state_;
};

}  // namespace

std::unique_ptr<Decoder> NewG722Decoder(int rate) { return std::make_unique<G722Decoder>(rate); }
std::unique_ptr<Encoder> NewG722Encoder(int rate) { return std::make_unique<G722Encoder>(rate); }

}  // namespace outpace::codec
