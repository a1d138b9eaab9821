// SIP over TCP to a trunk, and the hygiene of its connections (which TLS shares).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/engine/sip/shard_under_test.h"
#include "tests/engine/sip/stream_far_end.h"

namespace outpace::sip {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kSdp[] = "v=0\r\no=far 1 1 IN IP4 127.0.0.1\r\ns=-\r\n";

SofiaConfig TcpConfig() {
  SofiaConfig config = ShardUnderTest::Config();
  SipTrunk trunk;
  trunk.name = "carrier";
  trunk.addresses = {"127.0.0.1"};
  trunk.transport = Transport::kTcp;
  config.peers = {};
  config.trunks = {trunk};
  return config;
}

call::InviteRequest RequestOver(const StreamFarEnd& far, uint32_t index = 1) {
  call::InviteRequest request = RequestTo(far.Uri(), far.User(), index);
  request.trunk = 0;
  return request;
}

// Reads the counters until `done` says so; false after ten seconds of the shard's turns.
bool Eventually(ShardUnderTest& shard, const std::function<bool(const SofiaCounters&)>& done) {
  const MonoTime end = shard.clock.Mono() + absl::Seconds(10);
  while (!done(shard.counters())) {
    if (shard.clock.Mono() > end) return false;
  }
  return true;
}

class TcpTest : public ::testing::Test {
 protected:
  TcpTest() : TcpTest(TcpConfig()) {}
  explicit TcpTest(const SofiaConfig& config) : shard_(config) {
    shard_.Do([this](SofiaSignaling& s) { port_ = s.local_port(Transport::kTcp); });
  }
  void SetUp() override { ASSERT_TRUE(shard_.status.ok()) << shard_.status; }

  // An INVITE of leg 1, received over trunk_.
  WireMessage Ring() {
    EXPECT_TRUE(shard_.Invite(RequestOver(far_)).ok());
    trunk_ = far_.Accept();
    return trunk_ != nullptr ? trunk_->ReceiveRequest("INVITE") : WireMessage{};
  }
  Reply Ok() { return {200, "OK", "far", {far_.Contact()}, kSdp}; }
  WireMessage Establish() {
    WireMessage invite = Ring();
    trunk_->Answer(invite, Ok());
    EXPECT_EQ(shard_.events.NextFinal().kind, "answer");
    shard_.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
    EXPECT_TRUE(trunk_->ReceiveRequest("ACK").valid);
    return invite;
  }
  // Whether the stack has noticed by now or meets it when it sends: the BYE arrives.
  void HangUpOverANewConnection() {
    shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
    trunk_ = far_.Accept();
    ASSERT_NE(trunk_, nullptr);
    const WireMessage bye = trunk_->ReceiveRequest("BYE");
    ASSERT_TRUE(bye.valid);
    trunk_->Answer(bye, {});
    EXPECT_EQ(shard_.events.Next().kind, "bye_done");
  }
  std::string RequestText(const WireMessage& invite, absl::string_view method, int cseq) {
    return absl::StrCat(
        method, " sip:outpace@127.0.0.1:", port_, ";transport=tcp SIP/2.0\r\nVia: SIP/2.0/TCP ",
        far_.HostPort(), ";branch=z9hG4bKfar", cseq, method,
        "\r\nMax-Forwards: 70\r\nFrom: ", invite.Header("To"),
        ";tag=far\r\nTo: ", invite.Header("From"), "\r\nCall-ID: ", invite.Header("Call-ID"),
        "\r\nCSeq: ", cseq, " ", method, "\r\nContent-Length: 0\r\n\r\n");
  }
  std::string OptionsText(absl::string_view call_id) {
    return absl::StrCat("OPTIONS sip:outpace@127.0.0.1:", port_, " SIP/2.0\r\nVia: SIP/2.0/TCP ",
                        far_.HostPort(), ";branch=z9hG4bK", call_id,
                        "\r\nMax-Forwards: 70\r\nFrom: <sip:far@127.0.0.1>;tag=f\r\n",
                        "To: <sip:outpace@127.0.0.1>\r\nCall-ID: ", call_id,
                        "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
  }

  StreamFarEnd far_;
  std::unique_ptr<StreamConnection> trunk_;
  ShardUnderTest shard_;
  int port_ = 0;
};

// ---- a call ----

TEST_F(TcpTest, ACallStaysOnItsConnection) {
  const WireMessage invite = Ring();
  ASSERT_TRUE(invite.valid);
  EXPECT_THAT(invite.Header("Via"), StartsWith(absl::StrCat("SIP/2.0/TCP 127.0.0.1:", port_)));
  EXPECT_EQ(invite.Header("Contact"),
            absl::StrCat("<sip:outpace@127.0.0.1:", port_, ";transport=tcp>"));
  EXPECT_EQ(invite.Header("Content-Length"), absl::StrCat(invite.body.size()));
  trunk_->Answer(invite, {180, "Ringing", "far", {}, ""});
  trunk_->Answer(invite, Ok());
  const Event answer = shard_.events.NextFinal();
  ASSERT_EQ(answer.kind, "answer");
  EXPECT_EQ(answer.dialog.next_hop, far_.Uri());
  shard_.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
  const WireMessage ack = trunk_->ReceiveRequest("ACK");
  ASSERT_TRUE(ack.valid);
  EXPECT_EQ(ack.RequestUri(), absl::StrCat("sip:far@", far_.HostPort(), ";transport=tcp"));
  EXPECT_THAT(ack.Header("Via"), StartsWith("SIP/2.0/TCP"));
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  const WireMessage bye = trunk_->ReceiveRequest("BYE");
  ASSERT_TRUE(bye.valid);
  trunk_->Answer(bye, {});
  EXPECT_EQ(shard_.events.Next().kind, "bye_done");
  EXPECT_TRUE(far_.Quiet(0));  // one connection carried it all
}

TEST_F(TcpTest, AContactWithoutTransportStillGoesOverTheTrunk) {
  const WireMessage invite = Ring();
  Reply ok = Ok();
  ok.extra = {"Contact: <sip:far@127.0.0.1:9>"};  // RFC 3263 would make this UDP
  trunk_->Answer(invite, ok);
  ASSERT_EQ(shard_.events.NextFinal().kind, "answer");
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  EXPECT_EQ(trunk_->ReceiveRequest("ACK").RequestUri(), "sip:far@127.0.0.1:9");
  const WireMessage bye = trunk_->ReceiveRequest("BYE");
  trunk_->Answer(bye, {});
  EXPECT_EQ(shard_.events.Next().kind, "bye_done");
}

TEST_F(TcpTest, ACancelFollowsItsInvite) {
  const WireMessage invite = Ring();
  trunk_->Answer(invite, {180, "Ringing", "far", {}, ""});
  EXPECT_EQ(shard_.events.Next().status, 180);
  shard_.Do([](SofiaSignaling& s) { s.Cancel(Leg1()); });
  const WireMessage cancel = trunk_->ReceiveRequest("CANCEL");
  ASSERT_TRUE(cancel.valid);
  EXPECT_EQ(cancel.Header("Via"), invite.Header("Via"));
  trunk_->Answer(cancel, {});
  trunk_->Answer(invite, {487, "Request Terminated", "far", {}, ""});
  EXPECT_EQ(shard_.events.NextFinal().status, 487);
  EXPECT_TRUE(trunk_->ReceiveRequest("ACK").valid);
}

TEST_F(TcpTest, AHangUpMayComeOverAConnectionOfTheFarEnd) {
  const WireMessage invite = Establish();
  const auto theirs = ConnectTo(port_);
  ASSERT_NE(theirs, nullptr);
  ASSERT_TRUE(theirs->Send(RequestText(invite, "BYE", 1)));
  EXPECT_EQ(theirs->ReceiveResponse("BYE").Status(), 200);
  EXPECT_EQ(shard_.events.Next().kind, "bye");
}

TEST_F(TcpTest, OrphansAreEndedOverTcp) {
  call::DialogState dialog;
  dialog.call_id = "op-9-orphan";
  dialog.from_uri = "sip:+12025550199@198.51.100.1";
  dialog.from_tag = "ours";
  dialog.to_uri = far_.User();
  dialog.to_tag = "far";
  dialog.remote_target = absl::StrCat("sip:far@", far_.HostPort(), ";transport=tcp");
  dialog.next_hop = far_.Uri();
  shard_.Do([&](SofiaSignaling& s) { s.ByeOrphan(dialog); });
  trunk_ = far_.Accept();
  ASSERT_NE(trunk_, nullptr);
  const WireMessage bye = trunk_->ReceiveRequest("BYE");
  EXPECT_EQ(bye.Header("Call-ID"), "op-9-orphan");
  trunk_->Answer(bye, {});
  const call::Signaling::OrphanInvite invite = {
      {"op-8-orphan", "ours", "z9hG4bKorphan8"}, far_.Uri(), far_.User(), dialog.from_uri, 0};
  shard_.Do([&](SofiaSignaling& s) { s.CancelOrphan(invite); });
  const WireMessage cancel = trunk_->ReceiveRequest("CANCEL");
  ASSERT_TRUE(cancel.valid);
  EXPECT_EQ(WireMessage::Param(cancel.Header("Via"), "branch"), "z9hG4bKorphan8");
  EXPECT_THAT(cancel.Header("Via"), StartsWith(absl::StrCat("SIP/2.0/TCP 127.0.0.1:", port_)));
}

TEST_F(TcpTest, TheAnswerOfADeadProcessIsEndedOverTheConnectionItCameBy) {
  const auto theirs = ConnectTo(port_);
  ASSERT_NE(theirs, nullptr);
  ASSERT_TRUE(theirs->Send(absl::StrCat(
      "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 127.0.0.1:", port_,
      ";branch=z9hG4bKdead\r\nFrom: <sip:us@127.0.0.1>;tag=us\r\nTo: <", far_.User(),
      ">;tag=far\r\nCall-ID: op-7-dead\r\nCSeq: 1 INVITE\r\nContact: <sip:far@127.0.0.1:9>\r\n",
      "Content-Length: 0\r\n\r\n")));
  EXPECT_EQ(theirs->ReceiveRequest("ACK").Header("Call-ID"), "op-7-dead");
  const WireMessage bye = theirs->ReceiveRequest("BYE");
  EXPECT_EQ(bye.Header("Call-ID"), "op-7-dead");
  theirs->Answer(bye, {});
  EXPECT_EQ(shard_.counters().strays_ended, 1u);
}

TEST_F(TcpTest, HopsThatCannotBeReachedAreRefused) {
  for (const char* hop : {"sip:127.0.0.1:5061;transport=tls", "sips:127.0.0.1",
                          "sip:[::1]:5060;transport=tcp", "sip:127.0.0.1;transport=sctp"}) {
    call::InviteRequest request = RequestOver(far_);
    request.route_uri = hop;
    EXPECT_EQ(shard_.Invite(request).code(), absl::StatusCode::kInvalidArgument) << hop;
  }
}

// ---- broken connections ----

TEST_F(TcpTest, ARefusedConnectionIsALocal503AtOnce) {
  far_.StopListening();
  ASSERT_TRUE(shard_.Invite(RequestOver(far_)).ok());
  const Event failure = shard_.events.NextFinal();
  EXPECT_EQ(failure.kind, "failure");
  EXPECT_EQ(failure.failure.status, 503);
  EXPECT_TRUE(failure.failure.local);
}

TEST_F(TcpTest, AnUnreachableNetworkIsALocal503AtOnce) {
  call::InviteRequest request = RequestOver(far_);
  request.route_uri = "sip:192.0.2.1:5060;transport=tcp";  // not from 127.0.0.1
  ASSERT_TRUE(shard_.Invite(request).ok());
  const Event failure = shard_.events.NextFinal();
  EXPECT_EQ(failure.failure.status, 503);
  EXPECT_TRUE(failure.failure.local);
  shard_.Do([](SofiaSignaling& s) { s.Forget(Leg1()); });
  EXPECT_TRUE(Ring().valid);  // and the stack is none the worse for it
}

TEST_F(TcpTest, AConnectionClosedInMidInviteFailsTheCallAndTheNextReconnects) {
  ASSERT_TRUE(Ring().valid);
  trunk_->Close();
  Event failure = shard_.events.NextFinal();
  EXPECT_EQ(failure.failure.status, 503);
  EXPECT_TRUE(failure.failure.local);
  shard_.Do([](SofiaSignaling& s) { s.Forget(Leg1()); });

  ASSERT_TRUE(shard_.Invite(RequestOver(far_, 2)).ok());
  trunk_ = far_.Accept();
  ASSERT_NE(trunk_, nullptr);
  const WireMessage invite = trunk_->ReceiveRequest("INVITE");
  trunk_->Answer(invite, {180, "Ringing", "far", {}, ""});
  EXPECT_EQ(shard_.events.Next().status, 180);
  trunk_->Reset();  // after a provisional, and hard
  failure = shard_.events.NextFinal();
  EXPECT_EQ(failure.failure.status, 503);
  EXPECT_TRUE(failure.failure.local);
}

TEST_F(TcpTest, AConnectionClosedInMidDialogIsOpenedAgainForTheBye) {
  Establish();
  trunk_->Close();
  HangUpOverANewConnection();
}

TEST_F(TcpTest, AConnectionResetInMidDialogIsOpenedAgainForTheBye) {
  Establish();
  trunk_->Reset();
  HangUpOverANewConnection();
}

TEST_F(TcpTest, AByeIsSentOnceMoreWhenItsConnectionBreaks) {
  Establish();
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  ASSERT_TRUE(trunk_->ReceiveRequest("BYE").valid);
  trunk_->Close();
  trunk_ = far_.Accept();
  ASSERT_NE(trunk_, nullptr);
  ASSERT_TRUE(trunk_->ReceiveRequest("BYE").valid);
  trunk_->Reset();
  EXPECT_EQ(shard_.events.Next().kind, "bye_done");
  shard_.Do([](SofiaSignaling& s) { s.Forget(Leg1()); });
}

TEST_F(TcpTest, ACancelWhoseConnectionIsGoneGoesOverANewOne) {
  const WireMessage invite = Ring();
  trunk_->Answer(invite, {180, "Ringing", "far", {}, ""});
  EXPECT_EQ(shard_.events.Next().status, 180);
  shard_.Do([](SofiaSignaling& s) { s.Cancel(Leg1()); });
  ASSERT_TRUE(trunk_->ReceiveRequest("CANCEL").valid);
  trunk_->Reset();
  EXPECT_EQ(shard_.events.NextFinal().failure.status, 503);
  shard_.Do([](SofiaSignaling& s) { s.Forget(Leg1()); });
  EXPECT_TRUE(shard_.Invite(RequestOver(far_, 2)).ok());
  trunk_ = far_.Accept();
  ASSERT_NE(trunk_, nullptr);
  EXPECT_TRUE(trunk_->ReceiveRequest("INVITE").valid);
}

TEST_F(TcpTest, ManyCallsWaitForOneConnection) {
  constexpr uint32_t kCalls = 200;
  shard_.Do([&](SofiaSignaling& s) {
    for (uint32_t i = 1; i <= kCalls; ++i) EXPECT_TRUE(s.Invite(RequestOver(far_, i)).ok());
  });
  trunk_ = far_.Accept();
  ASSERT_NE(trunk_, nullptr);
  for (uint32_t i = 1; i <= kCalls; ++i) {
    const WireMessage invite = trunk_->ReceiveRequest("INVITE");
    ASSERT_TRUE(invite.valid) << i;
    trunk_->Answer(invite, {486, "Busy Here", "far", {}, ""});
  }
  for (uint32_t i = 1; i <= kCalls; ++i) EXPECT_EQ(shard_.events.NextFinal().status, 486);
  EXPECT_TRUE(far_.Quiet(0));
}

TEST_F(TcpTest, AFarEndThatReadsLateGetsEverything) {
  // More than the kernel holds: what is left waits in the stack, in the middle of a message.
  constexpr uint32_t kCalls = 600;
  const std::string offer = absl::StrCat("v=0\r\n", std::string(30'000, 'x'));
  shard_.Do([&](SofiaSignaling& s) {
    for (uint32_t i = 1; i <= kCalls; ++i) {
      call::InviteRequest request = RequestOver(far_, i);
      request.sdp_offer = offer;
      ASSERT_TRUE(s.Invite(request).ok());
    }
  });
  trunk_ = far_.Accept();
  ASSERT_NE(trunk_, nullptr);
  EXPECT_TRUE(far_.Quiet(100));
  for (uint32_t i = 1; i <= kCalls; ++i) {
    const WireMessage invite = trunk_->ReceiveRequest("INVITE");
    ASSERT_EQ(invite.body, offer) << i;
    trunk_->Answer(invite, {486, "Busy Here", "far", {}, ""});
  }
  for (uint32_t i = 1; i <= kCalls; ++i) ASSERT_EQ(shard_.events.NextFinal().status, 486);
  EXPECT_TRUE(far_.Quiet(0));
}

TEST_F(TcpTest, AFarEndThatNeverReadsIsGivenUp) {
  ASSERT_TRUE(Ring().valid);
  const std::string offer = absl::StrCat("v=0\r\n", std::string(60'000, 'x'));
  int refused = 0;
  shard_.Do([&](SofiaSignaling& s) {
    for (uint32_t i = 2; i <= 1'500; ++i) {
      call::InviteRequest request = RequestOver(far_, i);
      request.sdp_offer = offer;
      if (!s.Invite(request).ok()) ++refused;
    }
  });
  EXPECT_EQ(refused, 0);
  int local = 0;  // beyond what kernel and stack hold: a trunk fault, at once
  while (!shard_.events.Empty()) local += shard_.events.Next().failure.local ? 1 : 0;
  trunk_->Reset();
  for (; local < 1'500; ++local) {
    const Event failure = shard_.events.NextFinal();
    ASSERT_EQ(failure.failure.status, 503);
    ASSERT_TRUE(failure.failure.local);
  }
}

// ---- what comes in ----

TEST_F(TcpTest, ManyMessagesThatWaitAreNoLargeMessage) {
  const auto theirs = ConnectTo(port_);
  ASSERT_NE(theirs, nullptr);
  std::string text;
  for (int i = 0; i < 2'000; ++i) text += OptionsText(absl::StrCat("many", i));
  shard_.Do([&](SofiaSignaling&) { EXPECT_TRUE(theirs->Send(text.substr(0, 100'000))); });
  ASSERT_TRUE(theirs->Send(text.substr(100'000)));
  for (int i = 0; i < 2'000; ++i) {
    ASSERT_EQ(theirs->ReceiveResponse("OPTIONS").Header("Call-ID"), absl::StrCat("many", i));
  }
}

TEST_F(TcpTest, MessagesAreTakenHoweverTheyAreCut) {
  const auto theirs = ConnectTo(port_);
  ASSERT_NE(theirs, nullptr);
  const std::string text = OptionsText("cut");
  for (const char octet : text) ASSERT_TRUE(theirs->Send(absl::string_view(&octet, 1)));
  EXPECT_EQ(theirs->ReceiveResponse("OPTIONS").Status(), 200);
  ASSERT_TRUE(theirs->Send(absl::StrCat(OptionsText("one"), "\r\n\r\n", OptionsText("two"))));
  EXPECT_EQ(theirs->ReceiveResponse("OPTIONS").Header("Call-ID"), "one");
  EXPECT_EQ(theirs->ReceiveResponse("OPTIONS").Header("Call-ID"), "two");
}

TEST_F(TcpTest, APingIsAnswered) {
  const auto theirs = ConnectTo(port_);
  ASSERT_NE(theirs, nullptr);
  ASSERT_TRUE(theirs->Send("\r\n\r\n"));
  EXPECT_EQ(theirs->ReceiveOctets(2), "\r\n");
}

TEST_F(TcpTest, StrangersAreClosedAtOnce) {
  const auto stranger = ConnectTo(port_, nullptr, "127.0.0.77");
  if (stranger != nullptr) {
    stranger->Send(OptionsText("stranger"));
    EXPECT_TRUE(stranger->Ended());
    EXPECT_EQ(stranger->ReceiveOctets(1), "");
  }
  EXPECT_TRUE(Eventually(shard_, [](const SofiaCounters& c) { return c.streams.refused == 1; }));
  EXPECT_EQ(shard_.counters().strangers_refused, 0u);  // the stack never saw it
}

TEST_F(TcpTest, APeerHasThirtyTwoConnections) {
  std::vector<std::unique_ptr<StreamConnection>> held;
  for (int i = 0; i < 32; ++i) {
    held.push_back(ConnectTo(port_));
    ASSERT_NE(held.back(), nullptr);
    ASSERT_TRUE(held.back()->Send(OptionsText(absl::StrCat("held", i))));
    ASSERT_EQ(held.back()->ReceiveResponse("OPTIONS").Status(), 200);
  }
  const auto more = ConnectTo(port_);
  if (more != nullptr) {
    EXPECT_TRUE(more->Ended());
  }
  EXPECT_TRUE(Eventually(shard_, [](const SofiaCounters& c) { return c.streams.refused == 1; }));
  held.front()->Close();  // makes room
  for (bool served = false; !served;) {
    const auto next = ConnectTo(port_);
    served = next != nullptr && next->Send(OptionsText("next")) &&
             next->ReceiveResponse("OPTIONS").Status() == 200;
  }
}

TEST_F(TcpTest, WhatCannotBeFramedEndsTheConnection) {
  const std::string start =
      "OPTIONS sip:outpace@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKx\r\n"
      "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: bad\r\nCSeq: 1 OPTIONS\r\n";
  for (const std::string& text :
       {absl::StrCat(start, "Content-Length: 2147483648\r\n\r\nx"),
        absl::StrCat(start, "X-Filler: ", std::string(80 << 10, 'x'), "\r\n\r\n"),
        absl::StrCat(start, "Content-Length: 100000\r\n\r\n", std::string(100'000, 'x')),
        std::string(100'000, 'y')}) {
    const auto theirs = ConnectTo(port_);
    ASSERT_NE(theirs, nullptr);
    theirs->Send(text);
    const MonoTime sent = shard_.clock.Mono();
    EXPECT_TRUE(theirs->Ended()) << text.substr(0, 20) << " of " << text.size();
    EXPECT_LT(shard_.clock.Mono() - sent, absl::Seconds(3)) << text.size();
  }
  EXPECT_TRUE(Ring().valid);
}

TEST_F(TcpTest, ConnectSendResetLeavesNothing) {
  for (int i = 0; i < 500; ++i) {
    const auto theirs = ConnectTo(port_);
    if (theirs == nullptr) continue;
    theirs->Send(i % 2 == 0 ? OptionsText(absl::StrCat("rst", i)) : "INVITE sip:half");
    theirs->Reset();
  }
  bool none = false;
  const MonoTime end = shard_.clock.Mono() + absl::Seconds(10);
  while (!none && shard_.clock.Mono() < end) {
    shard_.Do([&](SofiaSignaling& s) { none = s.stream_connections() == 0; });
  }
  EXPECT_TRUE(none);
  EXPECT_TRUE(Ring().valid);
}

// ---- limits ----

class ShortTcpTest : public TcpTest {
 protected:
  static SofiaConfig Config() {
    SofiaConfig config = TcpConfig();
    config.streams.message_max = absl::Milliseconds(400);
    config.streams.idle_max = absl::Milliseconds(600);
    config.streams.connect_max = absl::Milliseconds(300);
    return config;
  }
  explicit ShortTcpTest(const SofiaConfig& config = Config()) : TcpTest(config) {}
};

TEST_F(ShortTcpTest, AHalfMessageIsNotWaitedFor) {
  const auto theirs = ConnectTo(port_);
  ASSERT_NE(theirs, nullptr);
  ASSERT_TRUE(theirs->Send("OPTIONS sip:outpace@127.0.0.1 SIP/2.0\r\nVia: "));
  EXPECT_TRUE(theirs->Ended());
  EXPECT_EQ(shard_.counters().streams.timed_out, 1u);
}

TEST_F(ShortTcpTest, GarbageIsNotWaitedFor) {
  const auto theirs = ConnectTo(port_);
  ASSERT_NE(theirs, nullptr);
  ASSERT_TRUE(theirs->Send(absl::string_view("\0\1\2\3 garbage\r\n\r\n", 16)));
  EXPECT_TRUE(theirs->Ended());
}

TEST_F(ShortTcpTest, ATrickleIsNotWaitedForEither) {
  const auto theirs = ConnectTo(port_);
  ASSERT_NE(theirs, nullptr);
  // An octet each 20 ms or so; Ended() would wait for silence.
  const std::string text = OptionsText("trickle");
  size_t sent = 0;
  while (sent < text.size() && theirs->Send(text.substr(sent, 1))) {
    ++sent;
    EXPECT_TRUE(far_.Quiet(20));
  }
  EXPECT_LT(sent, 60u);
}

TEST_F(ShortTcpTest, ATrunkMayBeIdle) {
  const WireMessage invite = Establish();
  EXPECT_TRUE(far_.Quiet(1'000));
  ASSERT_TRUE(trunk_->Send(RequestText(invite, "BYE", 1)));
  EXPECT_EQ(trunk_->ReceiveResponse("BYE").Status(), 200);
}

TEST_F(ShortTcpTest, WhoIsNoTrunkMayNot) {
  shard_.Do([](SofiaSignaling& s) { s.AddPeer("127.0.0.78"); });
  const auto phone = ConnectTo(port_, nullptr, "127.0.0.78");
  ASSERT_NE(phone, nullptr);
  ASSERT_TRUE(phone->Send(OptionsText("phone")));
  EXPECT_EQ(phone->ReceiveResponse("OPTIONS").Status(), 200);
  EXPECT_TRUE(phone->Ended());
  EXPECT_EQ(shard_.counters().streams.timed_out, 1u);
}

TEST(TcpOff, NothingListensUnlessATrunkUsesIt) {
  ShardUnderTest shard;
  ASSERT_TRUE(shard.status.ok());
  shard.Do([](SofiaSignaling& s) {
    EXPECT_GT(s.local_port(), 0);
    EXPECT_EQ(s.local_port(Transport::kTcp), 0);
    EXPECT_EQ(s.local_port(Transport::kTls), 0);
  });
  SofiaConfig config = ShardUnderTest::Config();
  config.tcp = true;
  ShardUnderTest with(config);
  ASSERT_TRUE(with.status.ok());
  with.Do([](SofiaSignaling& s) { EXPECT_GT(s.local_port(Transport::kTcp), 0); });
}

}  // namespace
}  // namespace outpace::sip
