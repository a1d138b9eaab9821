#include "tools/farend/reactor.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "absl/time/clock.h"
#include "engine/base/check.h"

namespace outpace::farend {

MonoTime SystemClock::Mono() const {
  return MonoTime(std::chrono::duration_cast<std::chrono::nanoseconds>(
                      std::chrono::steady_clock::now().time_since_epoch())
                      .count());
}

absl::Time SystemClock::Wall() const { return absl::Now(); }

Reactor::Reactor() {
  epoll_fd_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_fd_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  OUTPACE_CHECK(epoll_fd_ >= 0 && wake_fd_ >= 0);
  Watch(wake_fd_, [this] {
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t n = ::read(wake_fd_, &count, sizeof count);
  });
}

Reactor::~Reactor() {
  ::close(wake_fd_);
  ::close(epoll_fd_);
}

bool Reactor::Post(Task task) {
  if (!inbox_.TryPush(std::move(task))) return false;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(wake_fd_, &one, sizeof one);
  return true;
}

void Reactor::Stop() {
  stopped_.store(true, std::memory_order_release);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(wake_fd_, &one, sizeof one);
}

Loop::TimerId Reactor::After(absl::Duration delay, Task task) {
  const TimerId id = ++next_timer_;
  due_.push({clock_.Mono() + std::max(delay, absl::ZeroDuration()), id});
  timers_.emplace(id, std::move(task));
  return id;
}

void Reactor::Cancel(TimerId timer) { timers_.erase(timer); }

void Reactor::Watch(int fd, std::function<void()> on_readable) {
  OUTPACE_CHECK(fd >= 0);
  const auto index = static_cast<size_t>(fd);
  if (watched_.size() <= index) watched_.resize(index + 1);
  OUTPACE_CHECK(watched_[index] == nullptr);
  watched_[index] = std::make_shared<std::function<void()>>(std::move(on_readable));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  OUTPACE_CHECK(::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0);
}

void Reactor::Unwatch(int fd) {
  const auto index = static_cast<size_t>(fd);
  if (fd < 0 || index >= watched_.size() || watched_[index] == nullptr) return;
  watched_[index].reset();
  ::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
}

void Reactor::RunInbox() {
  // Bounded, so that a task that posts itself again does not starve the sockets.
  for (int i = 0; i < 1024; ++i) {
    auto task = inbox_.TryPop();
    if (!task) return;
    (*task)();
  }
  const uint64_t one = 1;  // some are left: come back at once
  [[maybe_unused]] const ssize_t n = ::write(wake_fd_, &one, sizeof one);
}

void Reactor::RunTimers() {
  const MonoTime now = clock_.Mono();
  while (!due_.empty() && due_.top().at <= now) {
    const TimerId id = due_.top().id;
    due_.pop();
    const auto it = timers_.find(id);
    if (it == timers_.end()) continue;  // cancelled
    Task task = std::move(it->second);
    timers_.erase(it);
    task();
  }
}

int Reactor::WaitMillis(absl::Duration wait_max) const {
  const int64_t most = absl::ToInt64Milliseconds(wait_max);
  if (due_.empty()) return static_cast<int>(most);
  // Rounded up: rounding down would spin through the last millisecond.
  const int64_t left = (due_.top().at.nanos() - clock_.Mono().nanos() + 999'999) / 1'000'000;
  return static_cast<int>(std::clamp<int64_t>(left, 0, most));
}

void Reactor::RunOnce(absl::Duration wait_max) {
  epoll_event events[256];
  const int n = ::epoll_wait(epoll_fd_, events, 256, WaitMillis(wait_max));
  for (int i = 0; i < n; ++i) {
    const auto index = static_cast<size_t>(events[i].data.fd);
    if (const auto handler = watched_[index]) (*handler)();
  }
  RunInbox();
  RunTimers();
  if (on_batch_end_) on_batch_end_();
}

void Reactor::Run() {
  while (!stopped_.load(std::memory_order_acquire)) RunOnce(absl::Seconds(1));
}

}  // namespace outpace::farend
