// RFC 4475: the 49 torture messages (and the one its archive has besides) against a live agent. No
// crash, only answers that the RFC and our own reading of it allow (tests/data/rfc4475/index.json),
// an OPTIONS answered within half a second after each, nothing kept, and a call in progress that
// notices nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <string>
#include <vector>

#include "tests/engine/sip/hostile.h"
#include "tests/engine/sip/rfc4475.h"

namespace outpace::sip {
namespace {

TEST(Rfc4475, TheSetIsComplete) { EXPECT_EQ(TortureMessages().size(), 50u); }

TEST(Rfc4475, EachFromAPeerIsAnsweredAsTheRfcAllows) {
  UnderAttack target;
  for (const Torture& message : TortureMessages()) {
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
  for (const Torture& message : TortureMessages()) {
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
  for (const Torture& message : TortureMessages()) {
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
      for (const Torture& message : TortureMessages()) target.Send(message.octets);
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
