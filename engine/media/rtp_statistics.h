#pragma once

// What is counted of a leg's RTP in both directions: for our RTCP reports (RFC 3550 6.4), for the
// call record, and to drop what comes twice. Plain arithmetic on a packet's header; no allocation.

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "engine/base/clock.h"
#include "engine/media/rtp_packet.h"

namespace outpace::media {

// One far end's stream as it arrives.
class ReceiveStatistics {
 public:
  // The report block on this source (RFC 3550 6.4.1).
  struct Block {
    uint32_t ssrc = 0;
    uint8_t fraction_lost = 0;    // in 1/256, since the last block
    int32_t cumulative_lost = 0;  // 24 bits signed
    uint32_t highest_seq = 0;     // with its cycles in the upper half
    uint32_t jitter = 0;          // timestamp units
  };

  // Takes a packet that arrived at `at`; `rate` is its timestamps' units a second, 0 for one whose
  // timestamp is not that of its sending (telephone events). False: it came before, drop it. A new
  // SSRC or a jump of the sequence is a new beginning and taken at once: the source address is the
  // right one, and who is bridged waits for no probation.
  bool Take(const RtpHeader& header, MonoTime at, uint32_t rate);

  // Advances the interval that `fraction_lost` is about.
  Block NextBlock();
  bool any_since_block() const { return packets_ != packets_at_block_; }

  uint64_t packets() const { return packets_; }  // without duplicates
  uint64_t lost() const;                         // that came late ones do not count
  uint64_t duplicates() const { return duplicates_; }
  double jitter_ms() const { return jitter_ms_; }  // RFC 3550 A.8, now

 private:
  void Begin(const RtpHeader& header);
  void TakeTransit(const RtpHeader& header, MonoTime at, uint32_t rate);
  int64_t Expected() const { return started_ ? int64_t{highest_} - base_ + 1 : 0; }

  bool started_ = false;
  uint32_t ssrc_ = 0;
  uint32_t base_ = 0;  // extended sequence numbers
  uint32_t highest_ = 0;
  uint64_t seen_[2] = {0, 0};  // bit n: highest_ - n
  int64_t received_ = 0;       // since base_
  uint64_t lost_before_ = 0;   // of streams before this one
  uint64_t packets_ = 0;
  uint64_t duplicates_ = 0;

  uint32_t rate_ = 0;
  uint32_t transit_ = 0;
  double jitter_units_ = 0;
  double jitter_ms_ = 0;

  int64_t expected_at_block_ = 0;
  int64_t received_at_block_ = 0;
  uint64_t packets_at_block_ = 0;
};

// What we sent.
struct SendStatistics {
  uint32_t packets = 0;
  uint32_t octets = 0;     // of payload
  uint32_t timestamp = 0;  // of the newest audio packet
  MonoTime at;             // when that was sent
  uint32_t packets_at_report = 0;
};

// Who reports, and when.
struct ReportHead {
  uint32_t ssrc = 0;     // ours
  uint32_t rate = 8000;  // of our timestamps
  MonoTime now;
  absl::Time wall;  // the same moment
};
inline constexpr size_t kReportMax = 96;

// Writes a compound report into `out` (kReportMax octets at least): a sender report if anything was
// sent since the last one, else a receiver report, then the canonical name, one that tells nothing
// of the host (RFC 7022). Returns its octets.
size_t BuildReport(const ReportHead& head, SendStatistics& sent, ReceiveStatistics& received,
                   absl::Span<uint8_t> out);

}  // namespace outpace::media
