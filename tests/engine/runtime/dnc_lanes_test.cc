// Additions that come at the same time wait for the disk at the same time.

#include "engine/runtime/dnc_lanes.h"

#include <future>
#include <latch>
#include <mutex>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/runtime/real_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

using ::testing::UnorderedElementsAre;

TEST(DncLanes, AdditionsAtTheSameTimeDoNotWaitForEachOther) {
  RealClock clock;
  store::MemoryLeadStore store;
  AdminShared shared(clock);
  std::mutex mutex;
  std::vector<uint64_t> added;
  // As the engine's way to the disk, with a disk that answers when both are there.
  std::latch both(2);
  AdminHooks hooks;
  hooks.add_dnc = [&](std::vector<campaign::DncEntry> entries) {
    both.arrive_and_wait();
    const std::lock_guard<std::mutex> lock(mutex);
    for (const campaign::DncEntry& entry : entries) added.push_back(entry.phone.value());
    return absl::OkStatus();
  };
  DncLanes lanes(store, clock, hooks, shared);
  lanes.Start();
  std::promise<absl::Status> done[2];
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(lanes.Post([&done, i](Admin& admin) {
      const nlohmann::ordered_json arguments = {{"number", absl::StrCat("303555019", i)}};
      done[i].set_value(admin.Run("dnc.add", arguments).status());
    }));
  }
  for (auto& one : done) EXPECT_TRUE(one.get_future().get().ok());
  EXPECT_THAT(added, UnorderedElementsAre(13035550190, 13035550191));
  lanes.Stop();
}

TEST(DncLanes, OnlySingleNumbersGoThere) {
  EXPECT_TRUE(DncLanes::Takes("dnc.add"));
  EXPECT_TRUE(DncLanes::Takes("dnc.remove"));
  EXPECT_FALSE(DncLanes::Takes("dnc.import")) << "a long one would hold up the single ones";
  EXPECT_FALSE(DncLanes::Takes("campaign.pause"));
}

}  // namespace
}  // namespace outpace::runtime
