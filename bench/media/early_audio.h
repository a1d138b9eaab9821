#pragma once

// Audio for judging what listens before the answer, the same for the tests and for early_quality:
// tones synthesised from a plan in Asterisk's notation, and what a telephone line does to audio.
// Written without looking at the detectors' own table, so that a slip there shows.

#include <array>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/base/rng.h"
#include "engine/codec/g711.h"
#include "engine/listen/heard.h"

namespace outpace::bench {

using Samples = std::vector<int16_t>;

inline constexpr double kPi = 3.14159265358979;

struct ToneRow {
  std::string country, tone, definition;
};

// The rows of call_progress_tones.csv; empty if it cannot be read.
inline std::vector<ToneRow> ReadTones(const std::string& path) {
  std::vector<ToneRow> rows;
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.pop_back();
    std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(',', 3));
    if (fields.size() != 4 || fields[0] == "country") continue;
    std::string& definition = fields[3];
    if (definition.size() > 1 && definition.front() == '"') {
      definition = definition.substr(1, definition.size() - 2);
    }
    rows.push_back({fields[0], fields[2], definition});
  }
  return rows;
}

struct ToneMaker {
  double dbm0 = -15;    // level of the tone while it sounds
  double hz_scale = 1;  // the generator's clock
  double ms_scale = 1;  // the cadence's
  double start = 0;     // share of the period already over when listening begins, [0, 1)
  double lead_ms = 0;   // silence before
  bool deep = false;    // f*f: fully modulated rather than by a fifth
};

struct TonePart {
  double hz[2] = {0, 0};
  bool modulated = false;
  double ms = 0;  // 0: endless
  bool once = false;
};

inline std::vector<TonePart> ParseTone(const std::string& definition) {
  std::vector<TonePart> parts;
  for (absl::string_view text : absl::StrSplit(definition, ',')) {
    TonePart part;
    if (!text.empty() && text[0] == '!') {
      part.once = true;
      text.remove_prefix(1);
    }
    const std::vector<absl::string_view> halves = absl::StrSplit(text, '/');
    if (halves.size() == 2) (void)absl::SimpleAtod(halves[1], &part.ms);
    part.modulated = absl::StrContains(halves[0], '*');
    const std::vector<absl::string_view> hz = absl::StrSplit(halves[0], absl::ByAnyChar("+*"));
    for (size_t i = 0; i < hz.size() && i < 2; ++i) (void)absl::SimpleAtod(hz[i], &part.hz[i]);
    parts.push_back(part);
  }
  return parts;
}

// Length of one period in ms; 0 for a tone without cadence.
inline double PeriodMs(const std::string& definition) {
  double sum = 0;
  for (const TonePart& part : ParseTone(definition)) sum += part.ms;
  return sum;
}

// A sine's amplitude at a level in dBm0.
inline double Amplitude(double dbm0) {
  return std::sqrt(2.0) * std::sqrt(2.5e8) * std::pow(10, dbm0 / 20);
}

inline Samples MakeTone(const std::string& definition, const ToneMaker& make, double seconds) {
  const std::vector<TonePart> parts = ParseTone(definition);
  const auto total = static_cast<size_t>(seconds * listen::kSampleRate);
  std::vector<double> x(static_cast<size_t>(make.lead_ms * 8));
  const double skip = make.start * PeriodMs(definition) * make.ms_scale;
  double at_ms = 0;
  bool first_round = true;
  while (x.size() < total) {
    bool any = false;
    for (const TonePart& part : parts) {
      if (part.once && !first_round) continue;
      any = true;
      const double ms = part.ms > 0 ? part.ms * make.ms_scale : 1e6;
      const double from = std::max(0.0, skip - at_ms);
      at_ms += ms;
      if (from >= ms) continue;
      const auto count = std::min(static_cast<size_t>((ms - from) * 8), total - x.size() + 1);
      const double a = Amplitude(make.dbm0), w = 2 * kPi / listen::kSampleRate * make.hz_scale;
      for (size_t i = 0; i < count; ++i) {
        const double t = static_cast<double>(i);
        double value = 0;
        if (part.hz[0] > 0 && part.modulated) {
          const double depth = make.deep ? 1.0 : 0.2;
          value = a * std::sin(w * part.hz[0] * t) * (1 - depth * std::cos(w * part.hz[1] * t)) /
                  std::sqrt(1 + depth * depth / 2);
        } else if (part.hz[0] > 0 && part.hz[1] > 0) {
          value = a / std::sqrt(2.0) *
                  (std::sin(w * part.hz[0] * t) + std::sin(w * part.hz[1] * t + 1));
        } else if (part.hz[0] > 0) {
          value = a * std::sin(w * part.hz[0] * t);
        }
        x.push_back(value);
      }
      if (x.size() >= total) break;
    }
    first_round = false;
    if (!any) x.resize(total);
  }
  x.resize(total);
  Samples out(total);
  for (size_t i = 0; i < total; ++i) {
    out[i] = static_cast<int16_t>(std::lrint(std::clamp(x[i], -32767.0, 32767.0)));
  }
  return out;
}

// What happens to audio on its way.
struct Line {
  codec::Law law = codec::Law::kMu;
  bool band_pass = false;  // 300 to 3400 Hz, second order each
  double gain_db = 0;
  double snr_db = 0;  // white noise below the audio's loud part; 0: none
  double loss = 0;    // share of packets lost; silence takes their place
  double drift = 0;   // of the clock: 0.001 plays a thousandth faster
  uint64_t seed = 1;
};

class Biquad {
 public:
  Biquad(bool high_pass, double hz) {
    const double w = 2 * kPi * hz / listen::kSampleRate, alpha = std::sin(w) / std::sqrt(2.0);
    const double c = std::cos(w), a0 = 1 + alpha;
    const double edge = high_pass ? (1 + c) / 2 : (1 - c) / 2;
    b_ = {edge / a0, (high_pass ? -2 : 2) * edge / a0, edge / a0};
    a_ = {-2 * c / a0, (1 - alpha) / a0};
  }
  double Run(double x) {
    const double y = b_[0] * x + z_[0];
    z_[0] = b_[1] * x - a_[0] * y + z_[1];
    z_[1] = b_[2] * x - a_[1] * y;
    return y;
  }

 private:
  std::array<double, 3> b_{};
  std::array<double, 2> a_{}, z_{};
};

// Mean square of the frames within 30 dB of the loudest one.
inline double LoudEnergy(const Samples& in) {
  std::vector<double> frames;
  double most = 0;
  for (size_t at = 0; at + 160 <= in.size(); at += 160) {
    double sum = 0;
    for (size_t i = at; i < at + 160; ++i) sum += double{static_cast<double>(in[i])} * in[i];
    frames.push_back(sum / 160);
    most = std::max(most, frames.back());
  }
  double sum = 0;
  int count = 0;
  for (double energy : frames) {
    if (energy < most / 1000) continue;
    sum += energy;
    ++count;
  }
  return count > 0 ? sum / count : 0;
}

inline Samples ThroughLine(const Samples& in, const Line& line) {
  Rng rng(line.seed);
  std::vector<double> x;
  if (line.drift == 0) {
    x.assign(in.begin(), in.end());
  } else {
    for (double at = 0; at + 1 < static_cast<double>(in.size()); at += 1 + line.drift) {
      const auto i = static_cast<size_t>(at);
      const double part = at - static_cast<double>(i);
      x.push_back(in[i] * (1 - part) + in[i + 1] * part);
    }
  }
  const double noise =
      line.snr_db > 0 ? std::sqrt(LoudEnergy(in)) * std::pow(10, -line.snr_db / 20) : 0;
  Biquad high(true, 300), low(false, 3400);
  const double gain = std::pow(10, line.gain_db / 20);
  Samples out(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    double value = x[i];
    if (noise > 0) value += noise * rng.Normal();
    if (line.band_pass) value = low.Run(high.Run(value));
    const double scaled = std::clamp(value * gain, -32767.0, 32767.0);
    out[i] = codec::ToLinear(line.law,
                             codec::FromLinear(line.law, static_cast<int16_t>(std::lrint(scaled))));
  }
  for (size_t at = 0; line.loss > 0 && at + 160 <= out.size(); at += 160) {
    if (rng.Chance(line.loss)) std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(at), 160, 0);
  }
  return out;
}

inline Line RandomLine(Rng& rng, double snr_min, double loss) {
  Line line;
  line.law = rng.Chance(0.5) ? codec::Law::kMu : codec::Law::kA;
  line.band_pass = rng.Chance(0.5);
  line.snr_db = rng.Chance(0.3) ? 0 : snr_min + rng.Uniform() * 20;
  line.loss = loss;
  line.seed = rng.Next();
  return line;
}

}  // namespace outpace::bench
