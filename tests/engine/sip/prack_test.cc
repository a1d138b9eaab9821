// Reliable provisional responses (RFC 3262) and early dialogs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/engine/sip/trunk_fixture.h"

namespace outpace::sip {
namespace {

using ::testing::HasSubstr;

SofiaConfig Reliable() {
  SipTrunk trunk = LoopbackTrunk();
  trunk.hundred_rel = true;
  trunk.auth_user = "user";
  trunk.auth_password = "secret";
  return ConfigWith(trunk);
}

class PrackTest : public TrunkFixture {
 protected:
  PrackTest() : TrunkFixture(Reliable()) {}
  Reply Progress(int rseq, const std::string& tag = "far", const std::string& sdp = kFarSdp) {
    return {183,
            "Session Progress",
            tag,
            {"Require: 100rel", absl::StrCat("RSeq: ", rseq),
             absl::StrCat("Contact: <sip:", tag, "@127.0.0.1:", far_.port(), ">")},
            sdp};
  }
};

TEST_F(PrackTest, EachReliableResponseIsConfirmedAndTheCallGoesOn) {
  const WireMessage invite = Ring();
  EXPECT_EQ(invite.Header("Supported"), "100rel");
  far_.Answer(invite, Progress(7001));
  Event event = shard_.events.Next();
  EXPECT_EQ(event.status, 183);
  EXPECT_EQ(event.sdp, kFarSdp);
  WireMessage prack = far_.ReceiveRequest("PRACK");
  EXPECT_EQ(prack.Header("CSeq"), "2 PRACK");
  EXPECT_EQ(prack.Header("RAck"), "7001 1 INVITE");
  EXPECT_EQ(prack.RequestUri(), absl::StrCat("sip:far@127.0.0.1:", far_.port()));
  EXPECT_THAT(prack.Header("To"), HasSubstr(";tag=far"));
  far_.Answer(prack, {});
  far_.Answer(invite, Progress(7002, "far", ""));
  EXPECT_EQ(shard_.events.Next().status, 183);
  prack = far_.ReceiveRequest("PRACK");
  EXPECT_EQ(prack.Header("CSeq"), "3 PRACK");
  EXPECT_EQ(prack.Header("RAck"), "7002 1 INVITE");
  far_.Answer(prack, {});

  far_.Answer(invite, Ok());
  event = shard_.events.Next();
  ASSERT_EQ(event.kind, "answer");
  EXPECT_EQ(event.dialog.cseq, 3u);  // a BYE after a crash takes 4
  // The trap: the stack would give this ACK the number of the PRACK, and abort.
  shard_.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
  EXPECT_EQ(far_.ReceiveRequest("ACK").Header("CSeq"), "1 ACK");
  far_.Answer(invite, Ok());
  EXPECT_EQ(far_.ReceiveRequest("ACK").Header("CSeq"), "1 ACK");
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  EXPECT_EQ(far_.ReceiveRequest("BYE").Header("CSeq"), "4 BYE");
}

TEST_F(PrackTest, ARepeatedResponseIsConfirmedOnce) {
  const WireMessage invite = Ring();
  far_.Answer(invite, Progress(1));
  const WireMessage prack = far_.ReceiveRequest("PRACK");
  far_.Answer(invite, Progress(1));
  far_.Answer(invite, Progress(1));
  far_.Answer(prack, {});
  Settle();
  EXPECT_EQ(shard_.events.Next().status, 183);
  EXPECT_TRUE(shard_.events.Empty());
  EXPECT_TRUE(far_.Quiet(30));
}

TEST_F(PrackTest, OutOfOrderIsLeftUntilItsTurn) {
  const WireMessage invite = Ring();
  far_.Answer(invite, Progress(10));
  far_.Answer(far_.ReceiveRequest("PRACK"), {});
  far_.Answer(invite, Progress(12));
  far_.Answer(invite, Progress(9));
  Settle();
  EXPECT_TRUE(far_.Quiet(30));
  far_.Answer(invite, Progress(11));
  EXPECT_EQ(far_.ReceiveRequest("PRACK").Header("RAck"), "11 1 INVITE");
}

TEST_F(PrackTest, EachForkIsADialogOfItsOwn) {
  const WireMessage invite = Ring();
  far_.Answer(invite, Progress(5, "one"));
  WireMessage prack = far_.ReceiveRequest("PRACK");
  EXPECT_THAT(prack.Header("To"), HasSubstr(";tag=one"));
  far_.Answer(prack, {});
  far_.Answer(invite, Progress(900, "two"));
  prack = far_.ReceiveRequest("PRACK");
  EXPECT_THAT(prack.Header("To"), HasSubstr(";tag=two"));
  EXPECT_EQ(prack.Header("RAck"), "900 1 INVITE");
  EXPECT_EQ(prack.RequestUri(), absl::StrCat("sip:two@127.0.0.1:", far_.port()));
  far_.Answer(prack, {});
  Reply ok = Ok();
  ok.to_tag = "two";
  far_.Answer(invite, ok);
  EXPECT_EQ(shard_.events.NextFinal().dialog.to_tag, "two");
  shard_.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
  EXPECT_THAT(far_.ReceiveRequest("ACK").Header("To"), HasSubstr(";tag=two"));
  // The other fork answers as well: its BYE comes after its PRACK.
  ok.to_tag = "one";
  far_.Answer(invite, ok);
  const WireMessage bye = far_.ReceiveRequest("BYE");
  EXPECT_THAT(bye.Header("To"), HasSubstr(";tag=one"));
  EXPECT_EQ(bye.Header("CSeq"), "4 BYE");
}

TEST_F(PrackTest, TheAnswerOfAReliableResponseStandsForA200WithoutOne) {
  const WireMessage invite = Ring();
  far_.Answer(invite, Progress(1));
  far_.Answer(far_.ReceiveRequest("PRACK"), {});
  Reply ok = Ok();
  ok.body = "";
  far_.Answer(invite, ok);
  EXPECT_EQ(shard_.events.NextFinal().sdp, kFarSdp);
}

TEST_F(PrackTest, AChallengedPrackIsSentAgain) {
  const WireMessage invite = Ring();
  far_.Answer(invite, Progress(1));
  far_.Answer(far_.ReceiveRequest("PRACK"),
              {407, "Auth", "far", {"Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\""}, ""});
  const WireMessage again = far_.ReceiveRequest("PRACK");
  EXPECT_EQ(again.Header("CSeq"), "3 PRACK");
  EXPECT_EQ(again.Header("RAck"), "1 1 INVITE");
  EXPECT_NE(again.Header("Proxy-Authorization"), "");
}

TEST_F(PrackTest, ARefusedPrackAndALostLegHarmNothing) {
  const WireMessage invite = Ring();
  far_.Answer(invite, Progress(1));
  far_.Answer(far_.ReceiveRequest("PRACK"), {481, "Unknown", "far", {}, ""});
  far_.Answer(invite, Progress(2));
  EXPECT_TRUE(far_.ReceiveRequest("PRACK").valid);
  shard_.Do([](SofiaSignaling& s) {
    s.Cancel(Leg1());
    s.Forget(Leg1());
  });
  const WireMessage cancel = far_.ReceiveRequest("CANCEL");
  EXPECT_EQ(cancel.Header("CSeq"), "1 CANCEL");
  far_.Answer(invite, Ok());
  EXPECT_TRUE(far_.ReceiveRequest("BYE").valid);
}

TEST_F(PrackTest, AnUpdateInAnEarlyDialogIsAnswered) {
  const WireMessage invite = Ring();
  far_.Answer(invite, Progress(1, "one"));
  far_.Answer(far_.ReceiveRequest("PRACK"), {});
  far_.Request(invite, "UPDATE", 50,
               {absl::StrCat("Contact: <sip:moved@127.0.0.1:", far_.port(), ">")}, "", "one");
  EXPECT_EQ(far_.ReceiveResponse("UPDATE").Status(), 200);
  // With an offer, as ours has been answered; not in the dialog where it has not.
  far_.Request(invite, "UPDATE", 51, {}, kFarSdp, "other");
  EXPECT_EQ(far_.ReceiveResponse("UPDATE").Status(), 491);
  far_.Request(invite, "UPDATE", 52, {}, kFarSdp, "one");
  EXPECT_EQ(far_.ReceiveResponse("UPDATE").Status(), 488);  // the shard does not want it
  shard_.events.set_reinvite_answer("v=0\r\no=us 2 2 IN IP4 127.0.0.1\r\ns=-\r\n");
  far_.Request(invite, "UPDATE", 53, {}, kFarSdp, "one");
  const WireMessage answer = far_.ReceiveResponse("UPDATE");
  EXPECT_EQ(answer.Status(), 200);
  EXPECT_THAT(answer.body, HasSubstr("o=us 2"));
  Reply second = Progress(2, "one", "");
  second.extra.pop_back();
  far_.Answer(invite, second);
  EXPECT_EQ(far_.ReceiveRequest("PRACK").RequestUri(),
            absl::StrCat("sip:moved@127.0.0.1:", far_.port()));
}

// With both, every request has the next number, whichever dialog object of the stack it went
// through.
class ReliableSessionTest : public TrunkFixture {
 protected:
  static SofiaConfig Both() {
    SofiaConfig config = Reliable();
    config.trunks[0].session_expires = absl::Seconds(200);
    return config;
  }
  ReliableSessionTest() : TrunkFixture(Both()) {}
};

TEST_F(ReliableSessionTest, NumbersNeverRepeat) {
  const WireMessage first = Ring();
  EXPECT_EQ(first.Header("Supported"), "timer, 100rel");
  far_.Answer(first,
              {407, "Auth", "far", {"Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\""}, ""});
  const WireMessage invite = far_.ReceiveRequest("INVITE");
  EXPECT_EQ(invite.Header("CSeq"), "2 INVITE");
  far_.Answer(invite, {183, "Progress", "far", {"Require: 100rel", "RSeq: 1", far_.Contact()}, ""});
  WireMessage request = far_.ReceiveRequest("PRACK");
  EXPECT_EQ(request.Header("CSeq"), "3 PRACK");
  EXPECT_EQ(request.Header("RAck"), "1 2 INVITE");
  far_.Answer(request, {});
  far_.Answer(invite, Ok({"Session-Expires: 200;refresher=uac", "Allow: UPDATE"}));
  ASSERT_EQ(shard_.events.NextFinal().kind, "answer");
  shard_.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
  EXPECT_EQ(far_.ReceiveRequest("ACK").Header("CSeq"), "2 ACK");
  for (const int cseq : {4, 5}) {
    shard_.Advance(absl::Seconds(100));
    request = far_.ReceiveRequest("UPDATE");
    EXPECT_EQ(request.Header("CSeq"), absl::StrCat(cseq, " UPDATE"));
    far_.Answer(request, {200, "OK", "far", {"Session-Expires: 200;refresher=uac"}, ""});
    Settle();
  }
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  request = far_.ReceiveRequest("BYE");
  EXPECT_EQ(request.Header("CSeq"), "6 BYE");
  far_.Answer(request,
              {407, "Auth", "far", {"Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\""}, ""});
  request = far_.ReceiveRequest("BYE");
  EXPECT_EQ(request.Header("CSeq"), "7 BYE");
  far_.Answer(request, {});
  EXPECT_EQ(shard_.events.Next().kind, "bye_done");
}

class UnreliableTest : public TrunkFixture {
 protected:
  UnreliableTest() : TrunkFixture(ConfigWith(LoopbackTrunk())) {}
};

TEST_F(UnreliableTest, AReliableResponseThatWasNotAskedForIsSurvived) {
  const WireMessage invite = Ring();
  for (int i = 0; i < 3; ++i) {
    far_.Answer(invite, {183, "Progress", "far", {"Require: 100rel", "RSeq: 1"}, kFarSdp});
    EXPECT_EQ(shard_.events.Next().status, 183);
  }
  far_.Answer(invite, Ok());
  EXPECT_EQ(shard_.events.Next().kind, "answer");
  shard_.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
  EXPECT_EQ(far_.ReceiveRequest("ACK").Header("CSeq"), "1 ACK");
}

}  // namespace
}  // namespace outpace::sip
