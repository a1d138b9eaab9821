#include "engine/audit/event.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "engine/audit/chain.h"
#include "engine/audit/segment.h"
#include "engine/base/rng.h"
#include "tests/engine/audit/audit_fixture.h"

namespace outpace::audit {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string LineWith(absl::string_view text) {
  Event event{"agent.login", std::string(text), {{"name", text}}, absl::UnixEpoch()};
  return LineOf(BodyOf(7, event), kNoHash, kNoHash);
}

TEST(Event, IsOneLineInOneForm) {
  Event event{"dnc.added",
              "agent a1",
              {{"campaign", "DEMO"}, {"lead", LeadId(12)}, {"all", true}, {"change", -3}},
              absl::FromUnixMillis(1'790'000'000'123)};
  EXPECT_EQ(BodyOf(7, event),
            "{\"seq\":7,\"time\":\"2026-09-21T14:13:20.123Z\",\"kind\":\"dnc.added\","
            "\"actor\":\"agent a1\",\"about\":{\"campaign\":\"DEMO\",\"lead\":12,\"all\":true,"
            "\"change\":-3}");
  std::string line = LineOf(BodyOf(7, event), kNoHash, kNoHash);
  ASSERT_EQ(line.back(), '\n');
  line.pop_back();
  const auto stored = ParseLine(line);
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(stored->seq, 7u);
  EXPECT_EQ(stored->event.about, event.about);
  EXPECT_EQ(stored->event.at, event.at);
  EXPECT_EQ(stored->hash, kNoHash);
}

TEST(Event, NamesCannotEndALineOrAStringNorForgeAnEvent) {
  const std::string kNasty[] = {"a\"},\"hash\":\"",
                                "a\nb",
                                "a\r\n{\"seq\":8}",
                                std::string("a\0b", 3),
                                "\\",
                                "\\\"",
                                "\x1b[2J",
                                "张三 \"老板\"",
                                "\xE2\x80\xAE"
                                "gpj.exe",
                                "\xE2\x80\xA8line",
                                "\xC2\x85",
                                "\x7F",
                                "=cmd|'/C calc'!A0"};
  for (const std::string& nasty : kNasty) {
    std::string line = LineWith(nasty);
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    line.pop_back();
    for (const char c : line) EXPECT_GE(static_cast<uint8_t>(c), 0x20u);
    EXPECT_THAT(line, Not(HasSubstr("\xE2\x80\xAE")));
    const auto stored = ParseLine(line);
    ASSERT_TRUE(stored.ok()) << line;
    EXPECT_EQ(stored->event.actor, nasty);
    EXPECT_EQ(TextOf(stored->event, "name"), nasty);
    EXPECT_EQ(stored->event.about.size(), 1u);
  }
  EXPECT_THAT(LineWith("张三"), HasSubstr("张三"));  // readable as it is
}

TEST(Event, WhatIsNoUtf8IsReplacedAndLongTextsAreCut) {
  for (const char* bad : {"\xff", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE4\xBD"}) {
    std::string line = LineWith(bad);
    line.pop_back();
    const auto stored = ParseLine(line);
    ASSERT_TRUE(stored.ok()) << line;
    EXPECT_THAT(stored->event.actor, HasSubstr("\xEF\xBF\xBD"));
  }
  std::string wide;
  for (int i = 0; i < 5000; ++i) wide += "张";
  std::string line = LineWith(wide);
  EXPECT_LT(line.size(), 3 * kTextMax);
  line.pop_back();
  const auto stored = ParseLine(line);
  ASSERT_TRUE(stored.ok());
  EXPECT_THAT(stored->event.actor, HasSubstr("... (13002 octets more)"));
}

// Whatever the text, what is read is what was written, but for what is no UTF-8.
TEST(EventProperty, AnyOctetsMakeOneLineThatCanBeRead) {
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    std::string text;
    for (uint64_t n = rng.Next() % 60; n > 0; --n) text.push_back(static_cast<char>(rng.Next()));
    std::string line = LineWith(text);
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    line.pop_back();
    const auto stored = ParseLine(line);
    ASSERT_TRUE(stored.ok()) << line;
    // Written again it is the same: reading loses nothing.
    EXPECT_EQ(LineOf(BodyOf(stored->seq, stored->event), kNoHash, kNoHash), line + "\n");
  }
}

TEST(Chain, KnownAnswers) {
  const std::string hash = ChainHash(kNoHash, "{\"seq\":1}");
  EXPECT_EQ(hash, "a453da8151216b5ae0a15c5377bc79da35cc4f629a9e9a3dcab70bf0b485609a");
  const auto key =
      SealKey::Parse("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->SealEvent(hash),
            "ce2a1671f59f1b68112eb30c2204d7cea96552b65ff86fe0c02d1355cf6dec9c");
  EXPECT_EQ(key->SealHead(7, hash),
            "e1f108818397aa3f30f07491d519d32c025a3114b12b1b72cf0d94760121d50a");
}

TEST(Chain, EveryChangedOctetOfAHeadIsFound) {
  const SealKey key = TestKey();
  const Head head{4711, ChainHash(kNoHash, "x")};
  const std::string line = HeadLine(head, key);
  ASSERT_EQ(*ParseHeadLine(line, &key), head);
  for (size_t i = 0; i < line.size(); ++i) {
    for (int change = 1; change < 256; ++change) {
      std::string changed = line;
      changed[i] = static_cast<char>(changed[i] ^ change);
      EXPECT_FALSE(ParseHeadLine(changed, &key).ok()) << i;
    }
    EXPECT_FALSE(ParseHeadLine(line.substr(0, i), &key).ok());
  }
  EXPECT_EQ(*ParseHeadNote(absl::StrCat("4711:", head.hash)), head);
  for (const char* bad : {"", "4711", "4711:", ":ab", "x:1", "0:00"}) {
    EXPECT_FALSE(ParseHeadNote(bad).ok()) << bad;
  }
}

TEST(Chain, TheKeyFileIsMadeOnceAndForItsOwnerAlone) {
  ScratchDirectory directory;
  const std::string path = directory / "audit.key";
  bool made = false;
  const auto first = SealKey::LoadOrMake(path, &made);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(made);
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const auto again = SealKey::LoadOrMake(path, &made);
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(made);
  EXPECT_EQ(first->SealEvent("x"), again->SealEvent("x"));
  ::chmod(path.c_str(), 0640);
  EXPECT_EQ(SealKey::Load(path).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(SealKey::Load(path).status().message()), HasSubstr("chmod 600"));
  ::chmod(path.c_str(), 0600);
  directory.Put("audit.key", "no key");
  const absl::Status bad = SealKey::LoadOrMake(path, &made).status();
  EXPECT_EQ(bad.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(bad.message()), HasSubstr(path));
  EXPECT_TRUE(absl::IsNotFound(SealKey::Load(directory / "none").status()));
}

// A crash while it was made left half of it under another name, never under its own.
TEST(Chain, AKeyIsWholeOrNotThere) {
  ScratchDirectory directory;
  directory.Put("audit.key.part", "0123");
  bool made = false;
  ASSERT_TRUE(SealKey::LoadOrMake(directory / "audit.key", &made).ok());
  EXPECT_TRUE(made);
  EXPECT_TRUE(SealKey::Load(directory / "audit.key").ok());
  EXPECT_EQ(directory.Read().size(), 1u) << "nothing of it stays elsewhere";
}

// Names that nobody writes are no segments: the next one would have no number.
TEST(Segment, ImpossibleNamesAreNone) {
  for (const char* name :
       {"audit-20261122-2147483647.jsonl", "audit-20261322-1.jsonl", "audit-99999999-1.jsonl",
        "audit-20260230-1.jsonl", "audit-20261122--1.jsonl", "audit--2026112-1.jsonl"}) {
    EXPECT_FALSE(ParseSegmentName(name).has_value()) << name;
  }
}

TEST(Segment, NamesSortByDayAndNumber) {
  const auto segments = SegmentsAmong(
      {"audit-20261122-10.jsonl", "audit-20261122-9.jsonl", "audit-20261121-11.jsonl", "head",
       "lock", "audit-20261122-09.jsonl", "audit-20261122-.jsonl", "audit-20261122-1.jsonl.gz"});
  ASSERT_EQ(segments.size(), 3u);
  EXPECT_EQ(segments[0].ToString(), "audit-20261121-11.jsonl");
  EXPECT_EQ(segments[2].ToString(), "audit-20261122-10.jsonl");
  EXPECT_EQ(DayOf(absl::FromUnixSeconds(1'790'000'000)), 20260921);
  EXPECT_EQ(DayOf(EndOfDay(20261231)), 20270101);
}

}  // namespace
}  // namespace outpace::audit
