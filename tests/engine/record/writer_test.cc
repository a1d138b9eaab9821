// engine/record/{tap,writer,writer_close}: what is said is in the file, where it was said.

#include "engine/record/writer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/escaping.h"
#include "engine/base/rng.h"
#include "engine/record/hash.h"
#include "tests/engine/record/record_fixture.h"

namespace outpace::record {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using WriterTest = RecordTest;

TEST_F(WriterTest, CalleeIsLeftAndAgentIsRight) {
  Start();
  auto tap = Open(OrderOf(7));
  Say(*tap, Side::kCallee, 0, 8000, 0x10);
  Say(*tap, Side::kAgent, 4000, 12000, 0x90);
  tap->Close(16000);
  const RecordingClosed closed = Last();
  EXPECT_EQ(closed.file, "20260921/141320_DEMO_a1_7.wav");
  EXPECT_EQ(closed.attempt, AttemptId(7));
  EXPECT_EQ(closed.lead, LeadId(12));
  EXPECT_EQ(closed.length, absl::Seconds(2));
  EXPECT_EQ(closed.lost, absl::ZeroDuration());
  EXPECT_FALSE(closed.cut);
  EXPECT_EQ(closed.fault, "");
  const Heard heard = Hear(closed);
  ASSERT_TRUE(heard.status.ok()) << heard.status;
  ASSERT_EQ(heard.callee.size(), 16000u);
  const int16_t left = codec::MuToLinear(0x10), right = codec::MuToLinear(0x90);
  for (size_t i = 0; i < 16000; ++i) {
    ASSERT_EQ(heard.callee[i], i < 8000 ? left : 0) << i;
    ASSERT_EQ(heard.agent[i], i >= 4000 && i < 12000 ? right : 0) << i;
  }
  EXPECT_THAT(directory_.Files(), ElementsAre(".open/7.journal", "20260921/141320_DEMO_a1_7.wav"));
  writer_->Stored(AttemptId(7));
  Settle();
  EXPECT_THAT(directory_.Files(), ElementsAre("20260921/141320_DEMO_a1_7.wav"));
}

TEST_F(WriterTest, TheFileIsExactlyThis) {
  Start();
  auto tap = Open(OrderOf(7));
  const int16_t samples[] = {1, -2, 300};
  tap->Write(Side::kAgent, 1, samples);
  tap->Pause(4);
  tap->Resume(6);
  tap->Close(8);
  const RecordingClosed closed = Last();
  const std::string bytes = directory_.Bytes(closed.file);
  EXPECT_EQ(absl::BytesToHexString(bytes),
            // RIFF size WAVE fmt_ 16 PCM stereo 8000 Hz 32000 octets/s 4 16
            "52494646a4000000"
            "57415645"
            "666d7420"
            "10000000"
            "0100"
            "0200"
            "401f0000"
            "007d0000"
            "0400"
            "1000"
            "64617461"
            "20000000"
            "00000000"
            "00000100"
            "0000feff"
            "00002c01"
            "00000000"
            "00000000"
            "00000000"
            "00000000"
            // cue_ one point, at sample 4
            "63756520"
            "1c000000"
            "01000000"
            "01000000"
            "04000000"
            "64617461"
            "00000000"
            "00000000"
            "04000000"
            // LIST adtl: labl "paused", ltxt 2 samples "mark"
            "4c495354"
            "34000000"
            "6164746c"
            "6c61626c"
            "0c000000"
            "01000000"
            "7061757365640000"
            "6c747874"
            "14000000"
            "01000000"
            "02000000"
            "6d61726b"
            "00000000"
            "00000000");
  EXPECT_EQ(closed.bytes, bytes.size());
  Hash hash;
  hash.Add(bytes);
  EXPECT_EQ(closed.sha256, hash.Hex());
  EXPECT_EQ(closed.paused, absl::Microseconds(250));
}

TEST_F(WriterTest, MuLawFilesHoldTheOctetsThatCame) {
  Start();
  auto tap = Open(OrderOf(7, Format::kWavUlaw));
  std::vector<uint8_t> packet(256);
  for (size_t i = 0; i < packet.size(); ++i) packet[i] = static_cast<uint8_t>(i);
  tap->Write(Side::kCallee, 0, codec::Law::kMu, packet);
  tap->Close(256);
  const RecordingClosed closed = Last();
  const std::string bytes = directory_.Bytes(closed.file);
  ASSERT_EQ(bytes.size(), 58u + 512u);
  EXPECT_EQ(absl::BytesToHexString(bytes.substr(0, 58)),
            "5249464632020000"
            "57415645"
            "666d7420"
            "12000000"
            "0700"
            "0200"
            "401f0000"
            "803e0000"
            "0200"
            "0800"
            "0000"
            "66616374"
            "04000000"
            "00010000"
            "64617461"
            "00020000");
  for (size_t i = 0; i < 256; ++i) {
    // 0x7f is the other zero: it comes back as the usual one.
    EXPECT_EQ(static_cast<uint8_t>(bytes[58 + 2 * i]), i == 0x7f ? 0xff : i);
    EXPECT_EQ(static_cast<uint8_t>(bytes[59 + 2 * i]), 0xff);
  }
}

TEST_F(WriterTest, LatePacketsFindTheirPlace) {
  Start();
  auto tap = Open(OrderOf(7));
  Say(*tap, Side::kCallee, 0, 1600, 0x10);
  Say(*tap, Side::kCallee, 8000, 15840, 0x20);
  Say(*tap, Side::kCallee, 4000, 4160, 0x30);  // nearly a second and a half behind: same second
  Say(*tap, Side::kCallee, 16000, 16160, 0x20);
  Say(*tap, Side::kCallee, 15840, 16000, 0x40);
  Say(*tap, Side::kCallee, 0, 160, 0x50);  // two seconds behind: gone
  tap->Close(16160);
  const Heard heard = Hear(Last());
  ASSERT_EQ(heard.callee.size(), 16160u);
  EXPECT_EQ(heard.callee[0], codec::MuToLinear(0x10));
  EXPECT_EQ(heard.callee[4000], codec::MuToLinear(0x30));
  EXPECT_EQ(heard.callee[3999], 0);
  EXPECT_EQ(heard.callee[15900], codec::MuToLinear(0x40));
  EXPECT_EQ(heard.callee[16000], codec::MuToLinear(0x20));
}

TEST_F(WriterTest, KindsMayMixWithinASecond) {
  Start();
  auto tap = Open(OrderOf(7));
  Say(*tap, Side::kCallee, 0, 160, codec::LinearToMu(1000));
  Say(*tap, Side::kCallee, 160, 320, codec::LinearToA(1000), codec::Law::kA);
  const std::vector<int16_t> linear(160, 1000);
  tap->Write(Side::kCallee, 320, linear);
  tap->Write(Side::kAgent, 0, linear);
  Say(*tap, Side::kAgent, 160, 320, codec::LinearToMu(1000));
  tap->Write(Side::kAgent, 7920, linear);  // over the end of the second
  tap->Close(8160);
  const Heard heard = Hear(Last());
  ASSERT_EQ(heard.callee.size(), 8160u);
  for (size_t i = 0; i < 480; ++i) EXPECT_NEAR(heard.callee[i], 1000, 40) << i;
  for (size_t i = 0; i < 320; ++i) EXPECT_NEAR(heard.agent[i], 1000, 40) << i;
  for (size_t i = 7920; i < 8080; ++i) EXPECT_EQ(heard.agent[i], 1000) << i;
  EXPECT_EQ(heard.agent[8080], 0);
}

TEST_F(WriterTest, AnyMixOfWritesIsWhatAModelSays) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    Start();
    auto tap = Open(OrderOf(100 + seed));
    constexpr int64_t kEnd = 6 * kRate;
    std::vector<int16_t> model[2] = {std::vector<int16_t>(kEnd, 0), std::vector<int16_t>(kEnd, 0)};
    int64_t newest = 0, floor = 0;
    while (newest < kEnd - 1000) {
      const size_t side = rng.Below(2);
      const int64_t at = std::max<int64_t>(
          0, newest + static_cast<int64_t>(rng.Below(600)) - static_cast<int64_t>(rng.Below(4000)));
      const auto count = static_cast<int64_t>(1 + rng.Below(480));
      const auto sample = codec::MuToLinear(static_cast<uint8_t>(rng.Below(256)));
      if (rng.Chance(0.02)) {
        tap->Pause(newest);
        for (auto& one : model) {
          std::fill(one.begin() + std::min(newest, kEnd), one.end(), int16_t{0});
        }
        floor = std::max(floor, newest + static_cast<int64_t>(rng.Below(2000)));
        tap->Write(Side::kCallee, floor, std::vector<int16_t>(100, 5));  // not kept
        tap->Resume(floor);
        continue;
      }
      if (rng.Chance(0.5)) {
        tap->Write(static_cast<Side>(side), at, codec::Law::kMu,
                   std::vector<uint8_t>(static_cast<size_t>(count), codec::LinearToMu(sample)));
      } else {
        tap->Write(static_cast<Side>(side), at,
                   std::vector<int16_t>(static_cast<size_t>(count), sample));
      }
      for (int64_t i = std::max(at, floor); i < at + count && i < kEnd; ++i) {
        model[side][static_cast<size_t>(i)] = sample;
      }
      newest = std::max(newest, at + count);
      if (rng.Chance(0.05)) writer_->Turn();
    }
    tap->Close(kEnd);
    const Heard heard = Hear(Last());
    ASSERT_EQ(heard.callee.size(), static_cast<size_t>(kEnd));
    for (const auto& [is, should] :
         {std::pair(&heard.callee, &model[0]), std::pair(&heard.agent, &model[1])}) {
      const auto [a, b] = std::mismatch(is->begin(), is->end(), should->begin());
      ASSERT_TRUE(a == is->end()) << "sample " << a - is->begin() << " is " << *a << ", not " << *b;
    }
  }
}

TEST_F(WriterTest, OpusKeepsTheSidesApartAndTheTimelineTrue) {
  Start();
  auto tap = Open(OrderOf(7, Format::kOpus));
  // The callee speaks (a tone) in the third second of six and a bit; the agent never.
  std::vector<int16_t> tone(8000);
  for (size_t i = 0; i < tone.size(); ++i) {
    tone[i] = static_cast<int16_t>(8000 * std::sin(2 * M_PI * 440 * static_cast<double>(i) / 8000));
  }
  Say(*tap, Side::kCallee, 0, 16000, codec::kMuSilence);
  Say(*tap, Side::kAgent, 0, 16000, codec::kMuSilence);
  tap->Write(Side::kCallee, 16000, tone);
  tap->Close(6 * 8000 + 100);
  const RecordingClosed closed = Last();
  EXPECT_EQ(closed.file, "20260921/141320_DEMO_a1_7.opus");
  const Heard heard = Hear(closed);
  ASSERT_TRUE(heard.status.ok()) << heard.status;
  ASSERT_EQ(heard.callee.size(), 6u * 8000 + 100);
  const auto energy = [](const std::vector<int16_t>& side, size_t from, size_t to) {
    double sum = 0;
    for (size_t i = from; i < to; ++i) sum += static_cast<double>(side[i]) * side[i];
    return std::sqrt(sum / static_cast<double>(to - from));
  };
  EXPECT_LT(energy(heard.callee, 0, 15800), 60);
  EXPECT_GT(energy(heard.callee, 16200, 23800), 3000);
  EXPECT_LT(energy(heard.callee, 24800, 48000), 60);
  EXPECT_LT(energy(heard.agent, 0, 48000), 20);
}

TEST_F(WriterTest, TwoOfOneNameAreBothKept) {
  config_.pattern = "CAMPAIGN";
  Start();
  for (const uint64_t attempt : {1, 2, 3}) {
    auto tap = Open(OrderOf(attempt));
    tap->Close(160);
    tap.reset();
    Settle();
  }
  ASSERT_EQ(closed_.size(), 3u);
  EXPECT_EQ(closed_[0].file, "DEMO.wav");
  EXPECT_EQ(closed_[1].file, "DEMO-2.wav");
  EXPECT_EQ(closed_[2].file, "DEMO-3.wav");
}

TEST_F(WriterTest, ATapDestroyedEndsItsRecording) {
  Start();
  auto tap = Open(OrderOf(7));
  Say(*tap, Side::kCallee, 0, 4000, 0x10);
  tap.reset();
  const RecordingClosed closed = Last();
  EXPECT_EQ(closed.length, absl::Milliseconds(500));
  EXPECT_FALSE(closed.cut);
}

TEST_F(WriterTest, StoppingEndsRecordingsAsCutAndTheirTapsGoOnUnheard) {
  Start();
  auto tap = Open(OrderOf(7));
  Say(*tap, Side::kCallee, 0, 4 * 8000, 0x10);
  writer_->Stop();
  while (writer_->CloseTurn()) {
  }
  ASSERT_EQ(closed_.size(), 1u);
  EXPECT_TRUE(closed_[0].cut);
  EXPECT_EQ(closed_[0].length, absl::Seconds(2));
  EXPECT_FALSE(writer_->Open(OrderOf(8)).ok());
  Say(*tap, Side::kCallee, 4 * 8000, 9 * 8000, 0x10);
  writer_.reset();
  tap->Close(9 * 8000);
}

// Half a second's blocks have come: the tap stands still in the middle.
TEST_F(WriterTest, StoppingInTheMiddleOfASecondLosesItAndNothingElse) {
  Start();
  auto tap = Open(OrderOf(7));
  Say(*tap, Side::kCallee, 0, 4 * 8000, 0x10);
  Say(*tap, Side::kAgent, 0, 4 * 8000, 0x10);
  writer_->Turn();  // two seconds
  Say(*tap, Side::kCallee, 4 * 8000, 4 * 8000 + 160, 0x10);
  Shared& shared = *writer_->shared();
  const auto first = shared.queue.TryPop();
  const auto second = shared.queue.TryPop();
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_FALSE(shared.pool.at(*first).last);
  EXPECT_TRUE(shared.pool.at(*second).last);
  ASSERT_TRUE(shared.queue.TryPush(uint32_t{*first}));
  writer_->Stop();
  while (writer_->CloseTurn()) {
  }
  ASSERT_EQ(closed_.size(), 1u);
  EXPECT_TRUE(closed_[0].cut);
  EXPECT_EQ(closed_[0].length, absl::Seconds(2));
  EXPECT_EQ(writer_->Stats().blocks_lost, 2u);
  EXPECT_EQ(Hear(closed_[0]).callee.size(), 16000u);
}

// Another tap's push hides blocks of a tap that has closed: the recording waits for them.
TEST_F(WriterTest, ARecordingEndsWhenItsLastBlockHasCome) {
  Start();
  auto tap = Open(OrderOf(7));
  Say(*tap, Side::kCallee, 0, 8000, 0x10);
  writer_->Turn();
  tap->Close(8000);
  Shared& shared = *writer_->shared();
  const auto block = shared.queue.TryPop();
  ASSERT_TRUE(block.has_value());
  EXPECT_FALSE(writer_->Turn());
  EXPECT_EQ(writer_->Stats().open, 1u);
  ASSERT_TRUE(shared.queue.TryPush(uint32_t{*block}));
  const RecordingClosed closed = Last();
  EXPECT_EQ(closed.length, absl::Seconds(1));
  EXPECT_EQ(Hear(closed).callee[7999], codec::MuToLinear(0x10));
}

TEST_F(WriterTest, APositionOutOfAllReasonFillsNoDisk) {
  Start();
  auto tap = Open(OrderOf(7));
  Say(*tap, Side::kCallee, 0, 8000, 0x10);
  tap->Write(Side::kCallee, kRate * 3600, codec::Law::kMu, std::vector<uint8_t>(160, 0x10));
  tap->Write(Side::kCallee, INT64_MAX - 10, codec::Law::kMu, std::vector<uint8_t>(160, 0x10));
  tap->Write(Side::kCallee, -1000, codec::Law::kMu, std::vector<uint8_t>(160, 0x10));
  tap->Close(kRate * 7200);
  const RecordingClosed closed = Last();
  EXPECT_EQ(closed.length, absl::Seconds(60));  // what the clock allows
  EXPECT_LT(closed.bytes, 61u * 32000);
}

TEST_F(WriterTest, SyncsAllAtOnceAndNotOftenerThanAsked) {
  Start();
  auto one = Open(OrderOf(1)), two = Open(OrderOf(2));
  for (int second = 0; second < 20; ++second) {
    Say(*one, Side::kCallee, second * 8000, (second + 1) * 8000, 0x10);
    Say(*two, Side::kAgent, second * 8000, (second + 1) * 8000, 0x10);
    clock_.Advance(absl::Seconds(1));
    writer_->Turn();
    writer_->CloseTurn();
  }
  EXPECT_EQ(files_.syncs(), 4);
}

TEST_F(WriterTest, RefusesWhatItCannotKeep) {
  config_.recordings_max = 1;
  Start();
  RecordingOrder order = OrderOf(1);
  order.encrypted = true;
  EXPECT_EQ(writer_->Open(order).status().code(), absl::StatusCode::kFailedPrecondition);
  auto tap = Open(OrderOf(1));
  EXPECT_EQ(writer_->Open(OrderOf(2)).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(writer_->Stats().open, 1u);
  tap->Close(0);
  Settle();
  EXPECT_EQ(writer_->Stats().open, 0u);
  EXPECT_TRUE(writer_->Open(OrderOf(2)).ok());
}

}  // namespace
}  // namespace outpace::record
