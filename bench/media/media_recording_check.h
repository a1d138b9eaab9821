#pragma once

// Whether a recording of the soak holds what was said: its length, and on either side the tone of
// each second of the call at its place. Written apart from the code under test.

#include <cstdint>
#include <string>

#include "engine/record/recording.h"

namespace outpace::bench {

struct RecordingExpected {
  std::string path;
  record::Format format = record::Format::kWav;
  double seconds_min = 0, seconds_max = 0;  // between order and end, as far apart as they can be
  double tone_at = 0;                       // seconds after the order when the tones begin
  int tone_seconds = 0;                     // whole seconds of tone; 0: tones are not looked at
  std::string sha256;                       // hex
};

// What is wrong; empty: nothing is. Tones and checksum only for `thorough`; of Opus only that it is
// there.
std::string CheckRecording(const RecordingExpected& expected, bool thorough);

}  // namespace outpace::bench
