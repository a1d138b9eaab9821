#pragma once

// Keeps the SIP of the last minutes in a file of fixed size, so that `outpace trace` can show the
// ladder of an attempt while the engine runs and after it died. The file is mapped into memory: a
// message costs a copy and a checksum, no system call, and what was written is in the kernel's page
// cache when the process is killed. Costly is only the first write to a page since the kernel saved
// it to disk (5 us, more when the disk is busy), so a thread of the ring's own makes the pages ahead
// of the writers ready.
//
// Layout, in the machine's byte order: a page with magic, capacity and `head`, then `capacity`
// bytes of records. `head` counts all bytes ever written and only grows; the record that began at
// byte p stands at p modulo the capacity. A writer takes its place with one atomic addition, so
// shards share a ring without a lock. Each record names its own p and has a checksum over all of
// it: a reader that meets a record half written, half overwritten or cut short by a crash sees so,
// and goes on 8 bytes further until it finds the next one that is whole.
//
// Credentials and media keys (MaskSecrets) never reach the file. Numbers do: it is made with mode
// 0600.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/trace/wire_tap.h"

namespace outpace::trace {

inline constexpr size_t kRingBytesDefault = 64 << 20;
inline constexpr size_t kRingBytesMin = 1 << 20;
inline constexpr size_t kRingBytesMax = size_t{4} << 30;
inline constexpr size_t kMessageBytesMax = 64 << 10;  // of a longer message the rest is left off

// "<data_dir>/sip-trace.ring".
std::string RingPath(absl::string_view data_dir);

class RingTap final : public WireTap {
 public:
  // Opens the ring at `path`, or makes it; a ring of another size is begun anew. `bytes` is rounded
  // up to whole pages and held to kRingBytesMin..kRingBytesMax; all of it is taken on the disk now.
  // ResourceExhausted: the disk is full. FailedPrecondition: another process writes it. Unavailable
  // for other errors of the system.
  static absl::StatusOr<std::unique_ptr<RingTap>> Open(const std::string& path, size_t bytes);
  ~RingTap() override;
  RingTap(const RingTap&) = delete;
  RingTap& operator=(const RingTap&) = delete;

  // Any thread.
  void OnMessage(const TappedMessage& message) override;

 private:
  RingTap(int fd, char* header, char* records, size_t capacity);
  void PrepareAhead();
  const int fd_;
  char* const header_;
  char* const records_;  // mapped twice in a row: a record never has to be cut at the end
  const size_t capacity_;
  std::atomic<uint64_t> pieces_begun_{0};
  std::atomic<bool> stop_{false};
  std::thread preparer_;
};

struct RecordedMessage {
  absl::Time at;
  Direction direction = Direction::kIn;
  WireTransport transport = WireTransport::kUdp;
  Endpoint local;
  Endpoint remote;
  std::string bytes;
  size_t size_on_wire = 0;  // more than bytes.size() for one that was cut
};

// What a ring holds.
struct RingReach {
  uint64_t messages = 0;
  absl::Time oldest = absl::InfiniteFuture();
  absl::Time newest = absl::InfinitePast();
  bool complete = true;  // nothing was overwritten yet
};

class RingReader {
 public:
  // NotFound: there is no such file. DataLoss: it is no ring, or of another version. Unavailable
  // for other errors of the system. Never changes the file.
  static absl::StatusOr<RingReader> Open(const std::string& path);
  RingReader(RingReader&& other) noexcept;
  RingReader& operator=(RingReader&&) = delete;
  ~RingReader();

  // Calls `each` for every whole message whose bytes contain `needle` (empty: every one), in the
  // order they were written, and tells what the ring holds altogether. A message that the engine
  // overwrites meanwhile is passed over.
  absl::StatusOr<RingReach> Scan(absl::string_view needle,
                                 absl::FunctionRef<void(const RecordedMessage&)> each);

 private:
  RingReader(int fd, size_t capacity) : fd_(fd), capacity_(capacity) {}
  absl::StatusOr<uint64_t> Head();
  // `size` bytes of the ring from byte `position` on; a null pointer when the file cannot be read.
  const char* At(uint64_t position, size_t size);

  int fd_ = -1;
  size_t capacity_ = 0;
  std::string window_;
  uint64_t window_start_ = 0;
};

}  // namespace outpace::trace
