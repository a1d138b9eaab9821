// The carrier over real sockets, against a caller written by hand. Every wait has a deadline.

#include "tools/farend/carrier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace outpace::farend {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Deadline = std::chrono::steady_clock::time_point;

Deadline In(int ms) { return std::chrono::steady_clock::now() + std::chrono::milliseconds(ms); }

std::string TempPath(absl::string_view name) {
  return absl::StrCat(::testing::TempDir(), "/farend-", ::getpid(), "-", name);
}

// One datagram, or "" at the deadline.
std::string Read(const UdpSocket& socket, Deadline deadline, Endpoint* from = nullptr) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd waiting{socket.fd(), POLLIN, 0};
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return "";
    char buffer[4096];
    Endpoint source;
    absl::Time at;
    const ptrdiff_t size = socket.Receive(buffer, sizeof buffer, &source, &at);
    if (size < 0) continue;
    if (from != nullptr) *from = source;
    return std::string(buffer, static_cast<size_t>(size));
  }
}

// A caller: sends what the test says, retransmits nothing, ACKs nothing by itself.
class Caller {
 public:
  explicit Caller(Endpoint carrier)
      : carrier_(carrier),
        sip_(*UdpSocket::Bind({0x7f000001, 0}, false, 0)),
        rtp_(*UdpSocket::Bind({0x7f000001, 0}, true, 0)) {}

  std::string Sdp() const {
    return absl::StrCat("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n",
                        "m=audio ", rtp_.local().port, " RTP/AVP 0 101\r\n",
                        "a=rtpmap:101 telephone-event/8000\r\n");
  }
  std::string Request(absl::string_view method, absl::string_view number, absl::string_view branch,
                      int cseq, absl::string_view to_tag = "", absl::string_view body = "") const {
    return absl::StrCat(
        method, " sip:+", number, "@", ToString(carrier_), " SIP/2.0\r\nVia: SIP/2.0/UDP ",
        ToString(sip_.local()), ";branch=z9hG4bK", number, branch,
        ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:+12025550199@127.0.0.1>;tag=me\r\nTo: <sip:+",
        number, "@127.0.0.1>", to_tag.empty() ? "" : ";tag=", to_tag, "\r\nCall-ID: call-", number,
        "\r\nCSeq: ", cseq, " ", method, "\r\nContact: <sip:", ToString(sip_.local()),
        ">\r\nContent-Type: application/sdp\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
  }
  void Send(const std::string& bytes) { sip_.Send(carrier_, bytes); }
  void Invite(absl::string_view number) { Send(Request("INVITE", number, "inv", 1, "", Sdp())); }
  // The next message that is not a retransmitted provisional; a null message at the deadline.
  SipMessage Next(int ms = 5000) {
    const std::string bytes = Read(sip_, In(ms));
    auto message = ParseSip(bytes);
    if (!message.ok()) return {};
    const auto to = ParseNameAddr(message->Get("To"));
    if (message->status > 100 && to.ok()) tag_ = Param(to->params, "tag");
    return *message;
  }
  // Reads until a final response to an INVITE.
  SipMessage Final(int ms = 5000) {
    const Deadline deadline = In(ms);
    while (std::chrono::steady_clock::now() < deadline) {
      SipMessage message = Next(1000);
      if (message.status >= 200 && absl::EndsWith(message.Get("CSeq"), "INVITE")) return message;
    }
    return {};
  }
  const std::string& tag() const { return tag_; }
  UdpSocket& rtp() { return rtp_; }
  UdpSocket& sip() { return sip_; }

 private:
  const Endpoint carrier_;
  UdpSocket sip_;
  UdpSocket rtp_;
  std::string tag_;
};

constexpr absl::string_view kScenario = R"(
seed = 3
[class.human]
share = 1.0
post_dial_delay = 0.01
ring = 0.02
patience = "never"
[class.busy]
share = 0.0
post_dial_delay = 0.01
[class.no_answer]
share = 0.0
post_dial_delay = 0.01
[class.early_media]
share = 0.0
post_dial_delay = 0.01
ring = 0.05
answer_share = 1.0
[class.cross_cancel]
share = 0.0
post_dial_delay = 0.01
[class.hangup_mid_call]
share = 0.0
post_dial_delay = 0.01
ring = 0.01
talk = 0.1
[class.silent_trunk]
share = 0.0
[class.silent_human]
share = 0.0
post_dial_delay = 0.01
ring = 0.01
talk = "never"
patience = 0.2
[[rule]]
match = "*0486"
class = "busy"
[[rule]]
match = "*0180"
class = "no_answer"
[[rule]]
match = "*0183"
class = "early_media"
[[rule]]
match = "*0487"
class = "cross_cancel"
[[rule]]
match = "*0016"
class = "hangup_mid_call"
[[rule]]
match = "*0000"
class = "silent_trunk"
[[rule]]
match = "*0001"
class = "silent_human"
)";

class CarrierTest : public ::testing::Test {
 protected:
  CarrierTest() {
    path_ = TempPath(::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::remove(path_.c_str());
    log_ = *EventLog::Open(path_);
    auto scenario = Scenario::Parse(kScenario, "test");
    EXPECT_TRUE(scenario.ok()) << scenario.status();
    auto carrier = Carrier::Create(reactor_, *scenario, {.listen = {0x7f000001, 0}}, *log_);
    EXPECT_TRUE(carrier.ok()) << carrier.status();
    carrier_ = *std::move(carrier);
    reactor_.OnBatchEnd([this] { log_->Flush(); });
    thread_ = std::thread([this] { reactor_.Run(); });
    caller_ = std::make_unique<Caller>(carrier_->local());
  }
  ~CarrierTest() override {
    Finish();
    std::remove(path_.c_str());
  }
  // Stops the carrier and returns its log.
  std::vector<nlohmann::json> Finish() {
    if (thread_.joinable()) {
      reactor_.Stop();
      thread_.join();
      carrier_->WriteSummary();
      log_.reset();
    }
    std::vector<nlohmann::json> lines;
    std::ifstream file(path_);
    for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }
  std::vector<std::string> Events() {
    std::vector<std::string> events;
    for (const auto& line : Finish()) events.push_back(line["ev"]);
    return events;
  }
  // Waits until the carrier has counted so: what it sends nothing about is seen there.
  bool Reaches(int64_t CarrierCounts::*count, int64_t value) {
    const Deadline deadline = In(5000);
    while (std::chrono::steady_clock::now() < deadline) {
      std::atomic<int64_t> now{-1};
      std::atomic<bool> done{false};
      if (!reactor_.Post([&] {
            now = carrier_->counts().*count;
            done = true;
            done.notify_one();
          })) {
        return false;
      }
      done.wait(false);
      if (now == value) return true;
      ::poll(nullptr, 0, 2);
    }
    return false;
  }
  // An answered, ACKed call to `number`; returns where the far end wants audio.
  Endpoint Establish(absl::string_view number) {
    caller_->Invite(number);
    const SipMessage ok = caller_->Final();
    EXPECT_EQ(ok.status, 200);
    caller_->Send(caller_->Request("ACK", number, "ack", 1, caller_->tag()));
    const auto sdp = ParseSdp(ok.body);
    EXPECT_TRUE(sdp.ok());
    return sdp.ok() ? Endpoint{*ParseAddress(sdp->address), sdp->port} : Endpoint{};
  }

  std::string path_;
  std::unique_ptr<EventLog> log_;
  Reactor reactor_;
  std::unique_ptr<Carrier> carrier_;
  std::unique_ptr<Caller> caller_;
  std::thread thread_;
};

TEST_F(CarrierTest, AHumanRingsAnswersSpeaksAndHears) {
  caller_->Invite("12025550100");
  EXPECT_EQ(caller_->Next().status, 100);
  EXPECT_EQ(caller_->Next().status, 180);
  const SipMessage ok = caller_->Next();
  EXPECT_EQ(ok.status, 200);
  // RTP comes before our ACK; it is version 2, PCMU, 20 ms, and goes on in steps of 160.
  const std::string first = Read(caller_->rtp(), In(2000));
  Endpoint from;
  const std::string second = Read(caller_->rtp(), In(2000), &from);
  ASSERT_EQ(first.size(), 172u);
  ASSERT_EQ(second.size(), 172u);
  EXPECT_EQ(static_cast<uint8_t>(first[0]), 0x80);
  EXPECT_EQ(static_cast<uint8_t>(first[1]), 0x80);  // marker, payload type 0
  EXPECT_EQ(static_cast<uint8_t>(second[1]), 0x00);
  const auto stamp = [](const std::string& packet) {
    return static_cast<uint32_t>(static_cast<uint8_t>(packet[6])) << 8 |
           static_cast<uint32_t>(static_cast<uint8_t>(packet[7]));
  };
  EXPECT_EQ((stamp(second) - stamp(first)) & 0xffff, 160u);
  caller_->Send(caller_->Request("ACK", "12025550100", "ack", 1, caller_->tag()));
  const auto sdp = ParseSdp(ok.body);
  ASSERT_TRUE(sdp.ok());
  EXPECT_EQ(sdp->port, from.port);
  std::string packet(172, '\0');
  packet[0] = static_cast<char>(0x80);
  caller_->rtp().Send({0x7f000001, sdp->port}, packet);
  EXPECT_TRUE(Reaches(&CarrierCounts::audio_in, 1));
  caller_->Send(caller_->Request("BYE", "12025550100", "bye", 2, caller_->tag()));
  EXPECT_EQ(caller_->Next().status, 200);
  EXPECT_TRUE(Reaches(&CarrierCounts::up, 0));
  const auto lines = Finish();
  EXPECT_EQ(lines[0]["ev"], "invite");
  EXPECT_EQ(lines[0]["to"], "12025550100");
  EXPECT_EQ(lines[0]["from"], "12025550199");
  EXPECT_EQ(lines[0]["class"], "human");
  EXPECT_EQ(lines[0]["call_id"], "call-12025550100");
  EXPECT_GT(lines[0]["t"].get<int64_t>(), 1'600'000'000'000'000);
  EXPECT_THAT(Events(), ElementsAre("invite", "ringing", "answer", "audio_out", "ack", "audio_in",
                                    "bye_in", "summary"));
  EXPECT_EQ(lines.back()["up"], 0);
  EXPECT_EQ(lines.back()["answered"], 1);
}

TEST_F(CarrierTest, BusyCarriesItsCause) {
  caller_->Invite("12025550486");
  const SipMessage busy = caller_->Final();
  EXPECT_EQ(busy.status, 486);
  EXPECT_EQ(Q850Cause(busy), 17);
  caller_->Send(caller_->Request("ACK", "12025550486", "inv", 1, caller_->tag()));
  EXPECT_THAT(Events(), ElementsAre("invite", "final", "summary"));
}

TEST_F(CarrierTest, NoAnswerRingsUntilTheCancel) {
  caller_->Invite("12025550180");
  EXPECT_EQ(caller_->Next().status, 100);
  EXPECT_EQ(caller_->Next().status, 180);
  caller_->Send(caller_->Request("CANCEL", "12025550180", "inv", 1));
  EXPECT_EQ(caller_->Next().Get("CSeq"), "1 CANCEL");
  const SipMessage terminated = caller_->Next();
  EXPECT_EQ(terminated.status, 487);
  caller_->Send(caller_->Request("ACK", "12025550180", "inv", 1, caller_->tag()));
  EXPECT_THAT(Events(), ElementsAre("invite", "ringing", "cancel", "final", "summary"));
}

TEST_F(CarrierTest, AnswerCrossesTheCancel) {
  caller_->Invite("12025550487");
  EXPECT_EQ(caller_->Next().status, 100);
  EXPECT_EQ(caller_->Next().status, 180);
  caller_->Send(caller_->Request("CANCEL", "12025550487", "inv", 1));
  EXPECT_EQ(caller_->Next().Get("CSeq"), "1 CANCEL");
  EXPECT_EQ(caller_->Next().status, 200);
  caller_->Send(caller_->Request("ACK", "12025550487", "ack", 1, caller_->tag()));
  caller_->Send(caller_->Request("BYE", "12025550487", "bye", 2, caller_->tag()));
  EXPECT_EQ(caller_->Next().Get("CSeq"), "2 BYE");
  EXPECT_THAT(Events(), ElementsAre("invite", "ringing", "cancel", "answer", "audio_out", "ack",
                                    "bye_in", "summary"));
}

TEST_F(CarrierTest, RepeatsItsAnswerUntilTheAckAndLogsADuplicateInvite) {
  caller_->Invite("12025550101");
  EXPECT_EQ(caller_->Final().status, 200);
  caller_->Invite("12025550101");  // as if all answers had been lost
  EXPECT_EQ(caller_->Final(400).status, 200);
  EXPECT_EQ(caller_->Final(2000).status, 200);  // T1 later, by itself
  caller_->Send(caller_->Request("ACK", "12025550101", "ack", 1, caller_->tag()));
  EXPECT_TRUE(Reaches(&CarrierCounts::acked, 1));
  int answers = 0, duplicates = 0;
  for (const auto& line : Finish()) {
    answers += line["ev"] == "answer";
    duplicates += line["ev"] == "reinvite_dup" && line["why"] == "retransmission";
  }
  EXPECT_EQ(answers, 1);
  EXPECT_EQ(duplicates, 1);
}

TEST_F(CarrierTest, EarlyMediaIsHeardBeforeTheAnswer) {
  caller_->Invite("12025550183");
  EXPECT_EQ(caller_->Next().status, 100);
  const SipMessage progress = caller_->Next();
  EXPECT_EQ(progress.status, 183);
  EXPECT_TRUE(ParseSdp(progress.body).ok());
  EXPECT_EQ(Read(caller_->rtp(), In(2000)).size(), 172u);
  const SipMessage ok = caller_->Final();
  EXPECT_EQ(ok.status, 200);
  EXPECT_EQ(ParseSdp(ok.body)->port, ParseSdp(progress.body)->port);
}

TEST_F(CarrierTest, TheFarEndHangsUpAndRepeatsItsBye) {
  Establish("12025550016");
  const SipMessage bye = caller_->Next();
  EXPECT_EQ(bye.method, "BYE");
  const SipMessage again = caller_->Next();
  EXPECT_EQ(again.method, "BYE");
  EXPECT_EQ(again.Get("Via"), bye.Get("Via"));
  SipMessage ok;
  ok.status = 200;
  ok.phrase = "OK";
  for (const char* name : {"Via", "From", "To", "Call-ID", "CSeq"}) ok.Add(name, bye.Get(name));
  caller_->Send(ok.Serialize());
  EXPECT_TRUE(Reaches(&CarrierCounts::up, 0));
  const auto lines = Finish();
  EXPECT_EQ(lines[lines.size() - 2]["ev"], "bye_out");
  EXPECT_EQ(lines[lines.size() - 2]["why"], "talk");
  EXPECT_EQ(lines.back()["lost"], 0);
}

TEST_F(CarrierTest, APersonWhoHearsNothingLosesPatience) {
  Establish("12025550001");
  const SipMessage bye = caller_->Next();
  EXPECT_EQ(bye.method, "BYE");
  EXPECT_EQ(Read(caller_->rtp(), In(20)), "");  // and never said anything
  const auto lines = Finish();
  EXPECT_EQ(lines[lines.size() - 2]["why"], "patience");
}

TEST_F(CarrierTest, ADeadTrunkSaysNothing) {
  caller_->Invite("12025550000");
  caller_->Invite("12025550000");
  EXPECT_TRUE(Reaches(&CarrierCounts::duplicates, 1));
  EXPECT_EQ(Read(caller_->sip(), In(30)), "");
  EXPECT_THAT(Events(), ElementsAre("invite", "reinvite_dup", "summary"));
}

TEST_F(CarrierTest, AnOfferWithoutUsableAudioIsRefused) {
  caller_->Send(caller_->Request("INVITE", "12025550100", "inv", 1, "",
                                 "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 18\r\n"));
  EXPECT_EQ(caller_->Final().status, 488);
}

TEST_F(CarrierTest, ReinviteMovesTheAudio) {
  Establish("12025550102");
  const UdpSocket other = *UdpSocket::Bind({0x7f000001, 0}, true, 0);
  caller_->Send(caller_->Request(
      "INVITE", "12025550102", "re", 2, caller_->tag(),
      absl::StrCat("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio ", other.local().port, " RTP/AVP 8\r\n")));
  EXPECT_EQ(caller_->Final().status, 200);
  caller_->Send(caller_->Request("ACK", "12025550102", "reack", 2, caller_->tag()));
  const std::string packet = Read(other, In(2000));
  ASSERT_EQ(packet.size(), 172u);
  EXPECT_EQ(packet[1] & 0x7f, 8);
}

TEST_F(CarrierTest, KeepsFiftyCallsSpeaking) {
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < 50; ++i) {
    callers.push_back(std::make_unique<Caller>(carrier_->local()));
    callers.back()->Invite(absl::StrCat(12025551000 + i));
  }
  for (int i = 0; i < 50; ++i) {
    Caller& caller = *callers[static_cast<size_t>(i)];
    EXPECT_EQ(caller.Final().status, 200);
    caller.Send(caller.Request("ACK", absl::StrCat(12025551000 + i), "ack", 1, caller.tag()));
  }
  EXPECT_TRUE(Reaches(&CarrierCounts::up, 50));
  for (const auto& caller : callers) {
    for (int i = 0; i < 10; ++i) EXPECT_EQ(Read(caller->rtp(), In(3000)).size(), 172u);
  }
  for (int i = 0; i < 50; ++i) {
    Caller& caller = *callers[static_cast<size_t>(i)];
    caller.Send(caller.Request("BYE", absl::StrCat(12025551000 + i), "bye", 2, caller.tag()));
  }
  EXPECT_TRUE(Reaches(&CarrierCounts::bye_in, 50));
  const auto summary = Finish().back();
  EXPECT_EQ(summary["up"], 0);
  EXPECT_EQ(summary["up_max"], 50);
}

TEST(RunCarrier, TellsWhereItListensAndSumsUp) {
  const std::string log = TempPath("run.jsonl");
  std::remove(log.c_str());
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(RunCarrier({"--listen", "127.0.0.1:0", "--log", log, "--duration", "0.05"}), 0);
  const std::string out = ::testing::internal::GetCapturedStdout();
  EXPECT_TRUE(absl::StartsWith(out, "carrier: listening on 127.0.0.1:")) << out;
  EXPECT_THAT(out, HasSubstr("0 still up"));
  std::ifstream file(log);
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  EXPECT_EQ(nlohmann::json::parse(line)["ev"], "summary");
  std::remove(log.c_str());
}

TEST(RunCarrier, WrongUsageIsExplained) {
  const auto says = [](const std::vector<std::string>& args) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(RunCarrier(args), 2);
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_THAT(says({"--nonsense"}), HasSubstr("--help"));
  EXPECT_THAT(says({"--listen", "localhost:5070"}), HasSubstr("numeric IPv4"));
  EXPECT_THAT(says({"--sip-loss", "2"}), HasSubstr("0 to 1"));
  EXPECT_THAT(says({"--scenario", "/nonexistent.toml"}), HasSubstr("cannot open"));
  const UdpSocket taken = *UdpSocket::Bind({0x7f000001, 0}, false, 0);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(RunCarrier({"--listen", ToString(taken.local())}), 1);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("choose another"));
}

TEST(RunCarrier, HelpTeaches) {
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(RunCarrier({"--help"}), 0);
  const std::string out = ::testing::internal::GetCapturedStdout();
  EXPECT_THAT(out, HasSubstr("Examples:"));
  EXPECT_THAT(out, HasSubstr("--scenario"));
}

}  // namespace
}  // namespace outpace::farend
