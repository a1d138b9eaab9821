#include "engine/runtime/trunk_desk.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/scratch.h"

namespace outpace::runtime {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using trunk::NoRoute;
using trunk::TrunkSettings;

constexpr MonoTime kStart(1'000'000'000);
constexpr uint64_t kNumber = 13035550001;

TrunkSettings Named(const std::string& name, const std::string& peer) {
  TrunkSettings trunk;
  trunk.name = name;
  trunk.peer = peer;
  trunk.calls_per_second = 10;
  trunk.calls_max = 5;
  return trunk;
}

// Two trunks with an address each, and one with a name.
class TrunkDeskTest : public ::testing::Test {
 protected:
  TrunkDeskTest()
      : desk_({Named("a", "192.0.2.10:5060"), Named("b", "[2001:db8::1]:5062"),
               Named("n", "sip.carrier.example")},
              {}, kStart) {
    Path("a,b,n");
    desk_.AddTokens(absl::Seconds(1), absl::Milliseconds(200));
  }
  void Path(const std::string& path,
            campaign::TrunkChoice choice = campaign::TrunkChoice::kPriority) {
    campaign::CampaignSettings settings;
    settings.trunk = path;
    settings.trunk_choice = choice;
    desk_.SetPath(settings, trunks_);
  }
  TrunkDesk::Choice Choose(const std::vector<uint16_t>& tried = {}) {
    return desk_.Choose(E164(kNumber), trunks_, tried);
  }

  TrunkDesk desk_;
  CampaignTrunks trunks_;
};

TEST(RouteUri, SaysTheTransport) {
  EXPECT_EQ(RouteUri("192.0.2.10:5060", trunk::Transport::kUdp), "sip:192.0.2.10:5060");
  EXPECT_EQ(RouteUri("192.0.2.10:5060", trunk::Transport::kTcp),
            "sip:192.0.2.10:5060;transport=tcp");
  EXPECT_EQ(RouteUri("[2001:db8::1]:5061", trunk::Transport::kTls),
            "sip:[2001:db8::1]:5061;transport=tls");
}

TEST_F(TrunkDeskTest, APathThatIsWrongSaysWhy) {
  EXPECT_EQ(trunks_.fault, "");
  EXPECT_TRUE(trunks_.Has(0));
  Path("a,c");
  EXPECT_THAT(trunks_.fault, HasSubstr("there is no trunk 'c'"));
  EXPECT_FALSE(trunks_.Has(0));
  Path("");
  EXPECT_EQ(trunks_.fault, "the campaign names no trunk: set trunk");
  Path("b");
  EXPECT_EQ(trunks_.fault, "");
  EXPECT_FALSE(trunks_.Has(0));
}

TEST_F(TrunkDeskTest, ChoosesInOrderAndPassesOverWhatCannot) {
  EXPECT_EQ(Choose().trunk, 0u);
  EXPECT_EQ(*Choose().route_uri, "sip:192.0.2.10:5060");
  EXPECT_EQ(Choose({0}).trunk, 1u);
  EXPECT_EQ(*Choose({0}).route_uri, "sip:[2001:db8::1]:5062");
  EXPECT_EQ(Choose({0, 1}).why, NoRoute::kClosed) << "the name has no address yet";
  desk_.SetRoutes(2, {"sip:192.0.2.30:5060"}, {"192.0.2.30"});
  EXPECT_EQ(Choose({0, 1}).trunk, 2u);
  EXPECT_EQ(Choose({0, 1, 2}).why, NoRoute::kExcluded);

  desk_[0].calls = 5;
  EXPECT_EQ(Choose().trunk, 1u);
  desk_[1].tokens = 0.9;
  EXPECT_EQ(Choose().trunk, 2u);
  desk_.SetState(2, true, false, "5 failures in a row");
  EXPECT_EQ(Choose().why, NoRoute::kFull) << "the most hopeful reason";
  desk_[0].calls = 0;
  desk_.SetState(0, false, true, "");
  EXPECT_EQ(Choose().trunk, 0u) << "a probe";
  desk_[0].dialing = 1;
  EXPECT_EQ(Choose().why, NoRoute::kFull) << "one at a time";
}

TEST_F(TrunkDeskTest, RoomIsTheSumOfTheTrunksThatTakeCalls) {
  desk_[0].tokens = desk_[1].tokens = 2;
  TrunkDesk::Room room = desk_.RoomFor(trunks_);
  EXPECT_EQ(room.tokens, 4);
  EXPECT_EQ(room.lines, 10);
  EXPECT_FALSE(room.shared);
  EXPECT_EQ(room.closed, "");
  desk_.SetState(0, false, true, "");
  EXPECT_EQ(desk_.RoomFor(trunks_).tokens, 3) << "a probe is one";
  desk_.SetState(0, true, false, "503 with Retry-After 30s");
  EXPECT_EQ(desk_.RoomFor(trunks_).tokens, 2);
  desk_.SetState(1, true, false, "silence");
  room = desk_.RoomFor(trunks_);
  EXPECT_EQ(room.tokens, 0);
  EXPECT_EQ(room.closed, "trunk a: 503 with Retry-After 30s") << "the first one's reason";
  // A share of another campaign's trunk binds.
  desk_.SetState(1, false, false, "");
  trunks_.shares[1].tokens = 1;
  trunks_.shares[1].lines = 2;
  room = desk_.RoomFor(trunks_);
  EXPECT_EQ(room.tokens, 1);
  EXPECT_EQ(room.lines, 2);
  EXPECT_TRUE(room.shared);
}

TEST_F(TrunkDeskTest, ReasonsFollowWhatIsKnown) {
  EXPECT_EQ(desk_[0].reason, "");
  EXPECT_EQ(desk_[2].reason, "its name has no address yet");
  desk_.SetState(2, true, false, "no response");
  EXPECT_EQ(desk_[2].reason, "no response");
  desk_.SetRoutes(2, {"sip:192.0.2.30:5060"}, {"192.0.2.30"});
  EXPECT_EQ(desk_[2].reason, "no response") << "an address does not close a breaker";
  desk_.SetState(2, false, false, "a call got through");
  EXPECT_EQ(desk_[2].reason, "");
  desk_.SetRoutes(2, {}, {});
  EXPECT_EQ(desk_[2].reason, "its name has no address yet");
}

TEST_F(TrunkDeskTest, TokensAreSavedUpForAMomentOnly) {
  const auto most = absl::Milliseconds(200);
  desk_[0].tokens = 0;
  desk_.AddTokens(absl::Milliseconds(100), most);
  EXPECT_NEAR(desk_[0].tokens, 1, 1e-9);
  desk_.AddTokens(absl::Hours(1), most);
  EXPECT_NEAR(desk_[0].tokens, 2, 1e-9);
}

TEST_F(TrunkDeskTest, NextRouteTurnsTheAddressesRound) {
  EXPECT_TRUE(desk_.SetRoutes(2, {"sip:x1", "sip:x2", "sip:x3"}, {"x1", "x2", "x3"}));
  EXPECT_FALSE(desk_.SetRoutes(2, {"sip:x1", "sip:x2", "sip:x3"}, {"x1", "x2", "x3"}));
  desk_.NextRoute(2);
  EXPECT_THAT(desk_[2].route_uris, ElementsAre("sip:x2", "sip:x3", "sip:x1"));
  desk_.NextRoute(0);
  EXPECT_THAT(desk_[0].route_uris, SizeIs(1));
}

TEST_F(TrunkDeskTest, KnowsItsOwnAddresses) {
  EXPECT_TRUE(desk_.IsTrunk("sip:192.0.2.10:5060"));
  EXPECT_TRUE(desk_.IsTrunk("sip:192.0.2.10"));
  EXPECT_TRUE(desk_.IsTrunk("sip:[2001:db8::1]:5062"));
  EXPECT_FALSE(desk_.IsTrunk("sip:192.0.2.10:5070"));
  EXPECT_FALSE(desk_.IsTrunk("sip:192.0.2.30:5060"));
  desk_.SetRoutes(2, {"sip:192.0.2.30:5060;transport=tls"}, {"192.0.2.30"});
  EXPECT_TRUE(desk_.IsTrunk("sip:192.0.2.30:5060"));
}

TEST_F(TrunkDeskTest, NoHeadersUnlessAskedFor) {
  EXPECT_THAT(desk_.HeadersFor(0, campaign::Lead(), {E164(12025550190)}, E164(kNumber), "h",
                               absl::UnixEpoch()),
              IsEmpty());
}

TEST(TrunkDeskHeaders, WithoutANumberNothingIsAsserted) {
  TrunkSettings a = Named("a", "192.0.2.10:5060");
  a.identity.p_asserted_identity = true;
  a.identity.diversion = "sip:+12025550100@pbx.example";
  const TrunkDesk desk({a}, {}, kStart);
  EXPECT_THAT(desk.HeadersFor(0, campaign::Lead(), {}, E164(kNumber), "h", absl::UnixEpoch()),
              ElementsAre(std::pair("Diversion", "<sip:+12025550100@pbx.example>")));
}

TEST(TrunkDeskTools, FilesThatAreWrongNameTheirTrunk) {
  const Scratch scratch;
  TrunkSettings a = Named("a", "192.0.2.10:5060");
  EXPECT_TRUE(LoadTrunkTools({a}).ok());
  a.disposition_table = scratch / "missing.csv";
  auto tools = LoadTrunkTools({a});
  EXPECT_EQ(tools.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(tools.status().message(), AllOf(HasSubstr("trunk 'a': "), HasSubstr("missing.csv")));
  a.disposition_table = scratch.Put("bad.csv", "486,17,*,*,nonsense,AB,no\n");
  tools = LoadTrunkTools({a});
  EXPECT_EQ(tools.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(tools.status().message(), HasSubstr("bad.csv:1: "));
  a.disposition_table = "";
  a.stir.private_key_file = scratch.Put("key.pem", "no key");
  a.stir.certificate_url = "https://cert.example.org/c.pem";
  tools = LoadTrunkTools({a});
  EXPECT_FALSE(tools.ok());
  EXPECT_THAT(tools.status().message(), HasSubstr("trunk 'a': "));
}

TEST(TrunkDeskCallerIds, AreSavedByNameAndRestored) {
  TrunkSettings a = Named("a", "192.0.2.10:5060");
  a.caller_ids.numbers = {{E164(12025550190)}};
  a.caller_ids.calls_per_day = 1;
  TrunkDesk desk({a, Named("b", "192.0.2.11:5060")}, {}, kStart);
  desk[0].caller_ids.Take(E164(kNumber), E164(), kStart, 7);
  const std::map<std::string, std::string> saved = desk.SaveCallerIds(kStart);
  EXPECT_THAT(saved, SizeIs(1)) << "b has no pool";
  TrunkDesk next({a}, {}, kStart);
  ASSERT_TRUE(next.RestoreCallerIds("a", saved.at("a"), kStart, 7).ok());
  EXPECT_TRUE(next.RestoreCallerIds("gone", saved.at("a"), kStart, 7).ok());
  EXPECT_EQ(next[0].caller_ids.Take(E164(kNumber), E164(), kStart, 7).why,
            trunk::NoCallerId::kDailyCap);
  EXPECT_EQ(next[0].caller_ids.Take(E164(kNumber), E164(), kStart, 8).why,
            trunk::NoCallerId::kNone);
}

}  // namespace
}  // namespace outpace::runtime
