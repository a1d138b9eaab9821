#pragma once

// What the far end says. All of it is made by arithmetic at start or read from a WAV file, and is
// kept encoded, so that a call only walks over shared bytes.
//
// The voices are built to be told apart by call-progress detection the way real ones are: a person
// says one short word and waits, a machine talks for seconds almost without pause and then beeps.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace outpace::farend {

inline constexpr int kFrameSamples = 160;  // 20 ms at 8 kHz

uint8_t EncodeUlaw(int16_t sample);  // ITU-T G.711
uint8_t EncodeAlaw(int16_t sample);
int16_t DecodeUlaw(uint8_t code);
int16_t DecodeAlaw(uint8_t code);

// Whole 20 ms frames of one voice, in both laws.
struct Clip {
  std::string ulaw;  // one byte a sample
  std::string alaw;
  // Where playing goes on after the last frame: a frame number, or `frames()` to go silent.
  size_t loop_from = 0;
  size_t frames() const { return ulaw.size() / kFrameSamples; }
};

// Pads `samples` (8 kHz, linear) to whole frames and encodes them.
std::shared_ptr<const Clip> MakeClip(const std::vector<int16_t>& samples, size_t loop_from);

// "human": a short hello, 2.5 s of listening, then now and then a sentence, for ever.
// "machine": a 5 s greeting, 1 kHz beep, then silence, as if it recorded.
// "ringback", "ringback_cn", "busy", "sit": network tones (ITU-T E.180 and E.182).
// "music": a coloured ring tone (彩铃): neither silence nor a tone. "silence": packets of silence.
// Anything else is the path of a WAV file: 8 kHz, one channel, 16 bit linear or G.711; it plays
// once. NotFound or InvalidArgument say what is wrong with the file.
absl::StatusOr<std::shared_ptr<const Clip>> LoadClip(absl::string_view name);

}  // namespace outpace::farend
