#include "engine/listen/tone_detector.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bench/media/early_audio.h"
#include "engine/base/rng.h"
#include "engine/codec/wav.h"

namespace outpace::listen {
namespace {

using bench::Line;
using bench::MakeTone;
using bench::Samples;
using bench::ThroughLine;
using bench::ToneMaker;
using bench::ToneRow;

const char kData[] = OUTPACE_TEST_DATA "/audio/early/";

struct Told {
  Sound sound = Sound::kNone;  // the first verdict
  bool information = false;
  double ms = 0;  // until it
  std::vector<Sound> all;
};

Told Listen(const std::string& country, const Samples& audio) {
  ToneDetector detector(country);
  Told told;
  for (size_t at = 0; at + kFrameSamples <= audio.size(); at += kFrameSamples) {
    const auto heard =
        detector.Feed(AnalyseTone({audio.data() + at, kFrameSamples}, ToneRuns::kQuietMax));
    if (!heard.has_value()) continue;
    if (told.all.empty()) {
      told.sound = heard->sound;
      told.information = heard->information;
      told.ms = static_cast<double>(at + kFrameSamples) / 8;
    }
    told.all.push_back(heard->sound);
  }
  return told;
}

Sound Wanted(const std::string& tone) {
  if (tone == "ring") return Sound::kRingback;
  if (tone == "busy") return Sound::kBusyTone;
  if (tone == "congestion") return Sound::kCongestionTone;
  if (tone == "info") return Sound::kSitReorder;
  return Sound::kNone;  // dial
}

bool Dead(Sound sound) { return sound == Sound::kBusyTone || sound == Sound::kCongestionTone; }

// Countries whose busy and congestion tone are one cadence: Australia's differ by 5 Hz in every
// second tone, which no listener hears, and the others' not at all. Either is right there.
const std::set<std::string>& OneCadence() {
  static const auto* const kCountries =
      new std::set<std::string>{"au", "hu", "jp", "mx", "my", "pl"};
  return *kCountries;
}

struct Tally {
  int trials = 0, wrong = 0, wrong_without_country = 0, within_two = 0;
  std::string faults;
};

// One way a tone may arrive, within the limits the detector is made for.
Samples Arriving(const ToneRow& row, Rng& rng, double loss, double& lead_ms, double& period_ms) {
  ToneMaker make;
  make.dbm0 = -35 + 30 * rng.Uniform();
  make.hz_scale = 0.99 + 0.02 * rng.Uniform();
  make.ms_scale = 0.9 + 0.2 * rng.Uniform();
  make.deep = rng.Chance(0.5);
  // What is played once is heard from its beginning; the rest from anywhere in its period.
  if (row.definition[0] == '!') {
    make.lead_ms = rng.Uniform() * 1000;
  } else {
    make.start = rng.Uniform();
  }
  lead_ms = make.lead_ms;
  period_ms = std::max(400.0, bench::PeriodMs(row.definition)) * make.ms_scale;
  return ThroughLine(MakeTone(row.definition, make, std::max(6.0, period_ms * 2.6 / 1000)),
                     bench::RandomLine(rng, 25, loss));
}

Tally Judge(const std::vector<ToneRow>& rows, int trials, double loss) {
  Tally tally;
  uint64_t seed = 1;
  for (const ToneRow& row : rows) {
    const Sound want = Wanted(row.tone);
    for (int trial = 0; trial < trials; ++trial) {
      Rng rng(seed++);
      double lead_ms = 0, period_ms = 0;
      const Samples audio = Arriving(row, rng, loss, lead_ms, period_ms);
      const Told told = Listen(row.country, audio);
      const bool either = Dead(want) && Dead(told.sound) && OneCadence().count(row.country) > 0;
      ++tally.trials;
      const bool right = told.sound == want || either;
      if (!right) {
        ++tally.wrong;
        absl::StrAppend(&tally.faults, row.country, " ", row.tone, " told as ",
                        SoundName(told.sound), " (seed ", seed - 1, ")\n");
      }
      tally.within_two += right && told.ms - lead_ms <= 2 * period_ms + 120;
      const Told plain = Listen("", audio);
      const bool sensible = Dead(want) ? Dead(plain.sound) : plain.sound == want;
      if (!sensible) {
        ++tally.wrong_without_country;
        absl::StrAppend(&tally.faults, row.country, " ", row.tone, " without a country told as ",
                        SoundName(plain.sound), " (seed ", seed - 1, ")\n");
      }
    }
  }
  return tally;
}

std::vector<ToneRow> PlanRows() {
  std::vector<ToneRow> rows;
  for (const ToneRow& row : bench::ReadTones(absl::StrCat(kData, "call_progress_tones.csv"))) {
    if (Wanted(row.tone) != Sound::kNone || row.tone == "dial") rows.push_back(row);
  }
  return rows;
}

// All ring, busy, congestion, information and dial tones of the 41 countries, each in several of
// the ways in which it may arrive: level, clock, cadence, law, band-pass, noise, a lost packet in
// 100.
TEST(ToneDetector, KnowsTheTonesOfAllPlans) {
  const std::vector<ToneRow> rows = PlanRows();
  ASSERT_EQ(rows.size(), 5u * 41u - 1);  // Malaysia has no information tone
  const Tally tally = Judge(rows, 6, 0.01);
  EXPECT_EQ(tally.wrong, 0) << tally.faults;
  EXPECT_EQ(tally.wrong_without_country, 0) << tally.faults;
}

// Two periods and the 120 ms after which an edge is certain are enough. Two cannot be told so soon:
// Spain's busy tone is like its congestion tone for 1.2 s of 1.8, and Brazil's for 1 s of 1.5.
TEST(ToneDetector, NeedsTwoCadencesAtMost) {
  std::vector<ToneRow> rows;
  for (const ToneRow& row : PlanRows()) {
    const bool late = row.tone == "busy" && (row.country == "es" || row.country == "br");
    if (row.tone != "dial" && !late) rows.push_back(row);
  }
  const Tally tally = Judge(rows, 4, 0);
  EXPECT_EQ(tally.wrong, 0) << tally.faults;
  EXPECT_EQ(tally.within_two, tally.trials);
}

TEST(ToneDetector, TheCountryDecidesWhereTwoDisagree) {
  // 500 ms on, 500 ms off: busy nearly everywhere, and in no plan congestion alone.
  const Samples half = MakeTone("425/500,0/500", {}, 6);
  EXPECT_EQ(Listen("de", half).sound, Sound::kBusyTone);
  EXPECT_EQ(Listen("", half).sound, Sound::kBusyTone);
  // 200 ms: congestion in nine plans, busy in Spain.
  const Samples fifth = MakeTone("425/200,0/200", {}, 6);
  EXPECT_EQ(Listen("it", fifth).sound, Sound::kCongestionTone);
  EXPECT_EQ(Listen("es", fifth).sound, Sound::kBusyTone);
  EXPECT_EQ(Listen("", fifth).sound, Sound::kCongestionTone);
  // A gateway's American tones at a Chinese number.
  EXPECT_EQ(Listen("cn", MakeTone("440+480/2000,0/4000", {}, 9)).sound, Sound::kRingback);
  EXPECT_EQ(Listen("cn", MakeTone("480+620/250,0/250", {}, 6)).sound, Sound::kCongestionTone);
  // An unknown country has the plan most have.
  EXPECT_EQ(Listen("xx", half).sound, Sound::kBusyTone);
  EXPECT_EQ(TonePlanBit("xx"), 0u);
  EXPECT_EQ(TonePlanBit("uk"), TonePlanBit("gb"));
  EXPECT_EQ(TonePlanBit("ca"), TonePlanBit("us"));
}

TEST(ToneDetector, HearsBusyAfterRingback) {
  for (const char* country : {"cn", "us", ""}) {
    Samples audio = MakeTone("450/1000,0/4000", {}, 12.3);
    const Samples busy = MakeTone("450/350,0/350", {}, 4);
    audio.insert(audio.end(), busy.begin(), busy.end());
    const Told told = Listen(country, audio);
    ASSERT_EQ(told.all.size(), 2u) << country;
    EXPECT_EQ(told.all[0], Sound::kRingback);
    EXPECT_EQ(told.all[1], Sound::kBusyTone);
  }
}

TEST(ToneDetector, BellcoresSpecialInformationTonesSayWhy) {
  int trials = 0;
  for (const SitCode& code : SitCodes()) {
    for (uint64_t seed = 0; seed < 60; ++seed) {
      Rng rng(seed);
      const std::string definition = absl::StrCat("!", code.high[0] ? kSitHighHz[0] : kSitLowHz[0],
                                                  "/", code.is_long[0] ? kSitLongMs : kSitShortMs,
                                                  ",!", code.high[1] ? kSitHighHz[1] : kSitLowHz[1],
                                                  "/", code.is_long[1] ? kSitLongMs : kSitShortMs,
                                                  ",!", kSitThirdHz, "/", kSitLongMs, ",0");
      ToneMaker make;
      make.dbm0 = -35 + 30 * rng.Uniform();
      make.hz_scale = 0.99 + 0.02 * rng.Uniform();
      make.ms_scale = 0.9 + 0.2 * rng.Uniform();
      make.lead_ms = 100 + rng.Uniform() * 1000;
      const Samples audio =
          ThroughLine(MakeTone(definition, make, 3), bench::RandomLine(rng, 25, 0));
      for (const char* country : {"us", "", "de"}) {
        const Told told = Listen(country, audio);
        ++trials;
        ASSERT_EQ(told.sound, code.sound) << code.name << " in '" << country << "', seed " << seed;
        EXPECT_FALSE(told.information);
        // Three tones of at most 418 ms, and what it takes to see the end.
        EXPECT_LE(told.ms - make.lead_ms, 1400);
      }
    }
  }
  EXPECT_EQ(trials, 6 * 60 * 3);
}

TEST(ToneDetector, ThePlainInformationToneDoesNotSayWhy) {
  const Samples audio = MakeTone("!950/330,!1400/330,!1800/330,0", {.lead_ms = 200}, 3);
  for (const char* country : {"us", "de", ""}) {
    const Told told = Listen(country, audio);
    EXPECT_EQ(told.sound, Sound::kSitReorder);
    EXPECT_TRUE(told.information);
  }
}

// Tones that are none of these, at every rhythm people and machines may give them.
TEST(ToneDetector, OtherTonesAreNothing) {
  const char* const definitions[] = {
      "697+1209/100,0/100",             // DTMF, redialed
      "941+1336/500,0/500",             // DTMF at the busy tone's rhythm
      "700/420,0/4000",                 // a voicemail's beep
      "1000/500,0/500",                 // a test tone, interrupted
      "1100/500,0/3000",                // fax CNG
      "2100/3300,0/1000",               // fax CED
      "1400/500,0/15000",               // recording warning
      "350+440",                        // dial tone
      "425",                            //
      "440/300,0/10000",                // call waiting
      "880/200,988/200,1047/400,0/300"  // a melody
  };
  for (const char* definition : definitions) {
    for (const char* country : {"us", "cn", "de", ""}) {
      for (uint64_t seed = 0; seed < 2; ++seed) {
        Rng rng(seed);
        ToneMaker make{.dbm0 = -35 + 30 * rng.Uniform(), .start = rng.Uniform()};
        const Told told = Listen(
            country, ThroughLine(MakeTone(definition, make, 12), bench::RandomLine(rng, 25, 0.01)));
        EXPECT_EQ(told.sound, Sound::kNone) << definition << " in '" << country << "'";
      }
    }
  }
}

// Each clip four times over, so that a word comes back as a cadence does.
TEST(ToneDetector, RecordingsAreNothingButTheRingback) {
  int clips = 0;
  std::ifstream list(absl::StrCat(kData, "clips.csv"));
  std::string line;
  while (std::getline(list, line)) {
    const std::vector<std::string> fields = absl::StrSplit(line, ',');
    if (fields[0] == "file") continue;
    const auto clip = codec::LoadWav(absl::StrCat(kData, fields[0]));
    ASSERT_TRUE(clip.ok()) << clip.status();
    ++clips;
    Samples audio;
    for (int i = 0; i < 4; ++i) {
      audio.insert(audio.end(), clip->begin(), clip->end());
      audio.resize(audio.size() + (i % 2 == 0 ? 8000 : 2000));
    }
    for (const char* country : {"", "us", "cn", "es"}) {
      const Told told = Listen(country, audio);
      const bool ringback = fields[1] == "ringback_recording";
      EXPECT_EQ(told.sound, ringback ? Sound::kRingback : Sound::kNone) << fields[0];
    }
  }
  EXPECT_GE(clips, 30);
}

TEST(ToneDetector, NoiseAndSilenceAreNothing) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed);
    Samples audio(8000 * 20);
    const double level = bench::Amplitude(-50 + 45 * rng.Uniform());
    for (int16_t& sample : audio) {
      sample = static_cast<int16_t>(std::clamp(level * rng.Normal(), -32000.0, 32000.0));
    }
    EXPECT_EQ(Listen("", audio).sound, Sound::kNone) << seed;
  }
  EXPECT_EQ(Listen("us", Samples(80'000)).sound, Sound::kNone);
}

// The loudest and the oddest samples there are.
TEST(ToneDetector, AnySamplesAreTaken) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Rng rng(seed);
    Samples audio(8000 * 6);
    for (size_t i = 0; i < audio.size(); ++i) {
      const bool square = (i / (1 + seed)) % 2 == 0;
      audio[i] =
          rng.Chance(0.01) ? static_cast<int16_t>(rng.Below(65536)) : (square ? 32767 : -32768);
    }
    const Told told = Listen("", audio);
    EXPECT_TRUE(told.sound == Sound::kNone) << SoundName(told.sound);
  }
}

TEST(ToneRuns, MeasuresLengthsToAFewMilliseconds) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    const double on = 150 + static_cast<double>(rng.Below(800));
    const double off = 120 + static_cast<double>(rng.Below(800));
    const Samples audio = ThroughLine(
        MakeTone(absl::StrCat("440/", on, ",0/", off), {.lead_ms = 100 + rng.Uniform() * 200}, 5),
        bench::RandomLine(rng, 30, 0));
    ToneRuns runs;
    for (size_t at = 0; at + kFrameSamples <= audio.size(); at += kFrameSamples) {
      runs.Feed(AnalyseTone({audio.data() + at, kFrameSamples}, ToneRuns::kQuietMax));
    }
    ASSERT_GE(runs.runs().size(), 3u);
    for (const ToneRun& run : runs.runs()) {
      if (!run.whole) continue;
      EXPECT_NEAR(run.ms, run.on ? on : off, 16) << "seed " << seed;
      if (run.on) {
        EXPECT_NEAR(run.hz, 440, 6);
        EXPECT_TRUE(run.pure);
        EXPECT_TRUE(run.steady);
      }
    }
  }
}

TEST(ToneRuns, LostPacketsAndClicksAreBridged) {
  Samples audio = MakeTone("440/500,0/500", {.lead_ms = 200}, 3);
  std::fill_n(audio.begin() + 8 * 320, 320, 0);  // 40 ms of the tone are lost
  for (int i = 0; i < 80; ++i) audio[8 * 900 + static_cast<size_t>(i)] = 20000;  // a click
  ToneRuns runs;
  for (size_t at = 0; at + kFrameSamples <= audio.size(); at += kFrameSamples) {
    runs.Feed(AnalyseTone({audio.data() + at, kFrameSamples}, ToneRuns::kQuietMax));
  }
  ASSERT_GE(runs.runs().size(), 4u);
  EXPECT_NEAR(runs.runs()[0].ms, 500, 10);
  EXPECT_NEAR(runs.runs()[1].ms, 500, 10);
  EXPECT_NEAR(runs.runs()[2].ms, 500, 10);
}

}  // namespace
}  // namespace outpace::listen
