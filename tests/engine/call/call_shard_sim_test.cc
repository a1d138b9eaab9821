// Shards against the simulated carrier: many seeds, random orders, every race of the scenario.
// After each event the books must agree, and at the end nothing may be left: no dialog in the
// journal, no port, no leg, and no call that the far end still believes in.

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/overload.h"
#include "engine/call/call_shard.h"
#include "engine/sim/memory_dialog_journal.h"
#include "engine/sim/sim_carrier.h"
#include "engine/sim/sim_media_plane.h"
#include "engine/sim/sim_signaling.h"
#include "engine/sim/sim_world.h"

namespace outpace::call {
namespace {

constexpr uint16_t kShards = 2;
constexpr uint32_t kSlots = 24;

sim::CarrierScenario RoughScenario() {
  sim::CarrierScenario s;
  s.person = 0.35;
  s.machine = 0.10;
  s.busy = 0.05;
  s.invalid = 0.05;
  s.unreachable = 0.02;
  s.rejected = 0.02;
  s.congestion = 0.05;
  s.silent = 0.04;
  s.bad_media = 0.04;
  s.crossing = 0.3;
  s.lost_487 = 0.2;
  s.lost_bye_ok = 0.2;
  s.person_ring = {absl::Milliseconds(500), 2, absl::Seconds(3)};
  s.machine_ring = {absl::Seconds(5), 2, absl::Seconds(2)};
  s.talk_mean = absl::Seconds(20);
  s.agent_drop_mean = absl::Minutes(2);
  return s;
}

// A controller that decides by dice, and keeps the books that a real one would.
class DiceController final : public LegEventSink {
 public:
  struct Seen {
    LegKind kind = LegKind::kLead;
    std::string call_id;
    bool answered = false;
    int connected = 0;
    int ended = 0;
    int freed = 0;
    LegEnded end;
  };

  DiceController(sim::SimWorld& world, sim::SimCarrier& carrier)
      : world_(world), loop_(world.NewLoop()), rng_(world.rng().Fork()), carrier_(carrier) {}
  ~DiceController() override { Kill(); }

  // `orphans` are told to the new shards.
  void StartEngine(sim::MemoryDialogJournal* journals) {
    media_loop_ = world_.NewLoop();
    media_ = std::make_unique<sim::SimMediaPlane>(*media_loop_, &carrier_,
                                                  sim::SimMediaPlane::Options{.ports_max = 40});
    for (uint16_t i = 0; i < kShards; ++i) {
      Shard& s = shards_[i];
      s.loop = world_.NewLoop();
      s.signaling = std::make_unique<sim::SimSignaling>(carrier_, i);
      ShardOptions options;
      options.shard = i;
      options.legs_max = kSlots;
      options.mailbox_capacity = 256;
      options.trunks.push_back({.name = "carrier", .cps = 20, .breaker_failures = 3});
      s.shard = std::make_unique<CallShard>(options, *s.loop, *s.signaling, *media_, journals[i],
                                            *this, log_);
      s.signaling->set_events(s.shard.get());
      media_->set_events(i, s.shard.get());
      for (uint32_t k = 0; k < kSlots; ++k) free_.insert({i, k});
    }
  }
  // kill -9: whatever was queued, timed or half done is gone.
  void Kill() {
    for (Shard& s : shards_) s.shard.reset();
    for (Shard& s : shards_) s.signaling.reset();
    media_.reset();
    for (Shard& s : shards_) s.loop.reset();
    media_loop_.reset();
    free_.clear();
  }

  void Send(uint16_t shard, ShardMessage message) {
    ASSERT_TRUE(shards_[shard].shard->Post(std::move(message)).ok());
  }

  void Dial(LegKind kind) {
    if (free_.empty()) return;
    auto it = free_.begin();
    std::advance(it, static_cast<ptrdiff_t>(rng_.Below(free_.size())));
    const auto [shard, index] = *it;
    free_.erase(it);
    const LegId leg{shard, index, ++generation_[{shard, index}]};
    DialOrder order;
    order.leg = leg;
    order.kind = kind;
    order.ids.call_id = absl::StrCat("op-", ++attempt_, "-x");
    order.trunk = kind == LegKind::kAgent ? kAgentTrunk : uint16_t{0};
    order.route_uri = kind == LegKind::kAgent ? carrier_.scenario().agent_route : "sip:192.0.2.1";
    order.request_uri = absl::StrCat("sip:+1202555", 1000 + attempt_, "@192.0.2.1");
    order.ring_time_max = absl::Seconds(3 + rng_.Below(20));
    Seen& seen = legs[leg];
    seen.kind = kind;
    seen.call_id = order.ids.call_id;
    by_call_id[order.ids.call_id] = leg;
    Send(shard, std::move(order));
    if (rng_.Chance(0.25)) HangUpLater(leg, absl::Seconds(rng_.Exponential(4)));
  }

  void HangUpLater(LegId leg, absl::Duration delay) {
    loop_->After(delay, [this, leg] {
      if (running() && legs[leg].freed == 0) Send(leg.shard, HangUp{.leg = leg});
    });
  }
  void HangUpAll() {
    for (const auto& [leg, seen] : legs) {
      if (seen.freed == 0) Send(leg.shard, HangUp{.leg = leg});
    }
  }
  bool running() const { return shards_[0].shard != nullptr; }

  void OnLegEvent(LegEvent event) override {
    ASSERT_TRUE(loop_->Post([this, event = std::move(event)] { Handle(event); }));
  }

  struct Shard {
    std::unique_ptr<sim::SimLoop> loop;
    std::unique_ptr<sim::SimSignaling> signaling;
    std::unique_ptr<CallShard> shard;
  };
  std::array<Shard, kShards> shards_;
  std::unique_ptr<sim::SimMediaPlane> media_;
  std::map<LegId, Seen> legs;
  std::map<std::string, LegId> by_call_id;
  int connects = 0;

 private:
  Seen& Alive(LegId leg) {
    Seen& seen = legs[leg];
    EXPECT_EQ(seen.freed, 0) << "event after LegFreed";
    return seen;
  }
  void Handle(const LegEvent& event) {
    std::visit(Overload{
                   [this](const LegProgress& e) { EXPECT_EQ(Alive(e.leg).ended, 0); },
                   [this](const LegAnswered& e) { OnAnswered(e.leg); },
                   [this](const LegConnected& e) {
                     EXPECT_TRUE(Alive(e.lead).answered);
                     ++legs[e.lead].connected;
                     ++connects;
                   },
                   [this](const LegEnded& e) {
                     Seen& seen = Alive(e.leg);
                     ++seen.ended;
                     seen.end = e;
                     EXPECT_EQ(seen.ended, 1);
                     EXPECT_TRUE(e.outcome != CallOutcome::kAnswered || seen.answered);
                     agents_.erase(e.leg);
                   },
                   [this](const PromptFinished& e) { EXPECT_EQ(Alive(e.leg).ended, 0); },
                   [this](const LegFreed& e) {
                     Seen& seen = Alive(e.leg);
                     EXPECT_EQ(seen.ended, 1);
                     ++seen.freed;
                     free_.insert({e.leg.shard, e.leg.index});
                   },
                   [](const TrunkState&) {},
                   [](const LegHeard&) {},
                   [](const LegDigit&) {},
                   [](const LegJoined&) {},
                   [](const CallOffered&) {},
                   [](const CallWithdrawn&) {},
                   [](const TrunkProbe&) {},
                   [](const FenceReached&) {},
               },
               event);
  }
  void OnAnswered(LegId leg) {
    Seen& seen = Alive(leg);
    EXPECT_FALSE(seen.answered);
    EXPECT_EQ(seen.ended, 0);
    seen.answered = true;
    if (!running()) return;
    if (seen.kind == LegKind::kAgent) {
      agents_.insert(leg);
      return;
    }
    switch (rng_.Below(5)) {
      case 0:
        return Send(leg.shard, HangUp{.leg = leg});
      case 1:
        return Send(leg.shard, PlayThenHangUp{.leg = leg});
      case 2:
        return;  // left to its patience
      default:
        break;
    }
    if (agents_.empty()) return Send(leg.shard, PlayThenHangUp{.leg = leg});
    // Any agent, taken or not, of this shard or the other: the shard and media must cope.
    auto it = agents_.begin();
    std::advance(it, static_cast<ptrdiff_t>(rng_.Below(agents_.size())));
    Send(leg.shard, Connect{.lead = leg, .agent = *it});
    if (rng_.Chance(0.3)) Send(leg.shard, Disconnect{.leg = leg});
    HangUpLater(leg, absl::Seconds(rng_.Exponential(15)));
  }

  sim::SimWorld& world_;
  std::unique_ptr<sim::SimLoop> loop_;
  std::unique_ptr<sim::SimLoop> media_loop_;
  Rng rng_;
  sim::SimCarrier& carrier_;
  NullLog log_;
  std::set<std::pair<uint16_t, uint32_t>> free_;
  std::map<std::pair<uint16_t, uint32_t>, uint32_t> generation_;
  std::set<LegId> agents_;
  int attempt_ = 0;
};

// What the far end saw and what was reported must tell one story.
void ExpectOneStory(const DiceController& c, const sim::SimCarrier& carrier) {
  std::set<std::string> on_wire;
  for (const sim::SimInvite& invite : carrier.invites()) {
    on_wire.insert(invite.ids.call_id);
    const auto it = c.by_call_id.find(invite.ids.call_id);
    ASSERT_NE(it, c.by_call_id.end());
    const DiceController::Seen& seen = c.legs.at(it->second);
    SCOPED_TRACE(invite.ids.call_id);
    EXPECT_TRUE(seen.end.invite_sent);
    if (invite.answered) {
      EXPECT_TRUE(seen.end.outcome == CallOutcome::kAnswered ||
                  seen.end.outcome == CallOutcome::kMedia || seen.end.crossed_answer);
    } else {
      EXPECT_NE(seen.end.outcome, CallOutcome::kAnswered);
      EXPECT_FALSE(seen.end.crossed_answer);
    }
    EXPECT_TRUE(invite.acked || !seen.answered);
  }
  for (const auto& [leg, seen] : c.legs) {
    EXPECT_EQ(seen.ended, 1);
    EXPECT_EQ(seen.freed, 1);
    EXPECT_EQ(seen.end.invite_sent, on_wire.contains(seen.call_id));
  }
}

struct Result {
  uint64_t trace = 0;
  uint64_t crossed = 0;
  uint64_t guards = 0;
  uint64_t refused = 0;
  int connects = 0;
};

Result RunSeed(uint64_t seed) {
  sim::SimWorld world(seed, absl::FromUnixSeconds(1'700'000'000));
  world.set_post_delay_max(absl::Milliseconds(3));
  sim::SimCarrier carrier(world, RoughScenario());
  sim::MemoryDialogJournal journals[kShards];
  DiceController controller(world, carrier);
  controller.StartEngine(journals);
  Rng rng = world.rng().Fork();
  world.set_after_event([&] {
    uint64_t live = 0;
    for (const auto& s : controller.shards_) live += s.shard->stats().legs_live;
    ASSERT_LE(controller.media_->open_legs(), live);
    ASSERT_LE(journals[0].open().size() + journals[1].open().size(), live);
  });
  for (int i = 0; i < 4; ++i) controller.Dial(LegKind::kAgent);
  for (int i = 0; i < 150; ++i) {
    controller.Dial(rng.Chance(0.05) ? LegKind::kAgent : LegKind::kLead);
    if (rng.Chance(0.02)) controller.shards_[rng.Below(kShards)].signaling->RefuseInvites(2);
    world.RunFor(absl::Seconds(rng.Exponential(0.6)));
  }
  world.RunFor(absl::Seconds(30));
  controller.HangUpAll();
  EXPECT_TRUE(world.RunUntilIdle(absl::Minutes(10)));
  world.set_after_event(nullptr);

  ExpectOneStory(controller, carrier);
  EXPECT_EQ(carrier.calls_open(), 0);
  EXPECT_EQ(carrier.unacked(), 0u);
  EXPECT_EQ(carrier.duplicate_call_ids(), 0u);
  EXPECT_EQ(controller.media_->open_legs(), 0u);
  Result result;
  for (uint16_t i = 0; i < kShards; ++i) {
    EXPECT_TRUE(journals[i].open().empty());
    EXPECT_EQ(controller.shards_[i].signaling->legs(), 0u);
    const ShardStats stats = controller.shards_[i].shard->stats();
    EXPECT_EQ(stats.legs_live, 0u);
    EXPECT_EQ(stats.mailbox_full, 0u);
    EXPECT_EQ(controller.shards_[i].shard->trunk(0).calls(), 0);
    EXPECT_EQ(controller.shards_[i].shard->trunk(0).unanswered(), 0);
    result.crossed += stats.crossed_answers;
    result.guards += stats.guards;
    result.refused += stats.refused;
  }
  result.connects = controller.connects;
  result.trace = world.trace_hash();
  return result;
}

TEST(CallShardSim, BooksAgreeForManySeeds) {
  Result total;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    const Result result = RunSeed(seed);
    if (::testing::Test::HasFailure()) return;
    total.crossed += result.crossed;
    total.guards += result.guards;
    total.refused += result.refused;
    total.connects += result.connects;
  }
  // The seeds do reach what they are there for.
  EXPECT_GT(total.crossed, 100u);
  EXPECT_GT(total.guards, 100u);
  EXPECT_GT(total.refused, 100u);
  EXPECT_GT(total.connects, 500);
}

TEST(CallShardSim, OneSeedOneTrace) {
  EXPECT_EQ(RunSeed(3).trace, RunSeed(3).trace);
  EXPECT_NE(RunSeed(3).trace, RunSeed(4).trace);
}

TEST(CallShardSim, KilledEngineLeavesNoCallUpAfterItsRestart) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    sim::SimWorld world(seed, absl::FromUnixSeconds(1'700'000'000));
    sim::CarrierScenario scenario = RoughScenario();
    // Nobody at the far end hangs up by himself, and no BYE is lost: only the engine can end calls.
    scenario.patience_mean = scenario.talk_mean = scenario.agent_drop_mean = absl::ZeroDuration();
    scenario.machine_max = absl::ZeroDuration();
    sim::SimCarrier carrier(world, scenario);
    sim::MemoryDialogJournal journals[kShards];
    DiceController controller(world, carrier);
    controller.StartEngine(journals);
    for (int i = 0; i < 40; ++i) {
      controller.Dial(i < 4 ? LegKind::kAgent : LegKind::kLead);
      world.RunFor(absl::Milliseconds(200));
    }
    world.RunFor(absl::Milliseconds(world.rng().Below(3000)));
    controller.Kill();
    world.RunFor(absl::Seconds(2));
    EXPECT_GT(carrier.calls_open(), 0);

    controller.StartEngine(journals);
    for (uint16_t i = 0; i < kShards; ++i) {
      for (DialogState& dialog : journals[i].TakeOrphans()) {
        controller.Send(i, EndOrphanDialog{.dialog = std::move(dialog)});
      }
    }
    // The store's intents without a result: what was ringing, among others.
    for (const auto& [leg, seen] : controller.legs) {
      if (seen.ended > 0) continue;
      controller.Send(leg.shard, EndOrphanInvite{.invite = {.ids = {.call_id = seen.call_id}}});
    }
    world.RunFor(absl::Minutes(5));
    EXPECT_EQ(carrier.lead_calls_up(), 0);
    EXPECT_EQ(carrier.agent_calls_up(), 0);
    EXPECT_EQ(carrier.calls_open(), 0);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace outpace::call
