#include "campaign/match/match.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/match/company_list.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::match {
namespace {

Record Person(absl::string_view first, absl::string_view last, absl::string_view street = "",
              absl::string_view city = "", absl::string_view phone = "",
              absl::string_view birth = "") {
  Record r;
  r.first_name = first;
  r.last_name = last;
  r.address1 = street;
  r.city = city;
  r.phone = phone;
  r.date_of_birth = birth;
  return r;
}

Record Company(absl::string_view name, absl::string_view phone = "", absl::string_view street = "",
               absl::string_view city = "") {
  Record r;
  r.company = name;
  r.phone = phone;
  r.address1 = street;
  r.city = city;
  return r;
}

double Score(const Record& a, const Record& b, Kind kind) {
  double score = -1;
  Explain(a, b, kind, &score);
  return score;
}
double People(const Record& a, const Record& b) { return Score(a, b, Kind::kPerson); }
double Firms(const Record& a, const Record& b) { return Score(a, b, Kind::kCompany); }
double Names(absl::string_view a, absl::string_view b) { return Firms(Company(a), Company(b)); }

std::vector<uint32_t> Groups(const std::vector<Record>& records, Kind kind) {
  Options options;
  options.kind = kind;
  auto result = FindDuplicates(records, options);
  EXPECT_TRUE(result.ok()) << result.status();
  return result->group;
}

constexpr double kSame = 0.90, kReview = 0.70;

TEST(CompanyNames, WrittenInAnotherWayTheyAreTheSame) {
  EXPECT_GE(Names("深圳市华强电子有限公司", "華強電子（深圳）"), kSame);
  EXPECT_GE(Names("深圳市华强电子有限公司", "Huaqiang Electronics (Shenzhen) Co., Ltd."), kSame);
  EXPECT_GE(Names("ＴＣＬ集团股份有限公司", "TCL"), kSame);
  EXPECT_GE(Names("Robert Bosch GmbH", "BOSCH GMBH ROBERT"), kSame);
  EXPECT_GE(Names("Hunter Douglas Industries B.V.", "HUNTERDOUGLASINDUSTRIES BV"), kSame);
  EXPECT_GE(Names("F. Hoffmann-La Roche AG", "F. Hoffman-LaRoche Ltd."), kSame);
  EXPECT_GE(Names("International Business Machiens Corp.", "INTERNATIONAL BUSINESS MACHINES"),
            kSame);
  EXPECT_GE(Names("DSM N.V.", "D.S.M. B.V."), kSame);
}

TEST(CompanyNames, OtherFirmsAreNot) {
  EXPECT_LT(Names("华强电子有限公司", "华强科技有限公司"), kReview);
  EXPECT_LT(Names("华强电子（深圳）有限公司", "华强电子（北京）有限公司"), kReview);
  EXPECT_LT(Names("中国银行深圳分行", "中国银行北京分行"), kReview);
  EXPECT_LT(Names("中国银行", "中国银行深圳分行"), kReview);
  EXPECT_LT(Names("Schlumberger Canada Ltd", "Halliburton Canada Ltd"), kReview);
  EXPECT_LT(Names("Mars B.V.", "Mark B.V."), kReview);
  EXPECT_LT(Names("Electronics Ltd", "Electronics Inc"), kReview);
}

TEST(CompanyNames, DoubtGoesToAPerson) {
  for (const double score : {Names("Schlumberger Ltd", "Schlumberger Holdings Ltd"),
                             Names("IBM Corp.", "International Business Machines Corp.")}) {
    EXPECT_GE(score, kReview);
    EXPECT_LT(score, kSame);
  }
}

// A number many share says that they share a telephone, nothing else.
TEST(Switchboard, NeverMergesDifferentNames) {
  const char* const kPhone = "+14042372700";
  const char* const kStreet = "3434 Peachtree Rd.";
  const std::vector<Record> hotel = {
      Company("ritz-carlton cafe (buckhead)", kPhone, kStreet, "atlanta"),
      Company("ritz-carlton dining room (buckhead)", kPhone, kStreet, "atlanta"),
      Company("cafe  ritz-carlton  buckhead", kPhone, kStreet, "atlanta"),
      Company("Peachtree Tailors", kPhone, kStreet, "atlanta"),
      Company("Bose Flowers", kPhone, kStreet, "atlanta")};
  EXPECT_THAT(Groups(hotel, Kind::kCompany), ::testing::ElementsAre(0, 1, 0, 3, 4));
}

TEST(Switchboard, AParentAndAnAcronymAreForAPersonToDecide) {
  const auto at = [](absl::string_view name) {
    return Company(name, "+14042372700", "", "atlanta");
  };
  const auto at_door = [](absl::string_view name) {
    return Company(name, "+14042372700", "3434 Peachtree Rd.", "atlanta");
  };
  EXPECT_LT(Firms(at_door("IBM Corp."), at_door("International Business Machines Corp.")), kSame);
  EXPECT_LT(Firms(at("Schlumberger Ltd"), at_door("Schlumberger Holdings Ltd")), kSame);
  // One number, house and street: a sign over one door.
  EXPECT_GE(Firms(at_door("Yujean Kang's"), at_door("Yujean Kang's Gourmet Cuisine")), kSame);
  for (const double score : {Firms(at("Schlumberger Ltd"), at("Schlumberger Holdings Ltd")),
                             Firms(at("IBM Corp."), at("International Business Machines Corp."))}) {
    EXPECT_GE(score, kReview);
    EXPECT_LT(score, kSame);
  }
}

TEST(Switchboard, TwoContactsOfOneFirmAreTwo) {
  const auto at = [](absl::string_view first, absl::string_view last) {
    Record r = Company("Schlumberger Ltd", "+14042372700", "3434 Peachtree Rd.", "atlanta");
    r.first_name = first;
    r.last_name = last;
    return r;
  };
  EXPECT_LT(Firms(at("John", "Doe"), at("Mary", "Quist")), kReview);
  EXPECT_LT(Firms(at("John", "Doe"), at("Mary", "Doe")), kReview);
  EXPECT_LT(Firms(at("伟", "张"), at("娜", "李")), kReview);
  EXPECT_LT(Firms(at("Daniel", "Doe"), at("Danielle", "Doe")), kSame);
  EXPECT_GE(Firms(at("Robert", "Fry"), at("Bob", "Fry")), kSame);
  EXPECT_GE(Firms(at("Robert", "Fry"), at("", "")), kSame);
  // Nor does the firm's bare name join them.
  const std::vector<uint32_t> group =
      Groups({at("", ""), at("John", "Doe"), at("Mary", "Quist")}, Kind::kCompany);
  EXPECT_NE(group[1], group[2]);
}

// Hundreds of firms behind one number, most with the same street: as in an office tower.
TEST(Switchboard, NotEvenForHundredsOfNames) {
  std::vector<std::string> brands;
  for (int i = 0; i < 40; ++i) brands.push_back(absl::StrCat("牌", i));
  const CompanyList list = MakeCompanyList(brands, 400, 3);
  std::vector<Record> with, without;
  for (const std::string& name : list.names) {
    with.push_back(Company(name, "075588880000", "深南大道1号", "深圳"));
    without.push_back(Company(name));
  }
  const std::vector<uint32_t> group = Groups(with, Kind::kCompany);
  size_t joined = 0, wrong = 0;
  for (size_t i = 0; i < group.size(); ++i) {
    joined += group[i] != i;
    wrong += list.entity[i] != list.entity[group[i]];
  }
  EXPECT_GT(joined, 60u);  // those that are the same are found nevertheless
  EXPECT_LE(wrong, 2u);
}

TEST(Switchboard, AFamilyIsNotOnePerson) {
  const std::vector<Record> family = {
      Person("John", "Miller", "12 Oak St", "Salem", "5035550100", "1961-03-04"),
      Person("Mary", "Miller", "12 Oak St", "Salem", "5035550100", "1963-07-21"),
      Person("Kevin", "Miller", "12 Oak Street", "Salem", "503-555-0100"),
      Person("Jon", "Miller", "12 Oak Street", "Salem", "503-555-0100", "1961-03-04")};
  EXPECT_THAT(Groups(family, Kind::kPerson), ::testing::ElementsAre(0, 1, 2, 0));
}

TEST(PersonNames, NicknamesInitialsAndSwaps) {
  const auto at_home = [](absl::string_view first, absl::string_view last) {
    return Person(first, last, "12 Oak St", "Salem", "5035550100");
  };
  EXPECT_GE(People(at_home("Robert", "Fry"), at_home("Bob", "Fry")), kSame);
  EXPECT_GE(People(at_home("R.", "Fry"), at_home("Robert", "Fry")), kSame);
  EXPECT_GE(People(at_home("Robert", "Fry"), at_home("Fry", "Robert")), kSame);
  EXPECT_GE(People(at_home("Robert", "Fry"), at_home("Robert James", "Fry")), kSame);
  EXPECT_GE(People(at_home("Robert", "Fry"), at_home("", "Robert Fry")), kSame);
  EXPECT_LT(People(at_home("Robert", "Fry"), at_home("S.", "Fry")), kReview);
  EXPECT_LT(People(at_home("Robert", "Fry"), at_home("Richard", "Fry")), kReview);
}

// Wife and husband, sister and brother: names that look like one name misspelt.
TEST(Switchboard, ALikeNameInOneHouseIsForAPersonToDecide) {
  const auto at_home = [](absl::string_view first, absl::string_view birth = "") {
    return Person(first, "Smith", "12 Oak St", "Salem", "5035550100", birth);
  };
  const std::pair<const char*, const char*> kPairs[] = {
      {"Michael", "Michelle"}, {"Daniel", "Danielle"},  {"Erica", "Eric"},
      {"Paul", "Paula"},       {"Joseph", "Josephine"}, {"Christian", "Christina"}};
  for (const auto& [one, other] : kPairs) {
    EXPECT_LT(People(at_home(one), at_home(other)), kSame) << one << " " << other;
    EXPECT_LT(People(at_home(one, "1961-03-04"), at_home(other, "1963-07-21")), kSame) << one;
    EXPECT_THAT(Groups({at_home(one), at_home(other)}, Kind::kPerson),
                ::testing::ElementsAre(0, 1));
  }
  EXPECT_GE(People(at_home("Erica"), at_home("Eric")), kReview);
  // One birth date: a slip of the pen.
  EXPECT_GE(People(at_home("Jonathan", "1961-03-04"), at_home("Jonathen", "1961-03-04")), kSame);
  Record with_mail = at_home("Jonathan"), misspelt = at_home("Jonathen");
  with_mail.email = misspelt.email = "jonathan.q.smith@example.com";
  EXPECT_GE(People(with_mail, misspelt), kSame);
}

TEST(FindDuplicates, AnInitialDoesNotJoinTwoNames) {
  const auto at_home = [](absl::string_view first) {
    return Person(first, "Smith", "12 Oak St", "Salem", "5035550100");
  };
  const std::vector<uint32_t> group =
      Groups({at_home("J"), at_home("John"), at_home("Jane")}, Kind::kPerson);
  EXPECT_NE(group[1], group[2]);
  // Nor do two initials, one beside each.
  const std::vector<uint32_t> four =
      Groups({at_home("J"), at_home("John"), at_home("J."), at_home("Jane")}, Kind::kPerson);
  EXPECT_NE(four[1], four[3]);
}

TEST(FindDuplicates, WhatWasSaidToBeTwoStaysTwo) {
  const auto born = [](absl::string_view first) {
    return Person(first, "Xylander", "12 Oak St", "Graz", "", "1960-02-03");
  };
  const std::vector<Record> one = {born("Ursula"), born("Ursula"), born("Ursula")};
  EXPECT_THAT(Groups(one, Kind::kPerson), ::testing::ElementsAre(0, 0, 0));
  Options options;
  options.apart = {{2, 0}};
  const auto result = FindDuplicates(one, options);
  ASSERT_TRUE(result.ok());
  // The others are found all the same.
  EXPECT_NE(result->group[0], result->group[2]);
  EXPECT_TRUE(result->group[1] == result->group[0] || result->group[1] == result->group[2]);
  options.apart = {{0, 3}};
  EXPECT_EQ(FindDuplicates(one, options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(PersonNames, ChineseInCharactersAndPinyin) {
  const auto with = [](absl::string_view first, absl::string_view last) {
    return Person(first, last, "科技路10号", "深圳市", "13800000000");
  };
  EXPECT_GE(People(with("小明", "张"), with("張小明", "")), kSame);
  EXPECT_GE(People(with("小明", "张"), with("Xiaoming", "Zhang")), kSame);
  EXPECT_GE(People(with("小明", "张"), with("Zhang", "Xiaoming")), kSame);
  EXPECT_LT(People(with("小明", "张"), with("小红", "张")), kReview);
  // One sound, other characters: nobody may decide that but a person.
  EXPECT_LT(People(with("伟", "张"), with("玮", "张")), kSame);
}

TEST(PersonNames, ACommonNameAloneIsNobody) {
  EXPECT_LT(People(Person("Wei", "Wang"), Person("Wei", "Wang")), kReview);
  EXPECT_LT(People(Person("John", "Smith"), Person("John", "Smith")), kReview);
  EXPECT_GE(People(Person("John", "Smith", "", "", "", "1960-02-13"),
                   Person("John", "Smith", "", "", "", "1960-02-13")),
            kReview);
}

TEST(BirthDate, DayAndMonthSwapped) {
  const auto born = [](absl::string_view birth) {
    return Person("Ursula", "Xylander", "", "Graz", "", birth);
  };
  EXPECT_GE(People(born("1960-02-03"), born("1960-03-02")), kSame);
  EXPECT_GE(People(born("1960-02-03"), born("03/02/1960")), kSame);
  // Of a common name, another date is another person.
  EXPECT_LT(People(Person("John", "Smith", "", "Graz", "", "1960-02-03"),
                   Person("John", "Smith", "", "Graz", "", "1983-11-27")),
            kReview);
}

TEST(Explain, WeightsAddUpToTheScoreStrongestFirst) {
  double score = 0;
  const std::vector<Evidence> why = Explain(
      Person("Robert", "Fry", "12 Oak St", "Salem", "5035550100"),
      Person("Bob", "Fry", "12 Oak Street", "Salem", "503-555-0100"), Kind::kPerson, &score);
  double bits = 0;
  for (const Evidence& e : why) bits += e.weight;
  EXPECT_NEAR(1 / (1 + std::exp2(-bits)), score, 1e-9);
  EXPECT_TRUE(std::is_sorted(why.begin(), why.end(), [](const Evidence& x, const Evidence& y) {
    return std::abs(x.weight) > std::abs(y.weight);
  }));
  const auto nickname = std::find_if(
      why.begin(), why.end(), [](const Evidence& e) { return std::string(e.rule) == "nickname"; });
  ASSERT_NE(nickname, why.end());
  EXPECT_STREQ(nickname->field, "first name");
}

TEST(Explain, RecordsWithoutAnythingAreNotTheSame) {
  EXPECT_LT(People(Record(), Record()), kReview);
  EXPECT_LT(Firms(Record(), Record()), kReview);
}

TEST(FindDuplicates, RefusesThresholdsOutOfOrder) {
  for (const auto& [same, review] :
       {std::pair(0.7, 0.9), std::pair(1.2, 0.7), std::pair(0.9, 0.0), std::pair(0.9, -1.0),
        std::pair(std::nan(""), 0.5), std::pair(0.9, std::nan(""))}) {
    Options options;
    options.same = same;
    options.review = review;
    EXPECT_EQ(FindDuplicates({}, options).status().code(), absl::StatusCode::kInvalidArgument);
  }
  Options options;
  options.threads = 0;
  EXPECT_EQ(FindDuplicates({}, options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(FindDuplicates, NothingAndOneRecord) {
  Options options;
  EXPECT_THAT(FindDuplicates({}, options)->group, ::testing::IsEmpty());
  const std::vector<Record> one = {Person("A", "B")};
  EXPECT_THAT(FindDuplicates(one, options)->group, ::testing::ElementsAre(0));
}

TEST(FindDuplicates, IsTheSameForAnyNumberOfThreads) {
  std::vector<std::string> brands;
  for (int i = 0; i < 300; ++i) brands.push_back(absl::StrCat("品", i));
  const CompanyList list = MakeCompanyList(brands, 12'000, 5);
  std::vector<Record> records;
  for (const std::string& name : list.names) records.push_back(Company(name));
  Options options;
  options.kind = Kind::kCompany;
  options.threads = 1;
  const Result one = *FindDuplicates(records, options);
  for (const int threads : {2, 3, 7}) {
    options.threads = threads;
    const Result many = *FindDuplicates(records, options);
    EXPECT_EQ(many.group, one.group);
    EXPECT_EQ(many.compared, one.compared);
    ASSERT_EQ(many.pairs.size(), one.pairs.size());
    for (size_t i = 0; i < one.pairs.size(); ++i) {
      ASSERT_EQ(many.pairs[i].a, one.pairs[i].a);
      ASSERT_EQ(many.pairs[i].b, one.pairs[i].b);
      ASSERT_EQ(many.pairs[i].score, one.pairs[i].score);
    }
  }
  EXPECT_GT(one.pairs.size(), 1000u);
}

// A value that thousands share costs neither hours nor the duplicates among them.
TEST(FindDuplicates, AnOverfullBlockIsSplitNotDropped) {
  std::vector<std::string> texts;
  texts.reserve(12'000);
  std::vector<Record> records;
  for (int i = 0; i < 3000; ++i) {
    for (const char* form : {" Ltd", " GmbH"}) {
      texts.push_back(absl::StrCat("Contoso ", i * 7919 % 3000, form));
      records.push_back(Company(texts.back(), "+14155550100"));
    }
  }
  Options options;
  options.kind = Kind::kCompany;
  const Result result = *FindDuplicates(records, options);
  EXPECT_GE(result.blocks_cut, 1u);
  EXPECT_LT(result.compared, 600'000u);  // of 18 million
  for (size_t i = 0; i < records.size(); i += 2) EXPECT_EQ(result.group[i + 1], i);
}

// "ann lee" - "annie lee" - "annie leigh" - ...: a chain whose ends are strangers stays cut.
TEST(FindDuplicates, DoesNotChain) {
  std::vector<std::string> names;
  std::vector<Record> records;
  std::string name = "abcdefgh";
  for (int i = 0; i < 24; ++i) {
    names.push_back(name);
    name[static_cast<size_t>(i) % name.size()] = static_cast<char>('k' + i % 15);
  }
  for (const std::string& one : names) records.push_back(Company(absl::string_view(one)));
  const std::vector<uint32_t> group = Groups(records, Kind::kCompany);
  EXPECT_NE(group.front(), group.back());
  EXPECT_NE(group[0], group[12]);
}

}  // namespace
}  // namespace outpace::match
