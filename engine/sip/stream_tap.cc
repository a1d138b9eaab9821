#include "engine/sip/stream_tap.h"

#include <dlfcn.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "engine/base/check.h"

struct tls_s;

extern "C" {
// The library's, by the names it calls them itself.
void* tls_read_buffer(tls_s* tls, size_t size);
ssize_t tls_write(tls_s* tls, void* buffer, size_t size);
int tls_get_socket(tls_s* tls);
}

namespace outpace::sip {
namespace {

thread_local StreamTap* this_thread = nullptr;

// Octets of the body of a message with these headers; 0 without a Content-Length.
size_t BodyBytes(absl::string_view headers) {
  for (absl::string_view line : absl::StrSplit(headers, '\n')) {
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) continue;
    const absl::string_view name = absl::StripAsciiWhitespace(line.substr(0, colon));
    if (!absl::EqualsIgnoreCase(name, "Content-Length") && !absl::EqualsIgnoreCase(name, "l")) {
      continue;
    }
    uint32_t size = 0;
    return absl::SimpleAtoi(absl::StripAsciiWhitespace(line.substr(colon + 1)), &size) ? size : 0;
  }
  return 0;
}

template <typename Function>
Function* Original(const char* name) {
  void* symbol = dlsym(RTLD_NEXT, name);
  OUTPACE_CHECK(symbol != nullptr);
  return reinterpret_cast<Function*>(symbol);
}

}  // namespace

void MessageCutter::Add(absl::string_view bytes, absl::FunctionRef<void(absl::string_view)> each) {
  buffer_.append(bytes.data(), bytes.size());
  absl::string_view rest = buffer_;
  for (;;) {
    while (!rest.empty() && (rest[0] == '\r' || rest[0] == '\n')) rest.remove_prefix(1);  // pings
    const size_t end = rest.find("\r\n\r\n");
    if (end != absl::string_view::npos) {
      const size_t size = end + 4 + std::min(BodyBytes(rest.substr(0, end)), kBytesMax);
      if (rest.size() >= size) {
        each(rest.substr(0, size));
        rest.remove_prefix(size);
        continue;
      }
    }
    if (rest.size() < kBytesMax) break;
    each(rest);
    rest = {};
  }
  buffer_.erase(0, buffer_.size() - rest.size());
}

StreamTap::StreamTap(const Clock& clock, trace::WireTap& tap) : clock_(clock), tap_(tap) {
  OUTPACE_CHECK(this_thread == nullptr);
  this_thread = this;
}

StreamTap::~StreamTap() { this_thread = nullptr; }

StreamTap* StreamTap::OfThisThread() { return this_thread; }

void StreamTap::Opened(int fd, bool tls) {
  Connection& connection = connections_[fd];
  connection = Connection{};
  connection.tls = tls;
}

void StreamTap::Octets(int fd, bool tls, trace::Direction direction, absl::string_view octets) {
  const auto it = connections_.find(fd);
  if (it == connections_.end() || it->second.tls != tls) return;
  Connection& connection = it->second;
  if (!connection.named) {
    sockaddr_storage address{};
    auto* name = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (getsockname(fd, name, &size) == 0) connection.local = trace::EndpointOf(name);
    size = sizeof address;
    if (getpeername(fd, name, &size) == 0) connection.remote = trace::EndpointOf(name);
    connection.named = true;
  }
  MessageCutter& cutter = direction == trace::Direction::kIn ? connection.in : connection.out;
  cutter.Add(octets, [&](absl::string_view message) {
    tap_.OnMessage({clock_.Wall(), direction,
                    tls ? trace::WireTransport::kTls : trace::WireTransport::kTcp, connection.local,
                    connection.remote, message});
  });
}

}  // namespace outpace::sip

using outpace::sip::StreamTap;

extern "C" void* tls_read_buffer(tls_s* tls, size_t size) {
  static const auto kOriginal =
      outpace::sip::Original<decltype(tls_read_buffer)>("tls_read_buffer");
  void* buffer = kOriginal(tls, size);
  if (StreamTap* tap = StreamTap::OfThisThread(); tap != nullptr && buffer != nullptr) {
    tap->Octets(tls_get_socket(tls), true, outpace::trace::Direction::kIn,
                {static_cast<const char*>(buffer), size});
  }
  return buffer;
}

extern "C" ssize_t tls_write(tls_s* tls, void* buffer, size_t size) {
  static const auto kOriginal = outpace::sip::Original<decltype(tls_write)>("tls_write");
  const ssize_t written = kOriginal(tls, buffer, size);
  if (StreamTap* tap = StreamTap::OfThisThread(); tap != nullptr && written > 0) {
    tap->Octets(tls_get_socket(tls), true, outpace::trace::Direction::kOut,
                {static_cast<const char*>(buffer), static_cast<size_t>(written)});
  }
  return written;
}
