#pragma once

// The memory between the media threads and the writer: blocks of one second of one side of a call.
// It is mapped once and left out of core dumps (MADV_DONTDUMP) and, where the limit allows, out of
// the swap (mlock): for a moment it holds what is being said, which may be a card number. A block
// is wiped before it is free again, so that the free ones hold nothing.
//
// Taking and giving back are lock-free (a Treiber stack whose head carries a count against ABA),
// and touch only pages that Grow() has already brought in: a media thread never faults a page.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

namespace outpace::record {

struct Channel;

// How the octets of a block are to be read.
enum class Kind : uint8_t { kMu, kA, kLinear };

inline constexpr int64_t kRate = 8000;        // samples a second, everywhere in this folder
inline constexpr size_t kBlockOctets = 8000;  // 1 s of G.711, half a second of linear audio

struct Block {
  Channel* channel = nullptr;
  int64_t start = 0;  // position of the first sample
  uint8_t side = 0;
  Kind kind = Kind::kMu;
  bool last = false;  // of its second: the writer has both sides now
  alignas(16) uint8_t octets[kBlockOctets];

  int16_t* linear() { return reinterpret_cast<int16_t*>(octets); }
  const int16_t* linear() const { return reinterpret_cast<const int16_t*>(octets); }
};

class BlockPool {
 public:
  static constexpr uint32_t kNone = 0xffffffff;
  static constexpr size_t kBlockBytes = 8192;

  // `blocks_max`: 1 to 2^31; only address space is taken.
  explicit BlockPool(size_t blocks_max);
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  // Not on a media thread. Brings in pages until `blocks` (at most blocks_max) are in circulation.
  void Grow(size_t blocks);
  // Any thread, wait-free but for contention. kNone when all are in use.
  uint32_t Take();
  // Any thread. Wipes the block first.
  void Give(uint32_t index);
  Block& at(uint32_t index) { return *reinterpret_cast<Block*>(base_ + index * kBlockBytes); }

  size_t blocks() const { return grown_.load(std::memory_order_relaxed); }
  size_t in_use() const { return in_use_.load(std::memory_order_relaxed); }
  // For tests: the mapping, all of it.
  const uint8_t* data() const { return base_; }
  size_t size() const { return blocks_max_ * kBlockBytes; }

 private:
  void Push(uint32_t index);

  const size_t blocks_max_;
  uint8_t* base_ = nullptr;
  std::unique_ptr<std::atomic<uint32_t>[]> next_;
  std::atomic<uint64_t> head_{kNone};  // count << 32 | index
  std::atomic<size_t> grown_{0};
  std::atomic<size_t> in_use_{0};
  std::mutex grow_mutex_;
};

}  // namespace outpace::record
