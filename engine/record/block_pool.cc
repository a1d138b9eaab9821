#include "engine/record/block_pool.h"

#include <string.h>
#include <sys/mman.h>

#include <algorithm>

#include "engine/base/check.h"

namespace outpace::record {

static_assert(sizeof(Block) <= BlockPool::kBlockBytes);

BlockPool::BlockPool(size_t blocks_max)
    : blocks_max_(blocks_max), next_(new std::atomic<uint32_t>[blocks_max]) {
  OUTPACE_CHECK(blocks_max > 0 && blocks_max < (size_t{1} << 31));
  void* const mapped = ::mmap(nullptr, size(), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  OUTPACE_CHECK(mapped != MAP_FAILED);
  base_ = static_cast<uint8_t*>(mapped);
  OUTPACE_CHECK(::madvise(base_, size(), MADV_DONTDUMP) == 0);
  // A fork would share what is said with another process; huge pages would bring in more than
  // asked.
  ::madvise(base_, size(), MADV_DONTFORK);
  ::madvise(base_, size(), MADV_NOHUGEPAGE);
}

BlockPool::~BlockPool() {
  ::explicit_bzero(base_, blocks() * kBlockBytes);
  ::munmap(base_, size());
}

void BlockPool::Grow(size_t blocks) {
  const std::lock_guard<std::mutex> lock(grow_mutex_);
  const size_t from = grown_.load(std::memory_order_relaxed);
  const size_t to = std::min(blocks, blocks_max_);
  if (to <= from) return;
  uint8_t* const begin = base_ + from * kBlockBytes;
  const size_t bytes = (to - from) * kBlockBytes;
  // Best effort: without the right to lock memory the pages are merely touched.
  if (::mlock(begin, bytes) != 0) ::memset(begin, 0, bytes);
  for (size_t i = from; i < to; ++i) Push(static_cast<uint32_t>(i));
  grown_.store(to, std::memory_order_relaxed);
}

void BlockPool::Push(uint32_t index) {
  uint64_t head = head_.load(std::memory_order_relaxed);
  for (;;) {
    next_[index].store(static_cast<uint32_t>(head), std::memory_order_relaxed);
    const uint64_t mine = ((head >> 32) + 1) << 32 | index;
    if (head_.compare_exchange_weak(head, mine, std::memory_order_release,
                                    std::memory_order_relaxed)) {
      return;
    }
  }
}

uint32_t BlockPool::Take() {
  uint64_t head = head_.load(std::memory_order_acquire);
  for (;;) {
    const auto index = static_cast<uint32_t>(head);
    if (index == kNone) return kNone;
    const uint64_t rest = ((head >> 32) + 1) << 32 | next_[index].load(std::memory_order_relaxed);
    if (head_.compare_exchange_weak(head, rest, std::memory_order_acquire,
                                    std::memory_order_acquire)) {
      in_use_.fetch_add(1, std::memory_order_relaxed);
      return index;
    }
  }
}

void BlockPool::Give(uint32_t index) {
  ::explicit_bzero(base_ + index * kBlockBytes, sizeof(Block));
  in_use_.fetch_sub(1, std::memory_order_relaxed);
  Push(index);
}

}  // namespace outpace::record
