// 20,000 junk packets a second at the engine's ports, live ones and free ones, beside running
// calls: no packet of the calls is lost, and the junk costs what looking at it costs. Junk is of
// every kind a stranger can send (RTP, half RTP, reports, SRTP without the key, nothing at all) and
// comes from an address of its own; some of it from the far ends' own addresses.

#include <gtest/gtest.h>
#include <poll.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "engine/base/rng.h"
#include "tests/engine/media/media_fixture.h"
#include "tests/engine/media/srtp_phone.h"

namespace outpace::media {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kCalls = 20;
constexpr int kFreePorts = 20;
constexpr int kJunkPerMs = 20;
constexpr int kPackets = 150;  // of each leg: three seconds

std::vector<std::string> Junk() {
  std::vector<std::string> out;
  const std::string rtp = MakeRtp(0, 7, 7, 0x666, Payload(6));
  out = {"",
         "x",
         "GET / HTTP/1.0\r\n\r\n",
         rtp,
         rtp.substr(0, 12),
         "\x8f" + rtp.substr(1),
         "\x90" + rtp.substr(1),
         "\xa0" + rtp.substr(1),
         MakeRtp(18, 1, 1, 1, "G.729"),
         MakeRtp(101, 1, 1, 1, std::string("\x05\x80\x03\x20", 4)),
         std::string("\x81\xcb\x00\x01\x11\x22\x33\x44", 8),
         rtp + std::string(10, '\x77'),
         std::string(1'400, '\xff')};
  return out;
}

double CpuSeconds(clockid_t of) {
  timespec used{};
  clock_gettime(of, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

struct Call {
  FarEnd callee, agent;
  LegId callee_leg, agent_leg;
  uint16_t callee_port = 0, agent_port = 0;
  std::unique_ptr<LibSrtp> out;  // an encrypted callee's
  int at_agent = 0, at_callee = 0;
};

class MediaFlood : public testing::Test {
 protected:
  MediaFlood() : media_(Config()) {
    for (uint32_t i = 0; i < kCalls; ++i) {
      auto call = std::make_unique<Call>();
      call->callee_leg = Leg(2 * i + 1);
      call->agent_leg = Leg(2 * i + 2);
      call->agent_port = media_.Connect(call->agent_leg, call->agent);
      if (i % 4 == 0) {
        ConnectEncrypted(*call);
      } else {
        call->callee_port = media_.Connect(call->callee_leg, call->callee);
      }
      media_.plane->Bridge(call->callee_leg, call->agent_leg);
      ports_.push_back(call->callee_port);
      ports_.push_back(call->agent_port);
      calls_.push_back(std::move(call));
    }
    // The rest of the pool is bound and nobody's.
    for (uint32_t i = 0; i < kFreePorts; ++i) {
      const auto offer = media_.plane->Open(Leg(1'000 + i), {});
      EXPECT_TRUE(offer.ok());
      ports_.push_back(AudioPort(*offer));
    }
    for (uint32_t i = 0; i < kFreePorts; ++i) media_.plane->Close(Leg(1'000 + i));
    media_.plane->Unbridge(Leg(7'777));  // not open: wakes the thread
    EXPECT_TRUE(media_.WaitFor(
        [](const MediaStats& s) { return s.legs == 2 * kCalls && s.bridged_calls == kCalls; }));
  }

  static MediaConfig Config() {
    MediaConfig config = TestConfig();
    config.ports = 2 * kCalls + kFreePorts;
    return config;
  }
  void ConnectEncrypted(Call& call) {
    const auto offer = media_.plane->Open(call.callee_leg, {.srtp = true});
    EXPECT_TRUE(offer.ok());
    call.callee_port = AudioPort(*offer);
    const SdesLine own{.tag = 1, .key = KeyOf(SrtpSuite::kAesCm128Sha1_80, 100), .mki_size = 0};
    call.out = std::make_unique<LibSrtp>(own.key, LibSrtp::Way::kOut);
    const std::string sdp = absl::StrReplaceAll(
        call.callee.Sdp("0 101"),
        {{"RTP/AVP", "RTP/SAVP"},
         {"a=sendrecv", absl::StrCat(absl::StripSuffix(SdesText(own), "\r\n"), "\r\na=sendrecv")}});
    EXPECT_TRUE(media_.plane->SetRemote(call.callee_leg, sdp).ok());
  }
  // The next packet of both sides.
  void Talk(Call& call, int number) {
    if (call.out != nullptr) {
      const std::string plain =
          MakeRtp(0, call.callee.seq++, call.callee.timestamp, call.callee.ssrc, Payload(number));
      call.callee.timestamp += 160;
      call.callee.SendTo(call.callee_port, *call.out->Protect(plain));
    } else {
      call.callee.Talk(call.callee_port, 0, Payload(number));
    }
    call.agent.Talk(call.agent_port, 0, Payload(1'000 + number));
  }
  // Takes in all that is there; in the clear it must be what was said, in order.
  void Hear(Call& call) {
    while (const auto packet = call.agent.Hear(absl::ZeroDuration())) {
      EXPECT_EQ(packet->payload, Payload(call.at_agent)) << call.at_agent;
      ++call.at_agent;
    }
    while (call.callee.HearBytes(absl::ZeroDuration()).has_value()) ++call.at_callee;
  }

  Media media_;
  std::vector<std::unique_ptr<Call>> calls_;
  std::vector<uint16_t> ports_;
};

TEST_F(MediaFlood, JunkAtAllPortsCostsTheCallsNothing) {
  const double cpu_before = CpuSeconds(CLOCK_PROCESS_CPUTIME_ID);
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> junk_sent{0};
  const std::vector<std::string> junk = Junk();
  const FarEnd stranger;
  std::thread flood([&] {
    Rng rng(1);
    auto due = Clock::now();
    while (!stop) {
      due += milliseconds(1);
      for (int i = 0; i < kJunkPerMs; ++i) {
        stranger.SendTo(ports_[rng.Below(ports_.size())], junk[rng.Below(junk.size())]);
        junk_sent++;
      }
      // A machine too busy for the rate gets what it can take: no burst makes up for it.
      while (Clock::now() < due) poll(nullptr, 0, 1);
      due = std::max(due, Clock::now() - milliseconds(50));
    }
  });
  const auto start = Clock::now();
  for (int number = 0; number < kPackets; ++number) {
    for (const std::unique_ptr<Call>& call : calls_) {
      Talk(*call, number);
      // Rubbish from the right address, once in a while.
      if (number % 10 == 0) {
        call->callee.SendTo(call->callee_port, junk[number / 10 % 2 == 0 ? 1 : 4]);
      }
      Hear(*call);
    }
    const auto due = start + milliseconds(20 * (number + 1));
    while (Clock::now() < due) poll(nullptr, 0, 1);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  stop = true;
  flood.join();
  // All that was sent to live sockets is through, and then some.
  EXPECT_TRUE(media_.WaitFor([&](const MediaStats& stats) {
    return stats.packets_out >= uint64_t{2} * kCalls * kPackets;
  })) << media_.server->Stats().packets_out;
  for (const std::unique_ptr<Call>& call : calls_) {
    Hear(*call);
    EXPECT_EQ(call->at_agent, kPackets);
    EXPECT_EQ(call->at_callee, kPackets);
  }
  const MediaStats stats = media_.server->Stats();
  EXPECT_EQ(stats.bridged_calls, static_cast<uint64_t>(kCalls));
  EXPECT_EQ(stats.legs, static_cast<uint64_t>(2 * kCalls));
  EXPECT_EQ(stats.packets_out, static_cast<uint64_t>(2 * kCalls * kPackets));
  EXPECT_GT(stats.dropped_foreign, 0u);
  EXPECT_GT(stats.dropped_no_leg, 0u);
  // What the kernel threw away at a full socket was junk too: the calls lost nothing.
  EXPECT_LE(stats.dropped_foreign + stats.dropped_no_leg, junk_sent.load());
  EXPECT_TRUE(stranger.HearsNothingFor(absl::Milliseconds(40)));
  RecordProperty("junk_sent", absl::StrCat(junk_sent.load()));
  RecordProperty("junk_a_second", absl::StrCat(static_cast<double>(junk_sent) / seconds));
  RecordProperty("process_cpu_s", absl::StrCat(CpuSeconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_before));
}

// What junk costs, by itself: CPU of everything but the flooder for each packet of it. 40 us is ten
// times what it takes, so that only a mistake (a log line, a search, an allocation that grows) is
// above it.
TEST_F(MediaFlood, JunkIsCheap) {
  constexpr int kJunk = 40'000;
  const std::vector<std::string> junk = Junk();
  const FarEnd stranger;
  double flooder = 0;
  const double before = CpuSeconds(CLOCK_PROCESS_CPUTIME_ID);
  std::thread flood([&] {
    const double start = CpuSeconds(CLOCK_THREAD_CPUTIME_ID);
    Rng rng(2);
    for (int i = 0; i < kJunk; ++i) {
      stranger.SendTo(ports_[rng.Below(ports_.size())], junk[rng.Below(junk.size())]);
      // As fast as it is taken in, so that each packet is looked at.
      while (i % 32 == 0 && media_.server->Stats().packets_in + 500 < static_cast<uint64_t>(i)) {
        poll(nullptr, 0, 1);
      }
    }
    flooder = CpuSeconds(CLOCK_THREAD_CPUTIME_ID) - start;
  });
  flood.join();
  EXPECT_TRUE(media_.WaitFor([](const MediaStats& s) { return s.packets_in >= kJunk; }));
  const double engine_us = (CpuSeconds(CLOCK_PROCESS_CPUTIME_ID) - before - flooder) * 1e6 / kJunk;
  RecordProperty("engine_us_a_packet", absl::StrCat(engine_us));
  EXPECT_LT(engine_us, 40);
  EXPECT_EQ(media_.server->Stats().packets_out, 0u);
}

// An encrypted call under 20,000 packets that fail their tag, from the far end's own address: it is
// up afterwards, and heard.
TEST_F(MediaFlood, BadSrtpNeverEndsACall) {
  Call& call = *calls_.front();
  constexpr uint64_t kBad = 20'000;
  for (uint64_t i = 0; i < kBad; ++i) {
    call.callee.SendTo(call.callee_port, MakeRtp(0, static_cast<uint16_t>(i), 1, call.callee.ssrc,
                                                 Payload(static_cast<int>(i % 100))));
    if (i % 50 != 49) continue;
    ASSERT_TRUE(media_.WaitFor([&](const MediaStats& s) { return s.dropped_srtp_tag > i; }));
  }
  Talk(call, 0);
  const auto heard = call.agent.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload, Payload(0));
  EXPECT_EQ(media_.server->Stats().dropped_srtp_tag, kBad);
  EXPECT_EQ(media_.server->Stats().bridged_calls, static_cast<uint64_t>(kCalls));
}

}  // namespace
}  // namespace outpace::media
