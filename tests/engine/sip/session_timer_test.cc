#include "engine/sip/session_timer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/engine/sip/trunk_fixture.h"

namespace outpace::sip {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// ---- the terms ----

TEST(SessionTerms, OfA2xxToUs) {
  EXPECT_FALSE(TermsOfResponse(std::nullopt).has_value());
  EXPECT_TRUE(TermsOfResponse(SessionHeader{1800, "uac"})->we_refresh);
  EXPECT_TRUE(TermsOfResponse(SessionHeader{1800, ""})->we_refresh);
  EXPECT_FALSE(TermsOfResponse(SessionHeader{1800, "UAS"})->we_refresh);
  EXPECT_EQ(TermsOfResponse(SessionHeader{1, "uac"})->expires, absl::Seconds(90));
  EXPECT_EQ(TermsOfResponse(SessionHeader{~uint64_t{0}, "uac"})->expires, absl::Hours(24));
}

TEST(SessionTerms, OfARequestToUs) {
  SessionAnswer answer = AnswerSession(SessionHeader{1800, ""}, true, absl::ZeroDuration());
  EXPECT_EQ(answer.header, "1800;refresher=uac");
  EXPECT_TRUE(answer.require_timer);
  EXPECT_FALSE(answer.terms->we_refresh);
  answer = AnswerSession(SessionHeader{1800, "uas"}, true, absl::ZeroDuration());
  EXPECT_EQ(answer.header, "1800;refresher=uas");
  EXPECT_FALSE(answer.require_timer);
  EXPECT_TRUE(answer.terms->we_refresh);
  // A proxy put it in: the far end will not refresh.
  answer = AnswerSession(SessionHeader{1800, ""}, false, absl::ZeroDuration());
  EXPECT_TRUE(answer.terms->we_refresh);
  EXPECT_FALSE(answer.require_timer);
  EXPECT_TRUE(AnswerSession(SessionHeader{89, ""}, true, absl::ZeroDuration()).too_small);
  EXPECT_FALSE(AnswerSession(SessionHeader{90, ""}, true, absl::ZeroDuration()).too_small);
  // Nothing asked for: ours, if the far end knows the timer.
  EXPECT_FALSE(AnswerSession(std::nullopt, true, absl::ZeroDuration()).terms.has_value());
  EXPECT_FALSE(AnswerSession(std::nullopt, false, absl::Seconds(600)).terms.has_value());
  answer = AnswerSession(std::nullopt, true, absl::Seconds(600));
  EXPECT_EQ(answer.header, "600;refresher=uas");
  EXPECT_TRUE(answer.terms->we_refresh);
}

TEST(SessionTerms, RefreshAtHalfAndGiveUpBefore) {
  const SessionTerms long_one{.expires = absl::Seconds(1800), .we_refresh = true};
  EXPECT_EQ(RefreshAfter(long_one), absl::Seconds(900));
  EXPECT_EQ(GiveUpAfter(long_one), absl::Seconds(1768));
  const SessionTerms short_one{.expires = absl::Seconds(90), .we_refresh = false};
  EXPECT_EQ(GiveUpAfter(short_one), absl::Seconds(60));
}

// ---- on the wire ----

SofiaConfig Asking() {
  SipTrunk trunk = LoopbackTrunk();
  trunk.session_expires = absl::Seconds(600);
  return ConfigWith(trunk);
}

class SessionTest : public TrunkFixture {
 protected:
  SessionTest() : TrunkFixture(Asking()) {}
  // The next request of either kind that refreshes.
  WireMessage Refreshed() {
    for (;;) {
      WireMessage message = far_.Receive();
      if (!message.valid || message.IsRequest("UPDATE") || message.IsRequest("INVITE")) {
        return message;
      }
    }
  }
};

TEST_F(SessionTest, IsAskedForInTheInvite) {
  const WireMessage invite = Ring();
  EXPECT_EQ(invite.Header("Supported"), "timer");
  EXPECT_EQ(invite.Header("Session-Expires"), "600;refresher=uac");
  EXPECT_EQ(invite.Header("Min-SE"), "90");
}

TEST_F(SessionTest, WeRefreshByUpdateAtHalfAndTheNumbersGoOn) {
  const WireMessage invite = Establish(
      {"Session-Expires: 200;refresher=uac", "Require: timer", "Allow: INVITE, ACK, BYE, UPDATE"});
  EXPECT_GT(answer_.dialog.cseq, 100u);  // so that a BYE after a crash is above all refreshes
  for (const int cseq : {2, 3, 4}) {
    shard_.Advance(absl::Seconds(99));
    EXPECT_TRUE(far_.Quiet(10));
    shard_.Advance(absl::Seconds(1));
    const WireMessage update = Refreshed();
    ASSERT_TRUE(update.IsRequest("UPDATE"));
    EXPECT_EQ(update.Header("CSeq"), absl::StrCat(cseq, " UPDATE"));
    EXPECT_EQ(update.Header("Session-Expires"), "200;refresher=uac");
    EXPECT_EQ(update.Header("Supported"), "timer");
    EXPECT_EQ(update.body, "");
    EXPECT_NE(update.Header("Contact"), "");
    far_.Answer(update, {200, "OK", "far", {"Session-Expires: 200;refresher=uac"}, ""});
    Settle();
  }
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  EXPECT_EQ(far_.ReceiveRequest("BYE").Header("CSeq"), "5 BYE");
  shard_.Advance(absl::Hours(1));
  EXPECT_TRUE(shard_.events.Empty());
}

TEST_F(SessionTest, WithoutUpdateWeRefreshByReinviteWithTheSameSdp) {
  const WireMessage invite =
      Establish({"Session-Expires: 200;refresher=uac", "Allow: INVITE, ACK, BYE"});
  shard_.Advance(absl::Seconds(100));
  const WireMessage again = Refreshed();
  ASSERT_TRUE(again.IsRequest("INVITE"));
  EXPECT_EQ(again.Header("CSeq"), "2 INVITE");
  EXPECT_EQ(again.body, invite.body);
  EXPECT_THAT(again.Header("To"), HasSubstr(";tag=far"));
  far_.Answer(again, Ok({"Session-Expires: 200;refresher=uac"}));
  EXPECT_EQ(far_.ReceiveRequest("ACK").Header("CSeq"), "2 ACK");
  const Event event = shard_.events.Next();
  EXPECT_EQ(event.kind, "reinvite_answer");
  EXPECT_EQ(event.sdp, kFarSdp);
  far_.Answer(again, Ok({"Session-Expires: 200;refresher=uac"}));  // its ACK was lost
  EXPECT_EQ(far_.ReceiveRequest("ACK").Header("CSeq"), "2 ACK");
  far_.Answer(invite, Ok());  // a very late copy of the first
  EXPECT_EQ(far_.ReceiveRequest("ACK").Header("CSeq"), "1 ACK");
  shard_.Advance(absl::Seconds(100));
  EXPECT_EQ(Refreshed().Header("CSeq"), "3 INVITE");
}

TEST_F(SessionTest, AnUpdateThatIsRefusedBecomesAReinvite) {
  Establish({"Session-Expires: 200;refresher=uac", "Allow: UPDATE"});
  shard_.Advance(absl::Seconds(100));
  far_.Answer(Refreshed(), {501, "Not Implemented", "far", {}, ""});
  EXPECT_EQ(Refreshed().Header("CSeq"), "3 INVITE");
}

TEST_F(SessionTest, WithoutSessionExpiresInThe200ThereIsNone) {
  Establish({"Allow: UPDATE"});
  shard_.Advance(absl::Hours(10));
  EXPECT_TRUE(far_.Quiet(20));
  EXPECT_TRUE(shard_.events.Empty());
}

TEST_F(SessionTest, TheFarEndsRefreshIsAnsweredAndKeepsTheCall) {
  const WireMessage invite = Establish({"Session-Expires: 300;refresher=uas", "Allow: UPDATE"});
  for (int i = 0; i < 3; ++i) {
    shard_.Advance(absl::Seconds(150));
    far_.Request(invite, "UPDATE", 10 + i,
                 {"Session-Expires: 300;refresher=uac", "Supported: timer", far_.Contact()});
    const WireMessage ok = far_.ReceiveResponse("UPDATE");
    EXPECT_EQ(ok.Status(), 200);
    EXPECT_EQ(ok.Header("Session-Expires"), "300;refresher=uac");
    EXPECT_EQ(ok.Header("Require"), "timer");
  }
  EXPECT_TRUE(shard_.events.Empty());
}

TEST_F(SessionTest, WithoutTheFarEndsRefreshTheCallIsEnded) {
  Establish({"Session-Expires: 300;refresher=uas"});
  shard_.Advance(absl::Seconds(267));
  EXPECT_TRUE(far_.Quiet(10));
  shard_.Advance(absl::Seconds(1));
  const WireMessage bye = far_.ReceiveRequest("BYE");
  EXPECT_EQ(bye.Header("Reason"), "Q.850;cause=102");
  const Event event = shard_.events.Next();
  EXPECT_EQ(event.kind, "bye");
  EXPECT_EQ(event.cause, 102);
  EXPECT_EQ(shard_.counters().sessions_expired, 1u);
  shard_.Do([](SofiaSignaling& s) { s.Forget(Leg1()); });
  far_.Answer(bye, {});
  Settle();
  EXPECT_TRUE(shard_.events.Empty());
}

TEST_F(SessionTest, ARefreshThatMeetsA481EndsTheCall) {
  Establish({"Session-Expires: 200;refresher=uac", "Allow: UPDATE"});
  shard_.Advance(absl::Seconds(100));
  far_.Answer(Refreshed(), {481, "No such call", "far", {}, ""});
  EXPECT_EQ(shard_.events.Next().kind, "bye");
  EXPECT_TRUE(far_.ReceiveRequest("BYE").valid);
}

TEST_F(SessionTest, ARefreshThatFailsIsTriedAgainUntilTheTimeIsUp) {
  Establish({"Session-Expires: 200;refresher=uac", "Allow: UPDATE"});
  shard_.Advance(absl::Seconds(100));
  far_.Answer(Refreshed(), {500, "Error", "far", {}, ""});
  Settle();
  shard_.Advance(absl::Seconds(35));  // half of what is left to 168 s
  const WireMessage second = Refreshed();
  EXPECT_EQ(second.Header("CSeq"), "3 UPDATE");
  far_.Answer(second, {500, "Error", "far", {}, ""});
  Settle();
  shard_.Advance(absl::Seconds(40));
  EXPECT_EQ(shard_.events.Next().kind, "bye");
}

TEST_F(SessionTest, ALongerSessionIsAgreedToOnce) {
  const WireMessage first = Ring();
  far_.Answer(first, {422, "Session Interval Too Small", "far", {"Min-SE: 1200"}, ""});
  const WireMessage second = far_.ReceiveRequest("INVITE");
  EXPECT_EQ(second.Header("CSeq"), "2 INVITE");
  EXPECT_EQ(second.Header("Session-Expires"), "1200;refresher=uac");
  EXPECT_EQ(second.Header("Min-SE"), "1200");
  EXPECT_EQ(WireMessage::Param(second.Header("Via"), "branch"), "z9hG4bKop1aabbccdd.2");
  EXPECT_TRUE(shard_.events.Empty());
  far_.Answer(second, {422, "Session Interval Too Small", "far", {"Min-SE: 1300"}, ""});
  EXPECT_EQ(shard_.events.Next().status, 422);
}

TEST_F(SessionTest, AnAbsurdMinimumIsAFailure) {
  far_.Answer(Ring(), {422, "Session Interval Too Small", "far", {"Min-SE: 7201"}, ""});
  EXPECT_EQ(shard_.events.Next().status, 422);
}

TEST_F(SessionTest, A422ToARefreshIsFollowed) {
  Establish({"Session-Expires: 200;refresher=uac", "Allow: UPDATE"});
  shard_.Advance(absl::Seconds(100));
  far_.Answer(Refreshed(), {422, "Session Interval Too Small", "far", {"Min-SE: 400"}, ""});
  const WireMessage longer = Refreshed();
  EXPECT_EQ(longer.Header("Session-Expires"), "400;refresher=uac");
  far_.Answer(longer, {200, "OK", "far", {"Session-Expires: 400;refresher=uac"}, ""});
  Settle();
  shard_.Advance(absl::Seconds(199));
  EXPECT_TRUE(far_.Quiet(10));
  shard_.Advance(absl::Seconds(1));
  EXPECT_TRUE(Refreshed().valid);
}

// ---- glare ----

TEST_F(SessionTest, OurRefreshWaitsAfterAGlareAndComesAgain) {
  Establish({"Session-Expires: 200;refresher=uac", "Allow: INVITE, ACK"});
  shard_.Advance(absl::Seconds(100));
  far_.Answer(Refreshed(), {491, "Request Pending", "far", {}, ""});
  EXPECT_TRUE(far_.ReceiveRequest("ACK").valid);
  Settle();
  shard_.Advance(absl::Milliseconds(2'000));
  EXPECT_TRUE(far_.Quiet(10));
  shard_.Advance(absl::Milliseconds(2'000));
  EXPECT_EQ(Refreshed().Header("CSeq"), "3 INVITE");
}

TEST_F(SessionTest, TheirReinviteAcrossOursMeets491) {
  shard_.events.set_reinvite_answer(kFarSdp);
  const WireMessage invite =
      Establish({"Session-Expires: 200;refresher=uac", "Allow: INVITE, ACK"});
  shard_.Advance(absl::Seconds(100));
  const WireMessage ours = Refreshed();
  far_.Request(invite, "INVITE", 100, {far_.Contact()}, kFarSdp);
  WireMessage response = far_.ReceiveResponse("INVITE");
  EXPECT_EQ(response.Status(), 491);
  far_.Request(invite, "ACK", 100);
  far_.Answer(ours, Ok({"Session-Expires: 200;refresher=uac"}));
  EXPECT_TRUE(far_.ReceiveRequest("ACK").valid);
  far_.Request(invite, "INVITE", 101, {far_.Contact()}, kFarSdp);
  do {
    response = far_.ReceiveResponse("INVITE");
  } while (response.valid && response.Header("CSeq") != "101 INVITE");
  EXPECT_EQ(response.Status(), 200);
}

// ---- where we did not ask ----

class NoSessionTest : public TrunkFixture {
 protected:
  NoSessionTest() : TrunkFixture(ConfigWith(LoopbackTrunk())) {}
};

TEST_F(NoSessionTest, WhatTheFarEndPutsIntoIts200IsHonoured) {
  const WireMessage invite =
      Establish({"Session-Expires: 120;refresher=uac", "Require: timer", "Allow: UPDATE"});
  EXPECT_EQ(invite.Header("Session-Expires"), "");
  shard_.Advance(absl::Seconds(60));
  EXPECT_EQ(far_.ReceiveRequest("UPDATE").Header("Session-Expires"), "120;refresher=uac");
}

TEST_F(NoSessionTest, AReinviteMayBringATimerAndTakeItAway) {
  shard_.events.set_reinvite_answer("v=0\r\no=us 2 2 IN IP4 127.0.0.1\r\ns=-\r\n");
  const WireMessage invite = Establish();
  far_.Request(invite, "INVITE", 100,
               {far_.Contact(), "Session-Expires: 120;refresher=uas", "Supported: timer",
                "Allow: INVITE, ACK"},
               kFarSdp);
  WireMessage ok = far_.ReceiveResponse("INVITE");
  EXPECT_EQ(ok.Status(), 200);
  EXPECT_EQ(ok.Header("Session-Expires"), "120;refresher=uas");
  EXPECT_EQ(ok.Header("Require"), "");
  EXPECT_EQ(ok.Header("Supported"), "timer");
  far_.Request(invite, "ACK", 100);
  Settle();
  shard_.Advance(absl::Seconds(60));
  const WireMessage ours = far_.ReceiveRequest("INVITE");
  EXPECT_THAT(ours.body, StartsWith("v=0\r\no=us 2"));
  far_.Answer(ours, Ok());  // without Session-Expires: off
  EXPECT_TRUE(far_.ReceiveRequest("ACK").valid);
  Settle();
  shard_.Advance(absl::Hours(1));
  EXPECT_TRUE(far_.Quiet(10));
}

TEST_F(NoSessionTest, ATooShortSessionIsRefusedWithTheMinimum) {
  const WireMessage invite = Establish();
  far_.Request(invite, "UPDATE", 100, {"Session-Expires: 30", "Supported: timer"});
  const WireMessage refused = far_.ReceiveResponse("UPDATE");
  EXPECT_EQ(refused.Status(), 422);
  EXPECT_EQ(refused.Header("Min-SE"), "90");
}

TEST_F(NoSessionTest, ALegThatIsForgottenLeavesNoTimer) {
  Establish({"Session-Expires: 120;refresher=uac", "Allow: UPDATE"});
  shard_.Do([](SofiaSignaling& s) { s.Forget(Leg1()); });
  EXPECT_TRUE(far_.ReceiveRequest("BYE").valid);
  shard_.Advance(absl::Hours(1));
  Settle();
  EXPECT_TRUE(shard_.events.Empty());
}

}  // namespace
}  // namespace outpace::sip
