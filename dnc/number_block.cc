#include "dnc/number_block.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "engine/base/check.h"

namespace outpace::dnc {
namespace {

constexpr uint32_t kListMax = 96;
constexpr uint32_t kBucketsMax = 7'680;  // 512 + 7,680 bytes: as many as the bits take
constexpr uint32_t kBuckets = 256;
constexpr size_t kEndsBytes = kBuckets * sizeof(uint16_t);
constexpr size_t kBitsBytes = kBlockNumbers / 8;

size_t PayloadOf(uint32_t count) {
  if (count <= kListMax) return count * sizeof(uint16_t);
  return count <= kBucketsMax ? kEndsBytes + count : kBitsBytes;
}

}  // namespace

bool Block::IsBits(uint32_t count) { return count > kBucketsMax; }
size_t Block::BytesOf(uint32_t count) { return sizeof(Block) + PayloadOf(count); }

Block* Block::Make(absl::Span<const uint16_t> lows) {
  OUTPACE_CHECK(!lows.empty());
  const auto count = static_cast<uint32_t>(lows.size());
  Block* const block = new (::operator new(BytesOf(count))) Block();
  if (count <= kListMax) {
    std::copy(lows.begin(), lows.end(), block->words());
  } else if (IsBits(count)) {
    std::memset(block->bytes(), 0, kBitsBytes);
    for (const uint16_t low : lows) block->SetBit(low);
  } else {
    uint16_t* const ends = block->words();
    uint8_t* const bytes = block->bytes() + kEndsBytes;
    uint32_t bucket = 0;
    for (uint32_t i = 0; i < count; ++i) {
      for (; bucket < lows[i] >> 8; ++bucket) ends[bucket] = static_cast<uint16_t>(i);
      bytes[i] = static_cast<uint8_t>(lows[i]);
    }
    for (; bucket < kBuckets; ++bucket) ends[bucket] = static_cast<uint16_t>(count);
  }
  return block;
}

void Block::Free(Block* block) {
  block->~Block();
  ::operator delete(block);
}

bool Block::Contains(uint32_t count, uint16_t low) const {
  if (count <= kListMax) {
    return std::binary_search(words(), words() + count, low);
  }
  if (IsBits(count)) return (bytes()[low >> 3] >> (low & 7) & 1) != 0;
  const uint16_t* const ends = words();
  const uint32_t bucket = low >> 8;
  const uint8_t* at = bytes() + kEndsBytes + (bucket == 0 ? 0 : ends[bucket - 1]);
  const uint8_t* const end = bytes() + kEndsBytes + ends[bucket];
  const auto wanted = static_cast<uint8_t>(low);
  while (at != end && *at < wanted) ++at;
  return at != end && *at == wanted;
}

void Block::AppendTo(uint32_t count, std::vector<uint16_t>& out) const {
  if (count <= kListMax) {
    out.insert(out.end(), words(), words() + count);
  } else if (IsBits(count)) {
    for (uint32_t low = 0; low < kBlockNumbers; ++low) {
      if (bytes()[low >> 3] == 0) {
        low |= 7;
      } else if ((bytes()[low >> 3] >> (low & 7) & 1) != 0) {
        out.push_back(static_cast<uint16_t>(low));
      }
    }
  } else {
    const uint16_t* const ends = words();
    uint32_t i = 0;
    for (uint32_t bucket = 0; bucket < kBuckets; ++bucket) {
      for (; i < ends[bucket]; ++i) {
        out.push_back(static_cast<uint16_t>(bucket << 8 | bytes()[kEndsBytes + i]));
      }
    }
  }
}

void Block::SetBit(uint16_t low) {
  bytes()[low >> 3] = static_cast<uint8_t>(bytes()[low >> 3] | 1u << (low & 7));
}

void Block::ClearBit(uint16_t low) {
  bytes()[low >> 3] = static_cast<uint8_t>(bytes()[low >> 3] & ~(1u << (low & 7)));
}

}  // namespace outpace::dnc
