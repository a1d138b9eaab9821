#include "engine/codec/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"

namespace outpace::codec {
namespace {

using Samples = std::vector<int16_t>;

struct Setting {
  Codec codec;
  int rate;
};
constexpr Setting kSettings[] = {{Codec::kPcmu, 8000}, {Codec::kPcma, 8000},
                                 {Codec::kG722, 8000}, {Codec::kG722, 16000},
                                 {Codec::kOpus, 8000}, {Codec::kOpus, 16000}};
std::string NameOf(const Setting& s) { return absl::StrCat(InfoOf(s.codec).name, " at ", s.rate); }

Samples Tone(double hz, double peak, int rate, size_t samples) {
  Samples out(samples);
  for (size_t i = 0; i < samples; ++i) {
    out[i] = static_cast<int16_t>(
        std::lround(peak * std::sin(2 * M_PI * hz * static_cast<double>(i) / rate)));
  }
  return out;
}

// Something like a voice: a pulse train of gliding pitch through two resonances, in syllables.
Samples Voice(int rate, size_t samples, uint64_t seed = 1) {
  Rng rng(seed);
  Samples out(samples);
  double phase = 0, y1 = 0, y2 = 0, z1 = 0, z2 = 0;
  for (size_t i = 0; i < samples; ++i) {
    const double t = static_cast<double>(i) / rate;
    phase += (130 + 30 * std::sin(2 * M_PI * 0.7 * t)) / rate;
    double e = 0.02 * rng.Normal();
    if (phase >= 1) {
      phase -= 1;
      e += 8;
    }
    const auto resonate = [rate](double in, double hz, double r, double& a, double& b) {
      const double out_sample = in + 2 * r * std::cos(2 * M_PI * hz / rate) * a - r * r * b;
      b = a;
      a = out_sample;
      return out_sample;
    };
    const double v = resonate(resonate(e, 600, 0.97, y1, y2), 1500, 0.95, z1, z2);
    const double syllable = std::max(0.0, std::sin(2 * M_PI * 2.5 * t));
    out[i] = static_cast<int16_t>(std::clamp(60 * v * syllable, -30000.0, 30000.0));
  }
  return out;
}

std::vector<std::vector<uint8_t>> EncodeAll(Encoder& encoder, const Samples& in, size_t frame) {
  std::vector<std::vector<uint8_t>> packets;
  for (size_t at = 0; at + frame <= in.size(); at += frame) {
    encoder.Encode(absl::MakeConstSpan(in).subspan(at, frame), packets.emplace_back());
  }
  return packets;
}

// Decibels of signal over error of `out` against `in`, at the delay and gain that fit best.
double Snr(const Samples& in, const Samples& out, size_t delay_max) {
  double best = -100;
  for (size_t delay = 0; delay <= delay_max; ++delay) {
    double product = 0, energy = 1e-9, signal = 0;
    const size_t n = std::min(in.size(), out.size()) - delay_max;
    const size_t from = n / 4;  // past the codec's first moments
    for (size_t i = from; i < n; ++i) {
      const double a = in[i], b = out[i + delay];
      product += a * b;
      energy += b * b;
      signal += a * a;
    }
    const double error = signal - product * product / energy;
    best = std::max(best, 10 * std::log10(signal / std::max(error, 1e-9)));
  }
  return best;
}

double Rms(absl::Span<const int16_t> samples) {
  double energy = 0;
  for (const int16_t s : samples) energy += static_cast<double>(s) * s;
  return std::sqrt(energy / static_cast<double>(std::max<size_t>(samples.size(), 1)));
}

std::vector<uint8_t> RandomOctets(Rng& rng, size_t size) {
  std::vector<uint8_t> out(size);
  for (uint8_t& octet : out) octet = static_cast<uint8_t>(rng.Below(256));
  return out;
}

TEST(CodecInfo, IsWhatTheRtpmapsSay) {
  EXPECT_EQ(InfoOf(Codec::kPcmu).name, "PCMU");
  EXPECT_EQ(InfoOf(Codec::kPcmu).static_type, 0);
  EXPECT_EQ(InfoOf(Codec::kPcma).static_type, 8);
  EXPECT_EQ(InfoOf(Codec::kG722).static_type, 9);
  EXPECT_EQ(InfoOf(Codec::kG722).rtp_rate, 8000);
  EXPECT_EQ(InfoOf(Codec::kOpus).rtp_rate, 48000);
  EXPECT_EQ(InfoOf(Codec::kOpus).channels, 2);
  EXPECT_TRUE(InfoOf(Codec::kG722).wideband && !InfoOf(Codec::kPcma).wideband);
  EXPECT_EQ(LawOf(Codec::kPcma), Law::kA);
  EXPECT_EQ(CodecOf(Law::kMu), Codec::kPcmu);
}

TEST(Codec, RoundTripsKeepTones) {
  struct Case {
    Setting setting;
    double hz;
    double snr_min;
  };
  for (const Case& c : {Case{{Codec::kPcmu, 8000}, 1000, 35}, Case{{Codec::kPcma, 8000}, 1000, 35},
                        Case{{Codec::kG722, 8000}, 1000, 30}, Case{{Codec::kG722, 16000}, 1000, 30},
                        Case{{Codec::kG722, 16000}, 5000, 15}, Case{{Codec::kOpus, 8000}, 1000, 10},
                        Case{{Codec::kOpus, 16000}, 1000, 10}}) {
    SCOPED_TRACE(absl::StrCat(NameOf(c.setting), " ", c.hz));
    const Samples in = Tone(c.hz, 10000, c.setting.rate, static_cast<size_t>(c.setting.rate));
    const auto encoder = NewEncoder(c.setting.codec, c.setting.rate);
    const auto decoder = NewDecoder(c.setting.codec, c.setting.rate);
    Samples out;
    for (const auto& packet : EncodeAll(*encoder, in, in.size() / 50)) {
      ASSERT_TRUE(decoder->Decode(packet, out));
    }
    ASSERT_EQ(out.size(), in.size());
    EXPECT_GT(Snr(in, out, static_cast<size_t>(c.setting.rate / 100)), c.snr_min);
    EXPECT_NEAR(Rms(absl::MakeConstSpan(out).subspan(out.size() / 2)), 10000 / std::sqrt(2), 800);
  }
}

TEST(Codec, RoundTripsKeepSpeech) {
  for (const Setting& s : kSettings) {
    SCOPED_TRACE(NameOf(s));
    const Samples in = Voice(s.rate, static_cast<size_t>(2 * s.rate));
    const auto encoder = NewEncoder(s.codec, s.rate);
    const auto decoder = NewDecoder(s.codec, s.rate);
    Samples out;
    for (const auto& packet : EncodeAll(*encoder, in, static_cast<size_t>(s.rate / 50))) {
      ASSERT_TRUE(decoder->Decode(packet, out));
    }
    ASSERT_EQ(out.size(), in.size());
    // Opus keeps the sound rather than the wave.
    EXPECT_GT(Snr(in, out, static_cast<size_t>(s.rate / 100)), s.codec == Codec::kOpus ? 3 : 15);
    EXPECT_NEAR(Rms(out) / Rms(in), 1, 0.2);
  }
}

// Wideband is heard as such by 16 kHz, and as its lower half by 8 kHz.
TEST(Codec, RatesMayDifferBetweenTheEnds) {
  for (const Codec codec : {Codec::kG722, Codec::kOpus}) {
    for (const auto& [from, to] : {std::pair(8000, 16000), std::pair(16000, 8000)}) {
      SCOPED_TRACE(absl::StrCat(InfoOf(codec).name, " ", from, " to ", to));
      const auto encoder = NewEncoder(codec, from);
      const auto decoder = NewDecoder(codec, to);
      const Samples in = Tone(700, 8000, from, static_cast<size_t>(from));
      Samples out;
      for (const auto& packet : EncodeAll(*encoder, in, in.size() / 50)) {
        ASSERT_TRUE(decoder->Decode(packet, out));
      }
      ASSERT_EQ(out.size(), static_cast<size_t>(to));
      const Samples want = Tone(700, 8000, to, static_cast<size_t>(to));
      EXPECT_GT(Snr(want, out, static_cast<size_t>(to / 100)), 10);
    }
  }
}

TEST(Codec, FramesOfEachLength) {
  for (const Setting& s : kSettings) {
    for (const int ms : {10, 20, 40, 60}) {
      SCOPED_TRACE(absl::StrCat(NameOf(s), " ", ms, " ms"));
      const auto encoder = NewEncoder(s.codec, s.rate);
      const auto decoder = NewDecoder(s.codec, s.rate);
      const auto frame = static_cast<size_t>(s.rate / 1000 * ms);
      for (const auto& packet : EncodeAll(*encoder, Voice(s.rate, 10 * frame), frame)) {
        EXPECT_EQ(TicksIn(s.codec, packet), InfoOf(s.codec).rtp_rate / 1000 * ms);
        Samples out = {1, 2, 3};
        ASSERT_TRUE(decoder->Decode(packet, out));
        EXPECT_EQ(out.size(), 3 + frame);  // appended
        EXPECT_EQ(out[1], 2);
      }
    }
  }
}

// ITU-T G.722 octets are 8 a millisecond at either rate.
TEST(Codec, SizesOnTheWire) {
  EXPECT_EQ(EncodeAll(*NewEncoder(Codec::kPcmu, 8000), Samples(160), 160)[0].size(), 160u);
  EXPECT_EQ(EncodeAll(*NewEncoder(Codec::kG722, 8000), Samples(160), 160)[0].size(), 160u);
  EXPECT_EQ(EncodeAll(*NewEncoder(Codec::kG722, 16000), Samples(320), 320)[0].size(), 160u);
  // The bit rate is an average that pauses stay below.
  double last = 0;
  for (const int bitrate : {8000, 16000, 32000}) {
    const auto encoder = NewEncoder(Codec::kOpus, 16000, {.bitrate = bitrate});
    size_t octets = 0;
    for (const auto& packet : EncodeAll(*encoder, Voice(16000, 16000 * 4), 320)) {
      octets += packet.size();
    }
    const double used = static_cast<double>(octets) * 8 / 4;
    EXPECT_LT(used, bitrate * 1.1);
    EXPECT_GT(used, last * 1.2);
    last = used;
  }
}

TEST(Codec, G711CodecsAreTheLaws) {
  for (const Codec codec : {Codec::kPcmu, Codec::kPcma}) {
    std::vector<uint8_t> octets(256);
    std::iota(octets.begin(), octets.end(), uint8_t{0});
    Samples out;
    ASSERT_TRUE(NewDecoder(codec, 8000)->Decode(octets, out));
    for (size_t i = 0; i < 256; ++i) EXPECT_EQ(out[i], ToLinear(LawOf(codec), octets[i]));
    std::vector<uint8_t> again;
    NewEncoder(codec, 8000)->Encode(out, again);
    for (size_t i = 0; i < 256; ++i) EXPECT_EQ(again[i], FromLinear(LawOf(codec), out[i]));
  }
}

TEST(Codec, StereoOpusComesOutAsOne) {
  // A TOC octet of SILK wideband 20 ms with the stereo bit, and of CELT; frames of nothing (DTX).
  for (const uint8_t toc : {uint8_t{0x4c}, uint8_t{0xfc}}) {
    Samples out;
    const std::vector<uint8_t> packet = {toc};
    ASSERT_TRUE(NewDecoder(Codec::kOpus, 16000)->Decode(packet, out));
    EXPECT_EQ(out.size(), 320u);
  }
}

TEST(Codec, WhatIsTooLongOrEmptyIsRefused) {
  for (const Setting& s : kSettings) {
    SCOPED_TRACE(NameOf(s));
    const auto decoder = NewDecoder(s.codec, s.rate);
    Samples out = {7};
    EXPECT_FALSE(decoder->Decode({}, out));
    EXPECT_EQ(TicksIn(s.codec, {}), 0);
    const std::vector<uint8_t> huge(4000, 0x55);
    EXPECT_FALSE(decoder->Decode(huge, out));
    EXPECT_EQ(TicksIn(s.codec, huge), 0);
    EXPECT_EQ(out, Samples{7});
  }
  Samples out;
  const auto decoder = NewDecoder(Codec::kPcma, 8000);
  EXPECT_TRUE(decoder->Decode(std::vector<uint8_t>(960, 0xd5), out));
  EXPECT_FALSE(decoder->Decode(std::vector<uint8_t>(961, 0xd5), out));
  // 48 frames of 2.5 ms would be 120 ms; 63 of 20 ms are too many, and counts may lie.
  for (const auto& packet : {std::vector<uint8_t>{0x03, 63}, std::vector<uint8_t>{0x03},
                             std::vector<uint8_t>{0x02, 0xff}, std::vector<uint8_t>{0x01, 1}}) {
    EXPECT_FALSE(NewDecoder(Codec::kOpus, 8000)->Decode(packet, out));
  }
}

TEST(Codec, OctetsOfAStrangerAtEveryLength) {
  Rng rng(42);
  for (const Setting& s : kSettings) {
    SCOPED_TRACE(NameOf(s));
    const auto decoder = NewDecoder(s.codec, s.rate);
    Samples out;
    const auto samples_max = static_cast<size_t>(s.rate / 1000 * kPayloadMsMax);
    int taken = 0;
    for (size_t size = 0; size <= 1500; ++size) {
      const std::vector<uint8_t> payload = RandomOctets(rng, size);
      out.assign(5, 77);
      const bool ok = decoder->Decode(payload, out);
      ASSERT_LE(out.size(), 5 + samples_max);
      ASSERT_EQ(ok, out.size() > 5) << size;
      ASSERT_EQ(ok, TicksIn(s.codec, payload) > 0) << size;
      if (ok) {
        ++taken;
        ASSERT_EQ(static_cast<int64_t>(out.size() - 5),
                  SamplesOf(TicksIn(s.codec, payload), InfoOf(s.codec).rtp_rate, s.rate));
      }
      if (size % 7 == 0) decoder->Conceal(rng.Below(samples_max + 1), out);
      if (size % 11 == 0) decoder->Recover(payload, rng.Below(samples_max + 1), out);
    }
    EXPECT_GT(taken, 100);
  }
}

TEST(Codec, ALostFrameIsFilledAndALongSilenceFades) {
  for (const Setting& s : kSettings) {
    SCOPED_TRACE(NameOf(s));
    const auto encoder = NewEncoder(s.codec, s.rate);
    const auto decoder = NewDecoder(s.codec, s.rate);
    const auto frame = static_cast<size_t>(s.rate / 50);
    const auto packets = EncodeAll(*encoder, Tone(200, 8000, s.rate, 60 * frame), frame);
    Samples out;
    for (size_t i = 0; i < 20; ++i) ASSERT_TRUE(decoder->Decode(packets[i], out));
    const double before = Rms(absl::MakeConstSpan(out).last(frame));
    decoder->Conceal(frame, out);
    EXPECT_EQ(out.size(), 21 * frame);
    EXPECT_GT(Rms(absl::MakeConstSpan(out).last(frame)), before * 0.4);
    // No click where it comes back: no step larger than the tone's own steps, by some margin.
    const size_t seam = out.size();
    ASSERT_TRUE(decoder->Decode(packets[21], out));
    ASSERT_TRUE(decoder->Decode(packets[22], out));
    int step_max = 0;
    for (size_t i = seam - frame; i < seam + frame; ++i) {
      step_max = std::max(step_max, std::abs(out[i] - out[i - 1]));
    }
    EXPECT_LT(step_max, 6 * 8000 * 2 * M_PI * 200 / s.rate);
    for (int i = 0; i < 50; ++i) decoder->Conceal(frame, out);
    EXPECT_LT(Rms(absl::MakeConstSpan(out).last(frame)), before * 0.02);
  }
}

// One frame in ten is lost: with the copy in the next packet there is less error than without.
TEST(Codec, OpusRecoversALossFromTheNextPacket) {
  const Samples in = Voice(16000, 16000 * 8);
  const auto encoder = NewEncoder(Codec::kOpus, 16000, {.bitrate = 24000, .fec = true});
  const auto packets = EncodeAll(*encoder, in, 320);
  const auto run = [&](bool recover) {
    const auto whole = NewDecoder(Codec::kOpus, 16000);
    const auto lossy = NewDecoder(Codec::kOpus, 16000);
    Samples a, b;
    for (size_t i = 0; i < packets.size(); ++i) {
      whole->Decode(packets[i], a);
      if (i % 10 == 5 && i + 1 < packets.size()) {
        recover ? lossy->Recover(packets[i + 1], 320, b) : lossy->Conceal(320, b);
      } else {
        lossy->Decode(packets[i], b);
      }
    }
    EXPECT_EQ(a.size(), b.size());
    double error = 0, signal = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      error += std::pow(a[i] - b[i], 2);
      signal += std::pow(a[i], 2);
    }
    return 10 * std::log10(signal / error);
  };
  const double recovered = run(true);
  const double concealed = run(false);
  EXPECT_GT(recovered, concealed + 2) << concealed;
}

TEST(Codec, ConcealBeforeAnythingWasHeardIsQuiet) {
  for (const Setting& s : kSettings) {
    SCOPED_TRACE(NameOf(s));
    const auto decoder = NewDecoder(s.codec, s.rate);
    Samples out;
    decoder->Conceal(static_cast<size_t>(s.rate / 50), out);
    EXPECT_EQ(out.size(), static_cast<size_t>(s.rate / 50));
    EXPECT_LT(Rms(out), 2);
    decoder->Conceal(0, out);
    EXPECT_EQ(out.size(), static_cast<size_t>(s.rate / 50));
  }
}

}  // namespace
}  // namespace outpace::codec
