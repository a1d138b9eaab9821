#pragma once

// Digest authentication as a client (RFC 7616, and RFC 8760 for SIP), as pure functions over text:
// what a challenge says, and the one line that answers it. Sofia's own client knows MD5 only, and
// answers whoever names the right realm; whom we answer is decided elsewhere (TrunkAuth).

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace outpace::sip {

// From weak to strong. The "-sess" variant of each is a flag of the challenge.
enum class DigestHash { kMd5, kSha256, kSha512Over256 };

struct DigestChallenge {
  std::string realm;
  std::string nonce;
  std::string opaque;
  bool has_opaque = false;
  bool stale = false;
  bool qop_auth =
      false;  // false: the old form without qop (RFC 2069), which some carriers still send
  DigestHash hash = DigestHash::kMd5;
  bool sess = false;
  std::string algorithm;  // as written; empty: not written, which means MD5
};

// One value of WWW-Authenticate or Proxy-Authenticate: `Digest realm="...", nonce="...", ...`.
// InvalidArgument for another scheme, a missing realm or nonce, or text that is no list of
// parameters. Unimplemented for an algorithm or a quality of protection (auth-int alone) that we do
// not have: to be passed over (RFC 7616 3.3).
absl::StatusOr<DigestChallenge> ParseDigestChallenge(absl::string_view value);

struct DigestRequest {
  absl::string_view user{};
  absl::string_view password{};
  absl::string_view method{};
  absl::string_view uri{};     // Request-URI as on the wire
  absl::string_view cnonce{};  // 64 random bits at least; used with qop or "-sess" only
  uint32_t nonce_count = 1;    // uses of this nonce, this one included
};

// The response parameter: hexadecimal, lower case.
std::string DigestResponse(const DigestChallenge& challenge, const DigestRequest& request);

// Value of Authorization or Proxy-Authorization.
std::string DigestCredentials(const DigestChallenge& challenge, const DigestRequest& request);

}  // namespace outpace::sip
