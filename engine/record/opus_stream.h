#pragma once

// Ogg Opus (RFC 7845): the only place of this folder with Opus headers. libopus is used directly
// and the pages are made here: libopusenc would resample to 48 kHz first and holds pages back, and
// a page a second is what makes a recording playable after a crash. The two sides are two mono
// streams of one multistream packet (channel mapping family 1, no coupling), so that nothing of one
// side is heard on the other, and the side that is silent costs almost nothing.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/record/audio_stream.h"

namespace outpace::record {

// One thread. 60 ms packets, 16 kbit/s a side at most, variable. No DTX: it would take a held tone
// for noise.
std::unique_ptr<AudioStream> NewOpusStream(uint32_t serial);

// Reads what NewOpusStream() wrote, in pieces of any size, even if its end is missing.
class OpusReader {
 public:
  // `decode` false: only counts and checks, without a sample of output.
  explicit OpusReader(bool decode = true);
  ~OpusReader();
  // Takes the next octets of the file and appends stereo samples at 8000 Hz. DataLoss for pages
  // that are damaged or not of ours.
  absl::Status Take(absl::string_view bytes, std::vector<int16_t>& stereo);
  int64_t samples() const { return samples_; }           // so far, of each side
  bool ended() const { return ended_; }                  // the last page was seen
  uint64_t whole_bytes() const { return whole_bytes_; }  // up to the end of the last whole page
  uint32_t serial() const { return serial_; }
  uint32_t pages() const { return pages_; }
  uint64_t granule() const { return granule_; }

 private:
  struct Decoder;
  absl::Status Page(absl::string_view page, std::vector<int16_t>& stereo);

  const bool decode_;
  std::unique_ptr<Decoder> decoder_;
  std::string rest_;
  int64_t samples_ = 0;
  int64_t front_ = 0, skip_ = 0;  // samples before the first that counts; of them yet to come
  uint64_t whole_bytes_ = 0, granule_ = 0;
  uint32_t serial_ = 0, pages_ = 0;
  bool ended_ = false;
};

// An empty last page for a file whose end is missing.
std::string OggEndPage(uint32_t serial, uint32_t number, uint64_t granule);

}  // namespace outpace::record
