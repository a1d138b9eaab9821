#pragma once

// Sounds for the tests of the detectors: sines, noise, and something like a voice.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "engine/base/rng.h"
#include "engine/listen/heard.h"

namespace outpace::listen {

using Samples = std::vector<int16_t>;

class SoundMaker {
 public:
  explicit SoundMaker(uint64_t seed = 1) : rng_(seed) {}

  // dBFS of a sine is of its peak.
  SoundMaker& Tone(double seconds, std::vector<double> hertz, double dbfs = -18) {
    return Add(seconds, [&](double t) {
      double sum = 0;
      for (const double hz : hertz) sum += std::sin(2 * M_PI * hz * t);
      return sum * std::pow(10, dbfs / 20);
    });
  }
  SoundMaker& Silence(double seconds) {
    return Add(seconds, [](double) { return 0.0; });
  }
  // Harmonics under two formants at a pitch that wanders, in syllables of about 0.2 s.
  SoundMaker& Voice(double seconds, double pitch_hz = 120, double dbfs = -18) {
    double phase = 0;
    return Add(seconds, [&, this](double t) {
      const double syllable = std::sin(M_PI * std::fmod(t, 0.2) / 0.2);
      const double hz = pitch_hz * (1 + 0.15 * std::sin(2 * M_PI * 1.7 * t));
      phase += 2 * M_PI * hz / kSampleRate;
      double sum = 0.02 * rng_.Normal();
      for (int harmonic = 1; harmonic * hz < 3400; ++harmonic) {
        const double f = harmonic * hz;
        const double first = 1 / (1 + std::pow((f - 600 - 200 * std::sin(9 * t)) / 120, 2));
        const double second = 0.5 / (1 + std::pow((f - 1500 - 500 * std::sin(7 * t)) / 150, 2));
        sum += (first + second) * std::sin(harmonic * phase);
      }
      return sum * syllable * std::pow(10, dbfs / 20);
    });
  }
  // Three detuned strings a chord, four chords a second.
  SoundMaker& Music(double seconds) {
    return Add(seconds, [](double t) {
      const double beat = std::fmod(t, 0.25);
      const int chord = static_cast<int>(t / 0.25) % 4;
      double sum = 0;
      for (const double step : {0, 4, 7}) {
        const double hz = 220 * std::pow(2, (step + 2 * chord) / 12);
        for (int harmonic = 1; harmonic <= 4; ++harmonic) {
          sum += std::sin(2 * M_PI * hz * harmonic * t) / harmonic;
        }
      }
      return 0.08 * sum * std::exp(-4 * beat);
    });
  }
  SoundMaker& Noise(double dbfs) {  // over all there is so far
    for (int16_t& sample : samples_) {
      const double noise = 32768 * std::pow(10, dbfs / 20) * rng_.Normal();
      sample = static_cast<int16_t>(std::lrint(std::clamp(sample + noise, -32768.0, 32767.0)));
    }
    return *this;
  }
  const Samples& samples() const { return samples_; }

 private:
  SoundMaker& Add(double seconds, const std::function<double(double)>& wave) {
    const auto count = static_cast<size_t>(seconds * kSampleRate);
    for (size_t i = 0; i < count; ++i) {
      const double value = 32767 * wave(static_cast<double>(i) / kSampleRate);
      samples_.push_back(static_cast<int16_t>(std::lrint(std::clamp(value, -32768.0, 32767.0))));
    }
    return *this;
  }

  Rng rng_;
  Samples samples_;
};

// Calls `feed` with each whole frame and its start in ms, until it says true.
inline void ForEachFrame(const Samples& samples, const std::function<bool(Frame, int)>& feed) {
  for (size_t i = 0; i + kFrameSamples <= samples.size(); i += kFrameSamples) {
    if (feed(Frame(samples).subspan(i, kFrameSamples), static_cast<int>(i) / 8)) return;
  }
}

}  // namespace outpace::listen
