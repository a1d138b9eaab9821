#include "engine/trace/ring_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/engine/trace/trace_messages.h"

namespace outpace::trace {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RingFileTest : public ::testing::Test {
 protected:
  RingFileTest() {
    std::string name = (std::filesystem::temp_directory_path() / "ringXXXXXX").string();
    directory_ = mkdtemp(name.data());
    path_ = RingPath(directory_);
  }
  ~RingFileTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<RingTap> Open(size_t bytes = kRingBytesMin) {
    auto tap = RingTap::Open(path_, bytes);
    EXPECT_TRUE(tap.ok()) << tap.status();
    return tap.ok() ? *std::move(tap) : nullptr;
  }
  std::vector<RecordedMessage> Read(absl::string_view needle = "", RingReach* reach = nullptr) {
    std::vector<RecordedMessage> messages;
    auto reader = RingReader::Open(path_);
    EXPECT_TRUE(reader.ok()) << reader.status();
    if (!reader.ok()) return messages;
    auto got = reader->Scan(needle, [&](const RecordedMessage& m) { messages.push_back(m); });
    EXPECT_TRUE(got.ok()) << got.status();
    if (got.ok() && reach != nullptr) *reach = *got;
    return messages;
  }
  // The n-th of a stream of messages of many sizes, each of which can be told whole from torn.
  static std::string Numbered(int n) {
    std::string text = absl::StrCat("message ", n, " ");
    text.append(static_cast<size_t>(n) * 37 % 1900, static_cast<char>('a' + n % 26));
    return absl::StrCat(text, " end ", n);
  }
  static void WriteNumbered(RingTap& tap, int first, int count) {
    for (int n = first; n < first + count; ++n) {
      tap.OnMessage(Tapped(Message(absl::Milliseconds(n), Direction::kOut, Numbered(n))));
    }
  }
  static int NumberOf(const RecordedMessage& message) {
    const int n = static_cast<int>((message.at - Start()) / absl::Milliseconds(1));
    EXPECT_EQ(message.bytes, Numbered(n));
    return n;
  }

  std::string directory_, path_;
};

TEST_F(RingFileTest, GivesBackWhatItWasShown) {
  RecordedMessage first = Message(absl::Microseconds(123), Direction::kOut, "OPTIONS one");
  RecordedMessage second = Message(absl::Seconds(1), Direction::kIn, "SIP/2.0 two");
  second.transport = WireTransport::kTls;
  second.local = V6("2001:db8::10", 5061);
  second.remote = V6("2001:db8::7", 40001);
  {
    const auto tap = Open();
    tap->OnMessage(Tapped(first));
    tap->OnMessage(Tapped(second));
  }
  RingReach reach;
  const auto read = Read("", &reach);
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].bytes, "OPTIONS one");
  EXPECT_EQ(read[0].at, first.at);
  EXPECT_EQ(read[0].direction, Direction::kOut);
  EXPECT_EQ(read[0].transport, WireTransport::kUdp);
  EXPECT_EQ(read[0].local.ToString(), "192.0.2.10:5060");
  EXPECT_EQ(read[1].direction, Direction::kIn);
  EXPECT_EQ(read[1].transport, WireTransport::kTls);
  EXPECT_EQ(read[1].local.ToString(), "[2001:db8::10]:5061");
  EXPECT_EQ(read[1].remote, second.remote);
  EXPECT_EQ(reach.messages, 2u);
  EXPECT_TRUE(reach.complete);
  EXPECT_EQ(reach.oldest, first.at);
  EXPECT_EQ(reach.newest, second.at);
  EXPECT_EQ(Read("two").size(), 1u);
  EXPECT_TRUE(Read("three").empty());
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(RingFileTest, KeepsTheNewestWhenItIsFull) {
  const auto tap = Open();
  WriteNumbered(*tap, 0, 5'000);  // about five times what fits
  RingReach reach;
  const auto read = Read("", &reach);
  EXPECT_FALSE(reach.complete);
  ASSERT_GT(read.size(), 800u);
  ASSERT_LT(read.size(), 1'300u);
  // Without a gap up to the last one.
  for (size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(NumberOf(read[i]), 5'000 - static_cast<int>(read.size() - i));
  }
}

TEST_F(RingFileTest, OutlivesAKillAndGoesOnAfterIt) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto tap = RingTap::Open(path_, kRingBytesMin);
    if (!tap.ok()) _exit(1);
    WriteNumbered(**tap, 0, 100);
    raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(Read().size(), 100u);
  WriteNumbered(*Open(), 100, 50);
  const auto read = Read();
  ASSERT_EQ(read.size(), 150u);
  for (size_t i = 0; i < read.size(); ++i) EXPECT_EQ(NumberOf(read[i]), static_cast<int>(i));
}

TEST_F(RingFileTest, ATornRecordHidesNoOther) {
  WriteNumbered(*Open(), 0, 20);
  std::string file;
  {
    std::ifstream in(path_, std::ios::binary);
    std::stringstream all;
    all << in.rdbuf();
    file = all.str();
  }
  for (const char* torn : {"end 7", "message 12"}) {
    const size_t at = file.find(torn);
    ASSERT_NE(at, file.npos);
    std::fstream out(path_, std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(at));
    out << "X";
  }
  const auto read = Read();
  ASSERT_EQ(read.size(), 18u);
  for (const RecordedMessage& message : read) {
    EXPECT_NE(NumberOf(message), 7);
    EXPECT_NE(NumberOf(message), 12);
  }
}

TEST_F(RingFileTest, AReaderBesideTheWriterSeesOnlyWholeMessages) {
  ASSERT_NE(Open(), nullptr);
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto tap = RingTap::Open(path_, kRingBytesMin);
    if (!tap.ok()) _exit(1);
    for (int n = 0;; n += 1'000) {
      WriteNumbered(**tap, n, 1'000);
      if (n == 2'000 && write(ready[1], "r", 1) != 1) _exit(1);
    }
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  size_t seen = 0;
  for (int i = 0; i < 30; ++i) {
    int last = -1;
    for (const RecordedMessage& message : Read()) {
      const int n = NumberOf(message);
      EXPECT_GT(n, last);
      last = n;
      ++seen;
    }
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  EXPECT_GT(seen, 30u);
}

TEST_F(RingFileTest, ShardsShareOneRing) {
  const auto tap = Open(4 << 20);
  std::vector<std::thread> shards;
  for (int shard = 0; shard < 4; ++shard) {
    shards.emplace_back([&tap, shard] { WriteNumbered(*tap, shard * 500, 500); });
  }
  for (std::thread& shard : shards) shard.join();
  std::vector<bool> seen(2'000);
  for (const RecordedMessage& message : Read()) {
    seen[static_cast<size_t>(NumberOf(message))] = true;
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 2'000);
}

TEST_F(RingFileTest, SecretsNeverReachTheFile) {
  {
    const auto tap = Open();
    for (const RecordedMessage& message : AnsweredCall()) tap->OnMessage(Tapped(message));
  }
  std::ifstream in(path_, std::ios::binary);
  std::stringstream file;
  file << in.rdbuf();
  EXPECT_THAT(file.str(), HasSubstr("Proxy-Authorization: Digest ***"));
  EXPECT_THAT(file.str(), Not(HasSubstr("6629fae4")));
  EXPECT_THAT(file.str(), Not(HasSubstr("trunk9")));
  EXPECT_THAT(file.str(), Not(HasSubstr("d0RmdmcmVC")));
  EXPECT_THAT(file.str(), HasSubstr("+12025550123"));
}

TEST_F(RingFileTest, AnotherSizeBeginsAnew) {
  WriteNumbered(*Open(), 0, 10);
  EXPECT_EQ(Read().size(), 10u);
  WriteNumbered(*Open(2 << 20), 0, 3);
  EXPECT_EQ(Read().size(), 3u);
}

TEST_F(RingFileTest, LongMessagesAreCut) {
  RecordedMessage message = Message({}, Direction::kIn, std::string(100'000, 'x'));
  Open()->OnMessage(Tapped(message));
  const auto read = Read();
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].bytes.size(), kMessageBytesMax);
  EXPECT_EQ(read[0].size_on_wire, 100'000u);
}

TEST_F(RingFileTest, RefusesASecondWriterAndForeignFiles) {
  EXPECT_EQ(RingReader::Open(path_).status().code(), absl::StatusCode::kNotFound);
  const auto tap = Open();
  EXPECT_EQ(RingTap::Open(path_, kRingBytesMin).status().code(),
            absl::StatusCode::kFailedPrecondition);
  const std::string other = directory_ + "/other";
  std::ofstream(other) << "not a ring";
  EXPECT_EQ(RingReader::Open(other).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace outpace::trace
