#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/call/call_shard.h"
#include "engine/media/media_server.h"
#include "engine/runtime/config.h"
#include "engine/sip/sofia_loop.h"
#include "engine/trace/wire_tap.h"

namespace outpace::runtime {

// One call shard with its thread: SIP socket, call legs, dialog journal, and its door to the media
// plane. Everything on it is made and destroyed on its own thread.
class ShardThread {
 public:
  struct Parts {
    const Config* config = nullptr;
    uint32_t legs_max = 0;
    const Clock* clock = nullptr;
    Log* log = nullptr;
    media::MediaServer* media = nullptr;
    call::LegEventSink* sink = nullptr;
    trace::WireTap* tap = nullptr;  // may be null
  };
  // Returns when the shard takes orders, or says why it cannot: Unavailable when the SIP port is
  // taken, with a remedy.
  static absl::StatusOr<std::unique_ptr<ShardThread>> Start(const Parts& parts);
  ~ShardThread();  // stops

  absl::Status Post(call::ShardMessage message) { return shard_->Post(std::move(message)); }
  // Dialogs that the journal says a predecessor left up.
  const std::vector<call::DialogState>& left_open() const { return left_open_; }
  // They have been ended; the next process need not try again.
  void ForgetLeftOpen();
  call::ShardStats stats() const { return shard_->stats(); }
  void Stop();  // joins; calls still up are not ended; idempotent

 private:
  struct Objects;
  explicit ShardThread(const Parts& parts);
  absl::Status Build();

  const Parts parts_;
  sip::SofiaLoop loop_;
  std::unique_ptr<Objects> objects_;
  call::CallShard* shard_ = nullptr;
  std::vector<call::DialogState> left_open_;
  std::thread thread_;
};

}  // namespace outpace::runtime
