#include "engine/listen/heard.h"

#include "engine/base/check.h"

namespace outpace::listen {

absl::string_view SoundName(Sound sound) {
  switch (sound) {
    case Sound::kNone:
      return "none";
    case Sound::kRingback:
      return "ringback";
    case Sound::kBusyTone:
      return "busy_tone";
    case Sound::kCongestionTone:
      return "congestion_tone";
    case Sound::kSitVacant:
      return "sit_vacant";
    case Sound::kSitIntercept:
      return "sit_intercept";
    case Sound::kSitNoCircuit:
      return "sit_no_circuit";
    case Sound::kSitReorder:
      return "sit_reorder";
    case Sound::kAnnouncement:
      return "announcement";
    case Sound::kSpeechOrMusic:
      return "speech_or_music";
    case Sound::kHuman:
      return "human";
    case Sound::kMachine:
      return "machine";
    case Sound::kFax:
      return "fax";
    case Sound::kSilence:
      return "silence";
    case Sound::kBeep:
      return "beep";
  }
  OUTPACE_CHECK(false);
}

absl::string_view FeatureName(size_t index) {
  static constexpr std::array<absl::string_view, kFeatureCount> kNames = {"lead_ms",
                                                                          "speech_ms",
                                                                          "words",
                                                                          "longest_word_ms",
                                                                          "longest_pause_ms",
                                                                          "pause_ms",
                                                                          "first_word_ms",
                                                                          "level_dbfs",
                                                                          "noise_dbfs",
                                                                          "level_spread_db",
                                                                          "syllable_dips",
                                                                          "voiced_share",
                                                                          "pitch_spread_semitones",
                                                                          "flux_db",
                                                                          "tail_db",
                                                                          "tone_ms"};
  OUTPACE_CHECK(index < kFeatureCount);
  return kNames[index];
}

}  // namespace outpace::listen
