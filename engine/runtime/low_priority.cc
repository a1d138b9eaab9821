#include "engine/runtime/low_priority.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

namespace outpace::runtime {
namespace {

constexpr int kNice = 15;  // the scheduler's weight of 36 against 1024

}  // namespace

absl::Status AtLowPriority(const std::function<absl::Status()>& work) {
  absl::Status status;
  std::thread thread([&] {
    // Linux has one priority a thread, which threads started from here inherit. Without the right
    // to it, it is done at the usual one.
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kNice);
    status = work();
  });
  thread.join();
  return status;
}

}  // namespace outpace::runtime
