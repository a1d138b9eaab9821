#pragma once

// Detectors run over scenes, and what is counted of their verdicts.

#include <map>
#include <string>
#include <vector>

#include "bench/media/amd_scenes.h"
#include "engine/listen/answer_judge.h"

namespace outpace::bench {

// What a detector said of a scene. Times in ms of audio since the answer. `first` is what it said
// first; `last` what it stood by, since when. kNone: nothing.
struct Decision {
  listen::Sound first = listen::Sound::kNone;
  int first_ms = 0;
  listen::Sound last = listen::Sound::kNone;
  int last_ms = 0;
  float confidence = 0;  // of the last
};

Decision RunJudge(const Scene& scene, const listen::AnswerTuning& tuning,
                  const listen::AnswerPolicy& policy, const listen::AnswerModel& model);

// Asterisk's app_amd, built anew from its documentation and the order of its tests: a frame's mean
// magnitude against a threshold, and counters of silence, voice and words.
struct AsteriskSettings {
  int initial_silence_ms = 2500;
  int greeting_ms = 1500;
  int after_greeting_silence_ms = 800;
  int total_ms = 5000;
  int word_min_ms = 100;
  int between_words_ms = 50;
  int words_max = 2;  // more than these: a machine
  int word_max_ms = 5000;
  int silence_threshold = 256;  // of 32768
};
Decision RunAsterisk(const Scene& scene, const AsteriskSettings& settings);

// Counts over a set of scenes. Who is not called a machine counts as a person: that is what becomes
// of the call.
class Score {
 public:
  void Add(const Scene& scene, const Decision& decision);

  int scenes() const { return static_cast<int>(last_ms_.size()); }
  double accuracy() const;        // by the last verdict
  double accuracy_first() const;  // by the first
  int humans() const { return humans_; }
  int machines() const { return scenes() - humans_; }
  int lost() const { return lost_; }      // people called machines
  int missed() const { return missed_; }  // machines called people
  int lost_first() const { return lost_first_; }
  int missed_first() const { return missed_first_; }
  enum class Moment : uint8_t { kFirst, kLast, kFirstSinceSpeech, kLastSinceSpeech };
  double Quantile(Moment moment, double share) const;  // ms
  const std::vector<double>& last_ms() const { return last_ms_; }
  const std::map<std::string, Score>& by_subtype() const { return by_subtype_; }
  const std::map<std::string, Score>& by_lang() const { return by_lang_; }

 private:
  void Count(const Scene& scene, const Decision& decision);

  int humans_ = 0;
  int lost_ = 0;
  int missed_ = 0;
  int lost_first_ = 0;
  int missed_first_ = 0;
  std::vector<double> first_ms_;
  std::vector<double> last_ms_;
  std::vector<double> first_since_speech_ms_;
  std::vector<double> last_since_speech_ms_;
  std::map<std::string, Score> by_subtype_;
  std::map<std::string, Score> by_lang_;
};

// One line: accuracy, people lost, machines missed, times.
std::string ScoreLine(const Score& score);

}  // namespace outpace::bench
