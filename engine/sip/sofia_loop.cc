#include "engine/sip/sofia_loop.h"

#include <sofia-sip/su.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_wait.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/base/call_once.h"
#include "engine/base/check.h"
#include "engine/sip/su_duration.h"

namespace outpace::sip {
namespace {

constexpr long kIdleWaitMs = 1'000;   // the longest wait of one step
constexpr int kTasksPerWake = 1'024;  // then the sockets get their turn

// Sofia's log lines hold whole URIs, so telephone numbers: they are dropped. What matters is logged
// by SofiaSignaling, from values.
void DropLogLine(void*, char const*, va_list) {}

void InitSofiaOnce() {
  static absl::once_flag once;
  absl::call_once(once, [] {
    su_log_redirect(nullptr, DropLogLine, nullptr);
    su_init();
    su_log_set_level(nullptr, 0);
  });
}

void NeverRuns(su_root_magic_t*, su_timer_t*, su_timer_arg_t*) {}

// One step with a timer an hour away makes the library compute a wait; the count shows whether it
// came through our su_duration().
bool DurationIsOurs(su_root_t* root) {
  su_timer_t* timer = su_timer_create(su_root_task(root), 3'600'000);
  if (timer == nullptr) return false;
  su_timer_set(timer, NeverRuns, nullptr);
  const uint64_t before = RoundedDurations();
  su_root_step(root, 0);
  const bool ours = RoundedDurations() > before;
  su_timer_destroy(timer);
  return ours;
}

int OnWoken(su_root_magic_t*, su_wait_t* wait, su_wakeup_arg_t* run) {
  uint64_t count = 0;
  // Non-blocking: a failed read means another step has emptied it already.
  [[maybe_unused]] const ssize_t n = read(wait->fd, &count, sizeof count);
  (*reinterpret_cast<absl::AnyInvocable<void()>*>(run))();
  return 0;
}

}  // namespace

SofiaLoop::SofiaLoop(const Clock& clock, size_t tasks_max)
    : clock_(clock), mailbox_(tasks_max), event_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

SofiaLoop::~SofiaLoop() {
  OUTPACE_CHECK(root_ == nullptr);
  if (event_fd_ >= 0) close(event_fd_);
}

bool SofiaLoop::Post(Task task) {
  if (!mailbox_.TryPush(std::move(task))) return false;
  Wake();
  return true;
}

void SofiaLoop::Wake() {
  if (woken_.exchange(true)) return;  // a wake-up is on its way already
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(event_fd_, &one, sizeof one);
}

Loop::TimerId SofiaLoop::After(absl::Duration delay, Task task) {
  OUTPACE_CHECK(OnLoopThread());
  OUTPACE_CHECK(delay >= absl::ZeroDuration());
  const TimerId id = next_timer_++;
  const int64_t at = (clock_.Mono() + std::min(delay, absl::Hours(24 * 365))).nanos();
  due_.push_back({at, id});
  std::push_heap(due_.begin(), due_.end(), Later);
  // A step runs the stack's own timers first and waits then, for as long as it was told before.
  // What they set here for earlier must cut that wait short.
  if (at < step_ends_) Wake();
  timers_.emplace(id, std::move(task));
  return id;
}

void SofiaLoop::Cancel(TimerId timer) {
  OUTPACE_CHECK(OnLoopThread());
  timers_.erase(timer);
  // Most timers of a dialer are cancelled long before they are due: without this the heap would
  // keep the dead ones until then.
  if (due_.size() > 64 && due_.size() > 2 * timers_.size()) DropCancelled();
}

void SofiaLoop::DropCancelled() {
  std::erase_if(due_, [this](const Due& due) { return !timers_.contains(due.id); });
  std::make_heap(due_.begin(), due_.end(), Later);
}

void SofiaLoop::Stop() {
  stop_.store(true);
  Wake();
}

su_root_s* SofiaLoop::root() const {
  OUTPACE_CHECK(OnLoopThread() && root_ != nullptr);
  return root_;
}

bool SofiaLoop::OnLoopThread() const { return thread_.load() == std::this_thread::get_id(); }

absl::Status SofiaLoop::Run(Task on_start, Task on_stop) {
  OUTPACE_CHECK(thread_.exchange(std::this_thread::get_id()) == std::thread::id());
  InitSofiaOnce();
  root_ = event_fd_ >= 0 ? su_root_create(nullptr) : nullptr;
  if (root_ == nullptr)
    return absl::UnavailableError("sip loop: no descriptors for the event loop");
  su_root_threading(root_, 0);  // nothing of the stack may start a thread of its own
  OUTPACE_CHECK(DurationIsOurs(root_));

  Task run_posted = [this] { RunPosted(); };
  su_wait_t wait[1] = {SU_WAIT_INIT};
  su_wait_create(wait, event_fd_, SU_WAIT_IN);
  const int registered =
      su_root_register(root_, wait, OnWoken, reinterpret_cast<su_wakeup_arg_t*>(&run_posted), 0);
  OUTPACE_CHECK(registered > 0);

  if (on_start) on_start();
  while (!stop_.load()) {
    RunTimers();
    if (stop_.load()) break;
    const long wait_ms = MillisecondsToNextTimer();
    step_ends_ = (clock_.Mono() + absl::Milliseconds(wait_ms)).nanos();
    su_root_step(root_, wait_ms);
    step_ends_ = 0;
    steps_.fetch_add(1, std::memory_order_relaxed);
  }
  if (on_stop) on_stop();
  timers_.clear();
  due_.clear();
  su_root_deregister(root_, registered);
  su_root_destroy(root_);
  root_ = nullptr;
  return absl::OkStatus();
}

void SofiaLoop::RunPosted() {
  woken_.store(false);  // before the first pop: who pushes after it writes the eventfd again
  for (int i = 0; i < kTasksPerWake; ++i) {
    std::optional<Task> task = mailbox_.TryPop();
    if (!task.has_value()) return;
    (*task)();
    if (stop_.load()) return;
  }
  Wake();
}

void SofiaLoop::RunTimers() {
  const int64_t now = clock_.Mono().nanos();
  // Timers that these set for "now" get larger ids and run in the next turn: no task can keep the
  // loop from its sockets.
  const TimerId end = next_timer_;
  while (!due_.empty() && due_.front().at <= now && due_.front().id < end) {
    std::pop_heap(due_.begin(), due_.end(), Later);
    const TimerId id = due_.back().id;
    due_.pop_back();
    const auto it = timers_.find(id);
    if (it == timers_.end()) continue;
    Task task = std::move(it->second);
    timers_.erase(it);
    task();
    if (stop_.load()) return;
  }
}

long SofiaLoop::MillisecondsToNextTimer() {
  while (!due_.empty() && !timers_.contains(due_.front().id)) {
    std::pop_heap(due_.begin(), due_.end(), Later);
    due_.pop_back();
  }
  if (due_.empty()) return kIdleWaitMs;
  const int64_t wait = due_.front().at - clock_.Mono().nanos();
  if (wait <= 0) return 0;
  return static_cast<long>(std::min<int64_t>((wait + 999'999) / 1'000'000, kIdleWaitMs));
}

}  // namespace outpace::sip
