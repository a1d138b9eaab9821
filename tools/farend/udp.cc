#include "tools/farend/udp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace outpace::farend {
namespace {

sockaddr_in ToSockaddr(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(endpoint.address);
  address.sin_port = htons(endpoint.port);
  return address;
}

}  // namespace

std::string AddressText(const Endpoint& endpoint) {
  const uint32_t a = endpoint.address;
  return absl::StrFormat("%d.%d.%d.%d", a >> 24, (a >> 16) & 255, (a >> 8) & 255, a & 255);
}

std::string ToString(const Endpoint& endpoint) {
  return absl::StrCat(AddressText(endpoint), ":", endpoint.port);
}

absl::StatusOr<uint32_t> ParseAddress(absl::string_view text) {
  in_addr address{};
  if (text.size() > 15 || inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) {
    return absl::InvalidArgumentError(
        "address: want a numeric IPv4 address such as 127.0.0.1 (names are not resolved)");
  }
  return ntohl(address.s_addr);
}

absl::StatusOr<Endpoint> ParseEndpoint(absl::string_view text) {
  const size_t colon = text.rfind(':');
  uint32_t port = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(text.substr(colon + 1), &port) ||
      port > 65535) {
    return absl::InvalidArgumentError("want address:port, for example 127.0.0.1:5070");
  }
  const auto address = ParseAddress(text.substr(0, colon));
  if (!address.ok()) return address.status();
  return Endpoint{*address, static_cast<uint16_t>(port)};
}

absl::StatusOr<UdpSocket> UdpSocket::Bind(Endpoint local, bool even_port, int buffer_bytes) {
  // An odd port that the kernel proposed stays bound until we are done, or it would be proposed
  // again.
  std::vector<UdpSocket> odd;
  for (int attempt = 0; attempt < 16; ++attempt) {
    UdpSocket socket;
    socket.fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket.fd_ < 0) {
      return absl::ResourceExhaustedError(absl::StrCat("no UDP socket: ", std::strerror(errno),
                                                       "; raise the open file limit (ulimit -n)"));
    }
    const sockaddr_in want = ToSockaddr(local);
    if (::bind(socket.fd_, reinterpret_cast<const sockaddr*>(&want), sizeof want) != 0) {
      return absl::UnavailableError(absl::StrCat("cannot listen on ", ToString(local), ": ",
                                                 std::strerror(errno),
                                                 "; stop what holds the port or choose another"));
    }
    sockaddr_in got{};
    socklen_t size = sizeof got;
    ::getsockname(socket.fd_, reinterpret_cast<sockaddr*>(&got), &size);
    socket.local_ = {ntohl(got.sin_addr.s_addr), ntohs(got.sin_port)};
    if (local.port == 0 && even_port && socket.local_.port % 2 != 0 && attempt < 15) {
      odd.push_back(std::move(socket));
      continue;
    }
    const int on = 1;
    ::setsockopt(socket.fd_, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (buffer_bytes > 0 && ::setsockopt(socket.fd_, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes,
                                         sizeof buffer_bytes) != 0) {
      ::setsockopt(socket.fd_, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
    }
    return socket;
  }
  return absl::UnavailableError("no even UDP port is free");
}

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
    local_ = other.local_;
  }
  return *this;
}

UdpSocket::~UdpSocket() {
  if (fd_ >= 0) ::close(fd_);
}

bool UdpSocket::Send(Endpoint to, absl::string_view bytes) const {
  const sockaddr_in address = ToSockaddr(to);
  for (int attempt = 0; attempt < 2; ++attempt) {
    const ssize_t sent = ::sendto(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL,
                                  reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (sent == static_cast<ssize_t>(bytes.size())) return true;
    // A pending ICMP error of an earlier datagram is reported here once; this one was not sent.
    if (errno != ECONNREFUSED && errno != EINTR) return false;
  }
  return false;
}

ptrdiff_t UdpSocket::Receive(char* buffer, size_t size, Endpoint* from, absl::Time* at) const {
  for (int attempt = 0; attempt < 4; ++attempt) {
    sockaddr_in source{};
    iovec part{buffer, size};
    alignas(cmsghdr) char control[128];
    msghdr message{};
    message.msg_name = &source;
    message.msg_namelen = sizeof source;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t got = ::recvmsg(fd_, &message, 0);
    if (got < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return -1;
      continue;  // EINTR, or the ICMP error of something we sent
    }
    *from = {ntohl(source.sin_addr.s_addr), ntohs(source.sin_port)};
    *at = absl::InfinitePast();
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
      if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
        timespec stamp{};
        std::memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
        *at = absl::TimeFromTimespec(stamp);
      }
    }
    if (*at == absl::InfinitePast()) *at = absl::Now();
    return got;
  }
  return -1;
}

}  // namespace outpace::farend
