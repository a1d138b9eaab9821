#include "engine/trunk/disposition_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "campaign/disposition.h"
#include "engine/base/rng.h"
#include "engine/call/outcome.h"
#include "engine/listen/fingerprint_set.h"
#include "engine/listen/heard.h"

namespace outpace::trunk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

CallVerdict Decide(int status, int cause, EarlyMedia heard = EarlyMedia::kNone,
                   absl::Duration after = absl::Seconds(3)) {
  return DispositionTable().Decide(
      {.status = status, .q850_cause = cause, .heard = heard, .after = after});
}

std::string Said(const CallVerdict& verdict) {
  return absl::StrCat(verdict.outcome, " ", verdict.disposition,
                      verdict.trunk_fault ? " trunk" : "");
}

TEST(DispositionTable, TheResultsThatPeopleAskFor) {
  EXPECT_EQ(Said(Decide(404, 1)), "invalid ADC");        // 空号
  EXPECT_EQ(Said(Decide(604, 0)), "invalid ADC");        // 空号
  EXPECT_EQ(Said(Decide(604, 1)), "invalid ADC");        // 空号
  EXPECT_EQ(Said(Decide(480, 20)), "unreachable ADCT");  // 关机
  EXPECT_EQ(Said(Decide(480, 27)), "unreachable ADCT");  // 停机
  EXPECT_EQ(Said(Decide(486, 17)), "busy AB");           // 占线
  EXPECT_EQ(Said(Decide(603, 21)), "rejected NA");       // 拒接
  EXPECT_EQ(Said(Decide(603, 0)), "rejected NA");        // 拒接
  EXPECT_EQ(Said(Decide(480, 19)), "no_answer NA");      // 无人接听
  EXPECT_EQ(Said(Decide(503, 34)), "congestion LRERR trunk");
  EXPECT_EQ(Said(Decide(200, 0)), "answered PDROP");
}

// The built-in rows and the call shard's own reading are one and the same where nothing was heard.
TEST(DispositionTable, AgreesWithTheShardForEveryStatusAndCause) {
  const DispositionTable table;
  for (int status = 300; status <= 699; ++status) {
    for (int cause = 0; cause <= 127; ++cause) {
      for (const bool local : {false, true}) {
        const call::CallOutcome outcome = call::OutcomeOf(status, cause, local);
        const CallVerdict verdict =
            table.Decide({.status = status, .q850_cause = cause, .local = local});
        const auto where = [&] {
          return absl::StrCat(status, " cause ", cause, local ? " local" : "");
        };
        ASSERT_EQ(verdict.outcome, call::CallOutcomeName(outcome)) << where();
        ASSERT_EQ(verdict.trunk_fault, call::IsTrunkFault(outcome)) << where();
        ASSERT_EQ(verdict.disposition, campaign::StatusOfOutcome(verdict.outcome, false, false))
            << where();
      }
    }
  }
}

TEST(DispositionTable, WhatWasHeardDecidesWhereTheCodesSayNothing) {
  EXPECT_EQ(Said(Decide(480, 31, EarlyMedia::kSitVacant)), "invalid ADC");
  EXPECT_EQ(Said(Decide(487, 0, EarlyMedia::kSitVacant)), "invalid ADC");
  EXPECT_EQ(Said(Decide(603, 0, EarlyMedia::kAnnouncement)), "unreachable ADCT");
  EXPECT_EQ(Said(Decide(480, 16, EarlyMedia::kAnnouncement)), "unreachable ADCT");
  EXPECT_EQ(Said(Decide(480, 0, EarlyMedia::kBusyTone)), "busy AB");
  EXPECT_EQ(Said(Decide(404, 127, EarlyMedia::kSitNoCircuit)), "congestion LRERR trunk");
  // A cause that says something is believed before the ear.
  EXPECT_EQ(Said(Decide(480, 20, EarlyMedia::kSitVacant)), "unreachable ADCT");
  EXPECT_EQ(Said(Decide(480, 17, EarlyMedia::kAnnouncement)), "busy AB");
  EXPECT_EQ(Said(Decide(480, 1, EarlyMedia::kAnnouncement)), "invalid ADC");
  // So is a status that leaves no doubt.
  EXPECT_EQ(Said(Decide(486, 0, EarlyMedia::kAnnouncement)), "busy AB");
  EXPECT_EQ(Said(Decide(404, 0, EarlyMedia::kAnnouncement)), "invalid ADC");
}

// We hang up on a dead number: the trunk says 487 and no cause, and the ear alone knows why.
TEST(DispositionTable, ACallGivenUpForWhatWasHeardHasItsReason) {
  const std::vector<std::pair<EarlyMedia, absl::string_view>> want = {
      {EarlyMedia::kVacantNumber, "invalid ADC"},
      {EarlyMedia::kSitVacant, "invalid ADC"},
      {EarlyMedia::kPoweredOff, "unreachable ADCT"},
      {EarlyMedia::kSuspended, "unreachable ADCT"},
      {EarlyMedia::kUnreachable, "unreachable ADCT"},
      {EarlyMedia::kBarred, "unreachable ADCT"},
      {EarlyMedia::kSitInfo, "unreachable ADCT"},
      {EarlyMedia::kAnnouncement, "unreachable ADCT"},
      {EarlyMedia::kBusy, "busy AB"},
      {EarlyMedia::kBusyTone, "busy AB"},
      {EarlyMedia::kCongestion, "congestion LRERR trunk"},
      {EarlyMedia::kCongestionTone, "congestion LRERR trunk"},
      {EarlyMedia::kSitNoCircuit, "congestion LRERR trunk"},
      {EarlyMedia::kNoAnswer, "no_answer NA"},
      {EarlyMedia::kVoicemail, "no_answer AA"},
      // Nothing to hang up for; the call was given up because it rang too long.
      {EarlyMedia::kWait, "no_answer NA"},
      {EarlyMedia::kRingback, "no_answer NA"},
      {EarlyMedia::kSpeechOrMusic, "no_answer NA"},
      {EarlyMedia::kNone, "no_answer NA"}};
  ASSERT_EQ(want.size(), static_cast<size_t>(kEarlyMediaCount));
  for (const auto& [heard, verdict] : want) {
    EXPECT_EQ(Said(Decide(487, 0, heard)), verdict) << EarlyMediaName(heard);
    EXPECT_EQ(Said(Decide(480, 16, heard)), verdict) << EarlyMediaName(heard);
  }
  // A trained announcement leaves no doubt, whatever a gateway made of the status.
  EXPECT_EQ(Said(Decide(404, 0, EarlyMedia::kPoweredOff)), "unreachable ADCT");
  EXPECT_EQ(Said(Decide(480, 17, EarlyMedia::kPoweredOff)), "busy AB");
  EXPECT_EQ(Said(Decide(503, 0, EarlyMedia::kWait)), "congestion LRERR trunk");
}

TEST(DispositionTable, SoundsOfTheListenersAreRead) {
  EXPECT_EQ(EarlyMediaFromSound("announcement", "vacant_number"), EarlyMedia::kVacantNumber);
  EXPECT_EQ(EarlyMediaFromSound("announcement", "voicemail"), EarlyMedia::kVoicemail);
  EXPECT_EQ(EarlyMediaFromSound("announcement", "busy_tone"), EarlyMedia::kAnnouncement);
  EXPECT_EQ(EarlyMediaFromSound("announcement", ""), EarlyMedia::kAnnouncement);
  EXPECT_EQ(EarlyMediaFromSound("sit_intercept", ""), EarlyMedia::kSitVacant);
  EXPECT_EQ(EarlyMediaFromSound("sit_reorder", ""), EarlyMedia::kSitNoCircuit);
  EXPECT_EQ(EarlyMediaFromSound("sit_reorder", "info"), EarlyMedia::kSitInfo);
  EXPECT_EQ(EarlyMediaFromSound("vacant_number", ""), EarlyMedia::kNone);
  EXPECT_EQ(EarlyMediaFromSound("human", ""), EarlyMedia::kNone);
  // Each sound before the answer and each class of announcement has a word, and no two the same.
  std::set<absl::string_view> words;
  for (int i = 0; i <= static_cast<int>(listen::Sound::kSpeechOrMusic); ++i) {
    const absl::string_view sound = listen::SoundName(static_cast<listen::Sound>(i));
    words.insert(EarlyMediaName(EarlyMediaFromSound(sound, "")));
    EXPECT_EQ(EarlyMediaFromSound(sound, "") == EarlyMedia::kNone, i == 0) << sound;
  }
  for (absl::string_view name : listen::AnnouncementClasses()) {
    const EarlyMedia heard = EarlyMediaFromSound("announcement", name);
    EXPECT_EQ(EarlyMediaName(heard), name);
    EXPECT_TRUE(words.insert(EarlyMediaName(heard)).second) << name;
  }
}

TEST(DispositionTable, AnAnnouncementOfAnyClassIsAnAnnouncement) {
  const auto table = DispositionTable::Parse(
      "*,*,suspended,*,rejected,NA,no\n*,*,announcement,*,media,LRERR,no\n", "carrier.csv");
  ASSERT_TRUE(table.ok()) << table.status();
  const auto said = [&](EarlyMedia heard) {
    return Said(table->Decide({.status = 487, .heard = heard}));
  };
  EXPECT_EQ(said(EarlyMedia::kSuspended), "rejected NA");
  EXPECT_EQ(said(EarlyMedia::kAnnouncement), "media LRERR");
  EXPECT_EQ(said(EarlyMedia::kWait), "media LRERR");
  EXPECT_EQ(said(EarlyMedia::kSpeechOrMusic), "no_answer NA");
  const auto unreachable = DispositionTable::Parse(
      "*,*,announcement,*,media,LRERR,no\n*,*,suspended,*,rejected,NA,no\n", "carrier.csv");
  EXPECT_THAT(std::string(unreachable.status().message()), HasSubstr("no call can reach this row"));
}

TEST(DispositionTable, ItRangLongEnough) {
  EXPECT_EQ(Said(Decide(480, 31, EarlyMedia::kSpeechOrMusic, absl::Seconds(10))), "no_answer NA");
  EXPECT_EQ(Said(Decide(480, 31, EarlyMedia::kRingback, absl::Seconds(10))), "no_answer NA");
  EXPECT_EQ(Said(Decide(480, 31, EarlyMedia::kRingback, absl::Seconds(9.9))), "failed LRERR");
  EXPECT_EQ(Said(Decide(480, 31, EarlyMedia::kNone, absl::Seconds(40))), "failed LRERR");
}

TEST(DispositionTable, AnyInputHasAVerdict) {
  const DispositionTable table;
  Rng rng(1);
  for (int i = 0; i < 20'000; ++i) {
    const CallResult result = {.status = static_cast<int>(rng.Below(1200)) - 200,
                               .q850_cause = static_cast<int>(rng.Below(400)) - 100,
                               .local = rng.Chance(0.3),
                               .heard = static_cast<EarlyMedia>(rng.Below(kEarlyMediaCount)),
                               .after = absl::Seconds(static_cast<double>(rng.Below(100)))};
    const CallVerdict verdict = table.Decide(result);
    EXPECT_FALSE(verdict.outcome.empty());
    EXPECT_FALSE(verdict.own_row);
    const bool answered = result.status >= 200 && result.status < 300;
    EXPECT_EQ(verdict.outcome == "answered", answered);
  }
}

// The INVITE's time is taken on another thread than the response's, and a clock may say anything.
TEST(DispositionTable, AnyTimeHasAVerdict) {
  for (const absl::Duration after :
       {-absl::Nanoseconds(1), -absl::Hours(1), -absl::InfiniteDuration(), absl::Hours(1'000),
        absl::InfiniteDuration()}) {
    EXPECT_EQ(Said(Decide(486, 0, EarlyMedia::kNone, after)), "busy AB");
  }
}

TEST(DispositionTable, ATrunksRowsComeFirstAndTheBuiltInOnesFollow) {
  const auto table = DispositionTable::Parse(
      "\xEF\xBB\xBFstatus,cause,heard,seconds,outcome,disposition,trunk_fault,,\r\n"
      "# this carrier says 486 when a mobile's owner declines\r\n"
      "486,none|17,*,3-,rejected,NA,no,,\r\n"
      ",,,,,,,,\r\n"
      "403,*,*,*,congestion,LRERR,yes   # out of credit\r\n",
      "carrier.csv");
  ASSERT_TRUE(table.ok()) << table.status();
  const auto decide = [&](int status, int cause, double seconds) {
    return table->Decide({.status = status, .q850_cause = cause, .after = absl::Seconds(seconds)});
  };
  EXPECT_EQ(Said(decide(486, 17, 3)), "rejected NA");
  EXPECT_TRUE(decide(486, 17, 3).own_row);
  EXPECT_EQ(decide(486, 17, 3).line, 3);
  EXPECT_EQ(Said(decide(486, 17, 2.9)), "busy AB");
  EXPECT_FALSE(decide(486, 17, 2.9).own_row);
  EXPECT_EQ(Said(decide(403, 0, 1)), "congestion LRERR trunk");
  EXPECT_EQ(Said(decide(403, 21, 1)), "congestion LRERR trunk");
  EXPECT_EQ(Said(decide(404, 0, 1)), "invalid ADC");
  EXPECT_EQ(Said(decide(200, 0, 1)), "answered PDROP");
}

TEST(DispositionTable, EveryFaultIsToldWithItsLine) {
  const absl::Status status = DispositionTable::Parse(
                                  "4xx,*,*,*,busy,AB,no\n"
                                  "486,17,none,0-5,busy,AB,no\n"
                                  "7xx,*,*,*,busy,AB,no\n"
                                  "500,128,*,*,busy,AB,no\n"
                                  "500,0,*,*,busy,AB,no\n"
                                  "500,*,music,*,busy,AB,no\n"
                                  "500,*,*,5-5,busy,AB,no\n"
                                  "500,*,*,*,engaged,AB,no\n"
                                  "500,*,*,*,busy,BUSY,no\n"
                                  "500,*,*,*,busy,AB,maybe\n"
                                  "500,*,*,*,busy,AB\n"
                                  "500,*,*,*,answered,NA,no\n"
                                  "2xx,*,*,*,busy,AB,no\n"
                                  "local|500,*,*,*,congestion,LRERR,yes\n",
                                  "t.csv")
                                  .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  const std::vector<std::string> lines = absl::StrSplit(status.message(), '\n');
  EXPECT_THAT(
      lines,
      ElementsAre(
          "t.csv:2: no call can reach this row: line 1 matches all of it; put this one in front or "
          "take it out",
          HasSubstr("t.csv:3: status '7xx' is none; write 200 to 699"),
          HasSubstr("t.csv:4: cause '128' is none"), HasSubstr("t.csv:5: cause '0' is none"),
          HasSubstr("t.csv:6: heard 'music' is none; write none, sit_vacant"),
          HasSubstr("t.csv:7: seconds '5-5' is no range"),
          HasSubstr("t.csv:8: outcome 'engaged' is none; write one of answered, no_answer, busy"),
          HasSubstr("t.csv:9: disposition 'BUSY' is none; write one of NA"),
          HasSubstr("t.csv:10: trunk_fault 'maybe' is none"), HasSubstr("t.csv:11: 6 columns"),
          HasSubstr("t.csv:12: only a 2xx is 'answered'"),
          HasSubstr("t.csv:13: a 2xx is 'answered'"),
          HasSubstr("t.csv:14: status: 'local' stands alone")));
}

TEST(DispositionTable, AnyBytesAreReadOrRefused) {
  const std::string good(DispositionTable::DefaultText());
  Rng rng(7);
  int refused = 0;
  for (int i = 0; i < 3'000; ++i) {
    std::string text = good;
    for (uint64_t n = 1 + rng.Below(6); n > 0; --n) {
      const size_t at = rng.Below(text.size());
      if (rng.Chance(0.5)) {
        text[at] = static_cast<char>(rng.Below(256));
      } else {
        text.erase(at, rng.Below(20));
      }
    }
    const auto table = DispositionTable::Parse(text, "x");
    refused += !table.ok();
    if (table.ok()) {
      EXPECT_FALSE(table->Decide({.status = 404}).outcome.empty());
    }
  }
  EXPECT_GT(refused, 1'000);
}

TEST(DispositionTable, NamesAreThoseOfTheRecordsAndOfTheField) {
  std::vector<std::string> outcomes;
  for (int i = 0; i <= static_cast<int>(call::CallOutcome::kUnknown); ++i) {
    outcomes.emplace_back(call::CallOutcomeName(static_cast<call::CallOutcome>(i)));
  }
  for (absl::string_view name : TableOutcomes()) {
    EXPECT_THAT(outcomes, ::testing::Contains(std::string(name)));
  }
  for (absl::string_view name : TableDispositions()) {
    EXPECT_NE(campaign::FindDisposition(name), nullptr) << name;
  }
}

TEST(DispositionTable, FilesAreLoaded) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/dispositions-load.csv");
  {
    std::ofstream file(path);
    file << DispositionTable::DefaultText();
  }
  const auto table = DispositionTable::Load(path);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_TRUE(table->Decide({.status = 486}).own_row);
  EXPECT_EQ(DispositionTable::Load(path + ".absent").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(DispositionTable::Load(path + ".absent").status().message()),
              HasSubstr("cannot be read: No such file"));
  EXPECT_EQ(DispositionTable::Load(::testing::TempDir()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// What the pages for users print is the table that is built in.
TEST(DispositionTable, TheDocumentsShowTheBuiltInRows) {
  for (const char* page : {"DISPOSITIONS.md", "DISPOSITIONS.zh-CN.md"}) {
    std::ifstream file(absl::StrCat(OUTPACE_SOURCE_DIR, "/docs/", page));
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    EXPECT_TRUE(absl::StrContains(text, DispositionTable::DefaultText())) << page;
    // The first file shown is the example; it does what the page says.
    const std::vector<std::string> pieces = absl::StrSplit(text, absl::MaxSplits("```csv\n", 1));
    ASSERT_EQ(pieces.size(), 2u) << page;
    const auto example = DispositionTable::Parse(pieces[1].substr(0, pieces[1].find("```")), page);
    ASSERT_TRUE(example.ok()) << example.status();
    const auto said = [&](double seconds) {
      return Said(
          example->Decide({.status = 486, .q850_cause = 17, .after = absl::Seconds(seconds)}));
    };
    EXPECT_EQ(said(2), "busy AB");
    EXPECT_EQ(said(4), "rejected NA");
  }
}

}  // namespace
}  // namespace outpace::trunk
