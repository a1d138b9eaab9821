#include "engine/runtime/report_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "campaign/report/report_fold.h"
#include "engine/base/rng.h"
#include "engine/runtime/contract_report.h"
#include "engine/runtime/files.h"
#include "tests/engine/runtime/admin_fixture.h"

namespace outpace::runtime {
namespace {

using campaign::AbandonContract;
using campaign::Attempt;
using campaign::CallFacts;
using campaign::CallSense;
using campaign::ContractDenominator;
using ::testing::HasSubstr;

const absl::Time kFirstDay = absl::FromUnixSeconds(1'773'014'400);  // 2026-03-09 00:00 UTC

// Three days of answered calls, with whatever fate.
std::vector<Attempt> RandomCalls(uint64_t seed) {
  Rng rng(seed);
  std::vector<Attempt> calls;
  for (uint64_t id = 1; id <= 600; ++id) {
    Attempt a;
    a.id = AttemptId(id);
    a.lead = LeadId(id);
    a.list = ListId(101);
    a.campaign = rng.Below(4) == 0 ? "OTHER" : "DEMO";
    a.open = false;
    a.outcome = "answered";
    a.dialed_at = kFirstDay + absl::Milliseconds(static_cast<int64_t>(rng.Below(3 * 86'400'000)));
    a.answered_at = a.dialed_at + absl::Milliseconds(static_cast<int64_t>(rng.Below(40'000)));
    a.ended_at = a.answered_at + absl::Seconds(9);
    switch (rng.Below(4)) {
      case 0:
        a.status = "DROP";
        a.abandoned = true;
        break;
      case 1:
        a.status = "AA";
        break;
      default:
        a.status = rng.Below(5) == 0 ? "A" : "SALE";
        a.connected_at = a.answered_at + absl::Milliseconds(static_cast<int64_t>(rng.Below(6000)));
    }
    calls.push_back(a);
  }
  return calls;
}

campaign::CampaignSettings Demo() {
  campaign::CampaignSettings settings;
  settings.id = "DEMO";
  auto contracts = campaign::ParseAbandonContracts(
      "three{start=answer seconds=3 numerator=late denominator=persons window=day limit=3}, "
      "all{start=answer seconds=3 numerator=late denominator=answered window=rolling_24h limit=3}");
  EXPECT_TRUE(contracts.ok());
  settings.abandon_contracts = *contracts;
  return settings;
}

// Counted and abandoned of calls answered in [from, to), one after another.
std::pair<double, double> ByHand(const std::vector<Attempt>& calls, const AbandonContract& contract,
                                 absl::Time from, absl::Time to) {
  double counted = 0, abandoned = 0;
  for (const Attempt& call : calls) {
    CallFacts facts;
    if (call.campaign != "DEMO" || call.answered_at < from || call.answered_at >= to) continue;
    if (!campaign::FactsOf(call, &facts)) continue;
    const CallSense sense = campaign::SenseOf(contract, facts);
    const bool machine = sense == CallSense::kMachine || sense == CallSense::kByAmd;
    const bool all = contract.denominator == ContractDenominator::kAnswered;
    if (sense != CallSense::kNothing && (all || !machine)) counted += 1;
    if (sense == CallSense::kAbandoned) abandoned += 1;
  }
  return {counted, abandoned};
}

TEST(ContractsInRange, IsExactToTheCallByDayAndByRollingWindow) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    store::MemoryLeadStore store;
    campaign::StoreBatch batch;
    batch.attempts = RandomCalls(seed);
    ASSERT_TRUE(store.Commit(batch).ok());
    const campaign::CampaignSettings settings = Demo();
    const absl::Duration day = absl::Hours(24);
    const absl::Time from = kFirstDay + day, to = kFirstDay + 3 * day;
    auto all = ContractsInRange(store, {&settings, 1}, from, to, to + day, 2);
    ASSERT_TRUE(all.ok());
    ASSERT_EQ(all->size(), 1u);
    std::vector<ContractFigures> three, rolling;
    for (const ContractFigures& figure : (*all)[0].figures) {
      if (figure.name == "three") three.push_back(figure);
      if (figure.name == "all") rolling.push_back(figure);
    }
    // Each day of the range; of the rolling window the end of the range.
    ASSERT_EQ(three.size(), 2u);
    ASSERT_EQ(rolling.size(), 1u);
    for (int i = 0; i < 2; ++i) {
      const auto [counted, abandoned] = ByHand(batch.attempts, settings.abandon_contracts[0],
                                               from + i * day, from + (i + 1) * day);
      EXPECT_EQ(three[static_cast<size_t>(i)].counted, counted);
      EXPECT_EQ(three[static_cast<size_t>(i)].abandoned, abandoned);
      EXPECT_GT(abandoned, 0);
    }
    const absl::Time last = to - absl::Milliseconds(1);
    const auto [counted, abandoned] =
        ByHand(batch.attempts, settings.abandon_contracts[1], last - day, to);
    EXPECT_EQ(rolling[0].counted, counted);
    EXPECT_EQ(rolling[0].abandoned, abandoned);
  }
}

class ReportDesk : public AdminFixture {};

TEST_F(ReportDesk, EveryReportIsMadeInEveryForm) {
  const Scratch scratch;
  const auto list = Run("report.list");
  ASSERT_TRUE(list.ok());
  for (const report::ReportSpec& spec : report::AllReports()) {
    const std::string name(spec.name);
    EXPECT_THAT(list->at("text").get<std::string>(), HasSubstr(name));
    for (const char* format : {"text", "html", "json"}) {
      for (const char* lang : {"en", "zh"}) {
        const auto answer = Run("report", {{"name", name}, {"format", format}, {"lang", lang}});
        ASSERT_TRUE(answer.ok()) << name << answer.status();
        EXPECT_FALSE(answer->at("text").get<std::string>().empty());
      }
    }
    const std::string path = scratch / (name + ".xlsx");
    ASSERT_TRUE(Run("report", {{"name", name}, {"format", "xlsx"}, {"path", path}}).ok());
    EXPECT_TRUE(absl::StartsWith(Scratch::Bytes(path), "PK"));
    EXPECT_FALSE(ReadFile(path + ".draft").ok());
  }
}

TEST_F(ReportDesk, CountsTheDaysOfTheCampaignsZone) {
  campaign::StoreBatch batch;
  campaign::CampaignSettings settings = Demo();
  ASSERT_TRUE(absl::LoadTimeZone("Asia/Shanghai", &settings.report_zone));
  batch.campaigns = {settings};
  batch.attempts = RandomCalls(1);
  ASSERT_TRUE(store_.Commit(batch).ok());
  int64_t wanted = 0;  // of 9 March in Shanghai: until 16:00 UTC
  for (const Attempt& call : batch.attempts) {
    wanted += call.campaign == "DEMO" && call.dialed_at < kFirstDay + absl::Hours(16) ? 1 : 0;
  }
  const auto answer =
      Run("report",
          {{"name", "campaign"}, {"campaign", "DEMO"}, {"day", "2026-03-09"}, {"format", "json"}});
  ASSERT_TRUE(answer.ok()) << answer.status();
  const Json report = Json::parse(answer->at("text").get<std::string>());
  EXPECT_EQ(report["zone"], "Asia/Shanghai");
  EXPECT_EQ(report["tables"][0]["rows"][0][1], wanted);  // CALLS
}

TEST_F(ReportDesk, SaysWhatIsWrongWithAnOrder) {
  const auto fault = [&](Json order) {
    const auto answer = Run("report", order);
    EXPECT_FALSE(answer.ok());
    return std::string(answer.status().message());
  };
  EXPECT_THAT(fault({{"name", "sales"}}), HasSubstr("daily-cn"));
  EXPECT_THAT(fault({{"name", "kpi"}, {"format", "pdf"}}), HasSubstr("html"));
  EXPECT_THAT(fault({{"name", "kpi"}, {"format", "xlsx"}}), HasSubstr("--out"));
  EXPECT_THAT(fault({{"name", "kpi"}, {"lang", "fr"}}), HasSubstr("zh"));
  EXPECT_THAT(fault({{"name", "kpi"}, {"interval", "20"}}), HasSubstr("15, 30 or 60"));
  EXPECT_THAT(fault({{"name", "kpi"}, {"interval", true}}), HasSubstr("15, 30 or 60"));
  EXPECT_THAT(fault({{"name", "kpi"}, {"campaign", "NOBODY"}}), HasSubstr("NOBODY"));
  EXPECT_THAT(fault({{"name", "kpi"}, {"list", "9"}}), HasSubstr("no list"));
  EXPECT_THAT(fault({{"name", "kpi"}, {"day", "monday"}}), HasSubstr("no day"));
  EXPECT_THAT(fault({{"name", "kpi"}, {"day", "today"}, {"from", "today"}}), HasSubstr("either"));
  EXPECT_THAT(fault({{"name", "kpi"}, {"to", "today"}}), HasSubstr("needs"));
  EXPECT_THAT(fault({{"name", "kpi"}, {"from", "2026-02-02"}, {"to", "2026-02-01"}}),
              HasSubstr("before"));
  EXPECT_THAT(fault({{"name", "kpi"}, {"from", "2020-01-01"}, {"to", "2026-01-01"}}),
              HasSubstr("400 days"));
}

}  // namespace
}  // namespace outpace::runtime
