#include "engine/sip/datagram_path.h"

#include <dlfcn.h>
#include <netinet/in.h>
#include <sofia-sip/su.h>
#include <sofia-sip/tport.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "engine/base/check.h"
#include "engine/sip/stream_tap.h"

// Not in the library's public header, but exported, and called through the PLT.
extern "C" void tport_recv_event(tport_t* self);

namespace outpace::sip {
namespace {

constexpr size_t kBatch = 32;
constexpr int kStaleErrorsMax = 8;  // passed over in one read

// Of a stream, read at a time. The stack takes all there is for one message: more than a message
// may have, as after a pause of a busy trunk, and it gives up the connection.
constexpr int kStreamReadMax = 8 << 10;

// One byte more than we take, so that the kernel's "truncated" is not needed to tell.
constexpr size_t kSlotBytes = kDatagramBytesMax + 1;

struct Datagram {
  const char* bytes = nullptr;
  size_t size = 0;
  const sockaddr_storage* from = nullptr;
  socklen_t from_size = 0;
};

struct Socket {
  tport_t* transport = nullptr;
  int fd = -1;
  trace::Endpoint local;
  DatagramPath::Impl* path = nullptr;
};

// The sockets of this thread's agents: one or two.
thread_local std::vector<Socket> sockets;

const Socket* FindSocket(int fd) {
  for (const Socket& socket : sockets) {
    if (socket.fd == fd) return &socket;
  }
  return nullptr;
}

const Socket* FindTransport(const tport_t* transport) {
  for (const Socket& socket : sockets) {
    if (socket.transport == transport) return &socket;
  }
  return nullptr;
}

void StackReceives(tport_t* transport) {
  using Function = void (*)(tport_t*);
  static const auto kOriginal = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "tport_recv_event"));
  OUTPACE_CHECK(kOriginal != nullptr);
  kOriginal(transport);
}

// SIP is text, perhaps after empty lines (RFC 3261 7.5).
bool BeginsAsText(absl::string_view bytes) {
  const char first = bytes.front();
  return (first > ' ' && first < 0x7f) || first == '\r' || first == '\n';
}

bool IsResponse(const msghdr& message) {
  constexpr absl::string_view kStart = "SIP/";
  return message.msg_iovlen > 0 && message.msg_iov[0].iov_len >= kStart.size() &&
         std::memcmp(message.msg_iov[0].iov_base, kStart.data(), kStart.size()) == 0;
}

// Nothing to do with what we send or read now: the socket reports it once and forgets it.
bool MayBeStale(int error) {
  return error != EAGAIN && error != EWOULDBLOCK && error != ENOBUFS && error != ENOMEM &&
         error != EINTR && error != EBADF && error != ENOTSOCK && error != EFAULT;
}

}  // namespace

class DatagramPath::Impl {
 public:
  Impl(const Clock& clock, const StrangerLimits& limits, trace::WireTap* tap)
      : clock_(clock), tap_(tap), filter_(clock, limits), slots_(kBatch * kSlotBytes) {
    for (size_t i = 0; i < kBatch; ++i) {
      vectors_[i] = {slots_.data() + i * kSlotBytes, kSlotBytes};
      msghdr& header = headers_[i].msg_hdr;
      header.msg_iov = &vectors_[i];
      header.msg_iovlen = 1;
      header.msg_name = &sources_[i];
    }
  }
  ~Impl() {
    OUTPACE_CHECK(!handing_on_);
    std::erase_if(sockets, [this](const Socket& socket) { return socket.path == this; });
  }

  void Receive(const Socket& socket) {
    const int count = Read(socket.fd);
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
      StackReceives(socket.transport);  // it meets the error itself and reports it
    }
    if (count <= 0) return;
    ++counters_.reads;
    const Socket here = socket;  // an event may attach another
    absl::Time now;
    if (tap_ != nullptr) now = clock_.Wall();
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
      const absl::string_view bytes(static_cast<const char*>(vectors_[i].iov_base),
                                    headers_[i].msg_len);
      const trace::Endpoint source =
          trace::EndpointOf(reinterpret_cast<const sockaddr*>(&sources_[i]));
      if (bytes.size() < kDatagramBytesMin || bytes.size() > kDatagramBytesMax) {
        ++counters_.wrong_size;
        continue;
      }
      if (!BeginsAsText(bytes)) {
        ++counters_.not_text;
        continue;
      }
      if (!filter_.Admit(source.address, bytes)) continue;
      asker_ = source.address;
      if (tap_ != nullptr) {
        tap_->OnMessage(
            {now, trace::Direction::kIn, trace::WireTransport::kUdp, here.local, source, bytes});
      }
      ++counters_.received;
      HandOn(here, {bytes.data(), bytes.size(), &sources_[i], headers_[i].msg_hdr.msg_namelen});
    }
  }

  // The datagram that the stack is to get from `fd` next, if it is being run for one.
  const Datagram* Current(int fd) const {
    return handing_on_ && fd == current_fd_ ? &current_ : nullptr;
  }
  void Taken() { handing_on_ = false; }

  ssize_t Send(const Socket& socket, const msghdr& message, int flags) {
    if (IsResponse(message)) {
      const auto to = trace::EndpointOf(static_cast<const sockaddr*>(message.msg_name)).address;
      if (!filter_.IsPeer(to) && to != asker_) {
        ++counters_.misaimed;
        return SizeOf(message);  // to the stack it is sent, and lost on the way
      }
    }
    ssize_t sent = sendmsg(socket.fd, &message, flags);
    if (sent < 0 && MayBeStale(errno)) {
      ++counters_.stale_errors;
      sent = sendmsg(socket.fd, &message, flags);
    }
    if (sent < 0) return sent;
    ++counters_.sent;
    if (tap_ != nullptr) Tap(socket, message);
    return sent;
  }

  StrangerFilter& filter() { return filter_; }
  const DatagramCounters& counters() const { return counters_; }

 private:
  int Read(int fd) {
    for (mmsghdr& header : headers_) header.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    int count = -1;
    for (int tries = 0; tries < kStaleErrorsMax; ++tries) {
      count = recvmmsg(fd, headers_.data(), kBatch, MSG_DONTWAIT, nullptr);
      if (count >= 0 || !MayBeStale(errno)) break;
      ++counters_.stale_errors;
    }
    return count;
  }

  void HandOn(const Socket& socket, const Datagram& datagram) {
    current_ = datagram;
    current_fd_ = socket.fd;
    handing_on_ = true;
    StackReceives(socket.transport);
    handing_on_ = false;
  }

  static ssize_t SizeOf(const msghdr& message) {
    size_t size = 0;
    for (size_t i = 0; i < message.msg_iovlen; ++i) size += message.msg_iov[i].iov_len;
    return static_cast<ssize_t>(size);
  }

  void Tap(const Socket& socket, const msghdr& message) {
    absl::string_view bytes;
    if (message.msg_iovlen == 1) {
      bytes = {static_cast<const char*>(message.msg_iov[0].iov_base), message.msg_iov[0].iov_len};
    } else {
      joined_.clear();
      for (size_t i = 0; i < message.msg_iovlen; ++i) {
        joined_.append(static_cast<const char*>(message.msg_iov[i].iov_base),
                       message.msg_iov[i].iov_len);
      }
      bytes = joined_;
    }
    tap_->OnMessage({clock_.Wall(), trace::Direction::kOut, trace::WireTransport::kUdp,
                     socket.local,
                     trace::EndpointOf(static_cast<const sockaddr*>(message.msg_name)), bytes});
  }

  const Clock& clock_;
  trace::WireTap* const tap_;
  StrangerFilter filter_;
  DatagramCounters counters_;
  std::vector<char> slots_;
  std::array<iovec, kBatch> vectors_{};
  std::array<mmsghdr, kBatch> headers_{};
  std::array<sockaddr_storage, kBatch> sources_{};
  Datagram current_;
  int current_fd_ = -1;
  StrangerFilter::Address asker_{};  // whose datagram was handed on last
  bool handing_on_ = false;
  std::string joined_;
};

DatagramPath::DatagramPath(const Clock& clock, const StrangerLimits& limits, trace::WireTap* tap)
    : impl_(std::make_unique<Impl>(clock, limits, tap)) {}

DatagramPath::~DatagramPath() = default;

void DatagramPath::Attach(tport_s* transport, int fd) {
  // A library linked statically would keep its own functions.
  OUTPACE_CHECK(dlsym(RTLD_DEFAULT, "tport_recv_event") ==
                reinterpret_cast<void*>(&tport_recv_event));
  const su_addrinfo_t* address = tport_get_address(transport);
  OUTPACE_CHECK(address != nullptr && FindSocket(fd) == nullptr);
  sockets.push_back({transport, fd,
                     trace::EndpointOf(reinterpret_cast<const sockaddr*>(address->ai_addr)),
                     impl_.get()});
}

StrangerFilter& DatagramPath::filter() { return impl_->filter(); }
const StrangerFilter& DatagramPath::filter() const { return impl_->filter(); }
const DatagramCounters& DatagramPath::counters() const { return impl_->counters(); }

namespace {

ssize_t CopyOut(const Datagram& datagram, const su_iovec_t iov[], size_t count) {
  size_t copied = 0;
  for (size_t i = 0; i < count && copied < datagram.size; ++i) {
    const size_t part = std::min<size_t>(iov[i].siv_len, datagram.size - copied);
    std::memcpy(iov[i].siv_base, datagram.bytes + copied, part);
    copied += part;
  }
  return static_cast<ssize_t>(copied);
}

// The first `size` octets of what a TCP connection read or wrote.
void TapStream(int fd, trace::Direction direction, const msghdr& header, size_t size) {
  StreamTap* tap = StreamTap::OfThisThread();
  for (size_t i = 0; tap != nullptr && i < header.msg_iovlen && size > 0; ++i) {
    const size_t part = std::min(header.msg_iov[i].iov_len, size);
    tap->Octets(fd, false, direction, {static_cast<const char*>(header.msg_iov[i].iov_base), part});
    size -= part;
  }
}

msghdr HeaderOf(const su_iovec_t iov[], size_t count, const su_sockaddr_t* name, socklen_t size) {
  // Sofia's vector is the system's under another name (su_uio.h).
  static_assert(sizeof(su_iovec_t) == sizeof(iovec));
  msghdr header{};
  header.msg_name = const_cast<su_sockaddr_t*>(name);
  header.msg_namelen = size;
  header.msg_iov = reinterpret_cast<iovec*>(const_cast<su_iovec_t*>(iov));
  header.msg_iovlen = count;
  return header;
}

}  // namespace
}  // namespace outpace::sip

// ---- what replaces the library's own ----

using outpace::sip::FindSocket;

extern "C" void tport_recv_event(tport_t* self) {
  const outpace::sip::Socket* socket = outpace::sip::FindTransport(self);
  if (socket != nullptr) {
    socket->path->Receive(*socket);
  } else {
    outpace::sip::StackReceives(self);
  }
}

extern "C" issize_t su_getmsgsize(su_socket_t s) {
  const outpace::sip::Socket* socket = FindSocket(s);
  const auto* datagram = socket != nullptr ? socket->path->Current(s) : nullptr;
  if (datagram != nullptr) return static_cast<issize_t>(datagram->size);
  int size = -1;
  if (ioctl(s, FIONREAD, &size) == -1) return -1;
  return socket != nullptr ? size : std::min(size, outpace::sip::kStreamReadMax);
}

extern "C" issize_t su_vrecv(su_socket_t s, su_iovec_t iov[], isize_t iovlen, int flags,
                             su_sockaddr_t* su, socklen_t* sulen) {
  const outpace::sip::Socket* socket = FindSocket(s);
  const auto* datagram = socket != nullptr ? socket->path->Current(s) : nullptr;
  if (datagram == nullptr) {
    msghdr header =
        outpace::sip::HeaderOf(iov, iovlen, su, su != nullptr && sulen != nullptr ? *sulen : 0);
    const ssize_t size = recvmsg(s, &header, flags);
    if (su == nullptr && size > 0) {
      outpace::sip::TapStream(s, outpace::trace::Direction::kIn, header, static_cast<size_t>(size));
    }
    if (su != nullptr && sulen != nullptr) *sulen = header.msg_namelen;
    return static_cast<issize_t>(size);
  }
  if (su != nullptr && sulen != nullptr) {
    std::memcpy(su, datagram->from, std::min(*sulen, datagram->from_size));
    *sulen = datagram->from_size;
  }
  const auto size = static_cast<issize_t>(outpace::sip::CopyOut(*datagram, iov, iovlen));
  socket->path->Taken();
  return size;
}

extern "C" int su_soerror(su_socket_t s) {
  if (FindSocket(s) != nullptr) return 0;  // see the head of datagram_path.h
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

extern "C" issize_t su_vsend(su_socket_t s, su_iovec_t const iov[], isize_t iovlen, int flags,
                             su_sockaddr_t const* su, socklen_t sulen) {
  const msghdr header = outpace::sip::HeaderOf(iov, iovlen, su, sulen);
  const outpace::sip::Socket* socket = FindSocket(s);
  if (socket == nullptr || su == nullptr) {
    const ssize_t size = sendmsg(s, &header, flags);
    if (su == nullptr && size > 0) {
      outpace::sip::TapStream(s, outpace::trace::Direction::kOut, header,
                              static_cast<size_t>(size));
    }
    return static_cast<issize_t>(size);
  }
  return static_cast<issize_t>(socket->path->Send(*socket, header, flags));
}
