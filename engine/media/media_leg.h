#pragma once

// The media thread's state of one leg. Only media_thread*.cc include this.

#include <netinet/in.h>

#include <array>

#include "engine/media/media_thread.h"

namespace outpace::media {

struct MediaThread::Leg {
  LegId id;
  uint32_t port = 0;    // index into the pool
  uint64_t serial = 0;  // names this leg as a source for OutgoingStream; never 0, never used twice
  std::unique_ptr<OrtpSession> session;
  OutgoingStream out;

  bool has_remote = false;
  sockaddr_in remote{};
  SdpCodec codec;
  uint8_t event_type = 0;
  bool sends = false;
  bool listens = false;

  Leg* partner = nullptr;

  // While not bridged: the last packets heard, oldest first.
  struct Kept {
    RtpPacket packet;
    MonoTime at;
  };
  absl::InlinedVector<Kept, 3> preroll;

  // Before SetRemote: the last datagrams, as they came. A callee's first packet often overtakes the
  // 200 OK that says where it comes from; once we know, those of the right source are heard after
  // all.
  struct Held {
    sockaddr_in from{};
    size_t size = 0;
    std::array<uint8_t, 512> bytes{};
  };
  std::array<Held, 3> held;
  size_t held_count = 0;  // ever; the newest is at (held_count - 1) % 3

  bool heard = false;  // OnFirstMedia was told
  MonoTime silent_since;

  const PromptAudio* prompt = nullptr;  // nullptr: none plays
  size_t frame = 0;
  MonoTime frame_due;

  bool Listens() const { return has_remote && listens; }
};

}  // namespace outpace::media
