#pragma once

// The far end of the SIP tests: a UDP socket on loopback that a test scripts packet by packet, with
// a parser of its own, so that nothing of the stack under test judges itself. One test thread.

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace outpace::sip {

struct WireMessage {
  bool valid = false;  // false: nothing came in time
  std::string start_line;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  int from_port = 0;

  bool IsRequest(absl::string_view method) const;
  int Status() const;  // 0 for a request
  std::string RequestUri() const;
  // First header of that name (case ignored), empty if absent.
  std::string Header(absl::string_view name) const;
  std::vector<std::string> Headers(absl::string_view name) const;
  // ";name=value" of a header's text, empty if absent.
  static std::string Param(absl::string_view header, absl::string_view name);
};

WireMessage ParseWire(absl::string_view text);

struct Reply {
  int status = 200;
  std::string phrase = "OK";
  std::string to_tag = "far";
  std::vector<std::string> extra = {};  // "Name: value"
  std::string body = {};                // SDP
};

// The text of a response with the request's own Via, From, To, Call-ID and CSeq.
std::string AnswerText(const WireMessage& request, const Reply& reply);

// A numeric IPv4 or IPv6 address and port as the kernel takes them.
struct SocketAddress {
  SocketAddress(const std::string& host, int port);
  int port() const;
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6 = {};
  };
  socklen_t size = 0;
};

class FarEnd {
 public:
  explicit FarEnd(const std::string& address = "127.0.0.1", int port = 0);
  ~FarEnd();
  FarEnd(const FarEnd&) = delete;
  FarEnd& operator=(const FarEnd&) = delete;

  int port() const { return port_; }
  std::string HostPort() const;
  std::string Uri() const;      // "sip:127.0.0.1:<port>"
  std::string User() const;     // "sip:+12025550100@127.0.0.1:<port>"
  std::string Contact() const;  // "Contact: <sip:far@...>"
  // The next datagram; not valid after ten seconds.
  WireMessage Receive();
  // The next request of that method; others (retransmissions) are passed over.
  WireMessage ReceiveRequest(absl::string_view method);
  WireMessage ReceiveResponse(absl::string_view cseq_method);
  // Returns when everything sent to that port before has been handled: an OPTIONS outside any
  // dialog has been answered.
  void Settle(int to_port);
  // True if nothing comes for that many milliseconds.
  bool Quiet(int milliseconds);
  void Send(absl::string_view text, int to_port);
  // Answers `request` with its own Via, From, To, Call-ID and CSeq.
  void Answer(const WireMessage& request, const Reply& reply);
  // A request of ours inside the dialog that `invite` (received) and our To tag made.
  void Request(const WireMessage& invite, absl::string_view method, int cseq,
               const std::vector<std::string>& extra = {}, absl::string_view body = "",
               absl::string_view to_tag = "far");

 private:
  bool Wait(int milliseconds);
  int fd_ = -1;
  int port_ = 0;
  int settled_ = 0;
  std::string address_;
};

}  // namespace outpace::sip
