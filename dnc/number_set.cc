#include "dnc/number_set.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "engine/base/check.h"

namespace outpace::dnc {
namespace {

constexpr size_t kShards = 256;
constexpr size_t kSlotsMin = 8;             // of a shard; a power of two
constexpr size_t kChunk = size_t{4} << 20;  // numbers sorted at a time
constexpr int kRadixBits = 12;

// Sorts by the bits in which the numbers differ, twelve at a time, least significant first.
void RadixSort(std::vector<uint64_t>& numbers, std::vector<uint64_t>& other) {
  uint64_t differ = 0;
  for (const uint64_t number : numbers) differ |= number ^ numbers[0];
  other.resize(numbers.size());
  for (int shift = 0; shift < 64 && differ >> shift != 0; shift += kRadixBits) {
    constexpr uint64_t kMask = (1u << kRadixBits) - 1;
    if ((differ >> shift & kMask) == 0) continue;
    std::array<uint32_t, (1u << kRadixBits) + 1> begins{};
    for (const uint64_t number : numbers) ++begins[(number >> shift & kMask) + 1];
    for (size_t i = 1; i < begins.size(); ++i) begins[i] += begins[i - 1];
    for (const uint64_t number : numbers) other[begins[number >> shift & kMask]++] = number;
    numbers.swap(other);
  }
}

}  // namespace

// One stretch: `number >> 16`, plus one, above, and the count of its numbers in the low 20 bits.
struct NumberSet::Slot {
  uint64_t key = 0;        // 0: the slot is free
  Block* block = nullptr;  // nullptr: free, or its last number was removed

  static uint64_t KeyOf(uint64_t high, size_t count) { return (high + 1) << 20 | count; }
  uint64_t high() const { return (key >> 20) - 1; }
  uint32_t count() const { return key & 0xfffff; }
  bool IsFree() const { return key == 0; }
};

// Open addressing with linear probing; `slots` has a free one always, so that searches end.
struct NumberSet::Shard : SharedBase {
  explicit Shard(size_t size) : slots(size) {}
  Shard(const Shard& other) : SharedBase(), slots(other.slots), used(other.used) {
    for (const Slot& slot : slots) {
      if (slot.block != nullptr) slot.block->Retain();
    }
  }
  Shard& operator=(const Shard&) = delete;
  ~Shard() {
    for (const Slot& slot : slots) Drop(slot.block);
  }
  static void Drop(Block* block) {
    if (block != nullptr && block->Release()) Block::Free(block);
  }
  size_t Probe(uint64_t hash, uint64_t high) const {
    const size_t mask = slots.size() - 1;
    size_t at = hash & mask;
    while (!slots[at].IsFree() && slots[at].high() != high) at = (at + 1) & mask;
    return at;
  }
  void Grow() {
    std::vector<Slot> old(slots.size() * 2);
    old.swap(slots);
    used = 0;
    for (const Slot& slot : old) {
      if (slot.block == nullptr) continue;  // emptied stretches go here
      slots[Probe(Mix(slot.high()), slot.high())] = slot;
      ++used;
    }
  }

  std::vector<Slot> slots;
  size_t used = 0;  // that are not free
};

// Two rounds of multiplication and folding: neighbours, which most stretches are, go far apart, and
// both ends of the word are good (the top eight bits choose the shard, the low ones the slot).
uint64_t NumberSet::Mix(uint64_t high) {
  uint64_t x = (high + 1) * 0x9e3779b97f4a7c15;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93;
  return x ^ x >> 32;
}

NumberSet::NumberSet(const NumberSet& other) : shards_(other.shards_), size_(other.size_) {
  for (Shard* shard : shards_) {
    if (shard != nullptr) shard->Retain();
  }
}

NumberSet::NumberSet(NumberSet&& other) noexcept
    : shards_(std::exchange(other.shards_, {})), size_(std::exchange(other.size_, 0)) {}

NumberSet& NumberSet::operator=(NumberSet other) noexcept {
  shards_.swap(other.shards_);
  std::swap(size_, other.size_);
  return *this;
}

NumberSet::~NumberSet() {
  for (Shard* shard : shards_) {
    if (shard != nullptr && shard->Release()) delete shard;
  }
}

const NumberSet::Slot* NumberSet::Find(uint64_t high) const {
  if (shards_.empty()) return nullptr;
  const uint64_t hash = Mix(high);
  const Shard* const shard = shards_[hash >> 56];
  if (shard == nullptr) return nullptr;
  const Slot& slot = shard->slots[shard->Probe(hash, high)];
  return slot.block == nullptr ? nullptr : &slot;
}

bool NumberSet::Contains(uint64_t number) const {
  const Slot* const slot = Find(number >> 16);
  return slot != nullptr && slot->block->Contains(slot->count(), static_cast<uint16_t>(number));
}

NumberSet::Shard* NumberSet::OwnShard(size_t at) {
  if (shards_.empty()) shards_.resize(kShards);
  Shard*& shard = shards_[at];
  if (shard == nullptr) {
    shard = new Shard(kSlotsMin);
  } else if (!shard->Exclusive()) {
    Shard* const copy = new Shard(*shard);
    if (shard->Release()) delete shard;  // the others went meanwhile
    shard = copy;
  }
  return shard;
}

NumberSet::Slot& NumberSet::FindOrMake(uint64_t high) {
  const uint64_t hash = Mix(high);
  Shard* const shard = OwnShard(hash >> 56);
  size_t at = shard->Probe(hash, high);
  if (shard->slots[at].IsFree()) {
    if ((shard->used + 1) * 4 > shard->slots.size() * 3) {
      shard->Grow();
      at = shard->Probe(hash, high);
    }
    ++shard->used;
    shard->slots[at].key = Slot::KeyOf(high, 0);
  }
  return shard->slots[at];
}

void NumberSet::Replace(Slot& slot, absl::Span<const uint16_t> lows) {
  Block* const block = lows.empty() ? nullptr : Block::Make(lows);
  size_ += lows.size() - slot.count();
  Shard::Drop(slot.block);
  slot.block = block;
  slot.key = Slot::KeyOf(slot.high(), lows.size());
}

void NumberSet::Merge(uint64_t high, absl::Span<const uint16_t> lows) {
  Slot& slot = FindOrMake(high);
  if (slot.block == nullptr) return Replace(slot, lows);
  thread_local std::vector<uint16_t> present, merged;
  present.clear();
  merged.clear();
  slot.block->AppendTo(slot.count(), present);
  std::set_union(present.begin(), present.end(), lows.begin(), lows.end(),
                 std::back_inserter(merged));
  if (merged.size() != present.size()) Replace(slot, merged);
}

bool NumberSet::Add(uint64_t number) {
  OUTPACE_CHECK(number < uint64_t{1} << 50);
  if (Contains(number)) return false;
  const auto low = static_cast<uint16_t>(number);
  Slot& slot = FindOrMake(number >> 16);
  if (Block::IsBits(slot.count()) && slot.block->Exclusive()) {
    slot.block->SetBit(low);
    ++slot.key;
    ++size_;
  } else {
    Merge(number >> 16, absl::MakeConstSpan(&low, 1));
  }
  return true;
}

bool NumberSet::Remove(uint64_t number) {
  if (!Contains(number)) return false;
  const auto low = static_cast<uint16_t>(number);
  Slot& slot = FindOrMake(number >> 16);
  if (Block::IsBits(slot.count() - 1) && slot.block->Exclusive()) {
    slot.block->ClearBit(low);
    --slot.key;
    --size_;
    return true;
  }
  std::vector<uint16_t> lows;
  slot.block->AppendTo(slot.count(), lows);
  lows.erase(std::lower_bound(lows.begin(), lows.end(), low));
  Replace(slot, lows);
  return true;
}

void NumberSet::AddSorted(absl::Span<const uint64_t> numbers) {
  std::vector<uint16_t> lows;
  for (size_t i = 0; i < numbers.size();) {
    const uint64_t high = numbers[i] >> 16;
    lows.clear();
    for (; i < numbers.size() && numbers[i] >> 16 == high; ++i) {
      const auto low = static_cast<uint16_t>(numbers[i]);
      if (lows.empty() || lows.back() != low) lows.push_back(low);
    }
    Merge(high, lows);
  }
}

void NumberSet::AddMany(absl::Span<const uint64_t> numbers) {
  for (const uint64_t number : numbers) OUTPACE_CHECK(number < uint64_t{1} << 50);
  if (std::is_sorted(numbers.begin(), numbers.end())) return AddSorted(numbers);
  std::vector<uint64_t> chunk, other;
  for (size_t i = 0; i < numbers.size(); i += kChunk) {
    const auto part = numbers.subspan(i, kChunk);
    chunk.assign(part.begin(), part.end());
    RadixSort(chunk, other);
    AddSorted(chunk);
  }
}

size_t NumberSet::BytesUsed() const {
  size_t bytes = shards_.capacity() * sizeof(Shard*);
  for (const Shard* shard : shards_) {
    if (shard == nullptr) continue;
    bytes += sizeof(Shard) + shard->slots.capacity() * sizeof(Slot);
    for (const Slot& slot : shard->slots) {
      if (slot.block != nullptr) bytes += Block::BytesOf(slot.count());
    }
  }
  return bytes;
}

}  // namespace outpace::dnc
