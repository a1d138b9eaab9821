#pragma once

#include <csignal>
#include <functional>

#include "tools/farend/reactor.h"

namespace outpace::farend {

// Blocks SIGTERM and SIGINT in this thread, and so in threads it starts later, and reports them to
// a reactor instead. The old mask comes back at the end. Make it before other threads.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  // `on_signal` runs on the reactor's thread at each signal. The reactor outlives this call's use.
  void Attach(Reactor& reactor, std::function<void()> on_signal);

 private:
  sigset_t old_mask_;
  int fd_ = -1;
};

// Raises the soft limit of open files to the hard one: each call has a socket.
void RaiseFileLimit();

}  // namespace outpace::farend
