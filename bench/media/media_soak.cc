#include "bench/media/media_soak.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bench/media/media_loop.h"
#include "bench/media/media_recording_check.h"
#include "bench/media/media_systems.h"
#include "bench/sip/process.h"
#include "bench/sip/row.h"
#include "engine/base/rng.h"
#include "engine/record/recorder.h"

namespace outpace::bench {
namespace {

constexpr absl::Duration kLead = absl::Milliseconds(100);  // bridged and recorded, nobody speaks
constexpr absl::Duration kTail = absl::Milliseconds(300);  // for the last packets
constexpr absl::Duration kPause = absl::Milliseconds(500);
constexpr double kSampleEveryS = 5, kReportEveryS = 30;
constexpr int kThoroughEvery = 8;  // one in so many recordings is listened to

double ToSeconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }

// ---- the engine's process ----

class SoakEvents final : public call::MediaEvents {
 public:
  void OnPromptDone(LegId) override {}
  void OnFirstMedia(LegId, MonoTime) override {}
  void OnMediaLost(LegId) override {}
  void OnHeard(LegId, const listen::Heard&) override {}
  void OnDigit(LegId, char) override {}
  void OnJoined(LegId, bool) override {}
};

// Keeps `calls` calls up, and writes a line into `out` for each recording that was closed.
class SoakEngine {
 public:
  SoakEngine(Shared& shared, const SoakOptions& options, int out)
      : shared_(shared), options_(options), out_(out), rng_(1), calls_(options.calls) {}
  int Run();

 private:
  struct Call {
    uint32_t number = 0;
    uint64_t attempt = 0;
    LegId leg[2];
    uint64_t sent[2] = {}, heard[2] = {};
    uint64_t stalls = 0;
    int64_t ordered_ns[2] = {};  // before and after the order to record
    int64_t spoke_ns = 0;
  };
  struct Ended {
    double seconds_min = 0, seconds_max = 0, tone_at = 0;
    int tone_seconds = 0;
  };
  Slot& SlotOfCall(size_t call, size_t side) { return shared_.slots[2 * call + side]; }
  void StartCall(size_t index);
  void Speak(size_t index, bool speak);
  void EndCall(size_t index);
  void OnClosed(const record::RecordingClosed& closed);
  void After(absl::Duration delay, Loop::Task task) {
    engine_->loop().After(delay, std::move(task));
  }

  Shared& shared_;
  const SoakOptions options_;
  const int out_;
  Rng rng_;
  SoakEvents events_;
  std::unique_ptr<record::Recorder> recorder_;
  std::unique_ptr<EngineMedia> engine_;
  std::vector<Call> calls_;
  uint32_t next_leg_ = 1;
  uint64_t next_attempt_ = 1;
  bool ending_ = false;
  std::mutex mutex_;  // of ended_
  std::map<uint64_t, Ended> ended_;
};

void SoakEngine::StartCall(size_t index) {
  if (ending_) return;
  Call& call = calls_[index];
  call.number++;
  call.attempt = next_attempt_++;
  for (size_t side = 0; side < 2; ++side) {
    call.leg[side] = {.shard = 0, .index = next_leg_++, .generation = 1};
    const auto offer = engine_->plane().Open(call.leg[side], {});
    if (!offer.ok()) return Fail(shared_, offer.status().ToString().c_str());
    Slot& slot = SlotOfCall(index, side);
    slot.to_port = AudioPortOf(*offer);
    const auto far =
        shared_.far_ports[static_cast<size_t>(SocketOf(static_cast<int>(2 * index + side)))];
    const std::string sdp = FarSdp(codec::Codec::kPcmu, far, shared_.sink_port, nullptr);
    if (!engine_->plane().SetRemote(call.leg[side], sdp).ok()) {
      return Fail(shared_, "soak: SDP refused");
    }
    call.sent[side] = slot.sent;
    call.heard[side] = slot.heard;
  }
  engine_->plane().Bridge(call.leg[0], call.leg[1]);
  record::RecordingOrder order;
  order.attempt = AttemptId(call.attempt);
  order.lead = LeadId(call.attempt);
  order.campaign = "SOAK";
  order.agent = absl::StrCat("a", index);
  order.started = engine_->clock().Wall();
  order.format = options_.format;
  auto tap = recorder_->Open(order);
  if (!tap.ok()) return Fail(shared_, tap.status().ToString().c_str());
  call.ordered_ns[0] = engine_->clock().Mono().nanos();
  engine_->plane().Do(call.leg[0], call::RecordStart{.tap = *std::move(tap)});
  call.ordered_ns[1] = engine_->clock().Mono().nanos();
  call.stalls = shared_.stalls;
  const double span = options_.call_seconds_max - options_.call_seconds_min;
  const absl::Duration length = absl::Seconds(options_.call_seconds_min + span * rng_.Uniform());
  // One after the other, so that a loop that was not run for a while keeps the distances.
  After(kLead, [this, index, length] {
    Speak(index, true);
    After(length, [this, index] {
      Speak(index, false);
      After(kTail, [this, index] { EndCall(index); });
    });
  });
}

void SoakEngine::Speak(size_t index, bool speak) {
  if (speak) calls_[index].spoke_ns = engine_->clock().Mono().nanos();
  for (size_t side = 0; side < 2; ++side) {
    SlotOfCall(index, side).call.store(speak ? calls_[index].number : 0, std::memory_order_release);
  }
}

void SoakEngine::EndCall(size_t index) {
  Call& call = calls_[index];
  Ended ended;
  uint64_t frames = UINT64_MAX;
  for (size_t side = 0; side < 2; ++side) {
    Slot& slot = SlotOfCall(index, side);
    const uint64_t sent = slot.sent - call.sent[side];
    const uint64_t heard = SlotOfCall(index, 1 - side).heard - call.heard[1 - side];
    frames = std::min(frames, sent);
    if (heard != sent) {
      shared_.soak_lost += sent > heard ? sent - heard : heard - sent;
      shared_.soak_lossy_calls++;
    }
  }
  const bool steady = shared_.stalls == call.stalls;
  ended.tone_seconds = steady ? static_cast<int>(frames / 50) : 0;
  ended.tone_at = ToSeconds(call.spoke_ns - call.ordered_ns[0]);
  ended.seconds_min = ToSeconds(engine_->clock().Mono().nanos() - call.ordered_ns[1]);
  // Both ends are known to within what the two orders took.
  ended.seconds_max = ended.seconds_min + ToSeconds(call.ordered_ns[1] - call.ordered_ns[0]);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_[call.attempt] = ended;
  }
  engine_->plane().Do(call.leg[0], call::RecordStop{});
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    Ended& last = ended_[call.attempt];
    last.seconds_max =
        std::max(last.seconds_max, ToSeconds(engine_->clock().Mono().nanos() - call.ordered_ns[0]));
  }
  for (const LegId leg : call.leg) engine_->plane().Close(leg);
  shared_.soak_calls++;
  After(kPause, [this, index] { StartCall(index); });
}

// Writer thread.
void SoakEngine::OnClosed(const record::RecordingClosed& closed) {
  Ended ended;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = ended_.find(closed.attempt.value());
    if (found == ended_.end()) return;  // the soak's end cut it off
    ended = found->second;
    ended_.erase(found);
  }
  const std::string line = absl::StrCat(
      ended.tone_at, "\t", ended.seconds_min, "\t", ended.seconds_max, "\t", ended.tone_seconds,
      "\t", closed.sha256, "\t", absl::ToDoubleSeconds(closed.lost), "\t",
      closed.fault.empty() ? "-" : closed.fault, "\t", closed.file, "\n");
  (void)!::write(out_, line.data(), line.size());  // one piece: it is shorter than PIPE_BUF
}

int SoakEngine::Run() {
  RaiseDescriptors();
  media::MediaConfig config;
  // Some rest after their calls: at most so many end in the time of that.
  const double resting =
      2 * options_.calls * absl::ToDoubleSeconds(config.quarantine) / options_.call_seconds_min;
  config.ports = 2 * options_.calls + static_cast<int>(resting) + options_.calls / 2 + 64;
  config.realtime = options_.realtime;
  config.mailbox_capacity = 65'536;
  auto engine = EngineMedia::Start(config, events_);
  if (!engine.ok()) {
    Fail(shared_, engine.status().ToString().c_str());
    return 1;
  }
  engine_ = *std::move(engine);
  record::RecorderConfig recording;
  recording.directory = options_.directory;
  recording.pattern = "ATTEMPT";
  auto recorder =
      record::StartRecorder(recording, engine_->clock(), engine_->log(),
                            [this](const record::RecordingClosed& closed) { OnClosed(closed); });
  if (!recorder.ok()) {
    Fail(shared_, recorder.status().ToString().c_str());
    return 1;
  }
  recorder_ = *std::move(recorder);
  engine_->Run([&](media::ShardMediaPlane&) {
    // All calls within 20 s, so that they neither begin nor end together.
    for (size_t i = 0; i < calls_.size(); ++i) {
      After(absl::Seconds(20) * static_cast<double>(i) / static_cast<double>(calls_.size()),
            [this, i] { StartCall(i); });
    }
  });
  shared_.phase = Phase::kReady;
  while (shared_.phase.load() < Phase::kCounted) {
    const record::RecorderStats stats = recorder_->Stats();
    shared_.soak_blocks_lost = stats.blocks_lost;
    shared_.soak_bytes = stats.bytes_written;
    shared_.soak_legs = engine_->Stats().legs;
    WaitUntil([] { return false; }, 0.2);
  }
  engine_->Run([&](media::ShardMediaPlane&) { ending_ = true; });
  engine_.reset();  // closes what is up
  recorder_->Stop();
  return 0;
}

// ---- the bench's process ----

struct Sample {
  double rss_kib = 0, descriptors = 0, threads = 0;
};

Sample SampleOf(pid_t pid) {
  Sample sample;
  sample.rss_kib = static_cast<double>(RssKiB(pid));
  std::error_code none;
  const std::string proc = absl::StrCat("/proc/", pid);
  for (const auto& entry : std::filesystem::directory_iterator(proc + "/fd", none)) {
    (void)entry;
    ++sample.descriptors;
  }
  for (const auto& entry : std::filesystem::directory_iterator(proc + "/task", none)) {
    (void)entry;
    ++sample.threads;
  }
  return sample;
}

// Takes the lines of closed recordings, checks the files and keeps the disk from filling.
class Checker {
 public:
  explicit Checker(const SoakOptions& options) : options_(options) {}

  void Take(const std::string& bytes) {
    rest_ += bytes;
    size_t end = 0;
    while ((end = rest_.find('\n')) != std::string::npos) {
      OnLine(rest_.substr(0, end));
      rest_.erase(0, end + 1);
    }
  }
  uint64_t closed() const { return closed_; }
  uint64_t listened() const { return listened_; }
  uint64_t bad() const { return bad_; }
  uint64_t disk() const { return disk_; }

 private:
  void OnLine(const std::string& line) {
    const std::vector<std::string> parts = absl::StrSplit(line, '\t');
    RecordingExpected expected;
    double lost = 0;
    ++closed_;
    if (parts.size() != 8 || !absl::SimpleAtod(parts[0], &expected.tone_at) ||
        !absl::SimpleAtod(parts[1], &expected.seconds_min) ||
        !absl::SimpleAtod(parts[2], &expected.seconds_max) ||
        !absl::SimpleAtoi(parts[3], &expected.tone_seconds) || !absl::SimpleAtod(parts[5], &lost)) {
      return Bad("?", absl::StrCat("a line that cannot be read: ", line));
    }
    expected.sha256 = parts[4];
    expected.format = options_.format;
    expected.path = absl::StrCat(options_.directory, "/", parts[7]);
    if (parts[6] != "-") return Bad(parts[7], parts[6]);
    if (lost > 0) return Bad(parts[7], absl::StrCat(lost, " s lost"));
    const bool thorough = closed_ % kThoroughEvery == 1;
    const std::string wrong = CheckRecording(expected, thorough);
    if (!wrong.empty()) return Bad(parts[7], wrong);
    if (thorough && expected.tone_seconds > 0) ++listened_;
    std::error_code none;
    const auto size = std::filesystem::file_size(expected.path, none);
    if (none) return Bad(parts[7], "its size cannot be read");
    files_.push_back({expected.path, size});
    disk_ += size;
    while (disk_ > options_.disk_bytes_max && !files_.empty()) {
      std::filesystem::remove(files_.front().first, none);
      disk_ -= files_.front().second;
      files_.pop_front();
    }
  }
  // The file stays, to be looked at.
  void Bad(const std::string& file, const std::string& why) {
    if (++bad_ <= 20) std::printf("BAD RECORDING %s: %s\n", file.c_str(), why.c_str());
  }

  const SoakOptions& options_;
  std::string rest_;
  uint64_t closed_ = 0, listened_ = 0, bad_ = 0, disk_ = 0;
  std::deque<std::pair<std::string, uint64_t>> files_;
};

pid_t Fork(const std::function<int()>& body) {
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int code = body();
  std::fflush(nullptr);
  ::_exit(code);
}

bool EndsWell(pid_t pid) {
  int status = 0;
  for (int i = 0; i < 12'000; ++i) {
    if (::waitpid(pid, &status, WNOHANG) == pid) return WIFEXITED(status) && !WEXITSTATUS(status);
    ::poll(nullptr, 0, 5);
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, &status, 0);
  return false;
}

// Sums over pairs; the values are a few hundred.
double MannKendallZ(const std::vector<double>& values) {
  double sum = 0;
  const auto n = static_cast<double>(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t k = i + 1; k < values.size(); ++k) {
      sum += values[k] > values[i] ? 1 : values[k] < values[i] ? -1 : 0;
    }
  }
  const double variance = n * (n - 1) * (2 * n + 5) / 18;
  return variance > 0 ? (sum - 1) / std::sqrt(variance) : 0;
}

class Soak {
 public:
  explicit Soak(const SoakOptions& options)
      : options_(options), shared_(NewShared()), checker_(options_) {}
  int Run();

 private:
  void Loop(pid_t engine, int in);
  void Report(pid_t engine, double at_s);
  int Verdict() const;

  const SoakOptions options_;
  const std::unique_ptr<Shared, Unmap> shared_;
  Checker checker_;
  std::vector<Sample> samples_;
  Sample now_;
  CpuUse cpu_;
  double cpu_at_s_ = 0;
};

void Soak::Report(pid_t engine, double at_s) {
  const CpuUse cpu = CpuOf(engine);
  const double per_call_second = (cpu - cpu_).sum() * 1e3 / ((at_s - cpu_at_s_) * options_.calls);
  cpu_ = cpu;
  cpu_at_s_ = at_s;
  std::printf(
      "%6.0f s: RSS %.1f MiB, %.0f descriptors, %.0f threads, %llu legs; %llu packets sent, %llu "
      "heard, %llu lost; %llu calls ended, %llu recordings closed, %llu listened to, %llu bad, "
      "%llu blocks lost; %.2f GB kept; %.3f ms CPU a call-second; generator: %llu late ticks, %llu "
      "stalls\n",
      at_s, now_.rss_kib / 1024, now_.descriptors, now_.threads,
      static_cast<unsigned long long>(shared_->soak_legs),
      static_cast<unsigned long long>(shared_->sent.load()),
      static_cast<unsigned long long>(shared_->heard.load()),
      static_cast<unsigned long long>(shared_->soak_lost.load()),
      static_cast<unsigned long long>(shared_->soak_calls.load()),
      static_cast<unsigned long long>(checker_.closed()),
      static_cast<unsigned long long>(checker_.listened()),
      static_cast<unsigned long long>(checker_.bad()),
      static_cast<unsigned long long>(shared_->soak_blocks_lost.load()),
      static_cast<double>(checker_.disk()) / 1e9, per_call_second,
      static_cast<unsigned long long>(shared_->late_ticks),
      static_cast<unsigned long long>(shared_->stalls.load()));
  std::fflush(stdout);
}

void Soak::Loop(pid_t engine, int in) {
  const int64_t start = WallNs();
  double next_sample = 0, next_report = kReportEveryS;
  while (shared_->phase.load() == Phase::kRun) {
    const double at_s = ToSeconds(WallNs() - start);
    if (at_s >= options_.minutes * 60) return;
    if (at_s >= next_sample) {
      now_ = SampleOf(engine);
      samples_.push_back(now_);
      next_sample += kSampleEveryS;
    }
    if (at_s >= next_report) {
      Report(engine, at_s);
      next_report += kReportEveryS;
    }
    pollfd readable{.fd = in, .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, 200) <= 0) continue;
    char bytes[65'536];
    const ssize_t got = ::read(in, bytes, sizeof bytes);
    if (got == 0) return Fail(*shared_, "the engine ended");
    if (got > 0) checker_.Take(std::string(bytes, static_cast<size_t>(got)));
  }
}

int Soak::Verdict() const {
  bool bad = false;
  const auto say = [&](bool wrong, const std::string& what) {
    std::printf("%s: %s\n", wrong ? "WRONG" : "right", what.c_str());
    bad |= wrong;
  };
  if (shared_->phase.load() == Phase::kFailed) say(true, shared_->why);
  say(shared_->soak_lost > 0,
      absl::StrCat(shared_->soak_lost.load(), " packets lost in ", shared_->soak_lossy_calls.load(),
                   " calls, ", shared_->own_drops, " dropped at the generator"));
  say(checker_.bad() > 0 || checker_.closed() == 0,
      absl::StrCat(checker_.bad(), " of ", checker_.closed(), " recordings bad, ",
                   checker_.listened(), " listened to"));
  say(shared_->soak_blocks_lost > 0,
      absl::StrCat(shared_->soak_blocks_lost.load(), " blocks lost"));
  // From when the first calls have ended and others have taken their place.
  const double warm_s = std::max(1.25 * options_.call_seconds_max + 20, options_.minutes * 60 / 4);
  const auto first = static_cast<size_t>(warm_s / kSampleEveryS);
  if (samples_.size() < first + 12) {
    say(true, "too short to see a trend: at least a minute after the first calls is needed");
    return 1;
  }
  std::vector<double> rss, descriptors, threads;
  for (size_t i = first; i < samples_.size(); ++i) {
    rss.push_back(samples_[i].rss_kib);
    descriptors.push_back(samples_[i].descriptors);
    threads.push_back(samples_[i].threads);
  }
  const auto range = [](const std::vector<double>& values) {
    return absl::StrCat(*std::min_element(values.begin(), values.end()), " to ",
                        *std::max_element(values.begin(), values.end()), " after warm-up");
  };
  say(Grows(rss, std::max(4'096.0, rss.front() * 0.04)), absl::StrCat("RSS KiB ", range(rss)));
  // Files being written come and go with the calls.
  say(Grows(descriptors, 0.02 * options_.calls + 8),
      absl::StrCat("descriptors ", range(descriptors)));
  say(Grows(threads, 0.5), absl::StrCat("threads ", range(threads)));
  return bad ? 1 : 0;
}

int Soak::Run() {
  std::printf("%s%d calls of %g to %g s for %g min, recorded\n", MachineText().c_str(),
              options_.calls, options_.call_seconds_min, options_.call_seconds_max,
              options_.minutes);
  TrafficOptions traffic;
  traffic.slots = 2 * options_.calls;
  traffic.sound = Sound::kMarker;
  traffic.stamped = false;
  traffic.realtime = options_.realtime;
  if (traffic.slots > kSlotsMax) return 2;
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return 2;
  const pid_t generator = Fork([&] { return RunTraffic(*shared_, traffic); });
  if (!WaitForPhase(*shared_, Phase::kBound, 10)) Fail(*shared_, "the generator does not start");
  const pid_t engine = Fork([&] { return SoakEngine(*shared_, options_, pipe[1]).Run(); });
  ::close(pipe[1]);
  if (WaitForPhase(*shared_, Phase::kReady, 60)) {
    shared_->phase = Phase::kRun;
    Loop(engine, pipe[0]);
    if (shared_->phase.load() == Phase::kRun) shared_->phase = Phase::kDrain;
    if (WaitForPhase(*shared_, Phase::kCounted, 20)) shared_->phase = Phase::kStop;
  } else {
    Fail(*shared_, "the engine does not start");
  }
  ::close(pipe[0]);
  ::signal(SIGPIPE, SIG_IGN);
  if (!EndsWell(generator)) Fail(*shared_, "the generator did not end well");
  if (!EndsWell(engine)) Fail(*shared_, "the engine did not end well");
  return Verdict();
}

}  // namespace

bool Grows(const std::vector<double>& values, double tolerance) {
  if (values.size() < 3 || MannKendallZ(values) < 3.1) return false;
  std::vector<double> slopes;
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t k = i + 1; k < values.size(); ++k) {
      slopes.push_back((values[k] - values[i]) / static_cast<double>(k - i));
    }
  }
  const auto middle = slopes.begin() + static_cast<ptrdiff_t>(slopes.size() / 2);
  std::nth_element(slopes.begin(), middle, slopes.end());
  return *middle * static_cast<double>(values.size() - 1) > tolerance;
}

void RemoveAll(const std::string& directory) {
  std::error_code none;
  std::filesystem::remove_all(directory, none);
}

int RunSoak(const SoakOptions& options) {
  SoakOptions own = options;
  const WorkDir work;
  own.directory = absl::StrCat(options.directory.empty() ? work / "" : options.directory,
                               "/media_bench_recordings");
  const int code = Soak(own).Run();
  if (code == 0 || options.directory.empty()) {
    RemoveAll(own.directory);
  } else {
    std::printf("kept: %s\n", own.directory.c_str());
  }
  return code;
}

}  // namespace outpace::bench
