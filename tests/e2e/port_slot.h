#pragma once

// Ports for one test. The engine wants to be told its ports (two hundred for media, in a row), and
// a port that was free a moment ago may be taken when it is used, by another test of the same run
// above all. So tests share out the ports below the kernel's ephemeral range in slots: a slot
// belongs to who holds the lock on its file, and the kernel ends the lock with the process. A slot
// with a port that any other program uses is passed over.

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"

namespace outpace::e2e {

class PortSlot {
 public:
  static constexpr int kMediaLegs = 120;

  // Unavailable: no slot is free.
  static absl::StatusOr<std::unique_ptr<PortSlot>> Take();
  ~PortSlot();
  PortSlot(const PortSlot&) = delete;
  PortSlot& operator=(const PortSlot&) = delete;

  uint16_t sip() const { return Port(0); }           // UDP
  uint16_t far_end() const { return Port(1); }       // UDP
  uint16_t http() const { return Port(2); }          // TCP
  uint16_t media_first() const { return Port(10); }  // UDP, even, 2 * kMediaLegs of them

 private:
  PortSlot(int first, int lock_fd) : first_(first), lock_fd_(lock_fd) {}
  uint16_t Port(int offset) const { return static_cast<uint16_t>(first_ + offset); }
  const int first_;
  const int lock_fd_;
};

}  // namespace outpace::e2e
