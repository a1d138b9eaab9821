#pragma once

// What a recording is: ordered by the controller, fed by the media thread, written by the writer
// thread, and told of when it is closed. Stereo: callee left, agent right.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/ids.h"

namespace outpace::record {

enum class Format : uint8_t { kWav, kWavUlaw, kOpus };  // 16-bit PCM, mu-law, Ogg Opus
absl::string_view FormatName(Format format);            // "wav", "wav-ulaw", "opus"

// One call's recording. The file's name is made of it by the pattern (docs/RECORDINGS.md).
struct RecordingOrder {
  AttemptId attempt;
  LeadId lead;
  CampaignId campaign;
  AgentId agent;
  std::string number;  // E.164 with "+", only for the file's name, if the pattern asks for it
  absl::Time started;  // wall clock
  Format format = Format::kWav;
  bool encrypted = false;
  bool paused = false;  // starts paused
};

// A stretch of a recording that holds silence in place of what was said.
struct Mark {
  enum class Kind : uint8_t { kPaused, kLost };  // at the agent's wish; for want of a working disk
  Kind kind = Kind::kPaused;
  absl::Duration from{}, to{};  // since the recording began; from < to
};

// Sent once a recording, when its file is whole, named and synced; or at the next start for one
// that a crash cut off (`cut` is then set).
struct RecordingClosed {
  AttemptId attempt;
  // These are as ordered; empty if a crash left nothing but the audio.
  LeadId lead;
  CampaignId campaign;
  AgentId agent;
  absl::Time started = absl::InfinitePast();
  Format format = Format::kWav;
  bool encrypted = false;
  std::string file;    // relative to the recordings directory; empty: nothing could be written
  std::string sha256;  // hex, of the file as it lies on the disk
  uint64_t bytes = 0;
  absl::Duration length{};
  absl::Duration paused{};  // of it, not recorded at the agent's wish
  absl::Duration lost{};    // of it, marked gaps: the disk stalled
  std::vector<Mark> marks;  // where, by rising time; WAV files hold them as cues too
  bool cut = false;         // the engine died or was stopped during the call
  std::string fault;        // empty: none; else what went wrong and what to do
};

}  // namespace outpace::record
