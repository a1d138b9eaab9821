// Encryption at rest: what is sealed is read back with its key and no other, and nothing can be
// changed, moved, left out or added unseen.

#include "engine/record/sealed.h"

#include <gmock/gmock.h>

#include "engine/base/rng.h"
#include "tests/engine/record/record_fixture.h"

namespace outpace::record {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SealedTest : public RecordTest {
 protected:
  SealedTest() : keys_(*KeyRing::Parse(NewKeyLine())) {}

  RecordingClosed Record(uint64_t attempt, Format format = Format::kWav) {
    RecordingOrder order = OrderOf(attempt, format);
    order.encrypted = true;
    auto tap = Open(order);
    for (int64_t second = 0; second < 6; ++second) {
      Say(*tap, Side::kCallee, second * kRate, (second + 1) * kRate,
          static_cast<uint8_t>(0x10 + second));
      writer_->Turn();
    }
    tap->Close(6 * kRate);
    return Last();
  }
  // The chunks of a file, each with its length and tag; the header first.
  std::vector<std::string> Pieces(const std::string& bytes) {
    std::vector<std::string> pieces = {bytes.substr(0, kSealedHeaderBytes)};
    for (size_t at = kSealedHeaderBytes; at < bytes.size();) {
      const size_t size = static_cast<uint8_t>(bytes[at]) |
                          static_cast<size_t>(static_cast<uint8_t>(bytes[at + 1])) << 8 |
                          static_cast<size_t>(static_cast<uint8_t>(bytes[at + 2])) << 16;
      pieces.push_back(bytes.substr(at, 4 + size + kTagBytes));
      at += pieces.back().size();
    }
    return pieces;
  }
  Heard HearBytes(const std::string& bytes, const KeyRing& keys) {
    directory_.Put("tampered.wav.sealed", bytes);
    return record::Hear(directory_.path(), "tampered.wav.sealed", keys);
  }
  static std::string Join(const std::vector<std::string>& pieces) {
    std::string all;
    for (const std::string& piece : pieces) all += piece;
    return all;
  }

  const KeyRing keys_;
};

TEST_F(SealedTest, IsReadBackWithItsKeyOnly) {
  for (const Format format : {Format::kWav, Format::kWavUlaw, Format::kOpus}) {
    SCOPED_TRACE(FormatName(format));
    Start(keys_);
    const RecordingClosed closed = Record(static_cast<uint64_t>(format) + 1, format);
    EXPECT_THAT(closed.file, ::testing::EndsWith(".sealed"));
    EXPECT_TRUE(closed.encrypted);
    const std::string bytes = directory_.Bytes(closed.file);
    EXPECT_EQ(bytes.size(), closed.bytes);
    for (const char* clear : {"RIFF", "OggS", "Opus", "DEMO", "a1\n"}) {
      EXPECT_THAT(bytes, Not(HasSubstr(clear)));
    }
    const Heard heard = Hear(closed, keys_);
    ASSERT_TRUE(heard.status.ok()) << heard.status;
    EXPECT_FALSE(heard.cut);
    ASSERT_EQ(heard.callee.size(), 6u * kRate);
    if (format != Format::kOpus) {
      for (size_t i = 0; i < heard.callee.size(); ++i) {
        ASSERT_EQ(heard.callee[i], codec::MuToLinear(static_cast<uint8_t>(0x10 + i / 8000)));
      }
    }
    EXPECT_THAT(Hear(closed).status.message(), HasSubstr(KeyIdText(keys_.first().id)));
    const KeyRing other = *KeyRing::Parse(NewKeyLine());
    EXPECT_EQ(Hear(closed, other).status.code(), absl::StatusCode::kFailedPrecondition);
  }
}

TEST_F(SealedTest, EveryFlippedBitIsSeen) {
  Start(keys_);
  const std::string bytes = directory_.Bytes(Record(1).file);
  Rng rng(5);
  for (int i = 0; i < 400; ++i) {
    std::string changed = bytes;
    const size_t at = i < 90 ? static_cast<size_t>(i) : rng.Below(bytes.size());
    changed[at] = static_cast<char>(changed[at] ^ (1 << rng.Below(8)));
    const Heard heard = HearBytes(changed, keys_);
    // A length may be made to reach beyond the end: then the file is cut there.
    EXPECT_TRUE(!heard.status.ok() || heard.cut) << "octet " << at;
  }
}

TEST_F(SealedTest, ChunksCannotBeMovedOrLeftOut) {
  Start(keys_);
  const std::string bytes = directory_.Bytes(Record(1).file);
  const std::string other = directory_.Bytes(Record(2).file);
  const std::vector<std::string> pieces = Pieces(bytes), others = Pieces(other);
  ASSERT_EQ(Join(pieces), bytes);
  ASSERT_GE(pieces.size(), 5u);
  EXPECT_TRUE(HearBytes(Join(pieces), keys_).status.ok());
  for (size_t i = 1; i + 1 < pieces.size(); ++i) {
    std::vector<std::string> changed = pieces;
    std::swap(changed[i], changed[i + 1]);
    EXPECT_FALSE(HearBytes(Join(changed), keys_).status.ok()) << "swapped " << i;
    changed = pieces;
    changed.erase(changed.begin() + static_cast<ptrdiff_t>(i));
    EXPECT_FALSE(HearBytes(Join(changed), keys_).status.ok()) << "without " << i;
    changed = pieces;
    changed.insert(changed.begin() + static_cast<ptrdiff_t>(i), pieces[i]);
    EXPECT_FALSE(HearBytes(Join(changed), keys_).status.ok()) << "twice " << i;
    changed = pieces;
    changed[i] = others[i];  // same key, same place, another call
    EXPECT_FALSE(HearBytes(Join(changed), keys_).status.ok()) << "foreign " << i;
  }
  std::vector<std::string> changed = pieces;
  changed[0] = others[0];
  EXPECT_FALSE(HearBytes(Join(changed), keys_).status.ok());
  EXPECT_FALSE(HearBytes(bytes + "x", keys_).status.ok());
  EXPECT_FALSE(HearBytes(bytes + pieces.back(), keys_).status.ok());
}

TEST_F(SealedTest, ACutIsSeenAndWhatIsWholeIsRead) {
  Start(keys_);
  const std::string bytes = directory_.Bytes(Record(1).file);
  size_t longest = 0;
  std::vector<size_t> sizes;
  for (size_t size = kSealedHeaderBytes; size < bytes.size(); size += 997) sizes.push_back(size);
  for (size_t left = 100; left > 0; --left) sizes.push_back(bytes.size() - left);
  for (const size_t size : sizes) {
    const Heard heard = HearBytes(bytes.substr(0, size), keys_);
    ASSERT_TRUE(heard.status.ok()) << size << heard.status;
    EXPECT_TRUE(heard.cut) << size;
    EXPECT_GE(heard.callee.size(), longest);
    longest = heard.callee.size();
  }
  EXPECT_EQ(longest, 6u * kRate);  // without the final chunk
  EXPECT_FALSE(HearBytes(bytes.substr(0, 40), keys_).status.ok());
}

TEST_F(SealedTest, SameAudioIsNeverTheSameOctets) {
  Start(keys_);
  const std::string one = directory_.Bytes(Record(1).file);
  const std::string two = directory_.Bytes(Record(2).file);
  ASSERT_EQ(one.size(), two.size());
  size_t same = 0;
  for (size_t i = kSealedHeaderBytes; i < one.size(); ++i) same += one[i] == two[i] ? 1u : 0u;
  EXPECT_LT(same, one.size() / 100);
}

TEST_F(SealedTest, KeysAreChangedByPuttingANewOneFirst) {
  const std::string old_line = NewKeyLine(), new_line = NewKeyLine();
  Start(*KeyRing::Parse(old_line));
  const RecordingClosed before = Record(1);
  const KeyRing both = *KeyRing::Parse(new_line + old_line);
  Start(both);
  const RecordingClosed after = Record(2);
  EXPECT_TRUE(Hear(before, both).status.ok());
  EXPECT_TRUE(Hear(after, both).status.ok());
  EXPECT_TRUE(Hear(after, *KeyRing::Parse(new_line)).status.ok());
  EXPECT_FALSE(Hear(before, *KeyRing::Parse(new_line)).status.ok());
}

TEST(KeyRing, RefusesWhatProtectsNothing) {
  ScratchDirectory recordings, elsewhere;
  const std::string line = NewKeyLine();
  EXPECT_TRUE(KeyRing::Load(elsewhere.Put("key", line), {recordings.path()}).ok());
  EXPECT_THAT(
      KeyRing::Load(elsewhere.Put("open", line, 0640), {recordings.path()}).status().message(),
      HasSubstr("chmod 600"));
  EXPECT_THAT(KeyRing::Load(recordings.Put("a/key", line), {recordings.path()}).status().message(),
              HasSubstr("inside"));
  // A link from outside to a key inside, and a way in by "..".
  std::filesystem::create_symlink(recordings / "a/key", elsewhere / "link");
  EXPECT_THAT(KeyRing::Load(elsewhere / "link", {recordings.path()}).status().message(),
              HasSubstr("inside"));
  EXPECT_FALSE(KeyRing::Load(recordings / "../key", {recordings.path()}).ok());
  // Each of several directories.
  EXPECT_THAT(
      KeyRing::Load(recordings / "a/key", {elsewhere.path(), recordings.path()}).status().message(),
      HasSubstr("/etc/outpace"));
  EXPECT_EQ(KeyRing::Load(elsewhere / "none", {recordings.path()}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_FALSE(KeyRing::Load(elsewhere.path(), {recordings.path()}).ok());
}

TEST_F(SealedTest, NoRecorderWithAKeyWhereItWouldBeBackedUpWithTheRecordings) {
  ScratchDirectory data;
  config_.key_file = data.Put("key", NewKeyLine());
  EXPECT_TRUE(StartRecorder(config_, files_, clock_, log_, [](RecordingClosed) {}).ok());
  config_.forbidden_key_directories = {data.path()};
  EXPECT_THAT(
      StartRecorder(config_, files_, clock_, log_, [](RecordingClosed) {}).status().message(),
      HasSubstr("inside"));
}

TEST(KeyRing, ReadsKeysAndNeverTellsThem) {
  const std::string good(64, 'a');
  auto ring = KeyRing::Parse("# old and new\n\n  " + good + "  # 2026\r\n" + NewKeyLine());
  ASSERT_TRUE(ring.ok()) << ring.status();
  EXPECT_NE(ring->Find(ring->first().id), nullptr);
  EXPECT_EQ(ring->Find(KeyId{}), nullptr);
  for (const std::string& bad : {std::string(63, 'b'), std::string(65, 'b'), std::string(64, 'g'),
                                 std::string("bbbbbbbbbbbbbb")}) {
    const auto parsed = KeyRing::Parse(good + "\n" + bad + "\n");
    EXPECT_THAT(parsed.status().message(), HasSubstr("line 2"));
    EXPECT_THAT(parsed.status().message(), Not(HasSubstr("bbbb")));
  }
  EXPECT_FALSE(KeyRing::Parse("# none\n").ok());
  EXPECT_NE(NewKeyLine(), NewKeyLine());
}

}  // namespace
}  // namespace outpace::record
