#pragma once

// Reads the one kind of sound file the engine plays: RIFF/WAVE, mono, 8000 Hz, 16-bit PCM, mu-law
// or A-law. Nothing is resampled or mixed down: a prompt is prepared once, with a tool made for it,
// and what a called person hears is then what was listened to when it was approved.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace outpace::codec {

// The longest prompt taken: ten minutes. A file beyond that is a mistake, not a message.
inline constexpr size_t kWavSamplesMax = 600 * 8000;

// Linear samples, 8000 a second, of the WAV file in `bytes`. `name` is the file's name for
// messages. InvalidArgument says what is wrong and how to make a file that fits.
absl::StatusOr<std::vector<int16_t>> ParseWav(absl::string_view bytes, absl::string_view name);

// Reads the file at `path`. NotFound or PermissionDenied when it cannot be read, otherwise as
// ParseWav.
absl::StatusOr<std::vector<int16_t>> LoadWav(const std::string& path);

}  // namespace outpace::codec
