#include "bench/media/media_recording_check.h"

#include <openssl/sha.h>

#include <cmath>
#include <cstring>
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
constexpr int kFrame = 160;

uint32_t Le(const std::string& bytes, size_t at, size_t octets) {
  uint32_t value = 0;
  for (size_t i = octets; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

struct Wav {
  std::vector<float> side[2];
};

// Empty sides: not a stereo WAV of 8000 Hz, 16 bits or mu-law, or cut short.
Wav Read(const std::string& bytes) {
  Wav wav;
  if (bytes.size() < 44 || bytes.compare(0, 4, "RIFF") != 0) return wav;
  uint32_t tag = 0, bits = 0;
  for (size_t at = 12; at + 8 <= bytes.size();) {
    const uint32_t size = Le(bytes, at + 4, 4);
    const bool data = bytes.compare(at, 4, "data") == 0;
    if (size > bytes.size() - at - 8) return {};
    if (bytes.compare(at, 4, "fmt ") == 0 && size >= 16) {
      if (Le(bytes, at + 10, 2) != 2 || Le(bytes, at + 12, 4) != kRate) return {};
      tag = Le(bytes, at + 8, 2);
      bits = Le(bytes, at + 22, 2);
    } else if (data && ((tag == 1 && bits == 16) || (tag == 7 && bits == 8))) {
      const size_t step = bits / 8;
      for (size_t i = 0; i + 2 * step <= size; i += 2 * step) {
        for (size_t side = 0; side < 2; ++side) {
          const size_t from = at + 8 + i + side * step;
          const auto sample = step == 2 ? static_cast<int16_t>(Le(bytes, from, 2))
                                        : codec::MuToLinear(static_cast<uint8_t>(bytes[from]));
          wav.side[side].push_back(sample);
        }
      }
      return wav;
    }
    at += 8 + size + size % 2;
  }
  return {};
}

// How much of a frame's energy is at `frequency`: 0..1; 0 for silence.
double Share(const float* frame, int frequency) {
  double re = 0, im = 0, energy = 0;
  for (int i = 0; i < kFrame; ++i) {
    const double angle = 2 * 3.14159265358979323846 * frequency * i / kRate;
    re += frame[i] * std::cos(angle);
    im += frame[i] * std::sin(angle);
    energy += frame[i] * frame[i];
  }
  return energy < kFrame * 1e4 ? 0 : (re * re + im * im) * 2 / kFrame / energy;
}

// The tone of each second at its place, counted from where the first begins.
std::string CheckTones(const std::vector<float>& samples, int side, int seconds) {
  const auto frames = static_cast<int>(samples.size() / kFrame);
  const auto has = [&](int frame, int second) {
    return Share(&samples[static_cast<size_t>(frame) * kFrame], FrequencyAt(side, second)) > 0.7;
  };
  int first = 0;
  while (first < frames && !has(first, 0)) ++first;
  if (first > 25) return absl::StrFormat("side %d: no tone in the first half second", side);
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
  const std::string bytes = ReadFile(expected.path);
  if (expected.format == record::Format::kOpus) {
    return bytes.compare(0, 4, "OggS") == 0 ? "" : "not an Ogg file";
  }
  const Wav wav = Read(bytes);
  const double length = static_cast<double>(wav.side[0].size()) / kRate;
  if (length < expected.seconds_min - kSlackS || length > expected.seconds_max + kSlackS) {
    return absl::StrFormat("%.3f s long, the call had %.3f to %.3f s", length, expected.seconds_min,
                           expected.seconds_max);
  }
  if (!thorough) return "";
  unsigned char sum[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), sum);
  const std::string hex =
      absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(sum), sizeof sum));
  if (!absl::EqualsIgnoreCase(hex, expected.sha256)) return "another SHA-256 than was told";
  for (int side = 0; side < 2 && expected.tone_seconds > 0; ++side) {
    const std::string wrong = CheckTones(wav.side[side], side, expected.tone_seconds);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace outpace::bench
