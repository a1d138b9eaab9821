#include "engine/sip/session_timer.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace outpace::sip {
namespace {

// A hostile "1" must not have us refresh twice a second, nor 2^64 overflow.
int64_t Clamp(uint64_t seconds) {
  return static_cast<int64_t>(
      std::clamp<uint64_t>(seconds, kMinSessionSeconds, kMaxSessionSeconds));
}

}  // namespace

std::optional<SessionTerms> TermsOfResponse(const std::optional<SessionHeader>& header) {
  if (!header.has_value()) return std::nullopt;
  return SessionTerms{.expires = absl::Seconds(Clamp(header->seconds)),
                      .we_refresh = !absl::EqualsIgnoreCase(header->refresher, "uas")};
}

SessionAnswer AnswerSession(const std::optional<SessionHeader>& header, bool timer_supported,
                            absl::Duration wanted) {
  SessionAnswer answer;
  int64_t seconds = 0;
  bool far_refreshes = false;
  if (header.has_value()) {
    // Who does not know the timer could make nothing of a 422: a proxy put the header in.
    if (timer_supported && header->seconds < static_cast<uint64_t>(kMinSessionSeconds)) {
      answer.too_small = true;
      return answer;
    }
    seconds = Clamp(header->seconds);
    far_refreshes = timer_supported && !absl::EqualsIgnoreCase(header->refresher, "uas");
  } else if (timer_supported && wanted > absl::ZeroDuration()) {
    seconds = Clamp(static_cast<uint64_t>(absl::ToInt64Seconds(wanted)));
  } else {
    return answer;
  }
  answer.terms = SessionTerms{.expires = absl::Seconds(seconds), .we_refresh = !far_refreshes};
  answer.header = absl::StrCat(seconds, ";refresher=", far_refreshes ? "uac" : "uas");
  answer.require_timer = far_refreshes;
  return answer;
}

absl::Duration RefreshAfter(const SessionTerms& terms) { return terms.expires / 2; }

absl::Duration GiveUpAfter(const SessionTerms& terms) {
  return terms.expires - std::min(absl::Seconds(32), terms.expires / 3);
}

}  // namespace outpace::sip
