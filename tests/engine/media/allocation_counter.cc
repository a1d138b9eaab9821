// Replaces operator new of the test program; a file of its own, or the compiler would see through
// it.

#include "tests/engine/media/allocation_counter.h"

#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

std::atomic<bool> counting{false};
std::atomic<int> allocations{0};

void CountAllocation() {
  if (!counting.load(std::memory_order_relaxed)) return;
  char name[16] = "";
  pthread_getname_np(pthread_self(), name, sizeof name);
  if (std::strcmp(name, "media") == 0) allocations.fetch_add(1);
}

}  // namespace

void* operator new(size_t size) {
  CountAllocation();
  if (void* const block = std::malloc(size)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, size_t) noexcept { std::free(block); }

namespace outpace::media {

int CountMediaAllocations(bool on) {
  if (on) allocations = 0;
  counting = on;
  return allocations;
}

}  // namespace outpace::media
