#pragma once

// What a ladder shows of a SIP message. Reads text that may be damaged or hostile: whatever is
// missing stays empty.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace outpace::trace {

struct SipBrief {
  std::string method{};  // of a request; empty for a response
  std::string request_uri{};
  int status = 0;  // of a response
  std::string phrase{};
  std::string call_id{};
  uint32_t cseq = 0;
  std::string cseq_method{};
  std::string branch{};  // of the topmost Via
  std::string to_tag{};
  std::string reason{};  // Reason headers, as they stand
  std::string retry_after{};
  std::string sdp{};  // "127.0.0.1:40000 PCMU PCMA telephone-event sendonly SRTP", one a stream

  bool IsRequest() const { return !method.empty(); }
  bool IsSip() const { return IsRequest() || status != 0; }
};

SipBrief ReadSip(absl::string_view message);

// Value of the first header of that name or compact form, folded lines joined, without blanks
// around it.
std::string HeaderOf(absl::string_view message, absl::string_view name, char compact = '\0');

}  // namespace outpace::trace
