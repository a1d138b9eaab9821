#include "campaign/rules/ready_contracts.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::rules {
namespace {

using campaign::AbandonContract;
using campaign::AbandonWindow;
using campaign::ContractDenominator;
using campaign::ContractStart;
using ::testing::HasSubstr;

TEST(ReadyContracts, SayWhatTheRegulationsSay) {
  const auto filled = FillIn(RuleBook::BuiltIn(),
                             *campaign::ParseAbandonContracts("tsr, ofcom, crtc, tcpa, own{}"));
  ASSERT_TRUE(filled.ok()) << filled.status();
  const AbandonContract& tsr = (*filled)[0];
  EXPECT_EQ(tsr.limit, 3);
  EXPECT_EQ(tsr.seconds, absl::Seconds(2));
  EXPECT_EQ(tsr.start, ContractStart::kGreetingEnd);
  EXPECT_EQ(tsr.denominator, ContractDenominator::kPersons);
  EXPECT_EQ(tsr.window, AbandonWindow::kCampaign);
  EXPECT_THAT(tsr.source, HasSubstr("16 CFR 310.4(b)(4)(i)"));
  const AbandonContract& ofcom = (*filled)[1];
  EXPECT_EQ(ofcom.limit, 3);
  EXPECT_EQ(ofcom.start, ContractStart::kGreetingStart);
  EXPECT_EQ(ofcom.denominator, ContractDenominator::kEstimate);
  EXPECT_EQ(ofcom.window, AbandonWindow::kDay);
  const AbandonContract& crtc = (*filled)[2];
  EXPECT_EQ(crtc.limit, 5);
  EXPECT_EQ(crtc.window, AbandonWindow::kMonth);
  EXPECT_EQ((*filled)[3].window, AbandonWindow::kCampaign);
  EXPECT_FALSE((*filled)[4].ready_made) << "one's own stays as it is";
  for (const AbandonContract& contract : *filled) {
    EXPECT_EQ(contract.source.empty(), !contract.ready_made) << contract.name;
  }
}

TEST(ReadyContracts, OneThatIsNotThereIsNamedWithThoseThatAre) {
  const auto filled = FillIn(RuleBook::BuiltIn(), *campaign::ParseAbandonContracts("tsr, acma"));
  EXPECT_EQ(filled.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(filled.status().message()), HasSubstr("\"acma\""));
  EXPECT_THAT(std::string(filled.status().message()), HasSubstr("crtc, ofcom, tcpa, tsr"));
}

TEST(ReadyContracts, AnOperatorsFileMayNameItsOwn) {
  const auto book = RuleBook::Parse({{"x.toml", R"(
id = "x"
version = "2026-11-22"
title = "X"
[[abandon]]
id = "x:abandon"
areas = ["*"]
contract = "house"
percent = 1.5
answer_seconds = 1
start = "greeting_start"
numerator = "unserved"
denominator = "answered"
window = "rolling_30d"
source = "house rule"
status = "read"
)"}});
  ASSERT_TRUE(book.ok()) << book.status();
  const std::vector<AbandonContract> ready = ReadyContracts(*book);
  ASSERT_EQ(ready.size(), 1u);
  EXPECT_EQ(campaign::AbandonContractTerms(ready[0]),
            "start=greeting_start seconds=1 numerator=unserved denominator=answered "
            "window=rolling_30d limit=1.5");
}

TEST(ReadyContracts, AMisspeltTermIsAFault) {
  for (const char* line : {"start = \"ring\"", "numerator = \"x\"", "denominator = \"x\"",
                           "contract = \"TSR\"", "begin = \"answer\""}) {
    const auto book = RuleBook::Parse({{"x.toml", std::string(R"(
id = "x"
version = "2026-11-22"
title = "X"
[[abandon]]
id = "x:abandon"
areas = ["*"]
percent = 3
answer_seconds = 2
window = "day"
source = "s"
status = "read"
)") + line}});
    EXPECT_FALSE(book.ok()) << line;
  }
}

}  // namespace
}  // namespace outpace::rules
