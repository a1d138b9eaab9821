#pragma once

// The far end of the SIP bench: a carrier and the agents' phones in one thread, fast enough not to
// be what is measured. Datagrams are read and written in batches (recvmmsg, sendmmsg), answers are
// put together from the caller's own header lines, and arrival times are the kernel's. A call is
// INVITE / 100, 180 / 200 after the ring time / ACK / hold / BYE from here / 200.

#include <netinet/in.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace outpace::bench {

// Nanoseconds since 1970, the clock of the kernel's arrival times.
int64_t NowNs();

struct FarEndOptions {
  int ring_ms = 200;
  int hold_ms = 2'000;      // ACK to our BYE
  uint64_t long_calls = 0;  // the first so many calls are never hung up
};

// One INVITE as the carrier saw it; 0: has not happened.
struct CallLog {
  int64_t invite_ns = 0, answer_ns = 0, ack_ns = 0, end_ns = 0;
  bool is_long = false;
  bool good = false;  // ACK seen, and a BYE answered in either direction
};

struct FarEndCounts {
  uint64_t invites = 0;         // first INVITEs of calls
  uint64_t acked = 0;           // calls whose ACK came
  uint64_t good = 0;            // calls over, ACK and BYE seen
  uint64_t ended = 0;           // calls over, good or not
  uint64_t caller_byes = 0;     // calls that the caller ended
  uint64_t cancelled = 0;       // calls that the caller cancelled
  uint64_t invite_repeats = 0;  // INVITEs that came again
  uint64_t answer_repeats = 0;  // our 200s that had to go out again
  uint64_t bye_repeats = 0;     // our BYEs likewise
  uint64_t agent_lines = 0;     // nailed-up lines that are up
  uint64_t silent_invites = 0;  // at the black hole, repeats included
  uint64_t strange = 0;         // what we could not make sense of
  uint64_t receive_drops = 0;   // datagrams the kernel dropped for want of room
};

class FarEnd {
 public:
  explicit FarEnd(const FarEndOptions& options);
  ~FarEnd();
  FarEnd(const FarEnd&) = delete;
  FarEnd& operator=(const FarEnd&) = delete;

  uint16_t carrier_port() const { return sockets_[kCarrier].port; }
  uint16_t phone_port() const { return sockets_[kPhones].port; }
  // Takes everything and answers nothing.
  uint16_t silent_port() const { return sockets_[kSilent].port; }

  // From here on any thread.
  FarEndCounts Counts() const;
  // Calls of the carrier in the order in which their INVITEs came.
  std::vector<CallLog> Calls() const;
  std::vector<int64_t> SilentInviteTimes() const;
  // Ends the calls that SetHoldAll() held, `per_second` of them at most; 0: no more.
  void HangUpLong(int per_second);
  // Calls that come from now on are (not) held.
  void SetHoldAll(bool hold);

 private:
  enum SocketName { kCarrier, kPhones, kSilent, kSockets };
  enum class Timer : uint8_t { kAnswer, kRepeatAnswer, kHangUp, kRepeatBye, kForget };
  enum class State : uint8_t { kFree, kRinging, kAnswered, kUp, kEnding, kOver };
  struct Socket {
    int fd = -1;
    uint16_t port = 0;
  };
  struct Call {
    State state = State::kFree;
    SocketName socket = kCarrier;
    bool is_long = false;
    uint32_t generation = 0;
    uint32_t log = 0;  // index into logs_; carrier only
    uint32_t repeats = 0;
    sockaddr_in peer{};
    std::string call_id, from, to, contact;
    std::string last;  // what goes out again when the INVITE comes again or no ACK does
    std::string bye;
  };
  struct Due {
    int64_t at_ms;
    uint32_t call, generation;
    Timer timer;
  };
  struct Message;

  void Run();
  void Read(SocketName name);
  void Handle(SocketName name, char* data, size_t size, const sockaddr_in& peer, int64_t at_ns);
  void OnInvite(SocketName name, const Message& m, const sockaddr_in& peer, int64_t at_ns);
  void Answer(uint32_t index);
  void SendBye(uint32_t index);
  void End(uint32_t index, bool good, int64_t at_ns);
  void Forget(uint32_t index);
  void After(int ms, uint32_t index, Timer timer);
  void RunTimers();
  void Fire(const Due& due);
  void Send(SocketName name, const sockaddr_in& peer, absl::string_view text);
  void Flush();
  void AppendAnswer(const Message& m, absl::string_view status, absl::string_view to,
                    absl::string_view tail, std::string& out) const;

  const FarEndOptions options_;
  Socket sockets_[kSockets];
  int media_fds_[2] = {-1, -1};
  std::string media_port_;
  std::atomic<bool> stop_{false};
  std::atomic<int> hang_up_rate_{0};
  std::atomic<bool> hold_all_{false};

  mutable std::mutex mutex_;  // held while a batch is worked off
  FarEndCounts counts_;
  std::vector<CallLog> logs_;
  std::vector<int64_t> silent_times_;

  // The thread's own.
  std::vector<Call> calls_;
  std::vector<uint32_t> free_;
  absl::flat_hash_map<std::string, uint32_t> by_id_;
  std::vector<std::vector<Due>> wheel_;
  int64_t wheel_ms_ = 0;
  double hang_up_credit_ = 0;
  size_t hang_up_next_ = 0;
  struct Out {
    SocketName socket;
    sockaddr_in peer;
    std::string text;
  };
  std::vector<Out> out_;
  size_t out_used_ = 0;
  std::thread thread_;
};

}  // namespace outpace::bench
