#include "engine/runtime/abandon_ledger.h"

#include <algorithm>
#include <utility>

#include "engine/runtime/abandon_windows.h"

namespace outpace::runtime {
namespace {

using campaign::AbandonContract;
using campaign::CallFacts;
using campaign::CallSense;

constexpr int64_t kMinuteMs = 60'000;
// Kept beyond the earliest window: clocks and zones are set back by hours.
constexpr int64_t kKeptMs = int64_t{48} * 60 * kMinuteMs;
// A minute as old as that hardly grows any more.
constexpr int64_t kSettledMinutes = 60;

int64_t MinuteOf(int64_t ms) { return ms / kMinuteMs - (ms % kMinuteMs < 0 ? 1 : 0); }

// ms in the minute 16 bits, met_ms 16, greeting_start 14, greeting_end 14, fate 3.
uint64_t Pack(const CallFacts& f) {
  const auto in_minute = static_cast<uint64_t>(f.answered_ms - MinuteOf(f.answered_ms) * kMinuteMs);
  return in_minute << 47 | uint64_t{f.met_ms} << 31 | uint64_t{f.greeting_start_ms} << 17 |
         uint64_t{f.greeting_end_ms} << 3 | static_cast<uint64_t>(f.fate);
}

CallFacts Unpack(int64_t minute, uint64_t packed) {
  CallFacts f;
  f.answered_ms = minute * kMinuteMs + static_cast<int64_t>(packed >> 47);
  f.met_ms = static_cast<uint16_t>(packed >> 31 & 0xffff);
  f.greeting_start_ms = static_cast<uint16_t>(packed >> 17 & 0x3fff);
  f.greeting_end_ms = static_cast<uint16_t>(packed >> 3 & 0x3fff);
  f.fate = static_cast<CallFacts::Fate>(packed & 7);
  return f;
}

size_t IndexOf(const AbandonContract& contract, const CallFacts& facts) {
  return static_cast<size_t>(campaign::SenseOf(contract, facts));
}

// Infinite ends stay in range.
int64_t MillisOf(absl::Time time) {
  return time == absl::InfinitePast()     ? INT64_MIN
         : time == absl::InfiniteFuture() ? INT64_MAX
                                          : absl::ToUnixMillis(time);
}

pacing::AbandonCounts CountsOf(const std::array<int64_t, campaign::kCallSenses>& senses) {
  const auto of = [&](CallSense sense) {
    return static_cast<double>(senses[static_cast<size_t>(sense)]);
  };
  pacing::AbandonCounts counts;
  counts.machines = of(CallSense::kMachine);
  counts.ended = of(CallSense::kServed) + counts.machines;
  counts.served = counts.ended + of(CallSense::kOpen);
  counts.abandoned = of(CallSense::kAbandoned);
  counts.amd_machines = of(CallSense::kByAmd);
  return counts;
}

}  // namespace

std::optional<CallFacts> FactsOrNone(const campaign::Attempt& attempt,
                                     const campaign::StatusSet& statuses) {
  CallFacts facts;
  if (!campaign::FactsOf(attempt, &facts, statuses)) return std::nullopt;
  return facts;
}

void AbandonLedger::SetContracts(const std::vector<AbandonContract>& contracts,
                                 absl::TimeZone zone) {
  zone_ = zone;
  views_.clear();
  for (const AbandonContract& contract : contracts) views_.push_back({.contract = contract});
}

bool AbandonLedger::Advance(absl::Time now, absl::Time first_call) {
  bool changed = false;
  int64_t earliest = MillisOf(now);
  const absl::Time period = PeriodStart(first_call, now);
  for (View& view : views_) {
    const int64_t start = MillisOf(WindowStart(view.contract.window, now, zone_, period));
    earliest = std::min(earliest, start);
    if (start == view.start_ms) continue;
    // A clock or a zone that is set back brings calls in again.
    const auto [from, to] = std::minmax(start, view.start_ms);
    const Senses moved = SensesOf(view.contract, from, to);
    for (size_t i = 0; i < moved.size(); ++i) {
      view.counts[i] += start < view.start_ms ? moved[i] : -moved[i];
      changed |= moved[i] != 0;
    }
    view.start_ms = start;
  }
  if (!views_.empty() && earliest > INT64_MIN) Forget(earliest - kKeptMs);
  return changed;
}

void AbandonLedger::Forget(int64_t before_ms) {
  bool forgot = false;
  while (!minutes_.empty() && (minutes_.begin()->first + 1) * kMinuteMs <= before_ms) {
    minutes_.erase(minutes_.begin());
    forgot = true;
  }
  if (forgot) from_ = std::max(from_, absl::FromUnixMillis(before_ms));
}

AbandonLedger::Senses AbandonLedger::SensesOf(const AbandonContract& contract, int64_t from_ms,
                                              int64_t to_ms) const {
  Senses senses{};
  auto it = from_ms == INT64_MIN ? minutes_.begin() : minutes_.lower_bound(MinuteOf(from_ms));
  for (; it != minutes_.end() && it->first * kMinuteMs < to_ms; ++it) {
    for (const uint64_t packed : it->second) {
      const CallFacts facts = Unpack(it->first, packed);
      if (facts.answered_ms < from_ms || facts.answered_ms >= to_ms) continue;
      ++senses[IndexOf(contract, facts)];
    }
  }
  return senses;
}

void AbandonLedger::Count(const CallFacts& facts, int sign) {
  for (View& view : views_) {
    if (facts.answered_ms >= view.start_ms) view.counts[IndexOf(view.contract, facts)] += sign;
  }
}

void AbandonLedger::Add(const CallFacts& facts) {
  const int64_t minute = MinuteOf(facts.answered_ms);
  const auto [it, made] = minutes_.try_emplace(minute);
  it->second.push_back(Pack(facts));
  if (made) {
    if (const auto old = minutes_.find(minute - kSettledMinutes); old != minutes_.end()) {
      old->second.shrink_to_fit();
    }
  }
  Count(facts, 1);
}

void AbandonLedger::Update(const std::optional<CallFacts>& before,
                           const std::optional<CallFacts>& now) {
  if (before == now) return;
  if (before) {
    // What is so old that it has been forgotten is not there.
    const auto minute = minutes_.find(MinuteOf(before->answered_ms));
    if (minute != minutes_.end()) {
      std::vector<uint64_t>& calls = minute->second;
      const auto call = std::find(calls.begin(), calls.end(), Pack(*before));
      if (call != calls.end()) {
        *call = calls.back();
        calls.pop_back();
        Count(*before, -1);
      }
    }
  }
  if (now) Add(*now);
}

void AbandonLedger::AddRecord(const campaign::Attempt& attempt,
                              const campaign::StatusSet& statuses) {
  if (const auto facts = FactsOrNone(attempt, statuses)) Add(*facts);
}

void AbandonLedger::AddOlder(const AbandonLedger& older) {
  for (const auto& [minute, calls] : older.minutes_) {
    for (const uint64_t packed : calls) Add(Unpack(minute, packed));
  }
  from_ = std::min(from_, older.from_);
}

pacing::AbandonCounts AbandonLedger::Counts(size_t contract) const {
  return CountsOf(views_[contract].counts);
}

absl::Time AbandonLedger::WindowBegan(size_t contract) const {
  const int64_t start = views_[contract].start_ms;
  return start == INT64_MAX ? absl::InfiniteFuture() : absl::FromUnixMillis(start);
}

pacing::AbandonCounts AbandonLedger::Since(size_t contract, absl::Time start) const {
  return CountsOf(SensesOf(views_[contract].contract, MillisOf(start), INT64_MAX));
}

}  // namespace outpace::runtime
