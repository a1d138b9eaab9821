#include "engine/sip/sip_socket.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>

#include "absl/strings/numbers.h"

namespace outpace::sip {
namespace {

constexpr size_t kSourcesMax = 1'000;       // well inside BPF_MAXINSNS
constexpr uint32_t kIpv4SourceOffset = 12;  // RFC 791 3.1

bool SameAddress(const sockaddr* a, const sockaddr* b) {
  if (a->sa_family != b->sa_family) return false;
  if (a->sa_family == AF_INET) {
    const auto* x = reinterpret_cast<const sockaddr_in*>(a);
    const auto* y = reinterpret_cast<const sockaddr_in*>(b);
    return x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
  }
  if (a->sa_family == AF_INET6) {
    const auto* x = reinterpret_cast<const sockaddr_in6*>(a);
    const auto* y = reinterpret_cast<const sockaddr_in6*>(b);
    return x->sin6_port == y->sin6_port &&
           std::memcmp(&x->sin6_addr, &y->sin6_addr, sizeof x->sin6_addr) == 0;
  }
  return false;
}

bool IsUdpSocketAt(int fd, const sockaddr* address) {
  int type = 0;
  socklen_t type_size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) != 0 || type != SOCK_DGRAM) {
    return false;
  }
  sockaddr_storage bound{};
  socklen_t bound_size = sizeof bound;
  return getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &bound_size) == 0 &&
         SameAddress(reinterpret_cast<const sockaddr*>(&bound), address);
}

int SocketOption(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : 0;
}

}  // namespace

int FindUdpSocket(const sockaddr* address) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir("/proc/self/fd"), closedir);
  if (directory == nullptr) return -1;
  while (const dirent* entry = readdir(directory.get())) {
    int fd = -1;
    if (absl::SimpleAtoi(entry->d_name, &fd) && IsUdpSocketAt(fd, address)) return fd;
  }
  return -1;
}

int ReceiveBufferBytes(int fd) { return SocketOption(fd, SO_RCVBUF); }

int SendBufferBytes(int fd) { return SocketOption(fd, SO_SNDBUF); }

std::string PeerAddress(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return "";
  char text[INET6_ADDRSTRLEN];
  const void* address = nullptr;
  int family = storage.ss_family;
  if (family == AF_INET) {
    address = &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr;
  } else if (family == AF_INET6) {
    const in6_addr* v6 = &reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr;
    const bool mapped = IN6_IS_ADDR_V4MAPPED(v6);
    address = mapped ? v6->s6_addr + 12 : v6->s6_addr;
    if (mapped) family = AF_INET;
  }
  if (address == nullptr || inet_ntop(family, address, text, sizeof text) == nullptr) return "";
  return text;
}

absl::Status AdmitOnly(int fd, const std::vector<uint32_t>& sources) {
  if (sources.size() > kSourcesMax) {
    return absl::InvalidArgumentError("source filter: more than 1,000 addresses");
  }
  std::vector<sock_filter> program;
  program.reserve(2 * sources.size() + 2);
  program.push_back(
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(SKF_NET_OFF) + kIpv4SourceOffset));
  for (const uint32_t source : sources) {
    // Equal: fall through to "accept"; else jump over it.
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, source, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, 0xffffffff));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0) {
    return absl::UnavailableError("source filter: refused by the kernel");
  }
  return absl::OkStatus();
}

void AdmitAll(int fd) {
  const int ignored = 0;
  setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof ignored);
}

}  // namespace outpace::sip
