#include "bench/media/media_shared.h"

#include <poll.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <new>

#include "engine/base/check.h"

namespace outpace::bench {

void DelayCounts::Add(int64_t us) {
  us = std::max<int64_t>(us, 0);
  max_us_ = std::max(max_us_, us);
  ++count_;
  const int64_t bucket =
      us < kFine ? us : std::min(kFine + (us - kFine) / kCoarseStep, kFine + kCoarse);
  ++buckets_[static_cast<size_t>(bucket)];
}

double DelayCounts::QuantileMs(double q) const {
  if (count_ == 0) return 0;
  const auto rank = static_cast<uint64_t>(q * static_cast<double>(count_ - 1));
  uint64_t below = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    below += buckets_[i];
    if (below <= rank) continue;
    const auto at = static_cast<int64_t>(i);
    const int64_t us = at < kFine ? at : kFine + (at - kFine) * kCoarseStep;
    return static_cast<double>(us) / 1e3;
  }
  return MaxMs();
}

void Unmap::operator()(Shared* shared) const { ::munmap(shared, sizeof(Shared)); }

std::unique_ptr<Shared, Unmap> NewShared() {
  void* const room =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  OUTPACE_CHECK(room != MAP_FAILED);
  return std::unique_ptr<Shared, Unmap>(new (room) Shared());
}

void Fail(Shared& shared, const char* why) {
  if (shared.phase.load() == Phase::kFailed) return;
  std::snprintf(shared.why, sizeof shared.why, "%s", why);
  shared.phase.store(Phase::kFailed);
}

bool WaitForPhase(const Shared& shared, Phase phase, double seconds) {
  const int64_t until = WallNs() + static_cast<int64_t>(seconds * 1e9);
  while (true) {
    const Phase now = shared.phase.load();
    if (now == Phase::kFailed) return false;
    if (now >= phase) return true;
    if (WallNs() > until) return false;
    ::poll(nullptr, 0, 2);
  }
}

int64_t WallNs() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void WriteStamp(uint32_t us, uint8_t level, uint8_t* payload) {
  for (int i = 0; i < 32; ++i) {
    payload[i] = static_cast<uint8_t>((((us >> i) & 1) << 7) | level);
  }
}

uint32_t ReadStamp(const uint8_t* payload) {
  uint32_t us = 0;
  for (uint32_t i = 0; i < 32; ++i) us |= static_cast<uint32_t>(payload[i] >> 7) << i;
  return us;
}

}  // namespace outpace::bench
