#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <thread>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"
#include "engine/media/mixer.h"
#include "engine/media/playout_buffer.h"
#include "tests/engine/media/allocation_counter.h"

namespace outpace::media {
namespace {

using codec::Codec;

MonoTime AtMs(double ms) { return MonoTime(static_cast<int64_t>(ms * 1e6) + 5'000'000'000); }

struct Arrival {
  double ms = 0;
  int sent = 0;  // order of sending
  RtpHeader header;
  Codec codec = Codec::kPcmu;
  std::vector<uint8_t> payload;
};

struct Played {
  double ms = 0;
  PlayoutFrame kind = PlayoutFrame::kSilence;
  std::vector<int16_t> samples;
};

// Packets and ticks in the order of their times; a packet before a tick of the same time.
std::vector<Played> PlayAll(PlayoutBuffer& buffer, std::vector<Arrival> packets, double until_ms,
                            double tick_ms = 20, double first_tick = 7,
                            const std::function<void(double)>& each = nullptr, int rate = 8000) {
  std::sort(packets.begin(), packets.end(), [](const Arrival& a, const Arrival& b) {
    return a.ms != b.ms ? a.ms < b.ms : a.sent < b.sent;
  });
  std::vector<Played> out;
  size_t next = 0;
  for (double t = first_tick; t < until_ms; t += tick_ms) {
    for (; next < packets.size() && packets[next].ms <= t; ++next) {
      const Arrival& p = packets[next];
      buffer.Put(p.codec, p.header, p.payload, AtMs(p.ms));
    }
    Played& played = out.emplace_back();
    played.ms = t;
    played.samples.resize(static_cast<size_t>(rate / 50));
    played.kind = buffer.Get(AtMs(t), absl::MakeSpan(played.samples));
    if (each) each(t);
  }
  return out;
}

// A phone: 20 ms of PCMU a packet. Packet `i` holds one value, Code(i), which tells it apart from
// its neighbours when it is heard; every fourth second is a pause of one value.
class Phone {
 public:
  static bool Pause(int i) { return i / 50 % 4 == 3; }
  static uint8_t Code(int i) {
    if (Pause(i)) return codec::kMuSilence;
    return static_cast<uint8_t>(0x90 + i % 29);  // loud, all different
  }
  // Sent at `i` * 20 ms of its own clock, which runs `ppm` fast.
  Arrival Packet(int i, double delay_ms = 0) const {
    Arrival out;
    out.ms = i * 20 / (1 + ppm * 1e-6) + delay_ms;
    out.sent = i;
    out.header = {.payload_type = 0,
                  .marker = i == 0,
                  .seq = static_cast<uint16_t>(first_seq + i),
                  .timestamp = first_timestamp + static_cast<uint32_t>(i) * 160,
                  .ssrc = ssrc};
    out.payload.assign(160, Code(i));
    return out;
  }
  std::vector<Arrival> Packets(int from, int to) const {
    std::vector<Arrival> out;
    for (int i = from; i < to; ++i) out.push_back(Packet(i));
    return out;
  }
  double ppm = 0;
  uint16_t first_seq = 65500;  // wraps
  uint32_t first_timestamp = 0xffffff00U;
  uint32_t ssrc = 1;
};

// The packet numbers heard whole, in order.
std::vector<int> Heard(const std::vector<Played>& played, int packets) {
  std::vector<int> out;
  int next = 0;
  for (const Played& p : played) {
    if (p.kind != PlayoutFrame::kAudio) continue;
    const bool even = std::all_of(p.samples.begin(), p.samples.end(),
                                  [&](int16_t s) { return s == p.samples[0]; });
    if (!even) continue;
    for (int i = next; i < std::min(next + 29, packets); ++i) {
      if (p.samples[0] != codec::MuToLinear(Phone::Code(i))) continue;
      out.push_back(i);
      next = i + 1;
      break;
    }
  }
  return out;
}

int Count(const std::vector<Played>& played, PlayoutFrame kind, double from_ms = 0) {
  return static_cast<int>(std::count_if(played.begin(), played.end(), [&](const Played& p) {
    return p.kind == kind && p.ms >= from_ms;
  }));
}

TEST(PlayoutBuffer, SilenceBeforeAnything) {
  PlayoutBuffer buffer(8000);
  const auto played = PlayAll(buffer, {}, 200);
  EXPECT_EQ(Count(played, PlayoutFrame::kSilence), 10);
  for (const Played& p : played) EXPECT_EQ(p.samples, std::vector<int16_t>(160));
}

TEST(PlayoutBuffer, AnEvenNetworkIsPlayedWholeAndSoon) {
  PlayoutBuffer buffer(8000);
  const auto played = PlayAll(buffer, Phone().Packets(0, 500), 10'000);
  EXPECT_EQ(Count(played, PlayoutFrame::kConcealed), 0);
  // The last ones are still inside.
  std::vector<int> all(497);
  for (int i = 0; i < 497; ++i) all[static_cast<size_t>(i)] = i;
  auto heard = Heard(played, 500);
  // A frame or two of the first pause is left out, as the network is better than was feared.
  EXPECT_GE(heard.size(), 494u);
  heard.resize(140);
  all.resize(140);
  EXPECT_EQ(heard, all);
  EXPECT_LE(buffer.stats().depth, absl::Milliseconds(45));
  EXPECT_EQ(buffer.stats().target, absl::Milliseconds(20));
  EXPECT_LT(Count(played, PlayoutFrame::kSilence), 4);
}

// Delays with a tail: exponential, as on a busy link.
TEST(PlayoutBuffer, DepthFollowsTheJitter) {
  struct Case {
    double mean_ms;
    absl::Duration least, most;
  };
  for (const Case& c : {Case{1, absl::Milliseconds(20), absl::Milliseconds(45)},
                        Case{5, absl::Milliseconds(25), absl::Milliseconds(80)},
                        Case{15, absl::Milliseconds(60), absl::Milliseconds(160)}}) {
    SCOPED_TRACE(c.mean_ms);
    for (uint64_t seed = 0; seed < 5; ++seed) {
      SCOPED_TRACE(seed);
      Rng rng(seed);
      const Phone phone;
      std::vector<Arrival> packets;
      for (int i = 0; i < 3000; ++i) packets.push_back(phone.Packet(i, rng.Exponential(c.mean_ms)));
      PlayoutBuffer buffer(8000);
      const auto played = PlayAll(buffer, packets, 60'000);
      EXPECT_GE(buffer.stats().target, c.least);
      EXPECT_LE(buffer.stats().target, c.most);
      EXPECT_LE(buffer.stats().depth, c.most + absl::Milliseconds(40));
      EXPECT_LT(Count(played, PlayoutFrame::kConcealed, 5000), 2750 * 3 / 100);
      EXPECT_GT(Heard(played, 3000).size(), 2700u);
    }
  }
}

TEST(PlayoutBuffer, LossesAreFilledAndDoNotDeepen) {
  Rng rng(3);
  const Phone phone;
  std::vector<Arrival> packets;
  int lost = 0;
  for (int i = 0; i < 3000; ++i) {
    if (i > 10 && rng.Chance(0.05)) {
      ++lost;
    } else {
      packets.push_back(phone.Packet(i, 3 * rng.Uniform()));
    }
  }
  PlayoutBuffer buffer(8000);
  const auto played = PlayAll(buffer, packets, 60'000);
  EXPECT_NEAR(Count(played, PlayoutFrame::kConcealed), lost, 12);
  EXPECT_LE(buffer.stats().depth, absl::Milliseconds(60));
  EXPECT_EQ(buffer.stats().late, 0u);
  EXPECT_NEAR(static_cast<double>(Heard(played, 3000).size()), 3000 - 2 * lost, lost + 20);
}

TEST(PlayoutBuffer, ReorderedAndDoubledPacketsAreHeardOnceAndInOrder) {
  const Phone phone;
  std::vector<Arrival> packets;
  for (int i = 0; i < 1000; ++i) {
    packets.push_back(phone.Packet(i, i % 5 == 2 ? 50 : 0));  // two places back
    if (i % 7 == 3) packets.push_back(phone.Packet(i, 5));
  }
  PlayoutBuffer buffer(8000);
  const auto played = PlayAll(buffer, packets, 20'000);
  const std::vector<int> heard = Heard(played, 1000);
  EXPECT_TRUE(std::is_sorted(heard.begin(), heard.end()));
  EXPECT_GT(heard.size(), 990u);
  EXPECT_GT(buffer.stats().duplicate + buffer.stats().late, 100u);
  EXPECT_LT(Count(played, PlayoutFrame::kConcealed, 2000), 2);
}

TEST(PlayoutBuffer, ClocksThatDriftAreTakenUpInPauses) {
  for (const double ppm : {-300.0, 300.0}) {
    SCOPED_TRACE(ppm);
    Rng rng(4);
    Phone phone;
    phone.ppm = ppm;
    std::vector<Arrival> packets;
    for (int i = 0; i < 30'000; ++i) packets.push_back(phone.Packet(i, 4 * rng.Uniform()));
    PlayoutBuffer buffer(8000);
    absl::Duration deepest;
    const auto played = PlayAll(buffer, packets, 599'000, 20, 7,
                                [&](double) { deepest = std::max(deepest, buffer.stats().depth); });
    EXPECT_LE(deepest, absl::Milliseconds(80));
    // 180 ms in ten minutes are nine frames.
    EXPECT_NEAR(static_cast<double>(ppm > 0 ? buffer.stats().dropped : buffer.stats().inserted), 9,
                4);
    EXPECT_LT(Count(played, PlayoutFrame::kConcealed), 12);
    EXPECT_GT(Heard(played, 30'000).size(), 29'900u);
  }
}

TEST(PlayoutBuffer, PausesOfASenderThatStopsSending) {
  const Phone phone;
  std::vector<Arrival> packets;
  Rng rng(5);
  std::vector<int> firsts;
  for (int spurt = 0; spurt < 20; ++spurt) {
    const int first = spurt * 200;  // four seconds
    firsts.push_back(first);
    for (int i = first; i < first + 60; ++i) {
      packets.push_back(phone.Packet(i, 10 * rng.Uniform()));
      packets.back().header.marker = i == first;
      packets.back().payload.assign(160, static_cast<uint8_t>(0x90 + i % 29));
    }
  }
  PlayoutBuffer buffer(8000);
  const auto played = PlayAll(buffer, packets, 80'000);
  EXPECT_EQ(buffer.stats().resyncs, 0u);
  EXPECT_EQ(buffer.stats().late, 0u);
  EXPECT_GT(Count(played, PlayoutFrame::kSilence), 20 * 130);
  EXPECT_LT(Count(played, PlayoutFrame::kConcealed), 20 * 5);
  EXPECT_GE(Count(played, PlayoutFrame::kAudio), 20 * 59);
}

TEST(PlayoutBuffer, ComfortNoiseFillsPauses) {
  PlayoutBuffer buffer(8000);
  PlayAll(buffer, Phone().Packets(0, 50), 1000);
  buffer.PutNoise(std::vector<uint8_t>{40});
  std::vector<int16_t> frame(160);
  PlayoutFrame kind = PlayoutFrame::kAudio;
  for (int i = 0; i < 20; ++i) kind = buffer.Get(AtMs(1007 + 20 * i), absl::MakeSpan(frame));
  EXPECT_EQ(kind, PlayoutFrame::kSilence);
  EXPECT_NEAR(NoiseLevel(frame), 40, 2);
}

// From packet 100 on something is different; how long until it is heard without gaps again.
TEST(PlayoutBuffer, NewSourcesJumpsAndStandstillsAreFollowed) {
  struct Case {
    const char* name;
    std::function<void(Arrival&)> change;
    uint64_t resyncs;
  };
  const Case cases[] = {
      {"new SSRC",
       [](Arrival& p) {
         p.header.ssrc = 77;
         p.header.timestamp *= 3;
       },
       1},
      {"jump ahead", [](Arrival& p) { p.header.timestamp += 900'000; }, 1},
      {"jump back", [](Arrival& p) { p.header.timestamp -= 900'000; }, 1},
      {"far jump", [](Arrival& p) { p.header.timestamp += 0x80000000U; }, 1},
      {"two seconds of nothing, timestamps went on", [](Arrival& p) { p.ms += 0; }, 0},
      {"two seconds of nothing, timestamps stood still", [](Arrival& p) { p.ms += 2000; }, 1},
  };
  for (const Case& c : cases) {
    for (const bool marker : {false, true}) {
      SCOPED_TRACE(absl::StrCat(c.name, marker ? " with marker" : ""));
      const Phone phone;
      auto packets = phone.Packets(0, 300);
      for (size_t i = 100; i < packets.size(); ++i) {
        c.change(packets[i]);
        if (i > 100 && absl::StrContains(c.name, "SSRC")) {
          packets[i].header.timestamp =
              packets[100].header.timestamp + static_cast<uint32_t>(i - 100) * 160;
        }
        packets[i].header.marker = marker && i == 100;
      }
      PlayoutBuffer buffer(8000);
      const auto played = PlayAll(buffer, packets, packets.back().ms);
      EXPECT_EQ(buffer.stats().resyncs, c.resyncs);
      const auto heard = Heard(played, 300);
      EXPECT_TRUE(std::is_sorted(heard.begin(), heard.end()));
      EXPECT_GT(heard.size(), 285u);
      EXPECT_LE(buffer.stats().depth, absl::Milliseconds(100));
    }
  }
}

// Three packets of years ago are not a new stream.
TEST(PlayoutBuffer, AReplayedPacketChangesNothing) {
  const Phone phone;
  auto packets = phone.Packets(0, 300);
  for (const int i : {120, 160, 200}) {
    Arrival old = phone.Packet(i);
    old.header.timestamp -= 80'000;
    old.payload.assign(160, 0x80);
    packets.push_back(old);
  }
  PlayoutBuffer buffer(8000);
  const auto played = PlayAll(buffer, packets, 6000);
  EXPECT_EQ(buffer.stats().resyncs, 0u);
  EXPECT_EQ(buffer.stats().late, 3u);
  EXPECT_EQ(Count(played, PlayoutFrame::kConcealed), 0);
}

TEST(PlayoutBuffer, AnOutageIsFollowedByWhatIsNewNotByWhatIsOver) {
  const Phone phone;
  auto packets = phone.Packets(0, 400);
  for (int i = 100; i < 140; ++i) packets[static_cast<size_t>(i)].ms = 140 * 20 - 1;  // 0.8 s
  PlayoutBuffer buffer(8000);
  absl::Duration deepest;
  const auto played = PlayAll(buffer, packets, 8000, 20, 7, [&](double ms) {
    if (ms > 3500) deepest = std::max(deepest, buffer.stats().depth);
  });
  EXPECT_LE(deepest, absl::Milliseconds(300));
  EXPECT_TRUE(absl::c_linear_search(Heard(played, 400), 145));
}

TEST(PlayoutBuffer, PacketsOfOtherLengths) {
  for (const int ms : {5, 10, 30, 40, 60, 100}) {
    SCOPED_TRACE(ms);
    std::vector<Arrival> packets;
    for (int i = 0; i < 10'000 / ms; ++i) {
      Arrival p;
      p.ms = i * ms;
      p.header.seq = static_cast<uint16_t>(i);
      p.header.timestamp = static_cast<uint32_t>(i * ms * 8);
      p.payload.assign(static_cast<size_t>(ms) * 8, 0xa0);
      packets.push_back(p);
    }
    PlayoutBuffer buffer(8000);
    const auto played = PlayAll(buffer, packets, 10'000);
    EXPECT_LE(Count(played, PlayoutFrame::kConcealed), 2);
    EXPECT_GE(Count(played, PlayoutFrame::kAudio), 490 - ms / 20);
    EXPECT_EQ(buffer.stats().late + buffer.stats().overflow, 0u);
  }
}

TEST(PlayoutBuffer, EachCodecAtEachRate) {
  for (const auto& [codec, rate] : {std::pair(Codec::kPcma, 8000), std::pair(Codec::kG722, 8000),
                                    std::pair(Codec::kG722, 16000), std::pair(Codec::kOpus, 8000),
                                    std::pair(Codec::kOpus, 16000)}) {
    SCOPED_TRACE(absl::StrCat(codec::InfoOf(codec).name, " ", rate));
    const auto encoder = codec::NewEncoder(codec, rate);
    std::vector<Arrival> packets;
    std::vector<int16_t> frame(static_cast<size_t>(rate / 50));
    size_t at = 0;
    for (int i = 0; i < 200; ++i) {
      for (int16_t& s : frame) {
        s = static_cast<int16_t>(8000 *
                                 std::sin(2 * M_PI * 500 * static_cast<double>(at++) / rate));
      }
      Arrival p;
      p.ms = i * 20;
      p.codec = codec;
      p.header.seq = static_cast<uint16_t>(i);
      p.header.timestamp = static_cast<uint32_t>(i * (codec::InfoOf(codec).rtp_rate / 50));
      encoder->Encode(frame, p.payload);
      if (i != 150) packets.push_back(p);
    }
    PlayoutBuffer buffer(rate);
    const auto played = PlayAll(buffer, packets, 3990, 20, 7, nullptr, rate);
    EXPECT_LE(Count(played, PlayoutFrame::kConcealed), 2);
    EXPECT_GE(Count(played, PlayoutFrame::kAudio), 190);
    double energy = 0;
    for (const int16_t s : played[100].samples) energy += std::pow(s, 2);
    EXPECT_NEAR(std::sqrt(energy / rate * 50), 8000 / std::sqrt(2), 800);
  }
}

// Opus that pauses sends a sign of life every 400 ms, between which its decoder makes the noise.
TEST(PlayoutBuffer, OpusThatPausesIsNotALoss) {
  const auto encoder = codec::NewEncoder(Codec::kOpus, 16000);
  std::vector<Arrival> packets;
  std::vector<int16_t> frame(320, 0);
  Rng rng(8);
  for (int i = 0; i < 500; ++i) {
    for (int16_t& s : frame) s = static_cast<int16_t>(rng.Normal() * 1000);
    Arrival p;
    p.ms = i * 20 + 8 * rng.Uniform();
    p.codec = Codec::kOpus;
    p.header.timestamp = static_cast<uint32_t>(i * 960);
    encoder->Encode(frame, p.payload);
    const bool pause = i >= 100 && i < 400;
    if (pause && i % 20 != 0) continue;
    if (pause) p.payload.resize(1);
    packets.push_back(p);
  }
  PlayoutBuffer buffer(16000);
  const auto played = PlayAll(buffer, packets, 9990, 20, 7, nullptr, 16000);
  EXPECT_LE(Count(played, PlayoutFrame::kConcealed), 3);
  EXPECT_LE(Count(played, PlayoutFrame::kSilence), 5);
  EXPECT_EQ(buffer.stats().late, 0u);
}

TEST(PlayoutBuffer, ResetForgetsAllButTheFigures) {
  PlayoutBuffer buffer(8000);
  PlayAll(buffer, Phone().Packets(0, 100), 1000);
  const uint64_t packets = buffer.stats().packets;
  buffer.Reset();
  std::vector<int16_t> frame(160, 5);
  EXPECT_EQ(buffer.Get(AtMs(1007), absl::MakeSpan(frame)), PlayoutFrame::kSilence);
  EXPECT_EQ(frame, std::vector<int16_t>(160));
  EXPECT_EQ(buffer.stats().packets, packets);
  EXPECT_EQ(buffer.Put(Codec::kPcmu, {.timestamp = 5, .ssrc = 9}, std::vector<uint8_t>(160, 0xa0),
                       AtMs(1010)),
            PlayoutPut::kKept);
}

TEST(PlayoutBuffer, AFrameNeedsNoMemory) {
  int allocations = -1;
  PlayoutStats stats;
  std::thread thread([&] {
    pthread_setname_np(pthread_self(), "media");  // the one whose allocations are counted
    PlayoutBuffer buffer(8000);
    auto mixer = std::make_unique<Mixer>(8000);
    for (int i = 0; i < 8; ++i) mixer->Add(call::MixRole::kTalker);
    const auto packets = Phone().Packets(0, 1000);
    std::vector<int16_t> frame(160);
    for (size_t i = 0; i < packets.size(); ++i) {
      if (i == 100) CountMediaAllocations(true);
      const Arrival& p = packets[i];
      if (i % 13 != 0) buffer.Put(p.codec, p.header, p.payload, AtMs(p.ms));
      buffer.Get(AtMs(p.ms + 7), absl::MakeSpan(frame));
      for (int m = 0; m < 8; ++m) mixer->Put(m, frame);
      mixer->Mix();
    }
    allocations = CountMediaAllocations(false);
    stats = buffer.stats();
  });
  thread.join();
  EXPECT_EQ(allocations, 0);
  EXPECT_GT(stats.concealed, 50u);
}

// Jitter, loss, doubling, reordering and drift of any strength: what is heard keeps its order, the
// depth its bounds.
TEST(PlayoutProperty, OrderAndBoundsHoldOnAnyNetwork) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    Phone phone;
    phone.ppm = 1000 * (rng.Uniform() - 0.5);
    phone.first_timestamp = static_cast<uint32_t>(rng.Next());
    const double mean = 40 * rng.Uniform();
    const double loss = 0.3 * rng.Uniform();
    const double spike = 0.02 * rng.Uniform();
    std::vector<Arrival> packets;
    for (int i = 0; i < 1000; ++i) {
      if (rng.Chance(loss)) continue;
      const double delay = rng.Exponential(mean + 0.1) + (rng.Chance(spike) ? 400 : 0);
      packets.push_back(phone.Packet(i, delay));
      if (rng.Chance(0.02)) packets.push_back(phone.Packet(i, delay + 30 * rng.Uniform()));
    }
    PlayoutBuffer buffer(8000);
    absl::Duration deepest;
    const auto played = PlayAll(buffer, packets, 20'000, 20, 20 * rng.Uniform(),
                                [&](double) { deepest = std::max(deepest, buffer.stats().depth); });
    EXPECT_LE(deepest, absl::Milliseconds(420));
    EXPECT_LE(buffer.stats().target, PlayoutBuffer::kDepthMax);
    const auto heard = Heard(played, 1000);
    EXPECT_TRUE(std::is_sorted(heard.begin(), heard.end()));
    EXPECT_EQ(buffer.stats().frames, played.size());
  }
}

// Whatever octets and times come, frames are given out and the bounds hold.
TEST(PlayoutProperty, StrangersPackets) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    const int rate = rng.Chance(0.5) ? 8000 : 16000;
    PlayoutBuffer buffer(rate);
    std::vector<int16_t> frame(static_cast<size_t>(rate / 50));
    double now = 0;
    RtpHeader header{.ssrc = 5};
    for (int step = 0; step < 400; ++step) {
      now += rng.Chance(0.01) ? 100'000 * rng.Uniform() : 20 * rng.Uniform();
      if (rng.Chance(0.1)) header.ssrc = static_cast<uint32_t>(rng.Below(3));
      header.marker = rng.Chance(0.1);
      header.seq = static_cast<uint16_t>(rng.Next());
      header.timestamp += rng.Chance(0.2) ? static_cast<uint32_t>(rng.Next())
                                          : static_cast<uint32_t>(rng.Below(2000));
      Codec codec = static_cast<Codec>(rng.Below(4));
      if (rate == 16000 && codec::IsG711(codec)) codec = Codec::kG722;
      std::vector<uint8_t> payload(rng.Below(rng.Chance(0.1) ? 1500 : 200));
      for (uint8_t& octet : payload) octet = static_cast<uint8_t>(rng.Below(256));
      for (uint64_t n = rng.Chance(0.02) ? 100 : 1; n > 0; --n) {
        buffer.Put(codec, header, payload, AtMs(now));
        header.timestamp += static_cast<uint32_t>(rng.Below(200));
      }
      if (rng.Chance(0.05)) buffer.PutNoise(payload);
      if (rng.Chance(0.7)) buffer.Get(AtMs(now - 50 * rng.Uniform()), absl::MakeSpan(frame));
      if (rng.Chance(0.01)) buffer.Reset();
      ASSERT_LE(buffer.stats().target, PlayoutBuffer::kDepthMax);
    }
    // A good stream afterwards is heard.
    Phone phone;
    phone.ssrc = 1000;
    int audio = 0;
    for (int i = 0; i < 200; ++i) {
      Arrival p = phone.Packet(i, now + 1000);
      if (rate == 16000) p.codec = Codec::kG722;
      buffer.Put(p.codec, p.header, p.payload, AtMs(p.ms));
      audio += buffer.Get(AtMs(p.ms + 7), absl::MakeSpan(frame)) == PlayoutFrame::kAudio ? 1 : 0;
    }
    ASSERT_GT(audio, 170);
    ASSERT_LE(buffer.stats().depth, absl::Milliseconds(300));
  }
}

TEST(PlayoutBuffer, NothingSaidInConfidenceIsHeardAfterIt) {
  PlayoutBuffer buffer(8000);
  std::vector<int16_t> frame(160);
  const std::vector<uint8_t> loud(160, 0x00);
  const auto put = [&](int i) {
    const RtpHeader header{
        .seq = static_cast<uint16_t>(i), .timestamp = static_cast<uint32_t>(160 * i), .ssrc = 1};
    return buffer.Put(Codec::kPcmu, header, loud, AtMs(20 * i));
  };
  const auto energy = [&](double ms) {
    buffer.Get(AtMs(ms), absl::MakeSpan(frame));
    return absl::c_accumulate(frame, 0.0, [](double sum, int s) { return sum + std::abs(s); });
  };
  buffer.SetConfidential(true);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(put(i), PlayoutPut::kKept);
    const double heard = energy(20 * i + 7);
    if (i > 10) {
      EXPECT_GT(heard, 1000);
    }
  }
  for (int i = 20; i < 25; ++i) put(i);  // a burst that waits to be heard
  buffer.SetConfidential(true);          // said twice changes nothing
  EXPECT_GT(energy(20 * 20 + 7), 1000);
  buffer.SetConfidential(false);
  for (int i = 21; i < 40; ++i) EXPECT_EQ(energy(20 * i + 7), 0) << i;
  for (int i = 40; i < 60; ++i) {
    put(i);
    energy(20 * i + 7);
  }
  EXPECT_GT(energy(20 * 60 + 7), 1000);  // a new beginning
  EXPECT_EQ(buffer.stats().malformed, 0u);
}

}  // namespace
}  // namespace outpace::media
