#include "dnc/number_set.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "engine/base/check.h"

namespace outpace::dnc {
namespace {

constexpr size_t kPageSlots = 64;
constexpr size_t kEntriesMin = 8;  // a power of two
constexpr uint64_t kNumberEnd = uint64_t{1} << 50;
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

// Of the page that holds the stretch; never 0.
uint64_t PageKey(uint64_t high) { return high / kPageSlots + 1; }

}  // namespace

// A block and its form, which stands in the lowest bits of its address; empty if none.
class NumberSet::Slot {
 public:
  bool empty() const { return bits_ == 0; }
  Block* block() const { return reinterpret_cast<Block*>(bits_ & ~kFormMask); }
  Block::Form form() const { return static_cast<Block::Form>(bits_ & kFormMask); }
  bool Contains(uint16_t low) const { return block()->Contains(form(), low); }
  void AppendTo(std::vector<uint16_t>& out) const { block()->AppendTo(form(), out); }
  size_t count() const { return empty() ? 0 : block()->count(); }

  // The owner's hold on the block goes with it.
  void Set(Block* block, Block::Form form) {
    Drop();
    bits_ = reinterpret_cast<uintptr_t>(block) | static_cast<uintptr_t>(form);
  }
  void Drop() {
    if (!empty() && block()->Release()) Block::Free(block());
    bits_ = 0;
  }

 private:
  static constexpr uintptr_t kFormMask = 3;
  static_assert(alignof(Block) > kFormMask);
  uintptr_t bits_ = 0;
};

struct NumberSet::Page : SharedBase {
  Page() = default;
  Page(const Page& other) : SharedBase(), slots(other.slots) {
    for (const Slot& slot : slots) {
      if (!slot.empty()) slot.block()->Retain();
    }
  }
  Page& operator=(const Page&) = delete;
  ~Page() {
    for (Slot& slot : slots) slot.Drop();
  }
  std::array<Slot, kPageSlots> slots;
};

NumberSet::NumberSet(const NumberSet& other)
    : pages_(other.pages_), pages_used_(other.pages_used_), size_(other.size_) {
  for (const Entry& entry : pages_) {
    if (entry.page != nullptr) entry.page->Retain();
  }
}

NumberSet::NumberSet(NumberSet&& other) noexcept
    : pages_(std::exchange(other.pages_, {})),
      pages_used_(std::exchange(other.pages_used_, 0)),
      size_(std::exchange(other.size_, 0)) {}

NumberSet& NumberSet::operator=(NumberSet other) noexcept {
  pages_.swap(other.pages_);
  std::swap(pages_used_, other.pages_used_);
  std::swap(size_, other.size_);
  return *this;
}

NumberSet::~NumberSet() {
  for (const Entry& entry : pages_) {
    if (entry.page != nullptr && entry.page->Release()) delete entry.page;
  }
}

// Where the page is, or would be. There is a free entry always, so the search ends.
size_t NumberSet::Probe(uint64_t page_key) const {
  const size_t mask = pages_.size() - 1;
  // Fibonacci hashing: neighbours, which most pages are, go far apart.
  size_t at = (page_key * 0x9e3779b97f4a7c15) >> 32 & mask;
  while (pages_[at].key != page_key && pages_[at].key != 0) at = (at + 1) & mask;
  return at;
}

bool NumberSet::Contains(uint64_t number) const {
  if (pages_.empty()) return false;
  const Entry& entry = pages_[Probe(PageKey(number >> 16))];
  if (entry.page == nullptr) return false;
  const Slot& slot = entry.page->slots[(number >> 16) % kPageSlots];
  return !slot.empty() && slot.Contains(static_cast<uint16_t>(number));
}

void NumberSet::Grow() {
  std::vector<Entry> old(pages_.empty() ? kEntriesMin : pages_.size() * 2);
  old.swap(pages_);
  for (const Entry& entry : old) {
    if (entry.key != 0) pages_[Probe(entry.key)] = entry;
  }
}

NumberSet::Slot& NumberSet::OwnSlot(uint64_t high) {
  if ((pages_used_ + 1) * 2 > pages_.size()) Grow();
  Entry& entry = pages_[Probe(PageKey(high))];
  if (entry.page == nullptr) {
    entry = {PageKey(high), new Page()};
    ++pages_used_;
  } else if (!entry.page->Exclusive()) {
    Page* const copy = new Page(*entry.page);
    if (entry.page->Release()) delete entry.page;  // the others went meanwhile
    entry.page = copy;
  }
  return entry.page->slots[high % kPageSlots];
}

void NumberSet::Replace(Slot& slot, absl::Span<const uint16_t> lows) {
  size_ += lows.size() - slot.count();
  Block::Form form = Block::Form::kList;
  Block* const block = lows.empty() ? nullptr : Block::Make(lows, form);
  slot.Set(block, form);
}

void NumberSet::Merge(uint64_t high, absl::Span<const uint16_t> lows) {
  Slot& slot = OwnSlot(high);
  if (slot.empty()) return Replace(slot, lows);
  thread_local std::vector<uint16_t> present, merged;
  present.clear();
  merged.clear();
  slot.AppendTo(present);
  std::set_union(present.begin(), present.end(), lows.begin(), lows.end(),
                 std::back_inserter(merged));
  if (merged.size() != present.size()) Replace(slot, merged);
}

bool NumberSet::Add(uint64_t number) {
  OUTPACE_CHECK(number < kNumberEnd);
  if (Contains(number)) return false;
  const auto low = static_cast<uint16_t>(number);
  Slot& slot = OwnSlot(number >> 16);
  if (!slot.empty() && slot.block()->Exclusive() && slot.block()->TryInsert(slot.form(), low)) {
    ++size_;
  } else {
    Merge(number >> 16, absl::MakeConstSpan(&low, 1));
  }
  return true;
}

bool NumberSet::Remove(uint64_t number) {
  if (!Contains(number)) return false;
  const auto low = static_cast<uint16_t>(number);
  Slot& slot = OwnSlot(number >> 16);
  if (slot.block()->Exclusive() && slot.block()->TryErase(slot.form(), low)) {
    --size_;
    return true;
  }
  std::vector<uint16_t> lows;
  slot.AppendTo(lows);
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
  for (const uint64_t number : numbers) OUTPACE_CHECK(number < kNumberEnd);
  if (std::is_sorted(numbers.begin(), numbers.end())) return AddSorted(numbers);
  std::vector<uint64_t> chunk, other;
  for (size_t i = 0; i < numbers.size(); i += kChunk) {
    const auto part = numbers.subspan(i, kChunk);
    chunk.assign(part.begin(), part.end());
    RadixSort(chunk, other);
    AddSorted(chunk);
  }
}

void NumberSet::ForEachBlock(
    absl::FunctionRef<void(uint64_t, Block::Form, const Block&)> visit) const {
  std::vector<Entry> in_order;
  for (const Entry& entry : pages_) {
    if (entry.page != nullptr) in_order.push_back(entry);
  }
  std::sort(in_order.begin(), in_order.end(),
            [](const Entry& a, const Entry& b) { return a.key < b.key; });
  for (const Entry& entry : in_order) {
    for (size_t i = 0; i < kPageSlots; ++i) {
      const Slot& slot = entry.page->slots[i];
      if (!slot.empty()) visit((entry.key - 1) * kPageSlots + i, slot.form(), *slot.block());
    }
  }
}

size_t NumberSet::BytesUsed() const {
  size_t bytes = pages_.capacity() * sizeof(Entry);
  for (const Entry& entry : pages_) {
    if (entry.page == nullptr) continue;
    bytes += sizeof(Page);
    for (const Slot& slot : entry.page->slots) {
      if (!slot.empty()) bytes += slot.block()->BytesUsed(slot.form());
    }
  }
  return bytes;
}

}  // namespace outpace::dnc
