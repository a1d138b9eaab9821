#pragma once

// Strangers: requests of several kinds at a steady rate from an address that is nobody's peer, each
// with names of its own, answered or not.

#include <atomic>
#include <cstdint>
#include <thread>

namespace outpace::bench {

class Flood {
 public:
  // Sends to 127.0.0.1:`port` from 127.0.0.2 until destroyed.
  Flood(uint16_t port, int per_second);
  ~Flood();
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;
  uint64_t sent() const { return sent_; }
  uint64_t answered() const { return answered_; }

 private:
  void Run(uint16_t port, int per_second);
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> sent_{0}, answered_{0};
  std::thread thread_;
};

}  // namespace outpace::bench
