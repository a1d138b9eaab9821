#pragma once

// A media server on loopback with far ends that are plain UDP sockets. Real time passes here,
// because real sockets are under test; every wait is a poll with a deadline far beyond what is
// needed, so a slow machine makes the test slow, not red.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/loop.h"
#include "engine/media/media_server.h"
#include "engine/media/shard_media_plane.h"

namespace outpace::media {

// The machine's monotonic clock; the wall clock stands still.
class MachineClock final : public Clock {
 public:
  MonoTime Mono() const override;
  absl::Time Wall() const override { return absl::UnixEpoch(); }
};

// The shard's loop, run by the test's own thread. Its clock moves only when the test says so.
class HandLoop final : public Loop {
 public:
  class HandClock final : public Clock {
   public:
    MonoTime Mono() const override { return now; }
    absl::Time Wall() const override { return absl::UnixEpoch(); }
    MonoTime now{1'000'000'000};
  };
  const Clock& clock() const override { return clock_; }
  bool Post(Task task) override;
  TimerId After(absl::Duration delay, Task task) override;
  void Cancel(TimerId timer) override;
  void Advance(absl::Duration by);  // runs the timers that fall due
  // Waits for tasks and runs them until `done()`; false after 20 s.
  bool RunUntil(const std::function<bool()>& done);
  // Runs the tasks that are there.
  void RunReady();
  // Refuses the next `posts` tasks, as a full queue does.
  void RefusePosts(int posts);

 private:
  HandClock clock_;
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<Task> tasks_;
  int refuse_ = 0;
  struct Timer {
    TimerId id;
    MonoTime due;
    Task task;
  };
  std::vector<Timer> timers_;
  TimerId next_timer_ = 1;
};

class RecordedEvents final : public call::MediaEvents {
 public:
  void OnPromptDone(LegId leg) override { prompt_done.push_back(leg); }
  void OnFirstMedia(LegId leg, MonoTime at) override { first_media.emplace_back(leg, at); }
  void OnMediaLost(LegId leg) override { media_lost.push_back(leg); }
  void OnHeard(LegId leg, const listen::Heard& what) override { heard.emplace_back(leg, what); }
  void OnDigit(LegId leg, char digit) override { digits.emplace_back(leg, digit); }
  void OnJoined(LegId leg, bool ok) override { joined.emplace_back(leg, ok); }
  void OnQuality(LegId leg, const call::LegQuality& how) override {
    quality.emplace_back(leg, how);
  }
  std::vector<LegId> prompt_done;
  std::vector<std::pair<LegId, MonoTime>> first_media;
  std::vector<LegId> media_lost;
  std::vector<std::pair<LegId, listen::Heard>> heard;
  std::vector<std::pair<LegId, char>> digits;
  std::vector<std::pair<LegId, bool>> joined;
  std::vector<std::pair<LegId, call::LegQuality>> quality;
};

class CountingLog final : public Log {
 public:
  void Write(Severity severity, absl::string_view event, std::initializer_list<LogField>) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    lines_.emplace_back(severity, std::string(event));
  }
  int Count(absl::string_view event) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<Severity, std::string>> lines_;
};

// One RTP packet as the far end sees it, decoded by hand: not with the code under test.
struct Heard {
  uint8_t first_octet = 0;
  uint8_t payload_type = 0;
  bool marker = false;
  uint16_t seq = 0;
  uint32_t timestamp = 0;
  uint32_t ssrc = 0;
  std::string payload;
};

std::string MakeRtp(uint8_t payload_type, uint16_t seq, uint32_t timestamp, uint32_t ssrc,
                    absl::string_view payload, bool marker = false);
// 160 octets that differ from packet to packet.
std::string Payload(int number);

// A phone: a bound UDP socket on a loopback address of either family, where the server is too.
class FarEnd {
 public:
  explicit FarEnd(const char* ip = "127.0.0.1");
  ~FarEnd();
  FarEnd(const FarEnd&) = delete;
  uint16_t port() const { return port_; }
  // Its SDP with `formats` on the m= line ("0 101") and the direction.
  std::string Sdp(absl::string_view formats, absl::string_view direction = "sendrecv") const;
  void SendTo(uint16_t port, absl::string_view bytes) const;
  // The next datagram as it came; nullopt if none comes within `wait`.
  std::optional<std::string> HearBytes(absl::Duration wait = absl::Seconds(20)) const;
  // The next packet; nullopt if none comes within `wait`.
  std::optional<Heard> Hear(absl::Duration wait = absl::Seconds(20)) const;
  static Heard Decode(absl::string_view bytes);
  bool HearsNothingFor(absl::Duration wait) const { return !Hear(wait).has_value(); }
  // Audio of one talker: the next packet of 20 ms to `port`.
  void Talk(uint16_t to, uint8_t payload_type, absl::string_view payload, bool marker = false);

  uint32_t ssrc = 0x11223344;
  uint16_t seq = 100;
  uint32_t timestamp = 5000;

 private:
  const std::string ip_;
  int fd_ = -1;
  uint16_t port_ = 0;
};

// The pace of speech: Next() returns when the next `step` of it begins. A machine that was late
// once catches up, as a phone does.
class Pace {
 public:
  explicit Pace(absl::Duration step) : step_(step), next_(clock_.Mono() + step) {}
  void Next();

 private:
  MachineClock clock_;
  absl::Duration step_;
  MonoTime next_;
};

// The port in the m=audio line.
uint16_t AudioPort(absl::string_view sdp);

// A server of one shard with its plane.
struct Media {
  explicit Media(MediaConfig config);
  // Opens a leg and tells it `far`'s address; returns its RTP port.
  uint16_t Connect(LegId leg, const FarEnd& far, absl::string_view formats = "0 101",
                   const call::MediaOptions& options = {});
  // Waits until the media thread has taken all commands so far (a leg of its own as the signal).
  bool WaitFor(const std::function<bool(const MediaStats&)>& done) const;

  MachineClock clock;
  CountingLog log;
  HandLoop loop;
  RecordedEvents events;
  std::unique_ptr<MediaServer> server;
  std::unique_ptr<ShardMediaPlane> plane;
};

inline LegId Leg(uint32_t index, uint32_t generation = 1) {
  return {.shard = 0, .index = index, .generation = generation};
}
MediaConfig TestConfig();

}  // namespace outpace::media
