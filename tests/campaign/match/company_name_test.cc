#include "campaign/match/company_name.h"

#include "campaign/match/match.h"
#include "campaign/match/vocabulary.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::match {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CompanyCore, ChineseFormsCitiesAndBrackets) {
  for (const char* name :
       {"深圳市华强电子有限公司", "华强电子（深圳）", "深圳华强电子股份有限公司",
        "華強電子有限責任公司", "深圳市南山区华强电子集团有限公司", "华强电子", "华强电子集团",
        "广东省深圳市华强电子公司", "华强 电子 有限公司", "（深圳）华强电子有限公司"}) {
    EXPECT_EQ(CompanyCore(name), "华强电子") << name;
  }
}

TEST(CompanyCore, APlaceThatIsTheNameStays) {
  EXPECT_EQ(CompanyCore("北京银行股份有限公司"), "北京银行");
  EXPECT_EQ(CompanyCore("中国银行"), "中国银行");
  EXPECT_EQ(CompanyCore("阿坝旅游"), "阿坝旅游");
  EXPECT_EQ(CompanyCore("Japan Synthetic Rubber Co., Ltd."), "japan synthetic rubber");
}

TEST(CompanyCore, EuropeanForms) {
  for (const char* name :
       {"Akzo Nobel N.V.", "AKZO NOBEL NV", "AKZO NOBEL N .V.", "Akzo Nobel, N. V.",
        "* AKZO NOBEL B.V.", "AKZO NOBEL GmbH", "Akzo Nobel, Inc.", "AKZO NOBEL S.A.",
        "Akzo Nobel AG", "Akzo Nobel GmbH & Co. KG", "Akzo Nobel Company", "AKZO NOBEL CO., LTD.",
        "Akzo Nobel Ltd", "Akzo Nobel Aktiengesellshaft", "AKZO NOBEL NV NAAMLOOZE VENNOOTSCHAP",
        "N.V. Akzo Nobel", "AKZO NOBEL N.V., ARNHEM, NL", "Akzo Nobel Nederland B.V.",
        "Akzo Nobel (Nederland) B.V."}) {
    EXPECT_EQ(CompanyCore(name), "akzo nobel") << name;
  }
}

TEST(CompanyCore, FormsWithinANameAndNamesThatLookLikeForms) {
  EXPECT_EQ(CompanyCore("Bosch GmbH Robert"), "bosch robert");
  EXPECT_EQ(CompanyCore("D S M N.V."), "dsm");
  EXPECT_EQ(CompanyCore("SE Electronics Ltd"), "se electronics");
  EXPECT_EQ(CompanyCore("Spa Resort"), "spa resort");
  EXPECT_EQ(CompanyCore("Limited"), "limited");
  EXPECT_EQ(CompanyCore("有限公司"), "有限公司");
  EXPECT_EQ(CompanyCore(""), "");
  EXPECT_EQ(CompanyCore("!!!"), "");
}

TEST(ParseCompanyName, ABranchIsAPartOfItsOwn) {
  EXPECT_EQ(ParseCompanyName("深圳市华强电子有限公司北京分公司").branch, "北京");
  EXPECT_EQ(ParseCompanyName("中国银行深圳分行").branch, "深圳");
  EXPECT_THAT(ParseCompanyName("深圳市华强电子有限公司").branch, IsEmpty());
}

TEST(ParseCompanyName, PlacesAreKeptApart) {
  EXPECT_THAT(ParseCompanyName("华强电子（深圳）").places, ElementsAre(PlaceCode("深圳")));
  EXPECT_THAT(ParseCompanyName("Huaqiang Electronics (Shenzhen) Co., Ltd.").places,
              ElementsAre(PlaceCode("深圳")));
  EXPECT_THAT(ParseCompanyName("ASML Holland B.V.").places, ElementsAre(PlaceCode("nederland")));
  EXPECT_TRUE(PlaceWithin(PlaceCode("深圳"), PlaceCode("广东")));
  EXPECT_FALSE(PlaceWithin(PlaceCode("广东"), PlaceCode("深圳")));
}

TEST(ParseCompanyName, TradesMeanTheSameInBothLanguages) {
  const CompanyName chinese = ParseCompanyName("华强电子有限公司");
  const CompanyName english = ParseCompanyName("Huaqiang Electronic Co Ltd");
  ASSERT_EQ(chinese.tokens.size(), 2u);
  ASSERT_EQ(english.tokens.size(), 2u);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(chinese.tokens[i].meaning, english.tokens[i].meaning);
  EXPECT_EQ(chinese.tokens[1].kind, TokenKind::kTrade);
}

}  // namespace
}  // namespace outpace::match
