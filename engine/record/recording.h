#pragma once

// What a recording is: ordered by the controller, fed by the media thread, written by the writer
// thread, and told of when it is closed. Stereo: callee left, agent right.

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "engine/base/ids.h"

namespace outpace::record {

enum class Format : uint8_t { kWav, kWavUlaw, kOpus };  // 16-bit PCM, mu-law, Ogg Opus

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

// Sent once a recording, when its file is whole, named and synced; or at the next start for one
// that a crash cut off (`cut` is then set).
struct RecordingClosed {
  AttemptId attempt;
  std::string file;    // relative to the recordings directory; empty: nothing could be written
  std::string sha256;  // hex, of the file as it lies on the disk
  uint64_t bytes = 0;
  absl::Duration length{};
  absl::Duration paused{};  // of it, not recorded at the agent's wish
  absl::Duration lost{};    // of it, marked gaps: the disk stalled
  bool cut = false;         // the engine died during the call
  std::string fault;        // empty: none; else what went wrong and what to do
};

}  // namespace outpace::record
