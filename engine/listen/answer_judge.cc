#include "engine/listen/answer_judge.h"

#include <algorithm>
#include <cmath>

#include "engine/base/check.h"

namespace outpace::listen {
namespace {

constexpr absl::Duration kFrameLength = absl::Milliseconds(20);
constexpr int kForever = 1 << 30;
constexpr float kFaxConfidence = 0.98f;
constexpr float kSilenceConfidence = 0.95f;

int FramesOf(absl::Duration duration) {
  if (duration >= absl::Hours(1)) return kForever;
  return static_cast<int>((duration + kFrameLength / 2) / kFrameLength);
}

}  // namespace

AnswerJudge::AnswerJudge(const AnswerTuning& tuning, const AnswerPolicy& policy,
                         const AnswerModel& model)
    : tuning_(tuning),
      policy_(policy),
      model_(&model),
      decide_frames_(FramesOf(tuning.decide_within)),
      silence_frames_(FramesOf(tuning.silence_max)),
      second_frames_(FramesOf(tuning.second_thoughts)),
      beep_frames_(FramesOf(tuning.beep_within)) {
  OUTPACE_CHECK(tuning.machine_confidence_min >= 0.5f && tuning.machine_confidence_min <= 0.999f);
  OUTPACE_CHECK(tuning.decide_within > absl::ZeroDuration());
  OUTPACE_CHECK(tuning.silence_max >= absl::ZeroDuration());
  OUTPACE_CHECK(tuning.second_thoughts >= absl::ZeroDuration());
  OUTPACE_CHECK(tuning.beep_within >= absl::ZeroDuration());
}

std::optional<Heard> AnswerJudge::Feed(Frame frame) {
  if (phase_ == Phase::kDone) return std::nullopt;
  features_.Add(frame);
  const bool beep = beep_.Feed(features_.last().level_db, features_.tone());
  if (phase_ == Phase::kBeep) return ListenForBeep(beep);
  if (fax_.Feed(features_.tone(), features_.speech_frames() > 0)) {
    return Say(Sound::kFax, kFaxConfidence, true);
  }
  // Twice as often would cost twice as much and decide 10 ms earlier.
  if (features_.spoken() && (features_.frames() & 1) == 0) {
    AnswerInputs inputs;
    features_.Fill(inputs);
    probability_ = 1 / (1 + policy_.machine_handicap * std::exp(-model_->Logit(inputs)));
  }
  return Judge(beep);
}

std::optional<Heard> AnswerJudge::Judge(bool beep) {
  const int now = features_.frames();
  const bool again = phase_ == Phase::kSecondThoughts;
  const float by_beep = std::max(probability_, policy_.beep_confidence);
  if (beep && by_beep >= tuning_.machine_confidence_min) return SayMachine(by_beep, true);
  if (!features_.spoken()) {
    if (silence_frames_ > 0 && now >= silence_frames_ && (!again || now <= phase_end_)) {
      return Say(Sound::kSilence, kSilenceConfidence, true);
    }
  } else if (features_.speech_frames() >= policy_.speech_frames_min) {
    if (probability_ >= tuning_.machine_confidence_min) return SayMachine(probability_, false);
    const float below = second_frames_ > 0 ? policy_.human_below : policy_.human_below_final;
    if (!again && probability_ < below) return SayHuman(second_frames_ > 0);
  }
  if (!again && now >= decide_frames_) return SayHuman(second_frames_ > 0);
  // The verdict stands: said once more, so that whoever feeds us can stop.
  const bool converses =
      features_.spoken() && features_.pause_frames() >= policy_.conversation_pause_frames;
  if (again && (converses || now >= phase_end_)) return Say(Sound::kHuman, 1 - probability_, true);
  return std::nullopt;
}

std::optional<Heard> AnswerJudge::ListenForBeep(bool beep) {
  if (beep) {
    Heard heard = Say(Sound::kBeep, policy_.beep_confidence, true);
    return heard;
  }
  if (features_.frames() < phase_end_) return std::nullopt;
  return Say(Sound::kMachine, said_confidence_, true);
}

Heard AnswerJudge::SayHuman(bool may_be_taken_back) {
  phase_ = Phase::kSecondThoughts;
  phase_end_ = features_.frames() + second_frames_;
  return Say(Sound::kHuman, 1 - probability_, !may_be_taken_back);
}

Heard AnswerJudge::SayMachine(float confidence, bool beep) {
  const bool listen_on = beep_frames_ > 0 && !beep;
  phase_ = Phase::kBeep;
  phase_end_ = features_.frames() + beep_frames_;
  Heard heard = Say(Sound::kMachine, confidence, !listen_on);
  heard.by_beep = beep;
  return heard;
}

Heard AnswerJudge::Say(Sound sound, float confidence, bool last) {
  if (last) phase_ = Phase::kDone;
  said_confidence_ = confidence;
  Heard heard;
  heard.sound = sound;
  heard.confidence = confidence;
  heard.after = kFrameLength * features_.frames();
  heard.last = last;
  heard.features = features_.ForRecord();
  return heard;
}

}  // namespace outpace::listen
