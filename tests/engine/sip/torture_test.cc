// RFC 4475: the 49 torture messages (and the one its archive has besides) against a live agent. No
// crash, only answers that the RFC and our own reading of it allow (tests/data/rfc4475/index.json),
// an OPTIONS answered within half a second after each, nothing kept, and a call in progress that
// notices nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/engine/sip/hostile.h"

namespace outpace::sip {
namespace {

struct Torture {
  std::string file;
  std::string octets;
  bool response = false;
  bool udp = true;  // its Via says UDP: elsewhere an answer would go by another transport
  std::vector<std::string> allowed;
};

const std::vector<Torture>& Messages() {
  static const std::vector<Torture>* messages = [] {
    auto* all = new std::vector<Torture>;
    const nlohmann::json index = nlohmann::json::parse(ReadTestFile("rfc4475/index.json"));
    for (const nlohmann::json& entry : index.at("messages")) {
      Torture message;
      message.file = entry.at("file").get<std::string>();
      message.octets = ReadTestFile(absl::StrCat("rfc4475/", message.file));
      message.response = absl::EndsWith(entry.at("kind").get<std::string>(), "response");
      message.udp = entry.at("transport").get<std::string>() == "udp";
      for (const nlohmann::json& allowed : entry.at("allowed_for_us")) {
        message.allowed.push_back(allowed.get<std::string>());
      }
      EXPECT_EQ(message.octets.size(), entry.at("bytes").get<size_t>());
      all->push_back(std::move(message));
    }
    return all;
  }();
  return *messages;
}

bool IsPolicy(int status) {
  return status == 403 || status == 404 || status == 480 || status == 488 || status == 603;
}

bool Allows(const Torture& message, int status) {
  return absl::c_any_of(message.allowed, [status](const std::string& allowed) {
    if (allowed == "1xx") return status >= 100 && status < 200;
    if (allowed == "4xx-policy") return IsPolicy(status);
    if (allowed == "400-sdp") return status == 400;
    return allowed == absl::StrCat(status);
  });
}

bool AllowsSilence(const Torture& message) {
  return absl::c_linear_search(message.allowed, "drop") || !message.udp;
}

TEST(Rfc4475, TheSetIsComplete) { EXPECT_EQ(Messages().size(), 50u); }

TEST(Rfc4475, EachFromAPeerIsAnsweredAsTheRfcAllows) {
  UnderAttack target;
  for (const Torture& message : Messages()) {
    SCOPED_TRACE(message.file);
    target.Send(message.octets);
    ASSERT_TRUE(target.Alive());
    const std::vector<WireMessage> heard = target.Heard();
    EXPECT_LE(heard.size(), 1u);
    EXPECT_TRUE(!heard.empty() || AllowsSilence(message));
    for (const WireMessage& answer : heard) {
      EXPECT_TRUE(Allows(message, answer.Status())) << answer.start_line;
      EXPECT_FALSE(message.response) << answer.start_line;
    }
  }
  EXPECT_TRUE(target.shard().events.Empty());
  target.ExpectUntouched();
}

TEST(Rfc4475, NoneFromAStrangerReachesTheStack) {
  UnderAttack target(UnderAttack::From::kStranger);
  for (const Torture& message : Messages()) {
    SCOPED_TRACE(message.file);
    target.Send(message.octets);
    ASSERT_TRUE(target.Alive());
  }
  EXPECT_THAT(target.Heard(), ::testing::IsEmpty());
  target.ExpectUntouched();
}

// Where the kernel refuses the filter, a stranger's messages do reach the stack: whatever parses is
// refused with one answer for all, and what does not is answered by the stack or dropped.
TEST(Rfc4475, AStrangerWhoReachesTheStackIsRefused) {
  SofiaConfig config = UnderAttack::Config(UnderAttack::From::kStranger);
  config.drop_strangers = false;
  UnderAttack target(UnderAttack::From::kStranger, config);
  for (const Torture& message : Messages()) {
    SCOPED_TRACE(message.file);
    target.Send(message.octets);
    ASSERT_TRUE(target.Alive());
    for (const WireMessage& answer : target.Heard()) {
      EXPECT_FALSE(message.response) << answer.start_line;
      EXPECT_THAT(answer.Status(), ::testing::AnyOf(400, 403, 501, 505)) << answer.start_line;
    }
  }
  target.ExpectUntouched();
}

// 1,000 times each: memory comes back. The agent keeps a refused request for no time at all, so
// there is nothing to wait for.
TEST(Rfc4475, AThousandTimesEachLeavesNothingBehind) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer has its own heap and its own leak check";
  UnderAttack target;
  const auto all = [&target](int times) {
    for (int i = 0; i < times; ++i) {
      for (const Torture& message : Messages()) target.Send(message.octets);
      ASSERT_TRUE(target.Alive());
      target.Heard();
    }
  };
  all(20);  // tables have grown to their size
  const size_t before = mallinfo2().uordblks;
  all(980);
  const size_t after = mallinfo2().uordblks;
  EXPECT_LE(after, before + (1 << 20)) << "grew by " << after - before;
  target.ExpectUntouched();
}

}  // namespace
}  // namespace outpace::sip
