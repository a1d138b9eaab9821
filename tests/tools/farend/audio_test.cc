#include "tools/farend/audio.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace outpace::farend {
namespace {

// Mean level of one frame, of 32767.
double Level(const Clip& clip, size_t frame) {
  double sum = 0;
  for (size_t i = 0; i < kFrameSamples; ++i) {
    const double x = DecodeUlaw(static_cast<uint8_t>(clip.ulaw[frame * kFrameSamples + i]));
    sum += x * x;
  }
  return std::sqrt(sum / kFrameSamples);
}

TEST(G711, EveryCodeComesBack) {
  for (int code = 0; code < 256; ++code) {
    const auto byte = static_cast<uint8_t>(code);
    if (code != 0x7f) {  // the second zero of mu-law
      EXPECT_EQ(EncodeUlaw(DecodeUlaw(byte)), byte) << code;
    }
    EXPECT_EQ(EncodeAlaw(DecodeAlaw(byte)), byte) << code;
  }
}

TEST(G711, KnownCodesAndSmallError) {
  EXPECT_EQ(EncodeUlaw(0), 0xff);
  EXPECT_EQ(EncodeAlaw(0), 0xd5);
  EXPECT_EQ(EncodeUlaw(32767), 0x80);
  EXPECT_EQ(EncodeAlaw(32767), 0xaa);
  EXPECT_EQ(EncodeUlaw(-32768), 0x00);
  EXPECT_EQ(EncodeAlaw(-32768), 0x2a);
  for (int x = -32768; x <= 32767; x += 7) {
    const auto sample = static_cast<int16_t>(x);
    const double bound = std::abs(x) / 16.0 + 36;
    EXPECT_NEAR(DecodeUlaw(EncodeUlaw(sample)), x, std::max(bound, 700.0 * (std::abs(x) > 32000)));
    EXPECT_NEAR(DecodeAlaw(EncodeAlaw(sample)), x, bound);
  }
}

// What call-progress detection goes by: a person says a word and waits, a machine talks on and
// beeps.
TEST(Clip, AHumanIsShortAndAMachineIsLong) {
  const auto human = LoadClip("human");
  const auto machine = LoadClip("machine");
  ASSERT_TRUE(human.ok() && machine.ok());
  const auto loud_frames = [](const Clip& clip, size_t from, size_t to) {
    size_t loud = 0;
    for (size_t i = from; i < to; ++i) loud += Level(clip, i) > 300;
    return loud;
  };
  EXPECT_LT(loud_frames(**human, 0, 150), 30u);  // 0.6 s in the first 3
  EXPECT_GT(loud_frames(**human, 0, 150), 15u);
  EXPECT_GT(loud_frames(**machine, 0, 250), 200u);  // 4 s in the first 5
  EXPECT_EQ((*machine)->loop_from, (*machine)->frames());
  EXPECT_LT((*human)->loop_from, (*human)->frames());
}

TEST(Clip, EveryBuiltInNameLoads) {
  for (const char* name :
       {"human", "machine", "ringback", "ringback_cn", "busy", "sit", "music", "silence"}) {
    const auto clip = LoadClip(name);
    ASSERT_TRUE(clip.ok()) << name;
    EXPECT_EQ((*clip)->ulaw.size(), (*clip)->frames() * kFrameSamples);
    EXPECT_EQ((*clip)->alaw.size(), (*clip)->ulaw.size());
  }
}

TEST(Clip, ReadsWavAndExplainsWhatItCannotRead) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/farend-", ::getpid(), ".wav");
  const auto write = [&path](int channels, int rate, int bits, int format) {
    std::string data;
    for (int i = 0; i < 400; ++i) {
      const auto sample = static_cast<uint16_t>(static_cast<int16_t>(i % 2 == 0 ? 8000 : -8000));
      data.push_back(static_cast<char>(sample & 0xff));
      if (bits == 16) data.push_back(static_cast<char>(sample >> 8));
    }
    const auto word = [](size_t value, size_t n) {
      std::string out;
      for (size_t i = 0; i < n; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
      return out;
    };
    const auto u = [](int value) { return static_cast<size_t>(value); };
    std::ofstream(path, std::ios::binary)
        << "RIFF" << word(36 + data.size(), 4) << "WAVEfmt " << word(16, 4) << word(u(format), 2)
        << word(u(channels), 2) << word(u(rate), 4) << word(u(rate * channels * bits / 8), 4)
        << word(u(channels * bits / 8), 2) << word(u(bits), 2) << "data" << word(data.size(), 4)
        << data;
  };
  write(1, 8000, 16, 1);
  const auto clip = LoadClip(path);
  ASSERT_TRUE(clip.ok()) << clip.status();
  EXPECT_EQ((*clip)->frames(), 3u);  // 400 samples fill 2.5 frames
  EXPECT_NEAR(Level(**clip, 0), 8000, 250);
  write(2, 8000, 16, 1);
  EXPECT_TRUE(absl::StrContains(LoadClip(path).status().message(), "one channel"));
  write(1, 44100, 16, 1);
  EXPECT_TRUE(absl::StrContains(LoadClip(path).status().message(), "sox"));
  write(1, 8000, 8, 1);
  EXPECT_FALSE(LoadClip(path).ok());
  write(1, 8000, 8, 7);
  EXPECT_TRUE(LoadClip(path).ok());
  std::ofstream(path, std::ios::binary) << "RIFF....WAVEdata\xff\xff\xff\xff";
  EXPECT_FALSE(LoadClip(path).ok());
  std::remove(path.c_str());
  EXPECT_FALSE(LoadClip(path).ok());
}

}  // namespace
}  // namespace outpace::farend
