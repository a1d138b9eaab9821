#include "engine/media/port_pool.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace outpace::media {
namespace {

// The store, the API, SIP and logs together stay far below this.
constexpr uint64_t kOtherDescriptors = 4096;
// Less than this is sure to be too few.
constexpr uint64_t kOtherDescriptorsLeast = 64;

// A descriptor that closes itself unless taken out.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.Take()) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int Take() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

void SetOptions(int fd, bool v6, int dscp) {
  const int tos = dscp << 2;  // a wish, not a condition
  if (!v6) {
    (void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
    return;
  }
  (void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
  const int one = 1;  // IPv4 in disguise never reaches an IPv6 leg
  (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
}

// A socket bound to `port` (0: any); errno of the failure as a status.
absl::StatusOr<Socket> BindOne(const PortPool::Options& options, const IpAddress& ip,
                               uint16_t port) {
  Socket socket(
      ::socket(ip.v6() ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) {
    if (errno == EAFNOSUPPORT) {
      return absl::InvalidArgumentError("media: this machine has no IPv6; see `ip -6 addr`");
    }
    if (errno != EMFILE && errno != ENFILE) return absl::ErrnoToStatus(errno, "media: socket");
    return absl::ResourceExhaustedError(
        absl::StrCat("media: too few file descriptors for ", options.pairs, " legs; each takes ",
                     options.rtcp_sockets ? "two" : "one",
                     ": raise LimitNOFILE (ulimit -n) or lower media.ports"));
  }
  SetOptions(socket.get(), ip.v6(), options.dscp);
  const SocketAddress address(MediaAddress{ip, port});
  if (bind(socket.get(), address.raw(), address.size()) != 0) {
    const int error = errno;
    if (error == EADDRINUSE) {
      return absl::UnavailableError(absl::StrCat(
          "media: UDP port ", port, " is taken; free it or choose another media.port_first"));
    }
    if (error == EADDRNOTAVAIL) {
      return absl::InvalidArgumentError(absl::StrCat("media: ", ip.ToString(),
                                                     " is not an address of this machine; see `ip ",
                                                     ip.v6() ? "-6" : "-4", " addr`"));
    }
    return absl::ErrnoToStatus(error, absl::StrCat("media: bind to UDP port ", port));
  }
  return socket;
}

uint16_t PortOf(int fd) {
  SocketAddress address;
  socklen_t size = SocketAddress::kRoom;
  if (getsockname(fd, address.raw(), &size) != 0) return 0;
  return address.port();
}

// Nobody reads the RTCP port (only reports go out), so the kernel need not keep what comes for it.
PortPair MakePair(Socket& rtp, Socket& rtcp, uint16_t port) {
  const int least = 1;
  if (rtcp.get() >= 0) {
    (void)setsockopt(rtcp.get(), SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
  }
  return {.rtp_fd = rtp.Take(), .rtcp_fd = rtcp.Take(), .rtp_port = port};
}

absl::StatusOr<PortPair> BindPair(const PortPool::Options& options, const IpAddress& ip,
                                  uint16_t port) {
  absl::StatusOr<Socket> rtp = BindOne(options, ip, port);
  if (!rtp.ok()) return rtp.status();
  if (!options.rtcp_sockets) {
    Socket none(-1);
    return MakePair(*rtp, none, port != 0 ? port : PortOf(rtp->get()));
  }
  absl::StatusOr<Socket> rtcp = BindOne(options, ip, static_cast<uint16_t>(port + 1));
  if (!rtcp.ok()) return rtcp.status();
  return MakePair(*rtp, *rtcp, port);
}

// Asks the kernel for ports until one is even and its neighbour is free too.
absl::StatusOr<PortPair> BindAnyPair(const PortPool::Options& options, const IpAddress& ip) {
  if (!options.rtcp_sockets) return BindPair(options, ip, 0);
  absl::Status last = absl::UnavailableError("media: no even UDP port with a free neighbour");
  for (int attempt = 0; attempt < 200; ++attempt) {
    absl::StatusOr<Socket> rtp = BindOne(options, ip, 0);
    if (!rtp.ok()) return rtp.status();
    const uint16_t port = PortOf(rtp->get());
    if (port == 0 || port % 2 != 0) continue;
    absl::StatusOr<Socket> rtcp = BindOne(options, ip, static_cast<uint16_t>(port + 1));
    if (rtcp.ok()) return MakePair(*rtp, *rtcp, port);
    if (!absl::IsUnavailable(rtcp.status())) return rtcp.status();
    last = rtcp.status();
  }
  return last;
}

absl::Status CheckOptions(const PortPool::Options& options) {
  if (options.addresses.empty()) return absl::InvalidArgumentError("media: no address");
  if (options.pairs < static_cast<int>(options.addresses.size())) {
    return absl::InvalidArgumentError(
        "media: media.ports must be 1 or more for each of media's addresses");
  }
  if (options.dscp < 0 || options.dscp > 63) {
    return absl::InvalidArgumentError("media: dscp must be 0..63");
  }
  if (options.rtcp_sockets && options.first_port % 2 != 0) {
    return absl::InvalidArgumentError("media: media.port_first must be even (RFC 3550 11)");
  }
  const auto addresses = static_cast<int64_t>(options.addresses.size());
  const int64_t most = (options.pairs + addresses - 1) / addresses;
  if (options.first_port + (options.rtcp_sockets ? 2 : 1) * most > 65536) {
    return absl::InvalidArgumentError(
        "media: the ports go beyond 65535; lower media.port_first or media.ports, add an address, "
        "or set media.rtcp to \"mux\" or \"off\": a leg then takes one port instead of two");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PortPool> PortPool::Bind(const Options& options) {
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  PortPool pool;
  pool.pairs_.reserve(static_cast<size_t>(options.pairs));
  const int addresses = static_cast<int>(options.addresses.size());
  const int step = options.rtcp_sockets ? 2 : 1;
  for (int a = 0; a < addresses; ++a) {
    const IpAddress& ip = options.addresses[static_cast<size_t>(a)];
    const int here = options.pairs / addresses + (a < options.pairs % addresses ? 1 : 0);
    for (int i = 0; i < here; ++i) {
      absl::StatusOr<PortPair> pair =
          options.first_port == 0
              ? BindAnyPair(options, ip)
              : BindPair(options, ip, static_cast<uint16_t>(options.first_port + step * i));
      if (!pair.ok()) return pair.status();
      pair->address = static_cast<uint16_t>(a);
      pool.pairs_.push_back(*pair);
    }
  }
  return pool;
}

PortPool::~PortPool() {
  for (const PortPair& pair : pairs_) {
    close(pair.rtp_fd);
    if (pair.rtcp_fd >= 0) close(pair.rtcp_fd);
  }
}

absl::StatusOr<uint64_t> EnsureDescriptors(int pairs, bool rtcp_sockets) {
  const uint64_t legs = static_cast<uint64_t>(std::max(0, pairs)) * (rtcp_sockets ? 2 : 1);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return absl::ErrnoToStatus(errno, "media: getrlimit");
  const uint64_t wanted = legs + kOtherDescriptors;
  if (limit.rlim_cur >= wanted) return 0;
  rlimit raised{.rlim_cur = wanted, .rlim_max = std::max<rlim_t>(wanted, limit.rlim_max)};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return wanted;
  if (limit.rlim_max < legs + kOtherDescriptorsLeast) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "media: ", pairs, " legs need ", legs + kOtherDescriptorsLeast,
        " file descriptors and the process may have ", limit.rlim_max,
        "; raise LimitNOFILE in the service (ulimit -Hn) or lower media.ports",
        rtcp_sockets ? ", or set media.rtcp to \"mux\" or \"off\": a leg then takes one "
                       "descriptor instead of two"
                     : ""));
  }
  if (limit.rlim_cur == limit.rlim_max) return 0;
  raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) != 0) return absl::ErrnoToStatus(errno, "media: setrlimit");
  return limit.rlim_max;
}

}  // namespace outpace::media
