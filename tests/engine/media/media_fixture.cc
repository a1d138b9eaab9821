#include "tests/engine/media/media_fixture.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace outpace::media {
namespace {

constexpr std::chrono::seconds kPatience(20);

void Append(std::string& out, uint32_t value, int octets) {
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xff));
  }
}

uint32_t Take(absl::string_view bytes, size_t at, size_t octets) {
  uint32_t value = 0;
  for (size_t i = 0; i < octets; ++i) value = (value << 8) | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

}  // namespace

MonoTime MachineClock::Mono() const {
  return MonoTime(std::chrono::duration_cast<std::chrono::nanoseconds>(
                      std::chrono::steady_clock::now().time_since_epoch())
                      .count());
}

bool HandLoop::Post(Task task) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (refuse_ > 0) {
    --refuse_;
    return false;
  }
  tasks_.push_back(std::move(task));
  posted_.notify_one();
  return true;
}

void HandLoop::RefusePosts(int posts) {
  const std::lock_guard<std::mutex> lock(mutex_);
  refuse_ = posts;
}

Loop::TimerId HandLoop::After(absl::Duration delay, Task task) {
  timers_.push_back({next_timer_, clock_.now + delay, std::move(task)});
  return next_timer_++;
}

void HandLoop::Cancel(TimerId timer) {
  std::erase_if(timers_, [&](const Timer& t) { return t.id == timer; });
}

void HandLoop::Advance(absl::Duration by) {
  clock_.now = clock_.now + by;
  std::vector<Timer> due;
  for (auto it = timers_.begin(); it != timers_.end();) {
    if (it->due <= clock_.now) {
      due.push_back(std::move(*it));
      it = timers_.erase(it);
    } else {
      ++it;
    }
  }
  for (Timer& timer : due) timer.task();
}

bool HandLoop::RunUntil(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!done()) {
    Task task;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      if (!posted_.wait_until(lock, deadline, [&] { return !tasks_.empty(); })) return false;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
  return true;
}

int CountingLog::Count(absl::string_view event) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<int>(std::count_if(lines_.begin(), lines_.end(),
                                        [&](const auto& l) { return l.second == event; }));
}

std::string MakeRtp(uint8_t payload_type, uint16_t seq, uint32_t timestamp, uint32_t ssrc,
                    absl::string_view payload, bool marker) {
  std::string out;
  out.push_back(static_cast<char>(0x80));
  out.push_back(static_cast<char>((marker ? 0x80 : 0) | payload_type));
  Append(out, seq, 2);
  Append(out, timestamp, 4);
  Append(out, ssrc, 4);
  out.append(payload.data(), payload.size());
  return out;
}

std::string Payload(int number) {
  std::string payload(160, '\0');
  for (size_t i = 0; i < payload.size(); ++i) {
    payload[i] = static_cast<char>((static_cast<size_t>(number) * 37 + i * 5 + 1) & 0xff);
  }
  return payload;
}

FarEnd::FarEnd() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  socklen_t size = sizeof address;
  EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ntohs(address.sin_port);
}

FarEnd::~FarEnd() { close(fd_); }

std::string FarEnd::Sdp(absl::string_view formats, absl::string_view direction) const {
  return absl::StrCat("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n",
                      "m=audio ", port_, " RTP/AVP ", formats,
                      "\r\na=rtpmap:101 telephone-event/8000\r\na=", direction, "\r\n");
}

void FarEnd::SendTo(uint16_t port, absl::string_view bytes) const {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(port);
  EXPECT_EQ(sendto(fd_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to),
            static_cast<ssize_t>(bytes.size()));
}

std::optional<Heard> FarEnd::Hear(absl::Duration wait) const {
  pollfd p{.fd = fd_, .events = POLLIN, .revents = 0};
  if (poll(&p, 1, static_cast<int>(absl::ToInt64Milliseconds(wait))) != 1) return std::nullopt;
  char bytes[2000];
  const ssize_t size = recv(fd_, bytes, sizeof bytes, 0);
  EXPECT_GE(size, 12);
  if (size < 12) return std::nullopt;
  const absl::string_view s(bytes, static_cast<size_t>(size));
  return Heard{.first_octet = static_cast<uint8_t>(s[0]),
               .payload_type = static_cast<uint8_t>(s[1] & 0x7f),
               .marker = (s[1] & 0x80) != 0,
               .seq = static_cast<uint16_t>(Take(s, 2, 2)),
               .timestamp = Take(s, 4, 4),
               .ssrc = Take(s, 8, 4),
               .payload = std::string(s.substr(12))};
}

void FarEnd::Talk(uint16_t to, uint8_t payload_type, absl::string_view payload, bool marker) {
  SendTo(to, MakeRtp(payload_type, seq++, timestamp, ssrc, payload, marker));
  timestamp += 160;
}

uint16_t AudioPort(absl::string_view sdp) {
  const size_t at = sdp.find("m=audio ");
  if (at == absl::string_view::npos) return 0;
  sdp.remove_prefix(at + 8);
  int port = 0;
  EXPECT_TRUE(absl::SimpleAtoi(sdp.substr(0, sdp.find(' ')), &port));
  return static_cast<uint16_t>(port);
}

MediaConfig TestConfig() {
  MediaConfig config;
  config.ports = 4;
  config.realtime = false;
  config.rtcp_interval = absl::ZeroDuration();
  config.preroll_age_max = absl::Seconds(60);  // a slow machine is no reason to drop
  config.dead_call_time = absl::ZeroDuration();
  return config;
}

Media::Media(MediaConfig config) {
  auto started = MediaServer::Start(config, clock, log);
  EXPECT_TRUE(started.ok()) << started.status();
  server = *std::move(started);
  plane = server->ForShard(0, loop, events);
}

uint16_t Media::Connect(LegId leg, const FarEnd& far, absl::string_view formats) {
  const absl::StatusOr<std::string> offer = plane->Open(leg, {});
  EXPECT_TRUE(offer.ok()) << offer.status();
  const absl::Status status = plane->SetRemote(leg, far.Sdp(formats));
  EXPECT_TRUE(status.ok()) << status;
  return AudioPort(*offer);
}

bool Media::WaitFor(const std::function<bool(const MediaStats&)>& done) const {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!done(server->Stats())) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    poll(nullptr, 0, 1);
  }
  return true;
}

}  // namespace outpace::media
