#pragma once

// Session timers (RFC 4028) as arithmetic: who keeps a call alive, how often, and when a call whose
// refresh did not come is taken for dead. Without them a call whose far end has vanished between
// two silences holds an agent, a port and a carrier's meter for hours.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace outpace::sip {

inline constexpr int64_t kMinSessionSeconds = 90;  // RFC 4028 4: the least anyone may ask
inline constexpr int64_t kMaxSessionSeconds = 86'400;
inline constexpr int64_t kMinSeObeyedSeconds = 7'200;  // a 422 that asks for more is a failure

// A Session-Expires header: seconds, and "uac", "uas" or nothing.
struct SessionHeader {
  uint64_t seconds = 0;
  absl::string_view refresher{};
};

struct SessionTerms {
  absl::Duration expires{};  // 90 s .. 24 h
  bool we_refresh = false;
};

// What a 2xx to a request of ours agrees on; nothing without the header (the timer is off then,
// also if it was on before: RFC 4028 7.2).
std::optional<SessionTerms> TermsOfResponse(const std::optional<SessionHeader>& header);

// What we answer to a request of the far end.
struct SessionAnswer {
  bool too_small = false;  // refuse with 422 and Min-SE
  std::optional<SessionTerms> terms{};
  std::string header{};        // Session-Expires of our 2xx; empty for none
  bool require_timer = false;  // Require: timer in our 2xx: the far end refreshes
};
// `timer_supported`: the far end says so. `wanted`: what we would have ourselves, zero for none.
SessionAnswer AnswerSession(const std::optional<SessionHeader>& header, bool timer_supported,
                            absl::Duration wanted);

// From the last refresh: when we refresh, and when the call is given up with a BYE (RFC 4028 10).
absl::Duration RefreshAfter(const SessionTerms& terms);
absl::Duration GiveUpAfter(const SessionTerms& terms);

}  // namespace outpace::sip
