#include "campaign/load/load_template.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::load {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr char kWhole[] = R"({
  "name": "crm-export",
  "description": "每周一次",
  "layout": "header",
  "encoding": "GBK",
  "format": "xlsx",
  "sheet": "客户",
  "country": "CN",
  "filter": "registered_capital >= 500万",
  "separator": "tab",
  "columns": {
    "内部编号": "-",
    "注册资本": "registered_capital:number"
  },
  "duplicates": "DUPCAMP30DAY",
  "destinations": [
    "86"
  ],
  "scrub_dnc": true,
  "hold_guesses": false
})";

TEST(LoadTemplateTest, ReadPrintedAndReadAgain) {
  const absl::StatusOr<LoadTemplate> read = ParseTemplate(kWhole);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(PrintTemplate(*read), kWhole);
  EXPECT_EQ(PrintTemplate(*ParseTemplate(PrintTemplate(*read))), kWhole);
}

TEST(LoadTemplateTest, SetsWhatItNamesAndNothingElse) {
  LoadOptions options;
  options.country = "GB";
  options.columns = {{"注册资本", "-"}};
  ApplyTemplate(*ParseTemplate(R"({"name":"x","separator":"|","columns":{"注册资本":"city",
      "编号":"vendor_lead_code"}})"),
                options);
  EXPECT_EQ(options.country, "GB");
  EXPECT_EQ(options.layout, "auto");
  EXPECT_EQ(options.separator, '|');
  EXPECT_THAT(options.columns,
              ElementsAre(Pair("注册资本", "-"), Pair("编号", "vendor_lead_code")));
  ApplyTemplate(*ParseTemplate(kWhole), options);
  EXPECT_EQ(options.country, "CN");
  EXPECT_EQ(options.separator, '\t');
  EXPECT_THAT(options.destinations, ElementsAre("86"));
  EXPECT_FALSE(options.hold_guesses);
}

TEST(LoadTemplateTest, FaultsNameTheirMember) {
  const std::pair<const char*, const char*> kFaults[] = {
      {"", "not a JSON object"},
      {"[1]", "not a JSON object"},
      {"{", "not a JSON object"},
      {"{\"name\": \"\xC0\"}", "not UTF-8"},
      {"{}", "\"name\" is missing"},
      {R"({"name": 7})", "\"name\" must be a text"},
      {R"({"name": "a/b"})", "\"name\" must be"},
      {R"({"name": "x", "colour": "red"})", "\"colour\" is no member"},
      {R"({"name": "x", "layout": "martian"})", "\"layout\""},
      {R"({"name": "x", "encoding": "klingon"})", "\"encoding\""},
      {R"({"name": "x", "format": "ods"})", "\"format\""},
      {R"({"name": "x", "country": "Atlantis"})", "\"country\""},
      {R"({"name": "x", "separator": "::"})", "\"separator\""},
      {R"({"name": "x", "columns": ["a"]})", "\"columns\""},
      {R"({"name": "x", "columns": {"a": 1}})", "\"columns\""},
      {R"({"name": "x", "columns": {"a": "status"}})", "is not a field"},
      {R"({"name": "x", "columns": {"a": "b:money"}})", "text, number, date"},
      {R"({"name": "x", "destinations": ["+86"]})", "\"destinations\""},
      {R"({"name": "x", "destinations": "86"})", "\"destinations\""},
      {R"({"name": "x", "scrub_dnc": "yes"})", "\"scrub_dnc\" must be true or false"},
  };
  for (const auto& [json, why] : kFaults) {
    const auto read = ParseTemplate(json);
    EXPECT_TRUE(absl::IsInvalidArgument(read.status())) << json;
    EXPECT_THAT(read.status().message(), HasSubstr(why)) << json;
  }
  EXPECT_FALSE(ParseTemplate(std::string(100'000, ' ')).ok());
  EXPECT_FALSE(ParseTemplate(std::string(60'000, '[')).ok());
}

}  // namespace
}  // namespace outpace::load
