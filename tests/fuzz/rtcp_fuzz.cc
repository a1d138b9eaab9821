// Reports. We read none: what comes to the RTP port where both share one (RFC 5761) must be told
// apart from audio, dropped, and end nothing. We write some: whatever a far end's packets made of
// its counts, a report of ours is well formed. The input: a control octet, then pieces of a length
// octet and a datagram.

#include <cstdint>
#include <cstring>

#include "engine/base/check.h"
#include "engine/media/rtp_packet.h"
#include "engine/media/rtp_statistics.h"
#include "engine/media/srtp.h"
#include "tests/fuzz/media_harness.h"

namespace outpace::media {
namespace {

constexpr int kDatagramsMax = 40;

// RFC 3550 6.1: packets of version 2 whose lengths add up, a report first.
void CheckCompound(absl::Span<const uint8_t> report) {
  OUTPACE_CHECK(report.size() >= 8 && report.size() <= kReportMax && report.size() % 4 == 0);
  OUTPACE_CHECK(report[1] == 200 || report[1] == 201);
  bool name = false;
  for (size_t at = 0; at < report.size();) {
    OUTPACE_CHECK(report.size() - at >= 4 && report[at] >> 6 == 2);
    const size_t size = 4 * (size_t{report[at + 2]} << 8 | report[at + 3]) + 4;
    OUTPACE_CHECK(size <= report.size() - at);
    name = name || report[at + 1] == 202;
    at += size;
  }
  OUTPACE_CHECK(name);
}

// What `datagram` says as a packet of theirs, and our report then.
void Report(absl::Span<const uint8_t> datagram, SendStatistics& sent, ReceiveStatistics& received,
            MonoTime now) {
  RtpView view;
  if (ParseRtp(datagram, &view) == RtpCheck::kOk) {
    received.Take(view.header, now, datagram.size() % 2 == 0 ? 8000 : 48000);
    sent.packets += view.header.seq;
    sent.octets += view.header.timestamp;
    sent.timestamp = view.header.ssrc;
    sent.at = now;
  }
  uint8_t room[kReportMax + kSrtcpTrailerMax];
  const ReportHead head{.ssrc = 7, .rate = 8000, .now = now, .wall = absl::UnixEpoch()};
  const size_t size = BuildReport(head, sent, received, absl::MakeSpan(room));
  CheckCompound(absl::MakeConstSpan(room, size));
  static SrtpSender sender{SrtpKey()};
  OUTPACE_CHECK(sender.ProtectReport(absl::MakeSpan(room), size) > size);
}

}  // namespace
}  // namespace outpace::media

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace outpace::media;  // NOLINT: one function
  if (size < 2) return 0;
  const uint8_t control = data[0];
  absl::Span<const uint8_t> rest(data + 1, size - 1);
  SendStatistics sent;
  ReceiveStatistics received;
  MediaHarness& harness = MediaHarness::Get(RtcpMode::kMux);
  const auto scene = static_cast<MediaHarness::Scene>(control % MediaHarness::kSceneCount);
  int64_t now = 1'000'000'000;
  for (int i = 0; i < kDatagramsMax && !rest.empty(); ++i) {
    const absl::Span<const uint8_t> datagram = NextPiece(rest, (control & 0x80) != 0);
    Report(datagram, sent, received, outpace::MonoTime(now));
    harness.Send(scene, datagram);
    now += 20'000'000;
  }
  harness.CheckHeard(scene);
  return 0;
}
