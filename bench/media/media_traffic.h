#pragma once

// The far ends: a process of its own, so that its CPU is not the engine's, which sends each leg's
// packets in a steady 20 ms beat, spread over the milliseconds, and takes in what comes back.
// Datagrams go and come in batches (sendmmsg, recvmmsg) and arrival times are the kernel's, so a
// generator that is woken late makes no delay of its own; what it could not take in is counted
// apart.

#include <optional>

#include "bench/media/media_shared.h"
#include "engine/codec/codec.h"

namespace outpace::bench {

struct TrafficOptions {
  int slots = 0;  // far ends; those of odd number are agents
  codec::Codec codec[2] = {codec::Codec::kPcmu, codec::Codec::kPcmu};  // callee, agent
  Sound sound = Sound::kVoice;
  bool stamped = true;  // what is heard tells when it was sent: G.711 in, G.711 out, not mixed
  bool srtp = false;
  bool realtime = false;
};

// What a far end of SRTP encrypts with.
media::SrtpKey FarKey(int slot);

// The body of the process: until Phase::kStop. The exit code.
int RunTraffic(Shared& shared, const TrafficOptions& options);

}  // namespace outpace::bench
