#include "dnc/number_block.h"

#include <algorithm>
#include <array>
#include <new>

#include "engine/base/check.h"

namespace outpace::dnc {
namespace {

constexpr uint32_t kListMax = 320;
constexpr size_t kBitsBytes = kBlockNumbers / 8;

// How many numbers find no room in their cell.
uint32_t Spilled(const std::array<uint16_t, 256>& counts, uint32_t room) {
  uint32_t out = 0;
  for (const uint32_t count : counts) out += count > room ? count - room : 0;
  return out;
}

// A look behind the cells costs another cache line and a wrong guess: one lookup in thirty at most
// while there is a form with more room, one in sixteen where the next one is bits.
Block::Form Choose(absl::Span<const uint16_t> lows, uint32_t& spilled) {
  spilled = 0;
  if (lows.size() <= kListMax) return Block::Form::kList;
  std::array<uint16_t, 256> counts{};
  for (const uint16_t low : lows) ++counts[low >> 8];
  spilled = Spilled(counts, 7);
  if (spilled <= lows.size() / 32) return Block::Form::kCells8;
  spilled = Spilled(counts, 15);
  return spilled <= lows.size() / 16 ? Block::Form::kCells16 : Block::Form::kBits;
}

}  // namespace

size_t Block::PayloadOf(Form form, uint32_t count, uint32_t spilled) {
  if (form == Form::kBits) return kBitsBytes;
  if (form == Form::kList) return count * sizeof(uint16_t);
  // A look at the last cell of eight bytes takes in the eight behind it.
  return kCells * CellBytes(form) + std::max<size_t>(spilled * sizeof(uint16_t), 8);
}

Block* Block::Make(absl::Span<const uint16_t> lows, Form& form) {
  OUTPACE_CHECK(!lows.empty() && lows.size() <= kBlockNumbers);
  const auto count = static_cast<uint32_t>(lows.size());
  uint32_t spilled = 0;
  form = Choose(lows, spilled);
  const size_t payload = PayloadOf(form, count, spilled);
  Block* const block = new (::operator new(sizeof(Block) + payload)) Block(count, spilled);
  std::memset(block->bytes(), 0, payload);
  if (form == Form::kList) {
    std::copy(lows.begin(), lows.end(), block->words());
  } else if (form == Form::kBits) {
    for (const uint16_t low : lows) block->SetBit(low);
  } else {
    block->FillCells(CellBytes(form), lows);
  }
  return block;
}

void Block::FillCells(size_t cell_bytes, absl::Span<const uint16_t> lows) {
  uint16_t* behind = words() + kCells * cell_bytes / sizeof(uint16_t);
  for (const uint16_t low : lows) {
    uint8_t* const cell = bytes() + (low >> 8) * cell_bytes;
    const size_t used = *cell & 15;
    if (used + 1 < cell_bytes) {
      cell[used + 1] = static_cast<uint8_t>(low);
      *cell = static_cast<uint8_t>(used + 1);
    } else {
      *cell = static_cast<uint8_t>(used | kMore);
      *behind++ = low;
    }
  }
}

void Block::Free(Block* block) {
  block->~Block();
  ::operator delete(block);
}

void Block::AppendCells(size_t cell_bytes, std::vector<uint16_t>& out) const {
  const uint16_t* behind = behind_cells(cell_bytes);
  const uint16_t* const end = behind + spilled_;
  for (uint32_t high = 0; high < kCells; ++high) {
    const uint8_t* const cell = bytes() + high * cell_bytes;
    for (uint32_t i = 1; i <= (*cell & 15u); ++i) {
      out.push_back(static_cast<uint16_t>(high << 8 | cell[i]));
    }
    // A cell is filled in order, so what spilled from it is greater than what it holds.
    for (; behind != end && uint32_t{*behind} >> 8 == high; ++behind) out.push_back(*behind);
  }
}

void Block::AppendTo(Form form, std::vector<uint16_t>& out) const {
  switch (form) {
    case Form::kList:
      out.insert(out.end(), words(), words() + count_);
      break;
    case Form::kCells8:
    case Form::kCells16:
      AppendCells(CellBytes(form), out);
      break;
    case Form::kBits:
      for (uint32_t low = 0; low < kBlockNumbers; ++low) {
        if (bytes()[low >> 3] == 0) {
          low |= 7;
        } else if ((bytes()[low >> 3] >> (low & 7) & 1) != 0) {
          out.push_back(static_cast<uint16_t>(low));
        }
      }
      break;
  }
}

size_t Block::BytesUsed(Form form) const {
  return sizeof(Block) + PayloadOf(form, count_, spilled_);
}

bool Block::Fits(Form form, size_t room) const {
  return room >= sizeof(Block) && count_ >= 1 && count_ <= kBlockNumbers && spilled_ <= count_ &&
         BytesUsed(form) <= room;
}

void Block::SetBit(uint16_t low) {
  bytes()[low >> 3] = static_cast<uint8_t>(bytes()[low >> 3] | 1u << (low & 7));
}

bool Block::TryInsert(Form form, uint16_t low) {
  if (form == Form::kList) return false;
  if (form == Form::kBits) {
    SetBit(low);
  } else {
    uint8_t* const cell = bytes() + (low >> 8) * CellBytes(form);
    const size_t used = *cell & 15;
    if (used + 1 == CellBytes(form)) return false;
    uint8_t* const end = cell + 1 + used;
    uint8_t* const at = std::lower_bound(cell + 1, end, static_cast<uint8_t>(low));
    std::copy_backward(at, end, end + 1);
    *at = static_cast<uint8_t>(low);
    ++*cell;
  }
  ++count_;
  return true;
}

bool Block::TryErase(Form form, uint16_t low) {
  if (form == Form::kList || count_ == 1) return false;
  if (form == Form::kBits) {
    // Bits stay bits until something else is written: they are never wrong, only larger.
    bytes()[low >> 3] = static_cast<uint8_t>(bytes()[low >> 3] & ~(1u << (low & 7)));
  } else {
    uint8_t* const cell = bytes() + (low >> 8) * CellBytes(form);
    if ((*cell & kMore) != 0) return false;
    uint8_t* const end = cell + 1 + *cell;
    uint8_t* const at = std::lower_bound(cell + 1, end, static_cast<uint8_t>(low));
    std::copy(at + 1, end, at);
    --*cell;
  }
  --count_;
  return true;
}

}  // namespace outpace::dnc
