#pragma once

// The rules by which an answer is judged, frame by frame, with a model given: what AnswerListener
// is, apart from whose weights it uses. Training and measuring run the same rules with other
// models.
//
// The two mistakes do not weigh the same. Who is taken for a machine is hung up on: that verdict
// waits for the confidence the campaign asks for. A machine taken for a person costs an agent some
// seconds, and where there are second thoughts it is put right: so a person may be reported early,
// while the model is merely inclined to think so, and who is still undecided at `decide_within` is
// a person.

#include <array>
#include <optional>

#include "engine/listen/answer_features.h"
#include "engine/listen/answer_listener.h"
#include "engine/listen/answer_model.h"
#include "engine/listen/beep_detector.h"
#include "engine/listen/fax_tones.h"
#include "engine/listen/heard.h"

namespace outpace::listen {

// Not a campaign's to set: found on speakers held out of training (docs/decisions/amd.md).
struct AnswerPolicy {
  // The odds of a machine are divided by this: the line for a verdict is looked at 25 times a
  // second, and who looks that often sees it crossed by chance.
  float machine_handicap = 2.5f;
  float human_below = 0.3f;         // probability of a machine below which it is a person, ...
  float human_below_final = 0.06f;  // ... and where that verdict cannot be taken back
  int speech_frames_min = 10;       // of speech before any verdict
  // Second thoughts end with a pause this long: what is said after it answers somebody, as a person
  // in a conversation does, and may be long. A greeting after a "hello" comes sooner.
  int conversation_pause_frames = 80;
  float beep_confidence = 0.995f;   // that a machine answered, once one has beeped
};

class AnswerJudge {
 public:
  // `model` outlives the judge.
  AnswerJudge(const AnswerTuning& tuning, const AnswerPolicy& policy, const AnswerModel& model);

  // As AnswerListener::Feed().
  std::optional<Heard> Feed(Frame frame);

  const AnswerFeatures& features() const { return features_; }
  float machine_probability() const { return probability_; }  // 0.5 while nobody has spoken

 private:
  enum class Phase : uint8_t { kJudging, kSecondThoughts, kBeep, kDone };

  std::optional<Heard> Judge(bool beep);
  std::optional<Heard> ListenForBeep(bool beep);
  Heard Say(Sound sound, float confidence, bool last);
  Heard SayHuman(bool may_be_taken_back);
  Heard SayMachine(float confidence, bool beep);

  AnswerTuning tuning_;
  AnswerPolicy policy_;
  const AnswerModel* model_;
  // The tuning in frames.
  int decide_frames_;
  int silence_frames_;
  int second_frames_;
  int beep_frames_;
  AnswerFeatures features_;
  FaxTones fax_;
  BeepDetector beep_;
  Phase phase_ = Phase::kJudging;
  int phase_end_ = 0;  // of second thoughts or of listening for the beep, in frames
  float probability_ = 0.5f;
  float said_confidence_ = 0;
};

}  // namespace outpace::listen
