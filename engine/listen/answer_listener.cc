#include "engine/listen/answer_listener.h"

#include <utility>

#include "engine/listen/answer_judge.h"

namespace outpace::listen {

struct AnswerListener::State {
  explicit State(const AnswerTuning& tuning)
      : judge(tuning, AnswerPolicy(), BuiltInAnswerModel()) {}
  AnswerJudge judge;
};

AnswerListener::AnswerListener(const AnswerTuning& tuning)
    : state_(std::make_unique<State>(tuning)) {}
AnswerListener::~AnswerListener() = default;
AnswerListener::AnswerListener(AnswerListener&&) noexcept = default;
AnswerListener& AnswerListener::operator=(AnswerListener&&) noexcept = default;

std::optional<Heard> AnswerListener::Feed(Frame frame) { return state_->judge.Feed(frame); }

}  // namespace outpace::listen
