#include "engine/listen/fingerprint_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/media/early_audio.h"
#include "engine/base/rng.h"
#include "engine/codec/wav.h"
#include "engine/listen/fingerprint_bands.h"
#include "engine/listen/fingerprint_fft.h"
#include "engine/listen/fingerprint_file.h"
#include "engine/listen/fingerprint_matcher.h"

namespace outpace::listen {
namespace {

using bench::Line;
using bench::Samples;
using bench::ThroughLine;
using ::testing::HasSubstr;

Samples Clip(absl::string_view name) {
  const auto audio =
      codec::LoadWav(absl::StrCat(OUTPACE_TEST_DATA, "/audio/early/clips/", name, ".wav"));
  EXPECT_TRUE(audio.ok()) << audio.status();
  return audio.ok() ? *audio : Samples();
}
const char kVacant[] = "zh_ivr_ivr-call_cannot_be_completed_as_dialed";
const char kUnassigned[] = "zh_ivr_ivr-phone_is_unassigned";
const char kNoService[] = "asterisk_fr_ss-noservice";
const char kNotCompleted[] = "asterisk_en_cannot-complete-as-dialed";

std::string ClassHeard(const FingerprintSet& set, const Samples& audio) {
  BandAnalyser bands;
  FingerprintMatcher matcher(set.data());
  for (size_t at = 0; at + kFrameSamples <= audio.size(); at += kFrameSamples) {
    if (const auto match = matcher.Feed(bands.Feed({audio.data() + at, kFrameSamples}))) {
      return set.data().samples[match->sample].announcement_class;
    }
  }
  return "";
}

Samples Joined(const std::vector<Samples>& parts, size_t pause = 0) {
  Samples all;
  for (const Samples& part : parts) {
    all.insert(all.end(), part.begin(), part.end());
    all.resize(all.size() + pause);
  }
  return all;
}

FingerprintSet TwoClasses() {
  FingerprintSet set;
  EXPECT_TRUE(set.Learn("vacant_number", "vacant", Clip(kVacant)).ok());
  EXPECT_TRUE(set.Learn("unreachable", "no service", Clip(kNoService)).ok());
  return set;
}

TEST(PowerSpectrum, IsTheTransformOfItsSamples) {
  Rng rng(1);
  alignas(16) float samples[256], power[128];
  for (float& sample : samples) sample = static_cast<float>(rng.Normal() * 1000);
  PowerSpectrum256(samples, power);
  EXPECT_EQ(power[0], 0);
  for (int k = 1; k < 128; ++k) {
    double re = 0, im = 0;
    for (int i = 0; i < 256; ++i) {
      re += samples[i] * std::cos(2 * bench::kPi * k * i / 256);
      im -= samples[i] * std::sin(2 * bench::kPi * k * i / 256);
    }
    const double want = re * re + im * im;
    EXPECT_NEAR(power[k], want, 1e-4 * want + 100) << k;
  }
}

TEST(FingerprintSet, RefusesWhatCannotBeLearned) {
  FingerprintSet set = TwoClasses();
  const auto refused = [&](absl::string_view announcement_class, absl::string_view name,
                           const Samples& audio, absl::StatusCode code, const char* why) {
    const absl::Status status = set.Learn(announcement_class, name, audio);
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why));
    EXPECT_EQ(set.samples().size(), 2u);
  };
  const auto kBad = absl::StatusCode::kInvalidArgument;
  refused("konghao", "x", Clip(kUnassigned), kBad, "give one of vacant_number");
  refused("busy", "", Clip(kUnassigned), kBad, "name");
  refused("busy", "x", Samples(3999), kBad, "0.5 to 60 s");
  refused("busy", "x", Samples(8000 * 61), kBad, "0.5 to 60 s");
  refused("busy", "x", Samples(8000 * 5), kBad, "nothing is said in it");
  refused("busy", "x", bench::MakeTone("450/350,0/350", {}, 1.5), kBad, "nothing is said in it");
  refused("busy", "vacant", Clip(kUnassigned), absl::StatusCode::kAlreadyExists, "forget it first");
  // The same words at another level through another law are the same announcement.
  refused("busy", "x", ThroughLine(Clip(kVacant), {.law = codec::Law::kA, .gain_db = -9}), kBad,
          "vacant");
  // In its own class a second recording is welcome.
  EXPECT_TRUE(set.Learn("vacant_number", "x", ThroughLine(Clip(kVacant), {.gain_db = -9})).ok());
}

TEST(FingerprintSet, ForgetsAndLearnsAnew) {
  FingerprintSet set = TwoClasses();
  EXPECT_EQ(ClassHeard(set, Clip(kVacant)), "vacant_number");
  EXPECT_EQ(set.Forget("nobody").code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(set.Forget("vacant").ok());
  EXPECT_EQ(ClassHeard(set, Clip(kVacant)), "");
  ASSERT_TRUE(set.Learn("suspended", "vacant", Clip(kVacant)).ok());
  EXPECT_EQ(ClassHeard(set, Clip(kVacant)), "suspended");
  EXPECT_EQ(ClassHeard(set, Clip(kNoService)), "unreachable");
}

// Carriers put announcements together: the same first words, then what is the matter.
TEST(FingerprintSet, WordsThatTwoClassesShareDecideNothing) {
  const Samples prefix = Clip(kNotCompleted);
  FingerprintSet set;
  ASSERT_TRUE(set.Learn("powered_off", "off", Joined({prefix, Clip(kVacant)}, 1200)).ok());
  ASSERT_TRUE(set.Learn("suspended", "stopped", Joined({prefix, Clip(kUnassigned)}, 1200)).ok());
  for (const auto& sample : set.samples()) {
    EXPECT_LT(sample.own_seconds, sample.seconds - 1.5) << sample.name;
    EXPECT_GT(sample.own_seconds, 0.8) << sample.name;
  }
  for (const codec::Law law : {codec::Law::kMu, codec::Law::kA}) {
    const Line line{.law = law, .band_pass = true, .snr_db = 20, .seed = 3};
    EXPECT_EQ(ClassHeard(set, ThroughLine(prefix, line)), "");
    EXPECT_EQ(ClassHeard(set, ThroughLine(Joined({prefix, Clip(kVacant)}, 1200), line)),
              "powered_off");
    EXPECT_EQ(ClassHeard(set, ThroughLine(Joined({prefix, Clip(kUnassigned)}, 1200), line)),
              "suspended");
  }
}

TEST(FingerprintSet, AFileIsReadAsItWasWritten) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/roundtrip.ofp");
  const FingerprintSet set = TwoClasses();
  ASSERT_TRUE(set.Save(path).ok());
  ASSERT_TRUE(set.Save(path).ok());  // over the one that is there
  const auto loaded = FingerprintSet::Load(path);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ASSERT_EQ(loaded->samples().size(), 2u);
  EXPECT_EQ(loaded->samples()[0].name, "vacant");
  EXPECT_EQ(loaded->samples()[1].announcement_class, "unreachable");
  EXPECT_NEAR(loaded->samples()[1].seconds, set.samples()[1].seconds, 0.001);
  EXPECT_EQ(loaded->samples()[1].own_seconds, set.samples()[1].own_seconds);
  EXPECT_EQ(ClassHeard(*loaded, Clip(kVacant)), "vacant_number");
  EXPECT_EQ(EncodeFingerprints(loaded->data().samples), EncodeFingerprints(set.data().samples));

  EXPECT_EQ(FingerprintSet::Load(path + ".absent").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(FingerprintSet::Load(::testing::TempDir()).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_FALSE(set.Save(absl::StrCat(::testing::TempDir(), "/no/such/folder.ofp")).ok());
}

TEST(FingerprintSet, ADamagedFileIsToldAndNeverRead) {
  FingerprintSet set;
  ASSERT_TRUE(set.Learn("busy", "busy", Clip("zh_ivr_ivr-user_busy")).ok());
  const std::string good = EncodeFingerprints(set.data().samples);
  ASSERT_TRUE(DecodeFingerprints(good, "x").ok());
  // Every cut.
  for (size_t size = 0; size < good.size(); size += size < 200 ? 1 : 97) {
    const auto cut = DecodeFingerprints(absl::string_view(good).substr(0, size), "carrier.ofp");
    ASSERT_EQ(cut.status().code(), absl::StatusCode::kDataLoss) << size;
    EXPECT_THAT(std::string(cut.status().message()), HasSubstr("carrier.ofp: "));
  }
  EXPECT_FALSE(DecodeFingerprints(good + "x", "x").ok());
  // Every bit of the head, and many others.
  Rng rng(1);
  for (size_t i = 0; i < 3000; ++i) {
    const size_t bit = i < 400 ? i : rng.Below(good.size() * 8);
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_EQ(DecodeFingerprints(bad, "x").status().code(), absl::StatusCode::kDataLoss) << bit;
  }
}

// A sum that fits proves nothing when somebody made the file: lengths are held to what is there.
TEST(FingerprintSet, LengthsInsideAreNotBelieved) {
  FingerprintSet set;
  ASSERT_TRUE(set.Learn("busy", "busy", Clip("zh_ivr_ivr-user_busy")).ok());
  const std::string good = EncodeFingerprints(set.data().samples);
  const auto crc = [](absl::string_view bytes) {
    uint32_t sum = 0xffffffffu;
    for (const char c : bytes) {
      sum ^= static_cast<uint8_t>(c);
      for (int bit = 0; bit < 8; ++bit) sum = (sum & 1) != 0 ? 0xedb88320u ^ (sum >> 1) : sum >> 1;
    }
    return ~sum;
  };
  Rng rng(2);
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string bad = good;
    for (int k = 0; k < 3; ++k) bad[24 + rng.Below(40)] = static_cast<char>(rng.Below(256));
    if (rng.Chance(0.5)) bad.resize(24 + rng.Below(bad.size() - 24));
    const uint64_t length = bad.size() - 24;
    for (size_t b = 0; b < 8; ++b) bad[16 + b] = static_cast<char>(length >> (8 * b));
    const uint32_t sum = crc(absl::string_view(bad).substr(24));
    for (size_t b = 0; b < 4; ++b) bad[12 + b] = static_cast<char>(sum >> (8 * b));
    const auto read = DecodeFingerprints(bad, "x");
    refused += !read.ok();
    EXPECT_TRUE(read.ok() || absl::IsDataLoss(read.status()));
  }
  EXPECT_GT(refused, 1500);
}

TEST(FingerprintMatcher, AnySamplesAreTaken) {
  const FingerprintSet set = TwoClasses();
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed);
    Samples audio(8000 * 5);
    for (int16_t& sample : audio) sample = static_cast<int16_t>(rng.Below(65536));
    EXPECT_EQ(ClassHeard(set, audio), "");
  }
  EXPECT_EQ(ClassHeard(FingerprintSet(), Clip(kVacant)), "");
}

}  // namespace
}  // namespace outpace::listen
