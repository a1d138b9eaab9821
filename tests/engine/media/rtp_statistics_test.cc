#include "engine/media/rtp_statistics.h"

#include <gtest/gtest.h>

#include <vector>

namespace outpace::media {
namespace {

constexpr uint32_t kRate = 8000;

MonoTime At(int64_t ms) { return MonoTime(ms * 1'000'000); }
RtpHeader Header(int n, uint32_t ssrc = 7) {
  return {
      .seq = static_cast<uint16_t>(n), .timestamp = static_cast<uint32_t>(n) * 160, .ssrc = ssrc};
}
uint32_t Word(absl::Span<const uint8_t> bytes, size_t at) {
  return static_cast<uint32_t>(bytes[at]) << 24 | static_cast<uint32_t>(bytes[at + 1]) << 16 |
         static_cast<uint32_t>(bytes[at + 2]) << 8 | bytes[at + 3];
}

TEST(ReceiveStatistics, CountsLossAndTellsDuplicatesFromReordering) {
  ReceiveStatistics received;
  for (const int n : {10, 11, 14, 12, 12, 15}) {
    received.Take(Header(n), At(n * 20), kRate);
  }
  EXPECT_EQ(received.packets(), 5u);
  EXPECT_EQ(received.duplicates(), 1u);
  EXPECT_EQ(received.lost(), 1u);  // 13
  EXPECT_TRUE(received.Take(Header(13), At(320), kRate));
  EXPECT_EQ(received.lost(), 0u);
  EXPECT_FALSE(received.Take(Header(10), At(320), kRate));
}

TEST(ReceiveStatistics, TheFirstPacketMayBeOvertaken) {
  ReceiveStatistics received;
  EXPECT_TRUE(received.Take(Header(0), At(0), kRate));
  EXPECT_TRUE(received.Take(Header(0xffff), At(1), kRate));  // the one before it, across the wrap
  EXPECT_FALSE(received.Take(Header(0xffff), At(2), kRate));
  EXPECT_EQ(received.packets(), 2u);
  EXPECT_EQ(received.lost(), 0u);
}

TEST(ReceiveStatistics, TheWindowMovesOverItsWordsWithoutForgetting) {
  for (const int step : {1, 63, 64, 65, 127, 128, 3000}) {
    ReceiveStatistics received;
    ASSERT_TRUE(received.Take(Header(1000), At(0), kRate));
    ASSERT_TRUE(received.Take(Header(1000 + step), At(20), kRate)) << step;
    EXPECT_EQ(received.lost(), static_cast<uint64_t>(step - 1));
    if (step < 128) {
      EXPECT_FALSE(received.Take(Header(1000), At(40), kRate)) << step;
    }
    EXPECT_FALSE(received.Take(Header(1000 + step), At(40), kRate)) << step;
  }
}

TEST(ReceiveStatistics, ANewSourceOrAJumpIsANewBeginningAndLossesStay) {
  ReceiveStatistics received;
  received.Take(Header(1), At(0), kRate);
  received.Take(Header(3), At(20), kRate);
  EXPECT_TRUE(received.Take(Header(3, 8), At(40), kRate));      // another SSRC
  EXPECT_TRUE(received.Take(Header(30000, 8), At(60), kRate));  // restarted
  EXPECT_TRUE(received.Take(Header(20000, 8), At(80), kRate));
  EXPECT_EQ(received.packets(), 5u);
  EXPECT_EQ(received.lost(), 1u);
}

TEST(ReceiveStatistics, JitterIsThatOfRfc3550) {
  ReceiveStatistics received;
  double expected = 0;
  int64_t late = 0;
  for (int n = 0; n < 200; ++n) {
    const int64_t now_late = n % 3 == 0 ? 5 : 0;
    received.Take(Header(n), At(n * 20 + now_late), kRate);
    if (n > 0) {
      const double step = 8.0 * static_cast<double>(std::abs(now_late - late));
      expected += (step - expected) / 16;
    }
    late = now_late;
  }
  EXPECT_NEAR(received.jitter_ms(), expected / 8, 0.01);
  EXPECT_EQ(received.NextBlock().jitter, static_cast<uint32_t>(expected));
}

TEST(ReceiveStatistics, ABlockIsAboutTheTimeSinceTheLast) {
  ReceiveStatistics received;
  for (const int n : {1, 2, 3, 4, 8}) received.Take(Header(n), At(n * 20), kRate);
  ReceiveStatistics::Block block = received.NextBlock();
  EXPECT_EQ(block.fraction_lost, 3 * 256 / 8);
  EXPECT_EQ(block.cumulative_lost, 3);
  EXPECT_EQ(block.highest_seq, 8u);
  EXPECT_FALSE(received.any_since_block());
  for (int n = 9; n < 13; ++n) received.Take(Header(n), At(n * 20), kRate);
  EXPECT_TRUE(received.any_since_block());
  block = received.NextBlock();
  EXPECT_EQ(block.fraction_lost, 0);
  EXPECT_EQ(block.cumulative_lost, 3);
}

TEST(Report, SenderReportHasOurCountsAndTheTimestampOfItsMoment) {
  ReceiveStatistics received;
  for (const int n : {1, 2, 4}) received.Take(Header(n), At(n * 20), kRate);
  SendStatistics sent{.packets = 5, .octets = 800, .timestamp = 16000, .at = At(100)};
  std::vector<uint8_t> out(kReportMax);
  const ReportHead head{
      .ssrc = 0x0a0b0c0d, .rate = 8000, .now = At(150), .wall = absl::FromUnixMicros(1'500'000)};
  const size_t size = BuildReport(head, sent, received, absl::MakeSpan(out));
  ASSERT_EQ(size, 28u + 24 + 28);
  EXPECT_EQ(Word(out, 0), 0x81c8000cu);  // version 2, one block, 200, 13 words
  EXPECT_EQ(Word(out, 4), 0x0a0b0c0du);
  EXPECT_EQ(Word(out, 8), 2208988801u);
  EXPECT_EQ(Word(out, 12), 0x80000000u);
  EXPECT_EQ(Word(out, 16), 16400u);
  EXPECT_EQ(Word(out, 20), 5u);
  EXPECT_EQ(Word(out, 24), 800u);
  EXPECT_EQ(Word(out, 28), 7u);
  EXPECT_EQ(Word(out, 32), static_cast<uint32_t>(256 / 4) << 24 | 1u);
  EXPECT_EQ(Word(out, 36), 4u);
  EXPECT_EQ(Word(out, 52), 0x81ca0006u);  // 202, 7 words
  EXPECT_EQ(std::string(out.begin() + 62, out.begin() + 78), "0a0b0c0d@invalid");
  // Nothing new: a receiver report without a block.
  EXPECT_EQ(BuildReport(head, sent, received, absl::MakeSpan(out)), 8u + 28);
  EXPECT_EQ(Word(out, 0), 0x80c90001u);
}

}  // namespace
}  // namespace outpace::media
