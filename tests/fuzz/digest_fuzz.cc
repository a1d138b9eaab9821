// What a stranger may write into WWW-Authenticate: no crash, and the line that answers it is one
// line whose quotes balance.

#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "engine/base/check.h"
#include "engine/sip/digest.h"

namespace {

// Quotes open and close, and inside them a backslash takes the next octet with it.
bool QuotesBalance(absl::string_view line) {
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (quoted && line[i] == '\\') {
      if (++i == line.size()) return false;
    } else if (line[i] == '"') {
      quoted = !quoted;
    }
  }
  return !quoted;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace outpace::sip;  // NOLINT: one function
  const absl::StatusOr<DigestChallenge> challenge =
      ParseDigestChallenge(absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!challenge.ok()) return 0;
  OUTPACE_CHECK(!challenge->nonce.empty());
  DigestRequest request;
  request.user = "trunk\"user\\";
  request.password = "p4ssw0rd-of-the-trunk";
  request.method = "INVITE";
  request.uri = "sip:+12025550100@192.0.2.1";
  request.cnonce = "0123456789abcdef0123456789abcdef";
  const std::string response = DigestResponse(*challenge, request);
  OUTPACE_CHECK(response.size() == 32 || response.size() == 64);
  const std::string line = DigestCredentials(*challenge, request);
  for (const char c : line) {  // a tab may stand in a quoted string (RFC 3261 25.1)
    OUTPACE_CHECK(c == '\t' || !absl::ascii_iscntrl(static_cast<unsigned char>(c)));
  }
  OUTPACE_CHECK(QuotesBalance(line));
  OUTPACE_CHECK(absl::StrContains(line, response));
  return 0;
}
