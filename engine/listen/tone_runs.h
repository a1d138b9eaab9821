#pragma once

// Frames into runs: so many milliseconds of tone, so many of quiet. Edges are placed inside frames
// by the share of the tone's energy that a frame at the edge holds, lost packets and clicks of less
// than 60 ms are bridged, and whatever sounds but is no tone ends the sequence.

#include <array>
#include <cmath>
#include <cstddef>

#include "absl/types/span.h"
#include "engine/listen/tone_analysis.h"

namespace outpace::listen {

struct ToneRun {
  bool on = false;
  bool whole = false;  // both ends were seen: `ms` is the length, otherwise it is that at least
  bool pure = false;   // of one frequency
  bool steady = true;  // which did not wander while it sounded, as that of a voice does
  float hz = 0;
  float ms = 0;
};

class ToneRuns {
 public:
  // Frames below this are quiet: -43 dBm0, 8 dB under the weakest tone a network may send us.
  static constexpr float kQuietMax = kMeanSquare0dBm0 * 5e-5f;

  ToneRuns() { before_.fill(INFINITY); }

  enum class News { kNone, kGrew, kRunEnded, kBroken };
  News Feed(const ToneFrame& frame);

  // Oldest first; the last one is going on (never whole).
  absl::Span<const ToneRun> runs() const { return {runs_.data(), count_}; }
  // Forgets the oldest run; not the one going on.
  void DropOldest();

 private:
  static constexpr size_t kRunsMax = 16;
  static constexpr int kTonalFramesMin = 3;  // a shorter sound is a click
  static constexpr size_t kWaitingMax = 5;

  enum class Is { kQuiet, kTone, kOther };
  struct Waiting {
    Is is = Is::kQuiet;
    float energy = 0, hz = 0;
    bool pure = false;
  };

  Is Classify(const ToneFrame& frame) const;
  bool BeginningSeen(const ToneFrame& frame);
  void StartTone(float start_ms, bool whole, const ToneFrame& frame);
  void AddToTone(const ToneFrame& frame);
  void EndTone(float end_ms, bool whole);
  void Push(const ToneRun& run);
  News FeedRun(const ToneFrame& frame);
  News FeedTone(Is is, const ToneFrame& frame);
  News FeedQuiet(Is is, const ToneFrame& frame);
  News Break();
  float FirstFrameShare() const;

  std::array<ToneRun, kRunsMax> runs_{};
  size_t count_ = 0;
  float now_ms_ = 0;             // end of the frame fed last
  float run_start_ms_ = 0;       // of the run going on
  float run_end_ms_ = 0;         // of the tone before a quiet run going on
  float reference_ = 0;          // energy of the tone heard last
  float edge_energy_ = 0;        // of the frame in which the tone began, before its first tonal one
  std::array<float, 4> before_;  // energies of the last frames, newest first
  int others_ = 0;               // in a row, in a quiet run
  // The tone going on.
  bool start_seen_ = false;
  int tonal_frames_ = 0;
  float first_energy_ = 0, last_energy_ = 0, energy_sum_ = 0, hz_sum_ = 0, last_tone_ms_ = 0;
  float last_hz_ = 0, hz_min_ = 0, hz_max_ = 0;
  int pure_frames_ = 0;
  std::array<Waiting, kWaitingMax> waiting_{};  // since its last tonal frame
  size_t waiting_count_ = 0;
};

}  // namespace outpace::listen
