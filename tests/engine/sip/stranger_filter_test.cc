#include "engine/sip/stranger_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace outpace::sip {
namespace {

constexpr char kRequest[] = "OPTIONS sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9\r\n\r\n";
constexpr char kResponse[] = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.9\r\n\r\n";

class HandClock final : public Clock {
 public:
  MonoTime Mono() const override { return now; }
  absl::Time Wall() const override { return absl::UnixEpoch(); }
  void Advance(absl::Duration by) { now = now + by; }
  MonoTime now{1'000'000'000};
};

class StrangerFilterTest : public ::testing::Test {
 protected:
  static StrangerFilter::Address At(absl::string_view host) { return AddressOf(host).value(); }
  StrangerFilter Make(StrangerLimits limits = {.answer = true}) { return {clock_, limits}; }
  // How many of `n` requests from `host` are let through.
  static int Admitted(StrangerFilter& filter, absl::string_view host, int n,
                      absl::string_view datagram = kRequest) {
    int admitted = 0;
    for (int i = 0; i < n; ++i) admitted += filter.Admit(At(host), datagram) ? 1 : 0;
    return admitted;
  }
  HandClock clock_;
};

TEST_F(StrangerFilterTest, PeersPassWhateverTheySend) {
  StrangerFilter filter = Make({});
  filter.SetPeers({At("192.0.2.1"), At("2001:db8::1")});
  EXPECT_EQ(Admitted(filter, "192.0.2.1", 10'000), 10'000);
  EXPECT_EQ(Admitted(filter, "2001:db8::1", 100, kResponse), 100);
  EXPECT_EQ(Admitted(filter, "::ffff:192.0.2.1", 1), 1);  // seen from a socket of both families
  EXPECT_EQ(Admitted(filter, "2001:db8::2", 1), 0);
  filter.SetPeers({At("192.0.2.2")});
  EXPECT_EQ(Admitted(filter, "192.0.2.1", 1), 0);
  EXPECT_EQ(filter.counters().dropped, 2u);
}

TEST_F(StrangerFilterTest, AStrangerGetsNothingUnlessAnswersAreOn) {
  StrangerFilter filter = Make({});
  EXPECT_EQ(Admitted(filter, "192.0.2.9", 100), 0);
  EXPECT_EQ(filter.counters().dropped, 100u);
  EXPECT_EQ(filter.sources(), 0u);  // and is not remembered
}

TEST_F(StrangerFilterTest, SixteenRequestsInTwoSecondsThenABan) {
  StrangerFilter filter = Make();
  EXPECT_EQ(Admitted(filter, "192.0.2.9", 1'000), 16);
  EXPECT_EQ(filter.counters().bans, 1u);
  EXPECT_EQ(filter.counters().banned, 984u);
  EXPECT_EQ(Admitted(filter, "192.0.2.10", 1), 1);  // its neighbour is not
  clock_.Advance(absl::Seconds(300) - absl::Nanoseconds(1));
  EXPECT_EQ(Admitted(filter, "192.0.2.9", 10), 0);
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(Admitted(filter, "192.0.2.9", 20), 16);
  EXPECT_EQ(filter.counters().bans, 2u);
}

TEST_F(StrangerFilterTest, SlowRequestsAreNoReasonForABan) {
  StrangerFilter filter = Make();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Admitted(filter, "192.0.2.9", 16), 16);
    clock_.Advance(absl::Seconds(2));
  }
  EXPECT_EQ(filter.counters().bans, 0u);
}

TEST_F(StrangerFilterTest, OnlyRequestsPassButAllCount) {
  StrangerFilter filter = Make();
  EXPECT_EQ(Admitted(filter, "192.0.2.9", 8, kResponse), 0);
  EXPECT_EQ(Admitted(filter, "192.0.2.9", 4, "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"), 0);
  EXPECT_EQ(Admitted(filter, "192.0.2.9", 10), 4);
  EXPECT_EQ(filter.counters().bans, 1u);
}

TEST_F(StrangerFilterTest, AnIpv6CustomerIsOneSource) {
  StrangerFilter filter = Make();
  int admitted = 0;
  for (int i = 0; i < 100; ++i) {
    admitted += Admitted(filter, absl::StrCat("2001:db8:0:1::", i + 1), 1);
  }
  EXPECT_EQ(admitted, 16);
  EXPECT_EQ(filter.sources(), 1u);
  EXPECT_EQ(Admitted(filter, "2001:db8:0:2::1", 1), 1);
}

TEST_F(StrangerFilterTest, ManySourcesTogetherAreLimitedToo) {
  StrangerFilter filter = Make();
  int admitted = 0;
  for (int i = 0; i < 10'000; ++i) {
    admitted += Admitted(filter, absl::StrCat("10.1.", i / 250, ".", i % 250), 1);
  }
  EXPECT_EQ(admitted, 256);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Admitted(filter, "192.0.2.9", 1), 1);
}

TEST_F(StrangerFilterTest, TheTableIsBoundedAndTheOneSilentForLongestGoes) {
  StrangerFilter filter = Make({.answer = true, .sources_max = 100});
  EXPECT_EQ(Admitted(filter, "192.0.2.9", 17), 16);
  for (int i = 0; i < 5'000; ++i) {
    Admitted(filter, absl::StrCat("10.1.", i / 250, ".", i % 250), 1);
    // Who goes on sending stays banned, however many others come.
    if (i % 50 == 0) {
      EXPECT_EQ(Admitted(filter, "192.0.2.9", 1), 0) << i;
    }
    ASSERT_LE(filter.sources(), 100u);
  }
  for (int i = 0; i < 100; ++i) Admitted(filter, absl::StrCat("10.2.0.", i), 1);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Admitted(filter, "192.0.2.9", 1), 1);  // forgotten
}

TEST_F(StrangerFilterTest, KnowsARequestByItsFirstLine) {
  EXPECT_TRUE(LooksLikeRequest(kRequest));
  EXPECT_TRUE(LooksLikeRequest("INVITE sip:x SIP/2.0\n"));
  EXPECT_TRUE(LooksLikeRequest("x y sip/2.0"));
  EXPECT_FALSE(LooksLikeRequest(kResponse));
  EXPECT_FALSE(LooksLikeRequest(""));
  EXPECT_FALSE(LooksLikeRequest("\r\nINVITE sip:x SIP/2.0\r\n"));
  EXPECT_FALSE(LooksLikeRequest("GET / HTTP/1.1\r\nX: SIP/2.0\r\n"));
  EXPECT_FALSE(LooksLikeRequest(absl::string_view("\0\1\0\0 SIP/2.0\r\n", 14)));
}

}  // namespace
}  // namespace outpace::sip
