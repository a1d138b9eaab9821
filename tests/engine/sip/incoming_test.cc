// Calls that a trunk offers us.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/sip/caller_text.h"
#include "tests/engine/sip/trunk_fixture.h"

namespace outpace::sip {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kOurSdp[] = "v=0\r\no=us 1 1 IN IP4 127.0.0.1\r\ns=-\r\n";
constexpr char kNumber[] = "+12025550177";

SofiaConfig Inbound() {
  SipTrunk other = LoopbackTrunk();
  other.addresses = {"127.0.0.9"};
  other.inbound_numbers = {"+12025550178"};
  SipTrunk trunk = LoopbackTrunk();
  trunk.inbound_numbers = {"+12025550176", kNumber};
  trunk.auth_user = "user";
  trunk.auth_password = "secret";
  SofiaConfig config = ShardUnderTest::Config();
  config.t1 = absl::Seconds(2);  // a slow machine sees no repetitions
  config.t1x64 = absl::Seconds(20);
  config.trunks = {other, trunk};
  config.offered_calls_max = 3;
  return config;
}

class IncomingTest : public TrunkFixture {
 protected:
  explicit IncomingTest(const SofiaConfig& config = Inbound()) : TrunkFixture(config) {}

  // The text of an INVITE to `number`; the n-th call of the far end.
  std::string Text(absl::string_view method, int n, int cseq,
                   const std::vector<std::string>& extra = {}, absl::string_view body = kFarSdp,
                   absl::string_view number = kNumber, absl::string_view to_tag = "") {
    std::string text = absl::StrCat(
        method, " sip:", number, "@127.0.0.1:", shard_.port(), " SIP/2.0\r\nVia: SIP/2.0/UDP ",
        "127.0.0.1:", far_.port(), ";branch=z9hG4bKin", n, "-",
        method == "CANCEL" ? "INVITE" : method, method == "ACK" && to_tag.empty() ? "x" : "", cseq,
        "\r\nMax-Forwards: 70\r\nFrom: \"A\" <sip:+12025550123@127.0.0.1>;tag=caller", n,
        "\r\nTo: <sip:", number, "@127.0.0.1>", to_tag.empty() ? "" : ";tag=", to_tag,
        "\r\nCall-ID: in-", n, "\r\nCSeq: ", cseq, " ", method, "\r\n");
    for (const std::string& line : extra) absl::StrAppend(&text, line, "\r\n");
    if (!body.empty()) absl::StrAppend(&text, "Content-Type: application/sdp\r\n");
    return absl::StrCat(text, "Content-Length: ", body.size(), "\r\n\r\n", body);
  }
  void SendInvite(int n = 1, std::vector<std::string> extra = {}, absl::string_view body = kFarSdp,
                  absl::string_view number = kNumber) {
    extra.push_back(far_.Contact());
    far_.Send(Text("INVITE", n, 1, extra, body, number), shard_.port());
  }
  // The status that an INVITE is refused with; sends its ACK.
  int Refused(int n, const std::vector<std::string>& extra = {}, absl::string_view body = kFarSdp,
              absl::string_view number = kNumber) {
    SendInvite(n, extra, body, number);
    refusal_ = far_.ReceiveResponse("INVITE");
    return refusal_.Status();
  }
  // Offers the n-th call and returns the event.
  Event Offered(int n = 1, const std::vector<std::string>& extra = {},
                absl::string_view body = kFarSdp) {
    SendInvite(n, extra, body);
    EXPECT_EQ(far_.ReceiveResponse("INVITE").Status(), 100);
    return shard_.events.Next();
  }
  absl::Status Accept(uint64_t call, const std::string& sdp = kOurSdp) {
    absl::Status status;
    shard_.Do([&](SofiaSignaling& s) { status = s.Accept(Leg1(), call, sdp); });
    return status;
  }
  void SendAck(int n, absl::string_view body = "") {
    far_.Send(Text("ACK", n, 1, {}, body, kNumber, tag_), shard_.port());
  }
  // Call 1 taken as leg 1 and up.
  Event Up(const std::vector<std::string>& extra = {}) {
    EXPECT_TRUE(Accept(Offered(1, extra).incoming.call).ok());
    ok_ = far_.ReceiveResponse("INVITE");
    tag_ = WireMessage::Param(ok_.Header("To"), "tag");
    SendAck(1);
    return shard_.events.Next();
  }
  void Request(absl::string_view method, int cseq, const std::vector<std::string>& extra = {},
               absl::string_view body = "") {
    far_.Send(Text(method, 1, cseq, extra, body, kNumber, tag_), shard_.port());
  }

  WireMessage refusal_;
  WireMessage ok_;
  std::string tag_;
};

TEST_F(IncomingTest, IsOfferedTakenAndUp) {
  const Event offer = Offered();
  ASSERT_EQ(offer.kind, "incoming");
  EXPECT_NE(offer.incoming.call, 0u);
  EXPECT_EQ(offer.incoming.trunk, 1);
  EXPECT_EQ(offer.incoming.call_id, "in-1");
  EXPECT_EQ(offer.incoming.from_user, "+12025550123");
  EXPECT_EQ(offer.incoming.to_user, kNumber);
  EXPECT_EQ(offer.incoming.sdp, kFarSdp);
  ASSERT_TRUE(Accept(offer.incoming.call).ok());
  const WireMessage ok = far_.ReceiveResponse("INVITE");
  EXPECT_EQ(ok.Status(), 200);
  EXPECT_EQ(ok.body, kOurSdp);
  EXPECT_EQ(ok.Header("Contact"), absl::StrCat("<sip:outpace@127.0.0.1:", shard_.port(), ">"));
  tag_ = WireMessage::Param(ok.Header("To"), "tag");
  EXPECT_GE(tag_.size(), 16u);  // 64 random bits at least
  EXPECT_TRUE(shard_.events.Empty());
  SendAck(1);
  const Event up = shard_.events.Next();
  ASSERT_EQ(up.kind, "incoming_up");
  EXPECT_EQ(up.leg, Leg1());
  EXPECT_EQ(up.sdp, "");  // the offer was theirs
  EXPECT_EQ(up.dialog.call_id, "in-1");
  EXPECT_EQ(up.dialog.from_tag, tag_);
  EXPECT_EQ(up.dialog.from_uri, absl::StrCat("sip:", kNumber, "@127.0.0.1"));
  EXPECT_EQ(up.dialog.to_tag, "caller1");
  EXPECT_EQ(up.dialog.to_uri, "sip:+12025550123@127.0.0.1");
  EXPECT_EQ(up.dialog.next_hop, far_.Uri());
  EXPECT_EQ(up.dialog.remote_target, absl::StrCat("sip:far@127.0.0.1:", far_.port()));
  SendAck(1);  // repeated
  Settle();
  EXPECT_TRUE(shard_.events.Empty());

  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  const WireMessage bye = far_.ReceiveRequest("BYE");
  EXPECT_EQ(bye.Header("CSeq"), "1 BYE");
  EXPECT_EQ(bye.RequestUri(), absl::StrCat("sip:far@127.0.0.1:", far_.port()));
  EXPECT_THAT(bye.Header("From"), HasSubstr(absl::StrCat(";tag=", tag_)));
  EXPECT_THAT(bye.Header("To"), HasSubstr(";tag=caller1"));
  far_.Answer(bye, {});
  EXPECT_EQ(shard_.events.Next().kind, "bye_done");
  shard_.Do([](SofiaSignaling& s) { s.Forget(Leg1()); });
}

TEST_F(IncomingTest, TheJournaledDialogEndsTheCallAfterACrash) {
  const Event up = Up();
  ShardUnderTest successor;
  successor.Do([&](SofiaSignaling& s) { s.ByeOrphan(up.dialog); });
  const WireMessage bye = far_.ReceiveRequest("BYE");
  EXPECT_EQ(bye.Header("CSeq"), "1 BYE");
  EXPECT_EQ(bye.Header("Call-ID"), "in-1");
  EXPECT_THAT(bye.Header("From"), HasSubstr(absl::StrCat(";tag=", tag_)));
  EXPECT_THAT(bye.Header("To"), HasSubstr(";tag=caller1"));
  far_.Answer(bye, {});
}

TEST_F(IncomingTest, TheCallerHangsUp) {
  Up();
  Request("BYE", 2, {"Reason: Q.850;cause=16"});
  EXPECT_EQ(far_.ReceiveResponse("BYE").Status(), 200);
  const Event event = shard_.events.Next();
  EXPECT_EQ(event.kind, "bye");
  EXPECT_EQ(event.cause, 16);
}

TEST_F(IncomingTest, AReinviteIsAnswered) {
  Up();
  shard_.events.set_reinvite_answer(kOurSdp);
  Request("INVITE", 2, {far_.Contact()}, kFarSdp);
  const WireMessage ok = far_.ReceiveResponse("INVITE");
  EXPECT_EQ(ok.Status(), 200);
  EXPECT_EQ(ok.body, kOurSdp);
  EXPECT_EQ(shard_.events.offers().back(), kFarSdp);
}

TEST_F(IncomingTest, WithoutSdpOurOfferIsAnsweredInTheAck) {
  const Event offer = Offered(1, {}, "");
  EXPECT_EQ(offer.incoming.sdp, "");
  ASSERT_TRUE(Accept(offer.incoming.call).ok());
  const WireMessage ok = far_.ReceiveResponse("INVITE");
  EXPECT_EQ(ok.body, kOurSdp);
  tag_ = WireMessage::Param(ok.Header("To"), "tag");
  SendAck(1, kFarSdp);
  const Event up = shard_.events.Next();
  EXPECT_EQ(up.kind, "incoming_up");
  EXPECT_EQ(up.sdp, kFarSdp);
}

TEST_F(IncomingTest, TheCallersNumberIsTheAssertedOne) {
  EXPECT_EQ(Offered(1, {"P-Asserted-Identity: \"x, <y>\" <sip:+12025550124;npdi@c.example>"})
                .incoming.from_user,
            "+12025550124");
  EXPECT_EQ(Offered(2, {"P-Asserted-Identity: <tel:+12025550125;cpc=ordinary>"}).incoming.from_user,
            "+12025550125");
}

TEST_F(IncomingTest, ARegisteredContactTakesTheNumberFromTo) {
  std::string text = Text("INVITE", 1, 1, {far_.Contact()});
  text.replace(text.find(kNumber), sizeof kNumber - 1, "outpace");
  far_.Send(text, shard_.port());
  EXPECT_EQ(shard_.events.Next().incoming.to_user, kNumber);
}

// ---- refused without a trace ----

TEST_F(IncomingTest, WhatIsNotForUsIsRefused) {
  EXPECT_EQ(Refused(1, {}, kFarSdp, "+12025550199"), 404);
  EXPECT_EQ(Refused(2, {}, kFarSdp, "+12025550178"), 404);  // another trunk's number
  EXPECT_EQ(Refused(3, {"Require: replaces, timer"}), 420);
  EXPECT_EQ(refusal_.Header("Unsupported"), "replaces");
  EXPECT_EQ(Refused(4, {"Replaces: x;to-tag=a;from-tag=b"}), 481);
  EXPECT_EQ(Refused(5, {"Session-Expires: 60", "Supported: timer"}), 422);
  EXPECT_EQ(refusal_.Header("Min-SE"), "90");
  EXPECT_TRUE(shard_.events.Empty());
  EXPECT_EQ(shard_.counters().offers_refused, 5u);
}

TEST_F(IncomingTest, AnotherPeerThanATrunkIsRefused) {
  shard_.Do([](SofiaSignaling& s) { s.AddPeer("127.0.0.5"); });
  FarEnd peer("127.0.0.5");
  std::string text = Text("INVITE", 1, 1, {peer.Contact()});
  peer.Send(text, shard_.port());
  // The Via names the far end's address; rport brings the answer back to where it came from.
  EXPECT_EQ(peer.ReceiveResponse("INVITE").Status(), 403);
  EXPECT_TRUE(shard_.events.Empty());
}

TEST_F(IncomingTest, NoMoreThanSoManyAreOffered) {
  for (const int n : {1, 2, 3}) EXPECT_EQ(Offered(n).kind, "incoming");
  EXPECT_EQ(Refused(4), 503);
  EXPECT_EQ(refusal_.Header("Retry-After"), "5");
  shard_.Do([](SofiaSignaling& s) { s.Refuse(1, 486); });
  EXPECT_EQ(far_.ReceiveResponse("INVITE").Status(), 486);
  EXPECT_EQ(Offered(5).kind, "incoming");
}

// ---- not taken ----

TEST_F(IncomingTest, TheCallerGivesUp) {
  const uint64_t call = Offered().incoming.call;
  far_.Send(Text("CANCEL", 1, 1, {}, ""), shard_.port());
  EXPECT_EQ(far_.ReceiveResponse("CANCEL").Status(), 200);
  EXPECT_EQ(far_.ReceiveResponse("INVITE").Status(), 487);
  const Event gone = shard_.events.Next();
  EXPECT_EQ(gone.kind, "incoming_gone");
  EXPECT_EQ(gone.incoming.call, call);
  EXPECT_EQ(Accept(call).code(), absl::StatusCode::kNotFound);
}

TEST_F(IncomingTest, NobodyTakesItInTime) {
  const uint64_t call = Offered().incoming.call;
  shard_.Advance(absl::Seconds(10));
  EXPECT_EQ(far_.ReceiveResponse("INVITE").Status(), 480);
  EXPECT_EQ(shard_.events.Next().kind, "incoming_gone");
  shard_.Do([&](SofiaSignaling& s) { s.Refuse(call, 486); });  // too late: nothing
  EXPECT_EQ(Accept(call).code(), absl::StatusCode::kNotFound);
}

TEST_F(IncomingTest, ItIsRefused) {
  const uint64_t call = Offered().incoming.call;
  shard_.Do([&](SofiaSignaling& s) { s.Refuse(call, 603); });
  EXPECT_EQ(far_.ReceiveResponse("INVITE").Status(), 603);
  shard_.Advance(absl::Minutes(1));
  EXPECT_TRUE(shard_.events.Empty());
}

TEST_F(IncomingTest, ARepeatedInviteIsTheSameCall) {
  Offered();
  SendInvite();
  EXPECT_EQ(far_.ReceiveResponse("INVITE").Status(), 100);
  Settle();
  EXPECT_TRUE(shard_.events.Empty());
}

TEST_F(IncomingTest, AcceptChecksWhatItIsGiven) {
  const uint64_t call = Offered().incoming.call;
  EXPECT_EQ(Accept(call, "").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Accept(call + 7).code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(Accept(call).ok());
  EXPECT_EQ(Accept(call).code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(IncomingTest, ASecondInviteUnderTheSameCallIdIsNoReinvite) {
  Up();
  far_.Send(Text("INVITE", 1, 2, {far_.Contact()}), shard_.port());
  EXPECT_EQ(far_.ReceiveResponse("INVITE").Status(), 482);
  EXPECT_TRUE(shard_.events.offers().empty());
}

// ---- between our 200 and the ACK ----

TEST_F(IncomingTest, AByeThatWeWantWaitsForTheAck) {
  ASSERT_TRUE(Accept(Offered().incoming.call).ok());
  tag_ = WireMessage::Param(far_.ReceiveResponse("INVITE").Header("To"), "tag");
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 31); });
  Settle();
  EXPECT_TRUE(shard_.events.Empty());
  SendAck(1);
  const WireMessage bye = far_.ReceiveRequest("BYE");
  EXPECT_EQ(bye.Header("Reason"), "Q.850;cause=31");
  far_.Answer(bye, {});
  EXPECT_EQ(shard_.events.Next().kind, "bye_done");
}

TEST_F(IncomingTest, TheCallerMayHangUpBeforeItsAck) {
  ASSERT_TRUE(Accept(Offered().incoming.call).ok());
  tag_ = WireMessage::Param(far_.ReceiveResponse("INVITE").Header("To"), "tag");
  Request("BYE", 2);
  EXPECT_EQ(far_.ReceiveResponse("BYE").Status(), 200);
  EXPECT_EQ(shard_.events.Next().kind, "bye");
  SendAck(1);
  Settle();
  EXPECT_TRUE(shard_.events.Empty());
}

class ShortIncomingTest : public IncomingTest {
 protected:
  static SofiaConfig Short() {
    SofiaConfig config = Inbound();
    config.t1 = absl::Milliseconds(20);
    config.t1x64 = absl::Milliseconds(300);
    return config;
  }
  ShortIncomingTest() : IncomingTest(Short()) {}
};

TEST_F(ShortIncomingTest, WithoutAnAckTheCallIsEnded) {
  ASSERT_TRUE(Accept(Offered().incoming.call).ok());
  EXPECT_TRUE(far_.ReceiveRequest("BYE").valid);
  const Event event = shard_.events.Next();
  EXPECT_EQ(event.kind, "failure");
  EXPECT_EQ(event.status, 408);
  EXPECT_TRUE(event.failure.local);
}

TEST_F(ShortIncomingTest, ALegForgottenBeforeTheAckIsEnded) {
  ASSERT_TRUE(Accept(Offered().incoming.call).ok());
  shard_.Do([](SofiaSignaling& s) { s.Forget(Leg1()); });
  EXPECT_TRUE(far_.ReceiveRequest("BYE").valid);
  EXPECT_TRUE(shard_.events.Empty());
}

// ---- session timer and digest on a call of theirs ----

TEST_F(IncomingTest, TheCallersSessionTimerIsHonoured) {
  Up({"Session-Expires: 300;refresher=uas", "Supported: timer", "Allow: UPDATE"});
  EXPECT_EQ(ok_.Header("Session-Expires"), "300;refresher=uas");
  EXPECT_EQ(ok_.Header("Supported"), "timer");
  shard_.Advance(absl::Seconds(150));
  const WireMessage update = far_.ReceiveRequest("UPDATE");
  EXPECT_EQ(update.Header("CSeq"), "1 UPDATE");
  EXPECT_EQ(update.Header("Session-Expires"), "300;refresher=uac");
  far_.Answer(update,
              {401, "Auth", "x", {"WWW-Authenticate: Digest realm=\"r\", nonce=\"n\""}, ""});
  const WireMessage again = far_.ReceiveRequest("UPDATE");
  EXPECT_EQ(again.Header("CSeq"), "2 UPDATE");
  EXPECT_THAT(again.Header("Authorization"), StartsWith("Digest username=\"user\""));
}

TEST_F(IncomingTest, WithoutTheCallersRefreshTheCallIsEnded) {
  Up({"Session-Expires: 300", "Supported: timer"});
  EXPECT_EQ(ok_.Header("Session-Expires"), "300;refresher=uac");
  EXPECT_EQ(ok_.Header("Require"), "timer");
  shard_.Advance(absl::Seconds(268));
  EXPECT_TRUE(far_.ReceiveRequest("BYE").valid);
  EXPECT_EQ(shard_.events.Next().kind, "bye");
}

// After a glare who did not choose the Call-ID waits for 2 s at most.
TEST_F(IncomingTest, AfterAGlareTheWaitIsTheShortOne) {
  Up({"Session-Expires: 300;refresher=uas", "Supported: timer", "Allow: INVITE"});
  shard_.Advance(absl::Seconds(150));
  const WireMessage first = far_.ReceiveRequest("INVITE");
  EXPECT_EQ(first.body, kOurSdp);
  far_.Answer(first, {491, "Request Pending", "caller1", {}, ""});
  EXPECT_TRUE(far_.ReceiveRequest("ACK").valid);
  Settle();
  shard_.Advance(absl::Milliseconds(2'000));
  EXPECT_EQ(far_.ReceiveRequest("INVITE").Header("CSeq"), "2 INVITE");
}

// ---- text ----

TEST(CallerText, Users) {
  EXPECT_EQ(CleanUser("+1202;npdi;rn=1"), "+1202");
  EXPECT_EQ(CleanUser("%2B1202"), "+1202");
  EXPECT_EQ(CleanUser("a%0d%0ab"), "");
  EXPECT_EQ(CleanUser("a%4"), "");
  EXPECT_EQ(CleanUser("a%zz"), "");
  EXPECT_EQ(CleanUser(std::string(65, '1')), "");
  EXPECT_EQ(IdentityUser("<sip:bob:secret@x>"), "bob");
  EXPECT_EQ(IdentityUser("sip:bob@x;user=phone, <tel:+1>"), "bob");
  EXPECT_EQ(IdentityUser("\"<sip:evil@x>\\\"\" <sips:bob@x>"), "bob");
  EXPECT_EQ(IdentityUser("<mailto:bob@x>"), "");
  EXPECT_EQ(IdentityUser("<sip:x.example>"), "");
  EXPECT_EQ(IdentityUser("\"unterminated"), "");
  EXPECT_EQ(IdentityUser(""), "");
}

}  // namespace
}  // namespace outpace::sip
