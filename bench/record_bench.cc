// What recording costs: on the media thread a packet, on the writer's thread a second of a stereo
// call, by format, plain and sealed, and the end of a call of three minutes. Times are CPU times of
// the thread that works; files lie in $TMPDIR.
//
//   build/release/bench/record_bench

#include <time.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "engine/base/check.h"
#include "engine/base/rng.h"
#include "engine/record/tap.h"
#include "engine/record/writer.h"

namespace outpace::record {
namespace {

double CpuSeconds() {
  timespec now{};
  OUTPACE_CHECK(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

class BenchClock final : public Clock {
 public:
  MonoTime Mono() const override { return MonoTime(nanos); }
  absl::Time Wall() const override { return absl::FromUnixNanos(nanos); }
  int64_t nanos = 1'790'000'000'000'000'000;
};

// Ten seconds of something like a voice: pulses of 120 Hz through two resonances, in syllables, a
// breath of noise, and silence for four seconds of the ten.
std::vector<uint8_t> Voice(uint64_t seed) {
  Rng rng(seed);
  std::vector<uint8_t> octets;
  double y1[2] = {}, y2[2] = {};
  const double pole[2] = {0.97, 0.95}, angle[2] = {2 * M_PI * 500 / 8000, 2 * M_PI * 1500 / 8000};
  for (int i = 0; i < 80'000; ++i) {
    const double t = i / 8000.0;
    double x = i % 67 == 0 ? 1000 : 0;
    x += 30 * rng.Normal();
    double out = 0;
    for (int k = 0; k < 2; ++k) {
      const double y = x + 2 * pole[k] * std::cos(angle[k]) * y1[k] - pole[k] * pole[k] * y2[k];
      y2[k] = y1[k];
      y1[k] = y;
      out += y;
    }
    const double loud = t < 6 ? 0.5 + 0.5 * std::sin(2 * M_PI * 4 * t) : 0.003;
    octets.push_back(codec::LinearToMu(
        static_cast<int16_t>(std::fmax(-30000, std::fmin(30000, out * loud * 2)))));
  }
  return octets;
}

struct Bench {
  Bench(Format format, bool sealed, int calls) {
    std::string path = (std::filesystem::temp_directory_path() / "outpace-bench-XXXXXX").string();
    OUTPACE_CHECK(::mkdtemp(path.data()) != nullptr);
    config.directory = path;
    files = *NewPosixRecordingFiles(path);
    writer = std::make_unique<Writer>(config, *KeyRing::Parse(NewKeyLine()), *files, clock, log,
                                      [this](RecordingClosed closed) { bytes += closed.bytes; });
    for (int i = 0; i < calls; ++i) {
      RecordingOrder order;
      order.attempt = AttemptId(static_cast<uint64_t>(i) + 1);
      order.format = format;
      order.encrypted = sealed;
      order.started = clock.Wall();
      taps.push_back(*writer->Open(order));
    }
    writer->Turn();
  }
  ~Bench() {
    taps.clear();
    writer->Stop();
    while (writer->CloseTurn()) {
    }
    std::filesystem::remove_all(config.directory);
  }
  // One second of every call.
  void Second() {
    static const std::vector<uint8_t>& callee = *new std::vector<uint8_t>(Voice(1));
    static const std::vector<uint8_t>& agent = *new std::vector<uint8_t>(Voice(2));
    const int64_t from = second++ * kRate;
    for (int64_t at = from; at < from + kRate; at += 160) {
      for (const auto& tap : taps) {
        tap->Write(Side::kCallee, at, codec::Law::kMu,
                   absl::MakeConstSpan(callee).subspan(static_cast<size_t>(at % 80'000), 160));
        tap->Write(
            Side::kAgent, at, codec::Law::kMu,
            absl::MakeConstSpan(agent).subspan(static_cast<size_t>((at + 40'000) % 80'000), 160));
      }
    }
    clock.nanos += 1'000'000'000;
  }

  RecorderConfig config;
  BenchClock clock;
  NullLog log;
  std::unique_ptr<RecordingFiles> files;
  uint64_t bytes = 0;
  std::unique_ptr<Writer> writer;
  std::vector<std::unique_ptr<RecordingTap>> taps;
  int64_t second = 0;
};

constexpr int kCalls = 100;

// CPU of the media thread a call-second: 100 packets.
void BM_TapCallSecond(benchmark::State& state) {
  Bench bench(Format::kWav, false, kCalls);
  for (auto _ : state) {
    const double from = CpuSeconds();
    bench.Second();
    state.SetIterationTime((CpuSeconds() - from) / kCalls);
    bench.writer->Turn();
  }
  const BlockPool& pool = bench.writer->shared()->pool;
  state.counters["queue_KiB_a_call"] =
      static_cast<double>(pool.blocks() * BlockPool::kBlockBytes) / 1024 / kCalls;
}
BENCHMARK(BM_TapCallSecond)->UseManualTime()->Unit(benchmark::kMicrosecond)->Iterations(60);

// CPU of the writer's thread a call-second, to the page cache.
void BM_WriterCallSecond(benchmark::State& state, Format format, bool sealed) {
  Bench bench(format, sealed, kCalls);
  for (auto _ : state) {
    bench.Second();
    const double from = CpuSeconds();
    bench.writer->Turn();
    state.SetIterationTime((CpuSeconds() - from) / kCalls);
  }
  state.counters["octets_a_call_second"] =
      static_cast<double>(bench.writer->Stats().bytes_written) / kCalls /
      static_cast<double>(bench.second);
}

// CPU of closing a call of 180 s: hash, sync, name; a call-second of it.
void BM_CloseCallSecond(benchmark::State& state, Format format, bool sealed) {
  for (auto _ : state) {
    Bench bench(format, sealed, 2);
    for (int i = 0; i < 180; ++i) {
      bench.Second();
      bench.writer->Turn();
    }
    for (const auto& tap : bench.taps) tap->Close(180 * kRate);
    const double from = CpuSeconds();
    bench.writer->Turn();
    while (bench.writer->CloseTurn()) {
    }
    state.SetIterationTime((CpuSeconds() - from) / 2 / 180);
    state.counters["octets_a_call_second"] = static_cast<double>(bench.bytes) / 2 / 180;
  }
}

#define FORMATS(name, count)                                \
  BENCHMARK_CAPTURE(name, wav, Format::kWav, false)         \
      ->UseManualTime()                                     \
      ->Unit(benchmark::kMicrosecond)                       \
      ->Iterations(count);                                  \
  BENCHMARK_CAPTURE(name, wav_sealed, Format::kWav, true)   \
      ->UseManualTime()                                     \
      ->Unit(benchmark::kMicrosecond)                       \
      ->Iterations(count);                                  \
  BENCHMARK_CAPTURE(name, ulaw, Format::kWavUlaw, false)    \
      ->UseManualTime()                                     \
      ->Unit(benchmark::kMicrosecond)                       \
      ->Iterations(count);                                  \
  BENCHMARK_CAPTURE(name, opus, Format::kOpus, false)       \
      ->UseManualTime()                                     \
      ->Unit(benchmark::kMicrosecond)                       \
      ->Iterations(count);                                  \
  BENCHMARK_CAPTURE(name, opus_sealed, Format::kOpus, true) \
      ->UseManualTime()                                     \
      ->Unit(benchmark::kMicrosecond)                       \
      ->Iterations(count)
FORMATS(BM_WriterCallSecond, 20);
FORMATS(BM_CloseCallSecond, 2);

}  // namespace
}  // namespace outpace::record
