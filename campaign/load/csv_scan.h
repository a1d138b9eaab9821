#pragma once

// Finds the octets that make a record's structure: separators, quotes and line ends, 64 octets at a
// time as one bit each. Looking at every octet by itself would cost more than all the rest of a
// load's parsing.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/numeric/bits.h"
#include "absl/strings/string_view.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace outpace::load {

class CsvScan {
 public:
  // `text` must outlive the scan; `separator` is not NUL.
  CsvScan(absl::string_view text, char separator) : text_(text), separator_(separator) {}

  // The first separator, quote, CR or LF at or behind `from`; the text's size if there is none.
  // Cheapest when `from` rises.
  size_t Next(size_t from) {
    if (from >= text_.size()) return text_.size();
    size_t block = from & ~size_t{63};
    if (block != block_) Load(block);
    uint64_t bits = bits_ & (~uint64_t{0} << (from & 63));
    while (bits == 0) {
      block += 64;
      if (block >= text_.size()) return text_.size();
      Load(block);
      bits = bits_;
    }
    return block + static_cast<size_t>(absl::countr_zero(bits));
  }

 private:
  void Load(size_t block) {
    block_ = block;
    const char* from = text_.data() + block;
    char padded[64];
    if (text_.size() - block < 64) {
      std::memset(padded, 0, sizeof(padded));
      std::memcpy(padded, from, text_.size() - block);
      from = padded;
    }
    bits_ = Bits(from);
  }

  uint64_t Bits(const char* from) const {
    uint64_t bits = 0;
#if defined(__SSE2__)
    const __m128i separator = _mm_set1_epi8(separator_), quote = _mm_set1_epi8('"'),
                  feed = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r');
    for (int i = 0; i < 4; ++i) {
      const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 16 * i));
      const __m128i found = _mm_or_si128(
          _mm_or_si128(_mm_cmpeq_epi8(octets, separator), _mm_cmpeq_epi8(octets, quote)),
          _mm_or_si128(_mm_cmpeq_epi8(octets, feed), _mm_cmpeq_epi8(octets, cr)));
      bits |= static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(found))) << (16 * i);
    }
#else
    for (int i = 0; i < 64; ++i) {
      const char c = from[i];
      const bool found = c == separator_ || c == '"' || c == '\n' || c == '\r';
      bits |= static_cast<uint64_t>(found) << i;
    }
#endif
    return bits;
  }

  const absl::string_view text_;
  const char separator_;
  size_t block_ = ~size_t{0};  // which 64 octets `bits_` is of
  uint64_t bits_ = 0;
};

}  // namespace outpace::load
