#include "engine/listen/answer_listener.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/codec/wav.h"
#include "tests/engine/listen/answer_sounds.h"

namespace {
thread_local int allocations = 0;
}  // namespace

// Of the whole test program: counts, and does what the default does. Inlined, g++ 12 would take the
// pair for a mismatched one.
[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace outpace::listen {
namespace {

std::vector<Heard> Listen(const Samples& samples, const AnswerTuning& tuning = {}) {
  AnswerListener listener(tuning);
  std::vector<Heard> all;
  ForEachFrame(samples, [&](Frame frame, int) {
    if (auto heard = listener.Feed(frame)) all.push_back(*std::move(heard));
    return false;
  });
  return all;
}

Samples SceneNamed(const std::string& name) {
  auto wav = codec::LoadWav(absl::StrCat(OUTPACE_TEST_DATA, "/audio/scenes/", name, ".wav"));
  EXPECT_TRUE(wav.ok()) << wav.status();
  return wav.ok() ? *std::move(wav) : Samples();
}

// Says nothing of its own accord for longer than any scene.
Samples WithSilenceAfter(Samples samples, double seconds) {
  samples.resize(samples.size() + static_cast<size_t>(seconds * kSampleRate));
  return samples;
}

TEST(AnswerListener, KnowsPeople) {
  for (const char* name : {"h004_one_word", "h006_two_words", "h008_one_word", "h009_one_word",
                           "h016_one_word", "h023_long_human"}) {
    SCOPED_TRACE(name);
    const std::vector<Heard> all = Listen(WithSilenceAfter(SceneNamed(name), 8));
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].sound, Sound::kHuman);
    EXPECT_FALSE(all[0].last);
    EXPECT_LE(all[0].after, absl::Seconds(4));
    EXPECT_EQ(all[1].sound, Sound::kHuman) << "it stands after second thoughts";
    EXPECT_TRUE(all[1].last);
    EXPECT_GT(all[1].confidence, 0.9f);
  }
}

TEST(AnswerListener, KnowsMachines) {
  for (const char* name : {"m000_voicemail_beep", "m001_voicemail_beep", "m004_voicemail_beep",
                           "m023_hello_pause_machine", "m026_carrier"}) {
    SCOPED_TRACE(name);
    const std::vector<Heard> all = Listen(SceneNamed(name));
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(all.back().sound, Sound::kMachine);
    EXPECT_TRUE(all.back().last);
    EXPECT_GE(all.back().confidence, 0.9f);
    EXPECT_LE(all.back().after, absl::Seconds(7));
  }
}

TEST(AnswerListener, ListensForTheBeepAfterAMachine) {
  AnswerTuning tuning;
  tuning.beep_within = absl::Seconds(20);
  // beep_start_ms of scenes.csv, and the beep lasts 425.
  for (const auto& [name, end_ms] :
       {std::pair<const char*, int>("m000_voicemail_beep", 6452 + 425),
        std::pair<const char*, int>("m001_voicemail_beep", 6431 + 425)}) {
    SCOPED_TRACE(name);
    const std::vector<Heard> all = Listen(SceneNamed(name), tuning);
    ASSERT_GE(all.size(), 2u);
    const Heard& machine = all[all.size() - 2];
    EXPECT_EQ(machine.sound, Sound::kMachine);
    EXPECT_FALSE(machine.last);
    EXPECT_EQ(all.back().sound, Sound::kBeep);
    EXPECT_TRUE(all.back().last);
    EXPECT_NEAR(absl::ToDoubleMilliseconds(all.back().after), end_ms, 80);
  }
}

TEST(AnswerListener, StopsWaitingForABeepThatDoesNotCome) {
  AnswerTuning tuning;
  tuning.beep_within = absl::Seconds(3);
  const std::vector<Heard> all = Listen(WithSilenceAfter(SceneNamed("m026_carrier"), 5), tuning);
  ASSERT_GE(all.size(), 2u);
  EXPECT_EQ(all.back().sound, Sound::kMachine);
  EXPECT_TRUE(all.back().last);
  EXPECT_EQ(all.back().after, all[all.size() - 2].after + absl::Seconds(3));
}

TEST(AnswerListener, TakesAPersonBackOnSecondThoughts) {
  const std::vector<Heard> all = Listen(SceneNamed("m023_hello_pause_machine"));
  ASSERT_GE(all.size(), 2u);
  EXPECT_EQ(all.front().sound, Sound::kHuman);
  EXPECT_FALSE(all.front().last);
  EXPECT_EQ(all.back().sound, Sound::kMachine);
}

// "Hello?", the agent speaks for two seconds, and the person answers at length.
TEST(AnswerListener, APersonWhoConversesStaysAPerson) {
  Samples call = SceneNamed("h008_one_word");  // a word, then more than three seconds of waiting
  const Samples speech = SceneNamed("m000_voicemail_beep");
  call.insert(call.end(), speech.begin(), speech.end());
  const std::vector<Heard> all = Listen(call);
  ASSERT_GE(all.size(), 2u);
  for (const Heard& heard : all) EXPECT_EQ(heard.sound, Sound::kHuman);
  EXPECT_TRUE(all.back().last);
  EXPECT_LT(all.back().after, absl::Seconds(4)) << "and is not listened to any longer";
}

TEST(AnswerListener, WithoutSecondThoughtsTheFirstVerdictIsTheLast) {
  AnswerTuning tuning;
  tuning.second_thoughts = absl::ZeroDuration();
  for (const char* name : {"h008_one_word", "m023_hello_pause_machine", "m000_voicemail_beep"}) {
    const std::vector<Heard> all = Listen(WithSilenceAfter(SceneNamed(name), 8), tuning);
    ASSERT_EQ(all.size(), 1u) << name;
    EXPECT_TRUE(all[0].last) << name;
    EXPECT_LE(all[0].after, absl::Seconds(4)) << name;
  }
}

TEST(AnswerListener, AsksForTheConfidenceItIsTold) {
  AnswerTuning sure;
  sure.machine_confidence_min = 0.5f;
  AnswerTuning surer;
  surer.machine_confidence_min = 0.98f;
  const Samples scene = SceneNamed("m001_voicemail_beep");
  const Heard early = Listen(scene, sure).back();
  const Heard late = Listen(scene, surer).back();
  ASSERT_EQ(early.sound, Sound::kMachine);
  ASSERT_EQ(late.sound, Sound::kMachine);
  EXPECT_LT(early.after, late.after);
  EXPECT_GE(early.confidence, 0.5f);
  EXPECT_GE(late.confidence, 0.98f);
}

TEST(AnswerListener, WhoIsUndecidedIsAPerson) {
  AnswerTuning tuning;
  tuning.machine_confidence_min = 0.999f;
  tuning.decide_within = absl::Milliseconds(1500);
  tuning.second_thoughts = absl::ZeroDuration();
  const std::vector<Heard> all = Listen(SceneNamed("m000_voicemail_beep"), tuning);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].sound, Sound::kHuman);
  EXPECT_LE(all[0].after, absl::Milliseconds(1500));
}

TEST(AnswerListener, Silence) {
  const Samples quiet = SoundMaker().Silence(12).Noise(-55).samples();
  AnswerTuning tuning;
  tuning.silence_max = absl::Seconds(3);
  std::vector<Heard> all = Listen(quiet, tuning);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].sound, Sound::kSilence);
  EXPECT_EQ(all[0].after, absl::Seconds(3));
  EXPECT_TRUE(all[0].last);

  // Longer than a verdict may take: for now somebody is there, who may yet turn out not to be.
  tuning.silence_max = absl::Seconds(7);
  all = Listen(quiet, tuning);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].sound, Sound::kHuman);
  EXPECT_EQ(all[0].after, tuning.decide_within);
  EXPECT_EQ(all[1].sound, Sound::kSilence);
  EXPECT_EQ(all[1].after, absl::Seconds(7));

  tuning.silence_max = absl::ZeroDuration();
  all = Listen(quiet, tuning);
  ASSERT_FALSE(all.empty());
  for (const Heard& heard : all) EXPECT_EQ(heard.sound, Sound::kHuman);
}

TEST(AnswerListener, Fax) {
  for (const double hz : {1100.0, 2100.0}) {
    const Samples sound =
        SoundMaker().Silence(0.6).Tone(hz < 2000 ? 0.5 : 3, {hz}).Silence(3).Noise(-50).samples();
    const std::vector<Heard> all = Listen(sound);
    ASSERT_EQ(all.size(), 1u) << hz;
    EXPECT_EQ(all[0].sound, Sound::kFax);
    EXPECT_TRUE(all[0].last);
    EXPECT_LE(all[0].after, absl::Milliseconds(1300));
  }
}

TEST(AnswerListener, TheEndOfTheRingingIsNoSpeech) {
  for (const std::vector<double>& ring :
       {std::vector<double>{440, 480}, std::vector<double>{425}, std::vector<double>{450}}) {
    const Samples sound = SoundMaker().Tone(0.8, ring, -20).Silence(5).Noise(-52).samples();
    const std::vector<Heard> all = Listen(sound);
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(all.back().sound, Sound::kSilence) << ring[0];
  }
}

TEST(AnswerListener, AStepOfTheNoiseIsNoSpeech) {
  SoundMaker noisy;
  noisy.Silence(3).Noise(-45);
  Samples sound = SoundMaker().Silence(1).samples();
  sound.insert(sound.end(), noisy.samples().begin(), noisy.samples().end());
  sound.resize(6 * kSampleRate);
  const std::vector<Heard> all = Listen(sound);
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all.back().sound, Sound::kSilence);
}

TEST(AnswerListener, FeaturesTellWhatWasHeard) {
  const std::vector<Heard> all = Listen(SceneNamed("h008_one_word"));
  ASSERT_FALSE(all.empty());
  const Features& features = all[0].features;
  EXPECT_EQ(FeatureName(0), "lead_ms");
  EXPECT_NEAR(features[0], 611, 120) << "speech_start_ms of scenes.csv";
  EXPECT_EQ(FeatureName(1), "speech_ms");
  EXPECT_GT(features[1], 100);
  EXPECT_LE(features[1], 640);
  EXPECT_EQ(FeatureName(8), "noise_dbfs");
  EXPECT_NEAR(features[8], -50.3, 3);
}

TEST(AnswerListener, DoesNotAllocate) {
  AnswerTuning tuning;
  tuning.beep_within = absl::Seconds(20);
  AnswerListener listener(tuning);
  const Samples scene = SceneNamed("m000_voicemail_beep");
  ForEachFrame(scene, [&](Frame frame, int) {
    const int before = allocations;
    const auto heard = listener.Feed(frame);
    EXPECT_EQ(allocations, before);
    return heard.has_value() && heard->last;
  });
}

TEST(AnswerListener, AnyAudioWillDo) {
  Rng rng(7);
  for (int round = 0; round < 40; ++round) {
    Samples samples(8 * kSampleRate);
    const int kind = round % 4;
    for (int16_t& sample : samples) {
      sample = kind == 0   ? static_cast<int16_t>(rng.Next())
               : kind == 1 ? static_cast<int16_t>(rng.Chance(0.5) ? -32768 : 32767)
               : kind == 2 ? static_cast<int16_t>(rng.Chance(0.001) ? 32767 : 0)
                           : static_cast<int16_t>(-32768);
    }
    const std::vector<Heard> all = Listen(samples);
    ASSERT_FALSE(all.empty());
    EXPECT_GE(all[0].confidence, 0);
    EXPECT_LE(all[0].confidence, 1);
    for (const float feature : all[0].features) EXPECT_TRUE(std::isfinite(feature));
  }
}

}  // namespace
}  // namespace outpace::listen
