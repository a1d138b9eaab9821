#include "bench/media/media_traffic.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <memory>
#include <vector>

#include "bench/media/media_sounds.h"
#include "engine/base/check.h"

namespace outpace::bench {
namespace {

constexpr int kSendBatch = 16;  // all of one batch bear one time, so it is small
constexpr int kHearBatch = 64;
constexpr size_t kPacketMax = 400;
constexpr int64_t kTickNs = 1'000'000;
constexpr int64_t kLateNs = 5'000'000;  // a tick so late is counted
constexpr int64_t kStallNs = 20'000'000;
constexpr int64_t kGiveUpNs = 100'000'000;  // and so late that nothing is made good
constexpr int kHearEveryTicks = 4;
constexpr size_t kHeader = 12;
constexpr uint8_t kQuietMu = 0x60, kQuietA = 0x4a;  // of the stamp: one level in both laws

void Put32(uint8_t* at, uint32_t value) {
  value = htonl(value);
  std::memcpy(at, &value, sizeof value);
}
void Put16(uint8_t* at, uint16_t value) {
  value = htons(value);
  std::memcpy(at, &value, sizeof value);
}

int64_t MonoNs() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void Add(std::atomic<uint64_t>& counter, uint64_t n) {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

int OpenSocket(uint16_t* port) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  OUTPACE_CHECK(fd >= 0);
  const int room = 8 << 20, yes = 1;
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  }
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  ::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
  ::setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  OUTPACE_CHECK(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  socklen_t size = sizeof address;
  OUTPACE_CHECK(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  *port = ntohs(address.sin_port);
  return fd;
}

// One far end's stream out, and the keys of what comes in.
struct Talker {
  uint32_t call = 0;  // as in its slot
  uint16_t to_port = 0;
  uint8_t payload_type = 0;
  uint16_t seq = 0;
  uint32_t timestamp = 0, ssrc = 0, timestamp_step = 160;
  uint32_t frame = 0;
  uint32_t heard = 0;
  std::unique_ptr<media::SrtpSender> sender;
  std::unique_ptr<media::SrtpReceiver> receiver;
};

class Traffic {
 public:
  Traffic(Shared& shared, const TrafficOptions& options);
  ~Traffic();
  int Run();

 private:
  void Tick(int phase);
  bool Ready(int slot);
  size_t Compose(int slot, int64_t now_ns, uint8_t* packet);
  void HearAll();
  void Hear(int socket);
  void OnPacket(uint16_t from_port, absl::Span<uint8_t> packet, int64_t at_ns);

  Shared& shared_;
  const TrafficOptions options_;
  std::array<int, kSockets> fds_{};
  int sink_ = -1;
  std::array<uint32_t, kSockets> overflow_{};
  std::vector<std::vector<int>> by_socket_;
  std::vector<Talker> talkers_;
  std::vector<int32_t> slot_of_port_;
  Frames frames_[2];
  // Buffers of a batch.
  std::array<std::array<uint8_t, kPacketMax>, kSendBatch> out_{};
  std::array<iovec, kSendBatch> out_vectors_{};
  std::array<sockaddr_in, kSendBatch> out_to_{};
  std::array<mmsghdr, kSendBatch> out_messages_{};
  std::array<std::array<uint8_t, kPacketMax>, kHearBatch> in_{};
  std::array<std::array<uint8_t, 128>, kHearBatch> in_control_{};
  std::array<iovec, kHearBatch> in_vectors_{};
  std::array<sockaddr_in, kHearBatch> in_from_{};
  std::array<mmsghdr, kHearBatch> in_messages_{};
};

Traffic::Traffic(Shared& shared, const TrafficOptions& options)
    : shared_(shared),
      options_(options),
      by_socket_(kSockets),
      talkers_(static_cast<size_t>(options.slots)),
      slot_of_port_(65'536, -1) {
  for (size_t i = 0; i < kSockets; ++i) fds_[i] = OpenSocket(&shared_.far_ports[i]);
  sink_ = OpenSocket(&shared_.sink_port);
  for (int slot = 0; slot < options.slots; ++slot) {
    by_socket_[static_cast<size_t>(SocketOf(slot))].push_back(slot);
  }
  for (int side = 0; side < 2; ++side) {
    frames_[side] = MakeFrames(options.sound, options.codec[side], side);
  }
  for (size_t i = 0; i < kSendBatch; ++i) {
    out_to_[i].sin_family = AF_INET;
    out_to_[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    out_vectors_[i].iov_base = out_[i].data();
    out_messages_[i].msg_hdr.msg_iov = &out_vectors_[i];
    out_messages_[i].msg_hdr.msg_iovlen = 1;
    out_messages_[i].msg_hdr.msg_name = &out_to_[i];
    out_messages_[i].msg_hdr.msg_namelen = sizeof out_to_[i];
  }
  for (size_t i = 0; i < kHearBatch; ++i) {
    in_vectors_[i] = {.iov_base = in_[i].data(), .iov_len = kPacketMax};
    in_messages_[i].msg_hdr.msg_iov = &in_vectors_[i];
    in_messages_[i].msg_hdr.msg_iovlen = 1;
    in_messages_[i].msg_hdr.msg_name = &in_from_[i];
    in_messages_[i].msg_hdr.msg_control = in_control_[i].data();
  }
}

Traffic::~Traffic() {
  for (const int fd : fds_) ::close(fd);
  ::close(sink_);
}

// Whether the slot has a call; takes over a new one.
bool Traffic::Ready(int slot) {
  Slot& said = shared_.slots[static_cast<size_t>(slot)];
  const uint32_t call = said.call.load(std::memory_order_acquire);
  if (call == 0) return false;
  Talker& talker = talkers_[static_cast<size_t>(slot)];
  if (talker.call == call) return true;
  if (talker.to_port != 0) slot_of_port_[talker.to_port] = -1;
  talker.call = call;
  talker.to_port = said.to_port.load(std::memory_order_relaxed);
  talker.payload_type = said.payload_type.load(std::memory_order_relaxed);
  talker.frame = 0;
  const auto number = static_cast<uint32_t>(slot) * 2'654'435'761u + call;
  talker.ssrc = number | 1;
  talker.seq = static_cast<uint16_t>(number & 0x7fff);
  talker.timestamp = number;
  const codec::Codec codec = options_.codec[slot % 2];
  talker.timestamp_step = static_cast<uint32_t>(codec::InfoOf(codec).rtp_rate / 50);
  if (options_.srtp) {
    talker.sender = std::make_unique<media::SrtpSender>(FarKey(slot));
    talker.receiver = std::make_unique<media::SrtpReceiver>(said.their_key);
  }
  slot_of_port_[talker.to_port] = slot;
  return true;
}

size_t Traffic::Compose(int slot, int64_t now_ns, uint8_t* packet) {
  Talker& talker = talkers_[static_cast<size_t>(slot)];
  const int side = slot % 2;
  const Frames& frames = frames_[side];
  // Voices start at different places, or all calls would pause at once.
  const uint32_t at = options_.sound == Sound::kMarker
                          ? talker.frame / 50
                          : talker.frame + static_cast<uint32_t>(slot) * 13;
  const std::vector<uint8_t>& payload = frames[at % frames.size()];
  packet[0] = 0x80;
  packet[1] = static_cast<uint8_t>(talker.payload_type | (talker.frame == 0 ? 0x80 : 0));
  Put16(packet + 2, talker.seq++);
  Put32(packet + 4, talker.timestamp);
  Put32(packet + 8, talker.ssrc);
  std::memcpy(packet + kHeader, payload.data(), payload.size());
  if (options_.stamped) {
    WriteStamp(static_cast<uint32_t>(now_ns / 1'000),
               options_.codec[side] == codec::Codec::kPcma ? kQuietA : kQuietMu, packet + kHeader);
  }
  talker.timestamp += talker.timestamp_step;
  ++talker.frame;
  size_t size = kHeader + payload.size();
  if (talker.sender != nullptr) {
    size = talker.sender->Protect(absl::MakeSpan(packet, kPacketMax), size, kHeader);
  }
  return size;
}

void Traffic::Tick(int phase) {
  for (int i = 0; i < kSocketsPerPhase; ++i) {
    const auto socket = static_cast<size_t>(phase * kSocketsPerPhase + i);
    const std::vector<int>& slots = by_socket_[socket];
    for (size_t next = 0; next < slots.size();) {
      const int64_t now_ns = WallNs();
      unsigned count = 0;
      for (; next < slots.size() && count < kSendBatch; ++next) {
        const int slot = slots[next];
        if (!Ready(slot)) continue;
        out_vectors_[count].iov_len = Compose(slot, now_ns, out_[count].data());
        out_to_[count].sin_port = htons(talkers_[static_cast<size_t>(slot)].to_port);
        Add(shared_.slots[static_cast<size_t>(slot)].sent, 1);
        ++count;
      }
      for (unsigned done = 0; done < count;) {
        const int sent = ::sendmmsg(fds_[socket], &out_messages_[done], count - done, 0);
        if (sent > 0) {
          done += static_cast<unsigned>(sent);
        } else {
          ++shared_.send_failures;  // a port that is closed already: nobody is there
          ++done;
        }
      }
      Add(shared_.sent, count);
      if (now_ns >= shared_.window_from_ns.load() && now_ns < shared_.window_to_ns.load()) {
        shared_.sent_in_window += count;
      }
    }
  }
}

void Traffic::HearAll() {
  for (int i = 0; i < kSockets; ++i) Hear(i);
}

void Traffic::Hear(int socket) {
  while (true) {
    for (size_t i = 0; i < kHearBatch; ++i) {
      in_messages_[i].msg_hdr.msg_namelen = sizeof in_from_[i];
      in_messages_[i].msg_hdr.msg_controllen = in_control_[i].size();
    }
    const int count = ::recvmmsg(fds_[static_cast<size_t>(socket)], in_messages_.data(), kHearBatch,
                                 MSG_DONTWAIT, nullptr);
    if (count <= 0) return;
    for (int n = 0; n < count; ++n) {
      const auto i = static_cast<size_t>(n);
      int64_t at_ns = 0;
      msghdr& header = in_messages_[i].msg_hdr;
      for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != SOL_SOCKET) continue;
        if (c->cmsg_type == SCM_TIMESTAMPNS) {
          timespec at{};
          std::memcpy(&at, CMSG_DATA(c), sizeof at);
          at_ns = int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec;
        } else if (c->cmsg_type == SO_RXQ_OVFL) {
          uint32_t drops = 0;
          std::memcpy(&drops, CMSG_DATA(c), sizeof drops);
          uint32_t& before = overflow_[static_cast<size_t>(socket)];
          shared_.own_drops += drops - before;
          before = drops;
        }
      }
      OnPacket(ntohs(in_from_[i].sin_port),
               absl::MakeSpan(in_[i].data(), std::min<size_t>(in_messages_[i].msg_len, kPacketMax)),
               at_ns);
    }
    if (count < kHearBatch) return;
  }
}

void Traffic::OnPacket(uint16_t from_port, absl::Span<uint8_t> packet, int64_t at_ns) {
  int32_t slot = slot_of_port_[from_port];
  if (slot < 0) {  // one that is heard before it has spoken itself
    for (int i = 0; i < options_.slots; ++i) Ready(i);
    slot = slot_of_port_[from_port];
  }
  if (slot < 0 || packet.size() <= kHeader || packet[0] != 0x80) {
    ++shared_.strays;
    return;
  }
  Add(shared_.slots[static_cast<size_t>(slot)].heard, 1);
  Add(shared_.heard, 1);
  if (!options_.stamped) return;
  Talker& talker = talkers_[static_cast<size_t>(slot)];
  if (talker.receiver != nullptr) {
    size_t size = 0;
    if (talker.receiver->Unprotect(packet, &size) != media::SrtpCheck::kOk) {
      ++shared_.strays;
      return;
    }
    packet = packet.first(size);
  }
  if (packet.size() < kHeader + 32) return;
  const uint32_t sent_us = ReadStamp(packet.data() + kHeader);
  const int64_t delay_us = static_cast<int32_t>(static_cast<uint32_t>(at_ns / 1'000) - sent_us);
  const int64_t sent_ns = at_ns - delay_us * 1'000;
  if (sent_ns < shared_.window_from_ns.load() || sent_ns >= shared_.window_to_ns.load()) return;
  ++shared_.heard_in_window;
  shared_.delays.Add(delay_us);
}

int Traffic::Run() {
  if (options_.realtime) {
    sched_param param{};
    param.sched_priority = 5;
    ::pthread_setschedparam(::pthread_self(), SCHED_RR, &param);
  }
  shared_.phase.store(Phase::kBound);
  int64_t due = MonoNs();
  int64_t drain_until = 0;
  for (uint64_t tick = 0;; ++tick) {
    const Phase phase = shared_.phase.load(std::memory_order_acquire);
    if (phase == Phase::kStop || phase == Phase::kFailed) return 0;
    if (phase == Phase::kRun) Tick(static_cast<int>(tick % kPhases));
    if (tick % kHearEveryTicks == 0 && phase >= Phase::kRun) HearAll();
    if (phase == Phase::kDrain) {
      if (drain_until == 0) drain_until = MonoNs() + 500'000'000;
      if (MonoNs() > drain_until) {
        HearAll();
        shared_.phase.store(Phase::kCounted);
        drain_until = INT64_MAX;
      }
    }
    due += kTickNs;
    const int64_t late = MonoNs() - due;
    if (late > kLateNs) ++shared_.late_ticks;
    if (late > kStallNs) Add(shared_.stalls, 1);
    if (late > kGiveUpNs) due += late;
    const timespec until{.tv_sec = due / 1'000'000'000, .tv_nsec = due % 1'000'000'000};
    if (late < 0) ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
  }
}

}  // namespace

media::SrtpKey FarKey(int slot) {
  media::SrtpKey key;
  for (size_t i = 0; i < media::SrtpKeySize(key.suite); ++i) {
    key.octets[i] = static_cast<uint8_t>(static_cast<size_t>(slot) * 7 + i * 11 + 3);
  }
  return key;
}

int RunTraffic(Shared& shared, const TrafficOptions& options) {
  return std::make_unique<Traffic>(shared, options)->Run();
}

}  // namespace outpace::bench
