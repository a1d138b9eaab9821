#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace outpace::dnc {

// What can be shared by several owners, each of whom copies it before writing unless it is the only
// one. Its count tells which, exactly: std::shared_ptr's use_count() orders nothing.
class SharedBase {
 public:
  void Retain() { refs_.fetch_add(1, std::memory_order_relaxed); }
  // True: the last owner has gone and the caller frees it.
  bool Release() { return refs_.fetch_sub(1, std::memory_order_acq_rel) == 1; }
  // Whether its owner is the only one. What others did before they let go is then visible.
  bool Exclusive() const { return refs_.load(std::memory_order_acquire) == 1; }

 private:
  std::atomic<uint32_t> refs_{1};
};

}  // namespace outpace::dnc
