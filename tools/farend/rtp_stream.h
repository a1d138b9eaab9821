#pragma once

// Audio of many calls on one thread (RFC 3550, RFC 3551). Each call has a socket of its own;
// sending is driven by one timer for all: calls are dealt to four groups, and every 5 ms one group
// sends its 20 ms frames, so 500 calls make four small bursts instead of one long one. The timer
// rests while nobody speaks.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/rng.h"
#include "tools/farend/audio.h"
#include "tools/farend/reactor.h"
#include "tools/farend/udp.h"

namespace outpace::farend {

// A packet after this long without one begins a burst: the line was quiet and now speaks.
inline constexpr absl::Duration kBurstGap = absl::Milliseconds(100);

struct RtpStats {
  uint64_t sent = 0;
  uint64_t received = 0;
  uint64_t invalid = 0;  // not RTP version 2, or too short
  uint64_t bursts = 0;   // times the stream began or began again after kBurstGap
  uint64_t sources = 0;  // different SSRCs in a row
  absl::Time first_received = absl::InfinitePast();  // wall time, by the kernel's stamp
  absl::Time last_received = absl::InfinitePast();
  uint64_t payload_hash = 0xcbf29ce484222325;  // FNV-1a over the payloads as they came
};

class RtpEngine;

// One call's audio, both ways. Belongs to the reactor's thread.
class RtpStream {
 public:
  ~RtpStream();
  RtpStream(const RtpStream&) = delete;
  RtpStream& operator=(const RtpStream&) = delete;

  Endpoint local() const { return socket_.local(); }
  // Where and in which law (payload type 0 or 8) to send. Takes effect with the next frame.
  void SetRemote(Endpoint remote, int codec);
  // Sends `clip` from its start, the first frame at once. nullptr stops sending.
  void Play(std::shared_ptr<const Clip> clip);
  // Keeps the last `bytes` payload bytes at most; off (0) unless asked for.
  void CaptureUpTo(size_t bytes) { capture_max_ = bytes; }
  const std::string& captured() const { return captured_; }
  const RtpStats& stats() const { return stats_; }

  // First packet sent. Wall time.
  std::function<void(absl::Time)> on_first_sent;
  // A burst began: the first packet, or one after kBurstGap of quiet. Wall time by the kernel.
  std::function<void(absl::Time)> on_burst;

 private:
  friend class RtpEngine;
  RtpStream(RtpEngine& engine, UdpSocket socket, uint32_t ssrc);
  void OnReadable();
  void OnPacket(absl::string_view packet, absl::Time at);
  void SendFrame();

  RtpEngine& engine_;
  UdpSocket socket_;
  Endpoint remote_;
  int codec_ = 0;
  std::shared_ptr<const Clip> clip_;
  size_t frame_ = 0;
  bool mark_ = false;
  uint16_t sequence_ = 0;
  uint32_t timestamp_ = 0;
  const uint32_t ssrc_;
  uint32_t peer_ssrc_ = 0;
  size_t group_ = 0;
  size_t capture_max_ = 0;
  std::string captured_;
  RtpStats stats_;
};

class RtpEngine {
 public:
  // `reactor` outlives this object; streams do not. `seed`: for SSRCs and first sequence numbers.
  RtpEngine(Reactor& reactor, uint32_t address, uint64_t seed);
  ~RtpEngine();

  // A stream on a free even port of `address`. ResourceExhausted or Unavailable: no socket.
  absl::StatusOr<std::unique_ptr<RtpStream>> Open();
  // Of all streams, closed ones too.
  const RtpStats& totals() const { return totals_; }

 private:
  friend class RtpStream;
  static constexpr size_t kGroups = 4;
  void Start(RtpStream* stream);
  void Stop(RtpStream* stream);
  void Tick();
  void Arm();

  Reactor& reactor_;
  const uint32_t address_;
  Rng rng_;
  std::array<std::vector<RtpStream*>, kGroups> groups_;
  size_t sending_ = 0;
  uint64_t tick_ = 0;
  MonoTime next_tick_;
  Loop::TimerId timer_ = 0;
  RtpStats totals_;
};

}  // namespace outpace::farend
