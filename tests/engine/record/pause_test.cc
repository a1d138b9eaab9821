// Card data: what is said during a pause is nowhere: not in the file, not in memory, not in a core.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "engine/record/key_ring.h"
#include "tests/engine/record/record_fixture.h"

namespace outpace::record {
namespace {

using ::testing::IsEmpty;

// A run of octets that nothing else produces; made anew where it is needed, so that the test's own
// copies can be told apart.
std::vector<uint8_t> Marker() {
  std::vector<uint8_t> octets(160);
  uint32_t state = 12345;
  for (uint8_t& octet : octets) {
    state = state * 1664525 + 1013904223;
    octet = static_cast<uint8_t>(state >> 24);
    if (octet == 0x7f) octet = 0x7e;
  }
  return octets;
}

// More than a vector register holds: those are spilled to the stack by whoever likes.
constexpr size_t kNeedle = 120;

std::string AsText(const void* data, size_t bytes) {
  return std::string(static_cast<const char*>(data), bytes);
}

// Counts the places in this process's writable memory where `needle` lies, but for those within
// `own`. The needle is kept inverted, so that it does not find itself.
class MemorySearch {
 public:
  explicit MemorySearch(std::string needle) : inverted_(std::move(needle)) {
    for (char& c : inverted_) c = static_cast<char>(~c);
  }
  int Count() const {
    std::ifstream maps("/proc/self/maps");
    const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    int found = 0;
    std::string line;
    std::vector<char> bytes;
    while (std::getline(maps, line)) {
      const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 2));
      const std::vector<std::string> range = absl::StrSplit(words[0], '-');
      if (words[1][1] != 'w' || line.find("[v") != std::string::npos) continue;
      const uint64_t from = std::stoull(range[0], nullptr, 16);
      const uint64_t to = std::stoull(range[1], nullptr, 16);
      constexpr uint64_t kPiece = 1 << 20;
      for (uint64_t at = from; at < to; at += kPiece) {
        bytes.assign(std::min(kPiece + inverted_.size(), to - at), 0);
        const ssize_t got = ::pread(memory, bytes.data(), bytes.size(), static_cast<off_t>(at));
        if (got <= 0) continue;
        found += CountIn(bytes.data(), static_cast<size_t>(got));
        // The search's own copy must not be found by the next piece.
        std::fill(bytes.begin(), bytes.end(), char{0});
      }
    }
    ::close(memory);
    return found;
  }

 private:
  int CountIn(const char* data, size_t size) const {
    int found = 0;
    const size_t n = inverted_.size();
    const auto first = static_cast<char>(~inverted_[0]);
    for (const char* at = data; at + n <= data + size; ++at) {
      at = static_cast<const char*>(std::memchr(at, first, static_cast<size_t>(data + size - at)));
      if (at == nullptr || at + n > data + size) break;
      size_t same = 1;
      while (same < n && at[same] == static_cast<char>(~inverted_[same])) ++same;
      found += same == n ? 1 : 0;
    }
    return found;
  }
  std::string inverted_;
};

TEST_F(RecordTest, TheSearchFindsWhatIsThere) {
  std::vector<uint8_t> marker = Marker();
  const MemorySearch search(AsText(marker.data() + 8, kNeedle));
  EXPECT_GE(search.Count(), 1);
  ::explicit_bzero(marker.data(), marker.size());
  EXPECT_EQ(search.Count(), 0);
}

// The last packets before the agent's key was handled lie in the tap's blocks, behind the position
// at which the pause begins; those after are dropped at the door.
TEST_F(RecordTest, NothingSaidInAPauseStaysInMemoryOrFile) {
  for (const Format format : {Format::kWav, Format::kWavUlaw, Format::kOpus}) {
    for (const bool linear : {false, true}) {
      for (const bool encrypted : {false, true}) {
        SCOPED_TRACE(absl::StrCat(FormatName(format), linear, encrypted));
        Start(*KeyRing::Parse(NewKeyLine()));
        const auto attempt =
            1 + static_cast<uint64_t>(format) * 4 + (linear ? 2 : 0) + (encrypted ? 1 : 0);
        RecordingOrder order = OrderOf(attempt, format);
        order.encrypted = encrypted;
        auto tap = Open(order);
        Say(*tap, Side::kCallee, 0, 16000, 0x10);
        Say(*tap, Side::kAgent, 0, 16000, 0x90);
        {
          std::vector<uint8_t> marker = Marker();
          std::vector<int16_t> samples;
          samples.reserve(marker.size());  // growing would leave copies behind
          for (const uint8_t octet : marker) samples.push_back(codec::MuToLinear(octet));
          const auto say = [&](int64_t at) {
            if (linear) {
              tap->Write(Side::kCallee, at, samples);
            } else {
              tap->Write(Side::kCallee, at, codec::Law::kMu, marker);
            }
          };
          for (int64_t at = 16000; at < 24000; at += 160) say(at);
          writer_->Turn();
          tap->Pause(16000);
          tap->Pause(17000);
          EXPECT_TRUE(tap->paused());
          for (int64_t at = 24000; at < 40000; at += 160) say(at);
          ::explicit_bzero(marker.data(), marker.size());
          ::explicit_bzero(samples.data(), samples.size() * 2);
        }
        std::vector<uint8_t> marker = Marker();
        std::vector<int16_t> samples;
        samples.reserve(marker.size());
        for (const uint8_t octet : marker) samples.push_back(codec::MuToLinear(octet));
        const MemorySearch octets(AsText(marker.data() + 8, kNeedle));
        const MemorySearch words(AsText(samples.data() + 8, kNeedle));
        ::explicit_bzero(marker.data(), marker.size());
        ::explicit_bzero(samples.data(), samples.size() * 2);
        EXPECT_EQ(octets.Count(), 0);
        EXPECT_EQ(words.Count(), 0);
        clock_.Advance(absl::Seconds(10));
        writer_->Turn();
        tap->Resume(48000);
        Say(*tap, Side::kCallee, 47840, 56000, 0x20);
        tap->Close(56000);
        const RecordingClosed closed = Last();
        EXPECT_EQ(octets.Count(), 0);
        EXPECT_EQ(words.Count(), 0);
        EXPECT_EQ(closed.length, absl::Seconds(7));
        EXPECT_EQ(closed.paused, absl::Seconds(4));
        ASSERT_EQ(closed.marks.size(), 1u);
        EXPECT_EQ(closed.marks[0].from, absl::Seconds(2));
        EXPECT_EQ(closed.marks[0].to, absl::Seconds(6));
        if (encrypted || format == Format::kOpus) continue;
        const Heard heard = Hear(closed);
        for (size_t i = 0; i < 56000; ++i) {
          const int16_t should = i < 16000   ? codec::MuToLinear(0x10)
                                 : i < 48000 ? int16_t{0}
                                             : codec::MuToLinear(0x20);
          ASSERT_EQ(heard.callee[i], should) << i;
        }
      }
    }
  }
}

TEST_F(RecordTest, BlocksThatAreFreeAreWiped) {
  Start();
  auto tap = Open(OrderOf(7));
  Say(*tap, Side::kCallee, 0, 10 * 8000, 0x5a);
  Say(*tap, Side::kAgent, 0, 10 * 8000, 0x5a);
  tap->Close(10 * 8000);
  Settle();
  const BlockPool& pool = writer_->shared()->pool;
  EXPECT_EQ(pool.in_use(), 0u);
  const size_t bytes = pool.blocks() * BlockPool::kBlockBytes;
  EXPECT_EQ(std::count_if(pool.data(), pool.data() + bytes, [](uint8_t c) { return c != 0; }), 0);
}

TEST_F(RecordTest, TheBlocksAreNotInACoreDump) {
  Start();
  const auto from = reinterpret_cast<uint64_t>(writer_->shared()->pool.data());
  std::ifstream maps("/proc/self/smaps");
  std::string line;
  bool inside = false, found = false;
  while (std::getline(maps, line)) {
    const size_t dash = line.find('-');
    uint64_t low = 0;
    if (dash != std::string::npos && dash < 17 && absl::SimpleHexAtoi(line.substr(0, dash), &low)) {
      inside = low <= from && from < std::stoull(line.substr(dash + 1), nullptr, 16);
    }
    if (inside && line.rfind("VmFlags:", 0) == 0) {
      found = true;
      EXPECT_NE((line + " ").find(" dd "), std::string::npos) << line;
    }
  }
  EXPECT_TRUE(found);
}

TEST_F(RecordTest, ARecordingMayBeginPaused) {
  Start();
  RecordingOrder order = OrderOf(7);
  order.paused = true;
  auto tap = Open(order);
  EXPECT_TRUE(tap->paused());
  Say(*tap, Side::kCallee, 0, 8000, 0x10);
  tap->Resume(8000);
  Say(*tap, Side::kCallee, 8000, 16000, 0x10);
  tap->Close(16000);
  const RecordingClosed closed = Last();
  EXPECT_EQ(closed.paused, absl::Seconds(1));
  const Heard heard = Hear(closed);
  EXPECT_EQ(heard.callee[7999], 0);
  EXPECT_EQ(heard.callee[8000], codec::MuToLinear(0x10));
}

// A clip: two seconds of a call of ten minutes.
TEST_F(RecordTest, APauseWithoutAResumeEndsTheFile) {
  for (const Format format : {Format::kWav, Format::kWavUlaw, Format::kOpus}) {
    for (const bool encrypted : {false, true}) {
      SCOPED_TRACE(absl::StrCat(FormatName(format), encrypted));
      const KeyRing keys = *KeyRing::Parse(NewKeyLine());
      Start(keys);
      RecordingOrder order =
          OrderOf(1 + 2 * static_cast<uint64_t>(format) + (encrypted ? 1 : 0), format);
      order.encrypted = encrypted;
      auto tap = Open(order);
      Say(*tap, Side::kCallee, 0, 18400, 0x10);
      tap->Pause(16080);
      clock_.Advance(absl::Minutes(10));
      writer_->Turn();
      tap->Close(600 * kRate);
      const RecordingClosed closed = Last();
      EXPECT_EQ(closed.length, SamplesToTime(16080));
      EXPECT_EQ(closed.paused, absl::ZeroDuration());
      EXPECT_TRUE(closed.marks.empty());
      EXPECT_FALSE(closed.cut);
      EXPECT_LT(closed.bytes, 16080u * 4 + 1000);
      const Heard heard = Hear(closed, keys);
      EXPECT_TRUE(heard.status.ok()) << heard.status;
      EXPECT_EQ(heard.callee.size(), 16080u);
    }
  }
}

TEST_F(RecordTest, PausedFromTheFirstToTheLastIsEmpty) {
  for (const Format format : {Format::kWav, Format::kOpus}) {
    Start();
    RecordingOrder order = OrderOf(1 + static_cast<uint64_t>(format), format);
    order.paused = true;
    auto tap = Open(order);
    clock_.Advance(absl::Minutes(1));
    tap->Close(60 * kRate);
    const RecordingClosed closed = Last();
    EXPECT_EQ(closed.length, absl::ZeroDuration());
    EXPECT_EQ(closed.fault, "");
    const Heard heard = Hear(closed);
    EXPECT_TRUE(heard.status.ok()) << heard.status;
    EXPECT_TRUE(heard.callee.empty());
  }
}

TEST_F(RecordTest, AThousandPausesInOneCall) {
  Start();
  auto tap = Open(OrderOf(7));
  for (int64_t i = 0; i < 1000; ++i) {
    Say(*tap, Side::kCallee, i * 800, i * 800 + 400, 0x10);
    tap->Pause(i * 800 + 400);
    Say(*tap, Side::kCallee, i * 800 + 400, i * 800 + 800, 0x30);
    tap->Resume(i * 800 + 800);
    ASSERT_FALSE(tap->paused());
    clock_.Advance(absl::Milliseconds(100));
    if (i % 10 == 0) writer_->Turn();
  }
  tap->Close(800'000);
  const RecordingClosed closed = Last();
  EXPECT_EQ(closed.length, absl::Seconds(100));
  EXPECT_EQ(closed.paused, absl::Seconds(50));
  EXPECT_EQ(closed.marks.size(), 1000u);
  const Heard heard = Hear(closed);
  for (size_t i = 0; i < 800'000; ++i) {
    ASSERT_EQ(heard.callee[i], i % 800 < 400 ? codec::MuToLinear(0x10) : 0) << i;
  }
}

TEST_F(RecordTest, PausesThatCannotBeWrittenDownStayPauses) {
  Start();
  auto tap = Open(OrderOf(7));
  int64_t at = 0;
  while (!tap->paused()) {  // the writer does not look once
    tap->Pause(at += 160);
    tap->Resume(at += 160);
  }
  EXPECT_GT(at, 160 * 200);
  tap->Resume(at + 160);
  EXPECT_TRUE(tap->paused());
  writer_->Turn();
  tap->Resume(at + 320);
  EXPECT_FALSE(tap->paused());
  tap->Close(at + 320);
  EXPECT_LT(Last().paused, SamplesToTime(at + 320));
}

}  // namespace
}  // namespace outpace::record
