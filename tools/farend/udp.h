#pragma once

// IPv4 datagrams of the far end. Numeric addresses only: nothing here ever asks a name server.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace outpace::farend {

// An IPv4 address and a UDP port, both in host byte order.
struct Endpoint {
  uint32_t address = 0;
  uint16_t port = 0;
  bool valid() const { return port != 0; }
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// "127.0.0.1:5070".
std::string ToString(const Endpoint& endpoint);
// "127.0.0.1".
std::string AddressText(const Endpoint& endpoint);
// Dotted quad to host byte order. InvalidArgument for anything else, host names too.
absl::StatusOr<uint32_t> ParseAddress(absl::string_view text);
// "address:port"; port 0 is allowed (any free port). InvalidArgument says what is wrong.
absl::StatusOr<Endpoint> ParseEndpoint(absl::string_view text);

// One bound, non-blocking UDP socket. Move only; closes itself. One thread.
class UdpSocket {
 public:
  // `local.port` 0: any free port; `even_port`: of those, an even one, as RTP likes it (RFC 3550
  // 11). `buffer_bytes`: receive buffer to ask for, 0 for the system's. Unavailable when the port
  // is taken.
  static absl::StatusOr<UdpSocket> Bind(Endpoint local, bool even_port, int buffer_bytes);
  UdpSocket() = default;
  UdpSocket(UdpSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)), local_(other.local_) {}
  UdpSocket& operator=(UdpSocket&& other) noexcept;
  ~UdpSocket();

  int fd() const { return fd_; }
  Endpoint local() const { return local_; }
  // False when the kernel did not take the datagram: UDP, so the caller only counts it.
  bool Send(Endpoint to, absl::string_view bytes) const;
  // Reads one datagram into `buffer`. -1 when none waits. `at` is the kernel's receive time, so a
  // busy process does not make its peer look late.
  ptrdiff_t Receive(char* buffer, size_t size, Endpoint* from, absl::Time* at) const;

 private:
  int fd_ = -1;
  Endpoint local_;
};

}  // namespace outpace::farend
