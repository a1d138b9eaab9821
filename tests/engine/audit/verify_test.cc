// Whatever is done to a log that was acknowledged is found.

#include "engine/audit/verify.h"

#include <gmock/gmock.h>

#include "absl/strings/match.h"
#include "engine/audit/segment.h"
#include "engine/base/rng.h"
#include "tests/engine/audit/audit_fixture.h"

namespace outpace::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class VerifyTest : public ::testing::Test {
 protected:
  // Three segments of two days, everything acknowledged.
  VerifyTest() {
    WriterConfig config;
    config.segment_bytes = 1000;
    AuditWriter writer(config, key_, files_, clock_);
    EXPECT_TRUE(writer.Open().ok());
    for (uint64_t lead = 1; lead <= 6; ++lead) {
      EXPECT_TRUE(AddNow(writer, clock_, EventOf(lead)).ok());
      clock_.Advance(lead == 4 ? absl::Hours(24) : absl::Seconds(1));
    }
    EXPECT_TRUE(writer.Commit().ok());
    head_ = writer.head();
    whole_ = files_.tree();
  }
  std::vector<std::string> Segments() const {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : whole_) names.push_back(name);
    std::vector<std::string> segments;
    for (const SegmentName& name : SegmentsAmong(names)) segments.push_back(name.ToString());
    return segments;
  }
  AuditReport Check(const Tree& tree, std::optional<Head> note = std::nullopt,
                    bool with_key = true) {
    MemoryFiles files(tree);
    VerifyOptions options;
    if (with_key) options.key = &key_;
    options.note = std::move(note);
    auto report = VerifyAudit(files, options);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : AuditReport();
  }
  // All lines of all segments, in order, each with its segment.
  std::vector<std::pair<std::string, std::string>> AllLines() const {
    std::vector<std::pair<std::string, std::string>> all;
    for (const std::string& name : Segments()) {
      for (const std::string& line : LinesOf(whole_.at(name))) all.emplace_back(name, line);
    }
    return all;
  }
  Tree TreeOf(const std::vector<std::pair<std::string, std::string>>& lines) const {
    Tree tree;
    for (const std::string& name : Segments()) tree[name];
    for (const auto& [name, line] : lines) tree[name] += line;
    tree[kHeadFile] = whole_.at(kHeadFile);
    return tree;
  }
  // The chain made anew over changed bodies by somebody without the key.
  static std::string Rechained(const std::string& segment, absl::string_view previous,
                               const std::function<std::string(std::string)>& change) {
    std::string out, hash(previous);
    for (std::string line : LinesOf(segment)) {
      line.pop_back();
      const auto parts = *SplitLine(line);
      const std::string body = change(std::string(parts.body));
      hash = ChainHash(hash, body);
      out += LineOf(body, hash, parts.seal);
    }
    return out;
  }

  const SealKey key_ = TestKey();
  ManualClock clock_;
  MemoryFiles files_;
  Tree whole_;
  Head head_;
};

TEST_F(VerifyTest, WhatNobodyTouchedIsWhole) {
  const AuditReport report = Check(whole_, head_);
  EXPECT_THAT(report.faults, IsEmpty());
  EXPECT_GE(report.segments, 3u);
  EXPECT_EQ(report.first_seq, 1u);
  EXPECT_EQ(report.last_seq, head_.seq);
  EXPECT_EQ(report.events, head_.seq);
  EXPECT_EQ(report.after_head, 0u);
  EXPECT_TRUE(report.seals_checked);
  EXPECT_THAT(Check(whole_, std::nullopt, /*with_key=*/false).faults, IsEmpty());
  MemoryFiles nothing;
  EXPECT_TRUE(absl::IsNotFound(VerifyAudit(nothing, {}).status()));
}

// By file, so that each part has a test's time to itself: a sanitizer makes this slow.
class VerifyOctetsTest : public VerifyTest, public ::testing::WithParamInterface<int> {
 protected:
  // Its name, or none: the segments in order, then the head.
  std::string File() const {
    const std::vector<std::string> segments = Segments();
    const auto i = static_cast<size_t>(GetParam());
    return i < segments.size() ? segments[i] : kHeadFile;
  }
};
INSTANTIATE_TEST_SUITE_P(Files, VerifyOctetsTest, ::testing::Range(0, 4));

TEST_F(VerifyTest, TheFilesAreThoseOfTheTestsByFile) { EXPECT_EQ(whole_.size(), 4u); }

TEST_P(VerifyOctetsTest, EveryChangedOctetIsFound) {
  const std::string name = File();
  const std::string& bytes = whole_.at(name);
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int change : {1, 2, 0x20, 0x80, bytes[i] ^ '\n', bytes[i] ^ '0'}) {
      if (change == 0) continue;
      Tree tree = whole_;
      tree[name][i] = static_cast<char>(bytes[i] ^ change);
      ASSERT_FALSE(Check(tree).ok()) << name << " octet " << i << " change " << change;
    }
  }
}

TEST_F(VerifyTest, WithoutTheKeyEveryChangedOctetOfAnEventIsFoundButSeals) {
  for (const std::string& name : Segments()) {
    const std::string& bytes = whole_.at(name);
    for (size_t i = 0; i < bytes.size(); ++i) {
      Tree tree = whole_;
      tree[name][i] = static_cast<char>(bytes[i] ^ 1);
      const size_t line_end = bytes.find('\n', i);
      // In a seal, another digit is all that is not found.
      const bool unseen = line_end - i >= 3 && line_end - i < 67 &&
                          absl::StrContains("0123456789abcdef", tree[name][i]);
      ASSERT_EQ(Check(tree, std::nullopt, false).ok(), unseen) << name << " octet " << i;
    }
  }
}

TEST_P(VerifyOctetsTest, EveryInsertedAndRemovedOctetIsFound) {
  const std::string name = File();
  const std::string& bytes = whole_.at(name);
  for (size_t i = 0; i <= bytes.size(); ++i) {
    for (const char c : {'\n', '0', '}', '\0'}) {
      Tree tree = whole_;
      tree[name].insert(i, 1, c);
      // An octet after the last line is what a crash leaves; it is told, and no event.
      const AuditReport report = Check(tree);
      const bool torn = name == Segments().back() && i == bytes.size() && c != '\n';
      if (torn) {
        ASSERT_EQ(report.torn_octets, 1u);
      } else {
        ASSERT_FALSE(report.ok()) << name << " octet " << i;
      }
    }
    if (i < bytes.size()) {
      Tree tree = whole_;
      tree[name].erase(i, 1);
      ASSERT_FALSE(Check(tree).ok()) << name << " octet " << i;
    }
  }
}

TEST_F(VerifyTest, CutAtEachOctet) {
  const std::vector<std::string> segments = Segments();
  Tree tree = whole_;
  for (size_t s = segments.size(); s-- > 0;) {
    for (size_t size = whole_.at(segments[s]).size(); size-- > 0;) {
      tree[segments[s]].resize(size);
      ASSERT_FALSE(Check(tree).ok()) << segments[s] << " cut to " << size;
    }
    tree.erase(segments[s]);
    ASSERT_FALSE(Check(tree).ok());
  }
}

TEST_F(VerifyTest, LinesDeletedDoubledMovedOrSwappedAreFound) {
  const auto lines = AllLines();
  ASSERT_GE(lines.size(), 9u);
  for (size_t i = 0; i < lines.size(); ++i) {
    auto deleted = lines;
    deleted.erase(deleted.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(Check(TreeOf(deleted)).ok()) << i;
    for (size_t j = 0; j < lines.size(); ++j) {
      auto doubled = lines;
      doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(j), lines[i]);
      doubled[j].first = lines[j].first;
      EXPECT_FALSE(Check(TreeOf(doubled)).ok()) << i << " " << j;
      if (i == j) continue;
      auto swapped = lines;
      std::swap(swapped[i].second, swapped[j].second);
      EXPECT_FALSE(Check(TreeOf(swapped)).ok()) << i << " " << j;
    }
  }
  auto doubled = lines;
  doubled.push_back(lines.back());
  EXPECT_FALSE(Check(TreeOf(doubled)).ok());
}

TEST_F(VerifyTest, FilesRemovedRenamedOrSwappedAreFound) {
  const std::vector<std::string> segments = Segments();
  for (const auto& [name, bytes] : whole_) {
    Tree tree = whole_;
    tree.erase(name);
    EXPECT_FALSE(Check(tree).ok()) << name;
    tree[name] = "";
    EXPECT_FALSE(Check(tree).ok()) << name;
  }
  for (const std::string& a : segments) {
    for (const std::string& b : segments) {
      if (a == b) continue;
      Tree tree = whole_;
      std::swap(tree[a], tree[b]);
      EXPECT_FALSE(Check(tree).ok()) << a << " " << b;
    }
    Tree renamed = whole_;
    renamed["audit-20991231-1.jsonl"] = renamed[a];
    renamed.erase(a);
    EXPECT_FALSE(Check(renamed).ok()) << a;
  }
}

TEST_F(VerifyTest, AChainMadeAnewWithoutTheKeyIsFound) {
  const std::string last = Segments().back();
  std::string first = LinesOf(whole_[last])[0];
  first.pop_back();
  const std::string previous = TextOf(ParseLine(first)->event, "previous");
  Tree tree = whole_;
  tree[last] = Rechained(whole_[last], previous, [](std::string body) {
    const size_t at = body.find("\"lead\":6");
    return at == std::string::npos ? body : body.replace(at, 8, "\"lead\":9");
  });
  ASSERT_NE(tree[last], whole_[last]);
  EXPECT_FALSE(Check(tree).ok());
  // Whoever cuts the end and makes a head for it has no seal for that.
  tree = whole_;
  const std::vector<std::string> lines = LinesOf(whole_[last]);
  tree[last].resize(tree[last].size() - lines.back().size());
  std::string end = lines[lines.size() - 2];
  end.pop_back();
  const auto stored = *ParseLine(end);
  tree[kHeadFile] = HeadLine({stored.seq, stored.hash}, TestKey('8'));
  const AuditReport report = Check(tree);
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(report.faults[0].ToString(), HasSubstr("head: the head's seal does not fit"));
}

// An event put at the end, after the head, chains: but it has no seal.
TEST_F(VerifyTest, AnEventAddedAtTheEndWithoutTheKeyIsFound) {
  const std::string last = Segments().back();
  Event forged = EventOf(99, "dnc.removed");
  forged.at = clock_.Wall();
  const std::string body = BodyOf(head_.seq + 1, forged);
  const std::string hash = ChainHash(head_.hash, body);
  Tree tree = whole_;
  tree[last] += LineOf(body, hash, TestKey('8').SealEvent(hash));
  const AuditReport report = Check(tree);
  ASSERT_EQ(report.faults.size(), 1u);
  EXPECT_THAT(report.faults[0].ToString(), HasSubstr("was not sealed with this key"));
  tree = whole_;
  tree[last] += LineOf(body, hash, key_.SealEvent(hash));  // what an engine does before it dies
  EXPECT_TRUE(Check(tree).ok());
  EXPECT_EQ(Check(tree).after_head, 1u);
}

// An older copy of everything is whole by itself; a head noted elsewhere tells.
TEST_F(VerifyTest, AnOlderCopyIsFoundByANotedHead) {
  AuditWriter writer({}, key_, files_, clock_);
  ASSERT_TRUE(writer.Open().ok());
  ASSERT_TRUE(AddNow(writer, clock_, EventOf(7)).ok());
  ASSERT_TRUE(writer.Commit().ok());
  const Head noted = writer.head();
  EXPECT_TRUE(Check(files_.tree(), noted).ok());
  EXPECT_TRUE(Check(files_.tree(), head_).ok());
  EXPECT_TRUE(Check(whole_).ok());
  const AuditReport report = Check(whole_, noted);
  ASSERT_EQ(report.faults.size(), 1u);
  EXPECT_THAT(report.faults[0].what, HasSubstr("was noted elsewhere"));
  EXPECT_FALSE(Check(files_.tree(), Head{noted.seq, head_.hash}).ok());
}

TEST_F(VerifyTest, AnotherKeyAndAMissingHeadAreTold) {
  MemoryFiles files(whole_);
  const SealKey other = TestKey('8');
  VerifyOptions options;
  options.key = &other;
  const auto report = VerifyAudit(files, options);
  ASSERT_TRUE(report.ok());
  EXPECT_FALSE(report->ok());
  Tree tree = whole_;
  tree.erase(kHeadFile);
  EXPECT_THAT(Check(tree).faults[0].ToString(), HasSubstr("head: the file is missing"));
}

TEST_F(VerifyTest, AFaultSaysWhere) {
  const std::string name = Segments()[1];
  Tree tree = whole_;
  std::vector<std::string> lines = LinesOf(tree[name]);
  const size_t at = tree[name].find("DEMO", lines[0].size());
  tree[name][at] = 'X';
  const AuditReport report = Check(tree);
  ASSERT_EQ(report.faults.size(), 1u);
  EXPECT_EQ(report.faults[0].file, name);
  EXPECT_EQ(report.faults[0].line, 2u);
  EXPECT_THAT(report.faults[0].what, HasSubstr("does not fit its hash"));
}

TEST_F(VerifyTest, EventsAreFoundByTimeAndKind) {
  MemoryFiles files(whole_);
  EventQuery query;
  query.kinds = {"call."};
  std::vector<int64_t> leads;
  const auto collect = [&](const StoredEvent& stored, absl::string_view) {
    leads.push_back(NumberOf(stored.event, "lead"));
    return true;
  };
  ASSERT_TRUE(ForEachEvent(files, query, collect).ok());
  EXPECT_THAT(leads, ElementsAre(1, 2, 3, 4, 5, 6));
  leads.clear();
  query.from = EndOfDay(20260921);
  ASSERT_TRUE(ForEachEvent(files, query, collect).ok());
  EXPECT_THAT(leads, ElementsAre(5, 6));
  leads.clear();
  query = {};
  query.to = EndOfDay(20260921);
  query.kinds = {"call.dialed"};
  ASSERT_TRUE(ForEachEvent(files, query, collect).ok());
  EXPECT_THAT(leads, ElementsAre(1, 2, 3, 4));
  leads.clear();
  query.kinds = {"call"};  // no kind of that name
  ASSERT_TRUE(ForEachEvent(files, query, collect).ok());
  EXPECT_THAT(leads, IsEmpty());
  files.tree()[Segments()[0]].insert(0, "x");
  EXPECT_TRUE(absl::IsDataLoss(ForEachEvent(files, {}, collect)));
}

// Several changes at once, and none can hide the others.
TEST_F(VerifyTest, RandomTamperingIsFound) {
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    auto lines = AllLines();
    for (uint64_t changes = 1 + rng.Next() % 3; changes > 0 && !lines.empty(); --changes) {
      const size_t i = rng.Next() % lines.size();
      std::string& line = lines[i].second;
      switch (rng.Next() % 4) {
        case 0:
          lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i));
          break;
        case 1:
          lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(rng.Next() % lines.size()),
                       lines[i]);
          break;
        case 2:
          line[rng.Next() % line.size()] ^= static_cast<char>(1 + rng.Next() % 255);
          break;
        default:
          std::swap(lines[i].second, lines[rng.Next() % lines.size()].second);
      }
    }
    const Tree tree = TreeOf(lines);
    if (tree == TreeOf(AllLines())) continue;  // what was changed was changed back
    EXPECT_FALSE(Check(tree).ok());
  }
}

}  // namespace
}  // namespace outpace::audit
