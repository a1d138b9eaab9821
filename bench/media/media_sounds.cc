#include "bench/media/media_sounds.h"

#include <cmath>
#include <cstddef>

#include "engine/base/check.h"
#include "engine/codec/g711.h"

namespace outpace::bench {
namespace {

constexpr double kPi = 3.14159265358979323846;

int16_t Clip(double value) {
  return static_cast<int16_t>(std::lrint(std::min(32'000.0, std::max(-32'000.0, value))));
}

// Two seconds: three syllables of 250 ms with a falling pitch, and pauses. Nobody would take it for
// a person, but it costs an encoder or a listener what a voice does.
std::vector<int16_t> Voice(int rate) {
  std::vector<int16_t> out;
  uint32_t noise = 1;
  double angle = 0;
  for (int i = 0; i < 2 * rate; ++i) {
    const double t = static_cast<double>(i) / rate;
    const double at = std::fmod(t, 0.5);
    const bool speaks = at < 0.25 && t < 1.5;
    angle += 2 * kPi * (140 - 60 * at) / rate;
    double value = 0;
    for (int harmonic = 1; harmonic <= 12; ++harmonic) {
      const double formant = harmonic < 5 ? 1.0 : 0.35;
      value += formant / harmonic * std::sin(harmonic * angle);
    }
    noise = noise * 1664525 + 1013904223;
    const double hiss = (static_cast<double>(noise >> 16) / 32768.0 - 1.0) * 40;
    out.push_back(Clip((speaks ? 6'000 * std::sin(kPi * at / 0.25) * value : 0) + hiss));
  }
  return out;
}

std::vector<int16_t> Ringback(int rate) {
  std::vector<int16_t> out;
  for (int i = 0; i < 5 * rate; ++i) {
    const double tone = i < rate ? 6'000 * std::sin(2 * kPi * 425 * i / rate) : 0;
    out.push_back(Clip(tone));
  }
  return out;
}

std::vector<int16_t> Markers(int side, int rate) {
  std::vector<int16_t> out;
  for (int step = 0; step < kMarkerSteps; ++step) {
    for (int i = 0; i < rate / 50; ++i) {
      out.push_back(Clip(8'000 * std::sin(2 * kPi * FrequencyAt(side, step) * i / rate)));
    }
  }
  return out;
}

}  // namespace

Frames MakeFrames(Sound sound, codec::Codec codec, int side) {
  const bool g711 = codec == codec::Codec::kPcmu || codec == codec::Codec::kPcma;
  const int rate = g711 ? 8'000 : 16'000;
  std::vector<int16_t> samples;
  switch (sound) {
    case Sound::kVoice:
      samples = Voice(rate);
      break;
    case Sound::kRingback:
      samples = Ringback(rate);
      break;
    case Sound::kMarker:
      samples = Markers(side, rate);
      break;
  }
  const std::unique_ptr<codec::Encoder> encoder = codec::NewEncoder(codec, rate);
  OUTPACE_CHECK(encoder != nullptr);
  const auto frame = static_cast<size_t>(rate / 50);
  Frames frames;
  for (size_t at = 0; at + frame <= samples.size(); at += frame) {
    encoder->Encode(absl::MakeConstSpan(samples).subspan(at, frame), frames.emplace_back());
  }
  return frames;
}

}  // namespace outpace::bench
