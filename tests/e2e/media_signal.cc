#include "tests/e2e/media_signal.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/base/check.h"
#include "engine/codec/g711.h"
#include "tests/e2e/process.h"

namespace outpace::e2e {
namespace {

struct Tones {
  absl::string_view name;
  double low_hz, high_hz;
};
// Multiples of 10 Hz, 90 Hz and more from each other, and away from the tones that a telephone
// network means something by.
constexpr std::array<Tones, kSourceCount> kTones = {{
    {"lead", 310, 1250},
    {"next lead", 400, 1450},
    {"agent", 490, 1650},
    {"supervisor", 580, 1870},
    {"third party", 670, 2050},
    {"music", 760, 2250},
    {"message", 850, 2450},
    {"whisper", 940, 2650},
    {"safe-harbor message", 1030, 2850},
}};
constexpr double kAmplitude = 0.126 * 32768;  // -18 dBFS
constexpr size_t kStep = 800;                 // 100 ms
constexpr double kNothing = -120;

const Tones& TonesOf(Source source) { return kTones[static_cast<size_t>(source)]; }

double ToneAt(const Tones& tones, size_t sample) {
  const double t = 2 * M_PI * static_cast<double>(sample) / kSamplesPerSecond;
  return kAmplitude * (std::sin(tones.low_hz * t) + std::sin(tones.high_hz * t));
}

double ToDb(double ratio) { return ratio <= 1e-6 ? kNothing : 20 * std::log10(ratio); }

// Amplitude of one tone in dBFS, through a Hann window (Goertzel's recurrence).
double ToneLevel(absl::Span<const int16_t> samples, double hertz) {
  const double step = 2 * M_PI * hertz / kSamplesPerSecond;
  const double factor = 2 * std::cos(step);
  const double n = static_cast<double>(samples.size());
  double last = 0, before = 0, weights = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const double window = 0.5 - 0.5 * std::cos(2 * M_PI * static_cast<double>(i) / n);
    weights += window;
    const double now = window * samples[i] + factor * last - before;
    before = last;
    last = now;
  }
  if (weights == 0) return kNothing;
  const double power = last * last + before * before - factor * last * before;
  return ToDb(2 * std::sqrt(std::max(power, 0.0)) / weights / 32768);
}

uint32_t Little(absl::string_view bytes, size_t at, size_t size) {
  uint32_t value = 0;
  for (size_t i = size; i > 0; --i) {
    value = value << 8 | static_cast<uint8_t>(bytes[at + i - 1]);
  }
  return value;
}

void PutLittle(std::string& out, uint32_t value, size_t size) {
  for (size_t i = 0; i < size; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

absl::Status NotStereo(const std::string& path, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", why));
}

}  // namespace

size_t SamplesIn(absl::Duration length) {
  return static_cast<size_t>(absl::ToInt64Milliseconds(length) * kSamplesPerSecond / 1000);
}
absl::Duration LengthOf(size_t samples) {
  return absl::Seconds(static_cast<double>(samples) / kSamplesPerSecond);
}

absl::string_view SourceName(Source source) { return TonesOf(source).name; }

std::vector<int16_t> ToneOf(Source source, absl::Duration length) {
  constexpr double kFade = 40;
  std::vector<int16_t> samples(SamplesIn(length));
  for (size_t i = 0; i < samples.size(); ++i) {
    const double from_end = static_cast<double>(std::min(i, samples.size() - 1 - i));
    samples[i] = static_cast<int16_t>(
        std::lround(std::min(1.0, from_end / kFade) * ToneAt(TonesOf(source), i)));
  }
  return samples;
}

std::vector<int16_t> ToneLoop(Source source) {
  std::vector<int16_t> samples(kStep);
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i] = static_cast<int16_t>(std::lround(ToneAt(TonesOf(source), i)));
  }
  return samples;
}

double LevelOf(Source source, absl::Span<const int16_t> samples) {
  const Tones& tones = TonesOf(source);
  return std::min(ToneLevel(samples, tones.low_hz), ToneLevel(samples, tones.high_hz));
}

std::string Mismatch(absl::Span<const int16_t> samples, const std::vector<Source>& present) {
  std::string wrong;
  for (int i = 0; i < kSourceCount; ++i) {
    const auto source = static_cast<Source>(i);
    const double level = LevelOf(source, samples);
    const bool expected = std::find(present.begin(), present.end(), source) != present.end();
    if (expected ? level > kPresent : level < kAbsent) continue;
    absl::StrAppendFormat(&wrong, "%s%s is at %.0f dBFS", wrong.empty() ? "" : ", ",
                          SourceName(source), level);
  }
  return wrong;
}

std::string MismatchAnywhere(absl::Span<const int16_t> samples, const std::vector<Source>& present,
                             size_t skip) {
  if (samples.size() < 2 * skip + kStep) return "too short to be looked at";
  for (size_t at = skip; at + kStep + skip <= samples.size(); at += kStep / 2) {
    const std::string wrong = Mismatch(samples.subspan(at, kStep), present);
    if (!wrong.empty()) {
      return absl::StrCat("at ", absl::FormatDuration(LengthOf(at)), " of ",
                          absl::FormatDuration(LengthOf(samples.size())), ": ", wrong);
    }
  }
  return "";
}

double LoudestOf(Source source, absl::Span<const int16_t> samples) {
  double loudest = kNothing;
  for (size_t at = 0; at + kStep <= samples.size(); at += kStep / 4) {
    loudest = std::max(loudest, LevelOf(source, samples.subspan(at, kStep)));
  }
  return loudest;
}

double PowerOf(absl::Span<const int16_t> samples) {
  double sum = 0;
  for (const int16_t sample : samples) sum += static_cast<double>(sample) * sample;
  if (samples.empty()) return kNothing;
  return ToDb(std::sqrt(sum / static_cast<double>(samples.size())) / 32768);
}

Match FindClip(absl::Span<const int16_t> audio, absl::Span<const int16_t> clip) {
  Match best;
  double clip_power = 0;
  for (const int16_t sample : clip) clip_power += static_cast<double>(sample) * sample;
  for (size_t at = 0; at + clip.size() <= audio.size(); ++at) {
    double product = 0, power = 0;
    for (size_t i = 0; i < clip.size(); ++i) {
      const double heard = audio[at + i];
      product += heard * clip[i];
      power += heard * heard;
    }
    if (power <= 0 || clip_power <= 0) continue;
    const double likeness = product / std::sqrt(power * clip_power);
    if (likeness > best.likeness) best = {at, likeness};
  }
  return best;
}

std::vector<int16_t> Silence(absl::Duration length) {
  return std::vector<int16_t>(SamplesIn(length), 0);
}

std::vector<int16_t> Join(const std::vector<std::vector<int16_t>>& parts) {
  std::vector<int16_t> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

void WriteWav(const std::string& path, absl::Span<const int16_t> samples) {
  std::string bytes = "RIFF";
  const auto size = static_cast<uint32_t>(samples.size() * 2);
  PutLittle(bytes, size + 36, 4);
  bytes += "WAVEfmt ";
  PutLittle(bytes, 16, 4);
  PutLittle(bytes, 1, 2);  // PCM
  PutLittle(bytes, 1, 2);  // mono
  PutLittle(bytes, kSamplesPerSecond, 4);
  PutLittle(bytes, kSamplesPerSecond * 2, 4);
  PutLittle(bytes, 2, 2);
  PutLittle(bytes, 16, 2);
  bytes += "data";
  PutLittle(bytes, size, 4);
  for (const int16_t sample : samples) PutLittle(bytes, static_cast<uint16_t>(sample), 2);
  WriteFileOrDie(path, bytes);
}

absl::StatusOr<Stereo> ReadStereoWav(const std::string& path) {
  const std::string bytes = ReadFileOr(path);
  const absl::string_view all = bytes;
  if (all.size() < 12 || all.substr(0, 4) != "RIFF" || all.substr(8, 4) != "WAVE") {
    return NotStereo(path, absl::StrCat("no RIFF/WAVE file, ", all.size(), " bytes"));
  }
  if (Little(all, 4, 4) + 8 != all.size()) {
    return NotStereo(path, "the size in its head is not the file's");
  }
  uint32_t format = 0, bits = 0;
  for (size_t at = 12; at + 8 <= all.size();) {
    const absl::string_view name = all.substr(at, 4);
    const size_t size = Little(all, at + 4, 4);
    at += 8;
    if (at + size > all.size()) return NotStereo(path, "a chunk goes beyond the file");
    if (name == "fmt ") {
      format = Little(all, at, 2);
      bits = Little(all, at + 14, 2);
      if (Little(all, at + 2, 2) != 2 || Little(all, at + 4, 4) != kSamplesPerSecond) {
        return NotStereo(path, "not two channels at 8 kHz");
      }
    } else if (name == "data") {
      const bool mu = format == 7 && bits == 8;
      if (!mu && !(format == 1 && bits == 16)) return NotStereo(path, "neither PCM nor mu-law");
      const size_t width = mu ? 1 : 2;
      Stereo audio;
      for (size_t i = at; i + 2 * width <= at + size; i += 2 * width) {
        const auto sample = [&](size_t from) {
          const uint32_t raw = Little(all, from, width);
          return mu ? codec::MuToLinear(static_cast<uint8_t>(raw)) : static_cast<int16_t>(raw);
        };
        audio.left.push_back(sample(i));
        audio.right.push_back(sample(i + width));
      }
      return audio;
    }
    at += size + size % 2;
  }
  return NotStereo(path, "no audio in it");
}

}  // namespace outpace::e2e
