#include "engine/media/key_queue.h"

#include <gtest/gtest.h>

#include <new>
#include <string>

#include "absl/strings/match.h"

namespace outpace::media {
namespace {

std::string All(KeyQueue& queue) {
  std::string keys;
  for (; !queue.empty(); queue.Pop()) keys += queue.front();
  return keys;
}

TEST(KeyQueue, GivesThemOutInOrderForEver) {
  KeyQueue queue;
  EXPECT_TRUE(queue.empty());
  for (int i = 0; i < 20; ++i) {
    queue.Push("0123");
    queue.Push("9#A");
    EXPECT_EQ(All(queue), "01239#A");
  }
}

TEST(KeyQueue, IsBounded) {
  KeyQueue queue;
  for (int i = 0; i < 20; ++i) queue.Push("123");
  queue.Push("");
  const std::string keys = All(queue);
  EXPECT_EQ(keys.size(), KeyQueue::kMax);
  EXPECT_TRUE(absl::StartsWith(keys, "123123"));
  queue.Push("4");
  EXPECT_EQ(All(queue), "4");
}

TEST(KeyQueue, LeavesNothingInMemory) {
  alignas(KeyQueue) char room[sizeof(KeyQueue)] = {};
  KeyQueue* const queue = new (room) KeyQueue();
  const auto holds = [&](char key) {
    return absl::StrContains(absl::string_view(room, sizeof room), key);
  };
  queue->Push("78");
  EXPECT_TRUE(holds('7') && holds('8'));
  queue->Pop();
  EXPECT_FALSE(holds('7'));
  EXPECT_TRUE(holds('8'));
  queue->~KeyQueue();
  EXPECT_FALSE(holds('8'));
}

}  // namespace
}  // namespace outpace::media
