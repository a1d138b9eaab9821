// What the language means: each operator on each type, what is empty, what is folded.

#include "campaign/filter/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace outpace::filter {
namespace {

using ::testing::ElementsAre;

const absl::CivilDay kToday(2026, 11, 22);

FieldTypes Fields() {
  FieldTypes types = StandardFields();
  types["registered_capital"] = campaign::FieldType::kNumber;
  types["注册资本"] = campaign::FieldType::kNumber;
  types["consent"] = campaign::FieldType::kFlag;
  types["in"] = campaign::FieldType::kText;
  types["tel. (privat)"] = campaign::FieldType::kText;
  return types;
}

Filter Parsed(absl::string_view text) {
  auto filter = Filter::Parse(text, Fields(), kToday);
  EXPECT_TRUE(filter.ok()) << filter.status();
  return *std::move(filter);
}

// Whether the filter, which asks for one field, keeps a lead with this value.
bool Keeps(absl::string_view text, absl::string_view value) {
  const Filter filter = Parsed(text);
  EXPECT_EQ(filter.fields().size(), 1u) << text;
  const std::vector<absl::string_view> values = {value};
  return filter.DroppedBy(values) == -1;
}

TEST(Filter, DoesWhatTheListBuyerAskedFor) {
  const Filter filter = Parsed(
      "registered_capital >= 500万 and not address1 endswith \"室\" "
      "and not company contains any (\"电气\", \"电器\")");
  EXPECT_THAT(filter.fields(), ElementsAre("registered_capital", "address1", "company"));
  EXPECT_THAT(filter.clauses(),
              ElementsAre("registered_capital >= 500万", "not address1 endswith \"室\"",
                          "not company contains any (\"电气\", \"电器\")"));
  const auto dropped = [&](absl::string_view capital, absl::string_view address,
                           absl::string_view company) {
    return filter.DroppedBy({capital, address, company});
  };
  EXPECT_EQ(dropped("500万元人民币", "高新南一道9号", "深圳市腾远科技有限公司"), -1);
  EXPECT_EQ(dropped("499.99万", "高新南一道9号", "深圳市腾远科技有限公司"), 0);
  EXPECT_EQ(dropped("¥5,000,000", "大厦1203室 ", "深圳市腾远科技有限公司"), 1);
  EXPECT_EQ(dropped("1.2亿", "高新南一道9号", "德力西电气有限公司"), 2);
  EXPECT_EQ(dropped("", "", ""), 0);
  EXPECT_EQ(filter.AllDroppedBy({"1", "1室", "格力电器"}), 0b111u);
  EXPECT_EQ(filter.AllDroppedBy({"1亿", "1室", "格力电器"}), 0b110u);
}

TEST(Filter, ComparesNumbers) {
  for (const auto& [text, value, kept] : std::vector<std::tuple<const char*, const char*, bool>>{
           {"rank = 5", "5", true},
           {"rank = 5", "5.0", true},
           {"rank = 5", "05", true},
           {"rank == 5", "６", false},
           {"rank == 6", "６", true},
           {"rank != 5", "6", true},
           {"rank <> 5", "5", false},
           {"rank ≠ 5", "4", true},
           {"rank < -1", "-2", true},
           {"rank <= -1", "-1", true},
           {"rank ≤ 1", "1.01", false},
           {"rank > 0.1", "0.10", false},
           {"rank >= 0.1", "0.10", true},
           {"rank ≥ 1", "1", true},
           {"rank in (1, 2, 3)", "2", true},
           {"rank in (1, 2, 3)", "4", false},
           {"rank in (1,2,300)", "1", true},
           {"rank in (\"1,234\", 5)", "1234", true},
           {"rank not in (1, 2, 3)", "4", true},
           {"rank > 5,000,000", "5000001", true},
           {"rank > 5,000,000", "5000000", false},
           {"rank = \"¥500万元\"", "5e6", true},
           {"rank = 1.2亿", "120000000", true},
           {"rank = 1亿2000万", "120,000,000", true},
           {"rank = 5k", "5000", true},
           {"rank = $1.5million", "150万", true},
           {"注册资本 > 100万", "101万", true},
       }) {
    EXPECT_EQ(Keeps(text, value), kept) << text << " on " << value;
  }
}

TEST(Filter, ComparesDays) {
  for (const auto& [text, value, kept] : std::vector<std::tuple<const char*, const char*, bool>>{
           {"entry_date = 2026-11-22", "2026-11-22", true},
           {"entry_date = 2026-11-22", "2026/11/22 08:30:00", true},
           {"entry_date = \"2026年1月2日\"", "20260102", true},
           {"entry_date = today", "2026-11-22", true},
           {"entry_date > today - 30 days", "2026-10-23", false},
           {"entry_date > today - 30 days", "2026-10-24", true},
           {"entry_date >= TODAY-1 week", "2026-11-15", true},
           {"entry_date <= today + 1 day", "2026-11-23", true},
           {"date_of_birth <= today - 18 years", "2008-11-22", true},
           {"date_of_birth <= today - 18 years", "2008-11-23", false},
           {"entry_date = today - 9 months", "2026-02-22", true},
           {"entry_date in (2026-01-01, today)", "2026-01-01", true},
           {"date_of_birth != 1970-01-01", "0000-00-00", false},
           {"date_of_birth < 2026-01-01", "31.12.1999", false},
       }) {
    EXPECT_EQ(Keeps(text, value), kept) << text << " on " << value;
  }
  const auto leap =
      Filter::Parse("entry_date = today - 1 month", Fields(), absl::CivilDay(2024, 3, 31));
  ASSERT_TRUE(leap.ok());
  EXPECT_EQ(leap->DroppedBy({"2024-02-29"}), -1);
}

TEST(Filter, ComparesTextsFolded) {
  for (const auto& [text, value, kept] : std::vector<std::tuple<const char*, const char*, bool>>{
           {"state = \"CA\"", "ca", true},
           {"state = \"CA\"", "ＣＡ", true},
           {"state = \"ｃａ\"", " CA　", true},
           {"state = \" CA \"", "CA", true},
           {"state = \"CA\"", "CAL", false},
           {"state != \"CA\"", "NV", true},
           {"state in (\"CA\", “NV”, '、')", "nv", true},
           {"state in (\"CA\", \"NV\")", "C", false},
           {"last_name = \"MÜLLER\"", "müller", true},
           {"last_name = \"ИВАНОВ\"", "Иванов", true},
           {"last_name = \"muller\"", "müller", false},
           {"company contains \"电气\"", "德力西电气有限公司", true},
           {"company contains \"电气\"", "气电", false},
           {"company contains any (\"x\", \"CO., ltd\")", "Shenzhen Co., Ltd.", true},
           {"company contains \"Co.,ltd\"", "Shenzhen Ｃｏ．，Ｌｔｄ", true},
           {"company startswith \"深圳\"", "深圳市腾远", true},
           {"company startswith any (\"广州\", \"深圳\")", "在深圳", false},
           {"address1 endswith \"室\"", "1203室\t", true},
           {"address1 endswith any (\"室\", \"号\")", "9号", true},
           {"address1 not endswith \"室\"", "9号", true},
           {"address1 matches \"^\\d+室$\"", "１２０３室", true},
           {"address1 matches \"（\\d+）\"", "A（12）", true},
           {"address1 matches \"^RUE\"", "Rue de Lyon", true},
           {"address1 matches \"a.c\"", "xxABCxx", true},
           {"address1 matches \"^b\"", "abc", false},
           {"comments = \"say \"\"hi\"\"\"", "say \"hi\"", true},
           {"comments = “他说\"好\"”", "他说\"好\"", true},
           {"`in` = \"x\"", "X", true},
           {"`tel. (privat)` is not empty", "x", true},
           {"State　=　“CA”", "CA", true},
       }) {
    EXPECT_EQ(Keeps(text, value), kept) << text << " on " << value;
  }
}

TEST(Filter, KnowsWhetherItHangsOnTheDay) {
  EXPECT_TRUE(Parsed("rank = 1 or not (rank = 2 and entry_date > today)").uses_today());
  EXPECT_TRUE(Parsed("entry_date in (2026-01-01, today - 1 day)").uses_today());
  EXPECT_FALSE(Parsed("entry_date > 2026-11-22 and company = \"today\"").uses_today());
}

TEST(Filter, ReadsFlags) {
  EXPECT_TRUE(Keeps("consent = Y", "yes"));
  EXPECT_TRUE(Keeps("consent = \"y\"", "是"));
  EXPECT_TRUE(Keeps("consent != Y", "N"));
  EXPECT_TRUE(Keeps("consent in (Y, N)", "false"));
  EXPECT_FALSE(Keeps("consent = Y", "maybe"));
  EXPECT_FALSE(Keeps("consent != Y", "maybe"));
}

// Nothing compares to a value that is not there, or that is no number where one is asked for; `not`
// turns that round like everything else.
TEST(Filter, EmptyIsNothing) {
  for (const char* text : {"state = \"CA\"", "state != \"CA\"", "state in (\"CA\")",
                           "state contains \"C\"", "state startswith \"C\"", "state matches \".*\"",
                           "rank = 0", "rank != 0", "rank < 1", "rank in (0)", "entry_date < today",
                           "entry_date != today", "consent = N", "consent != Y"}) {
    for (const char* value : {"", "  ", "　"}) {
      EXPECT_FALSE(Keeps(text, value)) << text;
      EXPECT_TRUE(Keeps(absl::StrCat("not ", text), value)) << text;
    }
  }
  EXPECT_TRUE(Keeps("state not in (\"CA\")", ""));
  EXPECT_TRUE(Keeps("state is empty", " "));
  EXPECT_FALSE(Keeps("state is empty", "x"));
  EXPECT_TRUE(Keeps("state is not empty", "x"));
  EXPECT_FALSE(Keeps("rank = 0", "none"));
  EXPECT_TRUE(Keeps("not rank = 0", "none"));
  EXPECT_FALSE(Keeps("rank is empty", "none"));
}

TEST(Filter, BindsAsOneReadsIt) {
  // and before or, not before and.
  const Filter filter = Parsed("rank = 1 or rank = 2 and not state = \"CA\" or city is empty");
  EXPECT_EQ(filter.fields().size(), 3u);
  EXPECT_EQ(filter.DroppedBy({"1", "CA", "x"}), -1);
  EXPECT_EQ(filter.DroppedBy({"2", "CA", "x"}), 0);
  EXPECT_EQ(filter.DroppedBy({"2", "NV", "x"}), -1);
  EXPECT_EQ(filter.DroppedBy({"3", "NV", "x"}), 0);
  EXPECT_EQ(filter.DroppedBy({"3", "NV", ""}), -1);
  const Filter brackets = Parsed("(rank = 1 or rank = 2) AND Not (state = \"CA\" And rank = 1)");
  EXPECT_EQ(brackets.DroppedBy({"1", "CA"}), 1);
  EXPECT_EQ(brackets.DroppedBy({"2", "CA"}), -1);
  EXPECT_EQ(brackets.DroppedBy({"3", "CA"}), 0);
}

TEST(Filter, ClausesAreThePartsOfTheOutermostAnd) {
  EXPECT_THAT(Parsed("rank = 1").clauses(), ElementsAre("rank = 1"));
  EXPECT_THAT(Parsed("rank = 1 or rank = 2").clauses(), ElementsAre("rank = 1 or rank = 2"));
  EXPECT_THAT(
      Parsed(" rank=1  and (rank = 2 or rank = 3 ) and ( rank = 4 and (rank=5)) ").clauses(),
      ElementsAre("rank=1", "(rank = 2 or rank = 3 )", "rank = 4", "(rank=5)"));
}

TEST(Filter, NormalForm) {
  for (const auto& [text, normal] : std::vector<std::pair<const char*, const char*>>{
           {"  RANK=５，０００，０００", "rank = 5000000"},
           {"((rank = 1 and rank = 2)) and rank = 3", "rank = 1 and rank = 2 and rank = 3"},
           {"(rank = 1 and rank = 2) or rank = 3", "rank = 1 and rank = 2 or rank = 3"},
           {"rank = 1 and (rank = 2 or rank = 3)", "rank = 1 and (rank = 2 or rank = 3)"},
           {"not not rank = 1", "rank = 1"},
           {"not (not rank = 1)", "rank = 1"},
           {"not (rank = 1 or rank = 2)", "not (rank = 1 or rank = 2)"},
           {"state not in ('CA'、‘NV’)", "not state in (\"CA\", \"NV\")"},
           {"not state is empty", "state is not empty"},
           {"state contains any (“a\"b”)", "state contains \"a\"\"b\""},
           {"entry_date > today-1day", "entry_date > today - 1 day"},
           {"注册资本 > 0.10", "注册资本 > 0.1"},
           {"`in` = \"x\"", "`in` = \"x\""},
           {"consent = TRUE", "consent = Y"},
       }) {
    EXPECT_EQ(Parsed(text).ToString(), normal) << text;
    EXPECT_EQ(Parsed(normal).ToString(), normal);
  }
}

}  // namespace
}  // namespace outpace::filter
