#pragma once

// A shard with one trunk on loopback, and the steps of a call over it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/engine/sip/far_end.h"
#include "tests/engine/sip/shard_under_test.h"

namespace outpace::sip {

inline constexpr char kFarSdp[] = "v=0\r\no=far 1 1 IN IP4 127.0.0.1\r\ns=-\r\n";

inline SipTrunk LoopbackTrunk() {
  SipTrunk trunk;
  trunk.name = "carrier";
  trunk.addresses = {"127.0.0.1"};
  return trunk;
}

// Nothing is sent twice before two seconds are over, so that a slow machine sees no repetitions.
inline SofiaConfig ConfigWith(const SipTrunk& trunk) {
  SofiaConfig config = ShardUnderTest::Config();
  config.t1 = absl::Seconds(2);
  config.t1x64 = absl::Seconds(20);
  config.trunks = {trunk};
  return config;
}

class TrunkFixture : public ::testing::Test {
 protected:
  explicit TrunkFixture(const SofiaConfig& config) : shard_(config) {}
  void SetUp() override { ASSERT_TRUE(shard_.status.ok()) << shard_.status; }

  WireMessage Ring() {
    call::InviteRequest request = RequestTo(far_);
    request.trunk = 0;
    EXPECT_TRUE(shard_.Invite(request).ok());
    return far_.ReceiveRequest("INVITE");
  }
  Reply Ok(const std::vector<std::string>& extra = {}) {
    Reply reply{200, "OK", "far", {far_.Contact()}, kFarSdp};
    reply.extra.insert(reply.extra.end(), extra.begin(), extra.end());
    return reply;
  }
  // Leg 1 up, with further headers in the 200.
  WireMessage Establish(const std::vector<std::string>& extra = {}) {
    WireMessage invite = Ring();
    far_.Answer(invite, Ok(extra));
    answer_ = shard_.events.NextFinal();
    EXPECT_EQ(answer_.kind, "answer");
    shard_.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
    EXPECT_TRUE(far_.ReceiveRequest("ACK").valid);
    return invite;
  }
  // Returns when what the far end has sent is handled. What comes meanwhile is passed over.
  void Settle() { far_.Settle(shard_.port()); }

  FarEnd far_;
  ShardUnderTest shard_;
  Event answer_;
};

}  // namespace outpace::sip
