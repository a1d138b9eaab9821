#include "campaign/load/utf8.h"

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace outpace::load {
namespace {

using Octet = unsigned char;

// The first octet from p on that is not ASCII, or end.
const Octet* SkipAscii(const Octet* p, const Octet* end) {
#if defined(__SSE2__)
  for (; end - p >= 64; p += 64) {
    const auto* const v = reinterpret_cast<const __m128i*>(p);
    const __m128i any = _mm_or_si128(_mm_or_si128(_mm_loadu_si128(v), _mm_loadu_si128(v + 1)),
                                     _mm_or_si128(_mm_loadu_si128(v + 2), _mm_loadu_si128(v + 3)));
    if (_mm_movemask_epi8(any) != 0) break;
  }
  for (; end - p >= 16; p += 16) {
    const auto mask = static_cast<unsigned>(
        _mm_movemask_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
    if (mask != 0) return p + __builtin_ctz(mask);
  }
#endif
  while (p < end && *p < 0x80) ++p;
  return p;
}

// Han characters stand in runs: three octets E1..EC or EE..EF, each followed by two of 80..BF. Four
// of them in a row are looked at with three words instead of twelve octets.
const Octet* SkipThreeOctets(const Octet* p, const Octet* end) {
  while (end - p >= 16) {
    uint64_t a = 0;
    uint32_t b = 0;
    std::memcpy(&a, p, 8);
    std::memcpy(&b, p + 8, 4);
    // Little endian: octet i of the twelve is bits 8i..8i+7.
    if ((a & 0xc0f0c0c0f0c0c0f0u) != 0x80e08080e08080e0u || (b & 0xc0c0f0c0u) != 0x8080e080u) break;
    // E0 and ED allow fewer second octets: left to the careful path.
    const Octet leads[4] = {p[0], p[3], p[6], p[9]};
    bool plain = true;
    for (const Octet lead : leads) plain = plain && lead != 0xe0 && lead != 0xed;
    if (!plain) break;
    p += 12;
  }
  return p;
}

struct Walk {
  const Octet* stop;  // the first octet that is no part of a whole, valid character
  bool cut;           // it begins a character that `end` cuts
};

Walk WalkUtf8(const Octet* p, const Octet* const end) {
  for (;;) {
    if (p < end && *p < 0x80) p = SkipAscii(p, end);
    if constexpr (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) p = SkipThreeOctets(p, end);
    if (p == end) return {p, false};
    const Octet lead = *p;
    if (lead < 0x80) continue;
    // The second octet's range depends on the first (RFC 3629, section 4).
    ptrdiff_t length = 0;
    Octet low = 0x80, high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) {
      length = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      length = 3;
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      length = 4;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    } else {
      return {p, false};
    }
    for (ptrdiff_t i = 1; i < length; ++i) {
      if (p + i == end) return {p, true};
      if (p[i] < low || p[i] > high) return {p, false};
      low = 0x80;
      high = 0xbf;
    }
    p += length;
  }
}

}  // namespace

Utf8 CheckUtf8(absl::string_view text) {
  const auto* const begin = reinterpret_cast<const Octet*>(text.data());
  const Octet* const end = begin + text.size();
  const Walk walk = WalkUtf8(begin, end);
  if (walk.stop == end) return Utf8::kValid;
  return walk.cut ? Utf8::kCutAtEnd : Utf8::kInvalid;
}

size_t ValidUtf8Prefix(absl::string_view text) {
  const auto* const begin = reinterpret_cast<const Octet*>(text.data());
  return static_cast<size_t>(WalkUtf8(begin, begin + text.size()).stop - begin);
}

}  // namespace outpace::load
