#include "engine/media/outgoing_stream.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"

namespace outpace::media {
namespace {

MonoTime At(int64_t ms) { return MonoTime(ms * 1'000'000); }
RtpHeader In(uint16_t seq, uint32_t timestamp, uint32_t ssrc = 1, bool marker = false) {
  return {.marker = marker, .seq = seq, .timestamp = timestamp, .ssrc = ssrc};
}

TEST(OutgoingStream, KeepsTheSendersOwnSteps) {
  OutgoingStream out(10, 1000);
  Stamp s = out.Relay(1, In(500, 70000), 160, false, At(0));
  EXPECT_EQ(s.seq, 10);
  EXPECT_EQ(s.timestamp, 1000u);
  EXPECT_TRUE(s.marker);
  s = out.Relay(1, In(501, 70160), 160, false, At(20));
  EXPECT_EQ(s.seq, 11);
  EXPECT_EQ(s.timestamp, 1160u);
  EXPECT_FALSE(s.marker);
  s = out.Relay(1, In(504, 70640), 160, false,
                At(80));  // two lost on the way: the listener sees it
  EXPECT_EQ(s.seq, 14);
  EXPECT_EQ(s.timestamp, 1640u);
  EXPECT_FALSE(s.marker);
  s = out.Relay(1, In(503, 70480), 160, false, At(81));  // one of them comes late
  EXPECT_EQ(s.seq, 13);
  EXPECT_EQ(s.timestamp, 1480u);
  s = out.Relay(1, In(505, 78640, 1, true), 160, false,
                At(1080));  // after 1 s of suppressed silence
  EXPECT_EQ(s.seq, 15);
  EXPECT_EQ(s.timestamp, 9640u);
  EXPECT_TRUE(s.marker);
}

TEST(OutgoingStream, ANewSourceGoesOnWhereTheLastStopped) {
  OutgoingStream out(65534, 0xffffff00);  // wraps on the way
  out.Relay(1, In(7, 7), 160, false, At(0));
  out.Relay(1, In(8, 167), 160, false, At(20));
  out.Part();
  const Stamp s = out.Relay(2, In(40000, 123456, 99), 160, false, At(520));
  EXPECT_EQ(s.seq, 0);
  // 500 ms after the last packet went out: 4000 samples on from where that began.
  EXPECT_EQ(s.timestamp, static_cast<uint32_t>(0xffffff00 + 160 + 4000));
  EXPECT_TRUE(s.marker);
}

TEST(OutgoingStream, AnotherSsrcFromTheSameLegIsANewTalkSpurt) {
  OutgoingStream out(0, 0);
  out.Relay(1, In(100, 100, 5), 160, false, At(0));
  const Stamp s = out.Relay(1, In(3, 9999999, 6), 160, false, At(20));
  EXPECT_EQ(s.seq, 1);
  EXPECT_EQ(s.timestamp, 160u);
  EXPECT_TRUE(s.marker);
}

TEST(OutgoingStream, JumpsNoClockCouldMakeAreTakenOut) {
  OutgoingStream out(0, 0);
  out.Relay(1, In(1, 1000), 160, false, At(0));
  Stamp s = out.Relay(1, In(2, 4000000000), 160, false, At(20));  // far ahead
  EXPECT_EQ(s.timestamp, 160u);
  EXPECT_TRUE(s.marker);
  s = out.Relay(1, In(3, 4000000000 - 100000), 160, false, At(40));  // far back
  EXPECT_EQ(s.timestamp, 320u);
  EXPECT_EQ(s.seq, 2);
  s = out.Relay(1, In(30000, 4000000000 - 99840), 160, false, At(60));  // sequence jump
  EXPECT_EQ(s.timestamp, 480u);
  EXPECT_EQ(s.seq, 3);
}

TEST(OutgoingStream, KeysKeepTheTimestampOfTheirStart) {
  OutgoingStream out(0, 0);
  out.Relay(1, In(1, 1000), 160, false, At(0));
  Stamp s;
  for (uint16_t i = 0; i < 250; ++i) {  // a key held for 5 s
    s = out.Relay(1, In(static_cast<uint16_t>(2 + i), 1160, 1, i == 0), 4, true, At(20 + 20 * i));
    EXPECT_EQ(s.timestamp, 160u);
    EXPECT_EQ(s.seq, 1 + i);
    EXPECT_EQ(s.marker, i == 0);
  }
  s = out.Relay(1, In(252, 1160 + 250 * 160), 160, false, At(5020));  // speech goes on, no jump
  EXPECT_EQ(s.timestamp, 160u + 250 * 160);
  EXPECT_FALSE(s.marker);
}

TEST(OutgoingStream, PromptsAndCallsShareOneStream) {
  OutgoingStream out(5, 800);
  Stamp s = out.Own(160, true, At(0));
  EXPECT_EQ(s.seq, 5);
  EXPECT_EQ(s.timestamp, 800u);
  EXPECT_TRUE(s.marker);
  s = out.Own(160, false, At(20));
  EXPECT_EQ(s.seq, 6);
  EXPECT_EQ(s.timestamp, 960u);
  EXPECT_FALSE(s.marker);
  s = out.Relay(3, In(900, 5), 160, false, At(40));
  EXPECT_EQ(s.seq, 7);
  EXPECT_EQ(s.timestamp, 1120u);
  EXPECT_TRUE(s.marker);
}

// Whatever comes in, a sequence number goes back only for a packet that was late, and a new source
// never reuses one.
TEST(OutgoingStreamProperty, SourcesNeverOverlap) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    OutgoingStream out(static_cast<uint16_t>(rng.Next()), static_cast<uint32_t>(rng.Next()));
    uint16_t newest_seq = 0;
    uint32_t newest_time = 0;
    bool any = false;
    int64_t ms = 0;
    for (uint64_t source = 1; source < 20; ++source) {
      auto seq = static_cast<uint16_t>(rng.Next());
      auto timestamp = static_cast<uint32_t>(rng.Next());
      ms += static_cast<int64_t>(rng.Below(5000));
      for (int i = 0; i < 20; ++i) {
        ms += 20;
        const Stamp s = out.Relay(source, In(seq, timestamp, 1), 160, false, At(ms));
        if (any) {
          EXPECT_GT(static_cast<int16_t>(s.seq - newest_seq), 0);
          EXPECT_GT(static_cast<int32_t>(s.timestamp - newest_time), 0);
        }
        EXPECT_EQ(s.marker, i == 0);
        newest_seq = s.seq;
        newest_time = s.timestamp;
        any = true;
        const auto lost = static_cast<uint16_t>(rng.Chance(0.1) ? rng.Below(5) : 0);
        seq = static_cast<uint16_t>(seq + 1 + lost);
        timestamp += 160u * (1u + lost);
        ms += 20 * lost;
      }
    }
  }
}

}  // namespace
}  // namespace outpace::media
