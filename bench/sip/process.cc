#include "bench/sip/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/base/check.h"

extern char** environ;

namespace outpace::bench {
namespace {

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

struct Ticks {
  double user = 0, sys = 0;
};

// Fields 14 and 15 of /proc/.../stat, in clock ticks; the name before them may hold blanks.
Ticks TicksOf(const std::string& stat) {
  const size_t close = stat.rfind(')');
  if (close == std::string::npos) return {};
  const std::vector<std::string> fields = absl::StrSplit(stat.substr(close + 2), ' ');
  Ticks ticks;
  if (fields.size() < 13 || !absl::SimpleAtod(fields[11], &ticks.user) ||
      !absl::SimpleAtod(fields[12], &ticks.sys)) {
    return {};
  }
  return ticks;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Child>> Child::Start(const std::vector<std::string>& arguments,
                                                    const std::string& out, const std::string& err,
                                                    const std::vector<std::string>& environment) {
  std::vector<std::string> all = environment;
  for (char** entry = environ; *entry != nullptr; ++entry) all.emplace_back(*entry);
  const std::vector<char*> argv = Pointers(arguments), envp = Pointers(all);
  const char* out_path = out.empty() ? "/dev/null" : out.c_str();
  const char* err_path = err.empty() ? "/dev/null" : err.c_str();
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid == 0) {
    // Only what is safe between fork and exec of a program with threads.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);
    const int in_fd = ::open("/dev/null", O_RDONLY);
    const int out_fd = ::open(out_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    const int err_fd = ::open(err_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(in_fd, 0);
    ::dup2(out_fd, 1);
    ::dup2(err_fd, 2);
    for (const int fd : {in_fd, out_fd, err_fd}) {
      if (fd > 2) ::close(fd);
    }
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  OUTPACE_CHECK(pidfd >= 0);
  return std::unique_ptr<Child>(new Child(pid, pidfd));
}

Child::~Child() {
  if (!code_) {
    Signal(SIGKILL);
    Wait(absl::InfiniteDuration());
  }
  ::close(pidfd_);
}

void Child::Signal(int signal) const {
  if (!code_) ::syscall(SYS_pidfd_send_signal, pidfd_, signal, nullptr, 0);
}

std::optional<int> Child::Wait(absl::Duration timeout) {
  if (code_) return code_;
  pollfd ended{pidfd_, POLLIN, 0};
  const int wait_ms = timeout == absl::InfiniteDuration()
                          ? -1
                          : static_cast<int>(absl::ToInt64Milliseconds(timeout));
  if (::poll(&ended, 1, wait_ms) <= 0) return std::nullopt;
  int status = 0;
  OUTPACE_CHECK(::waitpid(pid_, &status, 0) == pid_);
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return code_;
}

void CpuUse::Share(double seconds) {
  const double ticks = user_ticks + sys_ticks;
  user = ticks > 0 ? seconds * user_ticks / ticks : seconds;
  sys = seconds - user;
}

CpuUse CpuOf(pid_t pid) {
  CpuUse use;
  double exact = 0;
  std::error_code none;
  const std::string tasks = absl::StrCat("/proc/", pid, "/task");
  for (const auto& entry : std::filesystem::directory_iterator(tasks, none)) {
    const std::string path = entry.path();
    const std::string schedstat = ReadFile(path + "/schedstat");
    double nanos = 0;
    if (!absl::SimpleAtod(schedstat.substr(0, schedstat.find(' ')), &nanos)) continue;
    std::string name = ReadFile(path + "/comm");
    while (!name.empty() && name.back() == '\n') name.pop_back();
    // The store's own helpers are one line of the table.
    if (absl::StartsWith(name, "rocksdb")) name = "rocksdb";
    use.threads[name] += nanos / 1e9;
    exact += nanos / 1e9;
    const Ticks ticks = TicksOf(ReadFile(path + "/stat"));
    use.user_ticks += ticks.user;
    use.sys_ticks += ticks.sys;
  }
  use.Share(exact);
  return use;
}

CpuUse operator-(const CpuUse& later, const CpuUse& earlier) {
  CpuUse used;
  used.user_ticks = later.user_ticks - earlier.user_ticks;
  used.sys_ticks = later.sys_ticks - earlier.sys_ticks;
  used.Share(later.sum() - earlier.sum());
  for (const auto& [name, seconds] : later.threads) {
    const auto before = earlier.threads.find(name);
    used.threads[name] = seconds - (before == earlier.threads.end() ? 0 : before->second);
  }
  return used;
}

int64_t RssKiB(pid_t pid) {
  const std::string status = ReadFile(absl::StrCat("/proc/", pid, "/status"));
  const size_t at = status.find("VmRSS:");
  if (at == std::string::npos) return 0;
  return std::strtoll(status.c_str() + at + 6, nullptr, 10);
}

WorkDir::WorkDir() {
  const char* base = std::getenv("TMPDIR");
  path_ = absl::StrCat(base != nullptr && *base != '\0' ? base : "/tmp", "/sip-bench-XXXXXX");
  OUTPACE_CHECK(::mkdtemp(path_.data()) != nullptr);
}

WorkDir::~WorkDir() {
  if (std::getenv("SIP_BENCH_KEEP") != nullptr) {
    std::fprintf(stderr, "kept: %s\n", path_.c_str());
    return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string WorkDir::operator/(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return "";
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void WriteFile(const std::string& path, absl::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
  OUTPACE_CHECK(file.flush().good());
}

void Pause(absl::Duration duration) {
  if (duration > absl::ZeroDuration()) {
    ::poll(nullptr, 0, static_cast<int>(absl::ToInt64Milliseconds(duration)));
  }
}

}  // namespace outpace::bench
