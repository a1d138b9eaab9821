#include "engine/media/prompt.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/codec/wav.h"

namespace outpace::media {
namespace {

constexpr double kRate = 8000;

void AppendTone(double hertz, size_t length, std::vector<int16_t>& out) {
  constexpr double kLevel = 8000;  // about -12 dB of full scale: plain, not loud
  constexpr size_t kRamp = 80;     // 10 ms in and out, so that it does not click
  for (size_t i = 0; i < length; ++i) {
    const double edge = static_cast<double>(std::min({i, length - 1 - i, kRamp})) / kRamp;
    const double phase = 2 * M_PI * hertz * static_cast<double>(i) / kRate;
    out.push_back(static_cast<int16_t>(std::lround(kLevel * edge * std::sin(phase))));
  }
}

}  // namespace

PromptAudio::PromptAudio(const std::vector<int16_t>& samples) : linear_(samples) {
  const size_t count = (samples.size() + kFrameSamples - 1) / kFrameSamples * kFrameSamples;
  linear_.resize(count, 0);
  mu_.assign(count, codec::kMuSilence);
  a_.assign(count, codec::kASilence);
  std::transform(samples.begin(), samples.end(), mu_.begin(), codec::LinearToMu);
  std::transform(samples.begin(), samples.end(), a_.begin(), codec::LinearToA);
}

std::vector<int16_t> BuiltInSafeHarborTones() {
  std::vector<int16_t> samples;
  for (const double hertz : {440.0, 554.4, 659.3}) {
    AppendTone(hertz, 2400, samples);         // 300 ms
    samples.resize(samples.size() + 400, 0);  // 50 ms
  }
  samples.resize(samples.size() + 2000, 0);  // 250 ms
  return samples;
}

std::vector<int16_t> BuiltInHoldMusic() {
  // Steps of a pentatonic scale on G: no two of them quarrel.
  constexpr double kNotes[] = {392, 493.9, 587.3, 493.9, 659.3, 587.3, 493.9, 440,
                               392, 440,   493.9, 587.3, 440,   392,   329.6, 293.7};
  constexpr size_t kNote = 4000;  // half a second
  constexpr double kLevel = 3000;
  std::vector<int16_t> samples;
  for (const double hertz : kNotes) {
    for (size_t i = 0; i < kNote; ++i) {
      const double t = static_cast<double>(i) / kRate;
      const double edge = std::min(1.0, static_cast<double>(std::min(i, kNote - 1 - i)) / 80);
      const double tone = std::sin(2 * M_PI * hertz * t) + 0.3 * std::sin(4 * M_PI * hertz * t);
      samples.push_back(static_cast<int16_t>(std::lround(kLevel * edge * std::exp(-4 * t) * tone)));
    }
  }
  return samples;
}

std::vector<int16_t> DigitTones(absl::string_view digits) {
  constexpr absl::string_view kKeys = "123A456B789C*0#D";
  constexpr double kRows[] = {697, 770, 852, 941};
  constexpr double kColumns[] = {1209, 1336, 1477, 1633};
  constexpr size_t kTone = 800, kPause = 480, kRamp = 16;
  constexpr double kLevel = 6000;  // each of the two, about -15 dB of full scale
  std::vector<int16_t> samples;
  for (const char digit : digits) {
    const size_t key = kKeys.find(digit);
    if (key == absl::string_view::npos) continue;
    for (size_t i = 0; i < kTone; ++i) {
      const double t = 2 * M_PI * static_cast<double>(i) / kRate;
      const double edge = static_cast<double>(std::min({i, kTone - 1 - i, kRamp})) / kRamp;
      const double both = std::sin(kRows[key / 4] * t) + std::sin(kColumns[key % 4] * t);
      samples.push_back(static_cast<int16_t>(std::lround(kLevel * edge * both)));
    }
    samples.resize(samples.size() + kPause, 0);
  }
  return samples;
}

namespace {

absl::StatusOr<PromptAudio> LoadOr(const std::string& wav, std::vector<int16_t> (*built_in)()) {
  if (wav.empty()) return PromptAudio(built_in());
  absl::StatusOr<std::vector<int16_t>> samples = codec::LoadWav(wav);
  if (!samples.ok()) return samples.status();
  return PromptAudio(*samples);
}

// The *.wav files of `directory`, by name.
absl::StatusOr<std::vector<std::string>> WavNames(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() == ".wav") names.push_back(at->path().stem().string());
  }
  if (error) {
    return absl::NotFoundError(absl::StrCat("media: prompts directory ", directory, ": ",
                                            error.message(), "; set media.prompts_directory"));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

absl::StatusOr<PromptSet> PromptSet::Load(const PromptFiles& files) {
  constexpr auto kFirst = static_cast<size_t>(call::Prompt::kFirstLoaded);
  PromptSet set;
  set.prompts_.resize(kFirst);
  const auto at = [&](call::Prompt prompt) -> PromptAudio& {
    return set.prompts_[static_cast<size_t>(prompt)];
  };
  at(call::Prompt::kSilence) = PromptAudio(std::vector<int16_t>(2 * 8000, 0));
  std::vector<int16_t> beep;
  AppendTone(1000, 1600, beep);  // 200 ms
  at(call::Prompt::kBeep) = PromptAudio(beep);
  absl::StatusOr<PromptAudio> safe = LoadOr(files.safe_harbor_wav, &BuiltInSafeHarborTones);
  if (!safe.ok()) return safe.status();
  at(call::Prompt::kSafeHarbor) = *std::move(safe);
  absl::StatusOr<PromptAudio> music = LoadOr(files.hold_music_wav, &BuiltInHoldMusic);
  if (!music.ok()) return music.status();
  at(call::Prompt::kHoldMusic) = *std::move(music);
  if (files.directory.empty()) return set;
  absl::StatusOr<std::vector<std::string>> names = WavNames(files.directory);
  if (!names.ok()) return names.status();
  if (names->size() > 0xffff - kFirst) {
    return absl::InvalidArgumentError(
        absl::StrCat("media: ", names->size(), " prompts in ", files.directory, " are too many"));
  }
  for (const std::string& name : *names) {
    absl::StatusOr<std::vector<int16_t>> samples =
        codec::LoadWav(absl::StrCat(files.directory, "/", name, ".wav"));
    if (!samples.ok()) return samples.status();
    set.prompts_.emplace_back(*samples);
  }
  set.names_ = *std::move(names);
  return set;
}

const PromptAudio& PromptSet::Get(call::Prompt prompt) const {
  const auto number = static_cast<size_t>(prompt);
  return prompts_[number < prompts_.size() ? number : static_cast<size_t>(call::Prompt::kSilence)];
}

}  // namespace outpace::media
