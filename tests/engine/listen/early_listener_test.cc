#include "engine/listen/early_listener.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bench/media/early_audio.h"
#include "engine/base/rng.h"
#include "engine/codec/wav.h"

namespace outpace::listen {
namespace {

using bench::Line;
using bench::MakeTone;
using bench::Samples;
using bench::ThroughLine;

const char kData[] = OUTPACE_TEST_DATA "/audio/early/";

std::map<std::string, Samples> Clips(bool carriers) {
  std::map<std::string, Samples> clips;
  std::ifstream list(absl::StrCat(kData, "clips.csv"));
  std::string line;
  while (std::getline(list, line)) {
    const std::vector<std::string> fields = absl::StrSplit(line, ',');
    if (fields[0] == "file" || (fields[1] == "carrier") != carriers) continue;
    const auto audio = codec::LoadWav(absl::StrCat(kData, fields[0]));
    EXPECT_TRUE(audio.ok()) << audio.status();
    if (audio.ok()) clips[fields[0]] = *audio;
  }
  return clips;
}

// All announcements there are recordings of, in classes dealt out in turn: the harder, since those
// of one speaker come into different classes.
struct Trained {
  FingerprintSet set;
  std::map<std::string, Samples> clips = Clips(true);
  std::map<std::string, std::string> classes;
};
const Trained& TheTrained() {
  static const Trained* const kTrained = [] {
    auto* trained = new Trained;
    size_t next = 0;
    for (const auto& [name, audio] : trained->clips) {
      const absl::string_view one = AnnouncementClasses()[next++ % 8];
      const absl::Status status = trained->set.Learn(one, name, audio);
      EXPECT_TRUE(status.ok()) << status;
      trained->classes[name] = std::string(one);
    }
    return trained;
  }();
  return *kTrained;
}

std::vector<Heard> Listen(EarlyListener& listener, const Samples& audio) {
  std::vector<Heard> all;
  for (size_t at = 0; at + kFrameSamples <= audio.size(); at += kFrameSamples) {
    if (auto heard = listener.Feed({audio.data() + at, kFrameSamples})) all.push_back(*heard);
  }
  return all;
}

Samples Joined(const std::vector<Samples>& parts) {
  Samples all;
  for (const Samples& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}
Samples Pause(double seconds) { return Samples(static_cast<size_t>(seconds * kSampleRate)); }

struct Degradation {
  const char* name;
  Line line;
};
std::vector<Degradation> Degradations() {
  using codec::Law;
  return {{"mu-law", {.law = Law::kMu}},
          {"A-law", {.law = Law::kA}},
          {"band-pass", {.band_pass = true}},
          {"quiet", {.law = Law::kA, .gain_db = -20}},
          {"loud", {.gain_db = 6}},
          {"noise", {.snr_db = 20}},
          {"loss", {.law = Law::kA, .loss = 0.02}},
          {"fast", {.drift = 0.001}},
          {"slow", {.drift = -0.001}},
          {"all",
           {.law = Law::kA,
            .band_pass = true,
            .gain_db = -10,
            .snr_db = 20,
            .loss = 0.02,
            .drift = 0.001}}};
}

// Every announcement through every line, at several offsets of the packets' grid: the class is
// right always, and never that of another.
TEST(EarlyListener, KnowsItsAnnouncementsThroughAnyLine) {
  const Trained& trained = TheTrained();
  ASSERT_EQ(trained.clips.size(), 13u);
  int trials = 0, within_3s = 0;
  for (const auto& [name, clip] : trained.clips) {
    for (const Degradation& degradation : Degradations()) {
      for (uint64_t seed = 0; seed < 3; ++seed) {
        Rng rng(seed * 100 + trials);
        Line line = degradation.line;
        line.seed = rng.Next();
        const double lead = 0.1 + rng.Uniform();
        // An announcement is said again and again.
        const Samples audio = ThroughLine(
            Joined({Pause(lead), clip, Pause(0.6), clip, Pause(0.6), clip, Pause(1)}), line);
        EarlyListener listener("cn", &trained.set);
        const std::vector<Heard> heard = Listen(listener, audio);
        ++trials;
        ASSERT_FALSE(heard.empty()) << name << ", " << degradation.name << ", seed " << seed;
        const Heard& last = heard.back();
        EXPECT_EQ(last.sound, Sound::kAnnouncement) << name << ", " << degradation.name;
        EXPECT_EQ(last.name, trained.classes.at(name)) << degradation.name << ", seed " << seed;
        EXPECT_TRUE(IsDead(last));
        EXPECT_TRUE(last.last);
        EXPECT_GE(last.confidence, 0.9f);
        within_3s += absl::ToDoubleSeconds(last.after) <= lead + 3;
      }
    }
  }

  EXPECT_EQ(within_3s, trials);
}

// The call may join in the middle: what is left of the announcement, or its next time, decides.
TEST(EarlyListener, JoinsInTheMiddle) {
  const Trained& trained = TheTrained();
  for (const auto& [name, clip] : trained.clips) {
    for (const double share : {0.2, 0.5, 0.8}) {
      const auto skip = static_cast<std::ptrdiff_t>(share * static_cast<double>(clip.size()));
      const Samples audio = ThroughLine(
          Joined({Samples(clip.begin() + skip, clip.end()), Pause(0.5), clip, Pause(0.5), clip}),
          {.law = codec::Law::kA, .band_pass = true});
      EarlyListener listener("", &trained.set);
      const std::vector<Heard> heard = Listen(listener, audio);
      ASSERT_FALSE(heard.empty()) << name;
      EXPECT_EQ(heard.back().name, trained.classes.at(name)) << share;
    }
  }
}

TEST(EarlyListener, StrangersAreSpeechOrMusicAndNeverDead) {
  const Trained& trained = TheTrained();
  int strangers = 0;
  for (const auto& [name, clip] : Clips(false)) {
    for (const bool noisy : {false, true}) {
      const Samples audio = ThroughLine(Joined({Pause(0.3), clip, Pause(0.4), clip, Pause(1.5)}),
                                        {.band_pass = noisy, .snr_db = noisy ? 25.0 : 0.0});
      EarlyListener listener("cn", &trained.set);
      for (const Heard& heard : Listen(listener, audio)) {
        EXPECT_FALSE(IsDead(heard)) << name << ": " << SoundName(heard.sound) << heard.name;
        EXPECT_FALSE(heard.last);
        strangers += heard.sound == Sound::kSpeechOrMusic;
      }
    }
  }
  EXPECT_GT(strangers, 20);
}

// A class left out of the set is a stranger to it, though the same voice says the others.
TEST(EarlyListener, AnUntaughtAnnouncementIsNotTakenForAnother) {
  const Trained& trained = TheTrained();
  for (const auto& [name, clip] : trained.clips) {
    FingerprintSet set;
    for (const auto& [other, audio] : trained.clips) {
      if (other == name) continue;
      ASSERT_TRUE(set.Learn(trained.classes.at(other), other, audio).ok());
    }
    EarlyListener listener("", &set);
    for (const Heard& heard : Listen(
             listener, ThroughLine(Joined({clip, Pause(0.5), clip, Pause(2)}), {.snr_db = 25}))) {
      EXPECT_EQ(heard.sound, Sound::kSpeechOrMusic) << name << " as " << heard.name;
    }
  }
}

TEST(EarlyListener, RingbackThenAnnouncementInTwoLanguages) {
  const Trained& trained = TheTrained();
  const std::string chinese = "clips/zh_ivr_ivr-call_cannot_be_completed_as_dialed.wav";
  const Samples both =
      Joined({trained.clips.at(chinese), Pause(0.3),
              trained.clips.at("clips/asterisk_en_cannot-complete-as-dialed.wav")});
  FingerprintSet set;
  ASSERT_TRUE(set.Learn("vacant_number", "both", both).ok());
  // From its beginning after two rings, and joined where the English begins.
  const Samples rings = MakeTone("450/1000,0/4000", {.lead_ms = 200}, 7);
  const auto english = static_cast<std::ptrdiff_t>(trained.clips.at(chinese).size());
  for (const Samples& said : {both, Samples(both.begin() + english, both.end())}) {
    EarlyListener listener("cn", &set);
    const std::vector<Heard> heard =
        Listen(listener, ThroughLine(Joined({rings, said, said}), {.law = codec::Law::kA}));
    ASSERT_EQ(heard.size(), 2u);
    EXPECT_EQ(heard[0].sound, Sound::kRingback);
    EXPECT_FALSE(heard[0].last);
    EXPECT_EQ(heard[1].sound, Sound::kAnnouncement);
    EXPECT_EQ(heard[1].name, "vacant_number");
    EXPECT_LE(absl::ToDoubleSeconds(heard[1].after), 7 + 3.0);
  }
}

TEST(EarlyListener, RingbackMusicIsNotDeadAndTheBusyToneAfterItIs) {
  // A tune with drums: notes with overtones over bursts of noise.
  Rng rng(5);
  Samples music(8000 * 12);
  for (size_t i = 0; i < music.size(); ++i) {
    const double t = static_cast<double>(i) / 8000;
    const double note = 220 * std::pow(2, static_cast<double>((i / 2400) * 7 % 12) / 12);
    double value = 0;
    for (int k = 1; k <= 6; ++k) value += 3000.0 / k * std::sin(2 * bench::kPi * note * k * t);
    if (i % 4000 < 800) value += 4000 * rng.Normal() * (1 - static_cast<double>(i % 4000) / 800);
    music[i] = static_cast<int16_t>(std::clamp(value, -32000.0, 32000.0));
  }
  EarlyListener listener("cn", &TheTrained().set);
  const std::vector<Heard> heard = Listen(
      listener, ThroughLine(Joined({music, MakeTone("450/350,0/350", {.lead_ms = 300}, 5)}), {}));
  ASSERT_EQ(heard.size(), 2u);
  EXPECT_EQ(heard[0].sound, Sound::kSpeechOrMusic);
  EXPECT_FALSE(heard[0].last);
  EXPECT_LE(heard[0].after, absl::Seconds(4));
  EXPECT_EQ(heard[1].sound, Sound::kBusyTone);
  EXPECT_TRUE(heard[1].last);
  EXPECT_LE(heard[1].after, absl::Seconds(12.3 + 1.6));
  // After the last word there is no other.
  EXPECT_TRUE(Listen(listener, MakeTone("450/1000,0/4000", {}, 12)).empty());
}

TEST(EarlyListener, AnInformationToneSaysThatItGivesNoReason) {
  EarlyListener listener("de", nullptr);
  const std::vector<Heard> heard =
      Listen(listener, MakeTone("!950/330,!1400/330,!1800/330,0", {.lead_ms = 500}, 4));
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].sound, Sound::kSitReorder);
  EXPECT_EQ(heard[0].name, "info");
  EXPECT_TRUE(heard[0].last);
}

TEST(EarlyListener, OnlyWaitIsNotDead) {
  for (absl::string_view name : AnnouncementClasses()) {
    EXPECT_EQ(IsDead({.sound = Sound::kAnnouncement, .name = std::string(name)}), name != "wait");
  }
  for (const Sound sound : {Sound::kNone, Sound::kRingback, Sound::kSpeechOrMusic}) {
    EXPECT_FALSE(IsDead({.sound = sound})) << SoundName(sound);
  }
  for (const Sound sound : {Sound::kBusyTone, Sound::kCongestionTone, Sound::kSitVacant,
                            Sound::kSitIntercept, Sound::kSitNoCircuit, Sound::kSitReorder}) {
    EXPECT_TRUE(IsDead({.sound = sound})) << SoundName(sound);
  }
}

}  // namespace
}  // namespace outpace::listen
