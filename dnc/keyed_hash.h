#pragma once

#include <array>
#include <cstdint>

#include "absl/numeric/int128.h"
#include "absl/strings/string_view.h"

namespace outpace::dnc {

// Sixteen secret bytes. Numbers are few (10^10 to a country), so whoever has the key can find the
// number of any hash by trying: keep it out of exports, logs and backups that travel.
using HashKey = std::array<uint8_t, 16>;

// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012; its reference code's
// siphash.c with outlen 16), the first eight bytes in the low half. 15 ns for a number.
absl::uint128 SipHash128(const HashKey& key, absl::string_view bytes);

}  // namespace outpace::dnc
