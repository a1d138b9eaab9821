#pragma once

// What calls and agents' time are counted as, in one place: the summary of an export and every
// report are sums of these figures, so that two of them never mean two things by one word.
//
// Sums are whole numbers (times in microseconds), so that parts of a day may be folded by
// themselves, on several threads and in any order, and added up: the total is the same to the bit.

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "campaign/attempt.h"
#include "campaign/attempt_scan.h"
#include "campaign/disposition.h"

namespace outpace::report {

// Not for ever ago and not never.
inline bool Happened(absl::Time time) {
  return time != absl::InfinitePast() && time != absl::InfiniteFuture();
}

// The line was up.
inline bool Answered(const campaign::AttemptView& call) {
  return call.answered_micros != campaign::kNeverMicros || call.outcome == "answered";
}
inline bool Answered(const campaign::Attempt& call) {
  return Happened(call.answered_at) || call.outcome == "answered";
}
// Answered, and its status says by a machine. `said`: the status as a disposition; null: none.
inline bool ByMachine(bool answered, const campaign::Disposition* said) {
  return answered && said != nullptr && said->answering_machine;
}

// A call that was answered and is over so soon is short: carriers bill or warn of many such calls.
inline constexpr int64_t kShortCallMicros = 6'000'000;

enum Figure : size_t {
  // Calls. All but the first four count calls of ours that left and are closed.
  kAttempts,  // INVITE sent, not inbound; open ones too
  kOpen,      // of these, without a result yet
  kUnsent,    // refused before the INVITE left
  kFaults,    // trunk_fault, unsent ones too
  kCalls,     // kAttempts - kOpen
  kAnswered,
  kMachines,   // answered, by a machine
  kConnected,  // an agent was bridged
  kAbandoned,  // given up for want of an agent
  kUnserved,   // answered by a person and met no agent, whoever hung up
  kNoAnswer,   // these by outcome
  kBusy,
  kInvalid,
  kUnreachable,
  kRejected,
  kUnknown,
  kHumanAnswered,  // these by flags of the status
  kSales,
  kDnc,
  kCustomerContact,
  kNotInterested,
  kUnworkable,
  kUnworkableAnswered,
  kCallbacks,
  kCompleted,
  kTransfers,     // status XFER
  kAgentRelease,  // an agent has the call
  kDispositions,  // an agent has the call and its result is stored
  kTaken,         // an agent was bridged; calls from outside too
  kTakenInbound,  // of these, from outside
  kShort,
  kRang,
  kRing,  // ringing until the answer or the end, microseconds
  kDelayed,
  kPostDialDelay,  // INVITE until ringing
  kMeasured,       // answered, with both instants
  kLength,         // answer until the end
  kTalk,           // bridged until the end
  kTakenTalk,      // the same of kTaken
  kWrapped,        // of kTaken, with a wrap-up that has ended
  kWrap,           // end until disposed
  kCostMicros,
  kBilledSeconds,
  kHolds,
  kHeld,
  kConferences,
  // Agents' time, microseconds, by the states of the roster.
  kPausedTime,
  kReadyTime,
  kReservedTime,
  kTalkTime,
  kWrapTime,
  kPauses,    // pauses begun
  kSessions,  // logins
  kFigures
};

struct Sums {
  std::array<int64_t, kFigures> n{};
  int64_t operator[](Figure figure) const { return n[figure]; }
  int64_t& operator[](Figure figure) { return n[figure]; }
  Sums& operator+=(const Sums& other);
  int64_t LoginTime() const;  // all states
  // `said`: the call's status as a disposition; null: none known.
  void Add(const campaign::AttemptView& call, const campaign::Disposition* said);
  bool operator==(const Sums&) const = default;
};

}  // namespace outpace::report
