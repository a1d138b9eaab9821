// What a person is told who has mistyped: the place, what was expected, and the name that was
// probably meant.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/filter/filter.h"

namespace outpace::filter {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string ErrorOf(absl::string_view text) {
  FieldTypes types = StandardFields();
  types["registered_capital"] = campaign::FieldType::kNumber;
  const auto filter = Filter::Parse(text, types, absl::CivilDay(2026, 11, 22));
  EXPECT_EQ(filter.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(filter.status().message());
}

TEST(FilterError, PointsAtTheCharacter) {
  EXPECT_EQ(ErrorOf("state = \"CA\" and regstered_capital > 5"),
            "filter: column 18: no field is named \"regstered_capital\"; did you mean "
            "registered_capital?\n"
            "  state = \"CA\" and regstered_capital > 5\n"
            "                   ^");
  // Columns count characters; the caret counts the cells that a terminal gives them.
  EXPECT_EQ(ErrorOf("company = “电气” nd rank > 5"),
            "filter: column 16: expected `and`, `or` or the end, not nd\n"
            "  company = “电气” nd rank > 5\n"
            "                   ^");
  EXPECT_EQ(ErrorOf("state = \"CA\"\nand rank >\n  tomorrow"),
            "filter: line 3, column 3: rank is a number, and \"tomorrow\" is none; write 5000000, "
            "5,000,000 or 500万\n"
            "    tomorrow\n"
            "    ^");
}

TEST(FilterError, SaysWhatIsWrong) {
  for (const auto& [text, start, part] :
       std::vector<std::tuple<const char*, const char*, const char*>>{
           {"", "filter: column 1:", "the filter ends here"},
           {"   ", "filter: column 4:", "a condition"},
           {"state", "filter: column 6:", "an operator"},
           {"state =", "filter: column 8:", "a value"},
           {"state = CA", "filter: column 9:", "in quotes: \"CA\""},
           {"state = \"CA", "filter: column 9:", "never closed"},
           {"`state = \"CA\"", "filter: column 1:", "never closed"},
           {"state = \"\"", "filter: column 9:", "state is empty"},
           {"state like \"x\"", "filter: column 7:", "not like"},
           {"state > \"CA\"", "filter: column 7:", "state is text"},
           {"state in \"CA\"", "filter: column 10:", "expected ("},
           {"state in ()", "filter: column 11:", "a value"},
           {"state in (\"CA\" \"NV\")", "filter: column 16:", "a comma or )"},
           {"state in (\"CA\", 5)", "filter: column 17:", "in quotes"},
           {"state not = \"CA\"", "filter: column 11:", "behind `not`"},
           {"state is nothing", "filter: column 10:", "`empty`"},
           {"state = today", "filter: column 9:", "`today` is a date"},
           {"state matches \"(\"", "filter: column 15:", "no pattern"},
           {"state contains any \"x\"", "filter: column 20:", "expected ("},
           {"rank contains \"5\"", "filter: column 6:", "rank is a number"},
           {"rank = five", "filter: column 8:", "is none"},
           {"rank in (5,000,000)", "filter: column 12:", "a comma parts"},
           {"entry_date > 5", "filter: column 14:", "is none"},
           {"entry_date > 2026-02-30", "filter: column 14:", "is none"},
           {"entry_date > today - 5", "filter: column 23:", "days, weeks"},
           {"entry_date > today - 999999 years", "filter: column 14:", "outside of the years"},
           {"(state = \"CA\"", "filter: column 1:", "never closed"},
           {"state = \"CA\")", "filter: column 13:", "no ("},
           {"state = \"CA\" and", "filter: column 17:", "a condition"},
           {"and state = \"CA\"", "filter: column 1:", "a condition"},
           {"(state = \"CA\" rank = 1)", "filter: column 15:", "`and`, `or` or )"},
           {"5 = rank", "filter: column 1:", "a condition"},
           {"zzzzzzzz = 1", "filter: column 1:", "no field is named \"zzzzzzzz\""},
           {"state = \"C\xff\"", "filter: column 11:", "not UTF-8"},
           {"state = \"CA\" # x", "filter: column 14:", "not #"},
       }) {
    const std::string message = ErrorOf(text);
    EXPECT_THAT(message, StartsWith(start)) << text;
    EXPECT_THAT(message, HasSubstr(part)) << text;
  }
  EXPECT_THAT(ErrorOf("zzzzzzzz = 1"), ::testing::Not(HasSubstr("did you mean")));
}

TEST(FilterError, LongLinesAreCutAroundThePlace) {
  const std::string before = absl::StrCat("state = \"", std::string(500, 'a'), "\" and ");
  const std::string after = absl::StrCat(" and state = \"", std::string(500, 'b'), "\"");
  const std::string message = ErrorOf(absl::StrCat(before, "sate = \"CA\"", after));
  EXPECT_THAT(message, StartsWith("filter: column 516: "));
  EXPECT_LT(message.size(), 300u);
  EXPECT_THAT(message, HasSubstr("  ...aaa"));
}

TEST(FilterError, SizeIsBounded) {
  EXPECT_THAT(ErrorOf(std::string(70'000, ' ')), HasSubstr("longer than 65536"));
  EXPECT_THAT(ErrorOf(absl::StrCat(std::string(65, '('), "rank = 1", std::string(65, ')'))),
              HasSubstr("filter: column 65: brackets nested deeper than 64"));
  EXPECT_TRUE(Filter::Parse(absl::StrCat(std::string(64, '('), "rank = 1", std::string(64, ')')),
                            StandardFields(), absl::CivilDay(2026, 11, 22))
                  .ok());
  std::string nots, tests = "rank = 1", fields = "`f0` = 1";
  for (int i = 0; i < 10'000; ++i) nots += "not ";
  const auto deep =
      Filter::Parse(absl::StrCat(nots, "rank = 1"), StandardFields(), absl::CivilDay(2026, 11, 22));
  EXPECT_TRUE(deep.ok()) << deep.status();
  for (int i = 0; i < 5'000; ++i) tests += " or rank=1";
  EXPECT_THAT(ErrorOf(tests), HasSubstr("more than 4096 tests"));
  FieldTypes types;
  for (int i = 0; i < 70; ++i) {
    types[absl::StrCat("f", i)] = campaign::FieldType::kNumber;
    if (i > 0) absl::StrAppend(&fields, " or f", i, " = 1");
  }
  const auto wide = Filter::Parse(fields, types, absl::CivilDay(2026, 11, 22));
  EXPECT_THAT(std::string(wide.status().message()), HasSubstr("more than 64 different fields"));
}

}  // namespace
}  // namespace outpace::filter
