#pragma once

// What the flows of trunks with settings of their own share: credentials and challenges.

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/e2e/sip/flow.h"

namespace outpace::e2e {

inline constexpr char kPassword[] = "s3cret pass";
inline constexpr char kLogin[] = "username = \"op\"\npassword = \"s3cret pass\"\n";

inline Expected BusyAfter(bool rang) {
  Expected expected = Refused(486, 0, "busy", "AB");
  expected.rang = rang;
  return expected;
}

// The challenge of a 401 or 407: value of its header.
inline Extra Challenge(int status, const std::string& parameters) {
  return {.headers = absl::StrCat(
              status == 401 ? "WWW-Authenticate: " : "Proxy-Authenticate: ", parameters, "\n")};
}

inline std::string Digest(const std::string& algorithm, const std::string& nonce = "n0nce",
                          const std::string& more = ", qop=\"auth\"") {
  return absl::StrCat("Digest realm=\"carrier\", nonce=\"", nonce, "\"",
                      algorithm.empty() ? "" : absl::StrCat(", algorithm=", algorithm), more);
}

}  // namespace outpace::e2e
