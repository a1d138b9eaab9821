#include "tests/engine/sip/stream_far_end.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace outpace::sip {
namespace {

constexpr int kPatienceMs = 10'000;

}  // namespace

StreamConnection::StreamConnection(int fd, SSL_CTX* tls, bool accepted) : fd_(fd) {
  fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
  if (tls == nullptr) return;
  ssl_ = SSL_new(tls);
  OUTPACE_CHECK(ssl_ != nullptr && SSL_set_fd(ssl_, fd_) == 1);
  if (accepted) {
    SSL_set_accept_state(ssl_);
  } else {
    SSL_set_connect_state(ssl_);
  }
}

StreamConnection::~StreamConnection() {
  SSL_free(ssl_);
  if (fd_ >= 0) close(fd_);
}

bool StreamConnection::Wait(Want want) {
  pollfd ready{fd_, static_cast<short>(want == Want::kRead ? POLLIN : POLLOUT), 0};
  return poll(&ready, 1, kPatienceMs) == 1;
}

bool StreamConnection::Handshake() {
  while (ssl_ != nullptr && !shaken_) {
    const int result = SSL_do_handshake(ssl_);
    if (result == 1) {
      shaken_ = true;
      break;
    }
    const int error = SSL_get_error(ssl_, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return false;
    if (!Wait(error == SSL_ERROR_WANT_READ ? Want::kRead : Want::kWrite)) return false;
  }
  return true;
}

bool StreamConnection::Fill() {
  if (fd_ < 0 || !Handshake()) return false;
  char octets[16'384];
  for (;;) {
    ssize_t n = 0;
    if (ssl_ != nullptr) {
      n = SSL_read(ssl_, octets, sizeof octets);
      if (n <= 0 && SSL_get_error(ssl_, static_cast<int>(n)) != SSL_ERROR_WANT_READ) return false;
    } else {
      n = recv(fd_, octets, sizeof octets, 0);
      if (n == 0 || (n < 0 && errno != EAGAIN)) return false;
    }
    if (n > 0) {
      buffer_.append(octets, static_cast<size_t>(n));
      return true;
    }
    if (!Wait(Want::kRead)) return false;
  }
}

WireMessage StreamConnection::Receive() {
  for (;;) {
    const size_t end = buffer_.find("\r\n\r\n");
    if (end != std::string::npos) {
      size_t length = 0;
      WireMessage message = ParseWire(buffer_.substr(0, end + 4));
      const std::string field = message.Header("Content-Length");
      OUTPACE_CHECK(absl::SimpleAtoi(field, &length));  // obligatory on a stream (RFC 3261 20.14)
      if (buffer_.size() >= end + 4 + length) {
        message.body = buffer_.substr(end + 4, length);
        buffer_.erase(0, end + 4 + length);
        return message;
      }
    }
    if (!Fill()) return {};
  }
}

WireMessage StreamConnection::ReceiveRequest(absl::string_view method) {
  for (;;) {
    WireMessage message = Receive();
    if (!message.valid || message.IsRequest(method)) return message;
  }
}

WireMessage StreamConnection::ReceiveResponse(absl::string_view cseq_method) {
  for (;;) {
    WireMessage message = Receive();
    if (!message.valid) return message;
    if (message.Status() != 0 && absl::EndsWith(message.Header("CSeq"), cseq_method)) {
      return message;
    }
  }
}

std::string StreamConnection::ReceiveOctets(size_t octets) {
  while (buffer_.size() < octets && Fill()) {
  }
  const std::string taken = buffer_.substr(0, octets);
  buffer_.erase(0, taken.size());
  return taken;
}

bool StreamConnection::Send(absl::string_view octets) {
  if (fd_ < 0 || !Handshake()) return false;
  while (!octets.empty()) {
    ssize_t n = 0;
    bool again = false;
    if (ssl_ != nullptr) {
      n = SSL_write(ssl_, octets.data(), static_cast<int>(octets.size()));
      again = n <= 0 && SSL_get_error(ssl_, static_cast<int>(n)) == SSL_ERROR_WANT_WRITE;
    } else {
      n = send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
      again = n < 0 && errno == EAGAIN;
    }
    if (n > 0) {
      octets.remove_prefix(static_cast<size_t>(n));
    } else if (!again || !Wait(Want::kWrite)) {
      return false;
    }
  }
  return true;
}

bool StreamConnection::Ended() {
  if (fd_ < 0) return true;
  char octets[4'096];
  for (;;) {  // below TLS: what it would say does not matter
    const ssize_t n = recv(fd_, octets, sizeof octets, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) return true;
    if (n < 0 && !Wait(Want::kRead)) return false;
  }
}

void StreamConnection::Close() {
  close(fd_);
  fd_ = -1;
}

void StreamConnection::Reset() {
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  Close();
}

StreamFarEnd::StreamFarEnd(SSL_CTX* tls, const std::string& address)
    : address_(address), tls_(tls) {
  SocketAddress bound(address, 0);
  fd_ = socket(bound.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  OUTPACE_CHECK(fd_ >= 0 && bind(fd_, &bound.any, bound.size) == 0 && listen(fd_, 64) == 0);
  OUTPACE_CHECK(getsockname(fd_, &bound.any, &bound.size) == 0);
  port_ = bound.port();
}

StreamFarEnd::~StreamFarEnd() { StopListening(); }

void StreamFarEnd::StopListening() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

std::string StreamFarEnd::HostPort() const {
  const bool v6 = absl::StrContains(address_, ':');
  return absl::StrCat(v6 ? "[" : "", address_, v6 ? "]:" : ":", port_);
}
std::string StreamFarEnd::Uri() const {
  return absl::StrCat("sip:", HostPort(), ";transport=", tls_ != nullptr ? "tls" : "tcp");
}
std::string StreamFarEnd::User() const { return absl::StrCat("sip:+12025550100@", HostPort()); }
std::string StreamFarEnd::Contact() const {
  return absl::StrCat("Contact: <sip:far@", HostPort(),
                      ";transport=", tls_ != nullptr ? "tls" : "tcp", ">");
}

bool StreamFarEnd::Quiet(int milliseconds) {
  pollfd ready{fd_, POLLIN, 0};
  return poll(&ready, 1, milliseconds) == 0;
}

std::unique_ptr<StreamConnection> StreamFarEnd::Accept() {
  if (Quiet(kPatienceMs)) return nullptr;
  const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
  return fd < 0 ? nullptr : std::make_unique<StreamConnection>(fd, tls_, true);
}

std::unique_ptr<StreamConnection> ConnectTo(int port, SSL_CTX* tls, const std::string& from) {
  const SocketAddress local(from, 0);
  const SocketAddress to(absl::StrContains(from, ':') ? "::1" : "127.0.0.1", port);
  const int fd = socket(local.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  OUTPACE_CHECK(fd >= 0 && bind(fd, &local.any, local.size) == 0);
  if (connect(fd, &to.any, to.size) != 0) {
    close(fd);
    return nullptr;
  }
  return std::make_unique<StreamConnection>(fd, tls, false);
}

}  // namespace outpace::sip
