#include "bench/sip/row.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace outpace::bench {
namespace {

double Quantile(std::vector<double>& values, double q) {
  if (values.empty()) return 0;
  const auto at = static_cast<size_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(at), values.end());
  return values[at];
}

std::string Memory(double kib) { return kib < 0 ? "-" : absl::StrFormat("%.1f", kib); }

}  // namespace

void Measure(const std::vector<CallLog>& calls, const Window& window, int ring_ms, Row& row) {
  std::vector<double> setup;
  std::vector<int64_t> launches;
  for (const CallLog& call : calls) {
    if (call.is_long) continue;
    launches.push_back(call.invite_ns);
    if (!call.good) ++row.failures;
    if (call.end_ns >= window.from_ns && call.end_ns < window.to_ns) ++row.calls;
    if (call.ack_ns != 0 && call.invite_ns >= window.from_ns && call.invite_ns < window.to_ns) {
      setup.push_back(static_cast<double>(call.ack_ns - call.invite_ns) / 1e6 - ring_ms);
    }
  }
  row.achieved =
      static_cast<double>(row.calls) * 1e9 / static_cast<double>(window.to_ns - window.from_ns);
  row.setup_p50_ms = Quantile(setup, 0.5);
  row.setup_p99_ms = Quantile(setup, 0.99);
  row.peak = PeakInOneSecond(std::move(launches));
}

void SetCpu(const CpuUse& used, Row& row) {
  const double calls = static_cast<double>(std::max<uint64_t>(row.calls, 1));
  row.user_us = used.user * 1e6 / calls;
  row.sys_us = used.sys * 1e6 / calls;
  for (const auto& [name, seconds] : used.threads) row.threads_us[name] = seconds * 1e6 / calls;
}

Row Median(const std::vector<Row>& runs) {
  Row row = runs.front();
  const auto middle = [&](auto figure) {
    std::vector<double> values;
    for (const Row& run : runs) values.push_back(static_cast<double>(figure(run)));
    return Quantile(values, 0.5);
  };
  row.achieved = middle([](const Row& r) { return r.achieved; });
  row.user_us = middle([](const Row& r) { return r.user_us; });
  row.sys_us = middle([](const Row& r) { return r.sys_us; });
  row.setup_p50_ms = middle([](const Row& r) { return r.setup_p50_ms; });
  row.setup_p99_ms = middle([](const Row& r) { return r.setup_p99_ms; });
  row.held_kib = middle([](const Row& r) { return r.held_kib; });
  row.ended_kib = middle([](const Row& r) { return r.ended_kib; });
  for (auto& [name, us] : row.threads_us) {
    us = middle([&, key = name](const Row& r) {
      const auto found = r.threads_us.find(key);
      return found == r.threads_us.end() ? 0.0 : found->second;
    });
  }
  // What must not happen at all is not averaged away.
  for (const Row& run : runs) {
    row.failures = std::max(row.failures, run.failures);
    row.retransmissions = std::max(row.retransmissions, run.retransmissions);
    row.peak = std::max(row.peak, run.peak);
  }
  return row;
}

uint64_t PeakInOneSecond(std::vector<int64_t> times) {
  std::sort(times.begin(), times.end());
  size_t first = 0, peak = 0;
  for (size_t i = 0; i < times.size(); ++i) {
    while (times[i] - times[first] >= 1'000'000'000) ++first;
    peak = std::max(peak, i - first + 1);
  }
  return peak;
}

std::string TableText(const std::vector<Row>& rows) {
  std::string out =
      absl::StrFormat("%-15s %8s %8s %6s %8s %8s %8s %9s %9s %8s %8s %6s %7s %6s  %s\n", "system",
                      "offered", "achieved", "failed", "user us", "sys us", "CPU us", "setup p50",
                      "setup p99", "KiB held", "KiB ended", "repeat", "peak/1s", "hold s", "note");
  for (const Row& r : rows) {
    absl::StrAppendFormat(
        &out, "%-15s %8.0f %8.1f %6d %8.1f %8.1f %8.1f %9.2f %9.2f %8s %9s %6d %7d %6.1f  %s\n",
        r.system, r.offered, r.achieved, r.failures, r.user_us, r.sys_us, r.sum_us(),
        r.setup_p50_ms, r.setup_p99_ms, Memory(r.held_kib), Memory(r.ended_kib), r.retransmissions,
        r.peak, r.hold_ms / 1'000.0, r.note);
  }
  return out;
}

std::string TableCsv(const std::vector<Row>& rows) {
  std::string out =
      "system,offered_cps,achieved_cps,calls,failures,cpu_user_us,cpu_sys_us,cpu_us,setup_p50_ms,"
      "setup_p99_ms,kib_held,kib_ended,retransmissions,peak_1s,hold_s,note\n";
  for (const Row& r : rows) {
    absl::StrAppendFormat(&out, "%s,%g,%.2f,%d,%d,%.2f,%.2f,%.2f,%.3f,%.3f,%s,%s,%d,%d,%g,\"%s\"\n",
                          r.system, r.offered, r.achieved, r.calls, r.failures, r.user_us, r.sys_us,
                          r.sum_us(), r.setup_p50_ms, r.setup_p99_ms, Memory(r.held_kib),
                          Memory(r.ended_kib), r.retransmissions, r.peak, r.hold_ms / 1'000.0,
                          r.note);
  }
  return out;
}

std::string ThreadText(const std::vector<Row>& rows) {
  std::string out;
  for (const Row& row : rows) {
    std::vector<std::pair<double, std::string>> threads;
    for (const auto& [name, us] : row.threads_us) threads.push_back({us, name});
    std::sort(threads.rbegin(), threads.rend());
    absl::StrAppendFormat(&out, "%-15s %6.0f:", row.system, row.offered);
    for (const auto& [us, name] : threads) {
      if (us >= 0.05) absl::StrAppendFormat(&out, "  %s %.1f", name, us);
    }
    out += "\n";
  }
  return out;
}

std::string MachineText() {
  utsname name{};
  ::uname(&name);
  const std::string info = ReadFile("/proc/cpuinfo");
  const size_t at = info.find("model name");
  std::string model = "unknown processor";
  if (at != std::string::npos) {
    const size_t colon = info.find(": ", at), end = info.find('\n', at);
    model = info.substr(colon + 2, end - colon - 2);
  }
  const std::string load = ReadFile("/proc/loadavg");
  return absl::StrFormat("%d x %s, Linux %s, %s UTC, load average %s\n",
                         ::sysconf(_SC_NPROCESSORS_ONLN), model, name.release,
                         absl::FormatTime("%Y-%m-%d %H:%M", absl::Now(), absl::UTCTimeZone()),
                         load.substr(0, load.find(' ')));
}

}  // namespace outpace::bench
