// Payloads from a stranger through each decoder at each rate, and the same octets as a stream of
// packets through a playout buffer. The input is cut into pieces: a control octet (codec, what to
// do), a length octet, then the payload. No crash; what a decoder gives is what the payload's own
// count says, 120 ms at most.

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/check.h"
#include "engine/codec/codec.h"
#include "engine/media/playout_buffer.h"

namespace {

using outpace::MonoTime;
using outpace::codec::Codec;
using outpace::media::PlayoutBuffer;
using Bytes = absl::Span<const uint8_t>;

void Decode(outpace::codec::Decoder& decoder, Codec codec, int rate, Bytes payload, uint8_t control,
            std::vector<int16_t>& out) {
  const auto samples_max = static_cast<size_t>(rate / 1000 * outpace::codec::kPayloadMsMax);
  out.assign(3, 1);
  const int ticks = outpace::codec::TicksIn(codec, payload);
  const bool ok = decoder.Decode(payload, out);
  OUTPACE_CHECK(ok == (out.size() > 3) && out.size() <= 3 + samples_max);
  OUTPACE_CHECK(!ok || ticks > 0);
  if (ok) {
    const int rtp_rate = outpace::codec::InfoOf(codec).rtp_rate;
    OUTPACE_CHECK(static_cast<int64_t>(out.size() - 3) ==
                  outpace::codec::SamplesOf(ticks, rtp_rate, rate));
  }
  out.clear();
  if ((control & 4) != 0) decoder.Conceal(control * size_t{3}, out);
  if ((control & 8) != 0) decoder.Recover(payload, static_cast<size_t>(rate / 50), out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  for (const int rate : {8000, 16000}) {
    std::unique_ptr<outpace::codec::Decoder> decoders[outpace::codec::kCodecCount];
    std::vector<int16_t> out;
    PlayoutBuffer buffer(rate);
    std::vector<int16_t> frame(static_cast<size_t>(rate / 50));
    outpace::media::RtpHeader header;
    int64_t now = 0;
    Bytes rest(data, size);
    for (int piece = 0; rest.size() >= 2 && piece < 200; ++piece) {
      const uint8_t control = rest[0];
      // Payloads of up to 1530 octets, all of the rest for the last.
      const size_t length =
          std::min<size_t>(rest[1] * size_t{(control & 0x80) != 0 ? 6U : 1U}, rest.size() - 2);
      const Bytes payload = rest.subspan(2, length);
      rest.remove_prefix(2 + length);
      auto codec = static_cast<Codec>(control & 3);
      if (rate == 16000 && outpace::codec::IsG711(codec)) codec = Codec::kG722;
      auto& decoder = decoders[static_cast<size_t>(codec)];
      if (decoder == nullptr) decoder = outpace::codec::NewDecoder(codec, rate);
      Decode(*decoder, codec, rate, payload, control, out);

      header.timestamp += static_cast<uint32_t>(outpace::codec::TicksIn(codec, payload));
      if ((control & 0x10) != 0) header.timestamp ^= uint32_t{control} << (length % 32);
      if ((control & 0x20) != 0) ++header.ssrc;
      header.marker = (control & 0x08) != 0;
      buffer.Put(codec, header, payload, MonoTime(now));
      now += int64_t{control} * 300'000;
      if ((control & 0x40) == 0) buffer.Get(MonoTime(now), absl::MakeSpan(frame));
      OUTPACE_CHECK(buffer.stats().target <= PlayoutBuffer::kDepthMax);
    }
  }
  return 0;
}
