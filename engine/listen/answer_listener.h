#pragma once

// Who answered: a person, a machine, a fax, or nobody. Streaming, a frame at a time.

#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "engine/listen/heard.h"

namespace outpace::listen {

// How willing the detector is to say "machine" and how long it may take. Per campaign.
struct AnswerTuning {
  // Odds in favour of "human": a verdict "machine" wants a confidence above this. 0.5..0.999; what
  // the campaign's measured errors ask for (AnswerTuner).
  float machine_confidence_min = 0.9f;
  // Whoever is not judged a machine by then is taken for a person. > 0; since the answer.
  absl::Duration decide_within = absl::Seconds(4);
  // Nothing said for so long: kSilence. 0: never. Where this is longer than decide_within, kHuman
  // comes first.
  absl::Duration silence_max = absl::Seconds(4);
  // After a verdict "human" go on listening for so long, and take it back if a machine is found out
  // (non-blocking mode: the agent has the call already). 0: the first verdict is the last.
  absl::Duration second_thoughts = absl::Seconds(6);
  // After "machine": listen for the beep so long. 0: do not.
  absl::Duration beep_within{};
};

class AnswerListener {
 public:
  // Starts at the answer.
  explicit AnswerListener(const AnswerTuning& tuning);
  ~AnswerListener();
  AnswerListener(AnswerListener&&) noexcept;
  AnswerListener& operator=(AnswerListener&&) noexcept;

  // `frame`: the next 20 ms; silence where packets were lost. A verdict when there is a new one.
  // No allocation. Nothing more comes after one with `last`:
  //   kHuman   with second thoughts first without `last`; then kMachine, kFax, kSilence (nobody has
  //            spoken after all), or, when they are over, kHuman again with `last`.
  //   kMachine without `last` where a beep is waited for; then kBeep, or kMachine again with
  //   `last`. kFax, kSilence: always with `last`.
  // A beep that is heard before a verdict makes it kMachine.
  std::optional<Heard> Feed(Frame frame);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace outpace::listen
