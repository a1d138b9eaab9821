#include "engine/runtime/asio_loop.h"

#include <pthread.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "engine/base/mailbox.h"

namespace outpace::runtime {

namespace asio = boost::asio;

struct AsioLoop::Impl {
  explicit Impl(size_t tasks_max) : tasks(tasks_max), guard(asio::make_work_guard(context)) {}

  void Drain() {
    wake_posted.store(false, std::memory_order_seq_cst);
    // Bounded, so that timers get their turn under a flood of tasks.
    for (int i = 0; i < 1024; ++i) {
      std::optional<Task> task = tasks.TryPop();
      if (!task) return;
      (*task)();
    }
    Wake();
  }
  void Wake() {
    if (!wake_posted.exchange(true)) asio::post(context, [this] { Drain(); });
  }

  asio::io_context context{1};
  Mailbox<Task> tasks;
  std::atomic<bool> wake_posted{false};
  asio::executor_work_guard<asio::io_context::executor_type> guard;
  absl::flat_hash_map<TimerId, std::unique_ptr<asio::steady_timer>> timers;  // looked up by id only
  TimerId next_timer = 1;
  std::thread thread;
};

AsioLoop::AsioLoop(const std::string& name, const Clock& clock, size_t tasks_max)
    : name_(name), clock_(clock), impl_(std::make_unique<Impl>(tasks_max)) {}

AsioLoop::~AsioLoop() { Stop(); }

bool AsioLoop::Post(Task task) {
  if (!impl_->tasks.TryPush(std::move(task))) return false;
  impl_->Wake();
  return true;
}

Loop::TimerId AsioLoop::After(absl::Duration delay, Task task) {
  const TimerId id = impl_->next_timer++;
  auto timer =
      std::make_unique<asio::steady_timer>(impl_->context, absl::ToChronoNanoseconds(delay));
  timer->async_wait([this, id, task = std::move(task)](boost::system::error_code error) mutable {
    if (error || impl_->timers.erase(id) == 0) return;  // cancelled
    task();
  });
  impl_->timers.emplace(id, std::move(timer));
  return id;
}

void AsioLoop::Cancel(TimerId timer) { impl_->timers.erase(timer); }

void AsioLoop::Start() {
  impl_->thread = std::thread([this] {
    pthread_setname_np(pthread_self(), name_.c_str());
    impl_->context.run();
  });
}

void AsioLoop::Stop() {
  impl_->context.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace outpace::runtime
