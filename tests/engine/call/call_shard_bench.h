#pragma once

// A call shard on virtual time between fakes: what it tells signalling, media and journal, and what
// it reports, is one trail in order.

#include <memory>
#include <string>
#include <utility>

#include "engine/call/call_shard.h"
#include "engine/sim/sim_world.h"
#include "gtest/gtest.h"
#include "tests/fakes/fake_call.h"

namespace outpace::call {

class CallShardTest : public ::testing::Test {
 protected:
  CallShardTest() { Make(DefaultOptions()); }
  ~CallShardTest() override { shard_.reset(); }

  static ShardOptions DefaultOptions() {
    ShardOptions options;
    options.shard = 3;
    options.legs_max = 16;
    options.mailbox_capacity = 64;
    options.trunks.push_back({.name = "carrier", .cps = 1000, .breaker_failures = 2});
    return options;
  }
  void Make(ShardOptions options) {
    shard_ = std::make_unique<CallShard>(std::move(options), *loop_, signaling_, media_, journal_,
                                         sink_, log_);
  }
  static LegId Leg(uint32_t index, uint32_t generation = 1) { return {3, index, generation}; }

  void Post(ShardMessage message) {
    ASSERT_TRUE(shard_->Post(std::move(message)).ok());
    world_.RunFor(absl::ZeroDuration());
  }
  void Dial(LegId leg, uint16_t trunk = 0) {
    DialOrder order;
    order.leg = leg;
    order.kind = trunk == kAgentTrunk ? LegKind::kAgent : LegKind::kLead;
    order.ids.call_id = "op-1";
    order.trunk = trunk;
    order.ring_time_max = absl::Seconds(30);
    Post(std::move(order));
  }
  // A leg that is up, with the trail of getting there wiped.
  void Up(LegId leg, uint16_t trunk = 0) {
    Dial(leg, trunk);
    shard_->OnProvisional(leg, 180, "");
    shard_->OnAnswer(leg, {}, "sdp");
    ASSERT_EQ(shard_->state(leg), LegState::kAnswered);
    trail_.clear();
  }
  const LegEnded Ended() {
    const auto ended = sink_.Of<LegEnded>();
    EXPECT_FALSE(ended.empty());
    return ended.empty() ? LegEnded() : ended.back();
  }

  sim::SimWorld world_{1, absl::FromUnixSeconds(1'700'000'000)};
  std::unique_ptr<sim::SimLoop> loop_ = world_.NewLoop();
  fakes::Trail trail_;
  fakes::FakeSignaling signaling_{trail_};
  fakes::FakeMediaPlane media_{trail_};
  fakes::FakeJournal journal_{trail_};
  fakes::RecordingSink sink_{trail_};
  NullLog log_;
  std::unique_ptr<CallShard> shard_;
};

}  // namespace outpace::call
