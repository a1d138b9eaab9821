// What a second of one call's audio costs where it is decoded, encoded, buffered or mixed. The
// counter `cpu_per_second` is CPU time for one second of sound of one direction (for the mixer: of
// a call of so many members); 1000 is a tenth of a percent of a core.

#include <benchmark/benchmark.h>

#include <cmath>
#include <memory>
#include <vector>

#include "engine/base/rng.h"
#include "engine/codec/codec.h"
#include "engine/media/mixer.h"
#include "engine/media/playout_buffer.h"

namespace outpace {
namespace {

using codec::Codec;

constexpr int kFrames = 250;  // five seconds

// Vowels with pauses between: pulses through two resonances.
std::vector<std::vector<int16_t>> Voice(int rate) {
  Rng rng(1);
  std::vector<std::vector<int16_t>> frames(kFrames);
  double phase = 0, y1 = 0, y2 = 0;
  size_t at = 0;
  for (auto& frame : frames) {
    frame.resize(static_cast<size_t>(rate / 50));
    for (int16_t& sample : frame) {
      const double t = static_cast<double>(at++) / rate;
      phase += (130 + 30 * std::sin(4 * t)) / rate;
      double pulse = 0.05 * rng.Normal();
      if (phase >= 1) {
        phase -= 1;
        pulse += 8;
      }
      const double v = pulse + 2 * 0.97 * std::cos(2 * M_PI * 600 / rate) * y1 - 0.94 * y2;
      y2 = y1;
      y1 = v;
      sample = static_cast<int16_t>(150 * v * std::max(0.1, std::sin(15 * t)));
    }
  }
  return frames;
}

void Report(benchmark::State& state, int frames) {
  state.counters["cpu_per_second"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * frames / 50,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

codec::EncoderOptions Options(const benchmark::State& state) {
  return {.bitrate = 0, .fec = state.range(2) != 0};
}

std::vector<std::vector<uint8_t>> Packets(Codec codec, int rate, codec::EncoderOptions options) {
  const auto encoder = codec::NewEncoder(codec, rate, options);
  std::vector<std::vector<uint8_t>> out;
  for (const auto& frame : Voice(rate)) encoder->Encode(frame, out.emplace_back());
  return out;
}

void BM_Encode(benchmark::State& state) {
  const int rate = static_cast<int>(state.range(1));
  const auto voice = Voice(rate);
  const auto encoder = codec::NewEncoder(static_cast<Codec>(state.range(0)), rate, Options(state));
  std::vector<uint8_t> out;
  for (auto _ : state) {
    for (const auto& frame : voice) encoder->Encode(frame, out);
  }
  Report(state, kFrames);
}

void BM_Decode(benchmark::State& state) {
  const auto codec = static_cast<Codec>(state.range(0));
  const int rate = static_cast<int>(state.range(1));
  const auto packets = Packets(codec, rate, Options(state));
  const auto decoder = codec::NewDecoder(codec, rate);
  std::vector<int16_t> out;
  for (auto _ : state) {
    for (const auto& packet : packets) {
      out.clear();
      decoder->Decode(packet, out);
    }
  }
  Report(state, kFrames);
}

void BM_Conceal(benchmark::State& state) {
  const auto codec = static_cast<Codec>(state.range(0));
  const int rate = static_cast<int>(state.range(1));
  const auto packets = Packets(codec, rate, Options(state));
  const auto decoder = codec::NewDecoder(codec, rate);
  std::vector<int16_t> out;
  for (auto _ : state) {
    for (size_t i = 0; i < packets.size(); ++i) {
      out.clear();
      if (i % 10 == 9) {
        decoder->Conceal(static_cast<size_t>(rate / 50), out);
      } else {
        decoder->Decode(packets[i], out);
      }
    }
  }
  Report(state, kFrames);
}

// Codec, rate, in-band FEC.
void Codecs(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"codec", "rate", "fec"});
  for (const Codec codec : {Codec::kPcmu, Codec::kPcma, Codec::kG722, Codec::kOpus}) {
    const int c = static_cast<int>(codec);
    bench->Args({c, 8000, 0});
    if (!codec::IsG711(codec)) bench->Args({c, 16000, 0});
    if (codec == Codec::kOpus) bench->Args({c, 16000, 1});
  }
}
BENCHMARK(BM_Encode)->Apply(Codecs);
BENCHMARK(BM_Decode)->Apply(Codecs);
BENCHMARK(BM_Conceal)->Apply(Codecs);

void BM_Mix(benchmark::State& state) {
  const int members = static_cast<int>(state.range(0));
  const auto voice = Voice(8000);
  auto mixer = std::make_unique<media::Mixer>(8000);
  for (int i = 0; i < members; ++i) mixer->Add(call::MixRole::kTalker);
  size_t at = 0;
  for (auto _ : state) {
    for (int i = 0; i < members; ++i) {
      mixer->Put(i, voice[(at + static_cast<size_t>(i) * 30) % voice.size()]);
    }
    mixer->Mix();
    benchmark::DoNotOptimize(mixer->Heard(0).data());
    ++at;
  }
  Report(state, 1);
}
BENCHMARK(BM_Mix)->ArgName("members")->DenseRange(3, 8);

void BM_Playout(benchmark::State& state) {
  const auto packets = Packets(Codec::kPcmu, 8000, {});
  media::PlayoutBuffer buffer(8000);
  std::vector<int16_t> frame(160);
  media::RtpHeader header;
  int64_t now = 0;
  size_t at = 0;
  for (auto _ : state) {
    buffer.Put(Codec::kPcmu, header, packets[at++ % packets.size()], MonoTime(now));
    header.timestamp += 160;
    ++header.seq;
    now += 20'000'000;
    buffer.Get(MonoTime(now), absl::MakeSpan(frame));
  }
  Report(state, 1);
}
BENCHMARK(BM_Playout);

}  // namespace
}  // namespace outpace
