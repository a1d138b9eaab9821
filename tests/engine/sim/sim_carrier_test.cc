// The simulated far end by itself: a scenario that is not what it says would make every result of
// the simulation wrong without a test failing.

#include "engine/sim/sim_carrier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/sim/sim_media_plane.h"
#include "engine/sim/sim_signaling.h"

namespace outpace::sim {
namespace {

using ::testing::ElementsAre;

// Writes down what the stack tells it, and ACKs answers unless told not to.
class Caller final : public call::SignalingEvents {
 public:
  explicit Caller(SimSignaling& signaling) : signaling_(signaling) {}
  void OnProvisional(LegId leg, int status, absl::string_view) override {
    Add(leg, absl::StrCat(status));
  }
  void OnAnswer(LegId leg, const call::DialogState& dialog, absl::string_view) override {
    Add(leg, "200");
    dialogs[leg.index] = dialog;
    if (ack) signaling_.Ack(leg);
    if (bye) signaling_.Bye(leg, 16);
  }
  void OnFailure(LegId leg, const call::Failure& failure) override {
    Add(leg, absl::StrCat(failure.status));
    signaling_.Forget(leg);
  }
  void OnBye(LegId leg, int) override {
    Add(leg, "bye");
    signaling_.Forget(leg);
  }
  void OnByeDone(LegId leg) override {
    Add(leg, "bye_done");
    signaling_.Forget(leg);
  }
  std::string OnReinvite(LegId, absl::string_view) override { return ""; }

  bool ack = true;
  bool bye = false;
  std::map<uint32_t, std::vector<std::string>> heard;
  std::map<uint32_t, call::DialogState> dialogs;

 private:
  void Add(LegId leg, std::string what) { heard[leg.index].push_back(std::move(what)); }
  SimSignaling& signaling_;
};

class SimCarrierTest : public ::testing::Test {
 protected:
  SimCarrierTest() {
    carrier_.scenario().patience_mean = absl::ZeroDuration();
    Start();
  }
  void Start() {
    signaling_ = std::make_unique<SimSignaling>(carrier_, uint16_t{0});
    caller_ = std::make_unique<Caller>(*signaling_);
    signaling_->set_events(caller_.get());
  }
  LegId Call(Callee callee) {
    const LegId leg{0, next_++, 1};
    const std::string number = absl::StrCat("+1202555", 1000 + leg.index);
    carrier_.SetCallee(number, callee);
    EXPECT_TRUE(signaling_->Invite(RequestTo(leg, number, "sip:192.0.2.1")).ok());
    return leg;
  }
  static call::InviteRequest RequestTo(LegId leg, const std::string& number,
                                       const std::string& route) {
    return {.leg = leg,
            .ids = {.call_id = absl::StrCat("op-", leg.index, "-", leg.generation)},
            .route_uri = route,
            .request_uri = absl::StrCat("sip:", number, "@192.0.2.1"),
            .from_uri = "sip:+12025550199@198.51.100.1",
            .sdp_offer = "offer"};
  }
  std::vector<std::string> Heard(LegId leg) { return caller_->heard[leg.index]; }

  SimWorld world_{1, absl::FromUnixSeconds(1'700'000'000)};
  SimCarrier carrier_{world_, {}};
  std::unique_ptr<SimSignaling> signaling_;
  std::unique_ptr<Caller> caller_;
  uint32_t next_ = 0;
};

TEST_F(SimCarrierTest, EachCalleeDoesWhatItSays) {
  const LegId busy = Call(Callee::kBusy);
  const LegId invalid = Call(Callee::kInvalid);
  const LegId off = Call(Callee::kUnreachable);
  const LegId rejected = Call(Callee::kRejected);
  const LegId congestion = Call(Callee::kCongestion);
  const LegId silent = Call(Callee::kSilent);
  const LegId person = Call(Callee::kPerson);
  const LegId nobody = Call(Callee::kNoAnswer);
  world_.RunFor(absl::Minutes(2));
  EXPECT_THAT(Heard(busy), ElementsAre("100", "486"));
  EXPECT_THAT(Heard(invalid), ElementsAre("100", "404"));
  EXPECT_THAT(Heard(off), ElementsAre("100", "480"));
  EXPECT_THAT(Heard(rejected), ElementsAre("100", "603"));
  EXPECT_THAT(Heard(congestion), ElementsAre("100", "503"));
  EXPECT_TRUE(Heard(silent).empty());
  EXPECT_THAT(Heard(person), ElementsAre("100", "180", "200"));
  EXPECT_THAT(Heard(nobody), ElementsAre("100", "180"));
  EXPECT_EQ(carrier_.lead_calls_up(), 1);
  EXPECT_EQ(carrier_.invites().size(), 8u);
  EXPECT_EQ(carrier_.invites()[6].to, "+12025551006");
}

TEST_F(SimCarrierTest, PlannedCalleesDoAsTheyWereTold) {
  std::vector<std::string> asked;
  carrier_.set_callees([&](const std::string& number, int number_of_call, MonoTime) {
    asked.push_back(absl::StrCat(number, "/", number_of_call));
    CalleePlan plan;
    plan.callee = number_of_call == 1 ? Callee::kBusy : Callee::kPerson;
    plan.until_final = absl::Seconds(number_of_call == 1 ? 3 : 7);
    plan.talk = absl::Seconds(20);
    plan.hangs_up = true;
    return plan;
  });
  const MonoTime start = world_.now();
  for (uint32_t generation = 1; generation <= 2; ++generation) {
    const LegId leg{0, generation, generation};
    ASSERT_TRUE(signaling_->Invite(RequestTo(leg, "+12025550100", "sip:192.0.2.1")).ok());
  }
  world_.RunFor(absl::Minutes(1));
  EXPECT_THAT(asked, ElementsAre("+12025550100/1", "+12025550100/2"));
  EXPECT_THAT(caller_->heard[1], ElementsAre("100", "486"));
  EXPECT_THAT(caller_->heard[2], ElementsAre("100", "180", "200"));
  const SimInvite* invite = carrier_.FindInvite("op-2-2");
  ASSERT_NE(invite, nullptr);
  EXPECT_EQ(invite->answered_at - start, absl::Milliseconds(7005));
  // Patience has no end until an agent is there; then the talk has.
  EXPECT_FALSE(invite->over);
  carrier_.OnBridged(LegId{0, 2, 2}, LegId{0, 9, 1});
  world_.RunFor(absl::Seconds(19));
  EXPECT_FALSE(carrier_.FindInvite("op-2-2")->over);
  world_.RunFor(absl::Seconds(2));
  EXPECT_TRUE(carrier_.FindInvite("op-2-2")->ended_by_callee);
  EXPECT_EQ(carrier_.FindInvite("op-9-9"), nullptr);
}

TEST_F(SimCarrierTest, AStoppedProcessReadsItsMailAfterwards) {
  const LegId leg = Call(Callee::kBusy);
  signaling_->StallUntil(world_.now() + absl::Seconds(30));
  world_.RunFor(absl::Seconds(29));
  EXPECT_TRUE(Heard(leg).empty());
  world_.RunFor(absl::Seconds(2));
  EXPECT_THAT(Heard(leg), ElementsAre("100", "486"));
}

TEST_F(SimCarrierTest, CancelEndsTheRinging) {
  const LegId leg = Call(Callee::kNoAnswer);
  world_.RunFor(absl::Seconds(5));
  signaling_->Cancel(leg);
  world_.RunFor(absl::Seconds(1));
  EXPECT_THAT(Heard(leg), ElementsAre("100", "180", "487"));
  EXPECT_EQ(carrier_.calls_open(), 0);
}

TEST_F(SimCarrierTest, CrossingAndLostAnswers) {
  carrier_.scenario().crossing = 1;
  const LegId crossed = Call(Callee::kNoAnswer);
  world_.RunFor(absl::Seconds(5));
  signaling_->Cancel(crossed);
  world_.RunFor(absl::Seconds(1));
  EXPECT_THAT(Heard(crossed), ElementsAre("100", "180", "200"));

  carrier_.scenario().crossing = 0;
  carrier_.scenario().lost_487 = 1;
  const LegId lost = Call(Callee::kNoAnswer);
  world_.RunFor(absl::Seconds(5));
  signaling_->Cancel(lost);
  world_.RunFor(absl::Minutes(2));
  EXPECT_THAT(Heard(lost), ElementsAre("100", "180"));

  carrier_.scenario().lost_bye_ok = 1;
  signaling_->Bye(crossed, 16);
  world_.RunFor(absl::Minutes(1));
  EXPECT_EQ(carrier_.lead_calls_up(), 0);
  EXPECT_THAT(Heard(crossed), ElementsAre("100", "180", "200"));
}

TEST_F(SimCarrierTest, AnswerIsRepeatedUntilItIsAcknowledged) {
  caller_->ack = false;
  const LegId leg = Call(Callee::kPerson);
  world_.RunFor(absl::Minutes(3));
  EXPECT_EQ(Heard(leg).size(), 2 + 7u);  // 100, 180, then 200 seven times
  EXPECT_EQ(carrier_.unacked(), 1u);
  EXPECT_EQ(carrier_.lead_calls_up(), 0);
}

TEST_F(SimCarrierTest, CallsOutliveTheStackAndOrphansAreEnded) {
  const LegId up = Call(Callee::kPerson);
  world_.RunFor(absl::Minutes(1));
  const call::DialogState dialog = caller_->dialogs.at(up.index);
  const LegId ringing = Call(Callee::kNoAnswer);
  world_.RunFor(absl::Seconds(5));
  const call::InviteIds ids = {.call_id = absl::StrCat("op-", ringing.index, "-1")};
  const LegId answers = Call(Callee::kPerson);
  world_.RunFor(absl::Seconds(1));

  signaling_.reset();  // kill -9
  Start();
  EXPECT_EQ(carrier_.calls_open(), 3);
  signaling_->ByeOrphan(dialog);
  signaling_->CancelOrphan({.ids = ids});
  world_.RunFor(absl::Minutes(2));
  // The third picked up meanwhile; its 200 meets a stack that does not know it.
  EXPECT_TRUE(carrier_.invites()[2].answered);
  EXPECT_EQ(signaling_->late_answers(), 1u);
  EXPECT_EQ(carrier_.calls_open(), 0);
  EXPECT_TRUE(Heard(answers).empty());
}

TEST_F(SimCarrierTest, PatienceRunsUntilTheBridgeAndTalkFromThere) {
  carrier_.scenario().patience_mean = absl::Seconds(4);
  carrier_.scenario().talk_mean = absl::Seconds(100);
  carrier_.scenario().talk_cv = 0.1;
  const auto loop = world_.NewLoop();
  SimMediaPlane media(*loop, &carrier_);
  std::vector<LegId> alone;
  for (int i = 0; i < 50; ++i) alone.push_back(Call(Callee::kPerson));
  const LegId talks = Call(Callee::kPerson);
  const LegId agent{0, next_++, 1};
  ASSERT_TRUE(signaling_->Invite(RequestTo(agent, "agent1", carrier_.scenario().agent_route)).ok());
  ASSERT_TRUE(media.Open(talks, {}).ok());
  ASSERT_TRUE(media.Open(agent, {}).ok());
  while (Heard(talks).size() < 3 && world_.RunOne()) {
  }
  world_.RunFor(absl::Milliseconds(20));
  media.Bridge(talks, agent);
  const MonoTime bridged = world_.now();
  world_.RunFor(absl::Minutes(3));
  for (const LegId leg : alone) EXPECT_EQ(Heard(leg).back(), "bye");
  const SimInvite& talked = carrier_.invites()[50];
  EXPECT_TRUE(talked.bridged && talked.ended_by_callee);
  EXPECT_NEAR(absl::ToDoubleSeconds(talked.ended_at - bridged), 100, 40);
  EXPECT_EQ(carrier_.agent_calls_up(), 1);
  carrier_.DropPhone(agent);
  world_.RunFor(absl::Seconds(1));
  EXPECT_EQ(Heard(agent).back(), "bye");
  EXPECT_EQ(carrier_.agent_calls_up(), 0);
}

TEST_F(SimCarrierTest, SharesAndRingTimesFollowTheScenario) {
  CarrierScenario& s = carrier_.scenario();
  caller_->bye = true;
  constexpr int kCalls = 20'000;
  for (int i = 0; i < kCalls; ++i) {
    const LegId leg{0, next_++, 1};
    ASSERT_TRUE(
        signaling_->Invite(RequestTo(leg, absl::StrCat("+1303555", 1000 + i), "sip:c")).ok());
  }
  world_.RunFor(absl::Minutes(4));
  std::map<Callee, int> counts;
  absl::Duration ring;
  for (const SimInvite& invite : carrier_.invites()) {
    ++counts[invite.callee];
    if (invite.callee == Callee::kPerson) ring += invite.answered_at - invite.at;
  }
  const auto share = [&](Callee c) { return static_cast<double>(counts[c]) / kCalls; };
  EXPECT_NEAR(share(Callee::kPerson), s.person, 0.01);
  EXPECT_NEAR(share(Callee::kMachine), s.machine, 0.01);
  EXPECT_NEAR(share(Callee::kBusy), s.busy, 0.01);
  EXPECT_NEAR(share(Callee::kInvalid), s.invalid, 0.01);
  EXPECT_NEAR(share(Callee::kNoAnswer), 0.30, 0.01);
  EXPECT_NEAR(absl::ToDoubleSeconds(ring / counts[Callee::kPerson]), 11, 0.4);
}

}  // namespace
}  // namespace outpace::sim
