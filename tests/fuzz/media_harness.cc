#include "tests/fuzz/media_harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "engine/base/check.h"
#include "engine/media/rtp_packet.h"
#include "engine/media/sdes.h"
#include "engine/media/shard_media_plane.h"
#include "engine/record/recorder.h"

namespace outpace::media {
namespace {

constexpr int kPatienceMs = 20'000;
constexpr size_t kPayload = 160;

class MachineClock final : public Clock {
 public:
  MonoTime Mono() const override {
    return MonoTime(std::chrono::duration_cast<std::chrono::nanoseconds>(
                        std::chrono::steady_clock::now().time_since_epoch())
                        .count());
  }
  absl::Time Wall() const override { return absl::UnixEpoch(); }
};

// Nobody listens to events here.
class DeafLoop final : public Loop {
 public:
  const Clock& clock() const override { return clock_; }
  bool Post(Task) override { return true; }
  TimerId After(absl::Duration, Task) override { return 1; }
  void Cancel(TimerId) override {}

 private:
  MachineClock clock_;
};

class NoEvents final : public call::MediaEvents {
 public:
  void OnPromptDone(LegId) override {}
  void OnFirstMedia(LegId, MonoTime) override {}
  void OnMediaLost(LegId) override {}
  void OnHeard(LegId, const listen::Heard&) override {}
  void OnDigit(LegId, char) override {}
  void OnJoined(LegId, bool) override {}
};

// Takes all, and looks at every octet.
class ReadingTap final : public record::RecordingTap {
 public:
  void Write(record::Side, int64_t, codec::Law, absl::Span<const uint8_t> payload) override {
    for (const uint8_t octet : payload) sum_ += octet;
  }
  void Write(record::Side, int64_t, absl::Span<const int16_t> samples) override {
    for (const int16_t sample : samples) sum_ += static_cast<uint64_t>(sample);
  }
  void Pause(int64_t) override {}
  void Resume(int64_t) override {}
  bool paused() const override { return false; }
  void Close(int64_t) override {}

 private:
  uint64_t sum_ = 0;
};

struct Phone {
  int fd = -1;
  uint16_t port = 0;
  Phone() {
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    OUTPACE_CHECK(fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
    OUTPACE_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port = ntohs(address.sin_port);
  }
  void SendTo(uint16_t to, absl::Span<const uint8_t> bytes) const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(to);
    OUTPACE_CHECK(sendto(fd, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&address),
                         sizeof address) == static_cast<ssize_t>(bytes.size()));
  }
  std::string Sdp(const SrtpKey* key, bool mux) const {
    std::string sdp =
        absl::StrCat("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1",
                     "\r\nt=0 0\r\nm=audio ", port, key != nullptr ? " RTP/SAVP" : " RTP/AVP",
                     " 0 8 101\r\n", "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n");
    if (mux) absl::StrAppend(&sdp, "a=rtcp-mux\r\n");
    if (key != nullptr) {
      absl::StrAppend(&sdp, SdesText({.tag = 1, .key = *key, .mki_size = 0}));
    }
    return sdp;
  }
};

uint16_t AudioPort(absl::string_view sdp) {
  const size_t at = sdp.find("m=audio ");
  OUTPACE_CHECK(at != absl::string_view::npos);
  unsigned port = 0;
  for (const char digit : sdp.substr(at + 8)) {
    if (digit < '0' || digit > '9') break;
    port = port * 10 + static_cast<unsigned>(digit - '0');
  }
  return static_cast<uint16_t>(port);
}

LegId Leg(int number) {
  return {.shard = 0, .index = static_cast<uint32_t>(number), .generation = 1};
}

}  // namespace

struct MediaHarness::State {
  struct Call {
    Phone callee, agent;
    uint16_t port = 0;
    std::unique_ptr<SrtpSender> out;
  };
  MachineClock clock;
  NullLog log;
  DeafLoop loop;
  NoEvents events;
  std::unique_ptr<MediaServer> server;
  std::unique_ptr<ShardMediaPlane> plane;
  Call calls[kSceneCount];
  uint32_t genuine = 0;
};

MediaHarness& MediaHarness::Get(RtcpMode rtcp) {
  static auto* const harness = new MediaHarness(rtcp);
  return *harness;
}

MediaHarness::MediaHarness(RtcpMode rtcp) : state_(std::make_unique<State>()) {
  MediaConfig config;
  config.ports = 2 * kSceneCount;
  config.rtcp = rtcp;
  config.rtcp_interval = absl::Milliseconds(100);
  config.dead_call_time = absl::ZeroDuration();
  config.realtime = false;
  auto server = MediaServer::Start(config, state_->clock, state_->log);
  OUTPACE_CHECK(server.ok());
  state_->server = *std::move(server);
  state_->plane = state_->server->ForShard(0, state_->loop, state_->events);
  ShardMediaPlane& plane = *state_->plane;
  const bool mux = rtcp == RtcpMode::kMux;
  SrtpKey key;
  for (size_t i = 0; i < 30; ++i) key.octets[i] = static_cast<uint8_t>(i);
  for (int scene = 0; scene < kSceneCount; ++scene) {
    State::Call& call = state_->calls[scene];
    const LegId callee = Leg(2 * scene + 1), agent = Leg(2 * scene + 2);
    const bool encrypted = scene == kEncrypted;
    const auto offer = plane.Open(callee, {.srtp = encrypted});
    OUTPACE_CHECK(offer.ok() && plane.Open(agent, {}).ok());
    call.port = AudioPort(*offer);
    OUTPACE_CHECK(plane.SetRemote(callee, call.callee.Sdp(encrypted ? &key : nullptr, mux)).ok());
    OUTPACE_CHECK(plane.SetRemote(agent, call.agent.Sdp(nullptr, mux)).ok());
    if (encrypted) call.out = std::make_unique<SrtpSender>(key);
    plane.Bridge(callee, agent);
    if (scene == kListenedTo) {
      call::ListenAnswer listen;
      listen.tuning.decide_within = absl::Seconds(100'000);
      plane.Do(callee, listen);
    }
    if (scene == kRecorded) {
      plane.Do(callee, call::RecordStart{.tap = std::make_shared<ReadingTap>()});
    }
  }
  for (int scene = 0; scene < kSceneCount; ++scene) CheckHeard(static_cast<Scene>(scene));
}

void MediaHarness::Send(Scene scene, absl::Span<const uint8_t> datagram) {
  const State::Call& call = state_->calls[scene];
  call.callee.SendTo(call.port, datagram);
}

void MediaHarness::CheckHeard(Scene scene) {
  State::Call& call = state_->calls[scene];
  // A stream of its own: what the input said about sequence and time is over with it. Nothing it
  // says can do that to an encrypted one, which goes on as it is.
  const uint32_t number = ++state_->genuine;
  const uint32_t mark = htonl(number);
  const uint32_t ssrc = htonl(call.out != nullptr ? 7 : 0x80000000u | number);
  uint8_t packet[kRtpHeaderSize + kPayload + kSrtpTrailerMax] = {0x80};
  packet[2] = static_cast<uint8_t>(number >> 8);
  packet[3] = static_cast<uint8_t>(number);
  std::memcpy(packet + 8, &ssrc, sizeof ssrc);
  std::memset(packet + kRtpHeaderSize, 0x7e, kPayload);
  std::memcpy(packet + kRtpHeaderSize, &mark, sizeof mark);
  uint8_t said[kPayload];
  std::memcpy(said, packet + kRtpHeaderSize, sizeof said);
  size_t size = kRtpHeaderSize + kPayload;
  if (call.out != nullptr) size = call.out->Protect(absl::MakeSpan(packet), size, kRtpHeaderSize);
  Send(scene, absl::MakeConstSpan(packet, size));
  while (true) {
    pollfd readable{.fd = call.agent.fd, .events = POLLIN, .revents = 0};
    OUTPACE_CHECK(poll(&readable, 1, kPatienceMs) == 1);  // else the call is dead
    uint8_t heard[2'000];
    const ssize_t got = recv(call.agent.fd, heard, sizeof heard, 0);
    if (got == static_cast<ssize_t>(kRtpHeaderSize + kPayload) &&
        std::memcmp(heard + kRtpHeaderSize, said, kPayload) == 0) {
      return;
    }
  }
}

absl::Span<const uint8_t> NextPiece(absl::Span<const uint8_t>& rest, bool long_piece) {
  if (rest.empty()) return {};
  const size_t length = std::min<size_t>(rest[0] * size_t{long_piece ? 6U : 1U}, rest.size() - 1);
  const absl::Span<const uint8_t> piece = rest.subspan(1, length);
  rest.remove_prefix(1 + length);
  return piece;
}

}  // namespace outpace::media
