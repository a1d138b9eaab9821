#include "bench/media/media_recording_check.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/media/media_shared.h"
#include "bench/sip/process.h"
#include "engine/codec/g711.h"

namespace outpace::bench {
namespace {

constexpr double kSlackS = 0.04;
constexpr int kRate = 8'000;
constexpr size_t kFrame = 160;

uint32_t Le(const std::string& bytes, size_t at, size_t octets) {
  uint32_t value = 0;
  for (size_t i = octets; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

struct Wav {
  uint32_t tag = 0, bits = 0;
  size_t data_at = 0, data_size = 0;  // 0: not a stereo WAV of 8000 Hz, 16 bits or mu-law
  double seconds() const {
    return bits == 0 ? 0 : static_cast<double>(data_size) / (bits / 4) / kRate;
  }
};

// Of the file's beginning.
Wav ReadHead(const std::string& bytes) {
  Wav wav;
  if (bytes.size() < 44 || bytes.compare(0, 4, "RIFF") != 0) return wav;
  for (size_t at = 12; at + 8 <= bytes.size();) {
    const uint32_t size = Le(bytes, at + 4, 4);
    if (bytes.compare(at, 4, "fmt ") == 0 && size >= 16 && at + 24 <= bytes.size()) {
      if (Le(bytes, at + 10, 2) != 2 || Le(bytes, at + 12, 4) != kRate) return {};
      wav.tag = Le(bytes, at + 8, 2);
      wav.bits = Le(bytes, at + 22, 2);
    } else if (bytes.compare(at, 4, "data") == 0) {
      if (!(wav.tag == 1 && wav.bits == 16) && !(wav.tag == 7 && wav.bits == 8)) return {};
      wav.data_at = at + 8;
      wav.data_size = size;
      return wav;
    }
    at += 8 + size + size % 2;
  }
  return {};
}

std::vector<float> SideOf(const std::string& bytes, const Wav& wav, size_t side) {
  std::vector<float> samples;
  const size_t step = wav.bits / 8;
  for (size_t at = wav.data_at; at + 2 * step <= wav.data_at + wav.data_size; at += 2 * step) {
    const size_t from = at + side * step;
    samples.push_back(step == 2 ? static_cast<int16_t>(Le(bytes, from, 2))
                                : codec::MuToLinear(static_cast<uint8_t>(bytes[from])));
  }
  return samples;
}

// One frame of a wave of a frequency; all of them are multiples of 50 Hz.
struct Wave {
  std::array<float, kFrame> cosine{}, sine{};
  explicit Wave(int frequency) {
    for (size_t i = 0; i < kFrame; ++i) {
      const double angle = 2 * 3.14159265358979323846 * frequency * static_cast<double>(i) / kRate;
      cosine[i] = static_cast<float>(std::cos(angle));
      sine[i] = static_cast<float>(std::sin(angle));
    }
  }
};

// How much of a frame's energy is at the wave's frequency: 0..1; 0 for silence.
float Share(const float* frame, const Wave& wave) {
  float re = 0, im = 0, energy = 0;
  for (size_t i = 0; i < kFrame; ++i) {
    re += frame[i] * wave.cosine[i];
    im += frame[i] * wave.sine[i];
    energy += frame[i] * frame[i];
  }
  return energy < kFrame * 1e4f ? 0 : (re * re + im * im) * 2 / kFrame / energy;
}

// The tone of each second at its place, counted from where the first begins.
std::string CheckTones(const std::vector<float>& samples, int side, double at, int seconds) {
  const auto frames = static_cast<int>(samples.size() / kFrame);
  std::vector<Wave> waves;
  for (int step = 0; step < kMarkerSteps; ++step) waves.emplace_back(FrequencyAt(side, step));
  const auto has = [&](int frame, int second) {
    return Share(&samples[static_cast<size_t>(frame) * kFrame],
                 waves[static_cast<size_t>(second % kMarkerSteps)]) > 0.7f;
  };
  int first = 0;
  while (first < frames && !has(first, 0)) ++first;
  // The generator's beat is 20 ms, its wake-up some more.
  const double begins = static_cast<double>(first) * kFrame / kRate;
  if (begins < at - kSlackS || begins > at + 0.02 + 2 * kSlackS) {
    return absl::StrFormat("side %d: its tone begins at %.2f s, not at %.2f s", side, begins, at);
  }
  for (int second = 0; second < seconds; ++second) {
    int wrong = 0;
    for (int i = 3; i < 47; ++i) {
      const int frame = first + 50 * second + i;
      if (frame >= frames || !has(frame, second)) ++wrong;
    }
    if (wrong > 2) {
      return absl::StrFormat("side %d: %d of 44 frames of second %d are not its tone", side, wrong,
                             second);
    }
  }
  return "";
}

}  // namespace

std::string CheckRecording(const RecordingExpected& expected, bool thorough) {
  std::string bytes(4'096, '\0');
  std::ifstream file(expected.path, std::ios::binary | std::ios::ate);
  const auto size = static_cast<size_t>(std::max<std::streamoff>(file.tellg(), 0));
  file.seekg(0);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(file.gcount()));
  if (expected.format == record::Format::kOpus) {
    return bytes.compare(0, 4, "OggS") == 0 ? "" : "not an Ogg file";
  }
  const Wav wav = ReadHead(bytes);
  if (wav.data_at == 0) return "not a stereo WAV file of 8000 Hz";
  if (wav.data_at + wav.data_size > size) return "shorter than its header says";
  const double length = wav.seconds();
  if (length < expected.seconds_min - kSlackS || length > expected.seconds_max + kSlackS) {
    return absl::StrFormat("%.3f s long, the call had %.3f to %.3f s", length, expected.seconds_min,
                           expected.seconds_max);
  }
  if (!thorough) return "";
  bytes = ReadFile(expected.path);
  unsigned char sum[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), sum);
  const std::string hex =
      absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(sum), sizeof sum));
  if (!absl::EqualsIgnoreCase(hex, expected.sha256)) return "another SHA-256 than was told";
  for (int side = 0; side < 2 && expected.tone_seconds > 0; ++side) {
    const std::string wrong = CheckTones(SideOf(bytes, wav, static_cast<size_t>(side)), side,
                                         expected.tone_at, expected.tone_seconds);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace outpace::bench
