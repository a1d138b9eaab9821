#pragma once

// What one trunk may be asked for: calls per second, calls at once, INVITEs without any response,
// a circuit breaker, and whether it has registered us. A dead trunk must be noticed in seconds:
// each INVITE it swallows costs a line, a lead's turn and, in the SIP stack, a growing list of
// retransmissions. Pure: time is passed in. With several shards each has its own guard, so the
// limits given here are one shard's part.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"

namespace outpace::call {

struct TrunkLimits {
  std::string name;
  // Calls started in any one second; > 0. Below 1 it is one call in 1 / cps seconds; above 1 a
  // fraction is cut off, for no whole number of calls a second uses it up without going over.
  double cps = 10;
  int calls_max = 100;       // legs from INVITE to the end of their signalling
  int unanswered_max = 200;  // INVITEs without a provisional or final response
  int breaker_failures =
      5;  // failures in a row, within breaker_window, that open the breaker; >= 1
  absl::Duration breaker_window = absl::Seconds(30);
  absl::Duration backoff_first = absl::Seconds(5);  // to the first probe; doubles with each failure
  absl::Duration backoff_max = absl::Minutes(1);
  absl::Duration options_interval = absl::ZeroDuration();  // OPTIONS as a health check; zero: none
  bool srtp = false;                                       // audio only with keys in the SDP
  bool registers = false;  // takes calls from us only while we are registered with it
};

// What a trunk did with one INVITE.
enum class TrunkVerdict {
  kResponded,    // rang, answered, or refused for the number's own reasons: the trunk works
  kNoResponse,   // silence
  kUnavailable,  // 503 and its like
};

enum class TrunkRefusal {
  kNone,
  kNotRegistered,
  kBreakerOpen,
  kProbing,
  kCps,
  kCallsMax,
  kUnansweredMax
};
absl::string_view TrunkRefusalName(TrunkRefusal refusal);  // "breaker_open", ...

// A leg's standing with its trunk; held by the leg, changed by the guard only.
struct TrunkTicket {
  bool held = false;        // counts as a call
  bool unanswered = false;  // counts as an INVITE without response
  bool settled = false;     // its verdict is given
  bool probe = false;       // the one call that a half-open breaker let through
};

struct TrunkChange {
  bool open = false;     // no calls
  bool probing = false;  // one call at a time, until one gets through
  std::string reason;
};

class TrunkGuard {
 public:
  explicit TrunkGuard(TrunkLimits limits);

  // Asks for one call. kNone: it counts from now on and `ticket` is held; the caller sends the
  // INVITE or calls Refund(). Any other value: nothing changed but the count of refusals.
  TrunkRefusal Admit(TrunkTicket& ticket, MonoTime now);
  // When Admit() refused: how long until it may be worth asking again. Zero if that hangs on calls
  // in flight.
  absl::Duration RetryAfter(TrunkRefusal refusal, MonoTime now) const;
  // Nothing was sent after all: gives the call back (its cps token stays spent: never above cps).
  void Refund(TrunkTicket& ticket);
  // First response of any kind, 100 included.
  void Heard(TrunkTicket& ticket);
  // The trunk's verdict on this INVITE; only the first per ticket counts. `retry_after` of a 503
  // closes the trunk for that long at once (RFC 3261 21.5.4), 5 minutes at most.
  void Settle(TrunkTicket& ticket, TrunkVerdict verdict, absl::Duration retry_after, MonoTime now);
  void CountAnswer() { ++answered_; }
  // An OPTIONS was answered, or was not. kOptionsLost in a row without an answer open the breaker.
  // An answer lets a breaker that silence opened probe with a call at once.
  void OptionsResult(bool answered, MonoTime now);
  static constexpr int kOptionsLost = 3;
  // Of a trunk that registers us: whether it has now, and if not why.
  void SetRegistered(bool registered, absl::string_view reason);
  // The leg's signalling is over. An unsettled probe lets the next call probe.
  void Release(TrunkTicket& ticket);

  // Moves an open breaker whose back-off has passed to half-open. Called by Admit() too; a timer
  // calls it at probe_at() so that the controller learns that calls may come.
  void Tick(MonoTime now);
  // The change since the last call, if any: to be sent on as TrunkState.
  std::optional<TrunkChange> TakeChange();

  enum class Breaker { kClosed, kOpen, kHalfOpen };
  Breaker breaker() const { return breaker_; }
  MonoTime probe_at() const { return probe_at_; }  // meaningful while open
  const TrunkLimits& limits() const { return limits_; }
  int calls() const { return calls_; }
  int unanswered() const { return unanswered_; }
  uint64_t attempts() const { return attempts_; }  // INVITEs sent
  uint64_t answered() const { return answered_; }
  uint64_t failures() const { return failures_; }  // silence and 503
  uint64_t refusals() const { return refusals_; }
  // Calls that may start in one second: how many orders it makes sense to keep waiting.
  size_t starts_per_second() const { return starts_.size(); }

 private:
  void Tell(std::string reason);  // a change
  void Open(absl::Duration wait, TrunkVerdict why, std::string reason, MonoTime now);
  void Fail(bool probe, TrunkVerdict verdict, absl::Duration retry_after, MonoTime now);
  void Succeed(bool probe);

  TrunkLimits limits_;
  // Times of the last n starts, n the most allowed in the window. Exact, where a token bucket would
  // let through up to twice the rate in an unlucky second.
  std::vector<MonoTime> starts_;
  size_t starts_next_ = 0;
  size_t starts_count_ = 0;
  absl::Duration starts_window_;
  std::vector<MonoTime> fails_;  // times of the last failures in a row, at most breaker_failures

  Breaker breaker_ = Breaker::kClosed;
  TrunkVerdict opened_by_ = TrunkVerdict::kNoResponse;
  int options_lost_ = 0;  // in a row
  bool registered_ = true;
  std::string unregistered_why_;
  MonoTime probe_at_;
  absl::Duration backoff_;
  bool probe_out_ = false;
  std::optional<TrunkChange> change_;

  int calls_ = 0;
  int unanswered_ = 0;
  uint64_t attempts_ = 0;
  uint64_t answered_ = 0;
  uint64_t failures_ = 0;
  uint64_t refusals_ = 0;
};

}  // namespace outpace::call
