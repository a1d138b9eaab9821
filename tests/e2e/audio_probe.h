#pragma once

// One end of a call's audio, packet by packet: sends RTP with payloads of our choosing and keeps
// what comes, so that a test can compare the bytes that went in with those that came out.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/farend/udp.h"

namespace outpace::e2e {

struct AudioPacket {
  std::string payload;
  uint16_t sequence = 0;
  uint32_t timestamp = 0;
  uint32_t ssrc = 0;
  int payload_type = 0;
  bool marker = false;
  absl::Time at;  // by the kernel
};

class AudioProbe {
 public:
  static absl::StatusOr<AudioProbe> Bind();  // 127.0.0.1, an even port
  uint16_t port() const { return socket_.local().port; }
  // Until set, it is whoever sent the first packet.
  void SetPeer(farend::Endpoint peer) { peer_ = peer; }
  bool has_peer() const { return peer_.valid(); }
  void Send(const std::string& payload);  // 160 bytes of PCMU; nothing while there is no peer
  // Any packet; the next one's timestamp is `duration` later.
  void SendPacket(int payload_type, bool marker, const std::string& payload, uint32_t duration);
  // Takes what comes for `how_long`, or until `packets` have come.
  std::vector<AudioPacket> Receive(absl::Duration how_long, size_t packets = SIZE_MAX);

 private:
  farend::UdpSocket socket_;
  farend::Endpoint peer_;
  uint16_t sequence_ = 1000;
  uint32_t timestamp_ = 160'000;
};

// `count` different payloads of 160 bytes: every byte value occurs, nothing like real audio.
std::vector<std::string> Pattern(uint64_t seed, int count);

// Speaks until each side hears the other, then sends `packets` 20 ms apart both ways at once. Empty
// when both heard exactly the other's bytes, in order, each once, as one RTP stream; else what went
// wrong.
std::string CompareBothWays(AudioProbe& lead, AudioProbe& agent, int packets);

}  // namespace outpace::e2e
