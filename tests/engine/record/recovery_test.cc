// After a crash: what was recorded is there, playable, named, and told of; nothing resumes.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "engine/base/rng.h"
#include "engine/record/journal.h"
#include "tests/engine/record/record_fixture.h"

namespace outpace::record {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RecoveryTest : public RecordTest {
 protected:
  // The engine dies: what it has in memory is gone, what it has written stays.
  void Die() { writer_.reset(); }
  void Seconds(RecordingTap& tap, int64_t from, int64_t to) {
    for (int64_t second = from; second < to; ++second) {
      Say(tap, Side::kCallee, second * kRate, (second + 1) * kRate, 0x10);
      Say(tap, Side::kAgent, second * kRate, (second + 1) * kRate, 0x90);
      writer_->Turn();
    }
  }
};

TEST_F(RecoveryTest, EveryFormatIsClosedAsCut) {
  const KeyRing keys = *KeyRing::Parse(NewKeyLine());
  for (const Format format : {Format::kWav, Format::kWavUlaw, Format::kOpus}) {
    for (const bool encrypted : {false, true}) {
      SCOPED_TRACE(absl::StrCat(FormatName(format), encrypted));
      closed_.clear();
      Start(keys);
      RecordingOrder order =
          OrderOf(1 + 2 * static_cast<uint64_t>(format) + (encrypted ? 1 : 0), format);
      order.encrypted = encrypted;
      auto tap = Open(order);
      Seconds(*tap, 0, 8);
      tap->Pause(8 * kRate - 160);
      writer_->Turn();
      Die();
      Start(keys);
      Settle();
      ASSERT_EQ(closed_.size(), 1u);
      const RecordingClosed closed = closed_[0];
      EXPECT_TRUE(closed.cut);
      EXPECT_EQ(closed.fault, "");
      EXPECT_EQ(closed.attempt, order.attempt);
      EXPECT_EQ(closed.lead, LeadId(12));
      EXPECT_EQ(closed.campaign, "DEMO");
      EXPECT_EQ(closed.agent, "a1");
      EXPECT_EQ(closed.started, kStarted);
      EXPECT_EQ(closed.format, format);
      EXPECT_EQ(closed.encrypted, encrypted);
      const Heard heard = Hear(closed, keys);
      ASSERT_TRUE(heard.status.ok()) << heard.status;
      EXPECT_FALSE(heard.cut);  // the repaired file has its end
      EXPECT_GE(heard.callee.size(), 5u * kRate);
      EXPECT_EQ(absl::ToInt64Nanoseconds(closed.length) / 125'000,
                static_cast<int64_t>(heard.callee.size()));
      if (format != Format::kOpus) {
        EXPECT_THAT(heard.callee, ::testing::Each(codec::MuToLinear(0x10)));
      }
      tap.reset();
      writer_->Stored(order.attempt);
      Settle();
    }
  }
}

TEST_F(RecoveryTest, ARecordingThatWasPausedStaysPausedToItsEnd) {
  Start();
  auto tap = Open(OrderOf(7));
  Seconds(*tap, 0, 4);
  tap->Pause(3 * kRate);
  for (int64_t at = 4 * kRate; at < 30 * kRate; at += 160) {
    tap->Write(Side::kCallee, at, codec::Law::kMu, std::vector<uint8_t>(160, 0x33));
  }
  writer_->Turn();
  Die();
  Start();
  const RecordingClosed closed = Last();
  EXPECT_TRUE(closed.cut);
  EXPECT_LE(closed.length, absl::Seconds(3));
  for (const int16_t sample : Hear(closed).callee) EXPECT_EQ(sample, codec::MuToLinear(0x10));
  EXPECT_THAT(directory_.Bytes(".open/7.journal"), HasSubstr("pause 24000\n"));
  EXPECT_THAT(directory_.Bytes(".open/7.journal"), ::testing::Not(HasSubstr("resume")));
}

TEST_F(RecoveryTest, IsToldAgainUntilTheRecordIsStored) {
  Start();
  auto tap = Open(OrderOf(7));
  Seconds(*tap, 0, 4);
  tap->Pause(3 * kRate);
  tap->Resume(4 * kRate);
  tap->Close(4 * kRate);
  const RecordingClosed first = Last();
  EXPECT_FALSE(first.cut);
  for (int i = 0; i < 2; ++i) {
    Die();
    Start();
    const RecordingClosed again = Last();
    EXPECT_EQ(again.file, first.file);
    EXPECT_EQ(again.sha256, first.sha256);
    EXPECT_EQ(again.bytes, first.bytes);
    EXPECT_EQ(again.length, first.length);
    EXPECT_EQ(again.paused, absl::Seconds(1));
    EXPECT_EQ(again.marks.size(), 1u);
    EXPECT_FALSE(again.cut);
    EXPECT_EQ(again.lead, LeadId(12));
  }
  writer_->Stored(AttemptId(7));
  Settle();
  closed_.clear();
  Die();
  Start();
  Settle();
  EXPECT_TRUE(closed_.empty());
}

TEST_F(RecoveryTest, ADeathBetweenEndAndNameIsMadeGood) {
  Start();
  auto tap = Open(OrderOf(7));
  Seconds(*tap, 0, 4);
  tap->Close(4 * kRate);
  const RecordingClosed first = Last();
  // As if the rename had not happened any more.
  std::filesystem::rename(directory_ / first.file, directory_ / PartPath(AttemptId(7)));
  Die();
  Start();
  const RecordingClosed again = Last();
  EXPECT_EQ(again.file, first.file);
  EXPECT_EQ(again.sha256, first.sha256);
  EXPECT_FALSE(again.cut);
  EXPECT_EQ(directory_.Bytes(again.file).size(), first.bytes);
}

// The engine dies when the audio is written and the file has no name yet; or twice.
TEST_F(RecoveryTest, ADeathAfterTheCallCutsNothingAndAddsNothing) {
  const KeyRing keys = *KeyRing::Parse(NewKeyLine());
  uint64_t attempt = 0;
  for (const Format format : {Format::kWav, Format::kWavUlaw, Format::kOpus}) {
    for (const bool encrypted : {false, true}) {
      SCOPED_TRACE(absl::StrCat(FormatName(format), encrypted));
      Start(keys);
      RecordingOrder order = OrderOf(++attempt, format);
      order.encrypted = encrypted;
      auto tap = Open(order);
      Seconds(*tap, 0, 4);
      tap->Pause(2 * kRate);
      tap->Resume(3 * kRate);
      Say(*tap, Side::kCallee, 3 * kRate, 4 * kRate, 0x10);
      tap->Close(4 * kRate);
      writer_->Turn();
      for (int death = 0; death < 2; ++death) {
        const size_t told = closed_.size();
        Die();
        Start(keys);
        EXPECT_TRUE(writer_->CloseTurn());  // the repair, and no hash
        ASSERT_EQ(closed_.size(), told);
      }
      const RecordingClosed closed = Last();
      EXPECT_FALSE(closed.cut);
      EXPECT_EQ(closed.length, absl::Seconds(4));
      EXPECT_EQ(closed.paused, absl::Seconds(1));
      ASSERT_EQ(closed.marks.size(), 1u);
      EXPECT_EQ(closed.marks[0].from, absl::Seconds(2));
      const Heard heard = Hear(closed, keys);
      EXPECT_TRUE(heard.status.ok()) << heard.status;
      EXPECT_EQ(heard.callee.size(), 4u * kRate);
      if (format != Format::kOpus) {
        EXPECT_EQ(heard.callee.back(), codec::MuToLinear(0x10));
      }
      tap.reset();
      writer_->Stored(order.attempt);
      Settle();
    }
  }
}

TEST_F(RecoveryTest, WhatWasCutStaysCutOverFurtherDeaths) {
  for (const Format format : {Format::kWav, Format::kOpus}) {
    SCOPED_TRACE(FormatName(format));
    Start();
    auto tap = Open(OrderOf(1 + static_cast<uint64_t>(format), format));
    Seconds(*tap, 0, 5);
    for (int death = 0; death < 2; ++death) {
      Die();
      Start();
      EXPECT_TRUE(writer_->CloseTurn());
    }
    const RecordingClosed closed = Last();
    EXPECT_TRUE(closed.cut);
    EXPECT_GE(closed.length, absl::Seconds(2));
    EXPECT_EQ(SamplesToTime(static_cast<int64_t>(Hear(closed).callee.size())), closed.length);
    tap.reset();
    writer_->Stored(closed.attempt);
    Settle();
  }
}

TEST_F(RecoveryTest, AudioWithoutAJournalIsKept) {
  Start();
  auto tap = Open(OrderOf(7));
  Seconds(*tap, 0, 5);
  Die();
  std::filesystem::remove(directory_ / JournalPath(AttemptId(7)));
  Start();
  const RecordingClosed closed = Last();
  EXPECT_EQ(closed.file, "recovered/7.wav");
  EXPECT_EQ(closed.attempt, AttemptId(7));
  EXPECT_EQ(Hear(closed).callee.size(), 3u * kRate);
}

TEST_F(RecoveryTest, DamageOfAnyKindNeitherStopsTheStartNorLosesTheRest) {
  Rng rng(3);
  Start();
  auto tap = Open(OrderOf(7));
  Seconds(*tap, 0, 5);
  const std::string part = directory_.Bytes(".open/7.part");
  const std::string journal = directory_.Bytes(".open/7.journal");
  tap.reset();
  Settle();
  for (uint64_t i = 0; i < 200; ++i) {
    Die();
    for (const std::string& name : directory_.Files()) std::filesystem::remove(directory_ / name);
    std::string a = part, b = journal;
    for (uint64_t n = rng.Below(4); n > 0; --n) {
      std::string& damaged = rng.Chance(0.5) ? a : b;
      const size_t size = std::min<size_t>(damaged.size(), 100);
      if (size > 0) damaged[rng.Below(size)] = static_cast<char>(rng.Next());
    }
    if (rng.Chance(0.5)) a.resize(rng.Below(a.size()));
    if (rng.Chance(0.5)) b.resize(rng.Below(b.size() + 1));
    directory_.Put(".open/7.part", a);
    directory_.Put(".open/7.journal", b);
    directory_.Put(".open/.part", "x");
    directory_.Put(".open/x.part", "x");
    directory_.Put(".open/99999999999999999999999.journal", "x");
    closed_.clear();
    Start();
    Settle();
    ASSERT_EQ(closed_.size(), 1u) << i;
    EXPECT_EQ(closed_[0].attempt, AttemptId(7));
    // Whatever name a damaged journal gives, nothing lies outside.
    if (!closed_[0].file.empty()) {
      EXPECT_TRUE(std::filesystem::exists(directory_ / closed_[0].file)) << closed_[0].file;
    }
  }
}

// A child records in earnest, with its writer's thread, and is killed at some moment. Before any
// repair every unfinished WAV file already plays: its header is right for what is there.
TEST_F(RecoveryTest, KilledAtAnyMomentTheFilesPlay) {
  Rng rng(11);
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE(absl::StrCat("round ", round));
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const uint64_t first = 1 + 10 * static_cast<uint64_t>(round);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto recorder = StartRecorder(config_, clock_, log_, [](RecordingClosed) {});
      if (!recorder.ok()) ::_exit(1);
      std::vector<std::unique_ptr<RecordingTap>> taps;
      for (uint64_t i = 0; i < 6; ++i) {
        taps.push_back(*(*recorder)->Open(OrderOf(first + i, static_cast<Format>(i % 3))));
      }
      for (int64_t second = 0;; ++second) {
        for (const auto& tap : taps) {
          Say(*tap, Side::kCallee, second * kRate, (second + 1) * kRate, 0x10);
        }
        clock_.Advance(absl::Seconds(1));
        if (second == 20) {
          taps[0]->Close(second * kRate);
        }
        while ((*recorder)->Stats().blocks_waiting > 0) std::this_thread::yield();
        if (::write(pipe_ends[1], "s", 1) != 1) ::_exit(1);
      }
    }
    // After so many seconds of audio, and a moment more.
    char tick;
    for (uint64_t n = 3 + rng.Below(25); n > 0; --n) ASSERT_EQ(::read(pipe_ends[0], &tick, 1), 1);
    for (uint64_t n = rng.Below(20'000); n > 0; --n) std::this_thread::yield();
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);

    for (uint64_t i = 0; i < 6; ++i) {
      const std::string part = PartPath(AttemptId(first + i));
      if (!std::filesystem::exists(directory_ / part)) continue;  // it had been closed
      const Heard heard = record::Hear(directory_.path(), part);
      EXPECT_TRUE(heard.status.ok()) << heard.status;
      if (i % 3 != 2) {
        EXPECT_THAT(heard.callee, ::testing::Each(codec::MuToLinear(0x10)));
      }
      const std::string bytes = directory_.Bytes(part);
      if (i % 3 == 2 || bytes.size() < 60) continue;
      uint32_t data = 0;
      const size_t at = (i % 3 == 0 ? kWavHeaderBytes : kWavUlawHeaderBytes);
      for (size_t k = 4; k-- > 0;) {
        data = data << 8 | static_cast<uint8_t>(bytes[at - 4 + k]);
      }
      EXPECT_TRUE(data == UINT32_MAX || data <= bytes.size() - at);
    }
    closed_.clear();
    Start();
    Settle();
    EXPECT_EQ(closed_.size(), 6u);
    for (const RecordingClosed& closed : closed_) {
      EXPECT_EQ(closed.fault, "");
      const Heard heard = Hear(closed);
      EXPECT_TRUE(heard.status.ok()) << heard.status;
      EXPECT_EQ(SamplesToTime(static_cast<int64_t>(heard.callee.size())), closed.length);
      writer_->Stored(closed.attempt);
    }
    Settle();
  }
}

TEST(Journal, ReadsBackWhatItWrote) {
  RecordingOrder order = OrderOf(7, Format::kOpus);
  order.campaign = "D E\nM\\O";
  order.encrypted = true;
  std::string text = JournalBegin(order, "a/b c.opus");
  text += JournalEvent({Event::Type::kPaused, 100, 0});
  text += JournalEvent({Event::Type::kResumed, 200, 0});
  text += JournalEvent({Event::Type::kLost, 300, 500});
  const size_t open_size = text.size();
  RecordingClosed closed = ClosedOf(order);
  closed.bytes = 5;
  closed.sha256 = "ab";
  closed.fault = "x: y\nz";
  closed.file = "a/b c.opus";
  text += EndLines(1000, {{Mark::Kind::kPaused, 100, 200}, {Mark::Kind::kLost, 300, 500}});
  text += JournalEnd(closed);
  const Journal journal = ParseJournal(text);
  EXPECT_TRUE(journal.begun);
  EXPECT_TRUE(journal.ended);
  EXPECT_EQ(journal.order.campaign, order.campaign);
  EXPECT_EQ(journal.closed.fault, closed.fault);
  EXPECT_EQ(journal.closed.lost, SamplesToTime(200));
  EXPECT_EQ(journal.closed.paused, SamplesToTime(100));
  EXPECT_EQ(journal.closed.length, SamplesToTime(1000));
  EXPECT_EQ(journal.closed.format, Format::kOpus);
  EXPECT_TRUE(journal.closed.encrypted);
  // Cut anywhere it is whole or not ended, never wrong.
  for (size_t size = 0; size < text.size(); ++size) {
    const Journal cut = ParseJournal(absl::string_view(text).substr(0, size));
    EXPECT_FALSE(cut.ended) << size;
    if (size >= open_size) {
      EXPECT_EQ(cut.gaps.Until(1000).size(), 2u);
    }
  }
}

}  // namespace
}  // namespace outpace::record
