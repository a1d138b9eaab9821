#include "engine/runtime/dnc_lanes.h"

#include <utility>

namespace outpace::runtime {
namespace {

// A thousand numbers a second, 32 ms each: two syncs of a disk that others keep busy too.
constexpr size_t kLanes = 32;

}  // namespace

DncLanes::DncLanes(campaign::LeadStore& store, const Clock& clock, const AdminHooks& hooks,
                   AdminShared& shared) {
  for (size_t i = 0; i < kLanes; ++i) {
    lanes_.push_back({std::make_unique<Admin>(store, clock, hooks, &shared),
                      std::make_unique<AsioLoop>("dnc", clock)});
  }
}

bool DncLanes::Takes(absl::string_view operation) {
  return operation == "dnc.add" || operation == "dnc.remove";
}

bool DncLanes::Post(absl::AnyInvocable<void(Admin&)> job) {
  Lane& lane = lanes_[next_.fetch_add(1, std::memory_order_relaxed) % lanes_.size()];
  return lane.loop->Post(
      [admin = lane.admin.get(), job = std::move(job)]() mutable { job(*admin); });
}

void DncLanes::Start() {
  for (Lane& lane : lanes_) lane.loop->Start();
}

void DncLanes::Stop() {
  for (Lane& lane : lanes_) lane.loop->Stop();
}

}  // namespace outpace::runtime
