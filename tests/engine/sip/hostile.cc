#include "tests/engine/sip/hostile.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace outpace::sip {
namespace {

constexpr char kProbeId[] = "liveness-probe-";

}  // namespace

std::string ReadTestFile(const std::string& path) {
  std::ifstream file(absl::StrCat(OUTPACE_TEST_DATA, "/", path), std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string ProbeText(absl::string_view from_address, int from_port, int to_port, uint64_t number,
                      absl::string_view transport) {
  return absl::StrCat("OPTIONS sip:outpace@127.0.0.1:", to_port, " SIP/2.0\r\nVia: SIP/2.0/",
                      transport, " ", from_address, ":", from_port, ";branch=z9hG4bKprobe", number,
                      "\r\nMax-Forwards: 70\r\nFrom: <sip:probe@", from_address, ">;tag=p", number,
                      "\r\nTo: <sip:outpace@127.0.0.1>\r\nCall-ID: ", kProbeId, number,
                      "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
}

std::string AckOf(const WireMessage& response, int port) {
  std::string cseq = response.Header("CSeq");
  return absl::StrCat(
      "ACK sip:outpace@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP ", kAttacker, ":", port,
      ";branch=", WireMessage::Param(response.Header("Via"), "branch"),
      "\r\nMax-Forwards: 70\r\nFrom: ", response.Header("From"), "\r\nTo: ", response.Header("To"),
      "\r\nCall-ID: ", response.Header("Call-ID"), "\r\nCSeq: ", cseq.substr(0, cseq.find(' ')),
      " ACK\r\nContent-Length: 0\r\n\r\n");
}

SofiaConfig UnderAttack::Config(From from) {
  SofiaConfig config = ShardUnderTest::Config();
  if (from == From::kPeer) config.peers.push_back(kAttacker);
  return config;
}

UnderAttack::UnderAttack(From from, const SofiaConfig& config)
    : shard_(config), attacker_(kAttacker), from_(from) {
  EXPECT_TRUE(shard_.status.ok()) << shard_.status;
  EXPECT_TRUE(shard_.Invite(RequestTo(far_)).ok());
  invite_ = far_.ReceiveRequest("INVITE");
  far_.Answer(invite_,
              {200, "OK", "far", {far_.Contact()}, "v=0\r\no=far 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"});
  EXPECT_EQ(shard_.events.NextFinal().kind, "answer");
  shard_.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
  EXPECT_TRUE(far_.ReceiveRequest("ACK").valid);
  before_ = shard_.counters();
}

bool UnderAttack::Probe() {
  FarEnd& from = from_ == From::kPeer ? attacker_ : prober_;
  const char* address = from_ == From::kPeer ? kAttacker : "127.0.0.1";
  const uint64_t number = ++probes_;
  const std::string id = absl::StrCat(kProbeId, number);
  const MonoTime asked = shard_.clock.Mono();
  from.Send(ProbeText(address, from.port(), shard_.port(), number), shard_.port());
  for (;;) {
    const absl::Duration took = shard_.clock.Mono() - asked;
    const absl::Duration limit = kSanitized ? 20 * kAnswerLimit : kAnswerLimit;
    if (took > limit || from.Quiet(static_cast<int>(absl::ToInt64Milliseconds(limit - took)) + 1)) {
      return false;
    }
    WireMessage message = from.Receive();
    if (message.Header("Call-ID") == id) {
      slowest_ = std::max(slowest_, shard_.clock.Mono() - asked);
      return message.Status() == 200;
    }
    if (!absl::StartsWith(message.Header("Call-ID"), kProbeId))
      heard_.push_back(std::move(message));
  }
}

bool UnderAttack::Alive() { return Probe() || Probe(); }

std::vector<WireMessage> UnderAttack::Heard() {
  while (!attacker_.Quiet(0)) {
    WireMessage message = attacker_.Receive();
    if (!absl::StartsWith(message.Header("Call-ID"), kProbeId))
      heard_.push_back(std::move(message));
  }
  return std::exchange(heard_, {});
}

void UnderAttack::ExpectUntouched(Strays strays) {
  EXPECT_TRUE(Alive());
  EXPECT_TRUE(shard_.events.Empty()) << shard_.events.Next().kind;
  EXPECT_TRUE(shard_.events.offers().empty());
  EXPECT_TRUE(far_.Quiet(0)) << far_.Receive().start_line;
  const SofiaCounters after = shard_.counters();
  if (strays == Strays::kNone) {
    EXPECT_EQ(after.strays_ended, before_.strays_ended);
    EXPECT_EQ(after.acks_repeated, before_.acks_repeated);
    EXPECT_EQ(after.send_failures, before_.send_failures);
  }
  EXPECT_EQ(after.unknown_legs, before_.unknown_legs);
  shard_.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  const WireMessage bye = far_.ReceiveRequest("BYE");
  EXPECT_EQ(bye.Header("Call-ID"), invite_.Header("Call-ID"));
  EXPECT_EQ(bye.Header("CSeq"), "2 BYE");
  EXPECT_EQ(bye.RequestUri(), absl::StrCat("sip:far@127.0.0.1:", far_.port()));
  far_.Answer(bye, {});
  EXPECT_EQ(shard_.events.Next().kind, "bye_done");
}

}  // namespace outpace::sip
