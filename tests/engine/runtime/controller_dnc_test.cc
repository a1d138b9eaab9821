// Do-not-call entries of every kind on the controller: in force at the call, durable at `done`, and
// who is being rung is not.

#include <vector>

#include "controller_bench.h"
#include "engine/runtime/dnc_entries.h"
#include "gmock/gmock.h"
#include "tests/fakes/dnc_entries.h"

namespace outpace::runtime {
namespace {

using ::testing::SizeIs;

const dnc::DncScope kLitigator{dnc::DncLevel::kLitigator, ""};
const dnc::DncScope kFlorida{dnc::DncLevel::kState, "FL"};
const dnc::DncScope kAcme{dnc::DncLevel::kClient, "ACME"};

class ControllerDncTest : public ControllerTest {
 protected:
  ControllerDncTest() { settings.client_id = "ACME"; }

  campaign::DncEntry Number(const dnc::DncScope& scope, uint64_t lead = 1) {
    return {Lead(lead).phone, scope, "test", world.clock().Wall()};
  }
  campaign::DncEntry Range(uint64_t digits, const dnc::DncScope& scope = {}) {
    campaign::DncEntry entry{{}, scope, "test", world.clock().Wall()};
    entry.range.digits = digits;
    return entry;
  }
  absl::Status Add(const campaign::DncEntry& entry) {
    absl::Status stored = absl::UnknownError("");
    controller.AddDnc(entry, [&](absl::Status status) { stored = status; });
    Pass(absl::Milliseconds(5));
    return stored;
  }
  // Rings lead 1, adds the entry, and says whether the ringing was ended there and then.
  bool CancelsWhatRings(const campaign::DncEntry& entry) {
    const call::DialOrder dial = DialOne();
    EXPECT_FALSE(WasHungUp(dial.leg));
    controller.AddDnc(entry, [](absl::Status) {});
    return WasHungUp(dial.leg);
  }
};

TEST_F(ControllerDncTest, ALitigatorCancelsWhatRings) {
  Start(1);
  EXPECT_TRUE(CancelsWhatRings(Number(kLitigator)));
}

TEST_F(ControllerDncTest, AStatesNumberCancelsWhatRings) {
  Start(1);
  EXPECT_TRUE(CancelsWhatRings(Number(kFlorida)));
}

TEST_F(ControllerDncTest, ItsClientsNumberCancelsWhatRings) {
  Start(1);
  EXPECT_TRUE(CancelsWhatRings(Number(kAcme)));
}

TEST_F(ControllerDncTest, ItsCampaignsNumberCancelsWhatRings) {
  Start(1);
  EXPECT_TRUE(CancelsWhatRings(Number(dnc::CampaignScope("C"))));
}

TEST_F(ControllerDncTest, ARangeCancelsWhatRingsInIt) {
  Start(1);
  EXPECT_TRUE(CancelsWhatRings(Range(1'303)));
}

TEST_F(ControllerDncTest, AClientsRangeCancelsWhatRingsInIt) {
  Start(1);
  EXPECT_TRUE(CancelsWhatRings(Range(1'303'555, kAcme)));
}

TEST_F(ControllerDncTest, ARangeAmongNumbersOfABulkCancelsWhatRingsInIt) {
  Start(1);
  const call::DialOrder dial = DialOne();
  controller.AddDnc(std::vector<campaign::DncEntry>{Number({}, 8), Range(1'303), Number({}, 9)},
                    [](absl::Status) {});
  EXPECT_TRUE(WasHungUp(dial.leg));
}

TEST_F(ControllerDncTest, WhatDoesNotBindTheCampaignCancelsNothing) {
  Start(1);
  const call::DialOrder dial = DialOne();
  campaign::DncEntry ended = Number({});
  ended.expires = world.clock().Wall();
  for (const campaign::DncEntry& entry :
       {Number({dnc::DncLevel::kClient, "OTHER"}), Number(dnc::CampaignScope("OTHER")),
        Number({}, 2), Range(1'304), Range(1'303, {dnc::DncLevel::kClient, "OTHER"}), ended}) {
    EXPECT_TRUE(Add(entry).ok());
    EXPECT_FALSE(WasHungUp(dial.leg)) << entry.scope.ToString();
  }
}

TEST_F(ControllerDncTest, WhatTheCampaignDoesNotAskCancelsNothing) {
  settings.use_internal_dnc = false;
  settings.use_campaign_dnc = false;
  settings.use_dnc_registries = false;
  Start(1);
  const call::DialOrder dial = DialOne();
  for (const dnc::DncScope& scope :
       {dnc::DncScope(), kLitigator, kFlorida, kAcme, dnc::CampaignScope("C")}) {
    EXPECT_TRUE(Add(Number(scope)).ok());
    EXPECT_FALSE(WasHungUp(dial.leg)) << scope.ToString();
  }
}

TEST_F(ControllerDncTest, EntriesOfTheStartHoldTheirNumbers) {
  campaign::StoreBatch batch;
  campaign::DncEntry ended = Number({}, 3);
  ended.expires = world.clock().Wall() - absl::Seconds(1);
  campaign::DncEntry stands = Number({}, 4);
  stands.expires = world.clock().Wall() + absl::Hours(1);
  batch.dnc_added = {Number(kLitigator, 1), Range(13'035'550'002, kAcme), ended, stands,
                     Range(13'035'550'005, {dnc::DncLevel::kClient, "OTHER"})};
  ASSERT_TRUE(leads.Commit(batch).ok());
  ASSERT_TRUE(PutEntries(leads, state.dnc).ok());
  Start(5);
  Tick();
  EXPECT_EQ(StoredLead(1).status, "DNCL");
  EXPECT_EQ(StoredLead(2).status, "DNCC");
  EXPECT_EQ(StoredLead(3).status, "NEW") << "its entry has ended";
  EXPECT_EQ(StoredLead(4).status, "DNCL");
  EXPECT_EQ(StoredLead(5).status, "NEW") << "another client's";
  EXPECT_EQ(Figures().hopper, 2);
}

TEST_F(ControllerDncTest, EntriesAreStoredAsTheyWereGiven) {
  Start(0);
  campaign::DncEntry entry = Range(1'900, kFlorida);
  entry.reason = "premium";
  entry.by = "control socket";
  entry.expires = world.clock().Wall() + absl::Hours(1);
  ASSERT_TRUE(Add(entry).ok());
  EXPECT_EQ(fakes::DncEntriesIn(leads), std::vector{entry});
  EXPECT_TRUE(controller.dnc().HasRange(entry.range, kFlorida));
}

// What was listed for good, or for longer, is not listed for less by being listed again: neither in
// force now nor on the disk for the next start.
TEST_F(ControllerDncTest, OfTwoEndsTheLaterCounts) {
  Start(0);
  campaign::DncEntry number = Number({}), range = Range(1'900);
  number.expires = range.expires = world.clock().Wall() + absl::Hours(2);
  ASSERT_TRUE(Add(number).ok());
  ASSERT_TRUE(Add(range).ok());
  campaign::DncEntry sooner = number, sooner_range = range;
  sooner.expires = sooner_range.expires = world.clock().Wall() + absl::Hours(1);
  sooner.source = sooner_range.source = "again";
  ASSERT_TRUE(Add(sooner).ok());
  ASSERT_TRUE(Add(sooner_range).ok());
  for (const campaign::DncEntry& entry : fakes::DncEntriesIn(leads)) {
    EXPECT_EQ(entry.source, "again");
    EXPECT_EQ(entry.expires, number.expires);
  }
  EXPECT_EQ(controller.dnc().EndOf(number.phone, number.scope), number.expires);
  number.expires = range.expires = absl::InfiniteFuture();
  ASSERT_TRUE(Add(number).ok());
  ASSERT_TRUE(Add(range).ok());
  ASSERT_TRUE(Add(sooner).ok());
  ASSERT_TRUE(Add(sooner_range).ok());
  for (const campaign::DncEntry& entry : fakes::DncEntriesIn(leads)) {
    EXPECT_EQ(entry.expires, absl::InfiniteFuture());
  }
}

TEST_F(ControllerDncTest, ARangeAddedDuringItsRemovalStays) {
  Start(0);
  const campaign::DncEntry range = Range(1'900, kAcme), other = Range(1'900, kFlorida);
  ASSERT_TRUE(Add(range).ok());
  ASSERT_TRUE(Add(other).ok());
  store.hold_commits = true;
  controller.RemoveDnc(range, [](absl::Status) {});
  controller.RemoveDnc(other, [](absl::Status) {});
  EXPECT_TRUE(controller.dnc().HasRange(other.range, kFlorida)) << "until it is off the disk";
  controller.AddDnc(range, [](absl::Status) {});
  store.LetCommits();
  Pass(absl::Milliseconds(5));
  EXPECT_TRUE(controller.dnc().HasRange(range.range, kAcme));
  EXPECT_FALSE(controller.dnc().HasRange(other.range, kFlorida));
  EXPECT_EQ(fakes::DncEntriesIn(leads), std::vector{range});
}

TEST_F(ControllerDncTest, AnAgentsDispositionSaysWhoAndWhy) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  End(dial.leg, call::CallOutcome::kAnswered);
  ASSERT_TRUE(Dispose("a1", dial.attempt, "DNC").ok());
  const std::vector<campaign::DncEntry> entries = fakes::DncEntriesIn(leads);
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_EQ(entries[0].scope, dnc::DncScope());
  EXPECT_EQ(entries[1].scope, dnc::CampaignScope("C"));
  for (const campaign::DncEntry& entry : entries) {
    EXPECT_EQ(entry.phone, Lead(1).phone);
    EXPECT_EQ(entry.by, "agent a1");
    EXPECT_EQ(entry.reason, "disposition DNC");
    EXPECT_EQ(entry.expires, absl::InfiniteFuture());
  }
}

}  // namespace
}  // namespace outpace::runtime
