#pragma once

// SIP of one call as two sides would send it, for the tests of the trace.

#include <arpa/inet.h>
#include <netinet/in.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "engine/trace/ring_file.h"

namespace outpace::trace {

inline Endpoint V4(const char* host, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, host, &address.sin_addr);
  return EndpointOf(reinterpret_cast<const sockaddr*>(&address));
}

inline Endpoint V6(const char* host, uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  inet_pton(AF_INET6, host, &address.sin6_addr);
  return EndpointOf(reinterpret_cast<const sockaddr*>(&address));
}

inline absl::Time Start() {
  return absl::FromCivil(absl::CivilSecond(2026, 3, 2, 9, 0, 0), absl::UTCTimeZone());
}

inline RecordedMessage Message(absl::Duration at, Direction direction, std::string bytes) {
  RecordedMessage message;
  message.at = Start() + at;
  message.direction = direction;
  message.local = V4("192.0.2.10", 5060);
  message.remote = V4("198.51.100.7", 5060);
  message.size_on_wire = bytes.size();
  message.bytes = std::move(bytes);
  return message;
}

inline TappedMessage Tapped(const RecordedMessage& message) {
  return {message.at,    message.direction, message.transport,
          message.local, message.remote,    message.bytes};
}

inline constexpr char kOffer[] =
    "v=0\r\no=- 17654321 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    "m=audio 40000 RTP/SAVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n";
inline constexpr char kAnswer[] =
    "v=0\r\no=- 99887766 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n"
    "m=audio 31000 RTP/SAVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n";

inline std::string Sip(absl::string_view start, absl::string_view branch, absl::string_view to_tag,
                       absl::string_view cseq, absl::string_view more, absl::string_view body = "",
                       absl::string_view call_id = "op-4711-9f3ce2a1b0d4") {
  return absl::StrCat(
      start, "\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK", branch,
      "\r\nFrom: \"Jane Roe\" <sip:+12025550199@192.0.2.10>;tag=77aa12345678\r\nTo: "
      "<sip:+12025550123@198.51.100.7>",
      to_tag.empty() ? "" : ";tag=", to_tag, "\r\nCall-ID: ", call_id, "\r\nCSeq: ", cseq, "\r\n",
      more, body.empty() ? "" : "Content-Type: application/sdp\r\n",
      "Content-Length: ", body.size(), "\r\n\r\n", body);
}

// INVITE repeated once, challenged, answered, held for half a minute, ended by the far end.
inline std::vector<RecordedMessage> AnsweredCall() {
  using absl::Milliseconds;
  constexpr auto kIn = Direction::kIn, kOut = Direction::kOut;
  const std::string uri = "sip:+12025550123@198.51.100.7:5060";
  const std::string invite = Sip("INVITE " + uri + " SIP/2.0", "a1", "", "1 INVITE",
                                 "Max-Forwards: 70\r\nX-Lead: Roe\r\n", kOffer);
  const std::string again =
      Sip("INVITE " + uri + " SIP/2.0", "a2", "", "2 INVITE",
          "Proxy-Authorization: Digest username=\"trunk9\", realm=\"carrier\", "
          "nonce=\"abc\",\r\n response=\"6629fae49393a05397450978507c4ef1\"\r\n",
          kOffer);
  const std::string ok = Sip("SIP/2.0 200 OK", "a2", "far1", "2 INVITE",
                             "Contact: <sip:+12025550123@198.51.100.7:5061>\r\n", kAnswer);
  return {
      Message(Milliseconds(0), kOut, invite),
      Message(Milliseconds(500), kOut, invite),
      Message(Milliseconds(512.25), kIn,
              Sip("SIP/2.0 407 Proxy Authentication Required", "a1", "p", "1 INVITE",
                  "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"abc\"\r\n")),
      Message(Milliseconds(512.5), kOut, Sip("ACK " + uri + " SIP/2.0", "a1", "p", "1 ACK", "")),
      Message(Milliseconds(513), kOut, again),
      Message(Milliseconds(520.125), kIn, Sip("SIP/2.0 100 Trying", "a2", "", "2 INVITE", "")),
      Message(Milliseconds(1930), kIn, Sip("SIP/2.0 180 Ringing", "a2", "far1", "2 INVITE", "")),
      Message(Milliseconds(7120), kIn, ok),
      Message(Milliseconds(7120.5), kOut,
              Sip("ACK " + uri + " SIP/2.0", "a3", "far1", "2 ACK", "")),
      Message(Milliseconds(7620), kIn, ok),
      Message(Milliseconds(7620.5), kOut,
              Sip("ACK " + uri + " SIP/2.0", "a4", "far1", "2 ACK", "")),
      Message(absl::Seconds(37), kIn,
              Sip("BYE sip:outpace@192.0.2.10:5060 SIP/2.0", "b1", "77aa", "7 BYE",
                  "Reason: Q.850;cause=16;text=\"Normal call clearing\"\r\n")),
      Message(absl::Seconds(37) + Milliseconds(0.25), kOut,
              Sip("SIP/2.0 200 OK", "b1", "77aa", "7 BYE", "")),
  };
}

}  // namespace outpace::trace
