#include "tools/farend/uas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/tools/farend/virtual_loop.h"

namespace outpace::farend {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Endpoint kPeer{0x7f000001, 40000};

struct Sent {
  Endpoint to;
  SipMessage message;
  MonoTime at;
};

class UasTest : public ::testing::Test, public UasEvents {
 protected:
  UasTest()
      : uas_(
            loop_, {.local = {0x7f000001, 5070}, .user = "farend"}, 1,
            [this](Endpoint to, absl::string_view bytes) {
              auto message = ParseSip(bytes);
              ASSERT_TRUE(message.ok()) << message.status();
              sent_.push_back({to, *message, loop_.clock().Mono()});
            },
            *this) {}

  void OnInvite(CallRef call, const SipMessage&, absl::Time) override {
    call_ = call;
    Note("invite");
    if (ignore_) uas_.Ignore(call);
  }
  void OnDuplicateInvite(absl::string_view, bool retransmission, absl::Time) override {
    Note(retransmission ? "dup" : "dup call-id");
  }
  void OnCancel(CallRef call, absl::Time) override {
    Note("cancel");
    if (cross_) {
      EXPECT_TRUE(uas_.Answer(call, "v=0\r\n"));
    } else {
      EXPECT_TRUE(uas_.Fail(call, {.status = 487}));
    }
  }
  void OnAck(CallRef, absl::Time) override { Note("ack"); }
  void OnBye(CallRef, absl::Time) override { Note("bye"); }
  std::string OnReinvite(CallRef, const SipMessage&, absl::Time) override {
    Note("reinvite");
    return reinvite_sdp_;
  }
  void OnByeDone(CallRef) override { Note("bye done"); }
  void OnLost(CallRef, absl::string_view, absl::string_view why) override {
    Note(absl::StrCat("lost: ", why));
  }
  void Note(std::string what) { events_.push_back(std::move(what)); }

  static std::string Request(absl::string_view method, absl::string_view branch, uint32_t cseq,
                             absl::string_view to_tag = "", absl::string_view extra = "",
                             absl::string_view call_id = "c1",
                             absl::string_view sent_by = "127.0.0.1:40000") {
    return absl::StrCat(method, " sip:12025550100@127.0.0.1:5070 SIP/2.0\r\nVia: SIP/2.0/UDP ",
                        sent_by, ";branch=z9hG4bK", branch,
                        ";rport\r\nFrom: <sip:a@127.0.0.1>;tag=caller\r\nTo: <sip:b@127.0.0.1>",
                        to_tag.empty() ? "" : ";tag=", to_tag, "\r\nCall-ID: ", call_id,
                        "\r\nCSeq: ", cseq, " ", method, "\r\nContact: <sip:127.0.0.1:40000>\r\n",
                        extra, "Content-Length: 0\r\n\r\n");
  }
  void In(const std::string& bytes, Endpoint from = kPeer) {
    uas_.OnDatagram(from, bytes, loop_.clock().Wall());
  }
  std::vector<int> Statuses() const {
    std::vector<int> statuses;
    for (const Sent& sent : sent_) statuses.push_back(sent.message.status);
    return statuses;
  }
  std::string LocalTag() const {
    return Param(ParseNameAddr(sent_.back().message.Get("To"))->params, "tag");
  }
  // An answered and ACKed call; clears what was sent and seen so far.
  std::string Establish() {
    In(Request("INVITE", "inv", 1));
    EXPECT_TRUE(uas_.Answer(call_, "v=0\r\n"));
    const std::string tag = LocalTag();
    In(Request("ACK", "ack", 1, tag));
    EXPECT_THAT(events_, ElementsAre("invite", "ack"));
    sent_.clear();
    events_.clear();
    return tag;
  }

  VirtualLoop loop_;
  std::vector<Sent> sent_;
  std::vector<std::string> events_;
  CallRef call_ = 0;
  bool ignore_ = false;
  bool cross_ = false;
  std::string reinvite_sdp_ = "v=0\r\n";
  Uas uas_;
};

TEST_F(UasTest, Says100AtOnceAndRepeatsTheLastAnswerToARetransmission) {
  In(Request("INVITE", "inv", 1));
  EXPECT_THAT(Statuses(), ElementsAre(100));
  EXPECT_TRUE(ParseNameAddr(sent_[0].message.Get("To"))->params.empty());
  uas_.Provisional(call_, 180, "");
  In(Request("INVITE", "inv", 1));
  EXPECT_THAT(Statuses(), ElementsAre(100, 180, 180));
  EXPECT_THAT(events_, ElementsAre("invite", "dup"));
  EXPECT_EQ(sent_[1].message.Get("Via"),
            "SIP/2.0/UDP 127.0.0.1:40000;branch=z9hG4bKinv;rport=40000;received=127.0.0.1");
}

TEST_F(UasTest, Repeats200UntilTheAck) {
  In(Request("INVITE", "inv", 1));
  EXPECT_TRUE(uas_.Answer(call_, "v=0\r\n"));
  EXPECT_FALSE(uas_.Answer(call_, "v=0\r\n"));
  EXPECT_FALSE(uas_.Fail(call_, {}));
  loop_.RunFor(absl::Milliseconds(3600));  // 0.5, 1.5, 3.5
  EXPECT_THAT(Statuses(), ElementsAre(100, 200, 200, 200, 200));
  EXPECT_EQ(sent_[4].at - sent_[1].at, absl::Milliseconds(3500));
  In(Request("ACK", "ack", 1, LocalTag()));
  In(Request("ACK", "ack", 1, LocalTag()));
  loop_.RunFor(absl::Seconds(60));
  EXPECT_EQ(sent_.size(), 5u);
  EXPECT_THAT(events_, ElementsAre("invite", "ack"));
}

TEST_F(UasTest, GivesUpA200WithoutAckAfter32SecondsAndSendsBye) {
  In(Request("INVITE", "inv", 1));
  uas_.Answer(call_, "v=0\r\n");
  loop_.RunFor(absl::Seconds(31.9));
  // 0.5, 1.5, 3.5, then every 4 s up to 31.5.
  EXPECT_EQ(sent_.size(), 2u + 3u + 7u);
  loop_.RunFor(absl::Seconds(0.2));
  EXPECT_THAT(events_, ElementsAre("invite", "lost: no ACK of the 200 for 32 s"));
  EXPECT_EQ(sent_.back().message.method, "BYE");
  loop_.RunFor(absl::Seconds(300));
  EXPECT_EQ(events_.size(), 2u);  // the unanswered BYE is not a second loss
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(UasTest, FailureCarriesTheCauseAndIsRepeatedUntilTheAck) {
  In(Request("INVITE", "inv", 1));
  EXPECT_TRUE(uas_.Fail(call_, {.status = 503, .q850_cause = 34, .retry_after_s = 7}));
  EXPECT_EQ(sent_.back().message.Get("Reason"), "Q.850;cause=34");
  EXPECT_EQ(sent_.back().message.Get("Retry-After"), "7");
  loop_.RunFor(absl::Seconds(2));
  EXPECT_THAT(Statuses(), ElementsAre(100, 503, 503, 503));
  In(Request("ACK", "inv", 1, LocalTag()));
  loop_.RunFor(absl::Seconds(100));
  EXPECT_EQ(sent_.size(), 4u);
  EXPECT_THAT(events_, ElementsAre("invite"));
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(UasTest, ReportsAFailureThatNobodyAcknowledges) {
  In(Request("INVITE", "inv", 1));
  uas_.Fail(call_, {.status = 486});
  loop_.RunFor(absl::Seconds(33));
  EXPECT_THAT(events_, ElementsAre("invite", "lost: no ACK of the failure for 32 s"));
}

TEST_F(UasTest, CancelGets200AndTheInvite487) {
  In(Request("INVITE", "inv", 1));
  uas_.Provisional(call_, 180, "");
  In(Request("CANCEL", "inv", 1));
  EXPECT_THAT(Statuses(), ElementsAre(100, 180, 200, 487));
  EXPECT_EQ(sent_[2].message.Get("CSeq"), "1 CANCEL");
  EXPECT_EQ(sent_[3].message.Get("CSeq"), "1 INVITE");
  In(Request("CANCEL", "inv", 1));  // retransmitted: the same 200 again, no second event
  EXPECT_THAT(Statuses(), ElementsAre(100, 180, 200, 487, 200));
  EXPECT_THAT(events_, ElementsAre("invite", "cancel"));
}

TEST_F(UasTest, UnderstandsTheCancelOfARestartedCaller) {
  In(Request("INVITE", "inv", 1));
  uas_.Provisional(call_, 180, "");
  const Endpoint reborn{0x7f000001, 40002};
  In(Request("CANCEL", "inv", 1, "", "", "c1", "127.0.0.1:40002"), reborn);
  EXPECT_THAT(events_, ElementsAre("invite", "cancel"));
  EXPECT_EQ(sent_[2].to.port, 40002);  // 200 to who asks, 487 to whom the INVITE came from
  EXPECT_EQ(sent_[3].to.port, 40000);
  // Its ACK of the 487 comes from the new socket too.
  In(Request("ACK", "inv", 1, LocalTag(), "", "c1", "127.0.0.1:40002"), reborn);
  loop_.RunFor(absl::Seconds(60));
  EXPECT_EQ(sent_.size(), 4u);
}

TEST_F(UasTest, CancelOfAnUnknownInviteGets481) {
  In(Request("CANCEL", "other", 1));
  In(Request("INVITE", "inv", 1));
  In(Request("CANCEL", "other2", 1));
  EXPECT_THAT(Statuses(), ElementsAre(481, 100, 481));
}

TEST_F(UasTest, A200CanCrossTheCancel) {
  cross_ = true;
  In(Request("INVITE", "inv", 1));
  uas_.Provisional(call_, 180, "");
  In(Request("CANCEL", "inv", 1));
  EXPECT_THAT(Statuses(), ElementsAre(100, 180, 200, 200));
  const std::string tag = LocalTag();
  In(Request("ACK", "ack", 1, tag));
  In(Request("BYE", "bye", 2, tag));
  EXPECT_THAT(events_, ElementsAre("invite", "cancel", "ack", "bye"));
}

TEST_F(UasTest, CancelAfterTheAnswerChangesNothing) {
  In(Request("INVITE", "inv", 1));
  uas_.Answer(call_, "v=0\r\n");
  In(Request("CANCEL", "inv", 1));
  EXPECT_THAT(events_, ElementsAre("invite"));
  EXPECT_THAT(Statuses(), ElementsAre(100, 200, 200));
}

TEST_F(UasTest, AByeIsAnsweredOnceForAllRetransmissions) {
  const std::string tag = Establish();
  In(Request("BYE", "bye", 2, tag));
  In(Request("BYE", "bye", 2, tag));
  EXPECT_THAT(Statuses(), ElementsAre(200, 200));
  EXPECT_THAT(events_, ElementsAre("bye"));
  In(Request("BYE", "bye", 2, "wrong", "", "c1"));
  loop_.RunFor(absl::Seconds(100));
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(UasTest, AByeOutsideAnyDialogGets481) {
  Establish();
  In(Request("BYE", "bye", 2, "wrong"));
  In(Request("BYE", "bye2", 2, "x", "", "c2"));
  EXPECT_THAT(Statuses(), ElementsAre(481, 481));
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(UasTest, AByeInAnEarlyDialogEndsTheInviteWith487) {
  In(Request("INVITE", "inv", 1));
  uas_.Provisional(call_, 180, "");
  In(Request("BYE", "bye", 2, LocalTag()));
  EXPECT_THAT(Statuses(), ElementsAre(100, 180, 200, 487));
  EXPECT_THAT(events_, ElementsAre("invite", "bye"));
}

TEST_F(UasTest, HangsUpOnlyAfterTheAckAndRepeatsItsBye) {
  In(Request("INVITE", "inv", 1, "", "Record-Route: <sip:127.0.0.1:6000;lr>\r\n"));
  uas_.Answer(call_, "v=0\r\n");
  EXPECT_FALSE(uas_.Bye(call_, 16));
  In(Request("ACK", "ack", 1, LocalTag()));
  sent_.clear();
  EXPECT_TRUE(uas_.Bye(call_, 16));
  EXPECT_FALSE(uas_.Bye(call_, 16));
  loop_.RunFor(absl::Milliseconds(1600));
  ASSERT_EQ(sent_.size(), 3u);
  const SipMessage bye = sent_[0].message;
  EXPECT_EQ(bye.uri, "sip:127.0.0.1:40000");
  EXPECT_EQ(sent_[0].to.port, 6000);  // loose route
  EXPECT_EQ(bye.Get("Route"), "<sip:127.0.0.1:6000;lr>");
  EXPECT_EQ(bye.Get("Reason"), "Q.850;cause=16");
  EXPECT_EQ(bye.Get("To"), "<sip:a@127.0.0.1>;tag=caller");
  SipMessage ok;
  ok.status = 200;
  ok.phrase = "OK";
  for (const char* name : {"Via", "From", "To", "Call-ID", "CSeq"}) ok.Add(name, bye.Get(name));
  In(ok.Serialize());
  loop_.RunFor(absl::Seconds(100));
  EXPECT_EQ(sent_.size(), 3u);
  EXPECT_THAT(events_, ElementsAre("invite", "ack", "bye done"));
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(UasTest, ReportsAByeThatNobodyAnswers) {
  Establish();
  EXPECT_TRUE(uas_.Bye(call_, 0));
  loop_.RunFor(absl::Seconds(33));
  EXPECT_THAT(events_, ElementsAre("lost: BYE unanswered"));
  EXPECT_EQ(sent_.size(), 1u + 3u + 7u);
}

TEST_F(UasTest, ByesThatCrossAreBothAnswered) {
  const std::string tag = Establish();
  EXPECT_TRUE(uas_.Bye(call_, 0));
  In(Request("BYE", "bye", 2, tag));
  EXPECT_THAT(events_, ElementsAre("bye"));
  EXPECT_EQ(sent_[1].message.status, 200);
  loop_.RunFor(absl::Seconds(100));
  EXPECT_THAT(events_, ElementsAre("bye"));
}

TEST_F(UasTest, ReinviteIsAnsweredInTheDialog) {
  const std::string tag = Establish();
  In(Request("INVITE", "re", 2, tag));
  EXPECT_THAT(Statuses(), ElementsAre(200));
  In(Request("INVITE", "re", 2, tag));  // retransmitted
  EXPECT_THAT(Statuses(), ElementsAre(200, 200));
  In(Request("INVITE", "re2", 3, tag));  // before the ACK of the first
  EXPECT_EQ(Statuses().back(), 500);
  In(Request("ACK", "reack", 2, tag));
  loop_.RunFor(absl::Seconds(60));
  EXPECT_EQ(sent_.size(), 3u);
  reinvite_sdp_ = "";
  In(Request("INVITE", "re3", 4, tag));
  EXPECT_EQ(Statuses().back(), 488);
  EXPECT_THAT(events_, ElementsAre("reinvite", "reinvite"));
  In(Request("INVITE", "re4", 5, "unknown"));
  EXPECT_EQ(Statuses().back(), 481);
}

TEST_F(UasTest, ACallIdUsedTwiceIsRefusedEvenLongAfter) {
  const std::string tag = Establish();
  In(Request("BYE", "bye", 2, tag));
  loop_.RunFor(absl::Minutes(10));
  sent_.clear();
  In(Request("INVITE", "second", 1));
  EXPECT_THAT(Statuses(), ElementsAre(482));
  EXPECT_EQ(events_.back(), "dup call-id");
}

TEST_F(UasTest, ADeadTrunkSaysNothing) {
  ignore_ = true;
  In(Request("INVITE", "inv", 1));
  In(Request("INVITE", "inv", 1));
  In(Request("CANCEL", "inv", 1));
  loop_.RunFor(absl::Seconds(100));
  EXPECT_THAT(sent_, IsEmpty());
  EXPECT_THAT(events_, ElementsAre("invite", "dup"));
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(UasTest, OptionsUnknownMethodsAndRequiredExtensions) {
  In(Request("OPTIONS", "o", 1));
  In(Request("PUBLISH", "p", 1, "", "", "c2"));
  In(Request("INVITE", "i", 1, "", "Require: 100rel\r\n", "c3"));
  EXPECT_THAT(Statuses(), ElementsAre(200, 405, 420));
  EXPECT_TRUE(absl::StrContains(sent_[0].message.Get("Allow"), "CANCEL"));
  EXPECT_EQ(sent_[2].message.Get("Unsupported"), "100rel");
}

TEST_F(UasTest, RequestsWithoutTheirHeadersGet400OrNothing) {
  In("BYE sip:x@h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK1\r\n\r\n");
  EXPECT_THAT(Statuses(), ElementsAre(400));
  In("BYE sip:x@h SIP/2.0\r\n\r\n");
  In("garbage");
  In(std::string("\r\n\r\n"));
  In("SIP/2.0 200 OK\r\n\r\n");
  EXPECT_EQ(sent_.size(), 1u);
  EXPECT_EQ(uas_.stats().malformed, 4u);
}

TEST_F(UasTest, SurvivesDamagedTraffic) {
  const std::string templates[] = {
      Request("INVITE", "f", 1, "", "Require: x\r\n", "f"),
      Request("ACK", "f", 1, "t", "", "f"),
      Request("BYE", "g", 2, "t", "", "f"),
      Request("CANCEL", "f", 1, "", "", "f"),
      Request("OPTIONS", "h", 1, "", "", "f"),
      "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nCSeq: 1 BYE\r\n\r\n"};
  for (uint64_t seed = 0; seed < 5'000; ++seed) {
    Rng rng(seed);
    std::string bytes = templates[rng.Below(6)];
    for (uint64_t n = rng.Below(4); n > 0; --n) {
      bytes[rng.Below(bytes.size())] = static_cast<char>(rng.Below(256));
    }
    In(bytes);
    if (rng.Chance(0.3)) uas_.Answer(call_, "v=0\r\n");
    if (rng.Chance(0.1)) loop_.RunFor(absl::Seconds(5));
  }
  loop_.RunFor(absl::Minutes(10));
  EXPECT_EQ(loop_.timers(), 0u);  // nothing is kept for ever
}

}  // namespace
}  // namespace outpace::farend
