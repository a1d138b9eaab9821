#include "engine/sip/invite_headers.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/sip/sip_text.h"

namespace outpace::sip {
namespace {

constexpr size_t kHeadersMax = 64;
constexpr size_t kBytesMax = 16 << 10;

// Written by the stack or by us: a second one would be malformed, or would steer the transaction.
constexpr std::array<absl::string_view, 27> kOurs = {"Via",
                                                     "From",
                                                     "To",
                                                     "Call-ID",
                                                     "CSeq",
                                                     "Contact",
                                                     "Max-Forwards",
                                                     "Route",
                                                     "Record-Route",
                                                     "Path",
                                                     "Authorization",
                                                     "Proxy-Authorization",
                                                     "WWW-Authenticate",
                                                     "Proxy-Authenticate",
                                                     "Supported",
                                                     "Require",
                                                     "Proxy-Require",
                                                     "Unsupported",
                                                     "Session-Expires",
                                                     "Min-SE",
                                                     "RSeq",
                                                     "RAck",
                                                     "Allow",
                                                     "User-Agent",
                                                     "MIME-Version",
                                                     "Replaces",
                                                     "Timestamp"};

bool IsOurs(absl::string_view name) {
  return name.size() == 1 || absl::StartsWithIgnoreCase(name, "Content-") ||
         std::any_of(kOurs.begin(), kOurs.end(),
                     [name](absl::string_view ours) { return absl::EqualsIgnoreCase(ours, name); });
}

}  // namespace

absl::StatusOr<std::string> InviteHeaderLines(const std::vector<call::SipHeader>& headers) {
  if (headers.size() > kHeadersMax) return absl::InvalidArgumentError("invite: too many headers");
  std::string lines;
  for (size_t i = 0; i < headers.size(); ++i) {
    const auto& [name, value] = headers[i];
    if (!IsToken(name))
      return absl::InvalidArgumentError(absl::StrCat("invite: header ", i, " has a bad name"));
    if (IsOurs(name)) {
      return absl::InvalidArgumentError(absl::StrCat("invite: header ", i, " is not to be set"));
    }
    if (std::any_of(value.begin(), value.end(),
                    [](unsigned char c) { return absl::ascii_iscntrl(c); })) {
      return absl::InvalidArgumentError(absl::StrCat("invite: header ", i, " has a bad value"));
    }
    absl::StrAppend(&lines, name, ": ", value, "\r\n");
  }
  if (lines.size() > kBytesMax) return absl::InvalidArgumentError("invite: headers too long");
  return lines;
}

bool HasHeader(const std::vector<call::SipHeader>& headers, absl::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [name](const call::SipHeader& header) {
    return absl::EqualsIgnoreCase(header.first, name);
  });
}

}  // namespace outpace::sip
