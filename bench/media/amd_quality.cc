// amd_quality: how often and how fast the answering-machine detector is right, beside the rules of
// Asterisk's app_amd on the same audio, and what it costs.
//
//   amd_quality --audio DIR [--seed 1] [--generated 0] [--plot FILE.svg] [--csv FILE.csv]
//
// DIR holds scenes.csv and the files it names. With --generated N, N further calls are put together
// from DIR/clips.csv by the recipe of the scenes, and N by the wider one (amd_scenes.h).

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "bench/media/amd_run.h"
#include "bench/media/amd_scenes.h"
#include "engine/listen/answer_listener.h"
#include "engine/listen/beep_detector.h"

namespace outpace::bench {
namespace {

using listen::Sound;

struct Options {
  std::string audio;
  std::string plot;
  std::string csv;
  uint64_t seed = 1;
  int generated = 0;
};

struct Contestant {
  std::string name;
  Score score;
  std::vector<Decision> decisions;
};

// The detector in both modes, and the two settings of Asterisk.
std::vector<Contestant> RunAll(const std::vector<Scene>& scenes) {
  listen::AnswerTuning blocking;
  blocking.second_thoughts = absl::ZeroDuration();
  AsteriskSettings tuned;
  tuned.greeting_ms = 2500;
  tuned.words_max = 4;
  tuned.after_greeting_silence_ms = 1000;
  std::vector<Contestant> all(4);
  all[0].name = "outpace, non-blocking";
  all[1].name = "outpace, blocking";
  all[2].name = "app_amd, default";
  all[3].name = "app_amd, tuned";
  const auto& model = listen::BuiltInAnswerModel();
  const listen::AnswerPolicy policy;
  for (const Scene& scene : scenes) {
    all[0].decisions.push_back(RunJudge(scene, {}, policy, model));
    all[1].decisions.push_back(RunJudge(scene, blocking, policy, model));
    all[2].decisions.push_back(RunAsterisk(scene, {}));
    all[3].decisions.push_back(RunAsterisk(scene, tuned));
    for (Contestant& one : all) one.score.Add(scene, one.decisions.back());
  }
  return all;
}

void PrintBreakdown(const char* what, const std::map<std::string, Score>& parts) {
  for (const auto& [name, score] : parts) {
    absl::PrintF("    %-10s %-22s %4d calls  accuracy %.3f  lost %d  missed %d  median %.0f ms\n",
                 what, name, score.scenes(), score.accuracy(), score.lost(), score.missed(),
                 score.Quantile(Score::Moment::kLast, 0.5));
  }
}

void Print(const char* set, const std::vector<Contestant>& all) {
  absl::PrintF("%s: %d calls\n", set, all[0].score.scenes());
  for (const Contestant& one : all) {
    absl::PrintF("  %-22s %s\n", one.name, ScoreLine(one.score));
    const Score& score = one.score;
    absl::PrintF(
        "    said:      human as human %d, as machine %d; machine as machine %d, as human "
        "%d\n",
        score.humans() - score.lost(), score.lost(), score.machines() - score.missed(),
        score.missed());
  }
  PrintBreakdown("subtype", all[0].score.by_subtype());
  PrintBreakdown("language", all[0].score.by_lang());
}

// Whether the confidence means what it says: verdicts by confidence, and how many were right.
void PrintConfidence(const std::vector<Scene>& scenes, const Contestant& one) {
  constexpr std::array<float, 7> kEdges = {0, 0.5f, 0.7f, 0.8f, 0.9f, 0.97f, 1.01f};
  absl::PrintF("  confidence of the last verdict, and the share that was right:");
  for (size_t bin = 0; bin + 1 < kEdges.size(); ++bin) {
    int count = 0;
    int right = 0;
    for (size_t i = 0; i < scenes.size(); ++i) {
      const Decision& decision = one.decisions[i];
      if (decision.confidence < kEdges[bin] || decision.confidence >= kEdges[bin + 1]) continue;
      ++count;
      right += (decision.last == Sound::kMachine) == scenes[i].machine ? 1 : 0;
    }
    if (count > 0) {
      absl::PrintF("  %.2f-%.2f: %d/%d", kEdges[bin], std::min(kEdges[bin + 1], 1.0f), right,
                   count);
    }
  }
  absl::PrintF("\n");
}

double CpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

// us of CPU a second of audio, of the listener as the engine uses it. It listens to whole scenes:
// second thoughts are made longer than they are, so that none of it is idle.
double CpuPerAudioSecond(const std::vector<Scene>& scenes) {
  listen::AnswerTuning tuning;
  tuning.second_thoughts = absl::Minutes(1);
  double audio = 0;
  double cpu = 0;
  int verdicts = 0;
  while (cpu < 1) {
    const double start = CpuSeconds();
    for (const Scene& scene : scenes) {
      listen::AnswerListener listener(tuning);
      const auto samples = absl::MakeConstSpan(scene.samples);
      for (size_t i = 0; i + listen::kFrameSamples <= samples.size(); i += listen::kFrameSamples) {
        audio += 0.02;
        const auto heard = listener.Feed(samples.subspan(i, listen::kFrameSamples));
        verdicts += heard.has_value() ? 1 : 0;
        if (heard && heard->last) break;
      }
    }
    cpu += CpuSeconds() - start;
  }
  return verdicts > 0 ? cpu * 1e6 / audio : 0;
}

// When the beep's end was told, in ms; -1: never.
int BeepAt(absl::Span<const int16_t> samples) {
  listen::BeepDetector detector;
  for (size_t i = 0; i + listen::kFrameSamples <= samples.size(); i += listen::kFrameSamples) {
    if (detector.Feed(samples.subspan(i, listen::kFrameSamples)))
      return static_cast<int>(i) / 8 + 20;
  }
  return -1;
}

// Beeps of the scenes told after they began and before another second has passed, and all else that
// was taken for one.
void PrintBeeps(const std::vector<Scene>& scenes) {
  int beeps = 0;
  int hits = 0;
  int false_alarms = 0;
  for (const Scene& scene : scenes) {
    const int at = BeepAt(scene.samples);
    const bool has_beep = scene.beep_start_ms >= 0;
    const bool hit = has_beep && at > scene.beep_start_ms && at < scene.beep_start_ms + 1500;
    beeps += has_beep ? 1 : 0;
    hits += hit ? 1 : 0;
    false_alarms += at >= 0 && !hit ? 1 : 0;
  }
  absl::PrintF("beeps: %d of %d heard, %d false alarms\n", hits, beeps, false_alarms);
}

// The same of the clips, each after two seconds of the first voicemail prompt: a beep is one only
// after a voice.
void PrintBeepsOfClips(const std::vector<Clip>& clips) {
  const auto voice = std::find_if(clips.begin(), clips.end(), [](const Clip& clip) {
    return clip.clip_class == "voicemail" && clip.samples.size() > 16000;
  });
  if (voice == clips.end()) return;
  std::map<std::string, std::pair<int, int>> heard;
  for (const Clip& clip : clips) {
    std::vector<float> sound(voice->samples.begin(), voice->samples.begin() + 16000);
    sound.insert(sound.end(), clip.samples.begin(), clip.samples.end());
    sound.resize(sound.size() + 12000);
    std::vector<int16_t> samples;
    for (const float x : sound) samples.push_back(static_cast<int16_t>(std::lrint(x * 32767)));
    auto& [hits, count] = heard[clip.clip_class];
    hits += BeepAt(samples) >= 0 ? 1 : 0;
    ++count;
  }
  absl::PrintF("beeps heard in clips:");
  for (const auto& [name, counts] : heard) {
    absl::PrintF("  %s %d/%d", name, counts.first, counts.second);
  }
  absl::PrintF("\n");
}

void WriteCsv(const std::string& path, const std::vector<Scene>& scenes,
              const std::vector<Contestant>& all) {
  std::ofstream out(path);
  out << "file,label,subtype,lang,speech_start_ms,detector,first,first_ms,last,last_ms,"
         "confidence\n";
  for (size_t i = 0; i < scenes.size(); ++i) {
    for (const Contestant& one : all) {
      const Scene& scene = scenes[i];
      const Decision& decision = one.decisions[i];
      out << scene.name << ',' << (scene.machine ? "machine" : "human") << ',' << scene.subtype
          << ',' << scene.lang << ',' << scene.speech_start_ms << ','
          << absl::StrReplaceAll(one.name, {{", ", "_"}, {" ", "_"}}) << ','
          << listen::SoundName(decision.first) << ',' << decision.first_ms << ','
          << listen::SoundName(decision.last) << ',' << decision.last_ms << ','
          << absl::StrFormat("%.3f", decision.confidence) << '\n';
    }
  }
}

// When the verdict fell that stood, as bars of 0.25 s since the answer: one row a contestant,
// people above the line, machines below.
void WritePlot(const std::string& path, const std::vector<Scene>& scenes,
               const std::vector<Contestant>& all) {
  constexpr int kBin = 250;
  constexpr int kBins = 24;
  constexpr int kRow = 170;
  constexpr int kLeft = 60;
  constexpr int kBar = 26;
  const int height = kRow * static_cast<int>(all.size()) + 60;
  const int width = kLeft + kBar * kBins + 40;
  std::ofstream out(path);
  out << absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" "
      "fill=\"white\"/>\n",
      width, height);
  for (size_t row = 0; row < all.size(); ++row) {
    std::array<std::array<int, kBins>, 2> counts{};
    int most = 1;
    for (size_t i = 0; i < scenes.size(); ++i) {
      const int bin = std::min(all[row].decisions[i].last_ms / kBin, kBins - 1);
      most = std::max(most, ++counts[scenes[i].machine ? 1 : 0][static_cast<size_t>(bin)]);
    }
    const int line = static_cast<int>(row) * kRow + 110;
    out << absl::StrFormat(
        "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">%s: %.1f %% right, median %.2f s</text>\n",
        kLeft, line - 75, all[row].name, 100 * all[row].score.accuracy(),
        all[row].score.Quantile(Score::Moment::kLast, 0.5) / 1000);
    for (int bin = 0; bin < kBins; ++bin) {
      for (size_t machine = 0; machine < 2; ++machine) {
        const int size = 60 * counts[machine][static_cast<size_t>(bin)] / most;
        out << absl::StrFormat("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>\n",
                               kLeft + kBar * bin, machine == 1 ? line : line - size, kBar - 3,
                               size, machine == 1 ? "#c0504d" : "#4f81bd");
      }
      if (bin % 4 == 0) {
        out << absl::StrFormat("<text x=\"%d\" y=\"%d\" fill=\"#555\">%d s</text>\n",
                               kLeft + kBar * bin, line + 75, bin * kBin / 1000);
      }
    }
    out << absl::StrFormat("<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"black\"/>\n",
                           kLeft, width - 40, line, line);
    out << absl::StrFormat(
        "<text x=\"8\" y=\"%d\" fill=\"#4f81bd\">people</text><text x=\"8\" y=\"%d\" "
        "fill=\"#c0504d\">machines</text>\n",
        line - 10, line + 20);
  }
  out << absl::StrFormat(
      "<text x=\"%d\" y=\"%d\">Since the answer, when the verdict fell that stood (calls; the last "
      "bar: later)</text>\n</svg>\n",
      kLeft, height - 20);
}

int Run(const Options& options) {
  const auto scenes = LoadScenes(options.audio);
  if (!scenes.ok() || scenes->empty()) {
    absl::FPrintF(stderr, "%s\n", scenes.ok() ? "no scenes" : scenes.status().ToString());
    return 1;
  }
  const std::vector<Contestant> all = RunAll(*scenes);
  Print("scenes.csv", all);
  PrintConfidence(*scenes, all[0]);
  PrintBeeps(*scenes);
  absl::PrintF("CPU: %.1f us a second of audio\n", CpuPerAudioSecond(*scenes));
  if (!options.csv.empty()) WriteCsv(options.csv, *scenes, all);
  if (!options.plot.empty()) WritePlot(options.plot, *scenes, all);
  const auto clips = LoadClips(options.audio);
  if (clips.ok()) PrintBeepsOfClips(*clips);
  if (options.generated == 0) return 0;
  if (!clips.ok()) {
    absl::FPrintF(stderr, "%s\n", clips.status().ToString());
    return 1;
  }
  std::vector<std::string> groups;
  for (const Clip& clip : *clips) groups.push_back(clip.group);
  SceneMaker maker(*clips, groups, options.seed + 7777);
  for (const bool wide : {false, true}) {
    std::vector<Scene> made;
    for (int i = 0; i < options.generated; ++i) made.push_back(wide ? maker.Wide() : maker.Plain());
    const std::vector<Contestant> of_made = RunAll(made);
    Print(wide ? "generated, wider" : "generated by the recipe", of_made);
    PrintConfidence(made, of_made[0]);
  }
  return 0;
}

}  // namespace
}  // namespace outpace::bench

int main(int argc, char** argv) {
  outpace::bench::Options options;
  bool ok = argc % 2 == 1;
  for (int i = 1; ok && i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--audio") {
      options.audio = value;
    } else if (name == "--plot") {
      options.plot = value;
    } else if (name == "--csv") {
      options.csv = value;
    } else if (name == "--seed") {
      ok = absl::SimpleAtoi(value, &options.seed);
    } else if (name == "--generated") {
      ok = absl::SimpleAtoi(value, &options.generated);
    } else {
      ok = false;
    }
  }
  if (!ok || options.audio.empty()) {
    absl::FPrintF(stderr,
                  "amd_quality --audio DIR [--seed N] [--generated N] [--plot FILE.svg] "
                  "[--csv FILE.csv]\n");
    return 2;
  }
  return outpace::bench::Run(options);
}
