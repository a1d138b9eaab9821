#include "bench/sip/flood.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "bench/sip/far_end.h"
#include "engine/base/check.h"

namespace outpace::bench {
namespace {

constexpr uint32_t kStranger = 0x7f000002;  // 127.0.0.2

std::string Message(uint64_t number, uint16_t port) {
  constexpr const char* kMethods[] = {"INVITE",  "OPTIONS", "REGISTER",
                                      "MESSAGE", "BYE",     "SUBSCRIBE"};
  const char* method = kMethods[number % std::size(kMethods)];
  std::string text = absl::StrCat(method, " sip:1000@127.0.0.1:", port,
                                  " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:5060;branch=z9hG4bK-x",
                                  number, "\r\nMax-Forwards: 70\r\n");
  absl::StrAppend(&text, "From: <sip:100@127.0.0.2>;tag=x", number,
                  "\r\nTo: <sip:1000@127.0.0.1>\r\nCall-ID: x", number, "@127.0.0.2\r\nCSeq: 1 ",
                  method, "\r\n");
  absl::StrAppend(&text, "Contact: <sip:100@127.0.0.2>\r\nContent-Length: 0\r\n\r\n");
  return text;
}

}  // namespace

Flood::Flood(uint16_t port, int per_second)
    : thread_([this, port, per_second] { Run(port, per_second); }) {}

Flood::~Flood() {
  stop_ = true;
  thread_.join();
}

void Flood::Run(uint16_t port, int per_second) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in from{}, to{};
  from.sin_family = to.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(kStranger);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(port);
  OUTPACE_CHECK(::bind(fd, reinterpret_cast<sockaddr*>(&from), sizeof from) == 0);
  const int64_t start = NowNs();
  while (!stop_) {
    const double passed = static_cast<double>(NowNs() - start) / 1e9;
    const auto due = static_cast<uint64_t>(passed * per_second);
    for (; sent_ < due; ++sent_) {
      const std::string text = Message(sent_, port);
      (void)!::sendto(fd, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
    }
    char answer[2'048];
    while (::recv(fd, answer, sizeof answer, MSG_DONTWAIT) > 0) ++answered_;
    pollfd readable{fd, POLLIN, 0};
    ::poll(&readable, 1, 2);
  }
  ::close(fd);
}

}  // namespace outpace::bench
