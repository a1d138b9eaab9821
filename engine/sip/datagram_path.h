#pragma once

// The way of a datagram between the kernel and Sofia. The stack asks the kernel four things for
// each datagram it reads (epoll_wait, FIONREAD, recvmsg, and SO_ERROR before each send) and reads
// one at a time. Here its reading and sending are replaced, through the PLT of the shared library
// as in su_duration.h: when the socket is readable, up to 32 datagrams are read with one recvmmsg,
// those of strangers are dropped, and the stack is run once for each of the others. All that was
// read is handed on before the call returns, so nothing waits in a buffer that epoll does not know
// of.
//
// SO_ERROR is not asked before a send, because it costs a system call each time to clear an error
// that is hardly ever there. An ICMP error of an earlier datagram may then fail a later send to
// somebody else; the kernel clears it by telling it, so the send is tried once more. The error
// itself comes through the socket's error queue, as ever, and ends the transaction it belongs to.
//
// Two things the stack does on its own are stopped here. It takes a datagram whose first octet is
// below 4 for STUN, answers it and writes a line on standard error; what does not begin as text
// does not reach it. And it sends an answer where the Via says ("maddr", or the host of a Via of
// another SIP version): a response leaves for a peer, or for where the request came from, or not.

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/clock.h"
#include "engine/sip/stranger_filter.h"
#include "engine/trace/wire_tap.h"

struct tport_s;

namespace outpace::sip {

inline constexpr int kDatagramBytesMin = 16;
inline constexpr int kDatagramBytesMax = 20 << 10;

// Since the path was made. Loop thread.
struct DatagramCounters {
  uint64_t received = 0;    // handed to the stack
  uint64_t sent = 0;        // taken by the kernel
  uint64_t reads = 0;       // recvmmsg calls that brought at least one datagram
  uint64_t wrong_size = 0;  // under 16 bytes (keep-alives of phones too) or over 20 KiB: dropped
  uint64_t not_text = 0;    // STUN, RTP, TLS, ...: dropped
  uint64_t misaimed = 0;    // answers that a Via would have sent to neither peer nor asker: dropped
  uint64_t stale_errors =
      0;  // errors of earlier datagrams met by a read or a send, and passed over
};

// One for each agent, on the loop's thread.
class DatagramPath {
 public:
  // `clock` and `tap` (may be null) outlive the path.
  DatagramPath(const Clock& clock, const StrangerLimits& limits, trace::WireTap* tap);
  ~DatagramPath();  // not from inside a callback of the stack
  DatagramPath(const DatagramPath&) = delete;
  DatagramPath& operator=(const DatagramPath&) = delete;

  // Takes over reading and sending of a UDP transport of the stack and its socket. They stay the
  // stack's and may be closed before the path goes.
  void Attach(tport_s* transport, int fd);
  StrangerFilter& filter();
  const StrangerFilter& filter() const;
  const DatagramCounters& counters() const;

  class Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace outpace::sip
