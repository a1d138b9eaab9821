#pragma once

// a=crypto lines: SRTP keys in the SDP (SDES, RFC 4568). What a stranger sends is believed only
// where it is one of our suites with a key of the right length and nothing else that would change
// how packets look; any other line is passed over, as 5.1.2 asks for.
//
// Keys stand in the SDP in the clear, so such a description must travel over TLS, and whoever keeps
// or shows one (logs, traces) masks it with RedactKeys first.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/media/srtp.h"

namespace outpace::media {

struct SdesLine {
  uint32_t tag = 0;  // 1..999,999,999 names the line in offer and answer
  SrtpKey key;       // of who sent the line: what it encrypts with
  uint8_t mki_size = 0;
};

// The value of "a=crypto:", that is "1 AES_CM_128_HMAC_SHA1_80 inline:...|2^31". Nothing when it is
// not a line we can use: another suite, several keys, a bad length, a session parameter that says
// "unencrypted" or that we do not know (6.3.7 lets us pass over those that begin with '-').
std::optional<SdesLine> ParseSdes(absl::string_view value);
// The whole line with its end; no lifetime, no key identifier.
std::string SdesText(const SdesLine& line);

// Fills with random octets no one can foresee; false when it cannot.
using RandomBytes = std::function<bool(absl::Span<uint8_t>)>;
// OpenSSL's.
bool SystemRandomBytes(absl::Span<uint8_t> out);
// A fresh key; Unavailable when there is no randomness to be had.
absl::StatusOr<SrtpKey> NewSrtpKey(SrtpSuite suite, const RandomBytes& random);

// `text` with each key after "inline:" replaced by asterisks. For logs and traces of SIP messages;
// `text` need not be well formed.
std::string RedactKeys(absl::string_view text);

}  // namespace outpace::media
