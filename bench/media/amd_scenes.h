#pragma once

// Answered calls put together from recorded clips, as many as wanted, by a seeded generator: what
// the answering-machine detector is trained on and measured by.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/base/rng.h"

namespace outpace::bench {

struct Clip {
  std::string file;
  std::string clip_class;  // word, prompt, voicemail, carrier, beep, dtmf, ringback_recording
  std::string lang;
  std::string group;  // who speaks, as far as the source tells: "fsdd_george", "klettres_de", "zh"
  int active_start = 0;  // samples
  int active_end = 0;
  std::vector<float> samples;  // full scale 1
};

// Reads clips.csv of `dir` and the files it names.
absl::StatusOr<std::vector<Clip>> LoadClips(const std::string& dir);
// The group of a clip by the name of its file.
std::string GroupOf(absl::string_view file);

struct Scene {
  std::string name;
  bool machine = false;
  std::string subtype;
  std::string lang;
  std::string group;
  int speech_start_ms = 0;
  int beep_start_ms = -1;
  std::vector<int16_t> samples;  // 8 kHz
};

// Reads scenes.csv of `dir` and the files it names.
absl::StatusOr<std::vector<Scene>> LoadScenes(const std::string& dir);

class SceneMaker {
 public:
  // `clips` outlives the maker. Only those whose group is in `groups` are used.
  SceneMaker(const std::vector<Clip>& clips, const std::vector<std::string>& groups, uint64_t seed);

  // By the recipe of the shared scenes.
  Scene Plain();
  // With other noises, levels, filters, losses, longer people and shorter machines than the recipe.
  Scene Wide();

 private:
  struct Draft {
    std::vector<float> speech;  // levelled, before noise
    Scene scene;
  };
  const Clip& Pick(const std::vector<const Clip*>& from);
  std::vector<const Clip*> Of(absl::string_view group, std::vector<absl::string_view> classes,
                              double seconds_min, double seconds_max) const;
  void Say(Draft& draft, const Clip& clip, bool trimmed, double speed);
  void Pause(Draft& draft, double seconds_min, double seconds_max);
  void Beep(Draft& draft, bool recorded);
  void Music(Draft& draft, double seconds);
  void Human(Draft& draft, bool wide);
  void Machine(Draft& draft, bool wide);
  Draft Begin();
  Scene Finish(Draft draft, bool wide);

  const std::vector<Clip>& clips_;
  std::vector<std::string> human_groups_;
  std::vector<std::string> machine_groups_;
  std::vector<const Clip*> beeps_;
  std::vector<const Clip*> all_;
  Rng rng_;
};

}  // namespace outpace::bench
