#pragma once

// What can be done to an open leg's audio. One variant, so that a new feature passes through call
// shard and media plane without a function of its own in each.

#include <memory>
#include <string>
#include <variant>

#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/ids.h"
#include "engine/listen/answer_listener.h"

namespace outpace::record {
class RecordingTap;
}

namespace outpace::call {

// Audio the engine can play into a leg. The first ones are always there; from kFirstLoaded on,
// files of the prompts directory in the order of their names (media::PromptSet).
enum class Prompt : uint16_t { kSafeHarbor, kSilence, kBeep, kHoldMusic, kFirstLoaded };

// What a leg in a call of three and more hears, and who hears it.
enum class MixRole : uint8_t {
  kTalker,    // hears all, all hear it: three-way, barge
  kListener,  // hears all, nobody hears it: monitor
  kCoach,     // hears all, only the leg it joined hears it: whisper
};
inline constexpr int kMixLegsMax = 8;

// ---- actions; each on an open leg ----

// Listen to what the far end's network says before the answer. Until the answer, or ListenStop.
struct ListenEarly {
  std::string country{};  // ISO 3166 alpha-2 in lower case; empty: not known
};
// Listen to who answered. Replaces ListenEarly. Verdicts come as MediaEvents::OnHeard.
struct ListenAnswer {
  listen::AnswerTuning tuning{};
};
// Listen for a voicemail's beep only.
struct ListenBeep {
  absl::Duration within = absl::Seconds(20);
};
struct ListenStop {};

// Records this leg (left) and whoever it talks with (right) until RecordStop or the leg's end.
// shared_ptr because variants are copied; there is one owner at a time.
struct RecordStart {
  std::shared_ptr<record::RecordingTap> tap;
};
struct RecordPause {
  bool paused = true;
  // Card data is being said: nothing of it stays in memory, and keys are not told. False: the
  // recording rests, no more.
  bool confidential = true;
  MonoTime ordered{};  // it takes effect from here on; none: when it arrives
};
struct RecordStop {};

// On hold the leg hears `music` and is not heard.
struct Hold {
  bool held = true;
  Prompt music = Prompt::kHoldMusic;
};
// A muted leg is not heard; it hears.
struct Mute {
  bool muted = true;
};
// Joins the call that `with` is in: a bridge of two becomes a mix of three (8 at most;
// MediaEvents:: OnJoined tells). `with` is the leg a coach is heard by.
struct JoinCall {
  LegId with{};
  MixRole role = MixRole::kTalker;
};
struct SetRole {
  MixRole role = MixRole::kTalker;
};
// Leaves the mix; when two talkers are left they are a bridge again.
struct LeaveCall {};

// DTMF of ours to the far end (RFC 4733; 100 ms each, 60 ms between). 0-9 * # A-D, 32 at most.
struct SendDigits {
  std::string digits{};
};
struct Play {
  Prompt prompt = Prompt::kSafeHarbor;
  bool loop = false;        // until stopped
  bool over = false;        // the partner stays audible beneath it (whisper to the agent)
  bool after_beep = false;  // waits for the beep of a voicemail, at most 20 s
};
struct PlayStop {};

using MediaAction =
    std::variant<ListenEarly, ListenAnswer, ListenBeep, ListenStop, RecordStart, RecordPause,
                 RecordStop, Hold, Mute, JoinCall, SetRole, LeaveCall, SendDigits, Play, PlayStop>;

}  // namespace outpace::call
