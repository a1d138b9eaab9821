#include "engine/trace/ladder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/engine/trace/trace_messages.h"

namespace outpace::trace {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

Ladder LadderOf(std::vector<RecordedMessage> messages) {
  Ladder ladder;
  ladder.title = "Attempt 4711";
  ladder.dialogs = MakeDialogs(std::move(messages));
  return ladder;
}

std::string Golden(const std::string& name) {
  std::ifstream in(absl::StrCat(OUTPACE_SOURCE_DIR, "/tests/golden/", name));
  EXPECT_TRUE(in.good()) << name;
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(Ladder, TextIsAsInTheGoldenFile) {
  EXPECT_EQ(LadderText(LadderOf(AnsweredCall()), false), Golden("trace_ladder.txt"));
}

TEST(Ladder, ShowsNumbersOnlyWhenAsked) {
  const Ladder ladder = LadderOf(AnsweredCall());
  for (const auto& print : {LadderText, LadderJson, LadderPcap}) {
    EXPECT_THAT(print(ladder, true), HasSubstr("+12025550123"));
    EXPECT_THAT(print(ladder, false), Not(HasSubstr("5550123")));
    EXPECT_THAT(print(ladder, false), HasSubstr("+1202555****"));
  }
}

TEST(Ladder, FindsRetransmissionsAndAnswerTimes) {
  const Ladder ladder = LadderOf(AnsweredCall());
  ASSERT_EQ(ladder.dialogs.size(), 1u);
  const std::vector<LadderStep>& steps = ladder.dialogs[0].steps;
  std::vector<size_t> repeated;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].repeat > 0) repeated.push_back(i);
  }
  EXPECT_THAT(repeated, ::testing::ElementsAre(1, 9, 10));  // INVITE, 200, its ACK
  EXPECT_EQ(ladder.Repeats(), 3u);
  // From the first INVITE of its CSeq, not from the repeated one.
  EXPECT_EQ(steps[2].after_request, absl::Milliseconds(512.25));
  EXPECT_EQ(steps[6].after_request, absl::Milliseconds(1417));
  EXPECT_EQ(steps[12].after_request, absl::Microseconds(250));
}

TEST(Ladder, PutsMessagesOfSeveralThreadsInOrderAndApartByCallId) {
  std::vector<RecordedMessage> messages = {
      Message(absl::Seconds(2), Direction::kIn,
              Sip("SIP/2.0 503 No", "x", "t", "1 INVITE", "Retry-After: 30\r\n")),
      Message(absl::Seconds(1), Direction::kOut,
              Sip("INVITE sip:h SIP/2.0", "x", "", "1 INVITE", "")),
      Message(absl::Seconds(3), Direction::kOut,
              Sip("INVITE sip:h SIP/2.0", "y", "", "1 INVITE", "", "", "op-4711-second")),
  };
  const Ladder ladder = LadderOf(messages);
  ASSERT_EQ(ladder.dialogs.size(), 2u);
  EXPECT_EQ(ladder.dialogs[0].steps[1].after_request, absl::Seconds(1));
  EXPECT_EQ(ladder.dialogs[1].call_id, "op-4711-second");
  EXPECT_THAT(LadderText(ladder, false), HasSubstr("503 No (1 INVITE)"));
  EXPECT_THAT(LadderText(ladder, false), HasSubstr("Retry-After 30"));
}

TEST(Ladder, JsonHoldsEveryMessage) {
  const Json json = Json::parse(LadderJson(LadderOf(AnsweredCall()), false));
  EXPECT_EQ(json["messages"], 13);
  EXPECT_EQ(json["sent_again"], 3);
  EXPECT_EQ(json["numbers_masked"], true);
  const Json& steps = json["dialogs"][0]["steps"];
  ASSERT_EQ(steps.size(), 13u);
  EXPECT_EQ(steps[0]["method"], "INVITE");
  EXPECT_EQ(steps[0]["at"], "2026-03-02T09:00:00.000000Z");
  EXPECT_EQ(steps[0]["direction"], "out");
  EXPECT_EQ(steps[0]["local"], "192.0.2.10:5060");
  EXPECT_EQ(steps[0]["sdp"], "192.0.2.10:40000 PCMU PCMA telephone-event SRTP");
  EXPECT_EQ(steps[2]["status"], 407);
  EXPECT_EQ(steps[2]["after_request_ms"], 512.25);
  EXPECT_EQ(steps[7]["sdp"], "198.51.100.7:31000 PCMA telephone-event sendonly SRTP");
  EXPECT_EQ(steps[11]["reason"], "Q.850;cause=16;text=\"Normal call clearing\"");
}

TEST(Ladder, LivesWithWhatIsNoSip) {
  std::vector<RecordedMessage> messages = AnsweredCall();
  messages.push_back(Message(absl::Seconds(40), Direction::kIn,
                             "\xff\xfe\x1b[2Jgarbage\r\nCall-ID: op-4711-9f3ce2a1b0d4\r\n\r\n"));
  messages.push_back(Message(absl::Seconds(41), Direction::kIn,
                             "SIP/2.0 486 \x1b[31mBusy\r\nCall-ID: op-4711-9f3ce2a1b0d4\r\n\r\n"));
  const Ladder ladder = LadderOf(messages);
  const std::string text = LadderText(ladder, true);
  EXPECT_THAT(text, HasSubstr("486 ?[31mBusy"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_TRUE(Json::accept(LadderJson(ladder, true)));
}

class LadderOfRing : public ::testing::Test {
 protected:
  LadderOfRing() {
    std::string name = (std::filesystem::temp_directory_path() / "ladderXXXXXX").string();
    directory_ = mkdtemp(name.data());
    auto tap = RingTap::Open(RingPath(directory_), kRingBytesMin);
    EXPECT_TRUE(tap.ok());
    for (const RecordedMessage& message : AnsweredCall()) (*tap)->OnMessage(Tapped(message));
    // An attempt whose number begins the same, and one that only mentions ours.
    (*tap)->OnMessage(
        Tapped(Message({}, Direction::kOut,
                       Sip("INVITE sip:h SIP/2.0", "z", "", "1 INVITE", "", "", "op-47110-abc"))));
    (*tap)->OnMessage(Tapped(Message({}, Direction::kOut,
                                     Sip("INVITE sip:h SIP/2.0", "z", "", "1 INVITE",
                                         "X-Of: op-4711-abc\r\n", "", "op-48-abc"))));
  }
  ~LadderOfRing() override { std::filesystem::remove_all(directory_); }
  std::string directory_;
};

TEST_F(LadderOfRing, HoldsOneAttempt) {
  auto ring = RingReader::Open(RingPath(directory_));
  ASSERT_TRUE(ring.ok());
  const auto ladder = ReadLadder(*ring, CallIdPrefixOf(4711), "Attempt 4711");
  ASSERT_TRUE(ladder.ok()) << ladder.status();
  EXPECT_EQ(LadderText(*ladder, false), Golden("trace_ladder.txt"));
}

TEST_F(LadderOfRing, SaysHowFarItReachesWhenTheAttemptIsNotThere) {
  auto ring = RingReader::Open(RingPath(directory_));
  ASSERT_TRUE(ring.ok());
  const auto ladder = ReadLadder(*ring, CallIdPrefixOf(471), "Attempt 471");
  EXPECT_EQ(ladder.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ladder.status().message(),
            "Attempt 471 is not in the SIP trace, which holds 15 messages, from 2026-03-02 "
            "09:00:00.000000 UTC to 2026-03-02 09:00:37.000250 UTC (37s)");
}

// ---- capture files ----

uint32_t Little(const std::string& file, size_t at, size_t bytes = 4) {
  uint32_t value = 0;
  for (size_t i = bytes; i > 0; --i) {
    value = value << 8 | static_cast<unsigned char>(file[at + i - 1]);
  }
  return value;
}
uint32_t Big16(const std::string& file, size_t at) {
  return static_cast<uint32_t>(static_cast<unsigned char>(file[at])) << 8 |
         static_cast<unsigned char>(file[at + 1]);
}
// 0xffff for text that holds its own right checksum.
uint32_t OnesSum(absl::string_view text, uint32_t sum = 0) {
  for (size_t i = 0; i < text.size(); ++i) {
    const uint32_t byte = static_cast<unsigned char>(text[i]);
    sum += i % 2 == 0 ? byte << 8 : byte;
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return sum;
}

TEST(LadderPcap, IsACaptureOfIpPackets) {
  const std::vector<RecordedMessage> messages = AnsweredCall();
  const std::string file = LadderPcap(LadderOf(messages), true);
  ASSERT_GE(file.size(), 24u);
  EXPECT_EQ(Little(file, 0), 0xa1b2c3d4u);
  EXPECT_EQ(Little(file, 4, 2), 2u);
  EXPECT_EQ(Little(file, 6, 2), 4u);
  EXPECT_EQ(Little(file, 20), 101u);
  size_t at = 24, packets = 0;
  while (at + 16 <= file.size()) {
    const uint32_t size = Little(file, at + 8);
    EXPECT_EQ(size, Little(file, at + 12));
    EXPECT_EQ(absl::FromUnixMicros(int64_t{1'000'000} * Little(file, at) + Little(file, at + 4)),
              messages[packets].at);
    at += 16;
    ASSERT_LE(at + size, file.size());
    EXPECT_EQ(Big16(file, at + 2), size);
    EXPECT_EQ(OnesSum(file.substr(at, 20)), 0xffffu);
    // Pseudo header: addresses, protocol, length (RFC 768).
    EXPECT_EQ(OnesSum(file.substr(at + 12, size - 12), 17 + size - 20), 0xffffu);
    EXPECT_EQ(file.substr(at + 28, size - 28), messages[packets].bytes);
    at += size;
    ++packets;
  }
  EXPECT_EQ(at, file.size());
  EXPECT_EQ(packets, messages.size());
}

TEST(LadderPcap, HoldsIpv6) {
  RecordedMessage message = Message({}, Direction::kOut, "OPTIONS sip:h SIP/2.0\r\n\r\n");
  message.local = V6("2001:db8::10", 5060);
  message.remote = V6("2001:db8::7", 5061);
  const std::string file = LadderPcap(LadderOf({message}), true);
  const size_t ip = 24 + 16;
  ASSERT_EQ(file.size(), ip + 40 + 8 + message.bytes.size());
  EXPECT_EQ(file[ip] >> 4 & 0xf, 6);
  EXPECT_EQ(Big16(file, ip + 4), 8 + message.bytes.size());
  EXPECT_EQ(OnesSum(file.substr(ip + 8), 17 + 8 + static_cast<uint32_t>(message.bytes.size())),
            0xffffu);
  EXPECT_EQ(Big16(file, ip + 40), 5060u);
}

}  // namespace
}  // namespace outpace::trace
