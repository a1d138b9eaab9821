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

void HandLoop::RunReady() {
  std::deque<Task> ready;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ready.swap(tasks_);
  }
  for (Task& task : ready) task();
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

namespace {

// `ip` and `port` for the system calls; not by the code under test.
struct RawAddress {
  RawAddress(const std::string& ip, uint16_t port) {
    if (inet_pton(AF_INET, ip.c_str(), &v4.sin_addr) == 1) {
      v4.sin_family = AF_INET;
      v4.sin_port = htons(port);
      size = sizeof v4;
    } else {
      EXPECT_EQ(inet_pton(AF_INET6, ip.c_str(), &v6.sin6_addr), 1) << ip;
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(port);
      size = sizeof v6;
    }
  }
  bool is_v6() const { return size == sizeof v6; }
  sockaddr* get() {
    return is_v6() ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4);
  }
  uint16_t port() const { return ntohs(is_v6() ? v6.sin6_port : v4.sin_port); }
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  socklen_t size = 0;
};

}  // namespace

FarEnd::FarEnd(const char* ip) : ip_(ip) {
  RawAddress address(ip_, 0);
  fd_ = socket(address.is_v6() ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(bind(fd_, address.get(), address.size), 0);
  EXPECT_EQ(getsockname(fd_, address.get(), &address.size), 0);
  port_ = address.port();
}

FarEnd::~FarEnd() { close(fd_); }

std::string FarEnd::Sdp(absl::string_view formats, absl::string_view direction) const {
  const std::string ip = absl::StrCat(RawAddress(ip_, 0).is_v6() ? "IN IP6 " : "IN IP4 ", ip_);
  return absl::StrCat("v=0\r\no=- 1 1 ", ip, "\r\ns=-\r\nc=", ip, "\r\nt=0 0\r\n", "m=audio ",
                      port_, " RTP/AVP ", formats,
                      "\r\na=rtpmap:101 telephone-event/8000\r\na=", direction, "\r\n");
}

void FarEnd::SendTo(uint16_t port, absl::string_view bytes) const {
  RawAddress to(ip_, port);
  EXPECT_EQ(sendto(fd_, bytes.data(), bytes.size(), 0, to.get(), to.size),
            static_cast<ssize_t>(bytes.size()));
}

std::optional<std::string> FarEnd::HearBytes(absl::Duration wait) const {
  pollfd p{.fd = fd_, .events = POLLIN, .revents = 0};
  if (poll(&p, 1, static_cast<int>(absl::ToInt64Milliseconds(wait))) != 1) return std::nullopt;
  char bytes[2000];
  const ssize_t size = recv(fd_, bytes, sizeof bytes, 0);
  EXPECT_GE(size, 8);
  if (size < 8) return std::nullopt;
  return std::string(bytes, static_cast<size_t>(size));
}

Heard FarEnd::Decode(absl::string_view s) {
  EXPECT_GE(s.size(), 12u);
  if (s.size() < 12) return {};
  return Heard{.first_octet = static_cast<uint8_t>(s[0]),
               .payload_type = static_cast<uint8_t>(s[1] & 0x7f),
               .marker = (s[1] & 0x80) != 0,
               .seq = static_cast<uint16_t>(Take(s, 2, 2)),
               .timestamp = Take(s, 4, 4),
               .ssrc = Take(s, 8, 4),
               .payload = std::string(s.substr(12))};
}

std::optional<Heard> FarEnd::Hear(absl::Duration wait) const {
  const std::optional<std::string> bytes = HearBytes(wait);
  if (!bytes.has_value()) return std::nullopt;
  return Decode(*bytes);
}

void FarEnd::Talk(uint16_t to, uint8_t payload_type, absl::string_view payload, bool marker) {
  SendTo(to, MakeRtp(payload_type, seq++, timestamp, ssrc, payload, marker));
  timestamp += 160;
}

void Pace::Next() {
  for (MonoTime now = clock_.Mono(); now < next_; now = clock_.Mono()) {
    const int64_t ms = absl::ToInt64Milliseconds(next_ - now + absl::Microseconds(999));
    poll(nullptr, 0, static_cast<int>(ms));
  }
  next_ = next_ + step_;
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

uint16_t Media::Connect(LegId leg, const FarEnd& far, absl::string_view formats,
                        const call::MediaOptions& options) {
  const absl::StatusOr<std::string> offer = plane->Open(leg, options);
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
