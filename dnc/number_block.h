#pragma once

// The numbers of one stretch of 65,536, in the form that suits how many there are and how they lie:
//   list   few: sorted 16-bit values
//   cells  256 cells of 8 or of 16 bytes, one for each 256 numbers: the count of its numbers and
//          their low bytes; what a cell has no room for stands in a list behind the cells
//   bits   many: a bitmap of 8 KiB
// Cells cost memory (2 to 8 bytes a number), and what they buy is that a lookup of any number reads
// one cache line, where packed forms read two that have to wait for each other. Nor does a lookup
// branch on what it finds: whether a number is listed cannot be foretold, and a wrong guess would
// wait for memory before the next lookup can begin.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/types/span.h"
#include "dnc/shared.h"

namespace outpace::dnc {

inline constexpr uint32_t kBlockNumbers = 65'536;

// Immutable but for TryInsert() and TryErase(); its bytes follow the header in the same allocation.
class alignas(16) Block : public SharedBase {
 public:
  enum class Form : uint8_t { kList, kCells8, kCells16, kBits };

  // `lows`: sorted, without doubles, at least one. Sets the form it has chosen, which whoever holds
  // the block keeps with it, so that a lookup need not read it here. Freed by Free() when Release()
  // says so.
  static Block* Make(absl::Span<const uint16_t> lows, Form& form);
  static void Free(Block* block);

  // `form`: of its making, here and below.
  bool Contains(Form form, uint16_t low) const;
  // Appends its numbers to `out`, sorted.
  void AppendTo(Form form, std::vector<uint16_t>& out) const;
  uint32_t count() const { return count_; }
  // As it lies in memory, BytesUsed(form) octets of this machine's order, for a file that is mapped
  // again: At() of those octets, which have to stay where they are, is the block.
  absl::Span<const uint8_t> Octets(Form form) const {
    return {reinterpret_cast<const uint8_t*>(this), BytesUsed(form)};
  }
  static const Block* At(const uint8_t* octets) { return reinterpret_cast<const Block*>(octets); }
  size_t BytesUsed(Form form) const;  // with the header
  // Of octets from elsewhere, `room` of them: whether this can be a block of that form, so that
  // nothing here reads beyond them.
  bool Fits(Form form, size_t room) const;

  // Of a block whose only owner is the caller: a number in that was out, or the reverse. False: it
  // has to be made anew, and nothing has changed.
  bool TryInsert(Form form, uint16_t low);
  bool TryErase(Form form, uint16_t low);

 private:
  static constexpr uint32_t kCells = 256;
  // A cell is its first byte, which counts the others in use and flags that there are more behind
  // the cells, and then those others.
  static constexpr uint8_t kMore = 0x80;

  Block(uint32_t count, uint32_t spilled) : count_(count), spilled_(spilled) {}
  static size_t CellBytes(Form form) { return size_t{4} << static_cast<int>(form); }
  static size_t PayloadOf(Form form, uint32_t count, uint32_t spilled);
  // `more`: there may be numbers of this cell behind the cells.
  static bool InCell(const uint8_t* cell, uint8_t wanted, bool& more);
  static bool InWords(const uint16_t* words, uint32_t count, uint16_t wanted);
  void SetBit(uint16_t low);
  void FillCells(size_t cell_bytes, absl::Span<const uint16_t> lows);
  void AppendCells(size_t cell_bytes, std::vector<uint16_t>& out) const;

  const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(this + 1); }
  uint8_t* bytes() { return reinterpret_cast<uint8_t*>(this + 1); }
  const uint16_t* words() const { return reinterpret_cast<const uint16_t*>(this + 1); }
  uint16_t* words() { return reinterpret_cast<uint16_t*>(this + 1); }
  const uint16_t* behind_cells(size_t cell_bytes) const {
    return words() + kCells * cell_bytes / sizeof(uint16_t);
  }

  uint32_t count_;
  uint32_t spilled_;  // numbers behind the cells
};
static_assert(sizeof(Block) == 16, "cells of 16 bytes behind it lie within a cache line");

namespace internal {

// 0x80 in each byte of `word` that is zero, and nothing else.
inline uint64_t ZeroBytes(uint64_t word) {
  constexpr uint64_t k7f = 0x7f7f7f7f7f7f7f7f;
  return ~(((word & k7f) + k7f) | word | k7f);
}

// The bytes of a cell in use, by their count: those behind the first byte, in two words.
struct CellMask {
  uint64_t low = 0, high = 0;
};
inline constexpr std::array<CellMask, 16> kCellMasks = [] {
  std::array<CellMask, 16> out{};
  for (size_t count = 0; count < out.size(); ++count) {
    for (size_t byte = 1; byte <= count; ++byte) {
      (byte < 8 ? out[count].low : out[count].high) |= uint64_t{0xff} << (byte % 8 * 8);
    }
  }
  return out;
}();

}  // namespace internal

// Of a cell of eight bytes too, since its mask leaves out what it has not.
inline bool Block::InCell(const uint8_t* cell, uint8_t wanted, bool& more) {
  uint64_t low = 0, high = 0;
  std::memcpy(&low, cell, sizeof(low));
  std::memcpy(&high, cell + 8, sizeof(high));
  more = (low & kMore) != 0;
  const internal::CellMask& mask = internal::kCellMasks[low & 15];
  const uint64_t pattern = wanted * uint64_t{0x0101010101010101};
  return ((internal::ZeroBytes(low ^ pattern) & mask.low) |
          (internal::ZeroBytes(high ^ pattern) & mask.high)) != 0;
}

// As std::binary_search(), but nothing in it is a guess.
inline bool Block::InWords(const uint16_t* words, uint32_t count, uint16_t wanted) {
  const uint16_t* at = words;
  for (uint32_t left = count; left > 1;) {
    const uint32_t half = left / 2;
    at += half * static_cast<uint32_t>(at[half - 1] < wanted);
    left -= half;
  }
  return *at == wanted;
}

inline bool Block::Contains(Form form, uint16_t low) const {
  if (form == Form::kList) return InWords(words(), count_, low);
  if (form == Form::kBits) return (bytes()[low >> 3] >> (low & 7) & 1) != 0;
  const size_t cell_bytes = CellBytes(form);
  bool more = false;
  const bool found = InCell(bytes() + (low >> 8) * cell_bytes, static_cast<uint8_t>(low), more);
  return more ? found || InWords(behind_cells(cell_bytes), spilled_, low) : found;
}

}  // namespace outpace::dnc
