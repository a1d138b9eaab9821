#include "bench/media/media_answer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "engine/base/check.h"

namespace outpace::bench {
namespace {

int OpenSocket(uint16_t* port) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int yes = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  OUTPACE_CHECK(fd >= 0);
  OUTPACE_CHECK(::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes) == 0);
  OUTPACE_CHECK(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
  OUTPACE_CHECK(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  *port = ntohs(address.sin_port);
  return fd;
}

// The kernel's time of the next datagram; 0: there is none.
int64_t Arrival(int fd) {
  uint8_t bytes[400], control[128];
  iovec vector{.iov_base = bytes, .iov_len = sizeof bytes};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (::recvmsg(fd, &message, MSG_DONTWAIT) <= 0) return 0;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec at{};
    std::memcpy(&at, CMSG_DATA(c), sizeof at);
    return int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec;
  }
  return 0;
}

}  // namespace

Answers::Answers(Shared& shared, EngineMedia& engine, uint32_t first_leg, double per_second)
    : shared_(shared),
      engine_(engine),
      every_(absl::Seconds(1 / per_second)),
      next_leg_(first_leg) {
  for (int i = 0; i < kAgents; ++i) {
    auto line = std::make_unique<Line>();
    line->agent_fd = OpenSocket(&line->agent_far);
    line->callee_fd = OpenSocket(&line->callee_far);
    lines_.push_back(std::move(line));
  }
  engine_.Run([&](media::ShardMediaPlane& plane) {
    for (const std::unique_ptr<Line>& line : lines_) {
      line->agent = {.shard = 0, .index = next_leg_++, .generation = 1};
      OUTPACE_CHECK(plane.Open(line->agent, {}).ok());
      const std::string sdp =
          FarSdp(codec::Codec::kPcmu, line->agent_far, shared_.sink_port, nullptr);
      OUTPACE_CHECK(plane.SetRemote(line->agent, sdp).ok());
      Open(*line);
    }
  });
  ears_ = std::thread([this] { Listen(); });
  engine_.Run([this](media::ShardMediaPlane&) {
    timer_ = engine_.loop().After(absl::Milliseconds(500), [this] { Answer(); });
  });
}

Answers::~Answers() {
  engine_.Run([this](media::ShardMediaPlane& plane) {
    engine_.loop().Cancel(timer_);
    for (const std::unique_ptr<Line>& line : lines_) {
      plane.Close(line->callee);
      plane.Close(line->agent);
    }
  });
  stop_ = true;
  ears_.join();
  for (const std::unique_ptr<Line>& line : lines_) {
    ::close(line->agent_fd);
    ::close(line->callee_fd);
  }
}

void Answers::Open(Line& line) {
  line.callee = {.shard = 0, .index = next_leg_++, .generation = 1};
  const absl::StatusOr<std::string> offer = engine_.plane().Open(line.callee, {});
  line.callee_port = offer.ok() ? AudioPortOf(*offer) : 0;
}

void Answers::Speak(Line& line) const {
  uint8_t packet[172] = {0x80, 0x80, 0, 1};
  packet[11] = 1;
  const uint32_t ssrc = htonl(line.callee.index);
  std::memcpy(packet + 8, &ssrc, sizeof ssrc);
  std::memset(packet + 12, 0x55, 160);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(line.callee_port);
  (void)!::sendto(line.callee_fd, packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&to),
                  sizeof to);
}

// One call is answered; the line's call before it ends first.
void Answers::Answer() {
  timer_ = engine_.loop().After(every_, [this] { Answer(); });
  if (shared_.phase.load() != Phase::kRun) return;
  // The line that comes next gets a callee now and its answer after all others, so that the media
  // thread has opened the leg long before.
  Line& line = *lines_[next_line_];
  next_line_ = (next_line_ + 1) % lines_.size();
  Line& later = *lines_[(next_line_ + lines_.size() / 2) % lines_.size()];
  if (later.calls > 0) {
    engine_.plane().Close(later.callee);
    Open(later);
  }
  if (line.callee_port == 0 || line.asked_ns != 0) return;
  ++line.calls;
  line.early = answered_++ % 2 == 0;
  if (line.early) Speak(line);
  line.asked_ns = WallNs();
  const std::string sdp = FarSdp(codec::Codec::kPcmu, line.callee_far, shared_.sink_port, nullptr);
  (void)engine_.plane().SetRemote(line.callee, sdp).ok();
  engine_.plane().Bridge(line.callee, line.agent);
  if (!line.early) Speak(line);
}

void Answers::Listen() {
  ::pthread_setname_np(::pthread_self(), "ears");
  std::vector<pollfd> polls;
  for (const std::unique_ptr<Line>& line : lines_) {
    polls.push_back({.fd = line->agent_fd, .events = POLLIN, .revents = 0});
  }
  while (!stop_) {
    if (::poll(polls.data(), polls.size(), 20) <= 0) continue;
    for (size_t i = 0; i < polls.size(); ++i) {
      if ((polls[i].revents & POLLIN) == 0) continue;
      Line& line = *lines_[i];
      const int64_t at_ns = Arrival(line.agent_fd);
      const int64_t asked_ns = line.asked_ns;
      if (at_ns == 0 || asked_ns == 0) continue;
      (line.early ? shared_.answer_before : shared_.answer_after).Add((at_ns - asked_ns) / 1'000);
      line.asked_ns = 0;
    }
  }
}

}  // namespace outpace::bench
