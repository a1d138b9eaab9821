#include "engine/codec/codec.h"

#include <array>

#include "engine/base/check.h"
#include "engine/codec/codec_parts.h"
#include "engine/codec/concealment.h"

namespace outpace::codec {
namespace {

constexpr std::array<CodecInfo, kCodecCount> kInfo = {{
    {.name = "PCMU", .static_type = 0},
    {.name = "PCMA", .static_type = 8},
    {.name = "G722", .static_type = 9, .wideband = true},
    {.name = "opus", .rtp_rate = 48000, .channels = 2, .wideband = true},
}};
// Of G.711 and G.722, which both have 8 octets a millisecond.
constexpr size_t kOctetsMax = size_t{kPayloadMsMax} * 8;

constexpr std::array<int16_t, 256> LinearTable(Law law) {
  std::array<int16_t, 256> table{};
  for (size_t octet = 0; octet < 256; ++octet) {
    table[octet] = ToLinear(law, static_cast<uint8_t>(octet));
  }
  return table;
}
constexpr std::array<int16_t, 256> kMuTable = LinearTable(Law::kMu);
constexpr std::array<int16_t, 256> kATable = LinearTable(Law::kA);

class G711Decoder final : public Decoder {
 public:
  explicit G711Decoder(Law law)
      : table_(law == Law::kMu ? kMuTable : kATable), concealment_(8000) {}

  bool Decode(absl::Span<const uint8_t> payload, std::vector<int16_t>& out) override {
    if (payload.empty() || payload.size() > kOctetsMax) return false;
    const size_t first = out.size();
    out.resize(first + payload.size());
    int16_t* const to = out.data() + first;
    for (size_t i = 0; i < payload.size(); ++i) to[i] = table_[payload[i]];
    concealment_.Decoded(out, payload.size());
    return true;
  }
  void Conceal(size_t samples, std::vector<int16_t>& out) override {
    OUTPACE_CHECK(samples <= kOctetsMax);
    concealment_.Conceal(samples, out);
  }

 private:
  const std::array<int16_t, 256>& table_;
  Concealment concealment_;
};

class G711Encoder final : public Encoder {
 public:
  explicit G711Encoder(Law law) : law_(law) {}

  void Encode(absl::Span<const int16_t> frame, std::vector<uint8_t>& out) override {
    out.resize(frame.size());
    if (law_ == Law::kMu) {
      for (size_t i = 0; i < frame.size(); ++i) out[i] = LinearToMu(frame[i]);
    } else {
      for (size_t i = 0; i < frame.size(); ++i) out[i] = LinearToA(frame[i]);
    }
  }

 private:
  const Law law_;
};

}  // namespace

const CodecInfo& InfoOf(Codec codec) { return kInfo[static_cast<size_t>(codec)]; }

int TicksIn(Codec codec, absl::Span<const uint8_t> payload) {
  if (codec == Codec::kOpus) return OpusTicks(payload);
  return payload.size() > kOctetsMax ? 0 : static_cast<int>(payload.size());
}

std::unique_ptr<Decoder> NewDecoder(Codec codec, int rate) {
  OUTPACE_CHECK(rate == 8000 || rate == 16000);
  OUTPACE_CHECK(rate == 8000 || !IsG711(codec));
  switch (codec) {
    case Codec::kG722:
      return NewG722Decoder(rate);
    case Codec::kOpus:
      return NewOpusDecoder(rate);
    case Codec::kPcmu:
    case Codec::kPcma:
      break;
  }
  return std::make_unique<G711Decoder>(LawOf(codec));
}

std::unique_ptr<Encoder> NewEncoder(Codec codec, int rate, const EncoderOptions& options) {
  OUTPACE_CHECK(rate == 8000 || rate == 16000);
  OUTPACE_CHECK(rate == 8000 || !IsG711(codec));
  switch (codec) {
    case Codec::kG722:
      return NewG722Encoder(rate);
    case Codec::kOpus:
      return NewOpusEncoder(rate, options);
    case Codec::kPcmu:
    case Codec::kPcma:
      break;
  }
  return std::make_unique<G711Encoder>(LawOf(codec));
}

}  // namespace outpace::codec
