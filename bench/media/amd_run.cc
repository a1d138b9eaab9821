#include "bench/media/amd_run.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "absl/strings/str_format.h"

namespace outpace::bench {

using listen::Sound;

Decision RunJudge(const Scene& scene, const listen::AnswerTuning& tuning,
                  const listen::AnswerPolicy& policy, const listen::AnswerModel& model) {
  listen::AnswerJudge judge(tuning, policy, model);
  const auto samples = absl::MakeConstSpan(scene.samples);
  Decision decision;
  for (size_t i = 0; i + listen::kFrameSamples <= samples.size(); i += listen::kFrameSamples) {
    const auto heard = judge.Feed(samples.subspan(i, listen::kFrameSamples));
    if (!heard || heard->sound == Sound::kBeep) continue;
    const int ms = static_cast<int>(absl::ToInt64Milliseconds(heard->after));
    if (decision.first == Sound::kNone) {
      decision.first = heard->sound;
      decision.first_ms = ms;
    }
    if (heard->sound != decision.last) {
      decision.last = heard->sound;
      decision.last_ms = ms;
    }
    decision.confidence = heard->confidence;
  }
  return decision;
}

Decision RunAsterisk(const Scene& scene, const AsteriskSettings& settings) {
  constexpr int kFrameMs = 20;
  bool in_initial_silence = true;
  bool in_greeting = false;
  bool in_word = true;
  int total = 0;
  int silence = 0;
  int voice = 0;
  int voice_run = 0;
  int words = 0;
  const auto verdict = [&](Sound sound) { return Decision{sound, total, sound, total, 1}; };
  const std::vector<int16_t>& x = scene.samples;
  for (size_t i = 0; i + listen::kFrameSamples <= x.size(); i += listen::kFrameSamples) {
    total += kFrameMs;
    if (total >= settings.total_ms) return verdict(Sound::kNone);
    int magnitude = 0;
    for (size_t j = 0; j < listen::kFrameSamples; ++j) magnitude += std::abs(int{x[i + j]});
    if (magnitude / static_cast<int>(listen::kFrameSamples) < settings.silence_threshold) {
      silence += kFrameMs;
      if (silence >= settings.between_words_ms) {
        in_word = false;
        voice_run = 0;
      }
      if (in_initial_silence && silence >= settings.initial_silence_ms) {
        return verdict(Sound::kMachine);
      }
      if (in_greeting && silence >= settings.after_greeting_silence_ms) {
        return verdict(Sound::kHuman);
      }
      continue;
    }
    silence = 0;
    voice_run += kFrameMs;
    voice += kFrameMs;
    if (voice_run >= settings.word_min_ms && !in_word) {
      ++words;
      in_word = true;
    }
    if (voice_run >= settings.word_max_ms) return verdict(Sound::kMachine);
    if (words > settings.words_max) return verdict(Sound::kMachine);
    if (in_greeting && voice >= settings.greeting_ms) return verdict(Sound::kMachine);
    if (voice_run >= settings.word_min_ms) {
      in_initial_silence = false;
      in_greeting = true;
    }
  }
  return verdict(Sound::kNone);
}

void Score::Add(const Scene& scene, const Decision& decision) {
  Count(scene, decision);
  by_subtype_[scene.subtype].Count(scene, decision);
  by_lang_[scene.lang].Count(scene, decision);
}

void Score::Count(const Scene& scene, const Decision& decision) {
  const bool first = decision.first == Sound::kMachine;
  const bool last = decision.last == Sound::kMachine;
  humans_ += scene.machine ? 0 : 1;
  lost_ += last && !scene.machine ? 1 : 0;
  missed_ += !last && scene.machine ? 1 : 0;
  lost_first_ += first && !scene.machine ? 1 : 0;
  missed_first_ += !first && scene.machine ? 1 : 0;
  first_ms_.push_back(decision.first_ms);
  last_ms_.push_back(decision.last_ms);
  first_since_speech_ms_.push_back(decision.first_ms - scene.speech_start_ms);
  last_since_speech_ms_.push_back(decision.last_ms - scene.speech_start_ms);
}

double Score::accuracy() const { return 1 - static_cast<double>(lost_ + missed_) / scenes(); }
double Score::accuracy_first() const {
  return 1 - static_cast<double>(lost_first_ + missed_first_) / scenes();
}

double Score::Quantile(Moment moment, double share) const {
  std::vector<double> times = moment == Moment::kFirst              ? first_ms_
                              : moment == Moment::kLast             ? last_ms_
                              : moment == Moment::kFirstSinceSpeech ? first_since_speech_ms_
                                                                    : last_since_speech_ms_;
  if (times.empty()) return 0;
  std::sort(times.begin(), times.end());
  // The median of an even number is the mean of the two in the middle; so are other quantiles here.
  const double at = share * static_cast<double>(times.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, times.size() - 1);
  return times[below] + (times[above] - times[below]) * (at - static_cast<double>(below));
}

std::string ScoreLine(const Score& score) {
  using enum Score::Moment;
  return absl::StrFormat(
      "accuracy %.3f (first verdict %.3f)  people lost %d/%d  machines missed %d/%d  median ms "
      "since answer %.0f, since speech %.0f (first %.0f, %.0f)  p90 %.0f",
      score.accuracy(), score.accuracy_first(), score.lost(), score.humans(), score.missed(),
      score.machines(), score.Quantile(kLast, 0.5), score.Quantile(kLastSinceSpeech, 0.5),
      score.Quantile(kFirst, 0.5), score.Quantile(kFirstSinceSpeech, 0.5),
      score.Quantile(kLast, 0.9));
}

}  // namespace outpace::bench
