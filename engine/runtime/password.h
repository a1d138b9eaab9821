#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace outpace::runtime {

// scrypt (RFC 7914) with N = 2^14, r = 8, p = 1 and a random salt: "scrypt$<salt hex>$<key hex>".
// Takes about 50 ms of CPU by design: never on a call's thread.
std::string HashPassword(absl::string_view password);
// Constant time in the comparison. False also for a malformed hash.
bool CheckPassword(absl::string_view password, absl::string_view hash);

// From the operating system's generator.
uint64_t SecureRandom64();
std::string SecureToken();  // 256 bits, 64 hex digits

}  // namespace outpace::runtime
