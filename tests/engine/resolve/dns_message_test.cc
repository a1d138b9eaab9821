#include "engine/resolve/dns_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/base/rng.h"
#include "tests/engine/resolve/dns_server.h"

namespace outpace::resolve {
namespace {

absl::StatusOr<DnsAnswer> Parse(const std::string& message) {
  return ParseDnsAnswer(
      absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(message.data()), message.size()));
}

std::string Header(uint16_t flags, uint16_t answers, uint16_t authorities = 0) {
  return U16Bytes(7) + U16Bytes(flags) + U16Bytes(1) + U16Bytes(answers) + U16Bytes(authorities) +
         U16Bytes(0) + NameBytes("sip.carrier.test") + U16Bytes(33) + U16Bytes(1);
}

std::string Record(const DnsServer::Record& r, const std::string& owner = "\xc0\x0c") {
  return owner + U16Bytes(r.type) + U16Bytes(1) + U32Bytes(r.ttl) +
         U16Bytes(static_cast<uint16_t>(r.data.size())) + r.data;
}

TEST(DnsMessage, RecordsAndTheLeastTtl) {
  const auto answer =
      Parse(Header(0x8180, 5) + Record(DnsServer::Cname("x.test", 40)) +
            Record(DnsServer::A("192.0.2.1", 60)) + Record(DnsServer::Aaaa("2001:db8::1", 50)) +
            Record(DnsServer::Srv(1, 2, 5060, "Gw.Carrier.test", 70)) +
            Record(DnsServer::Srv(1, 2, 5060, "", 70)));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->ttl, 40u);
  ASSERT_EQ(answer->addresses.size(), 2u);
  EXPECT_EQ(answer->addresses[0].text, "192.0.2.1");
  EXPECT_EQ(answer->addresses[1].text, "2001:db8::1");
  EXPECT_TRUE(answer->addresses[1].ipv6);
  ASSERT_EQ(answer->srv.size(), 2u);
  EXPECT_EQ(answer->srv[0].target, "gw.carrier.test");
  EXPECT_EQ(answer->srv[0].priority, 1);
  EXPECT_EQ(answer->srv[0].weight, 2);
  EXPECT_EQ(answer->srv[0].port, 5060);
  EXPECT_EQ(answer->srv[1].target, "");
}

TEST(DnsMessage, WhatCannotBeSentToIsLeftOut) {
  const auto answer = Parse(
      Header(0x8180, 7) + Record(DnsServer::A("0.0.0.0")) + Record(DnsServer::A("224.0.0.1")) +
      Record(DnsServer::A("255.255.255.255")) + Record(DnsServer::Aaaa("::")) +
      Record(DnsServer::Aaaa("ff02::1")) + Record(DnsServer::Srv(0, 0, 0, "a.test")) +
      Record(DnsServer::Srv(0, 0, 1, "a b>.test")));
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(answer->addresses.empty());
  EXPECT_TRUE(answer->srv.empty());
}

TEST(DnsMessage, NegativeTtlIsTheLesserOfBoth) {
  const std::string soa = NameBytes("ns.test") + NameBytes("root.test") + U32Bytes(1) +
                          U32Bytes(2) + U32Bytes(3) + U32Bytes(4) + U32Bytes(77);
  const auto answer = Parse(Header(0x8183, 0, 1) + Record({6, 3600, soa}));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->rcode, 3);
  EXPECT_EQ(answer->negative_ttl, 77u);
}

TEST(DnsMessage, PointersThatLoopAreRefused) {
  const std::string header =
      U16Bytes(7) + U16Bytes(0x8180) + U16Bytes(1) + U16Bytes(0) + U16Bytes(0) + U16Bytes(0);
  const std::string type = U16Bytes(1) + U16Bytes(1);
  EXPECT_FALSE(Parse(header + "\xc0\x0c" + type).ok());  // to itself
  EXPECT_FALSE(Parse(header + "\xc0\x20" + type).ok());  // forward
  EXPECT_FALSE(Parse(header +
                     "\x01"
                     "a\xc0\x0c" +
                     type)
                   .ok());  // a name in itself
  EXPECT_FALSE(Parse(header +
                     "\x41"
                     "a" +
                     type)
                   .ok());  // reserved label type
  EXPECT_FALSE(Parse(header + "\xc0").ok());
}

TEST(DnsMessage, EveryPrefixAndAnyDamageEnds) {
  std::string good = Header(0x8180, 40);
  for (int i = 0; i < 20; ++i) {
    good += Record(DnsServer::A("192.0.2.1")) + Record(DnsServer::Srv(1, 2, 3, "gw.test"));
  }
  ASSERT_TRUE(Parse(good).ok());
  for (size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(Parse(good.substr(0, n)).ok()) << n;
  Rng rng(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string bad = good;
    for (uint64_t k = 1 + rng.Below(4); k > 0; --k) {
      bad[rng.Below(bad.size())] = static_cast<char>(rng.Below(256));
    }
    const auto answer = Parse(bad);
    if (answer.ok()) {
      EXPECT_LE(answer->srv.size() + answer->addresses.size(), 70'000u);
    }
  }
}

}  // namespace
}  // namespace outpace::resolve
