#include "engine/sip/stream_guard.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sofia-sip/tport.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/sip/sip_socket.h"
#include "engine/sip/tport_overrides.h"

namespace outpace::sip {
namespace {

thread_local StreamGuard* guard_of_this_thread = nullptr;

constexpr int kLooksPerLimit = 10;
constexpr int kKeepAliveIdleSeconds = 30;
constexpr int kKeepAliveProbes = 3;
constexpr int kKeepAliveIntervalSeconds = 5;

void SetOption(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

// A connection whose other end is gone, or has stopped reading, is ended by the kernel: the one is
// found out by probes when nothing is sent, the other by what is not acknowledged.
void LetTheKernelNotice(int fd, absl::Duration limit) {
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdleSeconds);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveIntervalSeconds);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
  SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(absl::ToInt64Milliseconds(limit)));
}

}  // namespace

StreamGuard::StreamGuard(Loop& loop, Log& log, const StreamLimits& limits, HostTest is_peer,
                         HostTest is_kept)
    : loop_(loop),
      log_(log),
      limits_(limits),
      period_(std::max(
          absl::Milliseconds(1),
          std::min({limits.connect_max, limits.message_max, limits.idle_max}) / kLooksPerLimit)),
      is_peer_(std::move(is_peer)),
      is_kept_(std::move(is_kept)) {
  OUTPACE_CHECK(guard_of_this_thread == nullptr);
  CheckTportOverrides();
  guard_of_this_thread = this;
}

StreamGuard::~StreamGuard() {
  if (armed_) loop_.Cancel(timer_);
  guard_of_this_thread = nullptr;
}

StreamGuard* StreamGuard::OfThisThread() { return guard_of_this_thread; }

absl::Status StreamGuard::UseTls(const TlsFiles& files, SipTls::NamesOf names_of) {
  absl::StatusOr<std::unique_ptr<SipTls>> tls = SipTls::Create(
      files, std::move(names_of), [this](absl::string_view peer, absl::string_view why) {
        ++counters_.tls_failed;
        log_.Warning("sip.tls_failed", {{"peer", peer}, {"why", why}});
      });
  if (!tls.ok()) return tls.status();
  tls_ = *std::move(tls);
  return absl::OkStatus();
}

bool StreamGuard::MayOpen(int fd, bool is_tls) {
  const std::string host = PeerAddress(fd);
  const auto same = [&host](const auto& entry) {
    return entry.second.accepted && entry.second.host == host;
  };
  if (host.empty() || !is_peer_(host) || (is_tls && !tls_->can_accept()) ||
      std::count_if(connections_.begin(), connections_.end(), same) >=
          limits_.connections_per_peer) {
    ++counters_.refused;
    return false;
  }
  return true;
}

void StreamGuard::Opened(tport_s* transport, int fd, bool accepted) {
  LetTheKernelNotice(fd, limits_.message_max);
  Connection connection;
  connection.fd = fd;
  connection.accepted = accepted;
  if (accepted) connection.host = PeerAddress(fd);
  connection.opened = connection.read = connection.begun = loop_.clock().Mono();
  connections_.insert_or_assign(transport, std::move(connection));
  by_fd_.insert_or_assign(fd, transport);
  Arm();
}

void StreamGuard::Gone(tport_s* transport) {
  const auto it = connections_.find(transport);
  if (it == connections_.end()) return;
  // The number may be another connection's by now: a transport goes later than its socket.
  const auto by_fd = by_fd_.find(it->second.fd);
  if (by_fd != by_fd_.end() && by_fd->second == transport) by_fd_.erase(by_fd);
  connections_.erase(it);
}

void StreamGuard::Reading(const tport_s* transport, msg_s* const* message) {
  const auto it = connections_.find(transport);
  if (it == connections_.end()) return;
  it->second.read = loop_.clock().Mono();
  it->second.message = message;
  if (*message == nullptr) it->second.begun = it->second.read;
}

void StreamGuard::Delivered(const tport_s* transport) {
  const auto it = connections_.find(transport);
  if (it != connections_.end()) it->second.begun = loop_.clock().Mono();
}

bool StreamGuard::BetweenMessages(int fd) {
  const auto by_fd = by_fd_.find(fd);
  const auto it = by_fd != by_fd_.end() ? connections_.find(by_fd->second) : connections_.end();
  if (it == connections_.end()) return false;
  it->second.read = loop_.clock().Mono();
  return it->second.message == nullptr || *it->second.message == nullptr;
}

void StreamGuard::Arm() {
  if (armed_ || connections_.empty()) return;
  armed_ = true;
  timer_ = loop_.After(period_, [this] { Look(); });
}

void StreamGuard::Look() {
  armed_ = false;
  // Closing one may open another: a request that failed is sent elsewhere.
  std::vector<tport_s*> all;
  all.reserve(connections_.size());
  for (const auto& [transport, connection] : connections_) {
    all.push_back(const_cast<tport_s*>(transport));
  }
  for (tport_s* transport : all) LookAt(transport);
  Arm();
}

void StreamGuard::LookAt(tport_s* transport) {
  const auto it = connections_.find(transport);
  if (it == connections_.end() || tport_is_closed(transport)) return;
  Connection& connection = it->second;
  // Due at the next look is late.
  const MonoTime now = loop_.clock().Mono() + period_;
  if (!tport_is_connected(transport)) {
    const absl::Duration limit = connection.accepted ? limits_.message_max : limits_.connect_max;
    if (now - connection.opened < limit) return;
    ++counters_.timed_out;
    return tport_error_report(transport, ETIMEDOUT, nullptr);  // closes, too
  }
  if (connection.host.empty()) connection.host = PeerAddress(connection.fd);
  const bool half_message = connection.message != nullptr && *connection.message != nullptr;
  const bool late = half_message && now - connection.begun >= limits_.message_max;
  const bool idle =
      !half_message && now - connection.read >= limits_.idle_max && !is_kept_(connection.host);
  // After a message it cannot frame the stack reads no further, and waits for the far end to close.
  const bool dead = connection.half_closed;
  connection.half_closed = tport_is_shutdown(transport) && tport_queuelen(transport) == 0;
  if (!late && !idle && !dead) return;
  if (late || idle) ++counters_.timed_out;
  tport_shutdown(transport, 2);
}

}  // namespace outpace::sip
