#pragma once

// The formats, as the writer sees them: stereo samples in, octets of a file out. All are written
// front to back, so that what is on the disk can be played at any moment; a WAV header, which says
// how much follows, is brought up to date after the audio it speaks of, never before.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/record/recording.h"

namespace outpace::record {

// A stretch of silence of a recording, in samples.
struct Gap {
  Mark::Kind kind = Mark::Kind::kPaused;
  int64_t from = 0, to = 0;
};

class AudioStream {
 public:
  virtual ~AudioStream() = default;
  // What the file begins with, to be read to its end, however long that will be.
  virtual void Begin(std::string& to) = 0;
  // Appends interleaved samples, left and right; `stereo` has an even size.
  virtual void Append(absl::Span<const int16_t> stereo, std::string& to) = 0;
  // What follows the last audio. `samples`: how many there were of each side.
  virtual void Finish(int64_t samples, absl::Span<const Gap> gaps, std::string& to) = 0;
  // Forgets what was said so far where the format can.
  virtual void Reset() {}
  // The file's first octets once `audio_bytes` of audio and `tail_bytes` behind it are written;
  // empty: they do not change.
  virtual std::string Header(uint64_t audio_bytes, uint64_t tail_bytes) const = 0;
};

// `serial`: of the Ogg stream; any number that differs from file to file.
std::unique_ptr<AudioStream> NewAudioStream(Format format, uint32_t serial);

// RIFF/WAVE (Microsoft and IBM, 1991; "New Multimedia Data Types", 1994).
inline constexpr size_t kWavHeaderBytes = 44;      // 16-bit PCM
inline constexpr size_t kWavUlawHeaderBytes = 58;  // with a fact chunk, which all but PCM need
// `audio_bytes` UINT64_MAX: as long as the file is.
std::string WavHeader(Format format, uint64_t audio_bytes, uint64_t tail_bytes);
// Chunks `cue ` and `LIST` `adtl` that mark the gaps; empty for none.
std::string WavCues(absl::Span<const Gap> gaps);
inline size_t WavFrameBytes(Format format) { return format == Format::kWav ? 4 : 2; }

}  // namespace outpace::record
