#include "campaign/status_set.h"

#include <set>
#include <string>

#include "campaign/settings.h"
#include "campaign/status_columns.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::campaign {
namespace {

using testing::HasSubstr;

Disposition Row(std::initializer_list<std::pair<const char*, const char*>> cells) {
  Disposition row;
  for (const auto& [column, value] : cells) {
    EXPECT_TRUE(SetStatusCell(column, value, row).ok()) << column;
  }
  return row;
}

Disposition Hot() {
  return Row({{"status", "HOT"},
              {"name", "Hot; 100% | yes"},
              {"name_zh", "高意向"},
              {"category", "contact"},
              {"hotkey", "h"},
              {"selectable", "Y"},
              {"human_answered", "Y"},
              {"delay", "3600"},
              {"tries", "2"},
              {"then", "NI"},
              {"tier", "A"}});
}

TEST(StatusSet, WithoutRowsOfItsOwnIsTheSystems) {
  const StatusSet set;
  EXPECT_EQ(set, StatusSet::System());
  EXPECT_EQ(set.rows().size(), Dispositions().size());
  EXPECT_TRUE(set.own().empty());
  EXPECT_EQ(set.ToText(), "");
  EXPECT_EQ(set.Find("XYZ"), nullptr);
  EXPECT_EQ(set.Find(""), nullptr);
  EXPECT_EQ(set.Find("TOOLONG"), nullptr);
  for (const Disposition& row : Dispositions()) EXPECT_EQ(*set.Find(row.status), row);
}

TEST(StatusSet, ARowOfItsOwnGoesBeforeTheSystems) {
  StatusSet set;
  Disposition na = *set.Find("NA");
  na.next.tries = 7;
  set.Put(na);
  set.Put(Hot());
  EXPECT_EQ(set.Find("NA")->next.tries, 7);
  EXPECT_EQ(FindDisposition("NA")->next.tries, 3) << "other campaigns are not concerned";
  EXPECT_EQ(set.rows().size(), Dispositions().size() + 1);
  EXPECT_EQ(set.rows().back().status, "HOT");
  na.next.tries = 4;
  set.Put(na);
  EXPECT_EQ(set.own().size(), 2u);
  EXPECT_EQ(set.Find("NA")->next.tries, 4);
  const StatusSet copy = set;
  EXPECT_TRUE(set.Remove("NA"));
  EXPECT_FALSE(set.Remove("NA"));
  EXPECT_EQ(set.Find("NA")->next.tries, 3);
  EXPECT_EQ(copy.Find("NA")->next.tries, 4);
  EXPECT_TRUE(set.Remove("HOT"));
  EXPECT_EQ(set.Find("HOT"), nullptr);
  EXPECT_EQ(set, StatusSet::System());
}

TEST(StatusSet, AgentsSeeTheirKeysInOrder) {
  StatusSet set;
  set.Put(Hot());
  Disposition last = Hot();
  last.status = "LAST";
  last.hotkey = 0;
  set.Put(last);
  Disposition hidden = *set.Find("XFER");
  hidden.selectable = false;
  hidden.hotkey = 0;
  set.Put(hidden);
  std::string keys;
  std::vector<const Disposition*> chosen = set.Selectable();
  for (const Disposition* row : chosen) keys += row->hotkey == 0 ? '-' : row->hotkey;
  EXPECT_EQ(keys, "1234567890dh-");
  EXPECT_EQ(chosen.back()->status, "LAST");
}

TEST(StatusSet, TextAndBack) {
  StatusSet set;
  set.Put(Hot());
  for (const char* status : {"DNC", "CALLBK", "DROP"}) set.Put(*set.Find(status));
  Disposition na = *set.Find("NA");
  na.next.number = NextNumber::kAlt;
  na.next.number_delay = absl::Seconds(90);
  na.next.tier = TierMove::kKeep;
  set.Put(na);
  const std::string text = set.ToText();
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const absl::StatusOr<StatusSet> back = StatusSet::Parse(text);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->own(), set.own());
  EXPECT_EQ(back->ToText(), text);
}

TEST(StatusSet, IsKeptWithTheCampaign) {
  CampaignSettings settings;
  settings.id = "DEMO";
  settings.statuses.Put(Hot());
  const absl::StatusOr<CampaignSettings> back = CampaignSettings::FromMap(settings.ToMap());
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->statuses.own(), settings.statuses.own());
}

TEST(StatusSet, AFaultyTextIsRefusedWithRowAndColumn) {
  for (const auto& [text, expected] :
       std::vector<std::pair<std::string, std::string>>{{"HOT;tries=11", "row 1: tries"},
                                                        {"HOT|NA;delay=60", "row 2: delay"},
                                                        {"HOT;delay=604801", "604800"},
                                                        {"TOOLONG;name=x", "1 to 6"},
                                                        {"HOT;colour=red", "no column"},
                                                        {"HOT;dnc=all", "client"},
                                                        {"HOT;hotkey=H", "0-9 a-z"},
                                                        {"HOT;sale=maybe", "Y or N"},
                                                        {"HOT;next=third", "main, alt"},
                                                        {"HOT|HOT", "twice"}}) {
    const absl::StatusOr<StatusSet> set = StatusSet::Parse(text);
    ASSERT_FALSE(set.ok()) << text;
    EXPECT_THAT(std::string(set.status().message()), HasSubstr(expected)) << text;
  }
}

TEST(StatusColumns, EveryCellOfEveryRowIsReadBack) {
  for (const Disposition& row : Dispositions()) {
    Disposition back;
    for (const std::string& column : StatusColumns()) {
      ASSERT_TRUE(SetStatusCell(column, StatusCell(row, column), back).ok())
          << row.status << " " << column;
    }
    EXPECT_EQ(back, row) << row.status;
  }
}

TEST(StatusColumns, ARefusedCellChangesNothing) {
  Disposition row = Hot();
  for (const std::string& column : StatusColumns()) {
    if (column == "name" || column == "name_zh" || column == "category") continue;
    EXPECT_FALSE(SetStatusCell(column, "no such value at all", row).ok()) << column;
  }
  EXPECT_FALSE(SetStatusCell("name", "two\nlines", row).ok());
  EXPECT_EQ(row, Hot());
}

TEST(StatusBook, TellsCampaignsApart) {
  StatusBook book;
  StatusSet set;
  set.Put(Hot());
  book.Put("A", set);
  EXPECT_NE(book.Find("A", "HOT"), nullptr);
  EXPECT_EQ(book.Find("B", "HOT"), nullptr);
  EXPECT_NE(book.Find("B", "SALE"), nullptr);
}

TEST(Dispositions, CategoriesHaveChineseNames) {
  std::set<std::string> known;
  for (const Disposition& row : Dispositions()) {
    EXPECT_NE(CategoryNameZh(row.category), row.category) << row.status;
    EXPECT_NE(row.name_zh, "");
  }
  EXPECT_EQ(CategoryNameZh("mine"), "mine");
}

TEST(CampaignSettings, DialsWhatItsOwnRowsBringBack) {
  CampaignSettings settings;
  ASSERT_TRUE(settings.Set("dial_statuses", "NEW").ok());
  settings.statuses.Put(Hot());
  EXPECT_THAT(settings.DialedStatuses(), testing::Contains("HOT"));
  EXPECT_THAT(settings.DialedStatuses(), testing::Not(testing::Contains("NA")));
}

}  // namespace
}  // namespace outpace::campaign
