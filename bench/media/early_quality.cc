// early_quality: how well the engine tells what networks say before the answer.
//   early_quality [--audio DIR] [--tones FILE] [--csv FILE] [--trials N]
// DIR holds clips.csv (file, class, ...) and the WAV files it names: those of class "carrier"
// become a fingerprint set, one class after the other in turn, and all others are strangers to it.
// FILE is a tone plan in Asterisk's notation. Everything is random from fixed seeds.

#include <cstdio>
#include <ctime>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "bench/media/early_audio.h"
#include "engine/codec/wav.h"
#include "engine/listen/early_listener.h"
#include "engine/listen/sit_detector.h"

namespace outpace::bench {
namespace {

using listen::EarlyListener;
using listen::FingerprintSet;
using listen::Heard;
using listen::Sound;

struct Options {
  std::string audio = OUTPACE_TEST_DATA "/audio/early";
  std::string tones = OUTPACE_TEST_DATA "/audio/early/call_progress_tones.csv";
  std::string csv;
  int trials = 40;
};

struct Clip {
  std::string name, kind;
  Samples audio;
};

std::vector<Clip> ReadClips(const std::string& directory) {
  std::vector<Clip> clips;
  std::ifstream list(directory + "/clips.csv");
  std::string line;
  while (std::getline(list, line)) {
    const std::vector<std::string> fields = absl::StrSplit(line, ',');
    if (fields.size() < 2 || fields[0] == "file") continue;
    auto audio = codec::LoadWav(absl::StrCat(directory, "/", fields[0]));
    if (!audio.ok()) {
      std::fprintf(stderr, "%s\n", std::string(audio.status().message()).c_str());
      continue;
    }
    clips.push_back({fields[0], fields[1], *std::move(audio)});
  }
  return clips;
}

struct Told {
  Heard first{}, last{};
  bool any = false;
  bool dead = false;
};

Told Listen(const std::string& country, const FingerprintSet* set, const Samples& audio) {
  EarlyListener listener(country, set);
  Told told;
  for (size_t at = 0; at + listen::kFrameSamples <= audio.size(); at += listen::kFrameSamples) {
    auto heard = listener.Feed({audio.data() + at, listen::kFrameSamples});
    if (!heard.has_value()) continue;
    if (!told.any) told.first = *heard;
    told.any = true;
    told.dead |= listen::IsDead(*heard);
    told.last = *std::move(heard);
  }
  return told;
}

bool BusyOrCongestion(Sound sound) {
  return sound == Sound::kBusyTone || sound == Sound::kCongestionTone;
}

Sound Wanted(const std::string& tone) {
  if (tone == "ring") return Sound::kRingback;
  if (tone == "busy") return Sound::kBusyTone;
  if (tone == "congestion") return Sound::kCongestionTone;
  if (tone == "info") return Sound::kSitReorder;
  return Sound::kNone;
}

// Prints a table's row and keeps it for the CSV.
class Table {
 public:
  void Row(const std::vector<std::string>& cells) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      absl::StrAppendFormat(&line, i == 0 ? "%-34s" : "%14s", cells[i]);
      absl::StrAppend(&csv_, i == 0 ? "" : ",", cells[i]);
    }
    absl::StrAppend(&csv_, "\n");
    std::printf("%s\n", line.c_str());
  }
  void Save(const std::string& path) const {
    if (!path.empty()) std::ofstream(path) << csv_;
  }

 private:
  std::string csv_;
};

std::string Number(double value, int digits = 2) { return absl::StrFormat("%.*f", digits, value); }

void JudgeTones(const Options& options, Table& table) {
  std::printf(
      "\nTones: %d trials each; -35..-5 dBm0, both laws, band-pass, noise down to 25 dB, clock "
      "+-1 %%,\ncadence +-10 %%, any phase, 1 %% of packets lost\n",
      options.trials);
  table.Row({"country tone", "right", "alone right", "cadences", "worst", "mean s"});
  int trials = 0, right = 0, alone_right = 0, within = 0, toned = 0;
  uint64_t seed = 1;
  for (const ToneRow& row : ReadTones(options.tones)) {
    const Sound want = Wanted(row.tone);
    if (want == Sound::kNone && row.tone != "dial") continue;
    int good = 0, good_alone = 0;
    double cadences = 0, worst = 0, seconds = 0;
    for (int trial = 0; trial < options.trials; ++trial) {
      Rng rng(seed++);
      ToneMaker make;
      make.dbm0 = -35 + 30 * rng.Uniform();
      make.hz_scale = 0.99 + 0.02 * rng.Uniform();
      make.ms_scale = 0.9 + 0.2 * rng.Uniform();
      make.deep = rng.Chance(0.5);
      if (row.definition[0] == '!') {
        make.lead_ms = rng.Uniform() * 1000;
      } else {
        make.start = rng.Uniform();
      }
      const double period = std::max(400.0, PeriodMs(row.definition)) * make.ms_scale;
      const Samples audio =
          ThroughLine(MakeTone(row.definition, make, std::max(6.0, period * 2.8 / 1000)),
                      RandomLine(rng, 25, 0.01));
      const Told told = Listen(row.country, nullptr, audio);
      const Told alone = Listen("", nullptr, audio);
      // Six countries have one cadence for busy and congestion.
      static const char* const kOne[] = {"au", "hu", "jp", "mx", "my", "pl"};
      const bool one = std::find(std::begin(kOne), std::end(kOne), row.country) != std::end(kOne);
      const bool hit = told.first.sound == want ||
                       (one && BusyOrCongestion(want) && BusyOrCongestion(told.first.sound));
      good += hit;
      good_alone += alone.first.sound == want ||
                    (BusyOrCongestion(want) && BusyOrCongestion(alone.first.sound));
      if (want == Sound::kNone || !hit) continue;
      const double ms = absl::ToDoubleMilliseconds(told.first.after) - make.lead_ms;
      cadences += ms / period;
      worst = std::max(worst, ms / period);
      seconds += ms / 1000;
      ++toned;
      within += ms <= 2 * period + 120;
    }
    trials += options.trials;
    right += good;
    alone_right += good_alone;
    const double n = std::max(1, good);
    table.Row({absl::StrCat(row.country, " ", row.tone), Number(100.0 * good / options.trials, 1),
               Number(100.0 * good_alone / options.trials, 1), Number(cadences / n), Number(worst),
               Number(seconds / n)});
  }
  if (trials == 0) return;
  table.Row({"all tones", Number(100.0 * right / trials), Number(100.0 * alone_right / trials)});
  table.Row({"within two cadences, %", Number(100.0 * within / std::max(1, toned))});
}

void JudgeSit(const Options& options, Table& table) {
  int trials = 0, right = 0;
  for (const listen::SitCode& code : listen::SitCodes()) {
    for (int trial = 0; trial < options.trials * 5; ++trial) {
      Rng rng(static_cast<uint64_t>(trial) + 1);
      const std::string definition =
          absl::StrCat("!", code.high[0] ? listen::kSitHighHz[0] : listen::kSitLowHz[0], "/",
                       code.is_long[0] ? listen::kSitLongMs : listen::kSitShortMs, ",!",
                       code.high[1] ? listen::kSitHighHz[1] : listen::kSitLowHz[1], "/",
                       code.is_long[1] ? listen::kSitLongMs : listen::kSitShortMs, ",!",
                       listen::kSitThirdHz, "/", listen::kSitLongMs, ",0");
      ToneMaker make;
      make.dbm0 = -35 + 30 * rng.Uniform();
      make.hz_scale = 0.99 + 0.02 * rng.Uniform();
      make.ms_scale = 0.9 + 0.2 * rng.Uniform();
      make.lead_ms = 100 + rng.Uniform() * 1000;
      const Told told = Listen(
          "us", nullptr, ThroughLine(MakeTone(definition, make, 3), RandomLine(rng, 25, 0.01)));
      ++trials;
      right += told.first.sound == code.sound && told.first.name.empty();
    }
  }
  table.Row({"Bellcore SIT codes, % right", Number(100.0 * right / trials)});
}

void JudgeAnnouncements(const std::vector<Clip>& clips, const FingerprintSet& set,
                        const std::map<std::string, std::string>& classes, Table& table) {
  using codec::Law;
  const std::pair<const char*, Line> lines[] = {{"mu-law", {.law = Law::kMu}},
                                                {"A-law", {.law = Law::kA}},
                                                {"band-pass", {.band_pass = true}},
                                                {"level -20 dB", {.law = Law::kA, .gain_db = -20}},
                                                {"noise 20 dB", {.snr_db = 20}},
                                                {"loss 2 %", {.loss = 0.02}},
                                                {"clock +0.1 %", {.drift = 0.001}},
                                                {"clock -0.1 %", {.drift = -0.001}},
                                                {"all of it",
                                                 {.law = Law::kA,
                                                  .band_pass = true,
                                                  .gain_db = -10,
                                                  .snr_db = 20,
                                                  .loss = 0.02,
                                                  .drift = 0.001}}};
  std::printf("\nAnnouncements: the set of all carriers' clips, each said three times over\n");
  table.Row({"announcements", "trials", "right %", "wrong", "in 3 s %", "mean s", "worst s"});
  for (const bool middle : {false, true}) {
    for (const auto& [name, line] : lines) {
      int trials = 0, right = 0, wrong = 0, in_time = 0;
      double seconds = 0, worst = 0;
      for (const Clip& clip : clips) {
        if (clip.kind != "carrier" || classes.count(clip.name) == 0) continue;
        for (uint64_t seed = 0; seed < 10; ++seed) {
          Rng rng(seed * 977 + clip.audio.size());
          Line one = line;
          one.seed = rng.Next();
          const auto lead = static_cast<size_t>(rng.Uniform() * 8000);
          const auto skip = middle
                                ? static_cast<std::ptrdiff_t>(
                                      rng.Uniform() * 0.6 * static_cast<double>(clip.audio.size()))
                                : 0;
          Samples audio(lead);
          audio.insert(audio.end(), clip.audio.begin() + skip, clip.audio.end());
          for (int again = 0; again < 2; ++again) {
            audio.resize(audio.size() + 4800);
            audio.insert(audio.end(), clip.audio.begin(), clip.audio.end());
          }
          audio.resize(audio.size() + 8000);
          const Told told = Listen("cn", &set, ThroughLine(audio, one));
          ++trials;
          const bool announced = told.last.sound == Sound::kAnnouncement;
          const bool hit = announced && told.last.name == classes.at(clip.name);
          right += hit;
          wrong += told.dead && !hit;
          if (!hit) continue;
          const double after =
              absl::ToDoubleSeconds(told.last.after) - static_cast<double>(lead) / 8000;
          seconds += after;
          worst = std::max(worst, after);
          in_time += after <= 3;
        }
      }
      if (trials == 0) return;
      table.Row({absl::StrCat(name, middle ? ", joined late" : ""), absl::StrCat(trials),
                 Number(100.0 * right / trials, 1), absl::StrCat(wrong),
                 Number(100.0 * in_time / trials, 1), Number(seconds / std::max(1, right)),
                 Number(worst)});
    }
  }
  // Taught without it, every announcement is a stranger, said by the same voice as others.
  int untaught = 0, taken = 0;
  for (const Clip& out : clips) {
    if (out.kind != "carrier") continue;
    FingerprintSet rest;
    for (const Clip& clip : clips) {
      if (clip.kind != "carrier" || clip.name == out.name || classes.count(clip.name) == 0)
        continue;
      (void)rest.Learn(classes.at(clip.name), clip.name, clip.audio);
    }
    for (uint64_t seed = 0; seed < 5; ++seed) {
      Samples audio = out.audio;
      audio.resize(audio.size() + 8000);
      audio.insert(audio.end(), out.audio.begin(), out.audio.end());
      ++untaught;
      taken += Listen("", &rest, ThroughLine(audio, {.snr_db = 25, .seed = seed + 1})).dead;
    }
  }
  table.Row({"untaught, taken for another", absl::StrCat(untaught), absl::StrCat(taken)});
}

void JudgeStrangers(const std::vector<Clip>& clips, const FingerprintSet& set, Table& table) {
  std::printf("\nStrangers, each twice over, clean and through a line with 25 dB of noise\n");
  table.Row({"strangers", "listened to", "called dead", "ringback"});
  std::map<std::string, std::array<int, 3>> kinds;
  for (const Clip& clip : clips) {
    if (clip.kind == "carrier") continue;
    for (const bool noisy : {false, true}) {
      Samples audio = clip.audio;
      audio.resize(audio.size() + 3200);
      audio.insert(audio.end(), clip.audio.begin(), clip.audio.end());
      audio.resize(audio.size() + 12000);
      const Told told = Listen(
          "cn", &set, ThroughLine(audio, {.band_pass = noisy, .snr_db = noisy ? 25.0 : 0.0}));
      std::array<int, 3>& count = kinds[clip.kind];
      ++count[0];
      count[1] += told.dead;
      count[2] += told.any && told.first.sound == Sound::kRingback;
      if (told.dead) {
        std::printf("called dead: %s (%s %s)\n", clip.name.c_str(),
                    std::string(SoundName(told.last.sound)).c_str(), told.last.name.c_str());
      }
    }
  }
  for (const auto& [kind, count] : kinds) {
    table.Row({kind, absl::StrCat(count[0]), absl::StrCat(count[1]), absl::StrCat(count[2])});
  }
}

// What this thread has used, not what others kept it from.
double ThreadSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void MeasureCpu(const std::vector<Clip>& clips, const FingerprintSet& set, Table& table) {
  // A set as large as a big operator's: the carriers' clips at many speeds, each a stranger to the
  // others. Of the class that ends no call, so that all is listened to.
  FingerprintSet large;
  size_t learned = 0;
  for (int round = 0; learned < 200 && round < 40; ++round) {
    for (const Clip& clip : clips) {
      if (learned >= 200 || clip.kind != "carrier") continue;
      const Samples varied = ThroughLine(
          clip.audio, {.drift = 0.03 * (round - 10), .seed = static_cast<uint64_t>(round) + 1});
      if (large.Learn("wait", absl::StrCat(clip.name, round), varied).ok()) ++learned;
    }
  }
  std::printf("\nCPU\n");
  table.Row({"cpu us per audio second", "speech", "ringback"});
  Samples speech;
  for (const Clip& clip : clips) {
    if (clip.kind == "carrier" || clip.kind == "dtmf" || clip.kind == "ringback_recording")
      continue;
    speech.insert(speech.end(), clip.audio.begin(), clip.audio.end());
    if (speech.size() > 8000 * 120) break;
  }
  const Samples ring = MakeTone("450/1000,0/4000", {}, 60);
  const FingerprintSet* const sets[] = {nullptr, &set, &large};
  for (const FingerprintSet* one : sets) {
    std::vector<std::string> cells = {
        one == nullptr ? "tones alone" : absl::StrCat("set of ", one->samples().size())};
    for (const Samples* const audio : {&std::as_const(speech), &ring}) {
      double least = 1e9;
      for (int round = 0; round < 5; ++round) {
        EarlyListener listener("cn", one);
        const double begin = ThreadSeconds();
        size_t at = 0;
        for (; at + listen::kFrameSamples <= audio->size(); at += listen::kFrameSamples) {
          (void)listener.Feed({audio->data() + at, listen::kFrameSamples});
        }
        const double us = (ThreadSeconds() - begin) * 1e6;
        least = std::min(least, us / (static_cast<double>(at) / 8000));
      }
      cells.push_back(Number(least, 1));
    }
    table.Row(cells);
  }
}

int Run(const Options& options) {
  Table table;
  const std::vector<Clip> clips = ReadClips(options.audio);
  FingerprintSet set;
  std::map<std::string, std::string> classes;
  size_t next = 0;
  for (const Clip& clip : clips) {
    if (clip.kind != "carrier") continue;
    // In turn: announcements of one voice come into different classes.
    const absl::string_view one = listen::AnnouncementClasses()[next++ % 8];
    const absl::Status status = set.Learn(one, clip.name, clip.audio);
    if (!status.ok()) {
      std::printf("not learned: %s\n", std::string(status.message()).c_str());
      continue;
    }
    classes[clip.name] = std::string(one);
  }
  std::printf("%zu clips, %zu of them learned\n", clips.size(), classes.size());
  JudgeTones(options, table);
  JudgeSit(options, table);
  if (!clips.empty()) {
    JudgeAnnouncements(clips, set, classes, table);
    JudgeStrangers(clips, set, table);
    MeasureCpu(clips, set, table);
  }
  table.Save(options.csv);
  return 0;
}

}  // namespace
}  // namespace outpace::bench

int main(int argc, char** argv) {
  outpace::bench::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--audio") options.audio = value;
    if (name == "--tones") options.tones = value;
    if (name == "--csv") options.csv = value;
    if (name == "--trials") (void)absl::SimpleAtoi(value, &options.trials);
  }
  return outpace::bench::Run(options);
}
