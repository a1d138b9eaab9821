#pragma once

// Which recordings somebody should listen to. A rule names shares of the calls of a day; which
// calls make up a share is drawn by a hash of the call's id, so that whoever asks, and however
// often, is given the same calls, and nobody can pick the ones he likes.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/ids.h"

namespace outpace::qa {

// A call with a recording.
struct Call {
  AttemptId attempt;
  AgentId agent;
  std::string status;
  absl::Time started;
  absl::Duration length;  // of the recording
};

struct SampleTerm {
  enum class Kind {
    kAgent,    // "agent:3": so many calls of each agent
    kStatus,   // "status:SALE:10": percent of the calls of a status
    kLonger,   // "over:600:50": percent of those longer than so many seconds
    kShorter,  // "under:20:10": percent of those shorter
    kShare,    // "share:2": percent of all calls
  } kind = Kind::kAgent;
  int count = 0;         // calls: 1..100
  double percent = 0;    // 0 < percent <= 100
  std::string status;    // kStatus
  absl::Duration limit;  // kLonger, kShorter: 1 s .. 24 h
};
struct SampleRule {
  std::vector<SampleTerm> terms;  // a call that any of them draws is in the sample
  // "min:30", "max:3600": shorter and longer calls are in nobody's share, nor are they drawn.
  absl::Duration min = absl::ZeroDuration(), max = absl::InfiniteDuration();
};

// "agent:2, status:SALE:100, over:900:50, share:1, min:30". InvalidArgument names the term and the
// forms there are.
absl::StatusOr<SampleRule> ParseSampleRule(absl::string_view text);
std::string SampleRuleText(const SampleRule& rule);

struct Picked {
  Call call;
  std::vector<std::string> terms;  // those that drew it, as text
};
// The sample of these calls, by agent, then start, then attempt. A percentage is of its calls,
// rounded up. Pure: whatever the order of `calls`.
std::vector<Picked> Draw(const SampleRule& rule, std::vector<Call> calls);

}  // namespace outpace::qa
