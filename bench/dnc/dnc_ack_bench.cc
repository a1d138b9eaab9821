// How long a do-not-call number takes to be acknowledged: in force, on stable storage and in the
// evidence log. The engine runs as its own process, the numbers come one by one over its control
// socket at an offered rate (open loop: a late start counts as waiting). Beside it, at the same
// rate and on as many threads: 64 bytes written and synced, as little as a promise can cost.
//
//   dnc_ack_bench [--rate 1000] [--seconds 10] [--connections 32]
//
// The files lie under $TMPDIR, else /tmp: that must be a disk.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/sip/process.h"
#include "engine/api/http_client.h"
#include "engine/base/check.h"

namespace outpace::bench {
namespace {

struct Plan {
  double rate = 1000;  // a second
  double seconds = 10;
  int connections = 32;
  int count() const { return static_cast<int>(rate * seconds); }
};

int64_t NowNs(clockid_t clock) {
  timespec now{};
  OUTPACE_CHECK(clock_gettime(clock, &now) == 0);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

void WaitUntil(int64_t ns) {
  const timespec at{.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) != 0) {
  }
}

// Calls `add(thread, i)` for i = 0, 1, ... when its turn at the rate has come, on `threads`
// threads. Latencies in nanoseconds, from the moment of the turn; sorted.
std::vector<int64_t> Offer(const Plan& plan, int threads,
                           const std::function<void(int thread, int i)>& add) {
  std::vector<int64_t> latencies(static_cast<size_t>(plan.count()));
  std::atomic<int> next{0};
  const int64_t begin = NowNs(CLOCK_MONOTONIC) + 50'000'000;
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&, t] {
      for (int i = next++; i < plan.count(); i = next++) {
        const int64_t turn = begin + static_cast<int64_t>(i / plan.rate * 1e9);
        WaitUntil(turn);
        add(t, i);
        latencies[static_cast<size_t>(i)] = NowNs(CLOCK_MONOTONIC) - turn;
      }
    });
  }
  for (std::thread& thread : all) thread.join();
  std::sort(latencies.begin(), latencies.end());
  return latencies;
}

void Print(const char* what, const std::vector<int64_t>& latencies, double cpu_seconds) {
  const auto at = [&](double p) {
    const auto index = static_cast<size_t>(p * static_cast<double>(latencies.size() - 1));
    return static_cast<double>(latencies[index]) / 1e6;
  };
  std::printf("%-34s %7zu  p50 %7.3f ms  p99 %7.3f ms  max %7.3f ms  CPU %6.1f us each\n", what,
              latencies.size(), at(0.5), at(0.99), at(1),
              cpu_seconds * 1e6 / static_cast<double>(latencies.size()));
}

void RunBare(const Plan& plan, const WorkDir& dir) {
  const int file = ::open((dir / "bare").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  OUTPACE_CHECK(file >= 0);
  const std::string bytes(64, 'x');
  const int64_t cpu = NowNs(CLOCK_PROCESS_CPUTIME_ID);
  const std::vector<int64_t> latencies = Offer(plan, plan.connections, [&](int, int) {
    OUTPACE_CHECK(::write(file, bytes.data(), bytes.size()) == 64 && ::fdatasync(file) == 0);
  });
  Print("write and fdatasync of 64 bytes", latencies,
        static_cast<double>(NowNs(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e9);
  ::close(file);
}

std::unique_ptr<api::HttpClient> Control(const WorkDir& dir) {
  return api::HttpClient::Create(absl::StrCat("unix:", dir / "data/outpace.sock"),
                                 absl::Seconds(60));
}

// A port nobody has now. Another program may take it before the engine does; then run it again.
int FreePort(int type) {
  const int socket = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof at;
  OUTPACE_CHECK(socket >= 0 && ::bind(socket, reinterpret_cast<sockaddr*>(&at), length) == 0 &&
                ::getsockname(socket, reinterpret_cast<sockaddr*>(&at), &length) == 0);
  ::close(socket);
  return ntohs(at.sin_port);
}

std::unique_ptr<Child> Serve(const WorkDir& dir) {
  std::filesystem::create_directory(dir / "data");
  WriteFile(dir / "outpace.toml",
            absl::StrFormat(R"(data_dir = "%s"
drain_seconds = 1
[sip]
listen = "127.0.0.1:%d"
[[trunk]]
name = "carrier"
peer = "192.0.2.10:5060"
options_seconds = 0
[media]
address = "127.0.0.1"
port_first = %d
ports = 2
[http]
listen = "127.0.0.1:%d"
[log]
file = "%s"
)",
                            dir / "data", FreePort(SOCK_DGRAM), FreePort(SOCK_DGRAM) & ~1,
                            FreePort(SOCK_STREAM), dir / "engine.log"));
  auto serve =
      Child::Start({OUTPACE_BINARY, "serve", "--no-supervisor", "--config", dir / "outpace.toml"},
                   dir / "serve.out", dir / "serve.out");
  OUTPACE_CHECK(serve.ok());
  const auto control = Control(dir);
  for (int i = 0; i < 200; ++i) {
    const auto answer = control->Send("GET", "/readyz");
    if (answer.ok() && answer->status == 200) return *std::move(serve);
    if ((*serve)->Wait(absl::Milliseconds(50))) break;
  }
  std::fprintf(stderr, "dnc_ack_bench: serve does not come up:\n%s%s",
               ReadFile(dir / "serve.out").c_str(), ReadFile(dir / "engine.log").c_str());
  std::exit(1);
}

void RunEngine(const Plan& plan, const WorkDir& dir) {
  const std::unique_ptr<Child> serve = Serve(dir);
  std::vector<std::unique_ptr<api::HttpClient>> clients;
  for (int i = 0; i < plan.connections; ++i) clients.push_back(Control(dir));
  std::atomic<int> failed{0};
  const auto add = [&](int thread, int64_t number) {
    const auto answer = clients[static_cast<size_t>(thread)]->Send(
        "POST", "/v1/admin/dnc.add", absl::StrFormat(R"({"number":"+1%d"})", number),
        {{"content-type", "application/json"}});
    if (!answer.ok() || answer->status != 200) ++failed;
  };
  // Connections are made, and files have their first size, before anything is timed.
  Plan warm = plan;
  warm.seconds = 1;
  Offer(warm, plan.connections, [&](int thread, int i) { add(thread, 2125550000 + i % 10'000); });
  const CpuUse before = CpuOf(serve->pid());
  const std::vector<int64_t> latencies = Offer(plan, plan.connections, [&](int thread, int i) {
    const int line = i % 10'000 == 1212 ? 0 : i % 10'000;  // 555-1212: directory assistance
    add(thread, 3035550000 + line + i / 10'000 % 3 * 10'000'000LL);
  });
  const CpuUse used = CpuOf(serve->pid()) - before;
  Print("number added by the control socket", latencies, used.sum());
  for (const auto& [name, seconds] : used.threads) {
    if (seconds > 0.01 * used.sum()) std::printf("  %-16s %6.2f s\n", name.c_str(), seconds);
  }
  if (failed > 0) std::printf("FAILED: %d additions\n", failed.load());
  serve->Signal(SIGTERM);
  serve->Wait(absl::Seconds(10));
}

int Main(int argc, char** argv) {
  Plan plan;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const double value = std::atof(argv[i + 1]);
    if (name == "--rate") plan.rate = value;
    if (name == "--seconds") plan.seconds = value;
    if (name == "--connections") plan.connections = static_cast<int>(value);
  }
  const WorkDir dir;
  std::printf("%g additions a second for %g s, %d connections\n", plan.rate, plan.seconds,
              plan.connections);
  RunBare(plan, dir);
  RunEngine(plan, dir);
  return 0;
}

}  // namespace
}  // namespace outpace::bench

int main(int argc, char** argv) { return outpace::bench::Main(argc, argv); }
