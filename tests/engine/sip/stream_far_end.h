#pragma once

// The far end of the TCP and TLS tests: a listener, and the connections of it or to us, each read
// and written by the test, message by message. With a TLS context of the test's own making: the
// stack under test does not judge itself. One test thread.

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/engine/sip/far_end.h"

namespace outpace::sip {

class StreamConnection {
 public:
  // Takes the socket. With a context, the TLS handshake is done by the first call that needs it;
  // `accepted` tells which side we are.
  StreamConnection(int fd, SSL_CTX* tls, bool accepted);
  ~StreamConnection();
  StreamConnection(const StreamConnection&) = delete;
  StreamConnection& operator=(const StreamConnection&) = delete;

  // True when the handshake is done, false when it failed or took ten seconds.
  bool Handshake();
  // The next message, framed by its Content-Length; not valid after ten seconds or at the end.
  WireMessage Receive();
  WireMessage ReceiveRequest(absl::string_view method);
  WireMessage ReceiveResponse(absl::string_view cseq_method);
  // Raw octets that are there by then, up to `octets`.
  std::string ReceiveOctets(size_t octets);
  bool Send(absl::string_view octets);  // false: the connection is gone
  bool Answer(const WireMessage& request, const Reply& reply) {
    return Send(AnswerText(request, reply));
  }
  // True once the far side has ended it, false after ten seconds without that.
  bool Ended();
  void Close();  // FIN
  void Reset();  // RST
  SSL* tls() { return ssl_; }
  int fd() const { return fd_; }

 private:
  enum class Want { kRead, kWrite };
  bool Wait(Want want);
  // Octets appended to buffer_; false at the end or in ten seconds without any.
  bool Fill();

  int fd_ = -1;
  SSL* ssl_ = nullptr;
  bool shaken_ = false;
  std::string buffer_;
};

class StreamFarEnd {
 public:
  // `tls` null: TCP. It outlives this.
  explicit StreamFarEnd(SSL_CTX* tls = nullptr, const std::string& address = "127.0.0.1");
  ~StreamFarEnd();
  StreamFarEnd(const StreamFarEnd&) = delete;
  StreamFarEnd& operator=(const StreamFarEnd&) = delete;

  int port() const { return port_; }
  std::string HostPort() const;
  std::string Uri() const;      // "sip:127.0.0.1:<port>;transport=tcp"
  std::string User() const;     // "sip:+12025550100@127.0.0.1:<port>"
  std::string Contact() const;  // "Contact: <sip:far@...;transport=tcp>"
  // The next connection; null after ten seconds.
  std::unique_ptr<StreamConnection> Accept();
  bool Quiet(int milliseconds);  // nobody connects for that long
  void StopListening();          // who connects from now on is refused

 private:
  const std::string address_;
  SSL_CTX* const tls_;
  int fd_ = -1;
  int port_ = 0;
};

// A connection from `from` to Outpace's listener; null if the kernel refuses it.
std::unique_ptr<StreamConnection> ConnectTo(int port, SSL_CTX* tls = nullptr,
                                            const std::string& from = "127.0.0.1");

}  // namespace outpace::sip
