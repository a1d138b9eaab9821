// What a shard does with its trunks apart from single calls: orders that wait for their turn at the
// trunk's rate, OPTIONS, registration, and the addresses of trunks that have a name.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/base/rng.h"
#include "tests/engine/call/call_shard_bench.h"

namespace outpace::call {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class CallShardTrunkTest : public CallShardTest {
 protected:
  void Carrier(TrunkLimits limits, uint32_t legs = 64) {
    shard_.reset();
    ShardOptions options = DefaultOptions();
    options.legs_max = legs;
    options.mailbox_capacity = 1024;
    options.trunks = {std::move(limits)};
    Make(std::move(options));
  }
  void SetAddress(const std::string& route = "sip:192.0.2.10:5060",
                  const std::string& host = "192.0.2.10") {
    Post(TrunkAddresses{.trunk = 0, .route_uris = {route}, .addresses = {host}});
  }
  void Probe(TrunkProbe::Kind kind, bool ok, const std::string& reason = "") {
    shard_->OnProbe(
        {.trunk = 0, .kind = kind, .ok = ok, .status = ok ? 200 : 408, .reason = reason});
  }
  void Options(bool ok) { Probe(TrunkProbe::Kind::kOptions, ok); }
  void Registered(bool ok, const std::string& reason = "") {
    Probe(TrunkProbe::Kind::kRegister, ok, reason);
  }
  TrunkState Last() const {
    const auto states = sink_.Of<TrunkState>();
    return states.empty() ? TrunkState() : states.back();
  }
  // Lines of the trail that begin with `verb`.
  size_t Count(const std::string& verb) const {
    return static_cast<size_t>(
        std::count_if(trail_.begin(), trail_.end(),
                      [&](const std::string& line) { return line.rfind(verb, 0) == 0; }));
  }
};

// ---- the turn of an order ----

TEST_F(CallShardTrunkTest, OrdersBeyondTheRateWaitAndGoInOrder) {
  Carrier({.name = "c", .cps = 4});
  for (uint32_t i = 0; i < 7; ++i) Dial(Leg(i));
  EXPECT_THAT(trail_, ElementsAre("invite 0", "invite 1", "invite 2", "invite 3"));
  EXPECT_EQ(shard_->stats().queued, 3u);
  world_.RunFor(absl::Milliseconds(999));
  EXPECT_THAT(trail_, SizeIs(4));
  world_.RunFor(absl::Milliseconds(20));
  EXPECT_THAT(trail_, ElementsAre("invite 0", "invite 1", "invite 2", "invite 3", "invite 4",
                                  "invite 5", "invite 6"));
  EXPECT_EQ(shard_->stats().refused, 0u);
}

// One second's worth may wait; who comes behind that has his order back at once.
TEST_F(CallShardTrunkTest, NoMoreWaitThanOneSecondTakes) {
  Carrier({.name = "c", .cps = 4});
  for (uint32_t i = 0; i < 9; ++i) Dial(Leg(i));
  EXPECT_EQ(shard_->stats().queued, 4u);
  EXPECT_EQ(Ended().leg, Leg(8));
  EXPECT_FALSE(Ended().invite_sent);
  EXPECT_GT(Ended().retry_after, absl::Milliseconds(900));
  world_.RunFor(absl::Seconds(2));
  EXPECT_EQ(signaling_.invites.size(), 8u);
  EXPECT_THAT(sink_.Of<LegEnded>(), SizeIs(1));
}

TEST_F(CallShardTrunkTest, HangUpWhileWaitingLeavesNothingOnTheWire) {
  Carrier({.name = "c", .cps = 1});
  Dial(Leg(0));
  Dial(Leg(1));
  ASSERT_EQ(shard_->stats().queued, 1u);
  Post(HangUp{.leg = Leg(1)});
  Post(Fence{.id = 1});  // from here on it will not leave
  EXPECT_THAT(sink_.Of<FenceReached>(), SizeIs(1));
  EXPECT_EQ(Ended().leg, Leg(1));
  EXPECT_FALSE(Ended().invite_sent);
  EXPECT_THAT(sink_.Of<LegFreed>(), SizeIs(1));
  EXPECT_EQ(shard_->trunk(0).calls(), 1);
  // Its turn goes to nobody, and the slot's next leg is not taken for it.
  Dial(Leg(1, 2));
  world_.RunFor(absl::Seconds(1.02));
  EXPECT_THAT(signaling_.invites, SizeIs(2));
  EXPECT_EQ(signaling_.invites[1].leg, Leg(1, 2));
  world_.RunFor(absl::Seconds(3));
  EXPECT_THAT(signaling_.invites, SizeIs(2));
}

TEST_F(CallShardTrunkTest, TheBreakerOpensWhileOrdersWait) {
  Carrier({.name = "c", .cps = 2, .breaker_failures = 2});
  for (uint32_t i = 0; i < 4; ++i) Dial(Leg(i));
  ASSERT_EQ(shard_->stats().queued, 2u);
  shard_->OnFailure(Leg(0), {.status = 503});
  shard_->OnFailure(Leg(1), {.status = 503});
  EXPECT_TRUE(Last().open);
  world_.RunFor(absl::Seconds(1.1));
  EXPECT_THAT(signaling_.invites, SizeIs(2)) << "nothing leaves for a trunk that is closed";
  const auto ended = sink_.Of<LegEnded>();
  ASSERT_THAT(ended, SizeIs(4));
  for (size_t i : {2u, 3u}) {
    EXPECT_FALSE(ended[i].invite_sent);
    EXPECT_EQ(ended[i].outcome, CallOutcome::kNoTrunk);
    EXPECT_GT(ended[i].retry_after, absl::Seconds(3)) << "until the trunk is probed";
  }
  EXPECT_EQ(shard_->trunk(0).calls(), 0);
}

// Random bursts of orders, some given up while they wait: whatever comes, the fake signaling never
// sees more INVITEs in any one second than the trunk takes.
TEST_F(CallShardTrunkTest, NeverAboveTheRateInAnySecond) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    const double cps = seed % 4 == 0 ? 0.5 + rng.Uniform() : 1 + static_cast<double>(rng.Below(30));
    Carrier({.name = "c", .cps = cps, .calls_max = 100'000, .unanswered_max = 100'000}, 1200);
    signaling_.invites.clear();
    sink_.events.clear();
    std::vector<MonoTime> sent;
    uint32_t next = 0;
    const auto note = [&] { sent.resize(signaling_.invites.size(), world_.now()); };
    const MonoTime until = world_.now() + absl::Seconds(20);
    while (world_.now() < until && next < 1100) {
      for (uint64_t n = rng.Below(static_cast<uint64_t>(2 * cps) + 3); n > 0; --n) {
        Dial(Leg(next));
        note();
        if (rng.Chance(0.2)) Post(HangUp{.leg = Leg(next)});
        ++next;
      }
      const auto pause = absl::Microseconds(static_cast<int64_t>(rng.Below(900'000)));
      const MonoTime go_on = world_.now() + pause;
      while (world_.now() < go_on) {  // in small steps, so that each INVITE has its time
        world_.RunFor(std::min(absl::Milliseconds(1), go_on - world_.now()));
        note();
      }
    }
    const auto most = static_cast<size_t>(std::max(1.0, cps));
    for (size_t i = most; i < sent.size(); ++i) {
      ASSERT_GE(sent[i] - sent[i - most], absl::Seconds(1)) << "INVITE " << i << " at cps " << cps;
    }
    EXPECT_GE(sent.size(), most);
    // Each order was sent or given back, none twice.
    world_.RunFor(absl::Seconds(60));
    EXPECT_EQ(sink_.Of<LegEnded>().size(), next);
    EXPECT_EQ(sink_.Of<LegFreed>().size(), next);
    EXPECT_EQ(shard_->trunk(0).calls(), 0);
  }
}

// ---- OPTIONS ----

TEST_F(CallShardTrunkTest, OptionsAreSentFromTheFirstAddressOn) {
  Carrier({.name = "c", .options_interval = absl::Seconds(30)});
  world_.RunFor(absl::Minutes(2));
  EXPECT_THAT(trail_, IsEmpty()) << "nobody knows where to";
  SetAddress();
  EXPECT_THAT(trail_, ElementsAre("addresses 0", "ping 0 sip:192.0.2.10:5060"));
  EXPECT_THAT(signaling_.addresses[0], ElementsAre("192.0.2.10"));
  // It has moved: the next one goes there, and there is still one in 30 s.
  SetAddress("sip:192.0.2.20:5060", "192.0.2.20");
  world_.RunFor(absl::Seconds(61));
  EXPECT_EQ(Count("ping"), 3u);
  EXPECT_EQ(trail_.back(), "ping 0 sip:192.0.2.20:5060");
}

TEST_F(CallShardTrunkTest, NoOptionsWhereNoneAreWanted) {
  Carrier({.name = "c"});
  SetAddress();
  world_.RunFor(absl::Minutes(5));
  EXPECT_THAT(trail_, ElementsAre("addresses 0"));
}

TEST_F(CallShardTrunkTest, ThreeLostOptionsOpenTheBreakerAndAnAnswerLetsACallProbe) {
  Carrier({.name = "c", .options_interval = absl::Seconds(30)});
  SetAddress();
  Options(false);
  Options(true);  // not in a row
  Options(false);
  Options(false);
  EXPECT_THAT(sink_.Of<TrunkState>(), IsEmpty());
  Options(false);
  EXPECT_TRUE(Last().open);
  EXPECT_EQ(Last().reason, "no answer to 3 OPTIONS in a row");
  EXPECT_THAT(sink_.Of<TrunkProbe>(), SizeIs(5)) << "the controller hears of each";
  Dial(Leg(0));
  EXPECT_FALSE(Ended().invite_sent);

  Options(true);
  EXPECT_FALSE(Last().open);
  EXPECT_TRUE(Last().probing);
  Dial(Leg(1));
  Dial(Leg(2));
  EXPECT_EQ(Count("invite"), 1u) << "one call probes";
  shard_->OnProvisional(Leg(1), 180, "");
  EXPECT_FALSE(Last().open);
  EXPECT_FALSE(Last().probing);
}

// A 503 closed it for a time it named itself: an answer to OPTIONS does not shorten that.
TEST_F(CallShardTrunkTest, OptionsDoNotOverruleRetryAfter) {
  Carrier({.name = "c", .options_interval = absl::Seconds(30)});
  SetAddress();
  Dial(Leg(0));
  shard_->OnFailure(Leg(0), {.status = 503, .retry_after = absl::Seconds(40)});
  ASSERT_TRUE(Last().open);
  Options(true);
  EXPECT_TRUE(Last().open);
  world_.RunFor(absl::Seconds(39));
  EXPECT_TRUE(Last().open);
  world_.RunFor(absl::Seconds(2));
  EXPECT_TRUE(Last().probing);
}

// ---- registration ----

TEST_F(CallShardTrunkTest, NoCallBeforeTheTrunkHasRegisteredUs) {
  Carrier({.name = "c", .registers = true});
  SetAddress();
  EXPECT_THAT(trail_, ElementsAre("addresses 0", "register 0 sip:192.0.2.10:5060"));
  Dial(Leg(0));
  EXPECT_FALSE(Ended().invite_sent);
  Registered(true);
  EXPECT_FALSE(Last().open);
  Dial(Leg(1));
  EXPECT_EQ(Count("invite"), 1u);
}

TEST_F(CallShardTrunkTest, ALostRegistrationClosesTheTrunkAndSaysWhy) {
  Carrier({.name = "c", .registers = true});
  SetAddress();
  Registered(true);
  Up(Leg(0));
  Registered(false, "403 to REGISTER");
  EXPECT_TRUE(Last().open);
  EXPECT_EQ(Last().reason, "403 to REGISTER");
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kAnswered) << "calls that are up go on";
  Dial(Leg(1));
  EXPECT_FALSE(Ended().invite_sent);
  Registered(true);
  EXPECT_FALSE(Last().open);
  Dial(Leg(2));
  EXPECT_EQ(Count("invite"), 1u);
}

// Refreshing is signalling's work; a new address is a new registration, the same one is not.
TEST_F(CallShardTrunkTest, AMovedRegistrarIsRegisteredWithAgain) {
  Carrier({.name = "c", .registers = true});
  SetAddress();
  SetAddress();
  EXPECT_EQ(Count("register"), 1u);
  SetAddress("sip:192.0.2.20:5060", "192.0.2.20");
  EXPECT_EQ(Count("register"), 2u);
  EXPECT_EQ(trail_.back(), "register 0 sip:192.0.2.20:5060");
}

TEST_F(CallShardTrunkTest, WhatIsNoTrunkIsPassedOver) {
  shard_->OnProbe({.trunk = 7, .ok = false});
  Post(TrunkAddresses{.trunk = 7, .route_uris = {"sip:192.0.2.1"}, .addresses = {}});
  Post(TrunkAddresses{.trunk = 0, .route_uris = {}, .addresses = {}});
  EXPECT_THAT(trail_, IsEmpty());
}

}  // namespace
}  // namespace outpace::call
