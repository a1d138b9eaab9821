#include "bench/media/amd_scenes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/base/check.h"
#include "engine/codec/g711.h"
#include "engine/codec/wav.h"

namespace outpace::bench {
namespace {

constexpr double kRate = 8000;
size_t SamplesOf(double seconds) { return static_cast<size_t>(std::max(0.0, seconds) * kRate); }

// A file of comma-separated rows, quoted where a field holds a comma, as maps by the head's names.
absl::StatusOr<std::vector<std::map<std::string, std::string>>> ReadTable(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": cannot be read"));
  std::vector<std::string> head;
  std::vector<std::map<std::string, std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        fields.emplace_back();
      } else {
        fields.back() += c;
      }
    }
    if (head.empty()) {
      head = fields;
      continue;
    }
    std::map<std::string, std::string>& row = rows.emplace_back();
    for (size_t i = 0; i < head.size() && i < fields.size(); ++i) row[head[i]] = fields[i];
  }
  return rows;
}

int IntOf(const std::map<std::string, std::string>& row, const std::string& name, int otherwise) {
  const auto found = row.find(name);
  int value = 0;
  return found != row.end() && absl::SimpleAtoi(found->second, &value) ? value : otherwise;
}
std::string TextOf(const std::map<std::string, std::string>& row, const std::string& name) {
  const auto found = row.find(name);
  return found == row.end() ? std::string() : found->second;
}

// Second-order sections (cookbook form).
class Biquad {
 public:
  enum class Kind : uint8_t { kLowPass, kHighPass, kHighShelf };
  Biquad(Kind kind, double hz, double q, double gain_db = 0) {
    const double w = 2 * M_PI * hz / kRate;
    const double c = std::cos(w);
    const double alpha = std::sin(w) / (2 * q);
    double a0 = 1 + alpha;
    a1_ = -2 * c;
    a2_ = 1 - alpha;
    switch (kind) {
      case Kind::kLowPass:
        b0_ = b2_ = (1 - c) / 2;
        b1_ = 1 - c;
        break;
      case Kind::kHighPass:
        b0_ = b2_ = (1 + c) / 2;
        b1_ = -(1 + c);
        break;
      case Kind::kHighShelf: {
        const double a = std::pow(10, gain_db / 40);
        const double s = 2 * std::sqrt(a) * alpha;
        b0_ = a * ((a + 1) + (a - 1) * c + s);
        b1_ = -2 * a * ((a - 1) + (a + 1) * c);
        b2_ = a * ((a + 1) + (a - 1) * c - s);
        a0 = (a + 1) - (a - 1) * c + s;
        a1_ = 2 * ((a - 1) - (a + 1) * c);
        a2_ = (a + 1) - (a - 1) * c - s;
        break;
      }
    }
    for (double* x : {&b0_, &b1_, &b2_, &a1_, &a2_}) *x /= a0;
  }
  void Run(std::vector<float>& x) {
    for (float& sample : x) {
      const double in = sample;
      const double out = b0_ * in + z1_;
      z1_ = b1_ * in - a1_ * out + z2_;
      z2_ = b2_ * in - a2_ * out;
      sample = static_cast<float>(out);
    }
  }

 private:
  double b0_ = 0, b1_ = 0, b2_ = 0, a1_ = 0, a2_ = 0, z1_ = 0, z2_ = 0;
};

void BandPass(std::vector<float>& x, double low, double high) {
  for (const double q : {0.5412, 1.3066}) {  // Butterworth, fourth order
    Biquad(Biquad::Kind::kHighPass, low, q).Run(x);
    Biquad(Biquad::Kind::kLowPass, high, q).Run(x);
  }
}

double Gain(double db) { return std::pow(10, db / 20); }

// Near enough normal, and fast: four uniforms out of one draw.
float Noise(Rng& rng) {
  const uint64_t bits = rng.Next();
  float sum = 0;
  for (int i = 0; i < 4; ++i) sum += static_cast<float>((bits >> (16 * i)) & 0xffff);
  return (sum / 65536.0f - 2.0f) * 1.7321f;
}

// At another speed (and pitch), by cubic interpolation.
std::vector<float> Resampled(const float* from, size_t count, double speed) {
  std::vector<float> out;
  out.reserve(static_cast<size_t>(static_cast<double>(count) / speed) + 1);
  for (double at = 1; at + 2 < static_cast<double>(count); at += speed) {
    const auto i = static_cast<size_t>(at);
    const float t = static_cast<float>(at - static_cast<double>(i));
    const float a = from[i - 1], b = from[i], c = from[i + 1], d = from[i + 2];
    out.push_back(b +
                  0.5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))));
  }
  return out;
}

std::string ClipName(absl::string_view file) {
  const std::vector<std::string> parts = absl::StrSplit(file, '/');
  return parts.back();
}

}  // namespace

std::string GroupOf(absl::string_view file) {
  const std::vector<std::string> parts = absl::StrSplit(ClipName(file), '_');
  if (parts[0] == "fsdd" && parts.size() > 2) return absl::StrCat("fsdd_", parts[2]);
  if ((parts[0] == "asterisk" || parts[0] == "klettres" || parts[0] == "ktuberling") &&
      parts.size() > 1) {
    return absl::StrCat(parts[0], "_", parts[1]);
  }
  return parts[0];
}

absl::StatusOr<std::vector<Clip>> LoadClips(const std::string& dir) {
  const auto table = ReadTable(absl::StrCat(dir, "/clips.csv"));
  if (!table.ok()) return table.status();
  std::vector<Clip> clips;
  for (const auto& row : *table) {
    Clip& clip = clips.emplace_back();
    clip.file = TextOf(row, "file");
    clip.clip_class = TextOf(row, "class");
    clip.lang = TextOf(row, "lang");
    clip.group = GroupOf(clip.file);
    const auto wav = codec::LoadWav(absl::StrCat(dir, "/", clip.file));
    if (!wav.ok()) return wav.status();
    clip.samples.assign(wav->begin(), wav->end());
    for (float& sample : clip.samples) sample /= 32768.0f;
    const int count = static_cast<int>(clip.samples.size());
    clip.active_start = std::min(IntOf(row, "active_start_ms", 0) * 8, count);
    clip.active_end = std::clamp(IntOf(row, "active_end_ms", 0) * 8, clip.active_start, count);
  }
  return clips;
}

absl::StatusOr<std::vector<Scene>> LoadScenes(const std::string& dir) {
  const auto table = ReadTable(absl::StrCat(dir, "/scenes.csv"));
  if (!table.ok()) return table.status();
  std::vector<Scene> scenes;
  for (const auto& row : *table) {
    Scene& scene = scenes.emplace_back();
    scene.name = TextOf(row, "file");
    scene.machine = TextOf(row, "label") == "machine";
    scene.subtype = TextOf(row, "subtype");
    scene.lang = TextOf(row, "lang");
    scene.group = GroupOf(std::vector<std::string>(absl::StrSplit(TextOf(row, "clips"), '|'))[0]);
    scene.speech_start_ms = IntOf(row, "speech_start_ms", 0);
    scene.beep_start_ms = IntOf(row, "beep_start_ms", -1);
    auto wav = codec::LoadWav(absl::StrCat(dir, "/", scene.name));
    if (!wav.ok()) return wav.status();
    scene.samples = *std::move(wav);
  }
  return scenes;
}

SceneMaker::SceneMaker(const std::vector<Clip>& clips, const std::vector<std::string>& groups,
                       uint64_t seed)
    : clips_(clips), rng_(seed) {
  const std::set<std::string> wanted(groups.begin(), groups.end());
  std::set<std::string> human;
  std::set<std::string> machine;
  for (const Clip& clip : clips_) {
    if (clip.clip_class == "beep") beeps_.push_back(&clip);
    if (!wanted.contains(clip.group)) continue;
    all_.push_back(&clip);
    if (clip.clip_class == "word") human.insert(clip.group);
    if (clip.clip_class == "voicemail") machine.insert(clip.group);
  }
  human_groups_.assign(human.begin(), human.end());
  machine_groups_.assign(machine.begin(), machine.end());
  OUTPACE_CHECK(!human_groups_.empty() && !machine_groups_.empty() && !beeps_.empty());
}

const Clip& SceneMaker::Pick(const std::vector<const Clip*>& from) {
  return *from[rng_.Below(from.size())];
}

std::vector<const Clip*> SceneMaker::Of(absl::string_view group,
                                        std::vector<absl::string_view> classes, double seconds_min,
                                        double seconds_max) const {
  std::vector<const Clip*> out;
  for (const Clip* clip : all_) {
    const double seconds = (clip->active_end - clip->active_start) / kRate;
    if (clip->group == group && seconds >= seconds_min && seconds <= seconds_max &&
        std::find(classes.begin(), classes.end(), clip->clip_class) != classes.end()) {
      out.push_back(clip);
    }
  }
  return out;
}

void SceneMaker::Say(Draft& draft, const Clip& clip, bool trimmed, double speed) {
  const size_t from = trimmed ? static_cast<size_t>(clip.active_start) : 0;
  const size_t to = trimmed ? static_cast<size_t>(clip.active_end) : clip.samples.size();
  const std::vector<float> voice = Resampled(clip.samples.data() + from, to - from, speed);
  draft.speech.insert(draft.speech.end(), voice.begin(), voice.end());
}

void SceneMaker::Pause(Draft& draft, double seconds_min, double seconds_max) {
  const double seconds = seconds_min + (seconds_max - seconds_min) * rng_.Uniform();
  draft.speech.resize(draft.speech.size() + SamplesOf(seconds));
}

void SceneMaker::Beep(Draft& draft, bool recorded) {
  draft.scene.beep_start_ms = static_cast<int>(static_cast<double>(draft.speech.size()) / 8);
  if (recorded) {
    Say(draft, Pick(beeps_), false, 1);
    return;
  }
  const double hz = 400 + 1600 * rng_.Uniform();
  const size_t count = SamplesOf(0.15 + 0.8 * rng_.Uniform());
  for (size_t i = 0; i < count; ++i) {
    draft.speech.push_back(
        static_cast<float>(0.2 * std::sin(2 * M_PI * hz * static_cast<double>(i) / kRate)));
  }
}

// Chords of decaying harmonics: what is played before or under a greeting, or while one waits.
void SceneMaker::Music(Draft& draft, double seconds) {
  const size_t start = draft.speech.size();
  draft.speech.resize(start + SamplesOf(seconds));
  const double beat = 0.12 + 0.35 * rng_.Uniform();
  const double decay = 1 + 6 * rng_.Uniform();
  for (double at = 0; at < seconds; at += beat) {
    for (int note = 0; note < 3; ++note) {
      const double hz = 110 * std::pow(2, static_cast<double>(rng_.Below(37)) / 12);
      for (size_t i = SamplesOf(at); i < SamplesOf(std::min(seconds, at + 3 * beat)); ++i) {
        const double t = static_cast<double>(i) / kRate - at;
        double wave = 0;
        for (int harmonic = 1; harmonic <= 4; ++harmonic) {
          wave += std::sin(2 * M_PI * hz * harmonic * t) / harmonic;
        }
        draft.speech[start + i] += static_cast<float>(0.1 * wave * std::exp(-decay * t));
      }
    }
  }
}

SceneMaker::Draft SceneMaker::Begin() { return {}; }

void SceneMaker::Human(Draft& draft, bool wide) {
  Scene& scene = draft.scene;
  scene.group = human_groups_[rng_.Below(human_groups_.size())];
  std::vector<const Clip*> words = Of(scene.group, {"word"}, 0, 9);
  const double speed = wide ? 0.92 + 0.16 * rng_.Uniform() : 1;
  const double kind = rng_.Uniform();
  scene.lang = words[0]->lang;
  if (!wide || kind < 0.45) {
    int count = 1;
    scene.subtype = "one_word";
    if (const double draw = rng_.Uniform(); draw > 0.75) {
      count = 3 + static_cast<int>(rng_.Below(2));
      scene.subtype = "long_human";
    } else if (draw > 0.5) {
      count = 2;
      scene.subtype = "two_words";
    }
    for (int i = 0; i < count; ++i) {
      if (i > 0) Pause(draft, 0.12, 0.45);
      Say(draft, Pick(words), false, speed);
    }
  } else if (kind < 0.65) {  // "Good morning, this is Anna Miller speaking"
    scene.subtype = "sentence";
    const int count = 3 + static_cast<int>(rng_.Below(6));
    for (int i = 0; i < count; ++i) {
      if (i > 0) Pause(draft, 0.0, 0.2);
      Say(draft, Pick(words), true, speed);
      if (draft.speech.size() > SamplesOf(2.8)) break;
    }
  } else if (kind < 0.85) {  // "Hello? ... hello? Who is this?"
    scene.subtype = "hello_again";
    Say(draft, Pick(words), true, speed);
    Pause(draft, 0.7, 2.2);
    const int count = 1 + static_cast<int>(rng_.Below(3));
    for (int i = 0; i < count; ++i) {
      if (i > 0) Pause(draft, 0.02, 0.25);
      Say(draft, Pick(words), true, speed);
    }
  } else {  // the voices of greetings may be people too
    scene.subtype = "short_prompt";
    const std::string& group = machine_groups_[rng_.Below(machine_groups_.size())];
    const auto prompts = Of(group, {"prompt", "voicemail"}, 0.25, 1.3);
    if (!prompts.empty()) {
      scene.group = group;
      Say(draft, Pick(prompts), true, speed);
    } else {
      Say(draft, Pick(words), true, speed);
    }
  }
  draft.speech.resize(draft.speech.size() + SamplesOf(3.2 + rng_.Uniform()));
}

void SceneMaker::Machine(Draft& draft, bool wide) {
  Scene& scene = draft.scene;
  scene.machine = true;
  scene.group = machine_groups_[rng_.Below(machine_groups_.size())];
  const std::vector<const Clip*> greetings = Of(scene.group, {"voicemail"}, 0, 12);
  scene.lang = greetings[0]->lang;
  const double speed = wide ? 0.92 + 0.16 * rng_.Uniform() : 1;
  const double kind = rng_.Uniform();
  const bool recorded_beep = !wide || rng_.Chance(0.3);
  const auto greet = [&](int count) {
    for (int i = 0; i < count; ++i) {
      if (i > 0) Pause(draft, 0.1, wide ? 0.7 : 0.4);
      Say(draft, Pick(greetings), false, speed);
    }
  };
  double tail = 1.5;
  if (kind < 0.4) {
    scene.subtype = "voicemail_beep";
    greet(2 + static_cast<int>(rng_.Below(2)));
  } else if (kind < 0.6) {
    const auto announcements = Of(scene.group, {"carrier"}, 0, 12);
    const auto& pool = announcements.empty() ? greetings : announcements;
    scene.subtype = "carrier";
    const Clip& first = Pick(pool);
    Say(draft, first, false, speed);
    Pause(draft, 0.4, 0.75);
    Say(draft, Pick(pool), false, speed);
    Pause(draft, 0.4, 0.75);
    Say(draft, first, false, speed);
    tail = 1;
  } else if (!wide || kind < 0.8) {
    scene.subtype = "hello_pause_machine";
    const auto shorts = Of(scene.group, {"prompt", "voicemail", "word"}, 0.1, 0.9);
    Say(draft, Pick(shorts.empty() ? greetings : shorts), wide, speed);
    Pause(draft, 0.5, 1.3);
    greet(2 + static_cast<int>(rng_.Below(2)));
  } else if (kind < 0.86) {
    scene.subtype = "music_machine";
    Music(draft, 1 + 3 * rng_.Uniform());
    greet(2);
  } else if (kind < 0.93) {
    scene.subtype = "short_machine";
    for (int i = 0; i < 6 && draft.speech.size() < SamplesOf(1.6); ++i) greet(1);
  } else {  // people record greetings too: any speaker's words, spoken through
    scene.subtype = "own_greeting";
    scene.group = human_groups_[rng_.Below(human_groups_.size())];
    const auto words = Of(scene.group, {"word"}, 0, 9);
    const double length = 3.2 + 4 * rng_.Uniform();
    while (draft.speech.size() < SamplesOf(length)) {
      Say(draft, Pick(words), true, speed);
      Pause(draft, 0.0, rng_.Chance(0.2) ? 0.5 : 0.08);
    }
  }
  if (scene.subtype != "carrier") {
    Pause(draft, 0.15, 0.4);
    Beep(draft, recorded_beep);
    tail = 1.5;
  }
  draft.speech.resize(draft.speech.size() + SamplesOf(tail));
}

Scene SceneMaker::Plain() {
  Draft draft = Begin();
  if (rng_.Chance(0.5)) {
    Human(draft, false);
  } else {
    Machine(draft, false);
  }
  return Finish(std::move(draft), false);
}

Scene SceneMaker::Wide() {
  Draft draft = Begin();
  if (rng_.Chance(0.5)) {
    Human(draft, true);
  } else {
    Machine(draft, true);
  }
  return Finish(std::move(draft), true);
}

Scene SceneMaker::Finish(Draft draft, bool wide) {
  std::vector<float>& speech = draft.speech;
  double squares = 0;
  size_t sounding = 0;
  for (const float sample : speech) {
    squares += static_cast<double>(sample) * sample;
    sounding += sample != 0 ? 1 : 0;
  }
  const double level_db = wide ? -32 + 22 * rng_.Uniform() : -26 + 10 * rng_.Uniform();
  const double rms = std::sqrt(squares / static_cast<double>(std::max<size_t>(sounding, 1)));
  const auto gain = static_cast<float>(Gain(level_db) / std::max(rms, 1e-6));
  const size_t lead = SamplesOf(wide ? 2.0 * rng_.Uniform() : 0.1 + 1.5 * rng_.Uniform());
  std::vector<float> x(lead + speech.size());
  for (size_t i = 0; i < speech.size(); ++i) x[lead + i] = gain * speech[i];
  draft.scene.speech_start_ms = static_cast<int>(lead / 8);
  if (draft.scene.beep_start_ms >= 0) {
    draft.scene.beep_start_ms += draft.scene.speech_start_ms;
  }

  if (wide && rng_.Chance(0.2)) {  // the end of the ringing
    const size_t end = std::min(lead, SamplesOf(0.1 + 0.7 * rng_.Uniform()));
    const double volume = Gain(-24 + 12 * rng_.Uniform());
    const bool american = rng_.Chance(0.5);
    const double one = american ? 440 : 425 + 25.0 * static_cast<double>(rng_.Below(2));
    for (size_t i = 0; i < end; ++i) {
      const double t = 2 * M_PI * static_cast<double>(i) / kRate;
      x[i] += static_cast<float>(volume * (std::sin(one * t) + (american ? std::sin(480 * t) : 0)));
    }
  }
  if (wide && rng_.Chance(0.6)) {
    Biquad(Biquad::Kind::kHighShelf, 900 + 1200 * rng_.Uniform(), 0.7, -8 + 16 * rng_.Uniform())
        .Run(x);
  }

  const double noise_db = wide ? -70 + 32 * rng_.Uniform() : -62 + 16 * rng_.Uniform();
  auto volume = static_cast<float>(Gain(noise_db));
  const uint64_t kind = wide ? rng_.Below(6) : 0;
  if (kind <= 2) {  // white; pink; white with steps, as comfort noise comes and goes
    float pink = 0;
    size_t step = SamplesOf(0.3 + 2 * rng_.Uniform());
    for (size_t i = 0; i < x.size(); ++i) {
      const float white = Noise(rng_);
      pink += 0.1f * (white - pink);
      x[i] += volume * (kind == 1 ? 3.5f * pink : white);
      if (kind == 2 && --step == 0) {
        volume = static_cast<float>(Gain(noise_db - 12 + 24 * rng_.Uniform()));
        step = SamplesOf(0.3 + 2 * rng_.Uniform());
      }
    }
  } else if (kind == 3) {  // hum
    const double hz = rng_.Chance(0.5) ? 50 : 60;
    for (size_t i = 0; i < x.size(); ++i) {
      const double t = 2 * M_PI * hz * static_cast<double>(i) / kRate;
      x[i] += volume * static_cast<float>(std::sin(t) + 0.7 * std::sin(3 * t) +
                                          0.5 * std::sin(7 * t) + 0.3 * Noise(rng_));
    }
  } else if (kind == 4) {  // people talking in the room
    for (int voice = 0; voice < 4; ++voice) {
      size_t i = rng_.Below(4000);
      while (i < x.size()) {
        const Clip& clip = *all_[rng_.Below(all_.size())];
        for (size_t j = 0; j < clip.samples.size() && i < x.size(); ++j, ++i) {
          x[i] += volume * 2.5f * clip.samples[j];
        }
      }
    }
    for (float& sample : x) sample += 0.2f * volume * Noise(rng_);
  }  // 5: none at all

  if (wide) {
    BandPass(x, 150 + 250 * rng_.Uniform(), 2700 + 1000 * rng_.Uniform());
  } else {
    BandPass(x, 300, 3400);
  }
  const float push = wide && rng_.Chance(0.1) ? static_cast<float>(Gain(12 * rng_.Uniform())) : 1;
  const codec::Law law = rng_.Chance(0.5) ? codec::Law::kMu : codec::Law::kA;
  draft.scene.samples.resize(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const float sample = std::clamp(x[i] * push * 32768.0f, -32768.0f, 32767.0f);
    draft.scene.samples[i] =
        codec::ToLinear(law, codec::FromLinear(law, static_cast<int16_t>(std::lrint(sample))));
  }
  if (wide && rng_.Chance(0.25)) {  // lost packets
    const double loss = 0.06 * rng_.Uniform();
    for (size_t i = 0; i + 160 <= x.size(); i += 160) {
      if (!rng_.Chance(loss)) continue;
      const size_t until = std::min(x.size(), i + 160 * (1 + rng_.Below(3)));
      std::fill(draft.scene.samples.begin() + static_cast<std::ptrdiff_t>(i),
                draft.scene.samples.begin() + static_cast<std::ptrdiff_t>(until), int16_t{0});
    }
  }
  return std::move(draft.scene);
}

}  // namespace outpace::bench
