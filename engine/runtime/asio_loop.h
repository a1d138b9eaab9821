#pragma once

#include <memory>
#include <string>

#include "engine/base/loop.h"

namespace outpace::runtime {

// A Loop with a thread of its own, on boost::asio. For the controller and other control work; call
// shards run on the SIP stack's loop instead.
class AsioLoop final : public Loop {
 public:
  // `name`: for the thread list, 15 characters at most. `tasks_max`: posted tasks that may wait.
  AsioLoop(const std::string& name, const Clock& clock, size_t tasks_max = 65'536);
  ~AsioLoop() override;  // stops

  const Clock& clock() const override { return clock_; }
  bool Post(Task task) override;
  TimerId After(absl::Duration delay, Task task) override;
  void Cancel(TimerId timer) override;

  void Start();
  void Stop();  // runs nothing further, joins; idempotent; not from the loop's own thread

 private:
  struct Impl;
  const std::string name_;
  const Clock& clock_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace outpace::runtime
