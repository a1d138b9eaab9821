#include "engine/media/rtp_statistics.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/time/time.h"
#include "engine/base/check.h"

namespace outpace::media {
namespace {

// Further ahead than this is a restarted sender, not loss (RFC 3550 A.1, MAX_DROPOUT).
constexpr int kAheadMax = 3000;
// Further behind than this cannot be told from a restarted sender: 2.5 s of 20 ms.
constexpr int kWindow = 128;

constexpr uint8_t kSenderReport = 200;
constexpr uint8_t kReceiverReport = 201;
constexpr uint8_t kSourceDescription = 202;
constexpr uint64_t kNtpUnixSeconds = 2'208'988'800;  // 1900 to 1970

class Writer {
 public:
  explicit Writer(absl::Span<uint8_t> out) : out_(out) {}
  void Put8(uint32_t value) { out_[at_++] = static_cast<uint8_t>(value); }
  void Put16(uint32_t value) {
    Put8(value >> 8);
    Put8(value & 0xff);
  }
  void Put32(uint32_t value) {
    Put16(value >> 16);
    Put16(value & 0xffff);
  }
  void Head(uint32_t count, uint8_t type, uint32_t words) {
    Put8(0x80 | count);
    Put8(type);
    Put16(words - 1);
  }
  size_t at() const { return at_; }

 private:
  absl::Span<uint8_t> out_;
  size_t at_ = 0;
};

void PutName(uint32_t ssrc, Writer& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  static constexpr char kHost[] = "@invalid";
  constexpr uint32_t kLength = 8 + sizeof kHost - 1;
  out.Head(1, kSourceDescription, 7);
  out.Put32(ssrc);
  out.Put8(1);  // CNAME
  out.Put8(kLength);
  for (int shift = 28; shift >= 0; shift -= 4) {
    out.Put8(static_cast<uint8_t>(kHex[(ssrc >> shift) & 0xf]));
  }
  for (size_t i = 0; i + 1 < sizeof kHost; ++i) out.Put8(static_cast<uint8_t>(kHost[i]));
  out.Put16(0);  // the end, and up to the next word
}

}  // namespace

void ReceiveStatistics::Begin(const RtpHeader& header) {
  lost_before_ = lost();
  started_ = true;
  ssrc_ = header.ssrc;
  // One cycle up, so that what is older than the first has a number too.
  base_ = highest_ = 0x10000u + header.seq;
  seen_[0] = 1;
  seen_[1] = 0;
  received_ = 1;
  rate_ = 0;
  jitter_units_ = 0;
  expected_at_block_ = 0;
  received_at_block_ = 0;
}

bool ReceiveStatistics::Take(const RtpHeader& header, MonoTime at, uint32_t rate) {
  const int ahead =
      started_ ? static_cast<int16_t>(header.seq - static_cast<uint16_t>(highest_)) : 0;
  if (!started_ || header.ssrc != ssrc_ || ahead > kAheadMax || ahead <= -kWindow) {
    Begin(header);
  } else if (ahead > 0) {
    if (ahead >= 64) {
      seen_[1] = ahead < 128 ? seen_[0] << (ahead - 64) : 0;
      seen_[0] = 0;
    } else {
      seen_[1] = (seen_[1] << ahead) | (seen_[0] >> (64 - ahead));
      seen_[0] <<= ahead;
    }
    seen_[0] |= 1;
    highest_ += static_cast<uint32_t>(ahead);
    ++received_;
  } else {
    const int back = -ahead;
    uint64_t& word = seen_[back / 64];
    const uint64_t bit = uint64_t{1} << (back % 64);
    if ((word & bit) != 0) {
      ++duplicates_;
      return false;
    }
    word |= bit;
    base_ = std::min(base_, highest_ - static_cast<uint32_t>(back));
    ++received_;
  }
  ++packets_;
  if (rate != 0) TakeTransit(header, at, rate);
  return true;
}

// RFC 3550 A.8.
void ReceiveStatistics::TakeTransit(const RtpHeader& header, MonoTime at, uint32_t rate) {
  const int64_t micros = at.nanos() / 1000;
  const auto arrival = static_cast<uint32_t>(micros * (rate / 1000) / 1000);
  const uint32_t transit = arrival - header.timestamp;
  if (rate_ == rate) {
    const double step = std::abs(static_cast<double>(static_cast<int32_t>(transit - transit_)));
    // A step of seconds is a new clock at the sender, not jitter.
    if (step < 2.0 * rate) jitter_units_ += (step - jitter_units_) / 16;
    jitter_ms_ = jitter_units_ * 1000 / rate;
  }
  rate_ = rate;
  transit_ = transit;
}

uint64_t ReceiveStatistics::lost() const {
  return lost_before_ + static_cast<uint64_t>(std::max<int64_t>(0, Expected() - received_));
}

ReceiveStatistics::Block ReceiveStatistics::NextBlock() {
  const int64_t expected = Expected() - expected_at_block_;
  const int64_t lost = expected - (received_ - received_at_block_);
  Block block{.ssrc = ssrc_, .highest_seq = highest_ - 0x10000u};
  if (expected > 0 && lost > 0) {
    block.fraction_lost = static_cast<uint8_t>(std::min<int64_t>(255, lost * 256 / expected));
  }
  block.cumulative_lost =
      static_cast<int32_t>(std::clamp<int64_t>(Expected() - received_, -0x800000, 0x7fffff));
  block.jitter = static_cast<uint32_t>(jitter_units_);
  expected_at_block_ = Expected();
  received_at_block_ = received_;
  packets_at_block_ = packets_;
  return block;
}

size_t BuildReport(const ReportHead& head, SendStatistics& sent, ReceiveStatistics& received,
                   absl::Span<uint8_t> out) {
  OUTPACE_CHECK(out.size() >= kReportMax);
  Writer writer(out);
  const bool sender = sent.packets != sent.packets_at_report;
  const uint32_t blocks = received.any_since_block() ? 1 : 0;
  writer.Head(blocks, sender ? kSenderReport : kReceiverReport, (sender ? 7 : 2) + blocks * 6);
  writer.Put32(head.ssrc);
  if (sender) {
    const int64_t micros = std::max<int64_t>(0, absl::ToUnixMicros(head.wall));
    const auto seconds = static_cast<uint64_t>(micros / 1'000'000) + kNtpUnixSeconds;
    const uint64_t fraction = (static_cast<uint64_t>(micros % 1'000'000) << 32) / 1'000'000;
    writer.Put32(static_cast<uint32_t>(seconds));
    writer.Put32(static_cast<uint32_t>(fraction));
    // The timestamp that belongs to this moment, not to the last packet.
    const int64_t since = (head.now.nanos() - sent.at.nanos()) / 1000;
    writer.Put32(sent.timestamp + static_cast<uint32_t>(since * (head.rate / 1000) / 1000));
    writer.Put32(sent.packets);
    writer.Put32(sent.octets);
    sent.packets_at_report = sent.packets;
  }
  if (blocks != 0) {
    const ReceiveStatistics::Block block = received.NextBlock();
    writer.Put32(block.ssrc);
    writer.Put8(block.fraction_lost);
    writer.Put8((static_cast<uint32_t>(block.cumulative_lost) >> 16) & 0xff);
    writer.Put16(static_cast<uint32_t>(block.cumulative_lost) & 0xffff);
    writer.Put32(block.highest_seq);
    writer.Put32(block.jitter);
    writer.Put32(0);  // the far end's reports are never read: no LSR, no DLSR
    writer.Put32(0);
  }
  PutName(head.ssrc, writer);
  return writer.at();
}

}  // namespace outpace::media
