#include "engine/sip/sofia_signaling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/base/rng.h"
#include "tests/engine/sip/far_end.h"
#include "tests/engine/sip/shard_under_test.h"

namespace outpace::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kSdp[] = "v=0\r\no=far 1 1 IN IP4 127.0.0.1\r\ns=-\r\n";

class SofiaSignalingTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(shard_.status.ok()) << shard_.status; }

  // An INVITE of leg 1, received by the far end.
  WireMessage Ring() {
    EXPECT_TRUE(shard_.Invite(RequestTo(far_)).ok());
    return far_.ReceiveRequest("INVITE");
  }
  Reply Ok() { return {200, "OK", "far", {far_.Contact()}, kSdp}; }
  // Leg 1 up: INVITE, 200, ACK.
  WireMessage Establish() {
    WireMessage invite = Ring();
    far_.Answer(invite, Ok());
    EXPECT_EQ(shard_.events.NextFinal().kind, "answer");
    shard_.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
    EXPECT_TRUE(far_.ReceiveRequest("ACK").valid);
    return invite;
  }

  FarEnd far_;
  ShardUnderTest shard_;
};

// ---- a call ----

TEST_F(SofiaSignalingTest, PlacesACallUnderTheNamesItWasGiven) {
  const WireMessage invite = Ring();
  ASSERT_TRUE(invite.valid);
  EXPECT_EQ(invite.RequestUri(), far_.User());
  EXPECT_EQ(invite.Header("Call-ID"), "op-1-0123456789abcdef");
  EXPECT_EQ(invite.Header("CSeq"), "1 INVITE");
  EXPECT_EQ(invite.Header("From"), "<sip:+12025550199@198.51.100.1>;tag=t1fedcba98");
  EXPECT_EQ(invite.Header("To"), absl::StrCat("<", far_.User(), ">"));
  EXPECT_EQ(WireMessage::Param(invite.Header("Via"), "branch"), "z9hG4bKop1aabbccdd");
  EXPECT_THAT(invite.Header("Via"),
              StartsWith(absl::StrCat("SIP/2.0/UDP 127.0.0.1:", shard_.port())));
  EXPECT_EQ(invite.Header("Contact"), absl::StrCat("<sip:outpace@127.0.0.1:", shard_.port(), ">"));
  EXPECT_EQ(invite.Header("Max-Forwards"), "70");
  EXPECT_EQ(invite.Header("Content-Type"), "application/sdp");
  EXPECT_EQ(invite.Header("User-Agent"), "Outpace");
  EXPECT_EQ(invite.Header("Supported"), "");  // no 100rel: PRACK is a trap of its own
  EXPECT_THAT(invite.body, StartsWith("v=0"));

  far_.Answer(invite, {.status = 100, .phrase = "Trying"});
  Event event = shard_.events.Next();
  EXPECT_EQ(event.kind, "provisional");
  EXPECT_EQ(event.status, 100);
  far_.Answer(invite, {183, "Session Progress", "far", {}, kSdp});
  event = shard_.events.Next();
  EXPECT_EQ(event.status, 183);
  EXPECT_EQ(event.sdp, kSdp);
  far_.Answer(invite, {180, "Ringing", "far", {}, ""});
  event = shard_.events.Next();
  EXPECT_EQ(event.status, 180);
  EXPECT_EQ(event.sdp, "");

  far_.Answer(invite, {200,
                       "OK",
                       "far",
                       {absl::StrCat("Record-Route: <sip:127.0.0.1:", far_.port(),
                                     ";lr;n=1>, <sip:127.0.0.1:9;lr;n=2>"),
                        far_.Contact()},
                       kSdp});
  event = shard_.events.Next();
  ASSERT_EQ(event.kind, "answer");
  EXPECT_EQ(event.leg, Leg1());
  EXPECT_EQ(event.sdp, kSdp);
  EXPECT_EQ(event.dialog.call_id, "op-1-0123456789abcdef");
  EXPECT_EQ(event.dialog.from_uri, "sip:+12025550199@198.51.100.1");
  EXPECT_EQ(event.dialog.from_tag, "t1fedcba98");
  EXPECT_EQ(event.dialog.to_uri, far_.User());
  EXPECT_EQ(event.dialog.to_tag, "far");
  EXPECT_EQ(event.dialog.remote_target, absl::StrCat("sip:far@127.0.0.1:", far_.port()));
  EXPECT_EQ(event.dialog.next_hop, far_.Uri());
  EXPECT_EQ(event.dialog.cseq, 1u);
  EXPECT_THAT(event.dialog.route_set,
              ElementsAre("sip:127.0.0.1:9;lr;n=2",
                          absl::StrCat("sip:127.0.0.1:", far_.port(), ";lr;n=1")));
}

TEST_F(SofiaSignalingTest, AcksAndEndsACall) {
  const WireMessage invite = Ring();
  far_.Answer(invite, Ok());
  ASSERT_EQ(shard_.events.NextFinal().kind, "answer");
  EXPECT_TRUE(far_.Quiet(50));  // nothing leaves before the shard has journaled
  shard_.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
  const WireMessage ack = far_.Receive();
  ASSERT_TRUE(ack.IsRequest("ACK"));
  EXPECT_EQ(ack.Header("CSeq"), "1 ACK");
  EXPECT_EQ(ack.RequestUri(), absl::StrCat("sip:far@127.0.0.1:", far_.port()));
  EXPECT_THAT(ack.Header("To"), EndsWith(";tag=far"));
  EXPECT_NE(WireMessage::Param(ack.Header("Via"), "branch"), "z9hG4bKop1aabbccdd");

  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 31); });
  const WireMessage bye = far_.Receive();
  ASSERT_TRUE(bye.IsRequest("BYE"));
  EXPECT_EQ(bye.Header("CSeq"), "2 BYE");
  EXPECT_EQ(bye.Header("Reason"), "Q.850;cause=31");
  EXPECT_EQ(bye.Header("From"), invite.Header("From"));
  far_.Answer(bye, {});
  EXPECT_EQ(shard_.events.Next().kind, "bye_done");
  shard_.Do([](SofiaSignaling& s) { s.Forget(Leg1()); });
  EXPECT_EQ(shard_.counters().unknown_legs, 0u);
}

TEST(ShortTimers, AByeThatIsNeverAnsweredIsReported) {
  SofiaConfig config = ShardUnderTest::Config();
  config.t1x64 = absl::Seconds(1);
  ShardUnderTest shard(config);
  FarEnd far;
  ASSERT_TRUE(shard.Invite(RequestTo(far)).ok());
  far.Answer(far.ReceiveRequest("INVITE"), {200, "OK", "far", {far.Contact()}, kSdp});
  ASSERT_EQ(shard.events.NextFinal().kind, "answer");
  shard.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  EXPECT_EQ(shard.events.Next().kind, "bye_done");
}

TEST_F(SofiaSignalingTest, AnswersTheFarEndsByeAndTellsItsCause) {
  const WireMessage invite = Establish();
  far_.Request(invite, "BYE", 100, {"Reason: SIP;cause=200;text=\"x\"", "Reason: Q.850;cause=17"});
  EXPECT_EQ(far_.ReceiveResponse("BYE").Status(), 200);
  const Event event = shard_.events.Next();
  EXPECT_EQ(event.kind, "bye");
  EXPECT_EQ(event.cause, 17);
  far_.Request(invite, "BYE", 101);  // the dialog is gone
  EXPECT_EQ(far_.ReceiveResponse("BYE").Status(), 481);
  EXPECT_TRUE(shard_.events.Empty());
}

TEST_F(SofiaSignalingTest, CrossingByesAreOneEnd) {
  const WireMessage invite = Establish();
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  const WireMessage ours = far_.ReceiveRequest("BYE");
  far_.Request(invite, "BYE", 100);
  EXPECT_EQ(far_.ReceiveResponse("BYE").Status(), 200);
  far_.Answer(ours, {});
  EXPECT_EQ(shard_.events.Next().kind, "bye_done");
  EXPECT_TRUE(shard_.events.Empty());
}

TEST_F(SofiaSignalingTest, ByeBeforeAckSendsTheAckFirst) {
  far_.Answer(Ring(), Ok());
  ASSERT_EQ(shard_.events.NextFinal().kind, "answer");
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  EXPECT_TRUE(far_.Receive().IsRequest("ACK"));
  EXPECT_TRUE(far_.Receive().IsRequest("BYE"));
}

// ---- the ACK trap ----

TEST_F(SofiaSignalingTest, ARepeated200IsAckedAgainWithTheInvitesCSeq) {
  const WireMessage invite = Establish();
  for (int i = 0; i < 3; ++i) {
    far_.Answer(invite, Ok());
    const WireMessage ack = far_.Receive();
    ASSERT_TRUE(ack.IsRequest("ACK"));
    EXPECT_EQ(ack.Header("CSeq"), "1 ACK");
  }
  EXPECT_EQ(shard_.counters().acks_repeated, 3u);
  EXPECT_TRUE(shard_.events.Empty());
}

// The stack takes an ACK's CSeq from the leg's last request unless told otherwise; after a BYE that
// is 2, it finds no INVITE for it, and asserts.
TEST_F(SofiaSignalingTest, ARepeated200AfterOurByeIsAckedWithTheInvitesCSeq) {
  const WireMessage invite = Establish();
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  const WireMessage bye = far_.ReceiveRequest("BYE");
  far_.Answer(invite, Ok());
  const WireMessage ack = far_.ReceiveRequest("ACK");
  ASSERT_TRUE(ack.valid);
  EXPECT_EQ(ack.Header("CSeq"), "1 ACK");
  far_.Answer(bye, {});
  EXPECT_EQ(shard_.events.Next().kind, "bye_done");
}

// The stack's own ACK lives for T1X64, while the far end repeats its 200 for 32 s.
TEST(ShortTimers, ARepeated200IsAckedAfterT1X64Too) {
  SofiaConfig config = ShardUnderTest::Config();
  config.t1 = absl::Milliseconds(20);
  config.t1x64 = absl::Milliseconds(600);
  ShardUnderTest shard(config);
  FarEnd far;
  ASSERT_TRUE(shard.Invite(RequestTo(far)).ok());
  const WireMessage invite = far.ReceiveRequest("INVITE");
  const Reply ok{200, "OK", "far", {far.Contact()}, kSdp};
  far.Answer(invite, ok);
  ASSERT_EQ(shard.events.NextFinal().kind, "answer");
  shard.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
  ASSERT_TRUE(far.ReceiveRequest("ACK").valid);
  ASSERT_TRUE(far.Quiet(800));
  far.Answer(invite, ok);
  EXPECT_TRUE(far.Receive().IsRequest("ACK"));
  EXPECT_TRUE(far.Quiet(50));  // and no BYE
}

TEST_F(SofiaSignalingTest, A200RepeatedBeforeTheAckIsNotAckedBehindTheShardsBack) {
  const WireMessage invite = Ring();
  far_.Answer(invite, Ok());
  ASSERT_EQ(shard_.events.NextFinal().kind, "answer");
  far_.Answer(invite, Ok());
  EXPECT_TRUE(far_.Quiet(100));
}

// ---- CANCEL ----

TEST_F(SofiaSignalingTest, HoldsTheCancelUntilA1xxCame) {
  const WireMessage invite = Ring();
  shard_.Do([](SofiaSignaling& s) { s.Cancel(Leg1()); });
  WireMessage next = far_.Receive();
  EXPECT_TRUE(next.IsRequest("INVITE"));  // a retransmission, no CANCEL
  far_.Answer(invite, {180, "Ringing", "far", {}, ""});
  const WireMessage cancel = far_.ReceiveRequest("CANCEL");
  ASSERT_TRUE(cancel.valid);
  EXPECT_EQ(cancel.Header("Via"), invite.Header("Via"));
  EXPECT_EQ(cancel.Header("CSeq"), "1 CANCEL");
  far_.Answer(cancel, {});
  far_.Answer(invite, {487, "Request Terminated", "far", {}, ""});
  EXPECT_TRUE(far_.ReceiveRequest("ACK").valid);
  const Event event = shard_.events.NextFinal();
  EXPECT_EQ(event.kind, "failure");
  EXPECT_EQ(event.failure.status, 487);
  EXPECT_FALSE(event.failure.local);
}

TEST_F(SofiaSignalingTest, A200ThatCrossesTheCancelIsDelivered) {
  const WireMessage invite = Ring();
  far_.Answer(invite, {180, "Ringing", "far", {}, ""});
  EXPECT_EQ(shard_.events.Next().status, 180);
  shard_.Do([](SofiaSignaling& s) {
    s.Cancel(Leg1());
    s.Cancel(Leg1());  // does nothing
  });
  const WireMessage cancel = far_.ReceiveRequest("CANCEL");
  far_.Answer(cancel, {});
  far_.Answer(invite, Ok());
  ASSERT_EQ(shard_.events.NextFinal().kind, "answer");
  shard_.Do([](SofiaSignaling& s) {
    s.Ack(Leg1());
    s.Bye(Leg1(), 16);
  });
  EXPECT_TRUE(far_.ReceiveRequest("ACK").valid);
  const WireMessage bye = far_.Receive();
  ASSERT_TRUE(bye.IsRequest("BYE"));
  EXPECT_EQ(bye.Header("CSeq"), "2 BYE");
  far_.Answer(invite, Ok());  // its ACK was lost: one more, and no second BYE from the stack
  EXPECT_EQ(far_.Receive().Header("CSeq"), "1 ACK");
  far_.Answer(bye, {});
  EXPECT_EQ(shard_.events.Next().kind, "bye_done");
}

TEST_F(SofiaSignalingTest, ByeOfARingingLegCancelsIt) {
  const WireMessage invite = Ring();
  far_.Answer(invite, {180, "Ringing", "far", {}, ""});
  EXPECT_EQ(shard_.events.Next().status, 180);
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  EXPECT_TRUE(far_.ReceiveRequest("CANCEL").valid);
}

TEST_F(SofiaSignalingTest, TheAnswerToAForgottenLegIsAckedAndEnded) {
  const WireMessage invite = Ring();
  far_.Answer(invite, {180, "Ringing", "far", {}, ""});
  EXPECT_EQ(shard_.events.Next().status, 180);
  shard_.Do([](SofiaSignaling& s) {
    s.Cancel(Leg1());
    s.Forget(Leg1());  // the shard's guard timer gave up on the CANCEL
  });
  EXPECT_TRUE(far_.ReceiveRequest("CANCEL").valid);
  far_.Answer(invite, Ok());
  EXPECT_EQ(far_.ReceiveRequest("ACK").Header("CSeq"), "1 ACK");
  const WireMessage bye = far_.ReceiveRequest("BYE");
  EXPECT_TRUE(bye.valid);
  far_.Answer(bye, {});
  EXPECT_TRUE(shard_.events.Empty());
}

TEST_F(SofiaSignalingTest, ALegForgottenWhileItRingsIsCancelled) {
  const WireMessage invite = Ring();
  far_.Answer(invite, {180, "Ringing", "far", {}, ""});
  EXPECT_EQ(shard_.events.Next().status, 180);
  shard_.Do([](SofiaSignaling& s) { s.Forget(Leg1()); });
  EXPECT_TRUE(far_.ReceiveRequest("CANCEL").valid);
}

TEST_F(SofiaSignalingTest, ALegForgottenInSilenceIsCancelledWhenItRingsAfterAll) {
  const WireMessage invite = Ring();
  shard_.Do([](SofiaSignaling& s) { s.Forget(Leg1()); });
  far_.Answer(invite, {180, "Ringing", "far", {}, ""});
  const WireMessage cancel = far_.ReceiveRequest("CANCEL");
  ASSERT_TRUE(cancel.valid);
  far_.Answer(cancel, {});
  far_.Answer(invite, {487, "Request Terminated", "far", {}, ""});
  EXPECT_TRUE(far_.ReceiveRequest("ACK").valid);
  EXPECT_TRUE(shard_.events.Empty());
}

TEST(ShortTimers, ForgottenInvitesAndByesTimeOutQuietly) {
  SofiaConfig config = ShardUnderTest::Config();
  config.t1 = absl::Milliseconds(20);
  config.t1x64 = absl::Milliseconds(600);
  ShardUnderTest shard(config);
  FarEnd far;
  for (uint32_t i = 1; i <= 20; ++i) {
    const call::InviteRequest request = RequestTo(far, i);
    ASSERT_TRUE(shard.Invite(request).ok());
    WireMessage invite = far.ReceiveRequest("INVITE");
    while (invite.valid && invite.Header("Call-ID") != request.ids.call_id) {
      invite = far.ReceiveRequest("INVITE");  // an earlier one again
    }
    if (i % 2 == 0) {
      far.Answer(invite, {200, "OK", "far", {far.Contact()}, kSdp});
      ASSERT_EQ(shard.events.NextFinal().kind, "answer");
      shard.Do([i](SofiaSignaling& s) { s.Bye(Leg1(i), 16); });
    }
    shard.Do([i](SofiaSignaling& s) { s.Forget(Leg1(i)); });
    shard.events.Clear();
  }
  while (!far.Quiet(800)) far.Receive();  // longer than t1x64
  EXPECT_TRUE(shard.events.Empty());
  far.Send("x", shard.port());
  EXPECT_TRUE(shard.Invite(RequestTo(far, 99)).ok());
  EXPECT_TRUE(far.ReceiveRequest("INVITE").valid);
}

TEST_F(SofiaSignalingTest, ALegForgottenWhileUpIsEnded) {
  Establish();
  shard_.Do([](SofiaSignaling& s) { s.Forget(Leg1()); });
  EXPECT_TRUE(far_.ReceiveRequest("BYE").valid);
}

// ---- failures ----

TEST(ShortTimers, SilenceEndsInALocal408) {
  SofiaConfig config = ShardUnderTest::Config();
  config.t1x64 = absl::Seconds(1);
  ShardUnderTest shard(config);
  FarEnd far;
  ASSERT_TRUE(shard.Invite(RequestTo(far)).ok());
  const Event event = shard.events.Next();  // within its patience, which is far below 32 s
  EXPECT_EQ(event.kind, "failure");
  EXPECT_EQ(event.failure.status, 408);
  EXPECT_TRUE(event.failure.local);
}

TEST_F(SofiaSignalingTest, AClosedPortIsALocal503) {
  call::InviteRequest request;
  {
    const FarEnd gone;
    request = RequestTo(gone);
  }
  ASSERT_TRUE(shard_.Invite(request).ok());
  const Event event = shard_.events.Next();
  EXPECT_EQ(event.failure.status, 503);
  EXPECT_TRUE(event.failure.local);
}

TEST_F(SofiaSignalingTest, AFailureTellsStatusCauseAndRetryAfter) {
  far_.Answer(Ring(), {503,
                       "Service Unavailable",
                       "far",
                       {"Retry-After: 120 (maintenance)", "Reason: Q.850;cause=34;text=\"none\""},
                       ""});
  const WireMessage ack = far_.ReceiveRequest("ACK");
  EXPECT_EQ(WireMessage::Param(ack.Header("Via"), "branch"), "z9hG4bKop1aabbccdd");
  const Event event = shard_.events.Next();
  ASSERT_EQ(event.kind, "failure");
  EXPECT_EQ(event.failure.status, 503);
  EXPECT_FALSE(event.failure.local);
  EXPECT_EQ(event.failure.q850_cause, 34);
  EXPECT_EQ(event.failure.retry_after, absl::Seconds(120));
  EXPECT_EQ(event.failure.phrase, "Service Unavailable");
}

struct HostileHeaders {
  const char* name;
  std::vector<std::string> extra;
  absl::Duration retry_after;
  int cause;
};

class HostileFailureTest : public SofiaSignalingTest,
                           public ::testing::WithParamInterface<HostileHeaders> {};

TEST_P(HostileFailureTest, StillIsThatFailure) {
  far_.Answer(Ring(), {486, "Busy Here", "far", GetParam().extra, ""});
  const Event event = shard_.events.Next();
  ASSERT_EQ(event.kind, "failure");
  EXPECT_EQ(event.failure.status, 486);
  EXPECT_EQ(event.failure.retry_after, GetParam().retry_after);
  EXPECT_EQ(event.failure.q850_cause, GetParam().cause);
}

INSTANTIATE_TEST_SUITE_P(
    All, HostileFailureTest,
    ::testing::Values(
        HostileHeaders{"Negative", {"Retry-After: -1"}, absl::ZeroDuration(), 0},
        HostileHeaders{"Huge", {"Retry-After: 100000000000000000000"}, absl::Seconds(300), 0},
        HostileHeaders{"NotANumber", {"Retry-After: soon"}, absl::ZeroDuration(), 0},
        HostileHeaders{"Empty", {"Retry-After:"}, absl::ZeroDuration(), 0},
        HostileHeaders{"Large", {"Retry-After: 4294967295"}, absl::Seconds(300), 0},
        HostileHeaders{"CauseTooLarge",
                       {"Reason: Q.850;cause=999999999999999999999"},
                       absl::ZeroDuration(),
                       0},
        HostileHeaders{"CauseNegative", {"Reason: Q.850;cause=-17"}, absl::ZeroDuration(), 0},
        HostileHeaders{"NoCause", {"Reason: Q.850"}, absl::ZeroDuration(), 0},
        HostileHeaders{"GarbageReason", {"Reason: ;;;==,,"}, absl::ZeroDuration(), 0},
        // By default the stack drops responses with these, and the call would end in a 408.
        HostileHeaders{"BadSessionExpires", {"Session-Expires: never"}, absl::ZeroDuration(), 0},
        HostileHeaders{"BadRequire", {"Require: ,,=\"", "Min-SE: x"}, absl::ZeroDuration(), 0},
        HostileHeaders{"BadContact", {"Contact: <<<>"}, absl::ZeroDuration(), 0}),
    [](const auto& param_info) { return param_info.param.name; });

class NoFurtherInviteTest : public SofiaSignalingTest, public ::testing::WithParamInterface<int> {};

TEST_P(NoFurtherInviteTest, RedirectsAndChallengesAreFailures) {
  far_.Answer(Ring(), {GetParam(),
                       "Elsewhere",
                       "far",
                       {far_.Contact(), "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"",
                        "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\""},
                       ""});
  EXPECT_TRUE(far_.ReceiveRequest("ACK").valid);
  EXPECT_EQ(shard_.events.Next().failure.status, GetParam());
  EXPECT_TRUE(far_.Quiet(300));
}

INSTANTIATE_TEST_SUITE_P(All, NoFurtherInviteTest, ::testing::Values(300, 301, 302, 305, 401, 407));

// ---- what is refused before anything leaves ----

TEST_F(SofiaSignalingTest, RefusesRoutesThatNeedDnsAndMalformedNames) {
  std::vector<call::InviteRequest> bad(12, RequestTo(far_));
  bad.push_back(RequestTo(far_));
  bad.back().request_uri += "?X-Evil=1";
  bad[0].route_uri = "sip:carrier.example:5060";
  bad[1].route_uri = "sip:localhost";
  bad[2].route_uri = absl::StrCat(far_.Uri(), ";maddr=evil.example");
  bad[3].route_uri = absl::StrCat(far_.Uri(), ";transport=tcp");
  bad[4].route_uri = "";
  bad[5].request_uri = "sip:+12025550100@127.0.0.1>\r\nX-Evil: 1";
  bad[6].from_uri = "+12025550199";
  bad[7].ids.call_id = "a\r\nb";
  bad[8].ids.from_tag = "";
  bad[9].ids.branch = "no-cookie";
  bad[10].ids.branch = "z9hG4bK;rport=1";
  bad[11].ids.call_id = "";
  for (const call::InviteRequest& request : bad) {
    const absl::Status status = shard_.Invite(request);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("55501")));
  }
  EXPECT_TRUE(far_.Quiet(50));
}

TEST_F(SofiaSignalingTest, OneInviteALegAndACallId) {
  Ring();
  EXPECT_EQ(shard_.Invite(RequestTo(far_)).code(), absl::StatusCode::kAlreadyExists);
  call::InviteRequest same_call = RequestTo(far_, 2);
  same_call.ids.call_id = RequestTo(far_).ids.call_id;
  EXPECT_EQ(shard_.Invite(same_call).code(), absl::StatusCode::kAlreadyExists);
}

TEST(UnansweredInvites, AreBounded) {
  SofiaConfig config = ShardUnderTest::Config();
  config.unanswered_invites_max = 2;
  ShardUnderTest shard(config);
  FarEnd far;
  ASSERT_TRUE(shard.Invite(RequestTo(far, 1)).ok());
  const WireMessage invite = far.ReceiveRequest("INVITE");
  ASSERT_TRUE(shard.Invite(RequestTo(far, 2)).ok());
  EXPECT_EQ(shard.Invite(RequestTo(far, 3)).code(), absl::StatusCode::kResourceExhausted);
  far.Answer(invite, {.status = 100, .phrase = "Trying"});
  EXPECT_EQ(shard.events.Next().status, 100);
  EXPECT_TRUE(shard.Invite(RequestTo(far, 3)).ok());
  shard.Do([](SofiaSignaling& s) { s.Forget(Leg1(2)); });
  EXPECT_TRUE(shard.Invite(RequestTo(far, 4)).ok());
}

TEST_F(SofiaSignalingTest, CommandsForUnknownLegsDoNothing) {
  shard_.Do([](SofiaSignaling& s) {
    s.Cancel(Leg1(9));
    s.Ack(Leg1(9));
    s.Bye(Leg1(9), 16);
    s.Forget(Leg1(9));
  });
  EXPECT_EQ(shard_.counters().unknown_legs, 4u);
}

// ---- Contacts written by strangers ----

TEST_F(SofiaSignalingTest, AHostNameInTheContactIsNeverResolved) {
  far_.Answer(Ring(), {200, "OK", "far", {"Contact: <sip:gw@sbc.example:5060>"}, kSdp});
  ASSERT_EQ(shard_.events.NextFinal().dialog.remote_target, "sip:gw@sbc.example:5060");
  shard_.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
  EXPECT_EQ(far_.ReceiveRequest("ACK").RequestUri(), "sip:gw@sbc.example:5060");
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  const WireMessage bye = far_.ReceiveRequest("BYE");
  EXPECT_EQ(bye.RequestUri(), "sip:gw@sbc.example:5060");
  far_.Answer(bye, {});
  EXPECT_EQ(shard_.events.Next().kind, "bye_done");
}

TEST_F(SofiaSignalingTest, AContactAtAStrangersAddressDoesNotAimOurPackets) {
  FarEnd victim("127.0.0.3");
  far_.Answer(
      Ring(),
      {200, "OK", "far", {absl::StrCat("Contact: <sip:x@127.0.0.3:", victim.port(), ">")}, kSdp});
  ASSERT_EQ(shard_.events.NextFinal().kind, "answer");
  shard_.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
  EXPECT_TRUE(far_.ReceiveRequest("ACK").valid);
  EXPECT_TRUE(victim.Quiet(50));
}

TEST_F(SofiaSignalingTest, WithoutContactTheCallCanStillBeEnded) {
  far_.Answer(Ring(), {200, "OK", "far", {}, kSdp});
  ASSERT_EQ(shard_.events.NextFinal().kind, "answer");
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  EXPECT_EQ(far_.ReceiveRequest("ACK").RequestUri(), far_.User());
  EXPECT_EQ(far_.ReceiveRequest("BYE").RequestUri(), far_.User());
}

TEST_F(SofiaSignalingTest, ARequestInTheDialogTakesTheRouteSet) {
  far_.Answer(
      Ring(),
      {200,
       "OK",
       "far",
       {absl::StrCat("Record-Route: <sip:p2.example;lr>, <sip:127.0.0.1:", far_.port(), ";lr>"),
        "Contact: <sip:gw@gw.example>"},
       kSdp});
  ASSERT_EQ(shard_.events.NextFinal().kind, "answer");
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  for (const char* method : {"ACK", "BYE"}) {
    const WireMessage request = far_.ReceiveRequest(method);
    EXPECT_EQ(request.RequestUri(), "sip:gw@gw.example");
    EXPECT_THAT(absl::StrJoin(request.Headers("Route"), ", "),
                absl::StrCat("<sip:127.0.0.1:", far_.port(), ";lr>, <sip:p2.example;lr>"));
  }
}

class HostileAnswerTest : public SofiaSignalingTest,
                          public ::testing::WithParamInterface<const char*> {};

// Whatever the 200 says of itself, it is ACKed and can be ended.
TEST_P(HostileAnswerTest, IsAckedAndEnded) {
  far_.Answer(Ring(), {200, "OK", "far", {GetParam()}, kSdp});
  ASSERT_EQ(shard_.events.NextFinal().kind, "answer");
  shard_.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
  const WireMessage ack = far_.Receive();
  ASSERT_TRUE(ack.IsRequest("ACK"));
  EXPECT_EQ(ack.Header("CSeq"), "1 ACK");
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  const WireMessage bye = far_.Receive();
  ASSERT_TRUE(bye.IsRequest("BYE"));
  EXPECT_EQ(bye.Header("Max-Forwards"), "70");
  EXPECT_EQ(bye.Header("X-Evil"), "");
  far_.Answer(bye, {});
  EXPECT_EQ(shard_.events.Next().kind, "bye_done");
  EXPECT_EQ(shard_.counters().send_failures, 0u);
}

INSTANTIATE_TEST_SUITE_P(
    All, HostileAnswerTest,
    ::testing::Values("Contact: <sip:>", "Contact: *", "Contact: <tel:+12025550100>",
                      "Contact: <mailto:a@b>", "Contact: <sip:a@b:99999>", "Contact: <sip:@>",
                      "Contact: <http://127.0.0.1/>", "Contact: <sip:a@[::1>",
                      "Contact: sip:x;;;==", "Contact: <sip:%00@h>",
                      "Contact:", "Contact: <sip:x@h?Max-Forwards=0&X-Evil=1>",
                      "Contact: <sip:x@h;method=INVITE>", "Contact: <sip:x@h;maddr=192.0.2.1>",
                      "Contact: <sips:x@127.0.0.1>", "Contact: <sip:x@127.0.0.1;transport=tcp>",
                      "Contact: <sip:x@127.0.0.1;transport=tls>", "Record-Route: <sip:>",
                      "Record-Route: <foo>", "Record-Route: <sip:h?X-Evil=1>",
                      "Record-Route: <sip:h;lr>, <sip:h;lr;maddr=192.0.2.1>",
                      "Record-Route: <sips:h;lr>", "Record-Route: ,,,",
                      "Record-Route: <sip:h;lr>;x=\"<\"", "Record-Route: <tel:1>"));

// ---- forks ----

class ForkTest : public SofiaSignalingTest, public ::testing::WithParamInterface<bool> {};

// The second 200 is ended below the shard, with a BYE that is repeated until it is answered, also
// when its Contact is a name.
TEST_P(ForkTest, ASecondForkIsAckedAndEndedReliably) {
  const bool name = GetParam();
  const WireMessage invite = Establish();
  const std::string contact = name ? "Contact: <sip:fork@fork.example>" : far_.Contact();
  far_.Answer(invite, {200, "OK", "fork", {contact}, kSdp});
  const WireMessage ack = far_.Receive();
  ASSERT_TRUE(ack.IsRequest("ACK"));
  EXPECT_THAT(ack.Header("To"), EndsWith("tag=fork"));
  EXPECT_EQ(ack.Header("CSeq"), "1 ACK");
  WireMessage bye = far_.Receive();
  ASSERT_TRUE(bye.IsRequest("BYE"));
  EXPECT_THAT(bye.Header("To"), EndsWith("tag=fork"));
  EXPECT_EQ(bye.Header("CSeq"), "2 BYE");
  bye = far_.Receive();  // "lost": it comes again
  EXPECT_TRUE(bye.IsRequest("BYE"));
  far_.Answer(bye, {});
  far_.Answer(invite, {200, "OK", "fork", {contact}, kSdp});
  EXPECT_TRUE(far_.Receive().IsRequest("ACK"));
  EXPECT_TRUE(far_.Quiet(100));  // ended once
  EXPECT_EQ(shard_.counters().strays_ended, 1u);
  EXPECT_TRUE(shard_.events.Empty());

  far_.Request(invite, "BYE", 100);  // the first fork's call is still up
  EXPECT_EQ(far_.ReceiveResponse("BYE").Status(), 200);
  EXPECT_EQ(shard_.events.Next().kind, "bye");
}

INSTANTIATE_TEST_SUITE_P(All, ForkTest, ::testing::Bool());

TEST_F(SofiaSignalingTest, ABusyForkAfterTheAnswerChangesNothing) {
  const WireMessage invite = Establish();
  far_.Answer(invite, {486, "Busy Here", "fork", {}, ""});
  EXPECT_TRUE(far_.ReceiveRequest("ACK").valid);
  EXPECT_TRUE(shard_.events.Empty());
}

TEST_F(SofiaSignalingTest, AnAnswerAfterABusyForkIsEnded) {
  const WireMessage invite = Ring();
  far_.Answer(invite, {486, "Busy Here", "a", {}, ""});
  EXPECT_TRUE(far_.ReceiveRequest("ACK").valid);
  EXPECT_EQ(shard_.events.Next().failure.status, 486);
  far_.Answer(invite, {200, "OK", "b", {far_.Contact()}, kSdp});
  EXPECT_TRUE(far_.ReceiveRequest("ACK").valid);
  EXPECT_TRUE(far_.ReceiveRequest("BYE").valid);
  EXPECT_TRUE(shard_.events.Empty());
}

// ---- recovery: a new process on the same port ----

class RecoveryTest : public ::testing::Test {
 protected:
  // Lets a first agent place a call that rings and then vanish.
  WireMessage RingAndDie() {
    auto first = std::make_unique<ShardUnderTest>();
    port_ = first->port();
    EXPECT_TRUE(first->Invite(RequestTo(far_)).ok());
    WireMessage invite = far_.ReceiveRequest("INVITE");
    far_.Answer(invite, {180, "Ringing", "far", {}, ""});
    EXPECT_EQ(first->events.Next().status, 180);
    return invite;
  }
  std::unique_ptr<ShardUnderTest> Restart() {
    SofiaConfig config = ShardUnderTest::Config();
    config.port = port_;
    return std::make_unique<ShardUnderTest>(config);
  }
  static call::Signaling::OrphanInvite OrphanOf(const call::InviteRequest& request) {
    return {request.ids, request.route_uri, request.request_uri, request.from_uri};
  }
  FarEnd far_;
  int port_ = 0;
};

TEST_F(RecoveryTest, CancelsWhatItsPredecessorLeftRinging) {
  const WireMessage invite = RingAndDie();
  const std::unique_ptr<ShardUnderTest> second = Restart();
  ASSERT_TRUE(second->status.ok());
  second->Do([&](SofiaSignaling& s) { s.CancelOrphan(OrphanOf(RequestTo(far_))); });
  const WireMessage cancel = far_.ReceiveRequest("CANCEL");
  ASSERT_TRUE(cancel.valid);
  // RFC 3261 9.1 and 9.2: all that the far end matches by.
  EXPECT_EQ(cancel.RequestUri(), invite.RequestUri());
  EXPECT_EQ(cancel.Header("Via"), invite.Header("Via"));
  EXPECT_EQ(cancel.Header("Call-ID"), invite.Header("Call-ID"));
  EXPECT_EQ(cancel.Header("From"), invite.Header("From"));
  EXPECT_EQ(cancel.Header("To"), invite.Header("To"));
  EXPECT_EQ(cancel.Header("CSeq"), "1 CANCEL");
  far_.Answer(cancel, {});
  far_.Answer(invite, {487, "Request Terminated", "far", {}, ""});
  const WireMessage ack = far_.ReceiveRequest("ACK");
  ASSERT_TRUE(ack.valid);  // or the far end would repeat its 487
  EXPECT_EQ(ack.Header("CSeq"), "1 ACK");
  EXPECT_EQ(ack.RequestUri(), invite.RequestUri());
  EXPECT_EQ(WireMessage::Param(ack.Header("Via"), "branch"),
            WireMessage::Param(invite.Header("Via"), "branch"));
  EXPECT_THAT(ack.Header("To"), EndsWith("tag=far"));
}

TEST_F(RecoveryTest, RepeatsTheCancelUntilItIsAnswered) {
  RingAndDie();
  const std::unique_ptr<ShardUnderTest> second = Restart();
  second->Do([&](SofiaSignaling& s) { s.CancelOrphan(OrphanOf(RequestTo(far_))); });
  EXPECT_TRUE(far_.ReceiveRequest("CANCEL").valid);
  EXPECT_TRUE(far_.ReceiveRequest("CANCEL").valid);
}

TEST_F(RecoveryTest, AnAnswerToALostInviteIsAckedAndEnded) {
  const WireMessage invite = RingAndDie();
  const std::unique_ptr<ShardUnderTest> second = Restart();
  far_.Answer(invite, {200, "OK", "far", {far_.Contact()}, kSdp});
  const WireMessage ack = far_.Receive();
  ASSERT_TRUE(ack.IsRequest("ACK"));
  EXPECT_EQ(ack.Header("CSeq"), "1 ACK");
  EXPECT_EQ(ack.Header("Call-ID"), invite.Header("Call-ID"));
  const WireMessage bye = far_.Receive();
  ASSERT_TRUE(bye.IsRequest("BYE"));
  EXPECT_EQ(bye.Header("CSeq"), "2 BYE");
  EXPECT_EQ(bye.Header("From"), invite.Header("From"));
  EXPECT_THAT(bye.Header("To"), EndsWith("tag=far"));
  EXPECT_TRUE(far_.Receive().IsRequest("BYE"));  // until it is answered
  EXPECT_TRUE(second->events.Empty());
}

TEST_F(RecoveryTest, A200ThatIsNotOursIsLeftAlone) {
  const WireMessage invite = RingAndDie();
  const std::unique_ptr<ShardUnderTest> second = Restart();
  WireMessage other = invite;
  for (auto& [name, value] : other.headers) {
    if (name == "Via") value = "SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKelse";
  }
  far_.Answer(other, {200, "OK", "far", {far_.Contact()}, kSdp});
  WireMessage proxied = invite;
  proxied.headers.emplace_back("Via", "SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKelse");
  far_.Answer(proxied, {200, "OK", "far", {far_.Contact()}, kSdp});
  EXPECT_TRUE(far_.Quiet(100));
}

TEST_F(RecoveryTest, EndsADialogFromItsJournalEntry) {
  call::DialogState dialog;
  {
    ShardUnderTest first;
    port_ = first.port();
    ASSERT_TRUE(first.Invite(RequestTo(far_)).ok());
    const WireMessage invite = far_.ReceiveRequest("INVITE");
    far_.Answer(
        invite,
        {200,
         "OK",
         "far",
         {absl::StrCat("Record-Route: <sip:p2.example;lr>, <sip:127.0.0.1:", far_.port(), ";lr>"),
          "Contact: <sip:gw@gw.example>"},
         kSdp});
    dialog = first.events.NextFinal().dialog;
    first.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
    ASSERT_TRUE(far_.ReceiveRequest("ACK").valid);
  }
  const std::unique_ptr<ShardUnderTest> second = Restart();
  ASSERT_TRUE(second->status.ok());
  second->Do([&](SofiaSignaling& s) { s.ByeOrphan(dialog); });
  const WireMessage bye = far_.ReceiveRequest("BYE");
  ASSERT_TRUE(bye.valid);
  EXPECT_EQ(bye.RequestUri(), "sip:gw@gw.example");
  EXPECT_EQ(bye.Header("CSeq"), "2 BYE");
  EXPECT_EQ(bye.Header("Call-ID"), "op-1-0123456789abcdef");
  EXPECT_EQ(bye.Header("From"), "<sip:+12025550199@198.51.100.1>;tag=t1fedcba98");
  EXPECT_EQ(bye.Header("To"), absl::StrCat("<", far_.User(), ">;tag=far"));
  EXPECT_THAT(absl::StrJoin(bye.Headers("Route"), ", "),
              absl::StrCat("<sip:127.0.0.1:", far_.port(), ";lr>, <sip:p2.example;lr>"));
  EXPECT_TRUE(far_.ReceiveRequest("BYE").valid);  // until it is answered
  far_.Answer(bye, {});
}

TEST_F(RecoveryTest, JournalEntriesThatAreDamagedAreSkipped) {
  ShardUnderTest shard;
  shard.Do([](SofiaSignaling& s) {
    s.ByeOrphan({});
    call::DialogState dialog;
    dialog.call_id = "a b";
    dialog.next_hop = "sip:name.example";
    s.ByeOrphan(dialog);
    s.CancelOrphan({});
  });
  EXPECT_EQ(shard.counters().send_failures, 0u);
}

// ---- requests of the far end ----

TEST_F(SofiaSignalingTest, AReinviteIsAnsweredWithTheShardsSdp) {
  const WireMessage invite = Establish();
  shard_.events.set_reinvite_answer("v=0\r\no=we 2 2 IN IP4 127.0.0.1\r\ns=-\r\n");
  far_.Request(invite, "INVITE", 100, {far_.Contact()}, kSdp);
  const WireMessage ok = far_.ReceiveResponse("INVITE");
  EXPECT_EQ(ok.Status(), 200);
  EXPECT_THAT(ok.body, HasSubstr("o=we 2 2"));
  EXPECT_EQ(ok.Header("Contact"), absl::StrCat("<sip:outpace@127.0.0.1:", shard_.port(), ">"));
  EXPECT_EQ(shard_.events.offers().back(), kSdp);
  EXPECT_EQ(far_.ReceiveResponse("INVITE").Status(), 200);  // repeated until the ACK
  far_.Request(invite, "ACK", 100);
  while (!far_.Quiet(300)) far_.Receive();  // T1 is 100 ms: now it stops

  far_.Request(invite, "INVITE", 101, {far_.Contact()});  // late offer
  EXPECT_EQ(far_.ReceiveResponse("INVITE").Status(), 200);
  EXPECT_EQ(shard_.events.offers().back(), "");
  far_.Request(invite, "ACK", 101, {}, kSdp);
}

TEST_F(SofiaSignalingTest, AReinviteTheShardRefusesGets488AndTheCallStaysUp) {
  const WireMessage invite = Establish();
  far_.Request(invite, "INVITE", 100, {far_.Contact()}, kSdp);
  EXPECT_EQ(far_.ReceiveResponse("INVITE").Status(), 488);
  far_.Request(invite, "ACK", 100);
  far_.Request(invite, "BYE", 101);
  EXPECT_EQ(far_.ReceiveResponse("BYE").Status(), 200);
  EXPECT_EQ(shard_.events.Next().kind, "bye");
}

TEST_F(SofiaSignalingTest, AReinviteRefreshesTheTarget) {
  const WireMessage invite = Establish();
  shard_.events.set_reinvite_answer(kSdp);
  far_.Request(invite, "UPDATE", 100, {"Contact: <sip:moved@127.0.0.1:9>"}, kSdp);
  EXPECT_EQ(far_.ReceiveResponse("UPDATE").Status(), 200);
  far_.Request(invite, "UPDATE", 101,
               {absl::StrCat("Contact: <sip:moved@127.0.0.1:", far_.port(), ">")}, kSdp);
  EXPECT_EQ(far_.ReceiveResponse("UPDATE").body, kSdp);
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  EXPECT_EQ(far_.ReceiveRequest("BYE").RequestUri(),
            absl::StrCat("sip:moved@127.0.0.1:", far_.port()));
}

TEST_F(SofiaSignalingTest, RequestsInsideTheDialogGetTheStatusTheyShould) {
  const WireMessage invite = Establish();
  const std::vector<std::pair<const char*, int>> expected = {
      {"OPTIONS", 200}, {"INFO", 200},      {"UPDATE", 200},  {"REFER", 603},
      {"MESSAGE", 405}, {"SUBSCRIBE", 405}, {"NOTIFY", 405},  {"PUBLISH", 405},
      {"FROB", 501},    {"PRACK", 481},     {"REGISTER", 405}};
  int cseq = 100;
  for (const auto& [method, status] : expected) {
    far_.Request(invite, method, ++cseq,
                 {"Refer-To: <sip:evil@192.0.2.1>", "Event: presence", "RAck: 1 1 INVITE"});
    EXPECT_EQ(far_.ReceiveResponse(method).Status(), status) << method;
  }
  EXPECT_TRUE(shard_.events.Empty());
}

TEST_F(SofiaSignalingTest, RequestsBeforeTheAnswerDoNotDisturbTheLeg) {
  const WireMessage invite = Ring();
  far_.Answer(invite, {180, "Ringing", "far", {}, ""});
  EXPECT_EQ(shard_.events.Next().status, 180);
  far_.Request(invite, "BYE", 100);
  EXPECT_EQ(far_.ReceiveResponse("BYE").Status(), 481);
  far_.Request(invite, "INVITE", 101, {far_.Contact()}, kSdp);
  EXPECT_EQ(far_.ReceiveResponse("INVITE").Status(), 481);
  far_.Request(invite, "UPDATE", 102, {far_.Contact()}, kSdp);
  EXPECT_EQ(far_.ReceiveResponse("UPDATE").Status(), 491);
  far_.Answer(invite, Ok());
  EXPECT_EQ(shard_.events.NextFinal().kind, "answer");
}

// A request outside any dialog, from `far`.
std::string OutsideRequest(const FarEnd& far, int to_port, absl::string_view method,
                           absl::string_view to_tag = "") {
  return absl::StrCat(method, " sip:outpace@127.0.0.1:", to_port,
                      " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:", far.port(), ";branch=z9hG4bKo",
                      method, ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:x@127.0.0.1>;tag=1\r\nTo: ",
                      "<sip:outpace@127.0.0.1>", to_tag, "\r\nCall-ID: outside-", method,
                      "\r\nCSeq: 7 ", method, "\r\nContact: <sip:x@127.0.0.1:", far.port(),
                      ">\r\nRefer-To: <sip:y@192.0.2.1>\r\nEvent: presence\r\n",
                      "Content-Length: 0\r\n\r\n");
}

TEST_F(SofiaSignalingTest, RequestsOutsideADialogGetTheStatusTheyShould) {
  const std::vector<std::pair<const char*, int>> expected = {
      {"OPTIONS", 200}, {"INVITE", 403},   {"MESSAGE", 405}, {"SUBSCRIBE", 405},
      {"REFER", 603},   {"REGISTER", 405}, {"PUBLISH", 405}, {"NOTIFY", 405},
      {"CANCEL", 481},  {"INFO", 405},     {"FROB", 501}};
  for (const auto& [method, status] : expected) {
    far_.Send(OutsideRequest(far_, shard_.port(), method), shard_.port());
    EXPECT_EQ(far_.ReceiveResponse(method).Status(), status) << method;
  }
  for (const char* method : {"BYE", "INVITE", "INFO"}) {
    far_.Send(OutsideRequest(far_, shard_.port(), method, ";tag=none"), shard_.port());
    EXPECT_EQ(far_.ReceiveResponse(method).Status(), 481) << method;
  }
  far_.Send(OutsideRequest(far_, shard_.port(), "ACK"), shard_.port());
  EXPECT_TRUE(far_.Quiet(100));
  EXPECT_TRUE(shard_.events.Empty());
}

// ---- strangers ----

TEST(Strangers, AreRefusedWhenTheKernelDoesNotDropThem) {
  SofiaConfig config = ShardUnderTest::Config();
  config.drop_strangers = false;
  ShardUnderTest shard(config);
  ASSERT_TRUE(shard.status.ok());
  FarEnd stranger("127.0.0.2");
  for (const char* method : {"OPTIONS", "INVITE", "MESSAGE", "SUBSCRIBE", "REFER", "REGISTER"}) {
    stranger.Send(OutsideRequest(stranger, shard.port(), method), shard.port());
    EXPECT_EQ(stranger.ReceiveResponse(method).Status(), 403) << method;
  }
  EXPECT_EQ(shard.counters().strangers_refused, 6u);
}

TEST(Strangers, CannotEndACallEvenWithItsTags) {
  SofiaConfig config = ShardUnderTest::Config();
  config.drop_strangers = false;
  ShardUnderTest shard(config);
  FarEnd far;
  ASSERT_TRUE(shard.Invite(RequestTo(far)).ok());
  const WireMessage invite = far.ReceiveRequest("INVITE");
  far.Answer(invite, {200, "OK", "far", {far.Contact()}, kSdp});
  ASSERT_EQ(shard.events.NextFinal().kind, "answer");
  shard.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
  FarEnd stranger("127.0.0.2");
  stranger.Request(invite, "BYE", 100);
  EXPECT_EQ(stranger.ReceiveResponse("BYE").Status(), 403);
  EXPECT_TRUE(shard.events.Empty());
}

TEST_F(SofiaSignalingTest, StrangersAreDroppedInTheKernel) {
  shard_.Do([](SofiaSignaling& s) { EXPECT_TRUE(s.strangers_dropped()); });
  FarEnd stranger("127.0.0.2");
  stranger.Send(OutsideRequest(stranger, shard_.port(), "OPTIONS"), shard_.port());
  EXPECT_TRUE(stranger.Quiet(100));
  EXPECT_EQ(shard_.counters().strangers_refused, 0u);  // it did not even arrive
  // The next hop of an INVITE is a peer from then on.
  ASSERT_TRUE(shard_.Invite(RequestTo(stranger, 2)).ok());
  EXPECT_TRUE(stranger.ReceiveRequest("INVITE").valid);
  stranger.Send(OutsideRequest(stranger, shard_.port(), "OPTIONS"), shard_.port());
  EXPECT_EQ(stranger.ReceiveResponse("OPTIONS").Status(), 200);
}

TEST_F(SofiaSignalingTest, ManyPeersFit) {
  shard_.Do([](SofiaSignaling& s) {
    for (int i = 0; i < 1'200; ++i) s.AddPeer(absl::StrCat("10.0.", i / 250, ".", i % 250));
    s.AddPeer("not-numeric.example");
    EXPECT_TRUE(s.strangers_dropped());
  });
  far_.Send(OutsideRequest(far_, shard_.port(), "OPTIONS"), shard_.port());
  EXPECT_EQ(far_.ReceiveResponse("OPTIONS").Status(), 200);
}

// ---- garbage ----

TEST_F(SofiaSignalingTest, LivesThroughGarbage) {
  const WireMessage invite = Establish();
  const std::string good = OutsideRequest(far_, shard_.port(), "INVITE");
  const std::string response = absl::StrCat(
      "SIP/2.0 200 OK\r\nVia: ", invite.Header("Via"), "\r\nFrom: ", invite.Header("From"),
      "\r\nTo: ", invite.Header("To"), ";tag=far\r\nCall-ID: ", invite.Header("Call-ID"),
      "\r\nCSeq: 1 INVITE\r\n", far_.Contact(),
      "\r\nRecord-Route: <sip:127.0.0.1;lr>\r\nReason: Q.850;cause=16\r\nRetry-After: 5\r\n"
      "Content-Type: multipart/mixed;boundary=b\r\nContent-Length: 4\r\n\r\n--b\n");
  Rng rng(20'240);
  for (int i = 0; i < 3'000; ++i) {
    std::string text = rng.Chance(0.5) ? good : response;
    for (uint64_t n = 1 + rng.Below(6); n > 0; --n) {
      const size_t at = rng.Below(text.size());
      switch (rng.Below(4)) {
        case 0:
          text[at] = static_cast<char>(rng.Below(256));
          break;
        case 1:
          text.erase(at, rng.Below(20));
          break;
        case 2:
          text.insert(at, text.substr(rng.Below(text.size()), rng.Below(40)));
          break;
        default:
          text.insert(at, std::string(rng.Below(9), ",;<>=\"\r\n%"[rng.Below(9)]));
      }
      if (text.empty()) text = "x";
    }
    far_.Send(text, shard_.port());
    if (i % 50 == 0) shard_.Do([](SofiaSignaling&) {});  // no faster than it reads
  }
  while (!far_.Quiet(100)) far_.Receive();
  far_.Send(OutsideRequest(far_, shard_.port(), "OPTIONS"), shard_.port());
  EXPECT_EQ(far_.ReceiveResponse("OPTIONS").Status(), 200);
}

// ---- the socket ----

TEST_F(SofiaSignalingTest, AsksForFourMegabytesAndTellsWhatItGot) {
  int receive = 0, send = 0;
  shard_.Do([&](SofiaSignaling& s) {
    receive = s.receive_buffer_bytes();
    send = s.send_buffer_bytes();
  });
  // A plain socket that asks for as much is granted the same or, where the process may override the
  // limit (SO_RCVBUFFORCE), less.
  const int plain = socket(AF_INET, SOCK_DGRAM, 0);
  const int asked = 4 << 20;
  setsockopt(plain, SOL_SOCKET, SO_RCVBUF, &asked, sizeof asked);
  int granted = 0, untouched = 0;
  socklen_t size = sizeof granted;
  getsockopt(plain, SOL_SOCKET, SO_RCVBUF, &granted, &size);
  close(plain);
  const int fresh = socket(AF_INET, SOCK_DGRAM, 0);
  getsockopt(fresh, SOL_SOCKET, SO_RCVBUF, &untouched, &size);
  close(fresh);
  EXPECT_GE(receive, granted);
  EXPECT_GT(send, 0);
  if (granted > untouched) {
    EXPECT_GT(receive, untouched);
  }
}

class CountedLog final : public Log {
 public:
  void Write(Severity severity, absl::string_view event,
             std::initializer_list<LogField> fields) override {
    if (severity == Severity::kWarning) warnings.emplace_back(event);
    for (const LogField& field : fields) {
      if (const auto* text = std::get_if<std::string>(&field.value)) {
        EXPECT_THAT(*text, Not(HasSubstr("55501")));
      }
    }
  }
  std::vector<std::string> warnings;
};

TEST(Buffers, AWarningIsLoggedWhenTheKernelGrantsLittle) {
  const runtime::RealClock clock;
  SofiaLoop loop(clock);
  CountedLog log;
  RecordedEvents events;
  SofiaConfig config = ShardUnderTest::Config();
  config.udp_buffer_bytes = 64 << 10;
  std::unique_ptr<SofiaSignaling> sip;
  std::thread thread([&] {
    EXPECT_TRUE(loop.Run([&] { sip = SofiaSignaling::Create(config, loop, log, events).value(); },
                         [&] {
                           EXPECT_EQ(sip->receive_buffer_bytes(), 128 << 10);  // Linux doubles it
                           sip.reset();
                         })
                    .ok());
  });
  loop.Stop();
  thread.join();
  EXPECT_THAT(log.warnings, ElementsAre("sip.receive_buffer_small"));
}

TEST(Creation, RefusesBadConfigurationAndTakenPorts) {
  SofiaConfig config = ShardUnderTest::Config();
  config.bind_address = "localhost";
  EXPECT_EQ(ShardUnderTest(config).status.code(), absl::StatusCode::kInvalidArgument);
  config = ShardUnderTest::Config();
  config.peers = {"carrier.example"};
  EXPECT_EQ(ShardUnderTest(config).status.code(), absl::StatusCode::kInvalidArgument);
  config = ShardUnderTest::Config();
  config.port = 70'000;
  EXPECT_EQ(ShardUnderTest(config).status.code(), absl::StatusCode::kInvalidArgument);
  config = ShardUnderTest::Config();
  config.public_host = "a b";
  EXPECT_EQ(ShardUnderTest(config).status.code(), absl::StatusCode::kInvalidArgument);
  const FarEnd taken;
  config = ShardUnderTest::Config();
  config.port = taken.port();
  EXPECT_EQ(ShardUnderTest(config).status.code(), absl::StatusCode::kUnavailable);
}

TEST(PublicHost, StandsInViaAndContactAndStraysAreStillOurs) {
  SofiaConfig config = ShardUnderTest::Config();
  config.public_host = "dialer.example";
  config.assert_identity = true;
  ShardUnderTest shard(config);
  ASSERT_TRUE(shard.status.ok()) << shard.status;
  FarEnd far;
  ASSERT_TRUE(shard.Invite(RequestTo(far)).ok());
  const WireMessage invite = far.ReceiveRequest("INVITE");
  EXPECT_THAT(invite.Header("Via"),
              StartsWith(absl::StrCat("SIP/2.0/UDP dialer.example:", shard.port())));
  EXPECT_EQ(invite.Header("Contact"),
            absl::StrCat("<sip:outpace@dialer.example:", shard.port(), ">"));
  EXPECT_EQ(invite.Header("P-Asserted-Identity"), "<sip:+12025550199@198.51.100.1>");
  far.Answer(invite, {200, "OK", "far", {far.Contact()}, kSdp});
  ASSERT_EQ(shard.events.NextFinal().kind, "answer");
  far.Answer(invite, {200, "OK", "fork", {far.Contact()}, kSdp});
  EXPECT_TRUE(far.ReceiveRequest("BYE").valid);
}

TEST_F(SofiaSignalingTest, AnInviteOver1300BytesGoesByUdpAtOnce) {
  call::InviteRequest request = RequestTo(far_);
  request.sdp_offer += std::string(4'000, 'a');
  const MonoTime start = shard_.clock.Mono();
  ASSERT_TRUE(shard_.Invite(request).ok());
  const WireMessage invite = far_.ReceiveRequest("INVITE");
  EXPECT_EQ(invite.body.size(), request.sdp_offer.size());
  EXPECT_LT(shard_.clock.Mono() - start, absl::Seconds(2));  // by way of TCP it takes 4
}

// ---- throughput ----

// A thousand calls against a scripted far end, a hundred at a time: INVITE, 180, 200, ACK, BYE,
// 200. On a busy machine either side may repeat itself, so what counts is Call-IDs.
TEST(Throughput, AThousandCallsAllComplete) {
  constexpr uint32_t kCalls = 1'000;
  SofiaConfig config = ShardUnderTest::Config();
  config.t1 = absl::Milliseconds(500);
  config.t1x64 = absl::Seconds(30);
  ShardUnderTest shard(config);
  FarEnd far;
  std::atomic<uint32_t> done = 0, failed = 0;
  shard.events.reaction = [&](const Event& event) {
    if (event.kind == "answer") {
      shard.sip->Ack(event.leg);
      shard.sip->Bye(event.leg, 16);
    } else if (event.kind != "provisional") {
      shard.sip->Forget(event.leg);
      ++(event.kind == "bye_done" ? done : failed);
    }
  };
  std::set<std::string> acked, ended;
  const MonoTime deadline = shard.clock.Mono() + absl::Seconds(60);
  for (uint32_t placed = 0; done + failed < kCalls && shard.clock.Mono() < deadline;) {
    for (; placed < kCalls && placed < done + failed + 100; ++placed) {
      ASSERT_TRUE(shard.Invite(RequestTo(far, placed + 1)).ok());
    }
    if (far.Quiet(10)) continue;
    const WireMessage message = far.Receive();
    if (message.IsRequest("INVITE")) {
      far.Answer(message, {180, "Ringing", "far", {}, ""});
      far.Answer(message, {200, "OK", "far", {far.Contact()}, kSdp});
    } else if (message.IsRequest("ACK")) {
      acked.insert(message.Header("Call-ID"));
    } else if (message.IsRequest("BYE")) {
      ended.insert(message.Header("Call-ID"));
      far.Answer(message, {});
    }
  }
  EXPECT_EQ(done, kCalls);
  EXPECT_EQ(failed, 0u);
  EXPECT_EQ(acked.size(), kCalls);
  EXPECT_EQ(ended.size(), kCalls);
  EXPECT_EQ(shard.counters().invites, kCalls);
}

}  // namespace
}  // namespace outpace::sip
