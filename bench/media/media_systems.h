#pragma once

// What is measured: the engine's media plane in its modes, and the two baselines beside which its
// figures stand. Each runs in a process of its own; its moving thread is named "media".

#include <string>

#include "absl/strings/string_view.h"
#include "bench/media/media_shared.h"
#include "bench/media/media_traffic.h"

namespace outpace::bench {

enum class Mode : uint8_t {
  kBare,           // baseline: recvfrom, sendto; per-leg sockets, epoll, nothing is looked at
  kOrtp,           // baseline: oRTP sessions with sockets of their own, jitter buffer off
  kRelay,          // bridged, G.711 both sides
  kRecordWav,      // the same, each call recorded: 16-bit PCM,
  kRecordUlaw,     // G.711,
  kRecordOpus,     // Opus
  kSrtp,           // both legs encrypted
  kTranscodeLaw,   // PCMU to PCMA
  kTranscodeG722,  // PCMU to G.722
  kTranscodeOpus,  // PCMU to Opus
  kMix,            // a third leg in each call
  kListen,         // each callee listened to all the time: person or machine
  kEarly,          // no call bridged, each callee's network listened to all the time
};
absl::string_view ModeName(Mode mode);  // "relay"
std::vector<Mode> AllModes();

// Legs of a call.
constexpr int LegsOf(Mode mode) { return mode == Mode::kMix ? 3 : mode == Mode::kEarly ? 1 : 2; }
// Whether the far ends hear what was sent, packet for packet.
bool Comparable(Mode mode);

struct SystemOptions {
  Mode mode = Mode::kRelay;
  int calls = 100;
  bool realtime = false;
  bool rtcp = true;               // a report a leg every 5 s, on ports of its own
  std::string directory;          // of recordings
  double answers_per_second = 0;  // engine: calls answered beside those that run (media_answer.h)
};

// The far ends that fit.
TrafficOptions TrafficFor(const SystemOptions& options);
// The slot of a call's leg, 0 the callee's. The third leg of a mix lies behind all the pairs.
int SlotOf(const SystemOptions& options, int call, int leg);

// The body of the process: until Phase::kStop. The exit code.
int RunSystem(Shared& shared, const SystemOptions& options);

// Each for one mode or some.
int RunBare(Shared& shared, const SystemOptions& options);
int RunOrtp(Shared& shared, const SystemOptions& options);
int RunEngine(Shared& shared, const SystemOptions& options);

// For the systems: their moving thread's name and priority.
void BeMediaThread(bool realtime);
void RaiseDescriptors();

}  // namespace outpace::bench
