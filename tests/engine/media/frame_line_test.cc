#include "engine/media/frame_line.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace outpace::media {
namespace {

constexpr int kRate = 8000;

MonoTime At(int64_t ms) { return MonoTime(ms * 1'000'000); }

// Sample n of the far end's speech is n + 1: what is heard tells where it came from.
struct Line {
  FrameLine line{At(0)};
  std::vector<int16_t> heard;

  void Put(int first, int count, MonoTime now, uint32_t ssrc = 1) {
    std::vector<int16_t> samples(static_cast<size_t>(count));
    std::iota(samples.begin(), samples.end(), static_cast<int16_t>(first + 1));
    line.Put({.timestamp = 0xffffff00u + static_cast<uint32_t>(first), .ssrc = ssrc}, kRate,
             samples, now);
    Drain();
  }
  void Drain() {
    for (auto frame = line.Next(); !frame.empty(); frame = line.Next()) {
      EXPECT_EQ(frame.size(), listen::kFrameSamples);
      heard.insert(heard.end(), frame.begin(), frame.end());
    }
  }
};

std::vector<int16_t> Speech(int first, int count) {
  std::vector<int16_t> samples(static_cast<size_t>(count));
  std::iota(samples.begin(), samples.end(), static_cast<int16_t>(first + 1));
  return samples;
}

TEST(FrameLine, PacketsOfAnyLengthAreHeardAtOnce) {
  for (const int length : {80, 160, 240, 320, 480}) {
    Line test;
    int said = 0;
    for (; said < 4800; said += length) {
      test.Put(said, length, At((said + length) / 8));
      EXPECT_EQ(test.heard.size(), static_cast<size_t>((said + length) / 160 * 160)) << length;
    }
    EXPECT_EQ(test.heard, Speech(0, said / 160 * 160)) << length;
  }
}

TEST(FrameLine, PacketsThatOvertakeEachOtherAreSorted) {
  Line test;
  for (const int n : {0, 2, 1, 5, 3, 4, 6}) test.Put(n * 160, 160, At(20 * n + 20));
  EXPECT_EQ(test.heard, Speech(0, 7 * 160));
}

TEST(FrameLine, ALostPacketIsSilenceAfterAHundredMilliseconds) {
  Line test;
  for (int n = 0; n < 12; ++n) {
    if (n != 2) test.Put(n * 160, 160, At(20 * n + 20));
    if (n < 2 || n >= 7) continue;
    EXPECT_EQ(test.heard.size(), 320u) << n;  // it may still come
  }
  ASSERT_EQ(test.heard.size(), 12u * 160);
  for (size_t i = 0; i < test.heard.size(); ++i) {
    ASSERT_EQ(test.heard[i], i / 160 == 2 ? 0 : static_cast<int16_t>(i + 1)) << i;
  }
}

TEST(FrameLine, WhoSaysNothingIsSilent) {
  Line test;
  test.line.Advance(At(99));
  test.Drain();
  EXPECT_TRUE(test.heard.empty());
  for (int ms = 100; ms <= 1100; ms += 20) {
    test.line.Advance(At(ms));
    test.Drain();
  }
  EXPECT_EQ(test.heard, std::vector<int16_t>(8000));
}

// A carrier with DTX sends nothing in pauses; its timestamps go on.
TEST(FrameLine, AfterAPauseSpeechStandsAtItsTime) {
  Line test;
  test.Put(0, 160, At(20));
  for (int ms = 40; ms <= 500; ms += 20) {
    test.line.Advance(At(ms));
    test.Drain();
  }
  test.Put(4000, 160, At(520));
  for (int ms = 520; ms <= 700; ms += 20) {
    test.line.Advance(At(ms));
    test.Drain();
  }
  ASSERT_GE(test.heard.size(), 4160u);
  EXPECT_EQ(test.heard[159], 160);
  EXPECT_EQ(test.heard[160], 0);
  EXPECT_EQ(test.heard[3999], 0);
  EXPECT_EQ(test.heard[4000], 4001);
}

TEST(FrameLine, AWayThatBecomesLongerIsFollowed) {
  Line test;
  for (int n = 0; n < 10; ++n) test.Put(n * 160, 160, At(20 * n + 20));
  for (int ms = 220; ms <= 350; ms += 10) {
    test.line.Advance(At(ms));
    test.Drain();
  }
  const size_t before = test.heard.size();
  for (int n = 10; n < 40; ++n) test.Put(n * 160, 160, At(20 * n + 20 + 150));
  EXPECT_GT(test.heard.size(), before + 20 * 160);
  EXPECT_GT(test.heard.back(), 39 * 160);
}

TEST(FrameLine, AnotherSenderOrAJumpIsPlacedByTheClock) {
  Line test;
  test.Put(0, 160, At(20));
  test.Put(20000, 160, At(40));  // jump
  test.Put(7, 160, At(60), /*ssrc=*/2);
  std::vector<int16_t> expected = Speech(0, 160);
  for (const int16_t s : Speech(20000, 160)) expected.push_back(s);
  for (const int16_t s : Speech(7, 160)) expected.push_back(s);
  EXPECT_EQ(test.heard, expected);
}

TEST(FrameLine, WildPacketsNeverBreakIt) {
  Line test;
  uint32_t x = 1;
  int64_t ms = 0;
  size_t frames = 0;
  for (int i = 0; i < 20000; ++i) {
    x = x * 1664525 + 1013904223;
    ms += x % 23;
    std::vector<int16_t> samples((x >> 8) % 960 + 1, 5);
    test.line.Put({.timestamp = x, .ssrc = (x >> 28)}, (x >> 20) % 2 == 0 ? 8000 : 48000, samples,
                  At(ms));
    while (!test.line.Next().empty()) ++frames;
    ASSERT_LE(test.line.samples_out(), ms * 8 + 8000);
  }
  EXPECT_GE(static_cast<int64_t>(frames) * 20, ms - 1200);
}

TEST(Timeline, FollowsTimestampsWithinTwoHundredMilliseconds) {
  Timeline line(At(1000));
  EXPECT_EQ(line.Place({.timestamp = 100, .ssrc = 1}, 8000, 160, At(1020)), 0);
  EXPECT_EQ(line.Place({.timestamp = 260, .ssrc = 1}, 8000, 160, At(1100)), 160);  // 60 ms late
  EXPECT_EQ(line.Place({.timestamp = 100 + 16000, .ssrc = 1}, 8000, 160, At(3020)), 16000);  // DTX
  EXPECT_EQ(line.Place({.timestamp = 100 + 16160, .ssrc = 1}, 8000, 160, At(3300)), 18240);
  EXPECT_EQ(line.Place({.timestamp = 0, .ssrc = 1}, 48000, 160, At(3320)), 18400);
  EXPECT_EQ(line.Place({.timestamp = 960, .ssrc = 1}, 48000, 160, At(3340)), 18560);
  EXPECT_EQ(line.Place({.timestamp = 0, .ssrc = 1}, 48000, 160, At(3340)), 18400);  // overtaken
}

}  // namespace
}  // namespace outpace::media
