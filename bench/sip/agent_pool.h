#pragma once

// Agents at the engine's HTTP door, all on one thread: log in with a nailed-up line, keep the
// screen's WebSocket open, be ready, and dispose of each call at once when it ends. Requests share
// a few connections: an agent's token says whose they are.

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace outpace::bench {

struct AgentPoolOptions {
  uint16_t http_port = 0;
  uint16_t phone_port = 0;  // where their phones are rung
  int agents = 0;
  std::string campaign = "BENCH";
  std::string user_prefix = "a";  // a0, a1, ...
  std::string password = "secret";
};

struct AgentPoolCounts {
  int logged_in = 0;  // tokens given
  int screens = 0;    // WebSockets open
  int ready = 0;      // "ready" accepted
  uint64_t pops = 0;  // calls that reached a screen
  uint64_t disposed = 0;
  uint64_t refused = 0;  // requests with another answer than 200
  std::string last_refusal;
};

class AgentPool {
 public:
  explicit AgentPool(const AgentPoolOptions& options);
  ~AgentPool();
  AgentPool(const AgentPool&) = delete;
  AgentPool& operator=(const AgentPool&) = delete;
  AgentPoolCounts Counts() const;

 private:
  enum class Ask : uint8_t { kLogin, kReady, kDispose };
  struct Request {
    Ask ask;
    int agent;
    uint64_t attempt;
  };
  struct Connection {
    int fd = -1;
    bool busy = false;
    Request request{};
    std::string in;
  };
  struct Screen {
    int fd = -1;
    bool open = false;
    std::string in;
  };
  struct Agent {
    std::string token;
    Screen screen;
  };

  void Run();
  int Connect();
  void Pump();
  void SendRequest(Connection& connection, const Request& request);
  void OnReply(Connection& connection);
  void OpenScreen(int agent);
  void OnScreen(int agent);
  void OnFrame(int agent, int opcode, absl::string_view payload);
  void CloseScreen(int agent);

  const AgentPoolOptions options_;
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  AgentPoolCounts counts_;

  int epoll_ = -1;
  std::vector<Connection> connections_;
  std::vector<Agent> agents_;
  std::deque<Request> waiting_;
  int logins_open_ = 0;
  std::thread thread_;
};

}  // namespace outpace::bench
