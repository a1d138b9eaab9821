#pragma once

// Finds in what is heard a place of a sample. Every frame's bits are looked up in an index (two
// keys of 16 bits, with the least sure ones also turned over); a place that many of the frames
// before agree with becomes a track, which is followed frame by frame. A track that has agreed for
// long enough, over a part that no other class shares, names the announcement. Work per frame is
// bounded by the limits below, however many samples the set holds.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/listen/fingerprint_bands.h"
#include "engine/listen/fingerprint_set.h"

namespace outpace::listen {

// A call's frames fall anywhere between a sample's: each sample is kept at so many offsets, 5 ms
// apart.
inline constexpr size_t kOffsets = 4;
// Bits of the two keys: the even and the odd ones, eight pairs of neighbours left out at the ends.
inline constexpr size_t kKeys = 2;
inline constexpr size_t kKeyBits = 16;

struct SamplePrint {
  std::string announcement_class;
  std::string name;
  double seconds = 0;
  // kOffsets rows of `frames` each: [offset * frames + frame].
  uint32_t frames = 0;
  std::vector<SubPrint> prints;
  // Frames that a sample of another class sounds like ("the number you have dialed ..."): no
  // evidence.
  std::vector<uint8_t> shared;
  float sure_seconds = 0;  // of frames that say something and are not shared
};

struct FingerprintSet::Data {
  struct Place {
    uint16_t sample;
    uint16_t at;  // offset * frames + frame
  };
  std::vector<SamplePrint> samples;
  // Places by key, in buckets: those of key k are places[key][first[key][k] .. first[key][k + 1]).
  std::array<std::vector<uint32_t>, kKeys> first;
  std::array<std::vector<Place>, kKeys> places;
  // Fills the index and `shared` from the samples.
  void Build();
};

// The key of `print` and how many of its bits are sure.
struct PrintKey {
  uint16_t key = 0;
  int sure = 0;
};
PrintKey KeyOf(const SubPrint& print, size_t which);

struct Match {
  uint16_t sample = 0;
  float confidence = 0;
  float error = 0;    // share of bits that differed
  float seconds = 0;  // matched
};

class FingerprintMatcher {
 public:
  // `data` outlives the matcher. `ignore`: a sample not to be found, for comparing samples; -1:
  // none.
  explicit FingerprintMatcher(const FingerprintSet::Data& data, int ignore = -1);

  // The next frame's bits; a match when one is certain. No allocation.
  std::optional<Match> Feed(const SubPrint& print);
  // Something follows a place of a sample just now.
  bool Following() const;

 private:
  friend struct FingerprintSet::Data;
  static constexpr size_t kHistory = 128;  // frames
  static constexpr size_t kTracks = 8;
  struct Track {
    bool used = false;
    uint16_t sample = 0;
    uint16_t offset = 0;
    int32_t frame = 0;                         // of the sample, at the newest frame fed
    int32_t begun = 0;                         // frame of the sample at which the track begins
    float wrong = 0, asked = 0;                // weighted bits of the whole track, parts not shared
    float recent_wrong = 0, recent_asked = 0;  // fading
    int spoken = 0;  // frames that said something and agreed about it, not shared
    int dead = 0;    // frames beyond the end, or disagreeing, in a row
  };

  void Step(Track& track, const SubPrint& heard);
  void Look(const SubPrint& print);
  void Try(FingerprintSet::Data::Place place);
  std::optional<Match> Decide() const;

  const FingerprintSet::Data& data_;
  const int ignore_;
  std::array<SubPrint, kHistory> history_{};
  size_t fed_ = 0;
  std::array<Track, kTracks> tracks_{};
};

}  // namespace outpace::listen
