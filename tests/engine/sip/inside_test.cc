// Requests of the far end inside a dialog that we opened, beyond BYE.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/engine/sip/trunk_fixture.h"

namespace outpace::sip {
namespace {

constexpr char kOurSdp[] = "v=0\r\no=us 2 2 IN IP4 127.0.0.1\r\ns=-\r\n";

class InsideTest : public TrunkFixture {
 protected:
  InsideTest() : TrunkFixture(ConfigWith(LoopbackTrunk())) {}
  void SetUp() override {
    TrunkFixture::SetUp();
    shard_.events.set_reinvite_answer(kOurSdp);
  }
};

TEST_F(InsideTest, ALateOffersAnswerComesWithTheAck) {
  const WireMessage invite = Establish();
  far_.Request(invite, "INVITE", 100, {far_.Contact()});
  const WireMessage ok = far_.ReceiveResponse("INVITE");
  EXPECT_EQ(ok.Status(), 200);
  EXPECT_EQ(ok.body, kOurSdp);
  EXPECT_EQ(shard_.events.offers().back(), "");
  // Until then there is an offer out, and no second one may cross it.
  far_.Request(invite, "UPDATE", 101, {far_.Contact()}, kFarSdp);
  EXPECT_EQ(far_.ReceiveResponse("UPDATE").Status(), 491);
  far_.Request(invite, "ACK", 100, {}, kFarSdp);
  const Event event = shard_.events.Next();
  EXPECT_EQ(event.kind, "reinvite_answer");
  EXPECT_EQ(event.sdp, kFarSdp);
  far_.Request(invite, "UPDATE", 102, {far_.Contact()}, kFarSdp);
  const WireMessage updated = far_.ReceiveResponse("UPDATE");
  EXPECT_EQ(updated.Status(), 200);
  EXPECT_EQ(updated.body, kOurSdp);
}

TEST(ShortInside, ALateOfferThatIsNeverAnsweredEndsTheCall) {
  SofiaConfig config = ConfigWith(LoopbackTrunk());
  config.t1 = absl::Milliseconds(20);
  config.t1x64 = absl::Milliseconds(300);
  ShardUnderTest shard(config);
  FarEnd far;
  shard.events.set_reinvite_answer(kOurSdp);
  ASSERT_TRUE(shard.Invite(RequestTo(far)).ok());
  const WireMessage invite = far.ReceiveRequest("INVITE");
  far.Answer(invite, {200, "OK", "far", {far.Contact()}, kFarSdp});
  ASSERT_EQ(shard.events.NextFinal().kind, "answer");
  shard.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
  far.Request(invite, "INVITE", 100, {far.Contact()});
  EXPECT_TRUE(far.ReceiveRequest("BYE").valid);
  EXPECT_EQ(shard.events.Next().kind, "bye");
}

TEST_F(InsideTest, ABigLateOfferLeavesNothingWhenTheCallEndsMeanwhile) {
  const WireMessage invite = Establish();
  far_.Request(invite, "INVITE", 100, {far_.Contact()});
  EXPECT_EQ(far_.ReceiveResponse("INVITE").Status(), 200);
  far_.Request(invite, "BYE", 101);
  EXPECT_EQ(far_.ReceiveResponse("BYE").Status(), 200);
  EXPECT_EQ(shard_.events.Next().kind, "bye");
  shard_.Do([](SofiaSignaling& s) { s.Forget(Leg1()); });
  far_.Request(invite, "ACK", 100, {}, kFarSdp);
  Settle();
  EXPECT_TRUE(shard_.events.Empty());
}

TEST_F(InsideTest, HoldAndResume) {
  const WireMessage invite = Establish();
  int cseq = 100;
  for (const char* direction : {"a=sendonly\r\n", "a=inactive\r\n", "a=sendrecv\r\n"}) {
    const std::string offer = absl::StrCat(kFarSdp, direction);
    far_.Request(invite, "INVITE", ++cseq, {far_.Contact()}, offer);
    EXPECT_EQ(far_.ReceiveResponse("INVITE").Status(), 200);
    EXPECT_EQ(shard_.events.offers().back(), offer);
    far_.Request(invite, "ACK", cseq);
  }
  Settle();
  EXPECT_TRUE(shard_.events.Empty());
}

TEST_F(InsideTest, RequestsThatWereOvertakenAreRefused) {
  const WireMessage invite = Establish();
  far_.Request(invite, "INFO", 200);
  EXPECT_EQ(far_.ReceiveResponse("INFO").Status(), 200);
  far_.Request(invite, "BYE", 199);
  EXPECT_EQ(far_.ReceiveResponse("BYE").Status(), 500);
  EXPECT_TRUE(shard_.events.Empty());
  far_.Request(invite, "BYE", 201);
  EXPECT_EQ(far_.ReceiveResponse("BYE").Status(), 200);
}

TEST_F(InsideTest, ExtensionsWeDoNotHaveAreNamed) {
  const WireMessage invite = Establish();
  far_.Request(invite, "INVITE", 100, {far_.Contact(), "Require: timer, precondition, foo"},
               kFarSdp);
  const WireMessage refused = far_.ReceiveResponse("INVITE");
  EXPECT_EQ(refused.Status(), 420);
  EXPECT_EQ(refused.Header("Unsupported"), "precondition, foo");
  EXPECT_TRUE(shard_.events.offers().empty());
}

struct MethodCase {
  const char* method;
  int status;
};
class MethodTest : public InsideTest, public ::testing::WithParamInterface<MethodCase> {};

TEST_P(MethodTest, IsAnsweredAsItShould) {
  const WireMessage invite = Establish();
  far_.Request(invite, GetParam().method, 100,
               {"Event: talk", "Refer-To: <sip:premium@192.0.2.1>", far_.Contact()});
  const WireMessage response = far_.ReceiveResponse(GetParam().method);
  EXPECT_EQ(response.Status(), GetParam().status);
  Settle();
  EXPECT_TRUE(shard_.events.Empty());
}

INSTANTIATE_TEST_SUITE_P(All, MethodTest,
                         ::testing::Values(MethodCase{"INFO", 200}, MethodCase{"OPTIONS", 200},
                                           MethodCase{"UPDATE", 200}, MethodCase{"REFER", 603},
                                           MethodCase{"NOTIFY", 405}, MethodCase{"SUBSCRIBE", 405},
                                           MethodCase{"MESSAGE", 405}, MethodCase{"PUBLISH", 405},
                                           MethodCase{"REGISTER", 405}, MethodCase{"PRACK", 481},
                                           MethodCase{"WHATEVER", 501}),
                         [](const auto& test) { return std::string(test.param.method); });

TEST_F(InsideTest, DtmfByInfoIsAnswered) {
  const WireMessage invite = Establish();
  const std::string body = "Signal=5\r\nDuration=160\r\n";
  std::string text = absl::StrCat(
      "INFO sip:outpace@127.0.0.1:", shard_.port(),
      " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:", far_.port(),
      ";branch=z9hG4bKdtmf\r\nFrom: ", invite.Header("To"),
      ";tag=far\r\nTo: ", invite.Header("From"), "\r\nCall-ID: ", invite.Header("Call-ID"),
      "\r\nCSeq: 100 INFO\r\nContent-Type: application/dtmf-relay\r\nContent-Length: ", body.size(),
      "\r\n\r\n", body);
  far_.Send(text, shard_.port());
  EXPECT_EQ(far_.ReceiveResponse("INFO").Status(), 200);
}

TEST_F(InsideTest, ARedirectIsAFailureAndNobodyElseIsRung) {
  FarEnd premium;
  far_.Answer(Ring(),
              {302, "Moved", "far", {absl::StrCat("Contact: <", premium.User(), ">;q=1.0")}, ""});
  const Event event = shard_.events.Next();
  EXPECT_EQ(event.kind, "failure");
  EXPECT_EQ(event.status, 302);
  EXPECT_TRUE(premium.Quiet(30));
}

TEST_F(InsideTest, TheAnswerMayComeFromAnotherForkThanTheRinging) {
  const WireMessage invite = Ring();
  for (const char* tag : {"a", "b", "c"}) {
    far_.Answer(invite, {180, "Ringing", tag, {}, ""});
    EXPECT_EQ(shard_.events.Next().status, 180);
  }
  Reply ok = Ok();
  ok.to_tag = "d";
  far_.Answer(invite, ok);
  EXPECT_EQ(shard_.events.Next().dialog.to_tag, "d");
}

}  // namespace
}  // namespace outpace::sip
