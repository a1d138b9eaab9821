#include "tests/e2e/port_slot.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"

namespace outpace::e2e {
namespace {

constexpr int kSlotPorts = 256;
constexpr int kRangeFirst = 10'240;
static_assert(10 + 2 * PortSlot::kMediaLegs <= kSlotPorts);

// First port of the kernel's ephemeral range: sockets bound to port 0 are at or above it.
int RangeEnd() {
  std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
  int first = 0;
  return file >> first && first > kRangeFirst + kSlotPorts ? std::min(first, 60'000) : 32'768;
}

bool IsFree(int type, int port) {
  const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const int yes = 1;
  // A TCP port that waits for late segments (TIME_WAIT) does not hinder the engine either.
  if (type == SOCK_STREAM) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  const bool free = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return free;
}

bool AllFree(int first) {
  if (!IsFree(SOCK_STREAM, first + 2)) return false;
  for (int port = first; port < first + kSlotPorts; ++port) {
    if (!IsFree(SOCK_DGRAM, port)) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PortSlot>> PortSlot::Take() {
  const std::string directory = absl::StrCat("/tmp/outpace-e2e-ports-", ::getuid());
  ::mkdir(directory.c_str(), 0700);
  const int slots = (RangeEnd() - kRangeFirst) / kSlotPorts;
  for (int i = 0; i < slots; ++i) {
    const int slot = (i + static_cast<int>(::getpid())) % slots;
    const int fd =
        ::open(absl::StrCat(directory, "/", slot).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("open ", directory));
    const int first = kRangeFirst + slot * kSlotPorts;
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0 && AllFree(first)) {
      return std::unique_ptr<PortSlot>(new PortSlot(first, fd));
    }
    ::close(fd);
  }
  return absl::UnavailableError("no slot of free ports");
}

PortSlot::~PortSlot() { ::close(lock_fd_); }

}  // namespace outpace::e2e
