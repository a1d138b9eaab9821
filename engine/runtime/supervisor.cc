#include "engine/runtime/supervisor.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "engine/base/check.h"
#include "engine/runtime/real_clock.h"

namespace outpace::runtime {
namespace {

// Waits for a signal of `set` for `wait`; 0 when none came.
int AwaitSignal(const sigset_t& set, absl::Duration wait) {
  const timespec time = absl::ToTimespec(wait);
  const int signal = sigtimedwait(&set, nullptr, &time);
  return signal > 0 ? signal : 0;
}

pid_t Spawn(const std::function<int()>& child, const sigset_t& mask, pid_t supervisor) {
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != supervisor) _exit(1);  // it died before we asked to be told
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  const int code = child();
  std::fflush(nullptr);
  _exit(code);
}

}  // namespace

int Supervise(const SupervisorOptions& options, const std::function<int()>& child) {
  const RealClock clock;
  sigset_t watched;
  sigset_t before;
  sigemptyset(&watched);
  for (const int signal : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&watched, signal);
  OUTPACE_CHECK(sigprocmask(SIG_BLOCK, &watched, &before) == 0);
  const pid_t self = getpid();
  bool stopping = false;
  int early_deaths = 0;
  absl::Duration backoff = options.backoff_first;
  for (;;) {
    const MonoTime started = clock.Mono();
    const pid_t pid = Spawn(child, before, self);
    if (pid < 0) {
      std::fprintf(stderr, "outpace: no process for the engine: %s\n", std::strerror(errno));
      return 1;
    }
    int status = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
      const int signal = AwaitSignal(watched, absl::Seconds(1));
      if (signal != SIGTERM && signal != SIGINT) continue;
      stopping = true;
      kill(pid, signal);
    }
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    const int signal = WTERMSIG(status);
    if (stopping) return 128 + signal;
    const absl::Duration lived = clock.Mono() - started;
    early_deaths = lived < options.healthy_after ? early_deaths + 1 : 1;
    if (early_deaths > options.early_deaths_max) {
      std::fprintf(stderr, "outpace: the engine died %d times in a row (signal %d); giving up\n",
                   early_deaths, signal);
      return 128 + signal;
    }
    // The first death is answered at once: there are people on the lines.
    const absl::Duration wait = early_deaths == 1 ? absl::ZeroDuration() : backoff;
    backoff =
        early_deaths == 1 ? options.backoff_first : std::min(2 * backoff, options.backoff_max);
    std::fprintf(stderr,
                 "outpace: the engine was killed by signal %d (%s) after %.1f s; starting it "
                 "again\n",
                 signal, strsignal(signal), absl::ToDoubleSeconds(lived));
    const MonoTime until = clock.Mono() + wait;
    while (clock.Mono() < until) {
      const int asked = AwaitSignal(watched, until - clock.Mono());
      if (asked == SIGTERM || asked == SIGINT) return 0;
    }
  }
}

}  // namespace outpace::runtime
