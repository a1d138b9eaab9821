// Several trunks a campaign: which of them a call takes, what becomes of it when one fails, and how
// each is told who calls.

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/controller_bench.h"
#include "tests/engine/runtime/scratch.h"
#include "tests/engine/stir/passport.h"

namespace outpace::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using trunk::TrunkSettings;

TrunkSettings Named(const std::string& name, const std::string& peer = "") {
  TrunkSettings trunk;
  trunk.name = name;
  trunk.peer = peer.empty() ? absl::StrCat("192.0.2.", static_cast<int>(name[0]), ":5060") : peer;
  trunk.calls_per_second = 50;
  trunk.calls_max = 100;
  return trunk;
}

class Bench : public ControllerBench {
 public:
  explicit Bench(std::vector<TrunkSettings> trunks, std::vector<TrunkTools> tools = {})
      : ControllerBench(OptionsOf(std::move(trunks), std::move(tools))) {
    settings.trunk = "a";
  }
  ~Bench() { EXPECT_EQ(controller.CheckInvariants(), ""); }

  // `lines` calls at once for one agent.
  void WithLines(int lines) {
    settings.dial_method = campaign::DialMethod::kRatio;
    settings.auto_dial_level = lines;
    settings.adaptive_maximum_level = 20;
  }
  void Put(const campaign::Lead& lead) {
    campaign::StoreBatch batch;
    batch.leads.push_back(lead);
    EXPECT_TRUE(leads.Commit(batch).ok());
  }
  // A further lead whose number is not of the row.
  void AddLead(uint64_t id, uint64_t number) {
    campaign::Lead lead = Lead(id);
    lead.phone = E164(number);
    Put(lead);
  }
  // Trunk by trunk, the leads dialed: "a:1 b:2".
  std::vector<std::string> Where() const {
    std::vector<std::string> where;
    for (const call::DialOrder& dial : Dials()) {
      const campaign::Attempt attempt = Stored(dial.attempt);
      where.push_back(absl::StrCat(attempt.trunk, ":", attempt.lead.value()));
    }
    return where;
  }
  // What the trunk answered in place of the call.
  void Fails(const call::DialOrder& dial, int status, int q850 = 0) {
    call::LegEnded ended;
    ended.leg = dial.leg;
    ended.outcome = call::OutcomeOf(status, q850, false);
    ended.sip_status = status;
    ended.q850_cause = q850;
    ended.by_far_end = ended.by_response = true;
    ended.trunk_fault = call::IsTrunkFault(ended.outcome);
    End(ended);
    Pass(absl::Milliseconds(10));
  }
  void Silence(const call::DialOrder& dial) {
    call::LegEnded ended;
    ended.leg = dial.leg;
    ended.outcome = call::CallOutcome::kCongestion;
    ended.trunk_fault = true;
    End(ended);
    Pass(absl::Milliseconds(10));
  }
  void NotSent(const call::DialOrder& dial) {
    call::LegEnded ended;
    ended.leg = dial.leg;
    ended.outcome = call::CallOutcome::kNoTrunk;
    ended.trunk_fault = true;
    ended.invite_sent = false;
    End(ended);
    Pass(absl::Milliseconds(10));
  }
  std::string Header(const call::DialOrder& dial, const std::string& name) const {
    for (const auto& [key, value] : dial.headers) {
      if (key == name) return value;
    }
    return "";
  }

 private:
  static ControllerOptions OptionsOf(std::vector<TrunkSettings> trunks,
                                     std::vector<TrunkTools> tools) {
    ControllerOptions options;
    options.trunks = std::move(trunks);
    options.trunk_tools = std::move(tools);
    options.local_host = "198.51.100.1:5080";
    options.legs_max = 60;
    return options;
  }
};

// ---- which trunk ----

TEST(ControllerTrunks, TheSecondServesWhatTheFirstCannot) {
  TrunkSettings small = Named("a");
  small.calls_max = 2;
  Bench b({small, Named("b")});
  b.settings.trunk = "a,b";
  b.WithLines(4);
  b.Start(10);
  b.LogIn("a1");
  b.Pass(absl::Seconds(1));
  EXPECT_THAT(b.Where(), ElementsAre("a:1", "a:2", "b:3", "b:4"));
  EXPECT_EQ(b.controller.Board().trunks[0].calls, 2);
  EXPECT_EQ(b.controller.Board().trunks[1].calls, 2);
  b.End(b.Dials()[0].leg, call::CallOutcome::kBusy);
  b.Pass(absl::Seconds(1));
  EXPECT_EQ(b.Where().back(), "a:5");
}

TEST(ControllerTrunks, WeightsShareTheCalls) {
  Bench b({Named("a"), Named("b")});
  b.settings.trunk = "a:70|b:30";
  b.settings.hopper_level = 1000;
  b.WithLines(20);
  b.Start(600);
  b.LogIn("a1");
  size_t ended = 0;
  for (int i = 0; i < 400 && b.Dials().size() < 500; ++i) {
    b.Tick();
    for (const std::vector<call::DialOrder> dials = b.Dials(); ended < dials.size(); ++ended) {
      b.End(dials[ended].leg, call::CallOutcome::kBusy);
    }
  }
  const std::vector<call::DialOrder> dials = b.Dials();
  ASSERT_GE(dials.size(), 500u);
  const auto on_a = static_cast<double>(std::count_if(
      dials.begin(), dials.end(), [](const call::DialOrder& dial) { return dial.trunk == 0; }));
  EXPECT_NEAR(on_a / static_cast<double>(dials.size()), 0.7, 0.06);  // 3 standard deviations
}

TEST(ControllerTrunks, LeastCostTakesTheCheapestForTheNumber) {
  TrunkSettings dear = Named("a");
  dear.cost_per_minute = 0.02;
  dear.prefixes = {{.prefix = "", .allow = true}, {.prefix = "1720", .cost_per_minute = 0.001}};
  TrunkSettings cheap = Named("b");
  cheap.cost_per_minute = 0.01;
  Bench b({dear, cheap});
  b.settings.trunk = "a,b";
  b.settings.trunk_choice = campaign::TrunkChoice::kCost;
  b.WithLines(4);
  b.AddLead(50, 17205550150);
  b.Start(2);
  b.LogIn("a1");
  b.Pass(absl::Seconds(1));
  EXPECT_THAT(b.Where(), ElementsAre("b:1", "b:2", "a:50"));
  // By priority the first takes all.
  b.settings.trunk_choice = campaign::TrunkChoice::kPriority;
  b.controller.PutCampaign(b.settings);
  b.AddLead(60, 13035550160);
  b.Pass(absl::Seconds(2));
  EXPECT_EQ(b.Where().back(), "a:60");
}

TEST(ControllerTrunks, ADeniedNumberIsHeldBackAndStallsNobody) {
  TrunkSettings a = Named("a");
  a.prefixes = {{.prefix = "1"}, {.prefix = "1303555000", .allow = false}};
  Bench b({a});
  b.Start(10);  // 1 to 9 are denied
  b.LogIn("a1");
  b.Pass(absl::Seconds(2));
  EXPECT_THAT(b.Where(), ElementsAre("a:10"));
  for (uint64_t i = 1; i <= 9; ++i) {
    EXPECT_GE(b.StoredLead(i).hold_until, b.world.clock().Wall() + absl::Hours(23)) << i;
    EXPECT_EQ(b.StoredLead(i).called_count, 0);
    EXPECT_EQ(b.StoredLead(i).status, "NEW");
  }
  // A day later it is looked at again, and still not sent.
  b.Pass(absl::Hours(25));
  EXPECT_THAT(b.Dials(), SizeIs(1));
}

TEST(ControllerTrunks, TheNumberIsWrittenAsTheTrunkWantsIt) {
  TrunkSettings a = Named("a", "192.0.2.10:5060");
  a.prefixes = {{.prefix = "1303", .strip = 1, .prepend = "9"}};
  Bench b({a});
  b.Start(1);
  const call::DialOrder dial = b.DialOne();
  EXPECT_EQ(dial.request_uri, "sip:93035550001@192.0.2.10:5060");
  EXPECT_EQ(dial.route_uri, "sip:192.0.2.10:5060");
  EXPECT_EQ(b.Stored(dial.attempt).dialed, E164(13035550001)) << "the record keeps the number";

  TrunkSettings plus = Named("a", "192.0.2.10:5060");
  plus.transport = trunk::Transport::kTls;
  Bench plain({plus});
  plain.Start(1);
  const call::DialOrder same = plain.DialOne();
  EXPECT_EQ(same.request_uri, "sip:+13035550001@192.0.2.10:5060");
  EXPECT_EQ(same.route_uri, "sip:192.0.2.10:5060;transport=tls");
}

TEST(ControllerTrunks, AFullTrunkDoesNotHoldUpLeadsOfOthers) {
  TrunkSettings a = Named("a");
  a.calls_max = 1;
  a.prefixes = {{.prefix = "1303"}};
  TrunkSettings c = Named("c");
  c.prefixes = {{.prefix = "1720"}};
  Bench b({a, c});
  b.settings.trunk = "a,c";
  b.WithLines(4);
  b.AddLead(51, 17205550151);
  b.AddLead(52, 17205550152);
  b.AddLead(53, 17205550153);
  b.Start(5);
  b.LogIn("a1");
  b.Pass(absl::Seconds(1));
  EXPECT_THAT(b.Where(), ElementsAre("a:1", "c:51", "c:52", "c:53"));
  b.End(b.Dials()[0].leg, call::CallOutcome::kBusy);
  b.Pass(absl::Seconds(1));
  EXPECT_EQ(b.Where().back(), "a:2") << "who had to wait has kept its place";
}

// ---- failover ----

class FailoverTest : public ::testing::Test, public Bench {
 protected:
  FailoverTest() : Bench({Named("a"), Named("b")}) {
    settings.trunk = "a,b";
    settings.daily_call_count_limit = 1;
  }
};

TEST_F(FailoverTest, TheNextTrunkTriesAtOnceAndNothingIsBurnt) {
  Start(1);
  const call::DialOrder first = DialOne();
  ASSERT_EQ(first.trunk, 0);
  Fails(first, 503);
  ASSERT_THAT(Dials(), SizeIs(2));
  const call::DialOrder second = Dials()[1];
  EXPECT_EQ(second.trunk, 1);
  EXPECT_NE(second.attempt, first.attempt);
  EXPECT_NE(second.ids.call_id, first.ids.call_id);
  EXPECT_NE(second.ids.branch, first.ids.branch);
  EXPECT_EQ(second.request_uri, absl::StrCat("sip:+13035550001@192.0.2.98:5060"));

  const campaign::Attempt failed = Stored(first.attempt);
  EXPECT_FALSE(failed.open);
  EXPECT_TRUE(failed.sent);
  EXPECT_TRUE(failed.trunk_fault);
  EXPECT_EQ(failed.trunk, "a");
  EXPECT_EQ(failed.status, "LRERR");
  EXPECT_EQ(failed.sip_status, 503);
  EXPECT_EQ(Stored(second.attempt).number_of_try, 1) << "the first is no try";
  EXPECT_EQ(StoredLead(1).called_count, 1);

  // The second one counts, and is today's only one.
  Fails(second, 486, 17);
  EXPECT_EQ(StoredLead(1).status, "AB");
  EXPECT_EQ(StoredLead(1).called_count, 1);
  Pass(absl::Hours(1));
  EXPECT_THAT(Dials(), SizeIs(2));
}

TEST_F(FailoverTest, SilenceIsAFailureToo) {
  Start(1);
  Silence(DialOne());
  ASSERT_THAT(Dials(), SizeIs(2));
  EXPECT_EQ(Dials()[1].trunk, 1);
}

TEST_F(FailoverTest, EachTrunkTriesOnceThenTheLeadRests) {
  Start(1);
  Fails(DialOne(), 503);
  ASSERT_THAT(Dials(), SizeIs(2));
  Fails(Dials()[1], 503);
  Pass(absl::Seconds(100));
  EXPECT_THAT(Dials(), SizeIs(2));
  const campaign::Lead lead = StoredLead(1);
  EXPECT_EQ(lead.called_count, 0);
  EXPECT_EQ(lead.status, "NEW");
  // Neither the day's only try is used up.
  Pass(absl::Seconds(30));
  ASSERT_THAT(Dials(), SizeIs(3));
  EXPECT_EQ(Dials()[2].trunk, 0) << "the priority is as before";
}

// What is the number's own fault goes to no other trunk.
TEST_F(FailoverTest, ABusyNumberIsNotTriedElsewhere) {
  Start(1);
  Fails(DialOne(), 486, 17);
  Pass(absl::Seconds(1));
  EXPECT_THAT(Dials(), SizeIs(1));
}

TEST_F(FailoverTest, TheGateIsAskedAgain) {
  Start(1);
  const call::DialOrder first = DialOne();
  controller.AddDnc({Lead(1).phone, {}, "test", world.clock().Wall()}, [](absl::Status) {});
  Fails(first, 503);
  Pass(absl::Seconds(5));
  EXPECT_THAT(Dials(), SizeIs(1));
  EXPECT_EQ(StoredLead(1).status, "DNCL");
}

TEST_F(FailoverTest, NotWhileDraining) {
  Start(1);
  const call::DialOrder first = DialOne();
  bool drained = false;
  controller.Drain([&] { drained = true; });
  Fails(first, 503);
  Pass(absl::Seconds(1));
  EXPECT_THAT(Dials(), SizeIs(1));
  End(AgentLeg("a1"), call::CallOutcome::kAnswered);
  Pass(absl::Seconds(1));
  EXPECT_TRUE(drained);
  EXPECT_EQ(StoredLead(1).called_count, 0);
}

TEST_F(FailoverTest, NotInAPausedCampaign) {
  Start(1);
  const call::DialOrder first = DialOne();
  settings.active = false;
  controller.PutCampaign(settings);
  Fails(first, 503);
  Pass(absl::Minutes(5));
  EXPECT_THAT(Dials(), SizeIs(1));
  settings.active = true;
  controller.PutCampaign(settings);
  Pass(absl::Seconds(2));
  EXPECT_THAT(Dials(), SizeIs(2));
}

// The agent has the lead before him and decides.
TEST_F(FailoverTest, NotForAPreviewedLead) {
  settings.dial_method = campaign::DialMethod::kPreview;
  Start(1);
  LogIn("a1");
  Tick();
  ASSERT_THAT(screens.pops, SizeIs(1));
  ASSERT_TRUE(controller.AnswerPreview("a1", screens.pops[0].attempt, true).ok());
  Pass(absl::Milliseconds(5));
  ASSERT_THAT(Dials(), SizeIs(1));
  Fails(Dials()[0], 503);
  Pass(absl::Seconds(1));
  EXPECT_THAT(Dials(), SizeIs(1));
  EXPECT_THAT(screens.notices, SizeIs(1));
  EXPECT_EQ(StoredLead(1).called_count, 0);
}

// Nothing left the house: the lead is as it was, and is dialed like any other.
TEST_F(FailoverTest, ACallThatWasNotSentIsNoFailure) {
  Start(1);
  const call::DialOrder first = DialOne();
  NotSent(first);
  EXPECT_FALSE(Stored(first.attempt).sent);
  EXPECT_FALSE(Stored(first.attempt).open);
  EXPECT_EQ(StoredLead(1).called_count, Dials().size() > 1 ? 1 : 0);
  Pass(absl::Seconds(3));
  ASSERT_THAT(Dials(), SizeIs(2));
  EXPECT_EQ(Dials()[1].trunk, 0);
  EXPECT_EQ(controller.Board().trunks[0].attempts, 1);
}

// ---- caller IDs ----

constexpr uint64_t kOurs = 12025550190;

TrunkSettings WithPool(trunk::CallerIdChoice choice, int numbers) {
  TrunkSettings a = Named("a");
  a.caller_ids.choice = choice;
  for (int i = 0; i < numbers; ++i) {
    a.caller_ids.numbers.push_back({E164(kOurs + static_cast<uint64_t>(i))});
  }
  return a;
}

TEST(ControllerCallerIds, APoolRotates) {
  Bench b({WithPool(trunk::CallerIdChoice::kRotating, 3)});
  b.settings.campaign_cid = E164(18005550100);
  b.WithLines(4);
  b.Start(4);
  b.LogIn("a1");
  b.Pass(absl::Seconds(1));
  std::vector<std::string> from;
  for (const call::DialOrder& dial : b.Dials()) {
    from.push_back(dial.from_uri);
    EXPECT_EQ(dial.from_uri, absl::StrCat("sip:", b.Stored(dial.attempt).caller_id.ToString(),
                                          "@198.51.100.1:5080"));
  }
  EXPECT_THAT(
      from,
      ElementsAre("sip:+12025550190@198.51.100.1:5080", "sip:+12025550191@198.51.100.1:5080",
                  "sip:+12025550192@198.51.100.1:5080", "sip:+12025550190@198.51.100.1:5080"));
}

TEST(ControllerCallerIds, WithoutAPoolTheCampaignsNumberIsShown) {
  Bench b({Named("a")});
  b.settings.campaign_cid = E164(18005550100);
  b.Start(1);
  EXPECT_EQ(b.DialOne().from_uri, "sip:+18005550100@198.51.100.1:5080");
  Bench none({Named("a")});
  none.Start(1);
  EXPECT_EQ(none.DialOne().from_uri, "sip:anonymous@198.51.100.1:5080");
}

TEST(ControllerCallerIds, TheDaysCapHoldsAndAnotherTrunkTakesOver) {
  TrunkSettings a = WithPool(trunk::CallerIdChoice::kRotating, 2);
  a.caller_ids.calls_per_day = 1;
  Bench alone({a});
  alone.WithLines(4);
  alone.Start(5);
  alone.LogIn("a1");
  alone.Pass(absl::Seconds(2));
  EXPECT_THAT(alone.Dials(), SizeIs(2));
  EXPECT_EQ(alone.Figures().idle_reason, "trunk a: its caller IDs have had their calls of the day");
  EXPECT_EQ(alone.StoredLead(3).called_count, 0);
  // Midnight, UTC, is at 1:47 from now.
  alone.Pass(absl::Hours(2));
  EXPECT_THAT(alone.Dials(), SizeIs(4));

  Bench b({a, Named("b")});
  b.settings.trunk = "a,b";
  b.WithLines(4);
  b.Start(5);
  b.LogIn("a1");
  b.Pass(absl::Seconds(2));
  EXPECT_THAT(b.Where(), ElementsAre("a:1", "a:2", "b:3", "b:4"));
  EXPECT_EQ(b.Figures().idle_reason, "");
}

TEST(ControllerCallerIds, ANumberRestsBetweenItsCalls) {
  TrunkSettings a = WithPool(trunk::CallerIdChoice::kRotating, 1);
  a.caller_ids.rest = absl::Seconds(30);
  Bench b({a});
  b.WithLines(2);
  b.Start(3);
  b.LogIn("a1");
  b.Pass(absl::Seconds(29));
  EXPECT_THAT(b.Dials(), SizeIs(1));
  EXPECT_EQ(b.Figures().idle_reason, "trunk a: its caller IDs rest");
  b.Pass(absl::Seconds(2));
  EXPECT_THAT(b.Dials(), SizeIs(2));
}

TEST(ControllerCallerIds, WhatWasNotSentIsGivenBack) {
  TrunkSettings a = WithPool(trunk::CallerIdChoice::kRotating, 1);
  a.caller_ids.calls_per_day = 1;
  Bench b({a});
  b.Start(1);
  b.LogIn("a1");
  // Once by the controller itself, once by the shard.
  b.post_result = absl::ResourceExhaustedError("full");
  b.Tick();
  b.post_result = absl::OkStatus();
  b.Pass(absl::Seconds(3));
  ASSERT_THAT(b.Dials(), SizeIs(1));
  b.NotSent(b.Dials()[0]);
  b.Pass(absl::Seconds(3));
  ASSERT_THAT(b.Dials(), SizeIs(2));
  // This one left.
  b.Fails(b.Dials()[1], 503);
  b.Pass(absl::Minutes(5));
  EXPECT_THAT(b.Dials(), SizeIs(2));
}

TEST(ControllerCallerIds, CountsSurviveARestart) {
  TrunkSettings a = WithPool(trunk::CallerIdChoice::kRotating, 2);
  a.caller_ids.calls_per_day = 1;
  std::map<std::string, std::string> use;
  {
    Bench before({a});
    before.Start(1);
    before.DialOne();
    use = before.controller.CallerIdUse();
  }
  ASSERT_EQ(use.count("a"), 1u);
  Bench after({a});
  after.WithLines(4);
  after.state.caller_ids = use;
  after.state.caller_ids["trunk of before"] = "whatever";
  after.Start(3);
  after.LogIn("a1");
  after.Pass(absl::Seconds(1));
  ASSERT_THAT(after.Dials(), SizeIs(1));
  EXPECT_EQ(after.Stored(after.Dials()[0].attempt).caller_id, E164(kOurs + 1));
  // Damaged text costs the counts, not the start.
  Bench damaged({a});
  damaged.state.caller_ids["a"] =
      "\x01"
      "damaged";
  damaged.Start(1);
  damaged.DialOne();
}

// ---- headers ----

TEST(ControllerHeaders, WhoCallsIsToldTheTrunk) {
  TrunkSettings a = WithPool(trunk::CallerIdChoice::kFixed, 1);
  a.identity.p_asserted_identity = true;
  a.identity.privacy = true;
  a.identity.diversion = "+12025550100";
  a.identity.headers = {{"X-Account", "acct-7"},
                        {"X-Lead", "{vendor_lead_code}/{city}"},
                        {"X-Empty", "{no_such_field}"},
                        {"X-Open", "{city"}};
  Bench b({a});
  campaign::Lead lead = b.Lead(1);
  lead.fields["vendor_lead_code"] = "V-77";
  lead.fields["city"] = "Köln";
  b.Put(lead);
  b.Start(0);
  const call::DialOrder dial = b.DialOne();
  EXPECT_THAT(dial.headers,
              ElementsAre(std::pair("P-Asserted-Identity", "<sip:+12025550190@198.51.100.1:5080>"),
                          std::pair("Privacy", "id"),
                          std::pair("Diversion", "<sip:+12025550100@198.51.100.1:5080>"),
                          std::pair("X-Account", "acct-7"), std::pair("X-Lead", "V-77/Köln"),
                          std::pair("X-Open", "{city")));
  EXPECT_EQ(dial.from_uri, "sip:anonymous@anonymous.invalid") << "RFC 3323 4.1";
  EXPECT_EQ(b.Stored(dial.attempt).caller_id, E164(kOurs));
}

// A list file cannot put a header of its own into our INVITE.
TEST(ControllerHeaders, FieldsOfALeadCannotBreakOut) {
  TrunkSettings a = Named("a");
  a.identity.headers = {{"X-Note", "n={comments}"}};
  for (const std::string& hostile :
       {std::string("x\r\nX-Evil: 1"), std::string("x\nX-Evil: 1"), std::string("x\rX-Evil: 1"),
        std::string("x\0X-Evil: 1", 11), std::string("x\r\n\r\nINVITE sip:1@2 SIP/2.0"),
        std::string("x\x7f\x01\t{comments}")}) {
    Bench b({a});
    campaign::Lead lead = b.Lead(1);
    lead.fields["comments"] = hostile;
    b.Put(lead);
    b.Start(0);
    const call::DialOrder dial = b.DialOne();
    ASSERT_THAT(dial.headers, SizeIs(1));
    const std::string& value = dial.headers[0].second;
    EXPECT_TRUE(absl::StartsWith(value, "n=x"));
    EXPECT_TRUE(std::none_of(value.begin(), value.end(), [](unsigned char c) {
      return c < 0x20 || c == 0x7f;
    })) << testing::PrintToString(value);
  }
}

// What does not fit into a message would never be sent, and the lead tried again for ever.
TEST(ControllerHeaders, ALongFieldIsCutBetweenCharacters) {
  TrunkSettings a = Named("a");
  a.identity.headers = {{"X-Note", "n{comments}"}};
  Bench b({a});
  campaign::Lead lead = b.Lead(1);
  for (int i = 0; i < 20'000; ++i) lead.fields["comments"] += "ö";
  b.Put(lead);
  b.Start(0);
  const std::string value = b.Header(b.DialOne(), "X-Note");
  EXPECT_EQ(value.size(), 511u);  // "n" and 255 of two octets
  EXPECT_EQ(value.substr(509), "ö");
}

TEST(ControllerHeaders, TheIdentityHeaderVerifies) {
  const Scratch scratch;
  const stir::Key key = stir::EcKey("P-256");
  TrunkSettings a = WithPool(trunk::CallerIdChoice::kFixed, 1);
  a.stir.private_key_file = scratch.Put("key.pem", stir::Pem(key.get()));
  a.stir.certificate_url = "https://cert.example.org/passport.pem";
  auto tools = LoadTrunkTools({a});
  ASSERT_TRUE(tools.ok()) << tools.status();
  Bench b({a}, *tools);
  b.Start(1);
  const call::DialOrder dial = b.DialOne();
  const stir::Passport passport = stir::Verify(b.Header(dial, "Identity"), key.get());
  EXPECT_TRUE(passport.valid);
  const auto claims = nlohmann::json::parse(passport.payload);
  EXPECT_EQ(claims["attest"], "A");
  EXPECT_EQ(claims["orig"]["tn"], "12025550190");
  EXPECT_EQ(claims["dest"]["tn"][0], "13035550001");
  EXPECT_EQ(claims["iat"], absl::ToUnixSeconds(b.world.clock().Wall()));
  EXPECT_THAT(passport.parameters, HasSubstr("info=<https://cert.example.org/passport.pem>"));

  // A number that is the campaign's and not of the pool is not vouched for.
  Bench partial({a}, *tools);
  partial.settings.campaign_cid = E164(18005550100);
  partial.Start(1);
  const auto other = stir::Verify(partial.Header(partial.DialOne(), "Identity"), key.get());
  EXPECT_TRUE(other.valid);
  EXPECT_EQ(nlohmann::json::parse(other.payload)["attest"], "B");
}

// ---- what an answer means ----

TEST(ControllerDispositions, ATrunksOwnTableDecides) {
  const Scratch scratch;
  TrunkSettings a = Named("a");
  a.disposition_table = scratch.Put(
      "a.csv",
      "486,17,*,*,congestion,LRERR,yes\n503,*,*,*,busy,AB,no\n404,*,*,*,no_answer,NA,no\n");
  TrunkSettings b_trunk = Named("b");
  auto tools = LoadTrunkTools({a, b_trunk});
  ASSERT_TRUE(tools.ok()) << tools.status();

  Bench busy({a, b_trunk}, *tools);  // its "busy" is its own fault: the other trunk tries
  busy.settings.trunk = "a,b";
  busy.Start(1);
  const call::DialOrder first = busy.DialOne();
  busy.Fails(first, 486, 17);
  EXPECT_TRUE(busy.Stored(first.attempt).trunk_fault);
  EXPECT_EQ(busy.Stored(first.attempt).outcome, "congestion");
  EXPECT_EQ(busy.Stored(first.attempt).sip_status, 486) << "the raw code stays";
  EXPECT_EQ(busy.Stored(first.attempt).q850_cause, 17);
  ASSERT_THAT(busy.Dials(), SizeIs(2));
  // The table is of trunk a only.
  busy.Fails(busy.Dials()[1], 486, 17);
  EXPECT_EQ(busy.StoredLead(1).status, "AB");

  Bench full({a, b_trunk}, *tools);  // its 503 is a busy number: no fault, no failover
  full.settings.trunk = "a,b";
  full.Start(1);
  full.Fails(full.DialOne(), 503);
  full.Pass(absl::Seconds(2));
  EXPECT_THAT(full.Dials(), SizeIs(1));
  EXPECT_EQ(full.StoredLead(1).status, "AB");
  EXPECT_EQ(full.StoredLead(1).called_count, 1);

  Bench vacant({a}, *tools);  // others say "vacant, never again"
  vacant.Start(1);
  vacant.Fails(vacant.DialOne(), 404);
  EXPECT_EQ(vacant.StoredLead(1).status, "NA");
}

// ---- the board ----

TEST(ControllerTrunkFigures, CountWhatTheTrunkDid) {
  Bench b({Named("a"), Named("b")});
  b.WithLines(4);
  b.Start(4);
  const LegId agent = b.LogIn("a1");
  b.Pass(absl::Seconds(1));
  ASSERT_THAT(b.Dials(), SizeIs(4));
  b.Pass(absl::Seconds(1));
  for (int i = 0; i < 3; ++i) {
    b.Say(call::LegProgress{b.Dials()[static_cast<size_t>(i)].leg, 180, b.world.now()});
  }
  b.Pass(absl::Seconds(2));
  b.Answer(b.Dials()[0].leg);
  b.Connected(b.Dials()[0].leg, agent);
  b.Fails(b.Dials()[1], 486, 17);
  b.Fails(b.Dials()[2], 480, 19);
  b.Pass(absl::Seconds(30));
  b.End(b.Dials()[0].leg, call::CallOutcome::kAnswered);
  const TrunkFigures a = b.controller.Board().trunks.at(0);
  EXPECT_EQ(a.name, "a");
  EXPECT_TRUE(a.up);
  EXPECT_EQ(a.calls, 1);
  EXPECT_EQ(a.attempts, 4);
  EXPECT_EQ(a.answered, 1);
  EXPECT_EQ(a.addresses, 1);
  const trunk::TrunkFigures& window = a.stats.window;
  EXPECT_EQ(window.answered, 1);
  EXPECT_EQ(window.failed, 2);
  EXPECT_EQ(window.trunk_faults, 0);
  EXPECT_NEAR(window.asr, 1.0 / 3, 1e-9) << "the fourth is not decided";
  EXPECT_EQ(window.ended, 1);
  EXPECT_NEAR(absl::ToDoubleSeconds(window.acd), 30, 0.1);
  EXPECT_NEAR(absl::ToDoubleSeconds(window.pdd_p50), 2, 0.2);
  EXPECT_THAT(window.by_status,
              ElementsAre(std::pair(200, 1), std::pair(480, 1), std::pair(486, 1)));
  EXPECT_THAT(window.by_q850_cause, ElementsAre(std::pair(17, 1), std::pair(19, 1)));
  EXPECT_EQ(a.stats.in_progress, 1);
  EXPECT_EQ(b.controller.Board().trunks.at(1).attempts, 0);
}

// ---- addresses and registration ----

TEST(ControllerTrunkNames, NoCallsBeforeTheAddressIsKnown) {
  Bench b({Named("a", "sip.carrier.example"), Named("b")});
  b.Start(3);
  ASSERT_THAT(b.Of<call::TrunkAddresses>(), SizeIs(1)) << "of the numeric one";
  EXPECT_EQ(b.Of<call::TrunkAddresses>()[0].trunk, 1);
  b.LogIn("a1");
  b.Pass(absl::Seconds(3));
  EXPECT_THAT(b.Dials(), IsEmpty());
  EXPECT_EQ(b.Figures().idle_reason, "trunk a: its name has no address yet");
  EXPECT_FALSE(b.controller.Board().trunks[0].up);
  EXPECT_EQ(b.controller.Board().trunks[0].addresses, 0);

  b.controller.SetTrunkRoutes(0, {"sip:192.0.2.10:5060", "sip:192.0.2.11:5060"},
                              {"192.0.2.10", "192.0.2.11"});
  ASSERT_THAT(b.Of<call::TrunkAddresses>(), SizeIs(2));
  EXPECT_THAT(b.Of<call::TrunkAddresses>()[1].addresses, ElementsAre("192.0.2.10", "192.0.2.11"));
  b.Pass(absl::Seconds(1));
  ASSERT_THAT(b.Dials(), SizeIs(1));
  EXPECT_EQ(b.Dials()[0].route_uri, "sip:192.0.2.10:5060");
  EXPECT_EQ(b.Dials()[0].request_uri, "sip:+13035550001@sip.carrier.example");
  EXPECT_EQ(b.controller.Board().trunks[0].addresses, 2);

  // The same again is no news; another one is.
  b.controller.SetTrunkRoutes(0, {"sip:192.0.2.10:5060", "sip:192.0.2.11:5060"},
                              {"192.0.2.10", "192.0.2.11"});
  EXPECT_THAT(b.Of<call::TrunkAddresses>(), SizeIs(2));
  b.controller.SetTrunkRoutes(0, {"sip:192.0.2.20:5060"}, {"192.0.2.20"});
  ASSERT_THAT(b.Of<call::TrunkAddresses>(), SizeIs(3));
  EXPECT_THAT(b.Of<call::TrunkAddresses>()[2].route_uris, ElementsAre("sip:192.0.2.20:5060"));

  // Its name has gone: what calls stay, no new ones, and the board says why.
  b.controller.SetTrunkRoutes(0, {}, {});
  EXPECT_THAT(b.Of<call::TrunkAddresses>(), SizeIs(3));
  b.Fails(b.Dials()[0], 486, 17);
  b.Pass(absl::Seconds(3));
  EXPECT_THAT(b.Dials(), SizeIs(1));
  EXPECT_EQ(b.Figures().idle_reason, "trunk a: its name has no address yet");
}

TEST(ControllerTrunkNames, AnAddressThatFailsMakesRoomForTheNext) {
  Bench b({Named("a", "sip.carrier.example")});
  b.Start(1);
  b.controller.SetTrunkRoutes(0, {"sip:192.0.2.10:5060", "sip:192.0.2.11:5060"},
                              {"192.0.2.10", "192.0.2.11"});
  b.Silence(b.DialOne());
  b.Pass(absl::Minutes(3));
  ASSERT_THAT(b.Dials(), SizeIs(2));
  EXPECT_EQ(b.Dials()[1].route_uri, "sip:192.0.2.11:5060");
}

TEST(ControllerTrunkNames, NoCallsBeforeItHasRegisteredUs) {
  TrunkSettings a = Named("a");
  a.registers = true;
  a.auth_user = "u";
  Bench b({a});
  b.Start(1);
  b.LogIn("a1");
  b.Pass(absl::Seconds(3));
  EXPECT_THAT(b.Dials(), IsEmpty());
  EXPECT_EQ(b.Figures().idle_reason, "trunk a: not registered yet");
  EXPECT_THAT(b.Of<call::TrunkAddresses>(), SizeIs(1)) << "it is registered with";
  b.Say(call::TrunkState{0, false, false, "registered"});
  b.Pass(absl::Seconds(1));
  EXPECT_THAT(b.Dials(), SizeIs(1));
  b.Say(call::TrunkState{0, true, false, "403 to REGISTER"});
  EXPECT_EQ(b.controller.Board().trunks[0].reason, "403 to REGISTER");
}

// A phone there would ring somebody whom the gate has not seen.
TEST(ControllerTrunkNames, AnAgentsPhoneAtATrunksAddressIsNotRung) {
  Bench b({Named("a", "192.0.2.10:5060"), Named("b", "sip.carrier.example")});
  b.Start(1);
  b.controller.SetTrunkRoutes(1, {"sip:192.0.2.20:5060;transport=tcp"}, {"192.0.2.20"});
  const std::vector<std::pair<AgentId, std::string>> phones = {
      {"a1", "sip:+12025550100@192.0.2.10:5060"},
      {"a2", "sip:+12025550100@192.0.2.10"},
      {"a3", "sip:+12025550100@192.0.2.20:5060;transport=tcp"}};
  for (const auto& [agent, phone] : phones) {
    ASSERT_TRUE(b.controller.Login(agent, "C", phone).ok());
    b.controller.ScreenConnected(agent);
  }
  b.Pass(absl::Seconds(5));
  EXPECT_THAT(b.Of<call::DialOrder>(), IsEmpty());
  EXPECT_THAT(b.screens.notices, SizeIs(3));
}

}  // namespace
}  // namespace outpace::runtime
