#pragma once

// A plain TCP or unix socket for tests that must send what no decent client sends. Every wait is a
// poll() with a deadline; nothing sleeps.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace outpace::api {

class RawSocket {
 public:
  // `receive_buffer` > 0 sets SO_RCVBUF before connecting, to play a slow reader.
  explicit RawSocket(uint16_t port, int receive_buffer = 0) {
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    if (receive_buffer > 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~RawSocket() { close(fd_); }
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  bool connected() const { return connected_; }

  // False when the other side has closed, or takes nothing for 5 s.
  bool Send(absl::string_view bytes) {
    while (!bytes.empty()) {
      pollfd waiting{fd_, POLLOUT, 0};
      if (poll(&waiting, 1, 5000) <= 0) return false;
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno == EAGAIN) continue;
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // Reads until `text` has come, the peer closes or `ms` pass without a byte. Returns all read.
  std::string ReadUntil(absl::string_view text, int ms = 5000) {
    while (read_.find(text.data(), 0, text.size()) == std::string::npos && ReadSome(ms)) {
    }
    return read_;
  }

  // Reads to the end of the stream; sets `closed` if the end came rather than the deadline.
  std::string ReadToEnd(bool* closed, int ms = 5000) {
    while (ReadSome(ms)) {
    }
    *closed = closed_;
    return read_;
  }

  void Forget() { read_.clear(); }

 private:
  bool ReadSome(int ms) {
    pollfd waiting{fd_, POLLIN, 0};
    if (poll(&waiting, 1, ms) <= 0) return false;
    char buffer[16384];
    const ssize_t got = recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got <= 0) {
      closed_ = true;
      return false;
    }
    read_.append(buffer, static_cast<size_t>(got));
    return true;
  }

  int fd_ = -1;
  bool connected_ = false;
  bool closed_ = false;
  std::string read_;
};

}  // namespace outpace::api
