#include "campaign/load/columns.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "campaign/load/aliases.h"
#include "campaign/load/alt_phones.h"
#include "campaign/load/layouts.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::load {
namespace {

using campaign::FieldType;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> FieldsOf(const ColumnMap& map) {
  std::vector<std::string> out;
  for (const Column& column : map.columns) out.push_back(column.field);
  return out;
}

std::vector<std::string> Mapped(absl::string_view headers,
                                const std::map<std::string, std::string>& extra = {}) {
  const absl::StatusOr<ColumnMap> map = MapHeader(absl::StrSplit(headers, ','), extra);
  EXPECT_TRUE(map.ok()) << map.status();
  return map.ok() ? FieldsOf(*map) : std::vector<std::string>();
}

TEST(MapHeaderTest, ExportsOfCustomerSystems) {
  EXPECT_THAT(Mapped("Salutation,First Name,Last Name,Company / Account,Street,City,State/Province,"
                     "Zip/Postal Code,Country,Phone,Mobile,Fax,Email,Lead Source,Annual Revenue,"
                     "No. of Employees,Lead Owner"),
              ElementsAre("title", "first_name", "last_name", "company", "address1", "city",
                          "state", "postal_code", "country_code", "phone_number", "alt_phone",
                          "fax", "email", "source_id", "annual_revenue", "employees", "owner"));
  EXPECT_THAT(
      Mapped("Record ID,First Name,Last Name,Phone Number,Mobile Phone Number,Contact owner,"
             "Company Name,State/Region,Postal Code,Country/Region,Time Zone"),
      ElementsAre("vendor_lead_code", "first_name", "last_name", "phone_number", "alt_phone",
                  "owner", "company", "state", "postal_code", "country_code", "time_zone"));
}

TEST(MapHeaderTest, ExportsOfCompanyRegisters) {
  const absl::StatusOr<ColumnMap> map = MapHeader(
      {"企业名称", "法定代表人", "注册资本", "成立日期", "经营状态", "所属省份", "所属城市",
       "所属区县", "电话", "更多电话", "企业地址", "统一社会信用代码", "参保人数", "经营范围"},
      {});
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_THAT(FieldsOf(*map), ElementsAre("company", "legal_representative", "registered_capital",
                                          "founded", "operating_status", "province", "city",
                                          "district", "phone_number", "alt_phone", "address1",
                                          "credit_code", "insured_employees", "business_scope"));
  EXPECT_EQ(map->columns[2].type, FieldType::kNumber);
  EXPECT_EQ(map->columns[3].type, FieldType::kDate);
  EXPECT_EQ(map->columns[4].type, FieldType::kText);
  for (const Column& column : map->columns) EXPECT_TRUE(column.known) << column.header;
}

// 500 in a column of 万元 is five million: it is no registered_capital.
TEST(MapHeaderTest, UnitsInAHeaderKeepTheirOwnField) {
  EXPECT_THAT(Mapped("手机号,注册资本（万元）"),
              ElementsAre("phone_number", "registered_capital_wan"));
}

TEST(MapHeaderTest, MarksOfForms) {
  EXPECT_THAT(Mapped("*手机号（必填）, 姓名(选填) ,ＰＨＯＮＥ２,\xEF\xBB\xBF备注"),
              ElementsAre("phone_number", "name", "alt_phone", "comments"));
}

TEST(MapHeaderTest, OneNumberIsDialedTheOthersAreKept) {
  EXPECT_THAT(Mapped("home phone,mobile,phone2,phone_3,手机4"),
              ElementsAre("alt_phone", "phone_number", "alt_phones", "alt_phones", "alt_phones"));
  // Alternate numbers only: the first is dialed.
  EXPECT_THAT(Mapped("name,Home Phone,Work Phone"),
              ElementsAre("name", "phone_number", "alt_phone"));
  // What the operator names comes before what the header says.
  EXPECT_THAT(Mapped("phone,直线", {{"直线", "phone_number"}}),
              ElementsAre("alt_phone", "phone_number"));
}

TEST(MapHeaderTest, TypesAndLeftOutColumnsByTheOperator) {
  const absl::StatusOr<ColumnMap> map = MapHeader(
      {"phone", "资本", "内部编号", "续约日", "VIP", "score"}, {{"资本", "registered_capital"},
                                                                {"内部编号", "-"},
                                                                {"续约日", "renewal : date"},
                                                                {"VIP", "vip:flag"},
                                                                {"score", "score:number"}});
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_THAT(FieldsOf(*map),
              ElementsAre("phone_number", "registered_capital", "-", "renewal", "vip", "score"));
  EXPECT_EQ(map->columns[1].type, FieldType::kNumber);
  EXPECT_EQ(map->columns[2].kind, ColumnKind::kIgnored);
  EXPECT_EQ(map->columns[3].type, FieldType::kDate);
  EXPECT_EQ(map->columns[4].type, FieldType::kFlag);
  EXPECT_EQ(map->columns[5].type, FieldType::kNumber);
}

TEST(MapHeaderTest, TargetsThatAreNoneAreRefused) {
  for (const char* target : {"status", "__proto__", "", "lead_id:number", "x:money"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(MapHeader({"phone", "x"}, {{"x", target}}).status()))
        << target;
  }
}

TEST(MapHeaderTest, TheColumnsOfARejectFileAreLeftOut) {
  EXPECT_THAT(Mapped("outpace_line,outpace_reason,phone,name"),
              ElementsAre("-", "-", "phone_number", "name"));
}

TEST(MapHeaderTest, AHeaderTwiceIsRefused) {
  EXPECT_THAT(MapHeader({"phone", "Phone "}, {}).status().message(), HasSubstr("E_DUP_HEADER"));
  const absl::Status status = MapHeader({"a", "202-555-0101", "202-555-0101"}, {}).status();
  EXPECT_THAT(status.message(), HasSubstr("the header of column 3 stands twice"));
  EXPECT_THAT(status.message(), testing::Not(HasSubstr("0101"))) << "a number is not repeated";
}

TEST(MapHeaderTest, NoTwoColumnsShareAField) {
  EXPECT_THAT(Mapped("phone,备注,comments"), ElementsAre("phone_number", "comments", "comments_2"));
  EXPECT_THAT(Mapped("phone,comments,备注,note"),
              ElementsAre("phone_number", "comments", "备注", "note"));
  EXPECT_THAT(Mapped("phone,Ort,City", {{"Ort", "city"}}),
              ElementsAre("phone_number", "city", "city_2"));
  EXPECT_THAT(Mapped("phone,Ort,City_2,City", {{"Ort", "city"}}),
              ElementsAre("phone_number", "city", "city_2", "city_3"));
  // What may not be a field's name is none as a second one either.
  EXPECT_THAT(Mapped("phone,x,status,__proto__",
                     {{"x", "comments"}, {"status", "comments"}, {"__proto__", "comments"}}),
              ElementsAre("phone_number", "comments", "comments_2", "comments_3"));
  const std::string longest(64, 'n');
  EXPECT_THAT(Mapped(absl::StrCat("phone,x,", longest), {{"x", longest}}),
              ElementsAre("phone_number", longest, longest + "_2"));
}

TEST(LayoutsTest, EveryNameIsCheckedAndRead) {
  for (const std::string& name : LayoutNames()) {
    EXPECT_TRUE(CheckLayout(name).ok()) << name;
    if (!IsPositional(name)) continue;
    const absl::StatusOr<ColumnMap> map = ColumnsOfLayout(name, 60);
    ASSERT_TRUE(map.ok()) << map.status();
    int phones = 0;
    for (const Column& column : map->columns) {
      phones += column.kind == ColumnKind::kPhone;
      EXPECT_NE(column.kind, ColumnKind::kUntrusted);
    }
    EXPECT_EQ(phones, 1) << name;
    EXPECT_TRUE(absl::IsInvalidArgument(ColumnsOfLayout(name, 0).status())) << name;
  }
}

// The widths are those of the example rows in VICIdial's own help text.
TEST(LayoutsTest, AsWideAsTheirExamples) {
  const std::pair<const char*, size_t> kWidths[] = {
      {"standard", 27}, {"stdrankowner", 29}, {"minicsv", 6},   {"minicsv02", 6},
      {"sctab08", 8},   {"sccsv11", 11},      {"dccsv10", 10},  {"twotab", 2},
      {"pipe30tz", 30}, {"vote17csv", 17},    {"t2r13csv", 13}, {"t2r15csv", 15},
      {"t2r25csv", 25}, {"t2r25xcsv", 25},    {"t2r26csv", 26}, {"t2r27csv", 27}};
  for (const auto& [name, width] : kWidths) {
    EXPECT_EQ(ColumnsOfLayout(name, 60)->columns.size(), width) << name;
  }
  EXPECT_EQ(ColumnsOfLayout("standard", 25)->columns.size(), 25u);
  EXPECT_EQ(ColumnsOfLayout("standard", 25)->columns[23].field, "rank");
  EXPECT_EQ(ColumnsOfLayout("standard", 27)->columns[26].kind, ColumnKind::kMultiAlt);
  EXPECT_EQ(ColumnsOfLayout("dccsv10", 10)->columns[9].field, "alt_phones");
}

TEST(LayoutsTest, WhatIsNotReadSaysWhatToDo) {
  EXPECT_THAT(CheckLayout("update").message(), HasSubstr("do-not-call list"));
  EXPECT_THAT(CheckLayout("fixed254").message(), HasSubstr("fixed width"));
  EXPECT_THAT(CheckLayout("vicidl").message(), HasSubstr("header"));
  EXPECT_THAT(CheckLayout("martian").message(), HasSubstr("stdrankowner"));
}

std::vector<std::string> Numbers(const std::vector<PhonePart>& parts) {
  std::vector<std::string> out;
  for (const PhonePart& part : parts) {
    out.emplace_back(absl::StrCat(part.number, "|", part.phone_code, "|", part.note));
  }
  return out;
}

TEST(AltPhonesTest, CellsWithSeveralNumbers) {
  std::vector<PhonePart> parts;
  SplitPhoneCell("010-55550100；13800000001、 13800000002,021 55550100/13800000003\n-", parts);
  EXPECT_THAT(Numbers(parts), ElementsAre("010-55550100||", "13800000001||", "13800000002||",
                                          "021 55550100||", "13800000003||"));
  SplitPhoneCell(" ;，暂无", parts);
  EXPECT_THAT(parts, IsEmpty());
}

TEST(AltPhonesTest, VicidialsMultiAltCell) {
  std::vector<PhonePart> parts;
  SplitMultiAlt("7275551212_1_work!7275551213_61_sister house!7275551214!_1_x!", parts);
  EXPECT_THAT(Numbers(parts),
              ElementsAre("7275551212|1|work", "7275551213|61|sister house", "7275551214||"));
}

TEST(AltPhonesTest, KeptInOneFormAndHandedBack) {
  std::string field;
  AppendAltPhone(E164(17275551212), "work; day", field);
  AppendAltPhone(E164(8613800000001), "", field);
  AppendAltPhone(E164(61212345678), "sister house", field);
  EXPECT_EQ(field, "+17275551212 work, day;+8613800000001;+61212345678 sister house");
  const std::vector<AltPhone> phones = ParseAltPhones(field);
  ASSERT_EQ(phones.size(), 3u);
  EXPECT_EQ(phones[0].number, E164(17275551212));
  EXPECT_EQ(phones[0].note, "work, day");
  EXPECT_EQ(phones[1].note, "");
  EXPECT_EQ(FormatMultiAlt(field),
            "7275551212_1_work, day!13800000001_86_!212345678_61_sister house");
  EXPECT_EQ(FormatMultiAlt(""), "");
  EXPECT_THAT(ParseAltPhones("no number;;+1"), IsEmpty());
}

}  // namespace
}  // namespace outpace::load
