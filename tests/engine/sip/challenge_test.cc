// Challenges on the wire: what is sent again, with which names, and to whom nothing is sent.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/engine/sip/far_end.h"
#include "tests/engine/sip/shard_under_test.h"

namespace outpace::sip {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kSdp[] = "v=0\r\no=far 1 1 IN IP4 127.0.0.1\r\ns=-\r\n";

SofiaConfig WithCredentials(const std::string& realm = "carrier") {
  SofiaConfig config = ShardUnderTest::Config();
  config.t1 = absl::Seconds(2);  // a slow machine sees no repetitions
  config.t1x64 = absl::Seconds(20);
  SipTrunk trunk;
  trunk.name = "carrier";
  trunk.addresses = {"127.0.0.1"};
  trunk.auth_user = "user";
  trunk.auth_password = "secret";
  trunk.auth_realm = realm;
  config.trunks = {trunk};
  return config;
}

Reply Challenge(int status, const std::string& value) {
  return {status,
          status == 401 ? "Unauthorized" : "Proxy Authentication Required",
          "challenge",
          {absl::StrCat(status == 401 ? "WWW-Authenticate: " : "Proxy-Authenticate: ", value)},
          ""};
}
constexpr char kMd5[] = "Digest realm=\"carrier\", nonce=\"n1\", qop=\"auth\", algorithm=MD5";
constexpr char kSha256[] =
    "Digest realm=\"carrier\", nonce=\"n2\", qop=\"auth\", algorithm=SHA-256";
constexpr char kStale[] =
    "Digest realm=\"carrier\", nonce=\"n3\", stale=true, qop=\"auth\", algorithm=MD5";

class ChallengeTest : public ::testing::Test {
 protected:
  ChallengeTest() : shard_(WithCredentials()) {}
  void SetUp() override { ASSERT_TRUE(shard_.status.ok()) << shard_.status; }
  static call::InviteRequest OnTrunk(const FarEnd& far, uint32_t index = 1) {
    call::InviteRequest request = RequestTo(far, index);
    request.trunk = 0;
    request.headers = {{"X-Lead", "42"}};
    return request;
  }
  WireMessage Ring() {
    EXPECT_TRUE(shard_.Invite(OnTrunk(far_)).ok());
    return far_.ReceiveRequest("INVITE");
  }
  // Answers `request` with a challenge and returns what is sent next; the ACK is passed over.
  WireMessage Challenged(const WireMessage& request, int status, const std::string& value) {
    far_.Answer(request, Challenge(status, value));
    return far_.ReceiveRequest(request.start_line.substr(0, request.start_line.find(' ')));
  }
  // The next INVITE with another CSeq number than `before`: a repeated one may still be on its way.
  WireMessage NextInvite(const WireMessage& before) {
    for (;;) {
      WireMessage message = far_.ReceiveRequest("INVITE");
      if (!message.valid || message.Header("CSeq") != before.Header("CSeq")) return message;
    }
  }

  FarEnd far_;
  ShardUnderTest shard_;
};

TEST_F(ChallengeTest, AnInviteIsSentAgainWithCredentialsAndTheShardIsNotTold) {
  const WireMessage first = Ring();
  EXPECT_EQ(first.Header("Proxy-Authorization"), "");
  const WireMessage second = Challenged(first, 407, kMd5);
  ASSERT_TRUE(second.valid);
  EXPECT_EQ(second.Header("CSeq"), "2 INVITE");
  EXPECT_EQ(second.Header("Call-ID"), first.Header("Call-ID"));
  EXPECT_EQ(second.Header("From"), first.Header("From"));
  EXPECT_EQ(second.Header("To"), first.Header("To"));  // without the tag of the 407
  EXPECT_EQ(WireMessage::Param(second.Header("Via"), "branch"), "z9hG4bKop1aabbccdd.2");
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(second.Header("X-Lead"), "42");
  const std::string credentials = second.Header("Proxy-Authorization");
  EXPECT_THAT(credentials, StartsWith("Digest username=\"user\""));
  EXPECT_THAT(credentials, HasSubstr("realm=\"carrier\""));
  EXPECT_THAT(credentials, HasSubstr(absl::StrCat("uri=\"", first.RequestUri(), "\"")));
  EXPECT_THAT(credentials, HasSubstr("nc=00000001"));

  far_.Answer(second, {200, "OK", "far", {far_.Contact()}, kSdp});
  const Event answer = shard_.events.Next();
  ASSERT_EQ(answer.kind, "answer");  // and nothing of the 407 before it
  EXPECT_EQ(answer.dialog.cseq, 2u);
  shard_.Do([](SofiaSignaling& s) {
    s.Ack(Leg1());
    s.Bye(Leg1(), 16);
  });
  const WireMessage ack = far_.ReceiveRequest("ACK");
  EXPECT_EQ(ack.Header("CSeq"), "2 ACK");
  EXPECT_EQ(ack.Header("Proxy-Authorization"), credentials);
  EXPECT_EQ(far_.ReceiveRequest("BYE").Header("CSeq"), "3 BYE");
  EXPECT_EQ(shard_.counters().challenges_answered, 1u);
}

TEST_F(ChallengeTest, TheStrongestAlgorithmOfThoseOfferedIsTaken) {
  const WireMessage first = Ring();
  Reply reply = Challenge(401, kMd5);
  reply.extra.push_back(absl::StrCat("WWW-Authenticate: ", kSha256));
  far_.Answer(first, reply);
  const WireMessage second = NextInvite(first);
  EXPECT_THAT(second.Header("Authorization"), HasSubstr("algorithm=SHA-256"));
  EXPECT_THAT(second.Header("Authorization"), HasSubstr("nonce=\"n2\""));
  EXPECT_EQ(second.Header("Proxy-Authorization"), "");
}

TEST_F(ChallengeTest, AWrongPasswordIsAFailure) {
  const WireMessage second = Challenged(Ring(), 407, kMd5);
  far_.Answer(second, Challenge(407, kMd5));
  const Event event = shard_.events.Next();
  EXPECT_EQ(event.kind, "failure");
  EXPECT_EQ(event.status, 407);
  EXPECT_FALSE(event.failure.local);
  EXPECT_TRUE(far_.ReceiveRequest("ACK").valid);
}

TEST_F(ChallengeTest, AnOldNonceIsForgivenOnce) {
  const WireMessage second = Challenged(Ring(), 407, kMd5);
  far_.Answer(second, Challenge(407, kStale));
  const WireMessage third = NextInvite(second);
  EXPECT_EQ(third.Header("CSeq"), "3 INVITE");
  EXPECT_EQ(WireMessage::Param(third.Header("Via"), "branch"), "z9hG4bKop1aabbccdd.3");
  EXPECT_THAT(third.Header("Proxy-Authorization"), HasSubstr("nonce=\"n3\""));
  far_.Answer(third, Challenge(407, kStale));
  EXPECT_EQ(shard_.events.Next().status, 407);
}

TEST_F(ChallengeTest, AByeIsSentAgainWithCredentials) {
  far_.Answer(Ring(), {200, "OK", "far", {far_.Contact()}, kSdp});
  ASSERT_EQ(shard_.events.NextFinal().kind, "answer");
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 31); });
  const WireMessage bye = far_.ReceiveRequest("BYE");
  EXPECT_EQ(bye.Header("CSeq"), "2 BYE");
  const WireMessage again = Challenged(bye, 401, kSha256);
  ASSERT_TRUE(again.IsRequest("BYE"));
  EXPECT_EQ(again.Header("CSeq"), "3 BYE");
  EXPECT_EQ(again.Header("Reason"), "Q.850;cause=31");
  EXPECT_THAT(again.Header("Authorization"),
              HasSubstr(absl::StrCat("uri=\"", again.RequestUri(), "\"")));
  EXPECT_TRUE(shard_.events.Empty());
  far_.Answer(again, {});
  EXPECT_EQ(shard_.events.Next().kind, "bye_done");
}

TEST_F(ChallengeTest, ACancelCarriesTheNamesOfTheSecondInvite) {
  const WireMessage second = Challenged(Ring(), 407, kMd5);
  far_.Answer(second, {180, "Ringing", "far", {}, ""});
  EXPECT_EQ(shard_.events.Next().status, 180);
  shard_.Do([](SofiaSignaling& s) { s.Cancel(Leg1()); });
  const WireMessage cancel = far_.ReceiveRequest("CANCEL");
  EXPECT_EQ(cancel.Header("CSeq"), "2 CANCEL");
  EXPECT_EQ(cancel.Header("Via"), second.Header("Via"));
}

TEST_F(ChallengeTest, AChallengeAfterTheCancelEndsTheCall) {
  const WireMessage first = Ring();
  shard_.Do([](SofiaSignaling& s) { s.Cancel(Leg1()); });
  far_.Answer(first, Challenge(407, kMd5));
  const Event event = shard_.events.Next();
  EXPECT_EQ(event.kind, "failure");
  EXPECT_EQ(event.status, 487);
  EXPECT_EQ(shard_.counters().challenges_answered, 0u);
}

// Too early for a CANCEL, and nobody is to be rung any more: the number may be on a do-not-call
// list since.
TEST_F(ChallengeTest, AChallengeAfterGivingUpMakesNoSecondInvite) {
  const WireMessage first = Ring();
  shard_.Do([](SofiaSignaling& s) { s.GiveUp(Leg1()); });
  far_.Answer(first, Challenge(407, kMd5));
  const Event event = shard_.events.Next();
  EXPECT_EQ(event.kind, "failure");
  EXPECT_EQ(event.status, 487);
  EXPECT_EQ(shard_.counters().challenges_answered, 0u);
  EXPECT_EQ(shard_.counters().invites, 1u);
}

TEST_F(ChallengeTest, AfterACrashEveryInviteThatMayBeOutIsCancelled) {
  call::Signaling::OrphanInvite orphan;
  const call::InviteRequest lost = OnTrunk(far_);
  orphan.ids = lost.ids;
  orphan.route_uri = lost.route_uri;
  orphan.request_uri = lost.request_uri;
  orphan.from_uri = lost.from_uri;
  orphan.trunk = 0;
  shard_.Do([&](SofiaSignaling& s) { s.CancelOrphan(orphan); });
  for (const int n : {1, 2, 3}) {
    const WireMessage cancel = far_.Receive();
    ASSERT_TRUE(cancel.IsRequest("CANCEL"));
    EXPECT_EQ(cancel.Header("CSeq"), absl::StrCat(n, " CANCEL"));
    EXPECT_EQ(WireMessage::Param(cancel.Header("Via"), "branch"),
              n == 1 ? lost.ids.branch : absl::StrCat(lost.ids.branch, ".", n));
    far_.Answer(cancel, {481, "No such call", "far", {}, ""});
  }
}

TEST_F(ChallengeTest, TheByeOfACallFromBeforeACrashAnswersItsChallenge) {
  call::DialogState dialog;
  dialog.call_id = "op-9-0123456789abcdef";
  dialog.from_uri = "sip:+12025550199@198.51.100.1";
  dialog.from_tag = "t9fedcba98";
  dialog.to_uri = far_.User();
  dialog.to_tag = "far";
  dialog.remote_target = far_.User();
  dialog.next_hop = far_.Uri();
  dialog.cseq = 2;
  shard_.Do([&](SofiaSignaling& s) { s.ByeOrphan(dialog); });
  const WireMessage bye = far_.ReceiveRequest("BYE");
  EXPECT_EQ(bye.Header("CSeq"), "3 BYE");
  const WireMessage again = Challenged(bye, 407, kMd5);
  EXPECT_EQ(again.Header("CSeq"), "4 BYE");
  EXPECT_THAT(again.Header("Proxy-Authorization"), HasSubstr("username=\"user\""));
  EXPECT_EQ(again.Header("To"), bye.Header("To"));
  far_.Answer(again, {});
  far_.Settle(shard_.port());
  EXPECT_TRUE(shard_.events.Empty());
}

// ---- to whom nothing is sent (digest leak) ----

struct LeakCase {
  const char* name;
  int status;
  const char* header;
};
class LeakTest : public ChallengeTest, public ::testing::WithParamInterface<LeakCase> {};

TEST_P(LeakTest, NothingIsSent) {
  const WireMessage first = Ring();
  far_.Answer(first, {GetParam().status, "No", "callee", {GetParam().header}, ""});
  const Event event = shard_.events.Next();
  EXPECT_EQ(event.kind, "failure");
  EXPECT_EQ(event.status, GetParam().status);
  EXPECT_TRUE(far_.ReceiveRequest("ACK").valid);
  EXPECT_TRUE(far_.Quiet(30));
}

INSTANTIATE_TEST_SUITE_P(
    All, LeakTest,
    ::testing::Values(
        LeakCase{"OtherRealm", 401, "WWW-Authenticate: Digest realm=\"callee\", nonce=\"n\""},
        LeakCase{"Basic", 401, "WWW-Authenticate: Basic realm=\"carrier\""},
        LeakCase{"WrongHeader", 401, "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n\""},
        LeakCase{"OtherStatus", 403, "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n\""},
        LeakCase{"NoChallenge", 407, "X-Nothing: x"},
        LeakCase{"UnknownAlgorithm", 407,
                 "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n\", algorithm=SHA-1"}),
    [](const auto& test) { return test.param.name; });

TEST_F(ChallengeTest, AnotherAddressThanTheTrunksGetsNothing) {
  FarEnd elsewhere("127.0.0.2");
  ASSERT_TRUE(shard_.Invite(OnTrunk(elsewhere)).ok());
  elsewhere.Answer(elsewhere.ReceiveRequest("INVITE"), Challenge(407, kMd5));
  EXPECT_EQ(shard_.events.Next().status, 407);
  // Until it is one of the trunk's.
  shard_.Do([](SofiaSignaling& s) { s.SetTrunkAddresses(0, {"127.0.0.2"}); });
  ASSERT_TRUE(shard_.Invite(OnTrunk(elsewhere, 2)).ok());
  const WireMessage first = elsewhere.ReceiveRequest("INVITE");
  elsewhere.Answer(first, Challenge(407, kMd5));
  EXPECT_TRUE(elsewhere.ReceiveRequest("ACK").valid);
  EXPECT_EQ(elsewhere.ReceiveRequest("INVITE").Header("CSeq"), "2 INVITE");
}

TEST_F(ChallengeTest, AChallengeRelayedByAnotherPeerGetsNothing) {
  FarEnd peer("127.0.0.3");
  shard_.Do([](SofiaSignaling& s) { s.AddPeer("127.0.0.3"); });
  WireMessage first = Ring();
  first.from_port = shard_.port();
  peer.Answer(first, Challenge(407, kMd5));
  EXPECT_EQ(shard_.events.Next().status, 407);
}

TEST_F(ChallengeTest, ALegOverNoTrunkAnswersNothing) {
  ASSERT_TRUE(shard_.Invite(RequestTo(far_)).ok());  // an agent's phone
  far_.Answer(far_.ReceiveRequest("INVITE"), Challenge(407, kMd5));
  EXPECT_EQ(shard_.events.Next().status, 407);
}

// ---- headers ----

TEST_F(ChallengeTest, HeadersStandInTheInviteAsGiven) {
  call::InviteRequest request = OnTrunk(far_);
  const std::string identity(1'500, 'e');
  request.headers = {
      {"P-Asserted-Identity", "<sip:+12025550199@198.51.100.1>"},
      {"Privacy", "id"},
      {"Diversion", "<sip:+12025550111@198.51.100.1>;reason=unconditional"},
      {"Identity", absl::StrCat(identity, ";info=<https://c.example/a.pem>;alg=ES256")},
      {"X-Vendor_Lead.Code", "caf\xc3\xa9, \"quoted\" <x>; y=1"},
      {"X-Empty", ""},
      {"X-Twice", "1"},
      {"X-Twice", "2"}};
  ASSERT_TRUE(shard_.Invite(request).ok());
  const WireMessage invite = far_.ReceiveRequest("INVITE");
  for (const auto& [name, value] : request.headers) {
    EXPECT_THAT(invite.Headers(name), ::testing::Contains(value)) << name;
  }
  EXPECT_EQ(invite.Headers("X-Twice").size(), 2u);
  EXPECT_THAT(invite.body, StartsWith("v=0"));
}

TEST_F(ChallengeTest, HeadersThatWouldBreakOutAreRefused) {
  const std::vector<call::SipHeader> bad = {{"X-A", "1\r\nVia: x"},
                                            {"X-A", "1\nX: y"},
                                            {"X-A", "1\rX"},
                                            {"X-A", std::string("1\0", 2)},
                                            {"X-A", "1\x7f"},
                                            {"X-A", "a\tb"},
                                            {"", "x"},
                                            {"X A", "x"},
                                            {"X-A:", "x"},
                                            {"X\r\nY", "x"},
                                            {"Via", "x"},
                                            {"v", "x"},
                                            {"FROM", "x"},
                                            {"to", "x"},
                                            {"Call-Id", "x"},
                                            {"cseq", "x"},
                                            {"Contact", "x"},
                                            {"Content-Length", "0"},
                                            {"content-type", "x"},
                                            {"l", "0"},
                                            {"Route", "<sip:192.0.2.1;lr>"},
                                            {"Authorization", "x"},
                                            {"Supported", "x"},
                                            {"Require", "x"}};
  for (const call::SipHeader& header : bad) {
    call::InviteRequest request = OnTrunk(far_);
    request.headers = {header};
    EXPECT_EQ(shard_.Invite(request).code(), absl::StatusCode::kInvalidArgument)
        << header.first << ": " << header.second;
  }
  call::InviteRequest request = OnTrunk(far_);
  request.headers.assign(100, {"X-A", "x"});
  EXPECT_FALSE(shard_.Invite(request).ok());
  request.headers = {{"X-A", std::string(20'000, 'x')}};
  EXPECT_FALSE(shard_.Invite(request).ok());
  EXPECT_TRUE(far_.Quiet(30));
}

}  // namespace
}  // namespace outpace::sip
