#pragma once

// Reads a recording back, whatever its format, sealed or not, whole or cut: for export, for repair
// after a crash, and for tests.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/record/key_ring.h"
#include "engine/record/opus_stream.h"
#include "engine/record/recording_files.h"
#include "engine/record/sealed.h"

namespace outpace::record {

class RecordingReader {
 public:
  // DataLoss: no recording of ours, or damaged. FailedPrecondition: sealed with a key that is not
  // in `keys`. `file` outlives the reader.
  static absl::StatusOr<std::unique_ptr<RecordingReader>> Open(RecordingFile& file,
                                                               const KeyRing& keys,
                                                               bool decode = true);
  // Appends the next samples, 8000 a second, left (callee) and right (agent) in turn; false at the
  // end. DataLoss: the file was changed since it was written.
  absl::StatusOr<bool> Next(std::vector<int16_t>& stereo);

  Format format() const { return format_; }  // of WAV files after the first Next()
  bool header_read() const { return header_read_ || format_ == Format::kOpus || encrypted(); }
  bool encrypted() const { return unsealer_ != nullptr; }
  // Samples of each side so far.
  int64_t samples() const { return samples_; }
  // After the end: a sealed file without its final chunk.
  bool cut() const { return unsealer_ != nullptr && !unsealer_->complete(); }
  // For the repair.
  const Unsealer* unsealer() const { return unsealer_.get(); }
  Unsealer* unsealer() { return unsealer_.get(); }
  const OpusReader& opus() const { return opus_; }

 private:
  RecordingReader(RecordingFile& file, bool decode) : file_(file), decode_(decode), opus_(decode) {}
  absl::StatusOr<std::string> NextBytes();
  absl::Status TakeHeader();

  RecordingFile& file_;
  const bool decode_;
  std::unique_ptr<Unsealer> unsealer_;
  OpusReader opus_;
  Format format_ = Format::kWav;
  uint64_t offset_ = 0;  // of the file, where it is not sealed
  uint64_t left_ = 0;    // octets of audio to come
  int64_t samples_ = 0;
  std::string rest_;  // less than a frame, or the header's beginning
  bool header_read_ = false;
};

// Hex of the SHA-256 of a whole file.
absl::StatusOr<std::string> Sha256Of(RecordingFile& file);

}  // namespace outpace::record
