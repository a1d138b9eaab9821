#include "tools/farend/signals.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <utility>

#include "engine/base/check.h"

namespace outpace::farend {

SignalWatch::SignalWatch() {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGTERM);
  sigaddset(&mask, SIGINT);
  OUTPACE_CHECK(pthread_sigmask(SIG_BLOCK, &mask, &old_mask_) == 0);
  fd_ = ::signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
  OUTPACE_CHECK(fd_ >= 0);
}

SignalWatch::~SignalWatch() {
  ::close(fd_);
  pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
}

void SignalWatch::Attach(Reactor& reactor, std::function<void()> on_signal) {
  reactor.Watch(fd_, [fd = fd_, on_signal = std::move(on_signal)] {
    signalfd_siginfo info;
    while (::read(fd, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) on_signal();
  });
}

void RaiseFileLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace outpace::farend
