#pragma once

// What the people and networks behind the carrier do, as data. A scenario is a seed, a share for
// each class of answer, times drawn from distributions, and rules that pin numbers to a class. The
// fate of a number is a pure function of the seed and the number: it does not depend on when, or in
// which order, numbers are dialed, so two runs with different pacing meet the same people.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/rng.h"

namespace outpace::farend {

enum class AnswerClass {
  kHuman,          // rings, 200, hello, listens
  kMachine,        // rings, 200, greeting and beep
  kNoAnswer,       // rings until the caller gives up
  kBusy,           // 486, Q.850 17
  kInvalid,        // 404, Q.850 1: vacant number, 空号
  kUnreachable,    // 480, Q.850 20: switched off, 关机
  kCongestion,     // 503, Q.850 34
  kEarlyMedia,     // 183 and audio, then 200 or a failure
  kReject,         // 603, Q.850 21
  kSilentTrunk,    // no response at all
  kSilentHuman,    // 200, then no audio
  kCrossCancel,    // rings, and answers just as the CANCEL comes
  kHangupMidCall,  // a human who hangs up soon
};
inline constexpr int kAnswerClasses = 13;
// "human", "no_answer", ...: as in scenario files and the log's `class`.
absl::string_view AnswerClassName(AnswerClass c);
std::optional<AnswerClass> FindAnswerClass(absl::string_view name);

// A law of a time in seconds; never draws below zero.
struct Distribution {
  enum class Law { kConstant, kUniform, kExponential, kLognormal, kErlang } law = Law::kConstant;
  double a = 0;  // constant: value; uniform: least; others: mean
  double b = 0;  // uniform: greatest; lognormal: coefficient of variation; erlang: number of stages
  absl::Duration Draw(Rng& rng) const;
};

// What one class of numbers does. A rule starts from its class and changes some of it.
struct Behaviour {
  AnswerClass answer = AnswerClass::kHuman;
  Distribution post_dial_delay;          // INVITE to the first response above 100
  std::optional<Distribution> ring;      // from then to the final; absent: rings until the CANCEL
  std::optional<Distribution> talk;      // answer to the far end's hang-up; absent: it stays
  std::optional<Distribution> patience;  // hangs up after this long without a packet; absent: never
  std::string early_audio;               // name or WAV; not empty: 183 instead of 180
  std::string audio = "silence";         // after the answer; "none": sends nothing
  double answer_share = 1;               // of early_media: how many end in a 200, [0, 1]
  int status = 0;                        // of a failure, 300..699
  int q850_cause = 0;
  int retry_after_s = 0;
  std::string phrase;
};

// What happens to one call, fully drawn.
struct Plan {
  AnswerClass answer = AnswerClass::kHuman;
  absl::Duration post_dial_delay;
  std::optional<absl::Duration> ring;
  std::optional<absl::Duration> talk;
  std::optional<absl::Duration> patience;
  std::string early_audio;
  std::string audio;
  bool answers = false;  // ends in a 200, else in `status`
  int status = 0;
  int q850_cause = 0;
  int retry_after_s = 0;
  std::string phrase;
};

class Scenario {
 public:
  // The scenario that `outpace carrier` runs when no file is given.
  static Scenario Default();
  // InvalidArgument is "file:line: what is wrong; what to do". `name` stands for the file.
  static absl::StatusOr<Scenario> Parse(absl::string_view toml, const std::string& name);
  // NotFound when the file cannot be read.
  static absl::StatusOr<Scenario> Load(const std::string& path);

  uint64_t seed() const { return seed_; }
  void set_seed(uint64_t seed) { seed_ = seed; }
  // The fate of `digits` ("12025550100"). `call` counts the calls to that number from 0; it matters
  // only if the file says repeat = "fresh".
  Plan PlanFor(absl::string_view digits, uint64_t call) const;
  // All names of audio that calls may play.
  std::vector<std::string> AudioNames() const;
  bool fresh_on_repeat() const { return fresh_on_repeat_; }

 private:
  struct Share {
    Behaviour behaviour;
    double share = 0;
  };
  struct Rule {
    std::string match;
    Behaviour behaviour;
  };
  friend class ScenarioReader;

  uint64_t seed_ = 1;
  bool fresh_on_repeat_ = false;
  std::vector<Share> shares_;  // in AnswerClass order; shares add up to 1
  std::vector<Rule> rules_;    // the first that matches wins
};

// Shell-like match of a whole number: '*' any digits, '?' one digit.
bool MatchesNumber(absl::string_view pattern, absl::string_view digits);

}  // namespace outpace::farend
