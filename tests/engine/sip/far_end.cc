#include "tests/engine/sip/far_end.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "engine/base/check.h"

namespace outpace::sip {
namespace {

constexpr int kPatienceMs = 10'000;

}  // namespace

SocketAddress::SocketAddress(const std::string& host, int port) {
  const auto network_port = htons(static_cast<uint16_t>(port));
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = network_port;
    size = sizeof v4;
    return;
  }
  OUTPACE_CHECK(inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = network_port;
  size = sizeof v6;
}

int SocketAddress::port() const { return ntohs(v4.sin_port); }  // at the same place in both

std::string AnswerText(const WireMessage& request, const Reply& reply) {
  std::string text = absl::StrCat("SIP/2.0 ", reply.status, " ", reply.phrase, "\r\n");
  for (const std::string& via : request.Headers("Via"))
    absl::StrAppend(&text, "Via: ", via, "\r\n");
  const std::string to = request.Header("To");
  const bool tagged = absl::StrContains(to, ";tag=") || reply.to_tag.empty() || reply.status == 100;
  absl::StrAppend(&text, "From: ", request.Header("From"), "\r\nTo: ", to,
                  tagged ? "" : absl::StrCat(";tag=", reply.to_tag),
                  "\r\nCall-ID: ", request.Header("Call-ID"), "\r\nCSeq: ", request.Header("CSeq"),
                  "\r\n");
  for (const std::string& line : reply.extra) absl::StrAppend(&text, line, "\r\n");
  if (!reply.body.empty()) absl::StrAppend(&text, "Content-Type: application/sdp\r\n");
  absl::StrAppend(&text, "Content-Length: ", reply.body.size(), "\r\n\r\n", reply.body);
  return text;
}

WireMessage ParseWire(absl::string_view text) {
  WireMessage message;
  message.valid = true;
  const size_t end = text.find("\r\n\r\n");
  if (end != absl::string_view::npos) message.body = std::string(text.substr(end + 4));
  bool first = true;
  for (absl::string_view line : absl::StrSplit(text.substr(0, end), "\r\n")) {
    if (first) {
      message.start_line = std::string(line);
      first = false;
      continue;
    }
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    message.headers.emplace_back(absl::StripAsciiWhitespace(parts.first),
                                 absl::StripAsciiWhitespace(parts.second));
  }
  return message;
}

bool WireMessage::IsRequest(absl::string_view method) const {
  return valid && absl::StartsWith(start_line, absl::StrCat(method, " "));
}

int WireMessage::Status() const {
  int status = 0;
  absl::string_view line = start_line;
  if (!valid || !absl::ConsumePrefix(&line, "SIP/2.0 ")) return 0;
  return absl::SimpleAtoi(line.substr(0, 3), &status) ? status : 0;
}

std::string WireMessage::RequestUri() const {
  const std::vector<std::string> words = absl::StrSplit(start_line, ' ');
  return words.size() == 3 ? words[1] : "";
}

std::string WireMessage::Header(absl::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (absl::EqualsIgnoreCase(key, name)) return value;
  }
  return "";
}

std::vector<std::string> WireMessage::Headers(absl::string_view name) const {
  std::vector<std::string> found;
  for (const auto& [key, value] : headers) {
    if (absl::EqualsIgnoreCase(key, name)) found.push_back(value);
  }
  return found;
}

std::string WireMessage::Param(absl::string_view header, absl::string_view name) {
  for (absl::string_view part : absl::StrSplit(header, ';')) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    if (pair.first == name) return std::string(pair.second);
  }
  return "";
}

FarEnd::FarEnd(const std::string& address, int port) : address_(address) {
  SocketAddress bound(address, port);
  fd_ = socket(bound.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  OUTPACE_CHECK(fd_ >= 0);
  const int buffer = 4 << 20;
  setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  OUTPACE_CHECK(bind(fd_, &bound.any, bound.size) == 0);
  OUTPACE_CHECK(getsockname(fd_, &bound.any, &bound.size) == 0);
  port_ = bound.port();
}

FarEnd::~FarEnd() { close(fd_); }

std::string FarEnd::HostPort() const {
  const bool v6 = absl::StrContains(address_, ':');
  return absl::StrCat(v6 ? "[" : "", address_, v6 ? "]:" : ":", port_);
}
std::string FarEnd::Uri() const { return absl::StrCat("sip:", HostPort()); }
std::string FarEnd::User() const { return absl::StrCat("sip:+12025550100@", HostPort()); }
std::string FarEnd::Contact() const { return absl::StrCat("Contact: <sip:far@", HostPort(), ">"); }

bool FarEnd::Wait(int milliseconds) {
  pollfd ready{fd_, POLLIN, 0};
  return poll(&ready, 1, milliseconds) == 1;
}

WireMessage FarEnd::Receive() {
  if (!Wait(kPatienceMs)) return {};
  std::string buffer(65'536, '\0');
  SocketAddress from(address_, 0);
  const ssize_t n = recvfrom(fd_, buffer.data(), buffer.size(), 0, &from.any, &from.size);
  if (n < 0) return {};
  WireMessage message = ParseWire(absl::string_view(buffer.data(), static_cast<size_t>(n)));
  message.from_port = from.port();
  return message;
}

WireMessage FarEnd::ReceiveRequest(absl::string_view method) {
  for (;;) {
    WireMessage message = Receive();
    if (!message.valid || message.IsRequest(method)) return message;
  }
}

WireMessage FarEnd::ReceiveResponse(absl::string_view cseq_method) {
  for (;;) {
    WireMessage message = Receive();
    if (!message.valid) return message;
    if (message.Status() != 0 && absl::EndsWith(message.Header("CSeq"), cseq_method)) {
      return message;
    }
  }
}

bool FarEnd::Quiet(int milliseconds) { return !Wait(milliseconds); }

void FarEnd::Send(absl::string_view text, int to_port) {
  // Outpace is on the same loopback, whatever of its addresses we are on.
  const SocketAddress to(absl::StrContains(address_, ':') ? address_ : "127.0.0.1", to_port);
  sendto(fd_, text.data(), text.size(), 0, &to.any, to.size);
}

void FarEnd::Settle(int to_port) {
  const std::string n = absl::StrCat(++settled_);
  Send(absl::StrCat("OPTIONS sip:outpace@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP ", address_, ":",
                    port_, ";branch=z9hG4bKsettle", n, "\r\nMax-Forwards: 70\r\nFrom: <sip:far@",
                    address_, ">;tag=settle\r\nTo: <sip:outpace@127.0.0.1>\r\nCall-ID: settle-", n,
                    "\r\nCSeq: ", n, " OPTIONS\r\nContent-Length: 0\r\n\r\n"),
       to_port);
  for (;;) {
    const WireMessage message = Receive();
    if (!message.valid || message.Header("Call-ID") == absl::StrCat("settle-", n)) return;
  }
}

void FarEnd::Answer(const WireMessage& request, const Reply& reply) {
  Send(AnswerText(request, reply), request.from_port);
}

void FarEnd::Request(const WireMessage& invite, absl::string_view method, int cseq,
                     const std::vector<std::string>& extra, absl::string_view body,
                     absl::string_view to_tag) {
  std::string text = absl::StrCat(
      method, " sip:outpace@", absl::StrContains(address_, ':') ? "[::1]" : "127.0.0.1", ":",
      invite.from_port, " SIP/2.0\r\nVia: SIP/2.0/UDP ", HostPort(), ";branch=z9hG4bKfar", cseq,
      method, "\r\nMax-Forwards: 70\r\nFrom: ", invite.Header("To"), ";tag=", to_tag,
      "\r\nTo: ", invite.Header("From"), "\r\nCall-ID: ", invite.Header("Call-ID"),
      "\r\nCSeq: ", cseq, " ", method, "\r\n");
  for (const std::string& line : extra) absl::StrAppend(&text, line, "\r\n");
  if (!body.empty()) absl::StrAppend(&text, "Content-Type: application/sdp\r\n");
  absl::StrAppend(&text, "Content-Length: ", body.size(), "\r\n\r\n", body);
  Send(text, invite.from_port);
}

}  // namespace outpace::sip
