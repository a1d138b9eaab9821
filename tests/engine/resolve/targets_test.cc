#include "engine/resolve/targets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace outpace::resolve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Target At(const std::string& address, const std::string& host, uint16_t priority = 0,
          uint16_t weight = 0) {
  return {.address = address,
          .ipv6 = address.find(':') != std::string::npos,
          .port = 5060,
          .host = host,
          .priority = priority,
          .weight = weight};
}

std::vector<std::string> Hosts(const std::vector<Target>& targets) {
  std::vector<std::string> hosts;
  for (const Target& target : targets) hosts.push_back(target.host);
  return hosts;
}

TEST(ParsePeer, ReadsAllForms) {
  struct Row {
    const char* text;
    const char* host;
    int port;
    bool numeric;
  };
  for (const Row& row :
       {Row{"192.0.2.10", "192.0.2.10", 0, true}, Row{"192.0.2.10:5060", "192.0.2.10", 5060, true},
        Row{"[2001:db8::1]:5061", "2001:db8::1", 5061, true},
        Row{"[2001:db8::1]", "2001:db8::1", 0, true}, Row{"2001:DB8::1", "2001:db8::1", 0, true},
        Row{"SIP.Carrier.example", "sip.carrier.example", 0, false},
        Row{"sip.carrier.example.", "sip.carrier.example", 0, false},
        Row{"sip.carrier.example:5080", "sip.carrier.example", 5080, false},
        Row{"localhost:65535", "localhost", 65535, false},
        Row{"4u.example", "4u.example", 0, false}}) {
    const auto peer = ParsePeer(row.text);
    ASSERT_TRUE(peer.ok()) << row.text << peer.status();
    EXPECT_EQ(peer->host, row.host);
    EXPECT_EQ(peer->port, row.port);
    EXPECT_EQ(peer->numeric, row.numeric);
  }
}

TEST(ParsePeer, RefusesTheRest) {
  for (const char* text : {"",
                           ":",
                           ":5060",
                           "a:",
                           "a:0",
                           "a:65536",
                           "a:-1",
                           "a:5060x",
                           "a: 5060",
                           "a b",
                           "a..b",
                           ".a",
                           "[::1",
                           "[::1]5060",
                           "[192.0.2.1]:5060",
                           "[host]:5060",
                           "192.0.2.256",
                           "192.0.2:5060",
                           "1.2.3.4.5",
                           "a/b",
                           "sip:a",
                           "a;transport=tcp",
                           "a\r\nb",
                           "::1:zz",
                           "5060"}) {
    EXPECT_EQ(ParsePeer(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_FALSE(ParsePeer(std::string(64, 'a') + ".example").ok());
  std::string long_name;
  for (int i = 0; i < 60; ++i) long_name += "abcd.";
  EXPECT_FALSE(ParsePeer(long_name + "example").ok());
  EXPECT_FALSE(ParsePeer(std::string("a\0b", 3)).ok());
  EXPECT_THAT(std::string(ParsePeer("a:0").status().message()),
              HasSubstr("the port must be 1 to 65535; write e.g."));
}

TEST(OrderTargets, PrioritiesComeInTurn) {
  Rng rng(1);
  std::vector<Target> targets = {At("192.0.2.3", "c", 20), At("192.0.2.1", "a", 5),
                                 At("192.0.2.2", "b", 10)};
  OrderTargets(targets, rng);
  EXPECT_THAT(Hosts(targets), ElementsAre("a", "b", "c"));
}

TEST(OrderTargets, WeightsShareAsRfc2782Says) {
  Rng rng(1);
  std::map<std::string, int> first;
  constexpr int kDraws = 40'000;
  for (int i = 0; i < kDraws; ++i) {
    std::vector<Target> targets = {At("192.0.2.1", "a", 1, 60), At("192.0.2.2", "b", 1, 30),
                                   At("192.0.2.3", "c", 1, 10), At("192.0.2.4", "zero", 1, 0),
                                   At("192.0.2.5", "later", 2, 1000)};
    OrderTargets(targets, rng);
    ASSERT_EQ(targets.size(), 5u);
    EXPECT_EQ(targets[4].host, "later");
    ++first[targets[0].host];
  }
  // Of 101 points (0 to 100): "zero" has one, "a" sixty.
  EXPECT_NEAR(first["a"] / double{kDraws}, 60 / 101.0, 0.01);
  EXPECT_NEAR(first["b"] / double{kDraws}, 30 / 101.0, 0.01);
  EXPECT_NEAR(first["c"] / double{kDraws}, 10 / 101.0, 0.006);
  EXPECT_NEAR(first["zero"] / double{kDraws}, 1 / 101.0, 0.003);
}

TEST(OrderTargets, AHostKeepsItsAddressesTogetherIpv4First) {
  for (uint64_t seed = 1; seed < 200; ++seed) {
    Rng rng(seed);
    std::vector<Target> targets = {At("2001:db8::1", "a", 1, 1), At("192.0.2.9", "b", 1, 1),
                                   At("192.0.2.1", "a", 1, 1), At("192.0.2.2", "a", 1, 1)};
    OrderTargets(targets, rng);
    const std::vector<std::string> hosts = Hosts(targets);
    EXPECT_TRUE(hosts == (std::vector<std::string>{"a", "a", "a", "b"}) ||
                hosts == (std::vector<std::string>{"b", "a", "a", "a"}));
    const size_t a = hosts[0] == "a" ? 0 : 1;
    EXPECT_FALSE(targets[a].ipv6);
    EXPECT_FALSE(targets[a + 1].ipv6);
    EXPECT_TRUE(targets[a + 2].ipv6);
  }
}

TEST(OrderTargets, TheOrderGivenDoesNotMatter) {
  std::vector<Target> given;
  for (int i = 0; i < 20; ++i) {
    given.push_back(At(absl::StrCat("192.0.2.", i + 1), absl::StrCat("h", i % 6),
                       static_cast<uint16_t>(i % 6 % 2), static_cast<uint16_t>(i % 6 * 10)));
  }
  Rng one(9);
  std::vector<Target> first = given;
  OrderTargets(first, one);
  std::reverse(given.begin(), given.end());
  Rng two(9);
  OrderTargets(given, two);
  EXPECT_EQ(first, given);
}

TEST(CapTargets, EveryHostHasItsShareAndTheChoiceIsAlwaysTheSame) {
  std::vector<Target> targets;
  for (int i = 0; i < 200; ++i) {
    targets.push_back(At(absl::StrCat("192.0.2.", i + 1), "many", 1, 9));
  }
  targets.push_back(At("198.51.100.1", "one", 2));
  targets.push_back(At("198.51.100.1", "one", 2));
  std::vector<Target> reversed(targets.rbegin(), targets.rend());
  CapTargets(targets);
  CapTargets(reversed);
  EXPECT_EQ(targets, reversed);
  EXPECT_EQ(targets.size(), static_cast<size_t>(kTargetsMax));
  EXPECT_EQ(targets.back().host, "one");
}

TEST(Target, TextGoesIntoUris) {
  EXPECT_EQ(At("192.0.2.1", "a").ToString(), "192.0.2.1:5060");
  EXPECT_EQ(At("2001:db8::1", "a").ToString(), "[2001:db8::1]:5060");
}

}  // namespace
}  // namespace outpace::resolve
