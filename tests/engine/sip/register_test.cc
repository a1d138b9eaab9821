// OPTIONS and REGISTER towards a trunk.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/engine/sip/far_end.h"
#include "tests/engine/sip/shard_under_test.h"

namespace outpace::sip {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using Kind = call::TrunkProbe::Kind;

SofiaConfig Registering(absl::Duration expires = absl::Hours(1)) {
  SofiaConfig config = ShardUnderTest::Config();
  config.t1 = absl::Seconds(2);  // a slow machine sees no repetitions
  config.t1x64 = absl::Seconds(20);
  SipTrunk trunk;
  trunk.addresses = {"127.0.0.1"};
  trunk.auth_user = "user";
  trunk.auth_password = "secret";
  trunk.auth_realm = "carrier";
  trunk.register_aor = "sip:outpace@carrier.example";
  trunk.register_expires = expires;
  config.trunks = {trunk};
  return config;
}

class RegisterTest : public ::testing::Test {
 protected:
  RegisterTest() : shard_(Registering()) {}
  void SetUp() override { ASSERT_TRUE(shard_.status.ok()) << shard_.status; }
  WireMessage Start() {
    shard_.Do([this](SofiaSignaling& s) { s.Register(0, far_.Uri()); });
    return far_.ReceiveRequest("REGISTER");
  }
  // Grants `request` for so long, at the Contact.
  void Grant(const WireMessage& request, int seconds) {
    const std::string contact = request.Header("Contact");
    far_.Answer(request, {200,
                          "OK",
                          "registrar",
                          {absl::StrCat("Contact: <sip:other@192.0.2.9:5060>;expires=7"),
                           absl::StrCat("Contact: ", contact.substr(0, contact.find('>') + 1),
                                        ";expires=", seconds)},
                          ""});
  }
  Event Registered(const WireMessage& request, int seconds = 3600) {
    Grant(request, seconds);
    return shard_.events.Next();
  }

  FarEnd far_;
  ShardUnderTest shard_;
};

TEST_F(RegisterTest, RegistersItsContactWithTheDomain) {
  const WireMessage request = Start();
  ASSERT_TRUE(request.valid);
  EXPECT_EQ(request.RequestUri(), "sip:carrier.example");
  EXPECT_EQ(request.Header("To"), "<sip:outpace@carrier.example>");
  EXPECT_THAT(request.Header("From"), HasSubstr("<sip:outpace@carrier.example>;tag="));
  EXPECT_EQ(request.Header("CSeq"), "1 REGISTER");
  EXPECT_EQ(request.Header("Contact"),
            absl::StrCat("<sip:outpace@127.0.0.1:", shard_.port(), ">;expires=3600"));
  EXPECT_EQ(request.Header("Expires"), "3600");
  const Event event = Registered(request);
  EXPECT_EQ(event.kind, "probe");
  EXPECT_EQ(event.probe.kind, Kind::kRegister);
  EXPECT_EQ(event.probe.route_uri, far_.Uri());
  EXPECT_EQ(event.probe.trunk, 0);
  EXPECT_TRUE(event.probe.ok);
}

TEST_F(RegisterTest, AnswersTheChallengeAndKeepsItsNames) {
  const WireMessage first = Start();
  far_.Answer(first, {401,
                      "Unauthorized",
                      "r",
                      {"WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n\", qop=\"auth\", "
                       "algorithm=SHA-256"},
                      ""});
  const WireMessage second = far_.ReceiveRequest("REGISTER");
  EXPECT_EQ(second.Header("CSeq"), "2 REGISTER");
  EXPECT_EQ(second.Header("Call-ID"), first.Header("Call-ID"));
  EXPECT_EQ(second.Header("From"), first.Header("From"));
  EXPECT_THAT(second.Header("Authorization"), HasSubstr("uri=\"sip:carrier.example\""));
  EXPECT_TRUE(shard_.events.Empty());
  EXPECT_TRUE(Registered(second).probe.ok);
}

TEST_F(RegisterTest, RefreshesAt80PercentOfWhatWasGrantedAndSaysNothingOfIt) {
  ASSERT_TRUE(Registered(Start(), 100).probe.ok);
  shard_.Advance(absl::Seconds(78));
  EXPECT_TRUE(far_.Quiet(20));
  shard_.Advance(absl::Seconds(2));
  const WireMessage refresh = far_.ReceiveRequest("REGISTER");
  EXPECT_EQ(refresh.Header("CSeq"), "2 REGISTER");
  Grant(refresh, 1'000);
  far_.Settle(shard_.port());
  shard_.Advance(absl::Seconds(700));
  EXPECT_TRUE(far_.Quiet(20));
  EXPECT_TRUE(shard_.events.Empty());
  shard_.Advance(absl::Seconds(100));
  EXPECT_EQ(far_.ReceiveRequest("REGISTER").Header("CSeq"), "3 REGISTER");
}

TEST_F(RegisterTest, AFailureIsToldAndTriedAgainAfter5SecondsAndTwiceThat) {
  far_.Answer(Start(), {403, "Forbidden", "r", {}, ""});
  Event event = shard_.events.Next();
  EXPECT_FALSE(event.probe.ok);
  EXPECT_EQ(event.probe.status, 403);
  EXPECT_EQ(event.probe.reason, "Forbidden");
  for (const int wait : {5, 10, 20, 40, 80, 160, 300, 300}) {
    shard_.Advance(absl::Seconds(wait - 1));
    EXPECT_TRUE(far_.Quiet(10)) << wait;
    shard_.Advance(absl::Seconds(1));
    const WireMessage next = far_.ReceiveRequest("REGISTER");
    ASSERT_TRUE(next.valid) << wait;
    far_.Answer(next, {500, "Error", "r", {}, ""});
    EXPECT_EQ(shard_.events.Next().probe.status, 500);
  }
  shard_.Advance(absl::Seconds(300));
  EXPECT_TRUE(Registered(far_.ReceiveRequest("REGISTER")).probe.ok);
}

TEST_F(RegisterTest, RetryAfterIsWaitedFor) {
  far_.Answer(Start(), {503, "Busy", "r", {"Retry-After: 60"}, ""});
  EXPECT_EQ(shard_.events.Next().probe.status, 503);
  shard_.Advance(absl::Seconds(58));
  EXPECT_TRUE(far_.Quiet(20));
  shard_.Advance(absl::Seconds(2));
  EXPECT_TRUE(far_.ReceiveRequest("REGISTER").valid);
}

TEST_F(RegisterTest, ALostRegistrationIsTold) {
  ASSERT_TRUE(Registered(Start(), 100).probe.ok);
  shard_.Advance(absl::Seconds(80));
  far_.Answer(far_.ReceiveRequest("REGISTER"), {404, "Not Found", "r", {}, ""});
  EXPECT_FALSE(shard_.events.Next().probe.ok);
  shard_.Advance(absl::Seconds(5));
  EXPECT_TRUE(Registered(far_.ReceiveRequest("REGISTER")).probe.ok);
}

TEST_F(RegisterTest, FollowsAMinimumOnce) {
  far_.Answer(Start(), {423, "Interval Too Brief", "r", {"Min-Expires: 7200"}, ""});
  const WireMessage longer = far_.ReceiveRequest("REGISTER");
  EXPECT_EQ(longer.Header("Expires"), "7200");
  EXPECT_THAT(longer.Header("Contact"), EndsWith(";expires=7200"));
  EXPECT_TRUE(shard_.events.Empty());
  far_.Answer(longer, {423, "Interval Too Brief", "r", {"Min-Expires: 9000"}, ""});
  EXPECT_EQ(shard_.events.Next().probe.status, 423);
}

TEST_F(RegisterTest, UnregistersAndStopsRefreshing) {
  ASSERT_TRUE(Registered(Start(), 100).probe.ok);
  shard_.Do([](SofiaSignaling& s) { s.Unregister(0); });
  const WireMessage last = far_.ReceiveRequest("REGISTER");
  EXPECT_EQ(last.Header("Expires"), "0");
  EXPECT_THAT(last.Header("Contact"), EndsWith(";expires=0"));
  far_.Answer(last, {});
  const Event event = shard_.events.Next();
  EXPECT_FALSE(event.probe.ok);
  EXPECT_EQ(event.probe.reason, "unregistered");
  shard_.Advance(absl::Hours(2));
  EXPECT_TRUE(far_.Quiet(20));
}

TEST_F(RegisterTest, ARouteThatNeedsDnsIsAFailure) {
  shard_.Do([](SofiaSignaling& s) { s.Register(0, "sip:carrier.example"); });
  EXPECT_EQ(shard_.events.Next().probe.status, 503);
  shard_.Do([](SofiaSignaling& s) { s.Register(7, "sip:127.0.0.1"); });  // no such trunk
  shard_.Advance(absl::Hours(1));
  EXPECT_TRUE(shard_.events.Empty());
}

// ---- OPTIONS ----

TEST_F(RegisterTest, AnyAnswerToOptionsBut503IsALivingTrunk) {
  struct Case {
    int status;
    bool ok;
  };
  for (const Case& expected :
       {Case{200, true}, Case{404, true}, Case{405, true}, Case{500, true}, Case{503, false}}) {
    shard_.Do([this](SofiaSignaling& s) { s.Ping(0, far_.Uri()); });
    const WireMessage options = far_.ReceiveRequest("OPTIONS");
    EXPECT_EQ(options.RequestUri(), far_.Uri());
    EXPECT_NE(options.Header("Contact"), "");
    far_.Answer(options, {expected.status, "Phrase", "far", {}, ""});
    const Event event = shard_.events.Next();
    EXPECT_EQ(event.probe.kind, Kind::kOptions);
    EXPECT_EQ(event.probe.route_uri, far_.Uri());
    EXPECT_EQ(event.probe.status, expected.status);
    EXPECT_EQ(event.probe.ok, expected.ok);
    EXPECT_GT(event.probe.round_trip, absl::ZeroDuration());
    EXPECT_EQ(event.probe.reason.empty(), expected.ok);
  }
}

TEST_F(RegisterTest, OptionsAnswerAChallenge) {
  shard_.Do([this](SofiaSignaling& s) { s.Ping(0, far_.Uri()); });
  far_.Answer(
      far_.ReceiveRequest("OPTIONS"),
      {407, "Auth", "f", {"Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n\""}, ""});
  const WireMessage second = far_.ReceiveRequest("OPTIONS");
  EXPECT_THAT(second.Header("Proxy-Authorization"), HasSubstr("username=\"user\""));
  far_.Answer(second, {});
  EXPECT_TRUE(shard_.events.Next().probe.ok);
}

TEST(Options, SilenceAndAClosedPortAreNotAnswers) {
  SofiaConfig config = Registering();
  config.t1 = absl::Milliseconds(20);
  config.t1x64 = absl::Milliseconds(300);
  ShardUnderTest shard(config);
  FarEnd silent;
  shard.Do([&](SofiaSignaling& s) { s.Ping(0, silent.Uri()); });
  Event event = shard.events.Next();
  EXPECT_FALSE(event.probe.ok);
  EXPECT_EQ(event.probe.status, 408);
  EXPECT_EQ(event.probe.round_trip, absl::ZeroDuration());
  shard.Do([](SofiaSignaling& s) { s.Ping(0, "sip:carrier.example"); });
  event = shard.events.Next();
  EXPECT_FALSE(event.probe.ok);
  EXPECT_EQ(event.probe.status, 503);
}

}  // namespace
}  // namespace outpace::sip
