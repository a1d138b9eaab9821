#include "campaign/report/figures.h"

#include <algorithm>

#include "absl/strings/string_view.h"

namespace outpace::report {
namespace {

using campaign::AttemptView;
using campaign::kNeverMicros;

// The wall clock may have been set back in between: then 0.
int64_t Between(int64_t from, int64_t to) { return std::max<int64_t>(0, to - from); }

void AddOutcome(absl::string_view outcome, Sums& sums) {
  if (outcome == "no_answer") ++sums[kNoAnswer];
  if (outcome == "busy") ++sums[kBusy];
  if (outcome == "invalid") ++sums[kInvalid];
  if (outcome == "unreachable") ++sums[kUnreachable];
  if (outcome == "rejected") ++sums[kRejected];
  if (outcome == "unknown") ++sums[kUnknown];
}

void AddStatus(const campaign::Disposition& said, bool answered, Sums& sums) {
  sums[kHumanAnswered] += said.human_answered ? 1 : 0;
  sums[kSales] += said.sale ? 1 : 0;
  sums[kDnc] += said.dnc ? 1 : 0;
  sums[kCustomerContact] += said.customer_contact ? 1 : 0;
  sums[kNotInterested] += said.not_interested ? 1 : 0;
  sums[kUnworkable] += said.unworkable ? 1 : 0;
  sums[kUnworkableAnswered] += said.unworkable && answered ? 1 : 0;
  sums[kCallbacks] += said.scheduled_callback ? 1 : 0;
  sums[kCompleted] += said.completed ? 1 : 0;
  sums[kTransfers] += said.status == "XFER" ? 1 : 0;
}

// The agent's side of a call, whoever called whom.
void AddAgentSide(const AttemptView& call, Sums& sums) {
  if (call.agent.empty() || call.connected_micros == kNeverMicros) return;
  ++sums[kTaken];
  sums[kTakenInbound] += call.inbound ? 1 : 0;
  sums[kHolds] += call.holds;
  sums[kHeld] += absl::ToInt64Microseconds(call.held);
  sums[kConferences] += call.conferences;
  if (call.ended_micros == kNeverMicros) return;
  sums[kTakenTalk] += Between(call.connected_micros, call.ended_micros);
  if (call.disposed_micros == kNeverMicros) return;
  ++sums[kWrapped];
  sums[kWrap] += Between(call.ended_micros, call.disposed_micros);
}

void AddTimes(const AttemptView& call, Sums& sums) {
  if (call.ringing_micros != kNeverMicros) {
    ++sums[kDelayed];
    sums[kPostDialDelay] += Between(call.dialed_micros, call.ringing_micros);
    const int64_t until =
        call.answered_micros != kNeverMicros ? call.answered_micros : call.ended_micros;
    if (until != kNeverMicros) {
      ++sums[kRang];
      sums[kRing] += Between(call.ringing_micros, until);
    }
  }
  if (call.ended_micros == kNeverMicros) return;
  if (call.answered_micros != kNeverMicros) {
    const int64_t length = Between(call.answered_micros, call.ended_micros);
    ++sums[kMeasured];
    sums[kLength] += length;
    sums[kShort] += length < kShortCallMicros ? 1 : 0;
  }
  if (call.connected_micros != kNeverMicros)
    sums[kTalk] += Between(call.connected_micros, call.ended_micros);
}

}  // namespace

Sums& Sums::operator+=(const Sums& other) {
  for (size_t i = 0; i < kFigures; ++i) n[i] += other.n[i];
  return *this;
}

int64_t Sums::LoginTime() const {
  return n[kPausedTime] + n[kReadyTime] + n[kReservedTime] + n[kTalkTime] + n[kWrapTime];
}

void Sums::Add(const AttemptView& call, const campaign::Disposition* said) {
  Sums& sums = *this;
  if (call.inbound) {  // no call of ours
    if (!call.open) AddAgentSide(call, sums);
    return;
  }
  sums[kFaults] += call.trunk_fault ? 1 : 0;
  if (!call.sent) {  // nobody's telephone rang, and nothing was tried
    ++sums[kUnsent];
    return;
  }
  ++sums[kAttempts];
  if (call.open) {
    ++sums[kOpen];
    return;
  }
  ++sums[kCalls];
  const bool answered = Answered(call);
  const bool machine = ByMachine(answered, said);
  sums[kAnswered] += answered ? 1 : 0;
  sums[kMachines] += machine ? 1 : 0;
  sums[kConnected] += call.connected_micros != kNeverMicros ? 1 : 0;
  sums[kAbandoned] += call.abandoned ? 1 : 0;
  sums[kUnserved] += answered && !machine && call.connected_micros == kNeverMicros ? 1 : 0;
  AddOutcome(call.outcome, sums);
  if (said != nullptr) AddStatus(*said, answered, sums);
  sums[kAgentRelease] += call.agent.empty() ? 0 : 1;
  sums[kDispositions] += !call.agent.empty() && call.disposed_micros != kNeverMicros ? 1 : 0;
  AddTimes(call, sums);
  AddAgentSide(call, sums);
  sums[kCostMicros] += call.cost_micros;
  sums[kBilledSeconds] += call.billed_seconds;
}

}  // namespace outpace::report
