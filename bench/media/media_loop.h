#pragma once

// The shard's side of the bench: a loop with a thread of its own, and a media server with one plane
// on it. Everything of the plane happens on the loop; Run() takes a piece of work there and waits.

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "engine/base/log.h"
#include "engine/media/media_server.h"
#include "engine/media/shard_media_plane.h"
#include "engine/runtime/asio_loop.h"
#include "engine/runtime/real_clock.h"

namespace outpace::bench {

// Prints what is a warning or worse, once for each event.
class PrintedLog final : public Log {
 public:
  void Write(Severity severity, absl::string_view event,
             std::initializer_list<LogField> fields) override;
  bool Wants(Severity severity) const override { return severity >= Severity::kWarning; }
};

class EngineMedia {
 public:
  // `events` is called on the loop and outlives this.
  static absl::StatusOr<std::unique_ptr<EngineMedia>> Start(const media::MediaConfig& config,
                                                            call::MediaEvents& events);
  ~EngineMedia();

  // Runs `work(plane)` on the loop and waits for its end.
  template <typename F>
  void Run(F work) {
    std::promise<void> done;
    Post([&] {
      work(*plane_);
      done.set_value();
    });
    done.get_future().wait();
  }
  void Post(Loop::Task task);
  media::ShardMediaPlane& plane() { return *plane_; }  // loop only
  Loop& loop() { return loop_; }
  const Clock& clock() const { return clock_; }
  Log& log() { return log_; }
  media::MediaStats Stats() const { return server_->Stats(); }
  // Whether `done(Stats())` comes true within `seconds`.
  template <typename F>
  bool WaitFor(F done, double seconds) const;

 private:
  EngineMedia() : loop_("shard", clock_) {}
  runtime::RealClock clock_;
  PrintedLog log_;
  runtime::AsioLoop loop_;
  std::unique_ptr<media::MediaServer> server_;
  std::unique_ptr<media::ShardMediaPlane> plane_;
};

bool WaitUntil(const std::function<bool()>& done, double seconds);

template <typename F>
bool EngineMedia::WaitFor(F done, double seconds) const {
  return WaitUntil([&] { return done(Stats()); }, seconds);
}

// The port of the audio line of an SDP of ours; 0: none.
uint16_t AudioPortOf(absl::string_view sdp);
// A far end's description. `key`: not null makes it RTP/SAVP.
std::string FarSdp(codec::Codec codec, uint16_t port, uint16_t rtcp_port,
                   const media::SrtpKey* key);
// The payload type a far end of FarSdp sends.
uint8_t PayloadTypeOf(codec::Codec codec);

}  // namespace outpace::bench
