// The receive path with real sockets on loopback. Bursts are sent while the loop is held, so that
// they are read in one go however busy the machine is.

#include "engine/sip/datagram_path.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/engine/sip/far_end.h"
#include "tests/engine/sip/shard_under_test.h"
#include "tests/engine/sip/tap_recorder.h"

namespace outpace::sip {
namespace {

constexpr char kSdp[] = "v=0\r\no=far 1 1 IN IP4 127.0.0.1\r\ns=-\r\n";

// Holds a shard's loop from construction to Release().
class Hold {
 public:
  explicit Hold(ShardUnderTest& shard) {
    std::promise<void> held;
    OUTPACE_CHECK(shard.loop.Post([&held, released = release_.get_future().share()] {
      held.set_value();
      released.wait();
    }));
    held.get_future().wait();
  }
  ~Hold() { Release(); }
  void Release() {
    if (!released_) release_.set_value();
    released_ = true;
  }

 private:
  std::promise<void> release_;
  bool released_ = false;
};

std::string Request(absl::string_view method, int n, int from_port, size_t size = 0) {
  std::string text = absl::StrCat(
      method, " sip:outpace@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:", from_port,
      ";branch=z9hG4bKd", n, ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:x@127.0.0.1>;tag=1\r\nTo: ",
      "<sip:outpace@127.0.0.1>\r\nCall-ID: burst-", n, "\r\nCSeq: ", n + 1, " ", method,
      "\r\nContent-Length: 0\r\nSubject: ");
  if (size > text.size() + 4) text.append(size - text.size() - 4, 'x');
  return text + "\r\n\r\n";
}

// Status codes of the responses that come until nothing has come for a while.
std::vector<int> Statuses(FarEnd& far, size_t expected) {
  std::vector<int> statuses;
  while (statuses.size() < expected || !far.Quiet(100)) {
    const WireMessage message = far.Receive();
    if (!message.valid) break;
    statuses.push_back(message.Status());
  }
  return statuses;
}

SofiaConfig Answering() {
  SofiaConfig config = ShardUnderTest::Config();
  config.drop_strangers = false;
  return config;
}

TEST(DatagramPath, ABurstIsReadInFewCallsAndAnsweredWhole) {
  ShardUnderTest shard;
  ASSERT_TRUE(shard.status.ok());
  FarEnd far;
  {
    Hold hold(shard);
    for (int n = 0; n < 200; ++n) far.Send(Request("OPTIONS", n, far.port()), shard.port());
  }
  const std::vector<int> statuses = Statuses(far, 200);
  EXPECT_EQ(statuses.size(), 200u);
  EXPECT_THAT(statuses, ::testing::Each(200));
  const SofiaCounters counters = shard.counters();
  EXPECT_EQ(counters.datagrams_in, 200u);
  EXPECT_EQ(counters.datagrams_out, 200u);
  EXPECT_EQ(counters.datagram_reads, 7u);  // 6 x 32 + 8
}

TEST(DatagramPath, AStrangerIsAnsweredSixteenTimesThenBannedForFiveMinutes) {
  ShardUnderTest shard(Answering());
  FarEnd stranger("127.0.0.2"), peer;
  const auto burst = [&](int first, int count) {
    Hold hold(shard);
    for (int n = first; n < first + count; ++n) {
      stranger.Send(Request("OPTIONS", n, stranger.port()), shard.port());
    }
  };
  burst(0, 500);
  std::vector<int> statuses = Statuses(stranger, 16);
  EXPECT_EQ(statuses.size(), 16u);
  EXPECT_THAT(statuses, ::testing::Each(403));
  SofiaCounters counters = shard.counters();
  EXPECT_EQ(counters.strangers_refused, 16u);
  EXPECT_EQ(counters.strangers_dropped, 484u);
  EXPECT_EQ(counters.strangers_banned, 1u);

  shard.clock.Advance(absl::Seconds(290));
  burst(1'000, 20);
  EXPECT_TRUE(Statuses(stranger, 0).empty());
  peer.Send(Request("OPTIONS", 1, peer.port()), shard.port());
  EXPECT_EQ(peer.ReceiveResponse("OPTIONS").Status(), 200);
  shard.clock.Advance(absl::Seconds(20));
  burst(2'000, 20);
  EXPECT_EQ(Statuses(stranger, 16).size(), 16u);
}

TEST(DatagramPath, CallsGoOnThroughAFlood) {
  ShardUnderTest shard(Answering());
  FarEnd far;
  std::vector<std::unique_ptr<FarEnd>> strangers;
  for (int i = 2; i < 12; ++i) {
    strangers.push_back(std::make_unique<FarEnd>(absl::StrCat("127.0.0.", i)));
  }
  int n = 0;
  const auto flood = [&] {
    Hold hold(shard);
    for (int i = 0; i < 100; ++i, ++n) {
      FarEnd& stranger = *strangers[static_cast<size_t>(n) % strangers.size()];
      stranger.Send(Request(n % 2 == 0 ? "REGISTER" : "INVITE", n, stranger.port()), shard.port());
    }
  };
  for (uint32_t call = 1; call <= 10; ++call) {
    flood();
    ASSERT_TRUE(shard.Invite(RequestTo(far, call)).ok());
    flood();
    const WireMessage invite = far.ReceiveRequest("INVITE");
    far.Answer(invite, {200, "OK", "far", {far.Contact()}, kSdp});
    flood();
    ASSERT_EQ(shard.events.NextFinal().kind, "answer");
    shard.Do([call](SofiaSignaling& s) {
      s.Ack(Leg1(call));
      s.Bye(Leg1(call), 16);
    });
    flood();
    far.Answer(far.ReceiveRequest("BYE"), {});
    EXPECT_EQ(shard.events.NextFinal().kind, "bye_done");
  }
  const SofiaCounters counters = shard.counters();
  EXPECT_EQ(counters.strangers_banned, strangers.size());
  EXPECT_LE(counters.strangers_refused, 16 * strangers.size());
  EXPECT_GE(counters.strangers_dropped, 4'000 - 16 * strangers.size());
}

TEST(DatagramPath, OnlyRequestsOfStrangersReachTheStack) {
  ShardUnderTest shard(Answering());
  FarEnd stranger("127.0.0.2"), peer;
  stranger.Send("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1\r\n\r\n", shard.port());
  stranger.Send("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n", shard.port());
  stranger.Send(std::string("\0\1\0\0!\x12\xa4\x42xxxxxxxxxxxxx", 21), shard.port());
  peer.Send(Request("OPTIONS", 1, peer.port()), shard.port());
  EXPECT_EQ(peer.ReceiveResponse("OPTIONS").Status(), 200);
  EXPECT_EQ(shard.counters().datagrams_in, 1u);
  EXPECT_EQ(shard.counters().strangers_dropped, 2u);  // STUN is dropped before
}

TEST(DatagramPath, OddSizesAreDropped) {
  ShardUnderTest shard;
  FarEnd far;
  far.Send("", shard.port());
  far.Send("\r\n\r\n", shard.port());
  far.Send("INVITE x SIP/2.", shard.port());
  far.Send(Request("OPTIONS", 1, far.port(), kDatagramBytesMax + 1), shard.port());
  far.Send(Request("OPTIONS", 2, far.port(), 60'000), shard.port());
  far.Send(Request("OPTIONS", 3, far.port(), kDatagramBytesMax), shard.port());
  const WireMessage response = far.ReceiveResponse("OPTIONS");
  EXPECT_EQ(response.Status(), 200);
  EXPECT_EQ(response.Header("Call-ID"), "burst-3");
  EXPECT_EQ(shard.counters().datagrams_in, 1u);
  EXPECT_EQ(shard.counters().datagrams_wrong_size, 5u);
}

// ---- errors of the network ----

TEST(DatagramPath, AClosedPortEndsOnlyItsOwnCall) {
  ShardUnderTest shard;
  FarEnd far;
  int closed_port = 0;
  {
    const FarEnd gone;
    closed_port = gone.port();
  }
  // Each send after the first finds the error of the one before on the socket.
  shard.Do([&](SofiaSignaling& s) {
    for (uint32_t i = 1; i <= 40; ++i) {
      call::InviteRequest request = RequestTo(far, i);
      if (i % 2 == 1) request.route_uri = absl::StrCat("sip:127.0.0.1:", closed_port);
      EXPECT_TRUE(s.Invite(request).ok());
    }
  });
  std::set<std::string> rung;
  while (rung.size() < 20) {
    const WireMessage invite = far.ReceiveRequest("INVITE");
    ASSERT_TRUE(invite.valid);
    if (rung.insert(invite.Header("Call-ID")).second) {
      far.Answer(invite, {486, "Busy Here", "far", {}, ""});
    }
  }
  int busy = 0;
  for (int i = 0; i < 40; ++i) {
    const Event event = shard.events.NextFinal();
    ASSERT_EQ(event.kind, "failure");
    EXPECT_EQ(event.status, event.leg.index % 2 == 1 ? 503 : 486) << event.leg.index;
    EXPECT_EQ(event.failure.local, event.leg.index % 2 == 1);
    busy += event.status == 486 ? 1 : 0;
  }
  EXPECT_EQ(busy, 20);
}

// ---- the tap ----

TEST(DatagramPath, TheTapSeesWhatStandsOnTheWire) {
  TapRecorder recorder;
  SofiaConfig config = Answering();
  config.tap = &recorder;
  ShardUnderTest shard(config);
  FarEnd far, stranger("127.0.0.2");
  stranger.Send("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1\r\n\r\n", shard.port());
  ASSERT_TRUE(shard.Invite(RequestTo(far)).ok());
  far.Answer(far.ReceiveRequest("INVITE"), {486, "Busy Here", "far", {}, ""});
  ASSERT_EQ(shard.events.NextFinal().kind, "failure");
  EXPECT_TRUE(far.ReceiveRequest("ACK").valid);
  const std::vector<TapRecorder::Seen> seen = recorder.seen();
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].direction, trace::Direction::kOut);
  EXPECT_EQ(seen[0].local, absl::StrCat("127.0.0.1:", shard.port()));
  EXPECT_EQ(seen[0].remote, absl::StrCat("127.0.0.1:", far.port()));
  EXPECT_TRUE(absl::StartsWith(seen[0].bytes, "INVITE sip:"));
  EXPECT_TRUE(absl::EndsWith(seen[0].bytes, RequestTo(far).sdp_offer));
  EXPECT_EQ(seen[1].direction, trace::Direction::kIn);
  EXPECT_EQ(seen[1].remote, absl::StrCat("127.0.0.1:", far.port()));
  EXPECT_TRUE(absl::StartsWith(seen[1].bytes, "SIP/2.0 486 Busy Here\r\n"));
  EXPECT_TRUE(absl::StartsWith(seen[2].bytes, "ACK sip:"));
  EXPECT_EQ(seen[0].transport, trace::WireTransport::kUdp);
  EXPECT_LE(seen[0].at, seen[1].at);
  EXPECT_LT(shard.clock.Wall() - seen[0].at, absl::Hours(1));
}

// ---- IPv6 ----

// A UDP socket on ::1.
class V6Socket {
 public:
  V6Socket() : fd_(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in6 address = Loopback(0);
    if (fd_ >= 0 && bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      close(fd_);
      fd_ = -1;
    }
  }
  ~V6Socket() {
    if (fd_ >= 0) close(fd_);
  }
  V6Socket(const V6Socket&) = delete;
  V6Socket& operator=(const V6Socket&) = delete;
  bool open() const { return fd_ >= 0; }
  void Send(const std::string& text, int port) {
    const sockaddr_in6 to = Loopback(port);
    sendto(fd_, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  // Datagrams that come until none has come for a while; the first is waited for.
  std::vector<std::string> Drain(size_t expected) {
    std::vector<std::string> all;
    for (;;) {
      pollfd wait{fd_, POLLIN, 0};
      if (poll(&wait, 1, all.size() < expected ? 10'000 : 100) <= 0) return all;
      char buffer[4096];
      const ssize_t size = recv(fd_, buffer, sizeof buffer, 0);
      if (size > 0) all.emplace_back(buffer, static_cast<size_t>(size));
    }
  }

 private:
  static sockaddr_in6 Loopback(int port) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    address.sin6_port = htons(static_cast<uint16_t>(port));
    return address;
  }
  int fd_;
};

class DatagramPathV6 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!socket_.open()) GTEST_SKIP() << "this machine has no IPv6";
  }
  static SofiaConfig Config(const char* peer, bool drop) {
    SofiaConfig config = ShardUnderTest::Config();
    config.bind_address = "::1";
    config.peers = {peer};
    config.drop_strangers = drop;
    return config;
  }
  std::vector<std::string> Burst(ShardUnderTest& shard, int count, size_t expected) {
    {
      Hold hold(shard);
      for (int n = 0; n < count; ++n) socket_.Send(Request("OPTIONS", n, 5060), shard.port());
    }
    return socket_.Drain(expected);
  }
  V6Socket socket_;
};

TEST_F(DatagramPathV6, PeersAreHeard) {
  ShardUnderTest shard(Config("0:0:0:0:0:0:0:1", true));
  ASSERT_TRUE(shard.status.ok()) << shard.status;
  const auto answers = Burst(shard, 100, 100);
  EXPECT_EQ(answers.size(), 100u);
  for (const std::string& answer : answers) {
    EXPECT_TRUE(absl::StartsWith(answer, "SIP/2.0 200 ")) << answer;
  }
}

TEST_F(DatagramPathV6, StrangersAreDroppedThoughTheKernelDoesNot) {
  ShardUnderTest shard(Config("2001:db8::1", true));
  ASSERT_TRUE(shard.status.ok()) << shard.status;
  EXPECT_TRUE(Burst(shard, 100, 0).empty());
  EXPECT_EQ(shard.counters().strangers_dropped, 100u);
  EXPECT_EQ(shard.counters().datagrams_in, 0u);
}

TEST_F(DatagramPathV6, StrangersAreBanned) {
  ShardUnderTest shard(Config("2001:db8::1", false));
  ASSERT_TRUE(shard.status.ok()) << shard.status;
  const auto answers = Burst(shard, 100, 16);
  EXPECT_EQ(answers.size(), 16u);
  for (const std::string& answer : answers) {
    EXPECT_TRUE(absl::StartsWith(answer, "SIP/2.0 403 ")) << answer;
  }
  EXPECT_EQ(shard.counters().strangers_banned, 1u);
}

}  // namespace
}  // namespace outpace::sip
