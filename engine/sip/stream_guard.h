#pragma once

// What the stack leaves off its TCP and TLS connections (SIP's answer to AST-2018-005 and its kin):
// only peers may connect, and each of them only so often; a connection, a handshake and a message
// get so long to be done; who is no trunk is not kept when idle. Sofia has a timer for messages,
// but it starts anew with each octet, and none at all for handshakes. The guard is told of the
// stack's connections by the functions of tport_overrides.cc, and looks at them all once in a
// while, which costs less than a timer for each. It also gives them their TLS.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "engine/base/log.h"
#include "engine/base/loop.h"
#include "engine/sip/sip_tls.h"
#include "engine/sip/stream_limits.h"

struct tport_s;
struct msg_s;

namespace outpace::sip {

class StreamGuard {
 public:
  using HostTest = std::function<bool(const std::string& host)>;
  // At most one on a thread. `loop` and `log` outlive it; it outlives the stack's connections.
  // `is_peer` says who may connect, `is_kept` whose connections may be idle.
  StreamGuard(Loop& loop, Log& log, const StreamLimits& limits, HostTest is_peer, HostTest is_kept);
  ~StreamGuard();
  StreamGuard(const StreamGuard&) = delete;
  StreamGuard& operator=(const StreamGuard&) = delete;

  // Before a TLS transport is opened; see SipTls::Create().
  absl::Status UseTls(const TlsFiles& files, SipTls::NamesOf names_of);
  SipTls* tls() { return tls_.get(); }

  const StreamCounters& counters() const { return counters_; }
  size_t connections() const { return connections_.size(); }

  // ---- from tport_overrides.cc ----

  // The guard of this thread, or null.
  static StreamGuard* OfThisThread();
  // A connection to us, before the stack hears of it. False: close it.
  bool MayOpen(int fd, bool is_tls);
  void Opened(tport_s* transport, int fd, bool accepted);
  void Gone(tport_s* transport);
  // Octets are about to be read into the message at `*message`, null between two messages. The
  // place stays valid as long as the transport.
  void Reading(const tport_s* transport, msg_s* const* message);
  void Delivered(const tport_s* transport);
  bool BetweenMessages(int fd);  // counts as a sign of life

 private:
  struct Connection {
    std::string host;  // empty: not connected yet
    int fd = -1;
    bool accepted = false;
    bool half_closed = false;  // seen so by the last look
    MonoTime opened, read, begun;
    msg_s* const* message = nullptr;
  };
  void Look();
  void LookAt(tport_s* transport);
  void Arm();

  Loop& loop_;
  Log& log_;
  const StreamLimits limits_;
  const absl::Duration period_;
  const HostTest is_peer_, is_kept_;
  std::unique_ptr<SipTls> tls_;
  StreamCounters counters_;
  absl::flat_hash_map<const tport_s*, Connection> connections_;
  absl::flat_hash_map<int, const tport_s*> by_fd_;
  bool armed_ = false;
  Loop::TimerId timer_ = 0;
};

}  // namespace outpace::sip
