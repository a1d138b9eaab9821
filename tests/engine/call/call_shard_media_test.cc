// What a leg's audio tells, and what is done to it: the shard passes both on, and gives up a call
// that the network says nobody will answer.

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/call/call_shard_bench.h"

namespace outpace::call {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::SizeIs;

class CallShardMediaTest : public CallShardTest {
 protected:
  void DialListening(LegId leg) {
    DialOrder order;
    order.leg = leg;
    order.ids.call_id = "op-1";
    order.ring_time_max = absl::Seconds(30);
    order.early_country = "cn";
    order.answer_tuning.emplace().decide_within = absl::Seconds(3);
    Post(std::move(order));
  }
  void Hear(LegId leg, listen::Sound sound, std::string name = "") {
    listen::Heard heard;
    heard.sound = sound;
    heard.name = std::move(name);
    shard_->OnHeard(leg, heard);
  }
  template <typename T>
  std::vector<T> Done() const {
    std::vector<T> found;
    for (const auto& [leg, action] : media_.done) {
      if (const T* of = std::get_if<T>(&action)) found.push_back(*of);
    }
    return found;
  }
};

TEST_F(CallShardMediaTest, ListensFromTheInviteAndToTheAnswer) {
  DialListening(Leg(0));
  ASSERT_THAT(Done<ListenEarly>(), SizeIs(1));
  EXPECT_EQ(Done<ListenEarly>()[0].country, "cn");
  EXPECT_THAT(Done<ListenAnswer>(), SizeIs(0));
  shard_->OnAnswer(Leg(0), {}, "sdp");
  ASSERT_THAT(Done<ListenAnswer>(), SizeIs(1));
  EXPECT_EQ(Done<ListenAnswer>()[0].tuning.decide_within, absl::Seconds(3));
}

TEST_F(CallShardMediaTest, StopsListeningAtAnAnswerThatNobodyAskedAbout) {
  DialOrder order;
  order.leg = Leg(0);
  order.ring_time_max = absl::Seconds(30);
  order.early_country = "";
  Post(std::move(order));
  shard_->OnAnswer(Leg(0), {}, "sdp");
  EXPECT_THAT(Done<ListenStop>(), SizeIs(1));
  EXPECT_THAT(Done<ListenAnswer>(), SizeIs(0));
}

TEST_F(CallShardMediaTest, ADeadNumberIsGivenUpAtOnceAndSaysWhy) {
  DialListening(Leg(0));
  shard_->OnProvisional(Leg(0), 183, "early");
  Hear(Leg(0), listen::Sound::kAnnouncement, "vacant_number");
  EXPECT_THAT(trail_, Contains("cancel 0"));
  shard_->OnFailure(Leg(0), {.status = 487});
  const LegEnded ended = Ended();
  EXPECT_EQ(ended.heard.sound, listen::Sound::kAnnouncement);
  EXPECT_EQ(ended.heard.name, "vacant_number");
  EXPECT_FALSE(ended.by_response);
  EXPECT_FALSE(ended.crossed_answer);
}

TEST_F(CallShardMediaTest, ABusyToneThenTheNetworksOwnWord) {
  DialListening(Leg(0));
  shard_->OnProvisional(Leg(0), 183, "early");
  Hear(Leg(0), listen::Sound::kBusyTone);
  shard_->OnFailure(Leg(0), {.status = 486, .q850_cause = 17});
  EXPECT_EQ(Ended().sip_status, 486);
  EXPECT_TRUE(Ended().by_response) << "a 486 says more than our own giving up";
  EXPECT_EQ(Ended().heard.sound, listen::Sound::kBusyTone);
}

TEST_F(CallShardMediaTest, AnAnswerThatCrossesOurGivingUpIsAnAnswer) {
  DialListening(Leg(0));
  shard_->OnProvisional(Leg(0), 183, "early");
  Hear(Leg(0), listen::Sound::kSitVacant);
  shard_->OnAnswer(Leg(0), {}, "sdp");
  EXPECT_TRUE(Ended().crossed_answer);
}

TEST_F(CallShardMediaTest, RingbackAndMusicAreNoReasonToGiveUp) {
  DialListening(Leg(0));
  shard_->OnProvisional(Leg(0), 183, "early");
  Hear(Leg(0), listen::Sound::kRingback);
  Hear(Leg(0), listen::Sound::kSpeechOrMusic);
  Hear(Leg(0), listen::Sound::kAnnouncement, "wait");
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kRinging);
  EXPECT_THAT(trail_, Not(Contains("cancel 0")));
  shard_->OnAnswer(Leg(0), {}, "sdp");
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kAnswered);
}

TEST_F(CallShardMediaTest, VerdictsOnAnAnswerAreTheControllersToActOn) {
  Up(Leg(0));
  Hear(Leg(0), listen::Sound::kMachine);
  shard_->OnDigit(Leg(0), '9');
  shard_->OnJoined(Leg(0), true);
  EXPECT_THAT(trail_, ElementsAre("heard 0 machine", "digit 0 9", "joined 0"));
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kAnswered);
}

TEST_F(CallShardMediaTest, OrdersReachOpenLegsOnly) {
  Up(Leg(0));
  Post(MediaOrder{Leg(0), Mute{true}});
  EXPECT_THAT(Done<Mute>(), SizeIs(1));
  Post(HangUp{Leg(0)});
  Post(MediaOrder{Leg(0), Mute{true}});
  Post(MediaOrder{Leg(5), Mute{true}});
  EXPECT_THAT(Done<Mute>(), SizeIs(1));
  shard_->OnHeard(Leg(5), {});
  EXPECT_GE(shard_->stats().stale, 2u);
}

}  // namespace
}  // namespace outpace::call
