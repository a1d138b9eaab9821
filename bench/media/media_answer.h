#pragma once

// From the 200 OK to audio at an agent who waits on a nailed-up line, beside calls that run. The
// clock starts where the engine has parsed the 200 and gives its SDP to the plane, and stops at the
// kernel's arrival time of the callee's first packet at the agent's socket. Half of the callees
// speak before their 200 is read (their audio overtakes it and is kept), half right after.

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "bench/media/media_loop.h"
#include "bench/media/media_shared.h"

namespace outpace::bench {

class Answers {
 public:
  static constexpr int kAgents = 32;
  // Legs of its own from number `first_leg` on: kAgents agents and as many callees at once.
  Answers(Shared& shared, EngineMedia& engine, uint32_t first_leg, double per_second);
  ~Answers();

 private:
  struct Line {
    int agent_fd = -1, callee_fd = -1;
    uint16_t agent_far = 0, callee_far = 0;  // ports of the far ends
    uint16_t callee_port = 0;                // ours
    LegId agent, callee;
    std::atomic<int64_t> asked_ns{0};  // 0: nothing is waited for
    bool early = false;
    uint32_t calls = 0;
  };
  void Open(Line& line);
  void Speak(Line& line) const;
  void Answer();
  void Listen();

  Shared& shared_;
  EngineMedia& engine_;
  const absl::Duration every_;
  uint32_t next_leg_;
  size_t next_line_ = 0;
  uint64_t answered_ = 0;
  std::atomic<bool> stop_{false};
  std::vector<std::unique_ptr<Line>> lines_;
  Loop::TimerId timer_ = 0;
  std::thread ears_;
};

}  // namespace outpace::bench
