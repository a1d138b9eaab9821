#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "engine/trace/wire_tap.h"

namespace outpace::sip {

// Keeps what a tap was shown, for the test's thread to read.
class TapRecorder final : public trace::WireTap {
 public:
  struct Seen {
    trace::Direction direction = trace::Direction::kIn;
    trace::WireTransport transport = trace::WireTransport::kUdp;
    absl::Time at;
    std::string local, remote, bytes;
  };
  void OnMessage(const trace::TappedMessage& message) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    seen_.push_back({message.direction, message.transport, message.at, message.local.ToString(),
                     message.remote.ToString(), std::string(message.bytes)});
  }
  std::vector<Seen> seen() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return seen_;
  }

 private:
  std::mutex mutex_;
  std::vector<Seen> seen_;
};

}  // namespace outpace::sip
