#pragma once

// What the processes of media_bench share: the system under test, the generator of audio and the
// bench that watches both. One mapping made before they are forked, plain values and atomics in it,
// so that nothing of what they tell each other costs the system under test a system call.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "engine/media/srtp.h"

namespace outpace::bench {

// Far ends at most: three a call in a conference, two else.
inline constexpr int kSlotsMax = 12'000;
// Sockets the far ends share. One sends many legs' packets with one call, as SIPp does from its one
// media port; the engine tells the legs apart by its own ports.
inline constexpr int kPhases = 20;          // ms between two packets of a leg
inline constexpr int kSocketsPerPhase = 4;  // all legs of a socket are due in the same ms
inline constexpr int kSockets = kPhases * kSocketsPerPhase;

// Which socket, and so which millisecond of 20, a slot sends in. Partners are 7 ms apart.
constexpr int SocketOf(int slot) {
  const int call = slot / 2, side = slot % 2;
  const int phase = (call + 7 * side) % kPhases;
  return phase * kSocketsPerPhase + (call / kPhases) % kSocketsPerPhase;
}

// One-way delays in microseconds: exact to 20 ms, by tenths of a millisecond to a second.
class DelayCounts {
 public:
  void Add(int64_t us);
  uint64_t count() const { return count_; }
  double QuantileMs(double q) const;  // 0 when there are none
  double MaxMs() const { return static_cast<double>(max_us_) / 1e3; }

 private:
  static constexpr int64_t kFine = 20'000, kCoarseStep = 100, kCoarse = 9'800;
  std::array<uint32_t, kFine + kCoarse + 1> buckets_{};
  uint64_t count_ = 0;
  int64_t max_us_ = 0;
};

// What a far end says. Frames of 20 ms that repeat.
enum class Sound : uint8_t {
  kVoice,     // syllables and pauses
  kRingback,  // 425 Hz, 1 s in 5
  kMarker,    // tones that tell the side and the second: FrequencyAt()
};

// The marker of a side at second `second` of its call: a multiple of 50 Hz, which repeats in 20 ms.
inline constexpr int kMarkerSteps = 8;
constexpr int FrequencyAt(int side, int second) {
  return (side == 0 ? 400 : 1'400) + 100 * (second % kMarkerSteps);
}

// One far end. Written by the system under test, read by the generator.
struct Slot {
  // 0: silent. Otherwise the number of its call: a new number starts a new stream. Written last.
  std::atomic<uint32_t> call{0};
  std::atomic<uint16_t> to_port{0};  // of the system under test
  std::atomic<uint8_t> payload_type{0};
  media::SrtpKey their_key;                 // what comes to the far end is encrypted with
  std::atomic<uint64_t> sent{0}, heard{0};  // by the generator; all calls
};

enum class Phase : uint32_t {
  kStarting,
  kBound,    // the generator's sockets are there
  kReady,    // the system has its legs
  kRun,      // the generator sends
  kDrain,    // it hears what is still on its way
  kCounted,  // its figures are written
  kStop,
  kFailed,  // `why` says what
};

struct Shared {
  std::atomic<Phase> phase{Phase::kStarting};
  char why[512] = {};
  std::array<uint16_t, kSockets> far_ports{};
  uint16_t sink_port = 0;  // where reports go; nobody reads them
  std::array<Slot, kSlotsMax> slots;

  // Packets sent between the two count; ns since 1970.
  std::atomic<int64_t> window_from_ns{INT64_MAX}, window_to_ns{INT64_MAX};
  // The system, before it opened its legs.
  std::atomic<int64_t> rss_before_kib{0};

  // The generator's figures.
  std::atomic<uint64_t> sent{0}, heard{0};  // since kRun
  uint64_t sent_in_window = 0;
  uint64_t heard_in_window = 0;  // sent in it and heard, where the payload says when it was sent
  uint64_t strays = 0;           // from a port that is no leg's, or not RTP
  uint64_t own_drops = 0;        // by the kernel at the generator's sockets: not the system's doing
  uint64_t send_failures = 0;
  uint64_t late_ticks = 0;          // of the generator, by more than 5 ms
  std::atomic<uint64_t> stalls{0};  // by more than 20 ms: its tones are out of place
  DelayCounts delays;

  // The system's own counts, for rows that differ in them.
  std::atomic<uint64_t> verdicts{0};
  uint64_t dropped_by_system = 0;
  uint64_t recordings_closed = 0, recording_faults = 0, blocks_lost = 0, bytes_recorded = 0;

  // The soak's.
  std::atomic<uint64_t> soak_calls{0}, soak_lost{0}, soak_lossy_calls{0}, soak_blocks_lost{0},
      soak_bytes{0}, soak_legs{0};

  // The system's own delays: 200 OK to audio (media_answer.cc).
  DelayCounts answer_before, answer_after;
};

// A mapping all children share.
struct Unmap {
  void operator()(Shared* shared) const;
};
std::unique_ptr<Shared, Unmap> NewShared();
// Ends the row with a reason; the first one stays.
void Fail(Shared& shared, const char* why);
// Waits for `phase` or a later one. False: kFailed, or `seconds` have passed.
bool WaitForPhase(const Shared& shared, Phase phase, double seconds);

int64_t WallNs();  // since 1970: the clock of the kernel's arrival times

// `us`, modulo 2^32, as the signs of the first 32 samples of a G.711 payload: they outlive a
// change of law. Low 7 bits of each become `level`.
void WriteStamp(uint32_t us, uint8_t level, uint8_t* payload);
uint32_t ReadStamp(const uint8_t* payload);

}  // namespace outpace::bench
