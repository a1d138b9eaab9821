#include "tools/farend/audio.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <numbers>

#include "absl/strings/str_cat.h"

namespace outpace::farend {
namespace {

using Samples = std::vector<int16_t>;
constexpr double kRate = 8000;
constexpr size_t kWavBytesMax = 64u << 20;

void Silence(Samples& out, double seconds) {
  out.resize(out.size() + static_cast<size_t>(seconds * kRate), 0);
}

// A sum of sines of equal level; `level` is the peak of each, of 32767.
void Tone(Samples& out, double seconds, std::initializer_list<double> frequencies, double level) {
  const auto n = static_cast<size_t>(seconds * kRate);
  for (size_t i = 0; i < n; ++i) {
    double value = 0;
    for (const double f : frequencies) {
      value += std::sin(2 * std::numbers::pi * f * static_cast<double>(i) / kRate);
    }
    out.push_back(static_cast<int16_t>(value * level));
  }
}

// Voiced sound: harmonics of a wandering pitch under three formants, swelling with each syllable.
void Voice(Samples& out, double seconds, double pitch, double syllables_per_second) {
  const auto n = static_cast<size_t>(seconds * kRate);
  double phase = 0;
  for (size_t i = 0; i < n; ++i) {
    const double t = static_cast<double>(i) / kRate;
    const double f0 = pitch * (1 + 0.06 * std::sin(2 * std::numbers::pi * 2.3 * t));
    phase += 2 * std::numbers::pi * f0 / kRate;
    double value = 0;
    for (int h = 1; h * f0 < 3400; ++h) {
      const double f = h * f0;
      double gain = 0.02;
      for (const double formant : {550.0, 1450.0, 2500.0}) {
        const double x = (f - formant) / 220;
        gain += 0.5 * std::exp(-x * x) * 550 / formant;
      }
      value += gain * std::sin(h * phase);
    }
    const double swell = std::sin(std::numbers::pi * syllables_per_second * t);
    const double edge = std::min({1.0, t / 0.02, (seconds - t) / 0.03});
    value *= (0.25 + 0.75 * swell * swell) * edge * 7000;
    out.push_back(static_cast<int16_t>(std::clamp(value, -32000.0, 32000.0)));
  }
}

std::shared_ptr<const Clip> Human() {
  Samples s;
  Silence(s, 0.12);
  Voice(s, 0.48, 165, 4.2);  // "hello?"
  Silence(s, 2.5);
  const size_t loop = s.size() / kFrameSamples;
  Voice(s, 1.6, 160, 4.5);
  Silence(s, 2.2);
  Voice(s, 0.7, 170, 4.5);
  Silence(s, 3.0);
  return MakeClip(s, loop);
}

std::shared_ptr<const Clip> Machine() {
  Samples s;
  Silence(s, 0.3);
  Voice(s, 2.3, 118, 4.8);
  Silence(s, 0.15);
  Voice(s, 2.4, 121, 4.8);
  Silence(s, 0.4);
  Tone(s, 0.5, {1000}, 9000);
  Silence(s, 0.2);
  return MakeClip(s, SIZE_MAX);
}

std::shared_ptr<const Clip> Music() {
  Samples s;
  for (const double note : {392.0, 440.0, 494.0, 587.0, 494.0, 440.0, 392.0, 330.0}) {
    Tone(s, 0.4, {note, note * 1.5, note * 2}, 3000);
  }
  return MakeClip(s, 0);
}

uint32_t Little(const std::string& bytes, size_t at, size_t n) {
  uint32_t value = 0;
  for (size_t i = 0; i < n; ++i) {
    value |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + i])) << (8 * i);
  }
  return value;
}

absl::StatusOr<std::shared_ptr<const Clip>> LoadWav(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(absl::StrCat(
        path,
        ": cannot open; want a WAV file, or one of human, machine, ringback, ringback_cn, "
        "busy, sit, music, silence, none"));
  }
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto bad = [&path](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", why, "; convert it with: sox in.wav -r 8000 -c 1 -b 16 out.wav"));
  };
  if (bytes.size() < 12 || bytes.size() > kWavBytesMax || bytes.compare(0, 4, "RIFF") != 0 ||
      bytes.compare(8, 4, "WAVE") != 0) {
    return bad("not a WAV file of at most 64 MiB");
  }
  uint32_t format = 0;
  Samples samples;
  for (size_t at = 12; at + 8 <= bytes.size();) {
    const size_t size = std::min<size_t>(Little(bytes, at + 4, 4), bytes.size() - at - 8);
    if (bytes.compare(at, 4, "fmt ") == 0 && size >= 16) {
      format = Little(bytes, at + 8, 2);
      const uint32_t bits = Little(bytes, at + 22, 2);
      if (Little(bytes, at + 10, 2) != 1 || Little(bytes, at + 12, 4) != 8000) {
        return bad("want one channel at 8000 Hz");
      }
      if (!(format == 1 && bits == 16) && !((format == 6 || format == 7) && bits == 8)) {
        return bad("want 16 bit linear, A-law or mu-law");
      }
    } else if (bytes.compare(at, 4, "data") == 0 && format != 0) {
      for (size_t i = 0; i + (format == 1 ? 2 : 1) <= size; i += format == 1 ? 2 : 1) {
        const auto code = static_cast<uint8_t>(bytes[at + 8 + i]);
        samples.push_back(format == 1   ? static_cast<int16_t>(Little(bytes, at + 8 + i, 2))
                          : format == 6 ? DecodeAlaw(code)
                                        : DecodeUlaw(code));
      }
    }
    at += 8 + size + size % 2;
  }
  if (samples.empty()) return bad("no samples");
  return MakeClip(samples, SIZE_MAX);
}

}  // namespace

uint8_t EncodeUlaw(int16_t sample) {
  const int sign = sample < 0 ? 0x80 : 0;
  const int magnitude = std::min(std::abs(static_cast<int>(sample)), 32635) + 132;
  int exponent = 7;
  for (int mask = 0x4000; exponent > 0 && (magnitude & mask) == 0; mask >>= 1) --exponent;
  const int mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return static_cast<uint8_t>(~(sign | (exponent << 4) | mantissa));
}

int16_t DecodeUlaw(uint8_t code) {
  const int bits = ~code & 0xff;
  const int magnitude = ((((bits & 0x0f) << 3) + 132) << ((bits >> 4) & 7)) - 132;
  return static_cast<int16_t>((bits & 0x80) != 0 ? -magnitude : magnitude);
}

uint8_t EncodeAlaw(int16_t sample) {
  int value = sample >> 3;  // 13 bits
  int mask = 0xd5;
  if (value < 0) {
    mask = 0x55;
    value = -value - 1;
  }
  int segment = 0;
  while (segment < 8 && value > (0x20 << segment) - 1) ++segment;
  if (segment >= 8) return static_cast<uint8_t>(0x7f ^ mask);
  const int mantissa = (segment < 2 ? value >> 1 : value >> segment) & 0x0f;
  return static_cast<uint8_t>(((segment << 4) | mantissa) ^ mask);
}

int16_t DecodeAlaw(uint8_t code) {
  const int bits = code ^ 0x55;
  int value = (bits & 0x0f) << 4;
  const int segment = (bits & 0x70) >> 4;
  value += segment == 0 ? 8 : 0x108;
  if (segment > 1) value <<= segment - 1;
  return static_cast<int16_t>((bits & 0x80) != 0 ? value : -value);
}

std::shared_ptr<const Clip> MakeClip(const std::vector<int16_t>& samples, size_t loop_from) {
  auto clip = std::make_shared<Clip>();
  const size_t frames = std::max<size_t>(1, (samples.size() + kFrameSamples - 1) / kFrameSamples);
  for (size_t i = 0; i < frames * kFrameSamples; ++i) {
    const int16_t sample = i < samples.size() ? samples[i] : int16_t{0};
    clip->ulaw.push_back(static_cast<char>(EncodeUlaw(sample)));
    clip->alaw.push_back(static_cast<char>(EncodeAlaw(sample)));
  }
  clip->loop_from = std::min(loop_from, frames);
  return clip;
}

absl::StatusOr<std::shared_ptr<const Clip>> LoadClip(absl::string_view name) {
  if (name == "human") return Human();
  if (name == "machine") return Machine();
  if (name == "music") return Music();
  Samples s;
  if (name == "silence") {
    Silence(s, 0.02);
  } else if (name == "ringback") {
    Tone(s, 2.0, {440, 480}, 5000);
    Silence(s, 4.0);
  } else if (name == "ringback_cn") {
    Tone(s, 1.0, {450}, 7000);
    Silence(s, 4.0);
  } else if (name == "busy") {
    Tone(s, 0.5, {480, 620}, 5000);
    Silence(s, 0.5);
  } else if (name == "sit") {  // vacant code: short high first tone, long others
    Tone(s, 0.274, {985.2}, 9000);
    Tone(s, 0.38, {1428.5}, 9000);
    Tone(s, 0.38, {1776.7}, 9000);
    Silence(s, 1.0);
  } else {
    return LoadWav(std::string(name));
  }
  return MakeClip(s, 0);
}

}  // namespace outpace::farend
