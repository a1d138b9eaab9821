// RTP from the far end's own address, which is all a stranger cannot do: hostile lengths, sequence
// numbers, times, payload types and keys. First the header reader and what counts by it, then the
// whole way through a running media thread, into a plain call, one that is listened to, one that is
// recorded and one that is encrypted. The input: a control octet (which call, what else), then
// pieces of a length octet and a datagram.

#include <cstdint>

#include "engine/base/check.h"
#include "engine/media/outgoing_stream.h"
#include "engine/media/rtp_packet.h"
#include "engine/media/rtp_statistics.h"
#include "tests/fuzz/media_harness.h"

namespace outpace::media {
namespace {

constexpr int kDatagramsMax = 40;

void CheckHeader(absl::Span<const uint8_t> datagram, OutgoingStream& stream,
                 ReceiveStatistics& received, MonoTime now) {
  RtpView view;
  const RtpCheck check = ParseRtp(datagram, &view);
  const size_t offset = RtpPayloadOffset(datagram);
  OUTPACE_CHECK(offset == 0 || (offset >= kRtpHeaderSize && offset <= datagram.size()));
  if (check != RtpCheck::kOk) return;
  OUTPACE_CHECK(view.payload_offset == offset && view.payload_size > 0);
  OUTPACE_CHECK(view.payload_offset + view.payload_size <= datagram.size());
  OUTPACE_CHECK(view.header.payload_type < 128);
  const bool fresh = received.Take(view.header, now, 8000);
  OUTPACE_CHECK(!received.Take(view.header, now, 8000) || !fresh);  // never twice
  if (!fresh) return;
  const bool event = view.header.payload_type == 101;
  (void)stream.Relay(1, view.header, static_cast<uint32_t>(view.payload_size), event, now);
  const ReceiveStatistics::Block block = received.NextBlock();
  OUTPACE_CHECK(block.cumulative_lost >= -0x800000 && block.cumulative_lost <= 0x7fffff);
  OUTPACE_CHECK(received.jitter_ms() >= 0);
}

}  // namespace
}  // namespace outpace::media

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace outpace::media;  // NOLINT: one function
  if (size < 2) return 0;
  const uint8_t control = data[0];
  absl::Span<const uint8_t> rest(data + 1, size - 1);
  OutgoingStream stream;
  ReceiveStatistics received;
  MediaHarness& harness = MediaHarness::Get(RtcpMode::kPair);
  const auto scene = static_cast<MediaHarness::Scene>(control % MediaHarness::kSceneCount);
  int64_t now = 1'000'000'000;
  for (int i = 0; i < kDatagramsMax && !rest.empty(); ++i) {
    const absl::Span<const uint8_t> datagram = NextPiece(rest, (control & 0x80) != 0);
    CheckHeader(datagram, stream, received, outpace::MonoTime(now));
    harness.Send(scene, datagram);
    now += 20'000'000;
  }
  harness.CheckHeard(scene);
  return 0;
}
