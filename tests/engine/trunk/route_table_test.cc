#include "engine/trunk/route_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace outpace::trunk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const E164 kUs(14155550100), kChina(8613800138000), kPremium(19005550100), kUk(442079460000);

TrunkSettings Trunk(const std::string& name, std::vector<PrefixRule> prefixes = {},
                    double cost = 0) {
  TrunkSettings trunk;
  trunk.name = name;
  trunk.prefixes = std::move(prefixes);
  trunk.cost_per_minute = cost;
  return trunk;
}

// A table with all its trunks usable, and names instead of indexes.
class Routes {
 public:
  explicit Routes(std::vector<TrunkSettings> trunks)
      : table(RouteTable::Create(std::move(trunks)).value()),
        conditions(table.trunks().size(), TrunkCondition::kUsable) {}

  std::vector<std::string> Names(E164 number, absl::string_view path_text,
                                 TrunkChoice choice = TrunkChoice::kPriority) {
    const TrunkPath path = table.ParsePath(path_text, choice).value();
    why = table.Find(number, path, conditions, rng, found);
    std::vector<std::string> names;
    for (const RouteCandidate& candidate : found) {
      names.push_back(table.trunks()[candidate.trunk].name);
    }
    return names;
  }
  void Set(absl::string_view name, TrunkCondition condition) {
    conditions[static_cast<size_t>(table.FindTrunk(name))] = condition;
  }

  RouteTable table;
  std::vector<TrunkCondition> conditions;
  Rng rng{1};
  NoRoute why = NoRoute::kNone;
  std::vector<RouteCandidate> found;
};

TEST(RouteTable, PriorityIsTheOrderWritten) {
  Routes routes({Trunk("a"), Trunk("b"), Trunk("c")});
  EXPECT_THAT(routes.Names(kUs, "b"), ElementsAre("b"));
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(routes.Names(kUs, " c , a,b"), ElementsAre("c", "a", "b"));
  }
  EXPECT_EQ(routes.why, NoRoute::kNone);
}

TEST(RouteTable, WeightsShareInsideAGroupAndTheNextGroupFollows) {
  Routes routes({Trunk("a"), Trunk("b"), Trunk("c")});
  std::map<std::string, int> first;
  constexpr int kDraws = 20'000;
  for (int i = 0; i < kDraws; ++i) {
    const std::vector<std::string> names = routes.Names(kUs, "a:70|b:30,c");
    ASSERT_EQ(names.size(), 3u);
    EXPECT_EQ(names[2], "c");
    EXPECT_NE(names[0], names[1]);
    ++first[names[0]];
  }
  // Standard deviation of the share: sqrt(0.7 * 0.3 / 20,000) = 0.0032.
  EXPECT_NEAR(first["a"] / static_cast<double>(kDraws), 0.7, 0.013);
}

TEST(RouteTable, SecondPlaceIsSharedByTheWeightsOfThoseLeft) {
  Routes routes({Trunk("a"), Trunk("b"), Trunk("c")});
  int b_second = 0, a_first = 0;
  for (int i = 0; i < 30'000; ++i) {
    const auto names = routes.Names(kUs, "a:50|b:40|c:10");
    if (names[0] != "a") continue;
    ++a_first;
    b_second += names[1] == "b";
  }
  EXPECT_NEAR(b_second / static_cast<double>(a_first), 0.8, 0.015);
}

TEST(RouteTable, WeightZeroIsTheLastOfItsGroup) {
  Routes routes({Trunk("a"), Trunk("b"), Trunk("c")});
  for (int i = 0; i < 200; ++i) {
    EXPECT_THAT(routes.Names(kUs, "a:0|b:1,c"), ElementsAre("b", "a", "c"));
    EXPECT_THAT(routes.Names(kUs, "a:0|b:0"), ElementsAre("a", "b"));
  }
}

TEST(RouteTable, OneSeedOneOrder) {
  Routes one({Trunk("a"), Trunk("b"), Trunk("c")});
  Routes two({Trunk("a"), Trunk("b"), Trunk("c")});
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(one.Names(kUs, "a|b|c"), two.Names(kUs, "a|b|c"));
  }
}

TEST(RouteTable, AnEmptyPathIsAllTrunksByTheirWeights) {
  std::vector<TrunkSettings> trunks = {Trunk("a"), Trunk("b")};
  trunks[0].weight = 0;
  Routes routes(std::move(trunks));
  EXPECT_THAT(routes.Names(kUs, "  "), ElementsAre("b", "a"));
}

TEST(RouteTable, TheLongestPrefixDecides) {
  Routes routes({Trunk("a", {{.prefix = "1", .cost_per_minute = 0.01},
                             {.prefix = "1900", .allow = false},
                             {.prefix = "19005550100", .cost_per_minute = 0.5}}),
                 Trunk("b", {{.prefix = ""}, {.prefix = "1900", .allow = false}}, 0.02)});
  EXPECT_THAT(routes.Names(kUs, "a,b"), ElementsAre("a", "b"));
  EXPECT_DOUBLE_EQ(routes.found[0].cost_per_minute, 0.01);
  EXPECT_DOUBLE_EQ(routes.found[1].cost_per_minute, 0.02);
  EXPECT_THAT(routes.Names(kPremium, "a,b"), ElementsAre("a"));  // its own number is let through
  EXPECT_DOUBLE_EQ(routes.found[0].cost_per_minute, 0.5);
  EXPECT_THAT(routes.Names(E164(19005550101), "a,b"), IsEmpty());
  EXPECT_EQ(routes.why, NoRoute::kNotCarried);
  EXPECT_THAT(routes.Names(kChina, "a,b"), ElementsAre("b"));
}

TEST(RouteTable, ATrunkWithOnlyDenialsCarriesTheRest) {
  Routes routes({Trunk("a", {{.prefix = "1900", .allow = false}})});
  EXPECT_THAT(routes.Names(kChina, "a"), ElementsAre("a"));
  EXPECT_THAT(routes.Names(kPremium, "a"), IsEmpty());
}

// Toll fraud: whatever path, choice and condition, a denied number gets no trunk.
TEST(RouteTableProperty, NoPathLeadsToADeniedPrefix) {
  for (uint64_t seed = 1; seed <= 2'000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    std::vector<TrunkSettings> trunks;
    const size_t count = 1 + rng.Below(5);
    for (size_t t = 0; t < count; ++t) {
      std::vector<PrefixRule> rules;
      for (const char* prefix : {"", "1", "14", "1415", "86", "861", "8613800138000", "44"}) {
        if (rng.Chance(0.4)) {
          rules.push_back({.prefix = prefix,
                           .allow = rng.Chance(0.5),
                           .cost_per_minute = static_cast<double>(rng.Below(3))});
        }
      }
      trunks.push_back(Trunk(absl::StrCat("t", t), rules));
    }
    const RouteTable table = RouteTable::Create(trunks).value();
    std::string path_text;
    for (size_t t = 0; t < count; ++t) {
      absl::StrAppend(&path_text,
                      t == 0            ? ""
                      : rng.Chance(0.5) ? ","
                                        : "|",
                      "t", t, ":", rng.Below(4));
    }
    const TrunkChoice choice = rng.Chance(0.5) ? TrunkChoice::kPriority : TrunkChoice::kLeastCost;
    const TrunkPath path = table.ParsePath(path_text, choice).value();
    std::vector<TrunkCondition> conditions(count);
    for (TrunkCondition& c : conditions) c = static_cast<TrunkCondition>(rng.Below(4));
    std::vector<RouteCandidate> found;
    for (const E164 number : {kUs, kChina, kPremium, kUk}) {
      const NoRoute why = table.Find(number, path, conditions, rng, found);
      EXPECT_EQ(why == NoRoute::kNone, !found.empty());
      std::vector<bool> seen(count);
      for (const RouteCandidate& candidate : found) {
        EXPECT_FALSE(seen[candidate.trunk]);
        seen[candidate.trunk] = true;
        EXPECT_EQ(conditions[candidate.trunk], TrunkCondition::kUsable);
        // The plain reading of the rules, by text.
        const PrefixRule* best = nullptr;
        bool any_allowed = false;
        for (const PrefixRule& rule : trunks[candidate.trunk].prefixes) {
          any_allowed |= rule.allow;
          if (number.Digits().compare(0, rule.prefix.size(), rule.prefix) == 0 &&
              (best == nullptr || rule.prefix.size() > best->prefix.size())) {
            best = &rule;
          }
        }
        EXPECT_TRUE(best == nullptr ? !any_allowed : best->allow);
      }
      for (size_t i = 1; choice == TrunkChoice::kLeastCost && i < found.size(); ++i) {
        EXPECT_LE(found[i - 1].cost_per_minute, found[i].cost_per_minute);
      }
    }
  }
}

TEST(RouteTable, LeastCostSortsTheWholePathAndEqualPricesKeepItsOrder) {
  Routes routes({Trunk("dear", {}, 0.03),
                 Trunk("cheap_us", {{.prefix = "1", .cost_per_minute = 0.01},
                                    {.prefix = "", .cost_per_minute = 0.2}}),
                 Trunk("same", {}, 0.03)});
  EXPECT_THAT(routes.Names(kUs, "dear,cheap_us,same", TrunkChoice::kLeastCost),
              ElementsAre("cheap_us", "dear", "same"));
  EXPECT_THAT(routes.Names(kUk, "dear,cheap_us,same", TrunkChoice::kLeastCost),
              ElementsAre("dear", "same", "cheap_us"));
}

TEST(RouteTable, ConditionsTakeTrunksOutAndSayWhy) {
  Routes routes({Trunk("a"), Trunk("b"), Trunk("us_only", {{.prefix = "1"}})});
  routes.Set("a", TrunkCondition::kClosed);
  EXPECT_THAT(routes.Names(kUs, "a,b"), ElementsAre("b"));
  routes.Set("b", TrunkCondition::kFull);
  EXPECT_THAT(routes.Names(kUs, "a,b"), IsEmpty());
  EXPECT_EQ(routes.why, NoRoute::kFull);
  routes.Set("b", TrunkCondition::kExcluded);
  EXPECT_THAT(routes.Names(kUs, "a,b"), IsEmpty());
  EXPECT_EQ(routes.why, NoRoute::kClosed);
  EXPECT_THAT(routes.Names(kUs, "b"), IsEmpty());
  EXPECT_EQ(routes.why, NoRoute::kExcluded);
  routes.Set("us_only", TrunkCondition::kFull);
  EXPECT_THAT(routes.Names(kChina, "us_only"), IsEmpty());
  EXPECT_EQ(routes.why, NoRoute::kNotCarried) << "that it is full is not why";
}

TEST(RouteTable, DialledFormIsTheRules) {
  Routes routes({Trunk("plain"), Trunk("cn", {{.prefix = "86", .strip = 2, .prepend = "0"},
                                              {.prefix = "1", .prepend = "00"},
                                              {.prefix = "44"},
                                              {.prefix = "4420", .strip = 2}})});
  const auto dialled = [&](E164 number, absl::string_view path) {
    EXPECT_EQ(routes.Names(number, path).size(), 1u);
    return routes.table.Dialled(routes.found[0], number);
  };
  EXPECT_EQ(dialled(kUs, "plain"), "+14155550100");
  EXPECT_EQ(dialled(kChina, "cn"), "013800138000");
  EXPECT_EQ(dialled(kUs, "cn"), "0014155550100");
  EXPECT_EQ(dialled(E164(441619460000), "cn"), "+441619460000");
  EXPECT_EQ(dialled(kUk, "cn"), "2079460000");
}

TEST(RouteTable, FaultsOfTrunksAreAllTold) {
  TrunkSettings bad = Trunk("a b", {{.prefix = "+1"},
                                    {.prefix = "44", .cost_per_minute = -1},
                                    {.prefix = "86", .strip = 8},
                                    {.prefix = "852", .prepend = "sip:"},
                                    {.prefix = "1"},
                                    {.prefix = "1"}});
  bad.weight = 1001;
  const absl::Status status = RouteTable::Create({Trunk("x"), bad, Trunk("x")}).status();
  for (const char* part :
       {"trunk 'a b': a name has", "weight must be 0 to 1000", "prefix '+1': write up to 15 digits",
        "prefix '44': the cost", "prefix '86': strip takes 0 to 7", "prefix '852': prepend takes",
        "prefix '1' is there twice", "trunk 'x': the name is there twice"}) {
    EXPECT_THAT(std::string(status.message()), HasSubstr(part));
  }
}

TEST(RouteTable, FaultsOfPathsAreForPeople) {
  Routes routes({Trunk("a"), Trunk("b")});
  const auto fault = [&](absl::string_view text) {
    return std::string(routes.table.ParsePath(text, TrunkChoice::kPriority).status().message());
  };
  EXPECT_EQ(fault("a,telco"), "trunks: there is no trunk 'telco'; there are: a, b");
  EXPECT_THAT(fault("a,,b"), HasSubstr("a name is missing"));
  EXPECT_THAT(fault("a|"), HasSubstr("a name is missing"));
  EXPECT_EQ(fault("a,b|a"), "trunks: 'a' is there twice");
  for (const char* text : {"a:x", "a:", "a:-1", "a:1001", "a:1:2"}) {
    EXPECT_THAT(fault(text), HasSubstr("weight of 'a' must be a whole number")) << text;
  }
  EXPECT_THAT(fault("a:7|b:3"), IsEmpty());
}

}  // namespace
}  // namespace outpace::trunk
