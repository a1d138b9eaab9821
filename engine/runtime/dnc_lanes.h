#pragma once

// Threads that do nothing but put single do-not-call numbers on the list, or take them off: each
// waits for the disk, and those that wait at the same time share its syncs. On one thread a
// thousand numbers a second would have to be a thousand syncs a second.

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "engine/runtime/admin.h"
#include "engine/runtime/asio_loop.h"

namespace outpace::runtime {

class DncLanes {
 public:
  // As Admin; nothing runs before Start().
  DncLanes(campaign::LeadStore& store, const Clock& clock, const AdminHooks& hooks,
           AdminShared& shared);

  // Operations that run here. Two that come at the same time are done in any order.
  static bool Takes(absl::string_view operation);
  // Runs `job` on one of the threads. False: too many wait. Any thread.
  bool Post(absl::AnyInvocable<void(Admin&)> job);
  void Start();
  void Stop();

 private:
  struct Lane {
    std::unique_ptr<Admin> admin;
    std::unique_ptr<AsioLoop> loop;
  };
  std::vector<Lane> lanes_;
  std::atomic<size_t> next_{0};
};

}  // namespace outpace::runtime
