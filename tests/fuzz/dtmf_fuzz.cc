// Telephone events (RFC 4733) as keys. The input is a series of packets: a control octet (what of
// the header changes), a length octet, the payload. What is told is one of the sixteen keys, and
// a packet told once is not told again, for the last one of each key comes three times.

#include <cstdint>
#include <cstring>

#include "engine/base/check.h"
#include "engine/media/key_tracker.h"
#include "tests/fuzz/media_harness.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace outpace::media;  // NOLINT: one function
  constexpr char kKeys[] = "0123456789*#ABCD";
  absl::Span<const uint8_t> rest(data, size);
  KeyTracker tracker;
  RtpHeader header{.payload_type = 101, .marker = false, .seq = 1, .timestamp = 8'000, .ssrc = 9};
  for (int i = 0; i < 400 && rest.size() >= 2; ++i) {
    const uint8_t control = rest[0];
    rest.remove_prefix(1);
    header.marker = (control & 1) != 0;
    if ((control & 2) != 0) ++header.ssrc;
    if ((control & 4) != 0) header.timestamp += 160;
    if ((control & 8) != 0) header.timestamp += 0x7fff'ff00u;
    if ((control & 16) != 0) header.timestamp -= 0xffff;
    if ((control & 32) != 0) header.seq = static_cast<uint16_t>(header.seq * 7 + 3);
    ++header.seq;
    const int rate = (control & 64) != 0 ? 48'000 : 8'000;
    const absl::Span<const uint8_t> payload = NextPiece(rest, false);
    const std::optional<char> key = tracker.Take(header, rate, payload);
    if (!key.has_value()) continue;
    OUTPACE_CHECK(payload.size() >= 4 && payload[0] < 16);
    OUTPACE_CHECK(*key == kKeys[payload[0]]);
    OUTPACE_CHECK(!tracker.Take(header, rate, payload).has_value());
  }
  return 0;
}
