// A disk that stalls, fills up or fails: the call goes on, and the gap is marked.

#include <gmock/gmock.h>

#include <thread>

#include "engine/record/tap.h"
#include "tests/engine/record/record_fixture.h"

namespace outpace::record {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FaultTest : public RecordTest {
 protected:
  // Both sides speak for a second of the timeline; the clock goes along.
  void Second(RecordingTap& tap, int64_t second) {
    Say(tap, Side::kCallee, second * kRate, (second + 1) * kRate, 0x10);
    Say(tap, Side::kAgent, second * kRate, (second + 1) * kRate, 0x90);
    clock_.Advance(absl::Seconds(1));
  }
};

TEST_F(FaultTest, AFullDiskLeavesAMarkedGapAndTheRecordingGoesOnAfterIt) {
  Start();
  auto tap = Open(OrderOf(7));
  int64_t second = 0;
  for (; second < 5; ++second) {
    Second(*tap, second);
    writer_->Turn();
  }
  files_.SetRoom(1000);
  for (; second < 40; ++second) {
    Second(*tap, second);
    writer_->Turn();
  }
  EXPECT_EQ(writer_->shared()->pool.in_use(), 4u);  // the tap's: nothing piles up
  files_.SetRoom(-1);
  for (; second < 45; ++second) {
    Second(*tap, second);
    writer_->Turn();
  }
  tap->Close(45 * kRate);
  const RecordingClosed closed = Last();
  EXPECT_EQ(closed.length, absl::Seconds(45));
  // 256 KiB, eight seconds, waited and were not lost.
  EXPECT_GE(closed.lost, absl::Seconds(20));
  EXPECT_LE(closed.lost, absl::Seconds(30));
  ASSERT_EQ(closed.marks.size(), 1u);
  EXPECT_EQ(closed.marks[0].kind, Mark::Kind::kLost);
  EXPECT_EQ(closed.marks[0].to - closed.marks[0].from, closed.lost);
  EXPECT_THAT(closed.fault, HasSubstr("full"));
  const Heard heard = Hear(closed);
  ASSERT_EQ(heard.callee.size(), 45u * kRate);
  const int16_t said = codec::MuToLinear(0x10);
  const int64_t from = closed.marks[0].from / absl::Microseconds(125);
  const int64_t to = closed.marks[0].to / absl::Microseconds(125);
  for (int64_t i = 0; i < 45 * kRate; ++i) {
    ASSERT_EQ(heard.callee[static_cast<size_t>(i)], i >= from && i < to ? 0 : said) << i;
  }
  EXPECT_EQ(writer_->Stats().faults, 1u);
}

TEST_F(FaultTest, AFullDiskToTheEndLeavesAPlayableFile) {
  for (const Format format : {Format::kWav, Format::kWavUlaw, Format::kOpus}) {
    SCOPED_TRACE(FormatName(format));
    Start();
    const auto attempt = static_cast<uint64_t>(format) + 1;
    auto tap = Open(OrderOf(attempt, format));
    for (int64_t second = 0; second < 6; ++second) {
      Second(*tap, second);
      writer_->Turn();
    }
    files_.SetRoom(500);
    for (int64_t second = 6; second < 10; ++second) Second(*tap, second);
    tap->Close(10 * kRate);
    const RecordingClosed closed = Last();
    files_.SetRoom(-1);
    EXPECT_EQ(closed.length, absl::Seconds(10));
    EXPECT_GE(closed.lost, absl::Seconds(format == Format::kOpus ? 2 : 5));  // 500 octets of Opus
    EXPECT_NE(closed.fault, "");
    ASSERT_NE(closed.file, "");
    const Heard heard = Hear(closed);
    ASSERT_TRUE(heard.status.ok()) << heard.status;
    EXPECT_GE(heard.callee.size(), 3u * kRate);
  }
}

TEST_F(FaultTest, NoFileAtAllIsToldWithTheReason) {
  files_.FailWrites(absl::PermissionDeniedError("recordings: x: not allowed"));
  Start();
  auto tap = Open(OrderOf(7));
  for (int64_t second = 0; second < 20; ++second) {
    Second(*tap, second);
    writer_->Turn();
  }
  tap->Close(20 * kRate);
  const RecordingClosed closed = Last();
  EXPECT_EQ(closed.file, "");
  EXPECT_THAT(closed.fault, HasSubstr("not allowed"));
  EXPECT_EQ(closed.lost, absl::Seconds(20));
  files_.FailWrites(absl::OkStatus());
  EXPECT_THAT(directory_.Files(), IsEmpty());
}

TEST_F(FaultTest, AFileThatCouldNotBeMadeAtFirstIsMadeLater) {
  files_.FailWrites(absl::UnavailableError("recordings: the disk is away"));
  Start();
  auto tap = Open(OrderOf(7));
  for (int64_t second = 0; second < 5; ++second) {
    Second(*tap, second);
    writer_->Turn();
  }
  files_.FailWrites(absl::OkStatus());
  for (int64_t second = 5; second < 10; ++second) {
    Second(*tap, second);
    writer_->Turn();
  }
  tap->Close(10 * kRate);
  const RecordingClosed closed = Last();
  EXPECT_EQ(closed.lost, absl::ZeroDuration());  // five seconds fit into the 256 KiB that wait
  EXPECT_EQ(Hear(closed).callee.size(), 10u * kRate);
}

// The writer's thread hangs in a write; the media thread never notices.
TEST_F(FaultTest, AHangingDiskCostsAudioAndNeverTime) {
  config_.queue_blocks = 64;
  std::atomic<int> ends{0};
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<RecordingClosed> closed;
  auto recorder = StartRecorder(config_, files_, clock_, log_, [&](RecordingClosed one) {
    const std::lock_guard<std::mutex> lock(mutex);
    closed.push_back(std::move(one));
    changed.notify_all();
  });
  ASSERT_TRUE(recorder.ok()) << recorder.status();
  files_.Hang();
  auto tap = (*recorder)->Open(OrderOf(7));
  ASSERT_TRUE(tap.ok());
  files_.AwaitHang();
  for (int64_t second = 0; second < 100; ++second) Second(**tap, second);
  EXPECT_EQ(files_.hanging(), 1);  // still: all hundred seconds went by during one write
  EXPECT_GT((*recorder)->Stats().blocks_lost, 0u);
  files_.GoOn();
  // What waited is written, and the taps get blocks again.
  const auto drained = [&] { return (*recorder)->Stats().blocks_waiting == 0; };
  while (!drained()) std::this_thread::yield();
  for (int64_t second = 100; second < 110; ++second) {
    Second(**tap, second);
    while (!drained()) std::this_thread::yield();
  }
  (*tap)->Close(110 * kRate);
  {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return !closed.empty(); });
  }
  (*recorder)->Stop();
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].length, absl::Seconds(110));
  // Of the first hundred seconds all were lost but the ten for which there were blocks.
  EXPECT_GE(closed[0].lost, absl::Seconds(80));
  EXPECT_LE(closed[0].lost, absl::Seconds(95));
  const Heard heard = Hear(closed[0]);
  ASSERT_EQ(heard.callee.size(), 110u * kRate);
  EXPECT_EQ(heard.callee[100], codec::MuToLinear(0x10));
  EXPECT_EQ(heard.callee[60 * kRate], 0);
  EXPECT_EQ(heard.callee[108 * kRate], codec::MuToLinear(0x10));
  ASSERT_EQ(closed[0].marks.size(), 1u);
}

TEST_F(FaultTest, FiveHundredTapsOnOneThread) {
  std::mutex mutex;
  std::condition_variable changed;
  size_t told = 0, good = 0;
  auto recorder = StartRecorder(config_, files_, clock_, log_, [&](RecordingClosed one) {
    const std::lock_guard<std::mutex> lock(mutex);
    ++told;
    changed.notify_all();
    good += one.fault.empty() && one.length == absl::Seconds(5) && one.lost == absl::ZeroDuration()
                ? 1u
                : 0u;
  });
  ASSERT_TRUE(recorder.ok()) << recorder.status();
  std::vector<std::unique_ptr<RecordingTap>> taps;
  for (uint64_t i = 1; i <= 500; ++i) {
    auto tap = (*recorder)->Open(OrderOf(i, i % 3 == 0   ? Format::kWavUlaw
                                            : i % 3 == 1 ? Format::kWav
                                                         : Format::kOpus));
    ASSERT_TRUE(tap.ok()) << tap.status();
    taps.push_back(*std::move(tap));
  }
  for (int64_t second = 0; second < 5; ++second) {
    for (const auto& tap : taps) Second(*tap, second);
    while ((*recorder)->Stats().blocks_waiting > 0) std::this_thread::yield();
  }
  for (const auto& tap : taps) tap->Close(5 * kRate);
  {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return told == 500; });
  }
  EXPECT_EQ(good, 500u);
  EXPECT_EQ((*recorder)->Stats().open, 0u);
  (*recorder)->Stop();
}

TEST_F(FaultTest, StoppingFindsTapsThatStillSpeak) {
  auto recorder = StartRecorder(config_, files_, clock_, log_,
                                [&](RecordingClosed one) { closed_.push_back(std::move(one)); });
  ASSERT_TRUE(recorder.ok());
  std::vector<std::unique_ptr<RecordingTap>> taps;
  for (uint64_t i = 1; i <= 8; ++i) taps.push_back(*(*recorder)->Open(OrderOf(i)));
  std::atomic<bool> end{false};
  std::thread media([&] {
    for (int64_t at = 0; !end; at += 160) {
      for (const auto& tap : taps) Say(*tap, Side::kCallee, at, at + 160, 0x10);
    }
  });
  while ((*recorder)->Stats().bytes_written < 100'000) std::this_thread::yield();
  (*recorder)->Stop();
  recorder->reset();
  end = true;
  media.join();
  EXPECT_EQ(closed_.size(), 8u);
  for (const RecordingClosed& closed : closed_) EXPECT_TRUE(closed.cut);
}

}  // namespace
}  // namespace outpace::record
