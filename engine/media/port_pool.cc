#include "engine/media/port_pool.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace outpace::media {
namespace {

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

// A socket bound to `port` (0: any); errno of the failure as a status.
absl::StatusOr<Socket> BindOne(const PortPool::Options& options, uint16_t port) {
  Socket socket(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) {
    if (errno != EMFILE && errno != ENFILE) return absl::ErrnoToStatus(errno, "media: socket");
    return absl::ResourceExhaustedError(
        absl::StrCat("media: too few file descriptors for ", options.pairs,
                     " legs; each takes two: raise LimitNOFILE (ulimit -n) or lower media.ports"));
  }
  const int tos = options.dscp << 2;
  (void)setsockopt(socket.get(), IPPROTO_IP, IP_TOS, &tos, sizeof tos);  // a wish, not a condition
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(options.ip);
  address.sin_port = htons(port);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    if (error == EADDRINUSE) {
      return absl::UnavailableError(absl::StrCat(
          "media: UDP port ", port, " is taken; free it or choose another media.port_first"));
    }
    if (error == EADDRNOTAVAIL) {
      return absl::InvalidArgumentError(
          "media: media.address is not an address of this machine; see `ip -4 addr`");
    }
    return absl::ErrnoToStatus(error, absl::StrCat("media: bind to UDP port ", port));
  }
  return socket;
}

uint16_t PortOf(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.sin_port);
}

// Nobody reads the RTCP port (only reports go out), so the kernel need not keep what comes for it.
PortPair MakePair(Socket& rtp, Socket& rtcp, uint16_t port) {
  const int least = 1;
  (void)setsockopt(rtcp.get(), SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
  return {.rtp_fd = rtp.Take(), .rtcp_fd = rtcp.Take(), .rtp_port = port};
}

absl::StatusOr<PortPair> BindPair(const PortPool::Options& options, uint16_t port) {
  absl::StatusOr<Socket> rtp = BindOne(options, port);
  if (!rtp.ok()) return rtp.status();
  absl::StatusOr<Socket> rtcp = BindOne(options, static_cast<uint16_t>(port + 1));
  if (!rtcp.ok()) return rtcp.status();
  return MakePair(*rtp, *rtcp, port);
}

// Asks the kernel for ports until one is even and its neighbour is free too.
absl::StatusOr<PortPair> BindAnyPair(const PortPool::Options& options) {
  absl::Status last = absl::UnavailableError("media: no even UDP port with a free neighbour");
  for (int attempt = 0; attempt < 200; ++attempt) {
    absl::StatusOr<Socket> rtp = BindOne(options, 0);
    if (!rtp.ok()) return rtp.status();
    const uint16_t port = PortOf(rtp->get());
    if (port == 0 || port % 2 != 0) continue;
    absl::StatusOr<Socket> rtcp = BindOne(options, static_cast<uint16_t>(port + 1));
    if (rtcp.ok()) {
      return MakePair(*rtp, *rtcp, port);
    }
    if (!absl::IsUnavailable(rtcp.status())) return rtcp.status();
    last = rtcp.status();
  }
  return last;
}

}  // namespace

absl::StatusOr<PortPool> PortPool::Bind(const Options& options) {
  if (options.pairs < 1) return absl::InvalidArgumentError("media: media.ports must be 1 or more");
  if (options.dscp < 0 || options.dscp > 63) {
    return absl::InvalidArgumentError("media: dscp must be 0..63");
  }
  if (options.first_port % 2 != 0) {
    return absl::InvalidArgumentError("media: media.port_first must be even (RFC 3550 11)");
  }
  if (options.first_port + 2 * static_cast<int64_t>(options.pairs) > 65536) {
    return absl::InvalidArgumentError("media: port_first + 2 * ports goes beyond 65535");
  }
  PortPool pool;
  pool.pairs_.reserve(static_cast<size_t>(options.pairs));
  for (int i = 0; i < options.pairs; ++i) {
    absl::StatusOr<PortPair> pair =
        options.first_port == 0
            ? BindAnyPair(options)
            : BindPair(options, static_cast<uint16_t>(options.first_port + 2 * i));
    if (!pair.ok()) return pair.status();
    pool.pairs_.push_back(*pair);
  }
  return pool;
}

PortPool::~PortPool() {
  for (const PortPair& pair : pairs_) {
    close(pair.rtp_fd);
    close(pair.rtcp_fd);
  }
}

}  // namespace outpace::media
