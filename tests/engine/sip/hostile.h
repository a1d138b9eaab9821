#pragma once

// A live agent under hostile traffic, and the questions asked of it after each provocation: does it
// still answer an OPTIONS, and is the call that it holds untouched? The attacker owns a loopback
// address of its own (127.4.75.1), which is either a peer or a stranger: so an answer that goes
// where a hostile Via points does not reach another program's port on 127.0.0.1.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/engine/sip/far_end.h"
#include "tests/engine/sip/shard_under_test.h"

namespace outpace::sip {

inline constexpr char kAttacker[] = "127.4.75.1";
inline constexpr char kBystander[] = "127.4.75.9";  // an address that no peer has
inline constexpr absl::Duration kAnswerLimit = absl::Milliseconds(500);

// Under a sanitizer everything takes several times as long: figures of time do not bind.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

std::string ReadTestFile(const std::string& path);  // below tests/data

// "OPTIONS ... " that the agent must answer; `number` makes its branch and Call-ID unique.
std::string ProbeText(absl::string_view from_address, int from_port, int to_port, uint64_t number,
                      absl::string_view transport = "UDP");

// The ACK that a final response of 300 or more to an INVITE is due, with the Via as it came back.
std::string AckOf(const WireMessage& response, int port);

class UnderAttack {
 public:
  enum class From { kPeer, kStranger };
  static SofiaConfig Config(From from);

  // Opens the agent and establishes one call, which the attacks must not touch.
  explicit UnderAttack(From from, const SofiaConfig& config);
  explicit UnderAttack(From from = From::kPeer) : UnderAttack(from, Config(from)) {}

  // The octets as one datagram from the attacker's socket.
  void Send(absl::string_view octets) { attacker_.Send(octets, shard_.port()); }
  // An OPTIONS from a peer's address. What came to the attacker in the meantime is kept for
  // Heard(). False: not answered within kAnswerLimit, nor was a second one, asked in case it was
  // the machine that stalled.
  bool Alive();
  // What has come to the attacker since the last call, without the answers to its probes.
  std::vector<WireMessage> Heard();

  // What must hold after any of it: the held call got no event and its far end no message, no leg
  // was placed, no call offered, nothing ended or acknowledged. Then ends the call, which must
  // work.
  // kMayEnd: the attack placed calls itself and answered them, also twice.
  enum class Strays { kNone, kMayEnd };
  void ExpectUntouched(Strays strays = Strays::kNone);

  ShardUnderTest& shard() { return shard_; }
  FarEnd& attacker() { return attacker_; }
  FarEnd& far() { return far_; }
  const WireMessage& invite() const { return invite_; }  // of the held call, as its far end got it
  absl::Duration slowest() const { return slowest_; }

 private:
  bool Probe();

  ShardUnderTest shard_;
  FarEnd far_;       // the held call's
  FarEnd attacker_;  // kAttacker
  FarEnd prober_;    // a peer's socket for probes when the attacker is a stranger
  const From from_;
  WireMessage invite_;
  SofiaCounters before_;
  std::vector<WireMessage> heard_;
  uint64_t probes_ = 0;
  absl::Duration slowest_;
};

}  // namespace outpace::sip
