#include "engine/codec/wav.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"

namespace outpace::codec {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Le(uint32_t value, int octets) {
  std::string out;
  for (int i = 0; i < octets; ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
  return out;
}
std::string Chunk(const std::string& id, const std::string& body) {
  return id + Le(static_cast<uint32_t>(body.size()), 4) + body + std::string(body.size() % 2, '\0');
}
std::string Riff(const std::string& chunks) {
  return "RIFF" + Le(static_cast<uint32_t>(chunks.size() + 4), 4) + "WAVE" + chunks;
}
std::string Fmt(uint32_t tag, uint32_t channels, uint32_t rate, uint32_t bits) {
  return Chunk("fmt ", Le(tag, 2) + Le(channels, 2) + Le(rate, 4) + Le(rate * bits / 8, 4) +
                           Le(bits / 8, 2) + Le(bits, 2));
}
const std::string kPcm = Fmt(1, 1, 8000, 16);

TEST(Wav, ReadsPcmAndSkipsChunksItDoesNotKnow) {
  const auto samples = ParseWav(
      Riff(Chunk("LIST", "odd") + kPcm + Chunk("data", Le(1, 2) + Le(0xfffe, 2))), "p.wav");
  ASSERT_TRUE(samples.ok()) << samples.status();
  EXPECT_THAT(*samples, testing::ElementsAre(1, -2));
}

TEST(Wav, ReadsBothLaws) {
  const auto mu = ParseWav(Riff(Fmt(7, 1, 8000, 8) + Chunk("data", "\x80\xff")), "p.wav");
  ASSERT_TRUE(mu.ok()) << mu.status();
  EXPECT_THAT(*mu, testing::ElementsAre(32124, 0));
  const auto a = ParseWav(Riff(Fmt(6, 1, 8000, 8) + Chunk("data", "\xaa\xd5")), "p.wav");
  ASSERT_TRUE(a.ok()) << a.status();
  EXPECT_THAT(*a, testing::ElementsAre(32256, 8));
}

TEST(Wav, ReadsTheExtensibleForm) {
  std::string body = Le(0xfffe, 2) + Le(1, 2) + Le(8000, 4) + Le(16000, 4) + Le(2, 2) + Le(16, 2) +
                     Le(22, 2) + Le(16, 2) + Le(0, 4) + Le(1, 2) + std::string(14, '\0');
  const auto samples = ParseWav(Riff(Chunk("fmt ", body) + Chunk("data", Le(7, 2))), "p.wav");
  ASSERT_TRUE(samples.ok()) << samples.status();
  EXPECT_THAT(*samples, testing::ElementsAre(7));
}

TEST(Wav, RefusesWithFileFaultAndRemedy) {
  const std::string data = Chunk("data", Le(1, 2));
  struct Case {
    std::string bytes;
    const char* fault;
  };
  const Case cases[] = {
      {"", "not a RIFF/WAVE file"},
      {"RIFF", "not a RIFF/WAVE file"},
      {"OggS" + std::string(60, 'x'), "not a RIFF/WAVE file"},
      {Riff(""), "no format chunk"},
      {Riff(kPcm), "no data chunk"},
      {Riff(data + kPcm), "data before format"},
      {Riff(Chunk("fmt ", "short")), "format chunk too short"},
      {Riff(Fmt(1, 2, 8000, 16) + data), "2 channels, where 1 is needed"},
      {Riff(Fmt(1, 1, 44100, 16) + data), "44100 samples a second, where 8000 are needed"},
      {Riff(Fmt(1, 1, 8000, 24) + data), "coding 1 with 24 bits"},
      {Riff(Fmt(85, 1, 8000, 16) + data), "coding 85"},
      {Riff(kPcm + Chunk("data", "")), "no sound in it"},
      {Riff(kPcm + "data" + Le(1000, 4) + "xx"), "cut short"},
      {Riff(kPcm + "data" + Le(0xffffffff, 4) + "xx"), "cut short"},
  };
  for (const Case& c : cases) {
    const auto samples = ParseWav(c.bytes, "/etc/prompt.wav");
    ASSERT_FALSE(samples.ok()) << c.fault;
    EXPECT_TRUE(absl::IsInvalidArgument(samples.status()));
    EXPECT_THAT(std::string(samples.status().message()),
                AllOf(HasSubstr("/etc/prompt.wav"), HasSubstr(c.fault), HasSubstr("sox ")));
  }
}

TEST(Wav, MissingFileNamesThePath) {
  const auto samples = LoadWav("/nonexistent/prompt.wav");
  EXPECT_TRUE(absl::IsNotFound(samples.status()));
  EXPECT_THAT(std::string(samples.status().message()), HasSubstr("/nonexistent/prompt.wav"));
}

TEST(Wav, LoadsAFile) {
  const std::string path = absl::StrCat(testing::TempDir(), "/outpace_wav_test_load.wav");
  const std::string bytes = Riff(kPcm + Chunk("data", Le(5, 2) + Le(6, 2)));
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(std::fwrite(bytes.data(), 1, bytes.size(), file), bytes.size());
  std::fclose(file);
  const auto samples = LoadWav(path);
  ASSERT_TRUE(samples.ok()) << samples.status();
  EXPECT_THAT(*samples, testing::ElementsAre(5, 6));
  std::remove(path.c_str());
}

TEST(WavProperty, NoDamageIsReadPastTheEnd) {
  const std::string good = Riff(kPcm + Chunk("data", std::string(64, 'a')));
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    std::string bytes = good.substr(0, rng.Below(good.size() + 1));
    for (uint64_t i = rng.Below(4); i > 0 && !bytes.empty(); --i) {
      bytes[rng.Below(bytes.size())] = static_cast<char>(rng.Below(256));
    }
    const auto samples = ParseWav(bytes, "x");
    if (!samples.ok()) continue;
    EXPECT_LE(samples->size(), bytes.size());
  }
}

}  // namespace
}  // namespace outpace::codec
