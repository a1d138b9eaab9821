#pragma once

// The numbers of one stretch of 65,536, in the form that suits how many there are:
//   list     up to 96: sorted 16-bit values
//   buckets  up to 7,680: for each of 256 stretches of 256 the end of its numbers among the low
//            bytes (512 bytes), then one byte a number
//   bits     more: a bitmap of 8 KiB
// The form follows from the count alone. A lookup touches two or three cache lines.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "dnc/shared.h"

namespace outpace::dnc {

inline constexpr uint32_t kBlockNumbers = 65'536;

// Immutable but for SetBit() and ClearBit(); its bytes follow the header in the same allocation.
class Block : public SharedBase {
 public:
  // `lows`: sorted, without doubles, at least one. Freed by Free() when Release() says so.
  static Block* Make(absl::Span<const uint16_t> lows);
  static void Free(Block* block);

  // `count`: how many numbers it was made of; whoever holds the block keeps it at hand, so that a
  // lookup need not read the header.
  bool Contains(uint32_t count, uint16_t low) const;
  // Appends its numbers to `out`, sorted.
  void AppendTo(uint32_t count, std::vector<uint16_t>& out) const;
  // Whether the form for this many numbers is bits.
  static bool IsBits(uint32_t count);
  // Bytes a block of this many numbers takes, with its header.
  static size_t BytesOf(uint32_t count);

  // Of a block in bits whose only owner is the caller: a number in or out, where the count stays in
  // the range of bits.
  void SetBit(uint16_t low);
  void ClearBit(uint16_t low);

 private:
  Block() = default;
  const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(this + 1); }
  uint8_t* bytes() { return reinterpret_cast<uint8_t*>(this + 1); }
  const uint16_t* words() const { return reinterpret_cast<const uint16_t*>(this + 1); }
  uint16_t* words() { return reinterpret_cast<uint16_t*>(this + 1); }

  uint32_t padding_ = 0;  // the bytes behind begin at a multiple of eight
};
static_assert(sizeof(Block) == 8);

}  // namespace outpace::dnc
