// amd_train: makes the weights of the answering-machine detector from recorded clips, and says how
// well models do on speakers and languages they were not trained on.
//
//   amd_train --audio DIR [--out engine/listen/answer_model_weights.inc] [--seed 1] [--scenes 6000]
//
// DIR holds clips.csv, scenes.csv and the files they name (docs/decisions/amd.md). The same
// directory, seed and compiler give the same weights. Without --out it only cross-validates.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/media/amd_net.h"
#include "bench/media/amd_run.h"
#include "bench/media/amd_scenes.h"

namespace outpace::bench {
namespace {

using listen::AnswerInputs;
using listen::AnswerModel;

struct Options {
  std::string audio;
  std::string out;
  uint64_t seed = 1;
  int scenes = 6000;
};

// Whole speakers and languages on either side; each fold holds out people and machines.
constexpr int kFolds = 4;
const std::map<std::string, int>& Folds() {
  static const auto* const kFoldOf = new std::map<std::string, int>{
      {"asterisk_en", 0},   {"fsdd_george", 0},   {"klettres_de", 0},  {"klettres_nl", 0},
      {"ktuberling_de", 0}, {"ktuberling_en", 0}, {"asterisk_fr", 1},  {"fsdd_jackson", 1},
      {"klettres_he", 1},   {"klettres_es", 1},   {"klettres_fr", 1},  {"zh", 2},
      {"ktuberling_el", 2}, {"ktuberling_ca", 2}, {"fsdd_nicolas", 2}, {"tropo", 3},
      {"fsdd_lucas", 3},    {"ktuberling_sl", 3}, {"klettres_nds", 3}, {"klettres_da", 3}};
  return *kFoldOf;
}
// A group this program has not been told of goes by the sum of its letters.
int FoldOf(const std::string& group) {
  const auto found = Folds().find(group);
  if (found != Folds().end()) return found->second;
  int sum = 0;
  for (const char c : group) sum += static_cast<unsigned char>(c);
  return sum % kFolds;
}

// The inputs of a scene every 80 ms since speech began. The early ones weigh more, since that is
// when a verdict is wanted; each scene weighs the same.
void AddRows(const Scene& scene, std::vector<AmdRow>& rows) {
  constexpr int kStep = 4;
  constexpr size_t kRowsMax = 80;
  listen::AnswerFeatures features;
  const auto samples = absl::MakeConstSpan(scene.samples);
  const size_t start = rows.size();
  float total = 0;
  for (size_t i = 0; i + listen::kFrameSamples <= samples.size(); i += listen::kFrameSamples) {
    features.Add(samples.subspan(i, listen::kFrameSamples));
    if (!features.spoken() || features.frames() % kStep != 0) continue;
    if (rows.size() - start >= kRowsMax) break;
    AmdRow& row = rows.emplace_back();
    features.Fill(row.inputs);
    row.truth = scene.machine ? 1.0f : 0.0f;
    row.weight = 1 / (1 + 0.08f * static_cast<float>(rows.size() - 1 - start));
    total += row.weight;
  }
  for (size_t i = start; i < rows.size(); ++i) rows[i].weight *= 30 / total;
}

AnswerModel Train(const std::vector<Clip>& clips, const std::vector<std::string>& groups,
                  const Options& options) {
  SceneMaker maker(clips, groups, options.seed);
  Rng rng(options.seed + 1000);
  std::vector<AmdRow> rows;
  for (int i = 0; i < options.scenes; ++i) {
    AddRows(rng.Chance(0.5) ? maker.Wide() : maker.Plain(), rows);
  }
  return TrainAmd(rows, {.seed = options.seed});
}

// Scales the logits of models so that they fit scenes held out from them (Platt): two numbers, by
// Newton's method on the log loss.
struct Calibration {
  double slope = 1;
  double offset = 0;
};
Calibration Fit(const std::vector<std::pair<float, AmdRow>>& judged) {
  Calibration fit;
  for (int step = 0; step < 30; ++step) {
    double ga = 1e-6, gb = 0, haa = 1e-6, hab = 0, hbb = 1e-6;
    for (const auto& [logit, row] : judged) {
      const double p = 1 / (1 + std::exp(-(fit.slope * logit + fit.offset)));
      const double error = (p - row.truth) * row.weight;
      const double bend = p * (1 - p) * row.weight;
      ga += error * logit;
      gb += error;
      haa += bend * logit * logit;
      hab += bend * logit;
      hbb += bend;
    }
    const double determinant = haa * hbb - hab * hab;
    fit.slope -= (ga * hbb - gb * hab) / determinant;
    fit.offset -= (gb * haa - ga * hab) / determinant;
  }
  return fit;
}

void Report(const char* what, const std::vector<Scene>& scenes,
            const std::vector<const AnswerModel*>& models) {
  for (const bool blocking : {false, true}) {
    listen::AnswerTuning tuning;
    if (blocking) tuning.second_thoughts = absl::ZeroDuration();
    Score score;
    for (size_t i = 0; i < scenes.size(); ++i) {
      score.Add(scenes[i], RunJudge(scenes[i], tuning, listen::AnswerPolicy(), *models[i]));
    }
    absl::PrintF("%-32s %-12s %s\n", what, blocking ? "blocking" : "non-blocking",
                 ScoreLine(score));
  }
}
void Report(const char* what, const std::vector<Scene>& scenes, const AnswerModel& model) {
  Report(what, scenes, std::vector<const AnswerModel*>(scenes.size(), &model));
}

void WriteArray(std::ofstream& out, const char* name, const float* values, size_t count) {
  out << "// " << name << "\n{";
  for (size_t i = 0; i < count; ++i) {
    out << (i % 8 == 0 ? "\n" : " ") << absl::StrFormat("%.6ef,", values[i]);
  }
  out << "\n},\n";
}

bool Write(const std::string& path, const AnswerModel& model, const Options& options) {
  std::ofstream out(path);
  out << "// Made by bench/media/amd_train --seed " << options.seed << " --scenes "
      << options.scenes << "; docs/decisions/amd.md. Not edited by hand.\n";
  WriteArray(out, "mean", model.mean.data(), model.mean.size());
  WriteArray(out, "inverse_deviation", model.inverse_deviation.data(),
             model.inverse_deviation.size());
  WriteArray(out, "first", model.first[0].data(), listen::kAnswerInputs * AnswerModel::kFirst);
  WriteArray(out, "first_bias", model.first_bias.data(), AnswerModel::kFirst);
  WriteArray(out, "second", model.second[0].data(), AnswerModel::kFirst * AnswerModel::kSecond);
  WriteArray(out, "second_bias", model.second_bias.data(), AnswerModel::kSecond);
  WriteArray(out, "third", model.third.data(), AnswerModel::kSecond);
  out << absl::StrFormat(
      "%.6ef,  // third_bias\n%.6ef,  // calibration_slope\n%.6ef,  // "
      "calibration_offset\n",
      model.third_bias, model.calibration_slope, model.calibration_offset);
  return out.flush().good();
}

int Run(const Options& options) {
  const auto clips = LoadClips(options.audio);
  const auto shared = LoadScenes(options.audio);
  if (!clips.ok() || !shared.ok()) {
    absl::FPrintF(stderr, "%s\n", (clips.ok() ? shared.status() : clips.status()).ToString());
    return 1;
  }
  std::set<std::string> all;
  for (const Clip& clip : *clips) all.insert(clip.group);

  std::vector<AnswerModel> models;
  std::vector<std::vector<Scene>> plain(kFolds);
  std::vector<std::vector<Scene>> wide(kFolds);
  std::vector<std::vector<Scene>> seen(kFolds);
  std::vector<std::pair<float, AmdRow>> judged;
  for (int fold = 0; fold < kFolds; ++fold) {
    std::vector<std::string> in;
    std::vector<std::string> out;
    for (const std::string& group : all) (FoldOf(group) == fold ? out : in).push_back(group);
    models.push_back(Train(*clips, in, options));
    SceneMaker strangers(*clips, out, options.seed + 99);
    SceneMaker acquainted(*clips, in, options.seed + 98);
    for (int i = 0; i < 400; ++i) {
      plain[fold].push_back(strangers.Plain());
      wide[fold].push_back(strangers.Wide());
      seen[fold].push_back(acquainted.Plain());
    }
    std::vector<AmdRow> rows;
    for (const Scene& scene : plain[fold]) AddRows(scene, rows);
    for (const Scene& scene : wide[fold]) AddRows(scene, rows);
    for (const AmdRow& row : rows) judged.emplace_back(models.back().Logit(row.inputs), row);
  }
  const Calibration calibration = Fit(judged);
  absl::PrintF("calibration on held-out speakers: slope %.3f offset %.3f\n", calibration.slope,
               calibration.offset);
  const auto calibrate = [&](AnswerModel& model) {
    model.calibration_slope = static_cast<float>(calibration.slope);
    model.calibration_offset = static_cast<float>(calibration.offset);
  };
  std::vector<Scene> all_plain, all_wide, all_seen;
  std::vector<const AnswerModel*> plain_models, shared_models;
  for (int fold = 0; fold < kFolds; ++fold) {
    calibrate(models[fold]);
    Report(absl::StrCat("fold ", fold, " strangers, recipe").c_str(), plain[fold], models[fold]);
    all_plain.insert(all_plain.end(), plain[fold].begin(), plain[fold].end());
    all_wide.insert(all_wide.end(), wide[fold].begin(), wide[fold].end());
    all_seen.insert(all_seen.end(), seen[fold].begin(), seen[fold].end());
    plain_models.insert(plain_models.end(), plain[fold].size(), &models[fold]);
  }
  for (const Scene& scene : *shared) shared_models.push_back(&models[FoldOf(scene.group)]);
  Report("all folds: acquainted, recipe", all_seen, plain_models);
  Report("all folds: strangers, recipe", all_plain, plain_models);
  Report("all folds: strangers, wide", all_wide, plain_models);
  Report("scenes.csv, speakers held out", *shared, shared_models);
  if (options.out.empty()) return 0;

  AnswerModel model = Train(*clips, std::vector<std::string>(all.begin(), all.end()), options);
  calibrate(model);
  Report("scenes.csv, in sample", *shared, model);
  if (!Write(options.out, model, options)) {
    absl::FPrintF(stderr, "%s: cannot be written\n", options.out);
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace outpace::bench

int main(int argc, char** argv) {
  outpace::bench::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--audio") {
      options.audio = value;
    } else if (name == "--out") {
      options.out = value;
    } else if (!(name == "--seed" && absl::SimpleAtoi(value, &options.seed)) &&
               !(name == "--scenes" && absl::SimpleAtoi(value, &options.scenes))) {
      options.audio.clear();
      break;
    }
  }
  if (options.audio.empty()) {
    absl::FPrintF(stderr, "amd_train --audio DIR [--out FILE] [--seed N] [--scenes N]\n");
    return 2;
  }
  return outpace::bench::Run(options);
}
