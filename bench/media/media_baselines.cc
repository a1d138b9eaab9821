// The two things the engine's relay is weighed against: the least a relay can do, and oRTP used the
// way its examples show.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <ortp/ortp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "bench/media/media_systems.h"
#include "bench/sip/process.h"
#include "engine/base/check.h"

namespace outpace::bench {
namespace {

constexpr int kEvents = 256;
constexpr int kWaitMs = 50;  // to see that the row is over

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

void Begin(Shared& shared, int slot, uint16_t port) {
  Slot& said = shared.slots[static_cast<size_t>(slot)];
  said.to_port.store(port);
  said.payload_type.store(0);
  said.call.store(1, std::memory_order_release);
}

bool Watch(int epoll, int fd, uint32_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = tag;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool Over(const Shared& shared) { return shared.phase.load() >= Phase::kStop; }

struct BareLeg {
  int fd = -1;
  sockaddr_in far{};
  BareLeg* partner = nullptr;
};

}  // namespace

int RunBare(Shared& shared, const SystemOptions& options) {
  BeMediaThread(options.realtime);
  shared.rss_before_kib = RssKiB(::getpid());
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<BareLeg> legs(static_cast<size_t>(2 * options.calls));
  for (int slot = 0; slot < 2 * options.calls; ++slot) {
    BareLeg& leg = legs[static_cast<size_t>(slot)];
    leg.fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in own = Loopback(0);
    socklen_t size = sizeof own;
    if (leg.fd < 0 || ::bind(leg.fd, reinterpret_cast<sockaddr*>(&own), size) != 0 ||
        ::getsockname(leg.fd, reinterpret_cast<sockaddr*>(&own), &size) != 0 ||
        !Watch(epoll, leg.fd, static_cast<uint32_t>(slot))) {
      Fail(shared, "bare relay: no sockets");
      return 1;
    }
    leg.far = Loopback(shared.far_ports[static_cast<size_t>(SocketOf(slot))]);
    leg.partner = &legs[static_cast<size_t>(slot ^ 1)];
    Begin(shared, slot, ntohs(own.sin_port));
  }
  shared.phase = Phase::kReady;
  epoll_event events[kEvents];
  while (!Over(shared)) {
    const int count = ::epoll_wait(epoll, events, kEvents, kWaitMs);
    for (int i = 0; i < count; ++i) {
      BareLeg& leg = legs[events[i].data.u32];
      uint8_t packet[1'500];
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t got = ::recvfrom(leg.fd, packet, sizeof packet, MSG_DONTWAIT,
                                     reinterpret_cast<sockaddr*>(&from), &size);
      if (got <= 0) continue;
      const BareLeg& to = *leg.partner;
      (void)!::sendto(to.fd, packet, static_cast<size_t>(got), MSG_DONTWAIT,
                      reinterpret_cast<const sockaddr*>(&to.far), sizeof to.far);
    }
  }
  return 0;
}

namespace {

struct Session {
  RtpSession* rtp = nullptr;
  uint32_t reads = 0;
  Session* partner = nullptr;
};

void NoLog(const char*, BctbxLogLevel, const char*, va_list) {}
void NoSignal(RtpSession*, void*, void*, void*) {}

}  // namespace

// A session a leg with its own pair of sockets; packets read by oRTP until it has no more (it
// returns one of those it has read), and sent through the partner's session.
int RunOrtp(Shared& shared, const SystemOptions& options) {
  BeMediaThread(options.realtime);
  shared.rss_before_kib = RssKiB(::getpid());
  ortp_init();
  ortp_set_log_handler(&NoLog);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<Session> sessions(static_cast<size_t>(2 * options.calls));
  for (int slot = 0; slot < 2 * options.calls; ++slot) {
    Session& session = sessions[static_cast<size_t>(slot)];
    RtpSession* const rtp = rtp_session_new(RTP_SESSION_SENDRECV);
    session.rtp = rtp;
    session.partner = &sessions[static_cast<size_t>(slot ^ 1)];
    rtp_session_set_scheduling_mode(rtp, 0);
    rtp_session_set_blocking_mode(rtp, 0);
    rtp_session_enable_jitter_buffer(rtp, FALSE);
    rtp_session_set_ssrc_changed_threshold(rtp, 0);
    rtp_session_signal_connect(rtp, "network_error", &NoSignal, nullptr);
    const uint16_t far = shared.far_ports[static_cast<size_t>(SocketOf(slot))];
    if (rtp_session_set_local_addr(rtp, "127.0.0.1", 0, 0) != 0 ||
        rtp_session_set_remote_addr_full(rtp, "127.0.0.1", far, "127.0.0.1", shared.sink_port) !=
            0 ||
        !Watch(epoll, rtp_session_get_rtp_socket(rtp), static_cast<uint32_t>(slot))) {
      Fail(shared, "plain oRTP: no sockets");
      return 1;
    }
    rtp_session_set_payload_type(rtp, 0);
    Begin(shared, slot, static_cast<uint16_t>(rtp_session_get_local_port(rtp)));
  }
  shared.phase = Phase::kReady;
  epoll_event events[kEvents];
  while (!Over(shared)) {
    const int count = ::epoll_wait(epoll, events, kEvents, kWaitMs);
    for (int i = 0; i < count; ++i) {
      Session& session = sessions[events[i].data.u32];
      while (mblk_t* const packet = rtp_session_recvm_with_ts(session.rtp, ++session.reads)) {
        rtp_session_sendm_with_ts(session.partner->rtp, packet, rtp_get_timestamp(packet));
      }
    }
  }
  return 0;  // the process ends: the kernel closes 4,000 sockets faster
}

}  // namespace outpace::bench
