#include "bench/media/media_rows.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/sip/process.h"

namespace outpace::bench {
namespace {

// A copy of this process that runs `body`. It has no thread but its own when forked.
class Forked {
 public:
  explicit Forked(const std::function<int()>& body) {
    std::fflush(nullptr);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int code = body();
    std::fflush(nullptr);
    ::_exit(code);
  }
  ~Forked() {
    if (pid_ > 0 && !over_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  Forked(const Forked&) = delete;
  Forked& operator=(const Forked&) = delete;
  pid_t pid() const { return pid_; }
  // Whether it ended with 0 within `seconds`.
  bool Ended(double seconds) {
    const int64_t until = WallNs() + static_cast<int64_t>(seconds * 1e9);
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) == 0) {
      if (WallNs() > until) return false;
      ::poll(nullptr, 0, 5);
    }
    over_ = true;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  pid_t pid_ = -1;
  bool over_ = false;
};

double MediaSeconds(const CpuUse& use) {
  double sum = 0;
  for (const auto& [name, seconds] : use.threads) {
    if (absl::StartsWith(name, "media")) sum += seconds;
  }
  return sum;
}

absl::Status Why(const Shared& shared, absl::string_view what) {
  if (shared.phase.load() == Phase::kFailed) return absl::UnavailableError(shared.why);
  return absl::DeadlineExceededError(what);
}

void Fill(const Shared& shared, const RowOptions& options, const CpuUse& used, MediaRow& row) {
  const double packets = static_cast<double>(std::max<uint64_t>(shared.sent_in_window, 1));
  const double call_seconds = options.seconds * options.system.calls;
  row.packets = shared.sent_in_window;
  row.media_us = MediaSeconds(used) * 1e6 / packets;
  row.process_us = used.sum() * 1e6 / packets;
  row.media_ms = MediaSeconds(used) * 1e3 / call_seconds;
  row.process_ms = used.sum() * 1e3 / call_seconds;
  row.p50_ms = shared.delays.QuantileMs(0.5);
  row.p99_ms = shared.delays.QuantileMs(0.99);
  row.p999_ms = shared.delays.QuantileMs(0.999);
  row.max_ms = shared.delays.MaxMs();
  if (Comparable(row.mode)) {
    row.lost = static_cast<int64_t>(shared.sent.load()) -
               static_cast<int64_t>(shared.heard.load() + shared.own_drops);
  }
  row.verdicts_a_call = static_cast<double>(shared.verdicts.load()) / options.system.calls;
  row.own_drops = shared.own_drops;
  row.late_ticks = shared.late_ticks;
  row.strays = shared.strays;
  row.recordings = shared.recordings_closed;
  row.recording_faults = shared.recording_faults;
  row.blocks_lost = shared.blocks_lost;
  row.answers = shared.answer_before.count() + shared.answer_after.count();
  row.before_p50_ms = shared.answer_before.QuantileMs(0.5);
  row.before_p99_ms = shared.answer_before.QuantileMs(0.99);
  row.after_p50_ms = shared.answer_after.QuantileMs(0.5);
  row.after_p99_ms = shared.answer_after.QuantileMs(0.99);
  row.answer_max_ms = std::max(shared.answer_before.MaxMs(), shared.answer_after.MaxMs());
}

}  // namespace

absl::StatusOr<MediaRow> Measure(const RowOptions& options) {
  const auto shared = NewShared();
  const TrafficOptions traffic = TrafficFor(options.system);
  if (traffic.slots > kSlotsMax) return absl::InvalidArgumentError("too many calls for this bench");
  MediaRow row;
  row.mode = options.system.mode;
  row.system = std::string(ModeName(row.mode));
  row.calls = options.system.calls;
  Forked generator([&] { return RunTraffic(*shared, traffic); });
  if (!WaitForPhase(*shared, Phase::kBound, 10))
    return Why(*shared, "the generator does not start");
  Forked system([&] { return RunSystem(*shared, options.system); });
  if (!WaitForPhase(*shared, Phase::kReady, 60)) return Why(*shared, "the system does not start");
  shared->phase = Phase::kRun;
  Pause(absl::Seconds(options.warm_up_s));

  std::unique_ptr<Child> perf;
  if (!options.perf.empty()) {
    auto started = Child::Start({"/usr/bin/perf", "record", "-F", "2000", "-g", "-o", options.perf,
                                 "-p", absl::StrCat(system.pid())},
                                "", "");
    if (started.ok()) perf = *std::move(started);
    Pause(absl::Seconds(1));
  }
  const CpuUse before = CpuOf(system.pid()), generator_before = CpuOf(generator.pid());
  shared->window_from_ns = WallNs();
  const int64_t until = shared->window_from_ns + static_cast<int64_t>(options.seconds * 1e9);
  while (WallNs() < until && shared->phase.load() == Phase::kRun) Pause(absl::Milliseconds(20));
  shared->window_to_ns = WallNs();
  const CpuUse used = CpuOf(system.pid()) - before;
  const double generator_used = CpuOf(generator.pid()).sum() - generator_before.sum();
  const int64_t rss = RssKiB(system.pid());
  if (shared->phase.load() == Phase::kFailed) return Why(*shared, "");
  if (perf != nullptr) {
    perf->Signal(SIGINT);
    perf->Wait(absl::Seconds(20));
  }
  shared->phase = Phase::kDrain;
  if (!WaitForPhase(*shared, Phase::kCounted, 20)) return Why(*shared, "the generator is stuck");
  shared->phase = Phase::kStop;
  if (!generator.Ended(10)) return absl::InternalError("the generator does not end");
  if (!system.Ended(60)) return Why(*shared, "the system does not end");
  Fill(*shared, options, used, row);
  row.generator_share = generator_used / options.seconds;
  row.kib_a_call = static_cast<double>(rss - shared->rss_before_kib) / row.calls;
  return row;
}

MediaRow Median(const std::vector<MediaRow>& runs) {
  MediaRow row = runs.front();
  const auto middle = [&](double MediaRow::*figure) {
    std::vector<double> values;
    for (const MediaRow& run : runs) values.push_back(run.*figure);
    std::sort(values.begin(), values.end());
    row.*figure = values[(values.size() - 1) / 2];
  };
  for (double MediaRow::*figure :
       {&MediaRow::media_us, &MediaRow::process_us, &MediaRow::media_ms, &MediaRow::process_ms,
        &MediaRow::generator_share, &MediaRow::p50_ms, &MediaRow::p99_ms, &MediaRow::p999_ms,
        &MediaRow::kib_a_call, &MediaRow::verdicts_a_call, &MediaRow::before_p50_ms,
        &MediaRow::before_p99_ms, &MediaRow::after_p50_ms, &MediaRow::after_p99_ms}) {
    middle(figure);
  }
  row.packets = row.answers = 0;
  for (const MediaRow& run : runs) {
    row.packets += run.packets;
    row.answers += run.answers;
    row.max_ms = std::max(row.max_ms, run.max_ms);
    row.answer_max_ms = std::max(row.answer_max_ms, run.answer_max_ms);
    row.lost = std::max(row.lost, run.lost);
    row.own_drops = std::max(row.own_drops, run.own_drops);
    row.late_ticks = std::max(row.late_ticks, run.late_ticks);
    row.strays = std::max(row.strays, run.strays);
    row.recording_faults = std::max(row.recording_faults, run.recording_faults);
    row.blocks_lost = std::max(row.blocks_lost, run.blocks_lost);
  }
  return row;
}

namespace {

// The baseline of as many calls; nullptr: was not measured.
const MediaRow* BaseOf(const std::vector<MediaRow>& rows, Mode mode, int calls) {
  for (const MediaRow& row : rows) {
    if (row.mode == mode && row.calls == calls) return &row;
  }
  return nullptr;
}

std::string Ratio(const MediaRow& row, const MediaRow* base) {
  if (base == nullptr || base->process_us <= 0 || row.mode == base->mode) return "-";
  return absl::StrFormat("%.2f", row.process_us / base->process_us);
}

std::string Notes(const MediaRow& row) {
  std::string out;
  const auto say = [&](absl::string_view what, uint64_t n) {
    if (n > 0) absl::StrAppend(&out, out.empty() ? "" : ", ", n, " ", what);
  };
  say("dropped at the generator", row.own_drops);
  say("ticks of the generator over 5 ms late", row.late_ticks);
  say("strays", row.strays);
  say("recordings", row.recordings);
  say("RECORDING FAULTS", row.recording_faults);
  say("BLOCKS LOST", row.blocks_lost);
  if (row.verdicts_a_call > 0) {
    absl::StrAppendFormat(&out, "%s%.1f verdicts a call", out.empty() ? "" : ", ",
                          row.verdicts_a_call);
  }
  return out;
}

}  // namespace

std::string TableText(const std::vector<MediaRow>& rows) {
  std::string out = absl::StrFormat(
      "%-15s %6s %8s %8s %9s %9s %7s %7s %7s %7s %7s %7s %8s %6s %8s %6s  %s\n", "system", "calls",
      "us/pkt", "all thr", "ms/call-s", "all thr", "a core", "x bare", "x oRTP", "p50 ms", "p99 ms",
      "p99.9", "max", "lost", "KiB/call", "gen", "note");
  for (const MediaRow& r : rows) {
    absl::StrAppendFormat(
        &out,
        "%-15s %6d %8.2f %8.2f %9.3f %9.3f %7.0f %7s %7s %7.2f %7.2f %7.2f %8.2f %6s %8.1f %6.2f  "
        "%s\n",
        r.system, r.calls, r.media_us, r.process_us, r.media_ms, r.process_ms,
        r.media_ms > 0 ? 1e3 / r.media_ms : 0, Ratio(r, BaseOf(rows, Mode::kBare, r.calls)),
        Ratio(r, BaseOf(rows, Mode::kOrtp, r.calls)), r.p50_ms, r.p99_ms, r.p999_ms, r.max_ms,
        r.lost < 0 && !Comparable(r.mode) ? "-" : absl::StrCat(r.lost), r.kib_a_call,
        r.generator_share, Notes(r));
  }
  for (const MediaRow& r : rows) {
    if (r.answers == 0) continue;
    absl::StrAppendFormat(
        &out,
        "200 OK to audio at the agent beside %d calls, %d answers: audio before the answer p50 "
        "%.2f ms, p99 %.2f ms; after it p50 %.2f ms, p99 %.2f ms; max %.2f ms\n",
        r.calls, r.answers, r.before_p50_ms, r.before_p99_ms, r.after_p50_ms, r.after_p99_ms,
        r.answer_max_ms);
  }
  return out;
}

std::string TableCsv(const std::vector<MediaRow>& rows) {
  std::string out =
      "system,calls,packets,media_us_packet,process_us_packet,media_ms_call_second,"
      "process_ms_call_second,p50_ms,p99_ms,p999_ms,max_ms,lost,kib_a_call,generator_share,"
      "verdicts_a_call,recordings,recording_faults,blocks_lost,own_drops,late_ticks,answers,"
      "before_p50_ms,before_p99_ms,after_p50_ms,after_p99_ms,answer_max_ms\n";
  for (const MediaRow& r : rows) {
    absl::StrAppendFormat(
        &out,
        "%s,%d,%d,%.3f,%.3f,%.4f,%.4f,%.3f,%.3f,%.3f,%.3f,%d,%.2f,%.3f,%.2f,%d,%d,%d,%d,%d,%d,"
        "%.3f,%.3f,%.3f,%.3f,%.3f\n",
        r.system, r.calls, r.packets, r.media_us, r.process_us, r.media_ms, r.process_ms, r.p50_ms,
        r.p99_ms, r.p999_ms, r.max_ms, r.lost, r.kib_a_call, r.generator_share, r.verdicts_a_call,
        r.recordings, r.recording_faults, r.blocks_lost, r.own_drops, r.late_ticks, r.answers,
        r.before_p50_ms, r.before_p99_ms, r.after_p50_ms, r.after_p99_ms, r.answer_max_ms);
  }
  return out;
}

}  // namespace outpace::bench
