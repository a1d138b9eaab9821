#include "engine/trunk/trunk_stats.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace outpace::trunk {
namespace {

constexpr absl::Duration kSlice = absl::Seconds(30);

}  // namespace

// The classes: 20 of 50 ms, 20 of 100 ms, 14 of 500 ms, 10 of 5 s.
int DelayHistogram::ClassOf(absl::Duration delay) {
  const int64_t ms = std::max<int64_t>(absl::ToInt64Milliseconds(delay), 0);
  if (ms < 1'000) return static_cast<int>(ms / 50);
  if (ms < 3'000) return static_cast<int>(20 + (ms - 1'000) / 100);
  if (ms < 10'000) return static_cast<int>(40 + (ms - 3'000) / 500);
  return static_cast<int>(std::min<int64_t>(54 + (ms - 10'000) / 5'000, kClasses - 1));
}

absl::Duration DelayHistogram::LowerEdge(int number) {
  if (number < 20) return absl::Milliseconds(50) * number;
  if (number < 40) return absl::Seconds(1) + absl::Milliseconds(100) * (number - 20);
  if (number < 54) return absl::Seconds(3) + absl::Milliseconds(500) * (number - 40);
  return absl::Seconds(10) + absl::Seconds(5) * (number - 54);
}

void DelayHistogram::Add(absl::Duration delay) {
  ++classes_[static_cast<size_t>(ClassOf(delay))];
  ++count_;
  sum_us_ += std::max<int64_t>(absl::ToInt64Microseconds(delay), 0);
}

void DelayHistogram::Add(const DelayHistogram& other) {
  for (size_t i = 0; i < classes_.size(); ++i) classes_[i] += other.classes_[i];
  count_ += other.count_;
  sum_us_ += other.sum_us_;
}

void DelayHistogram::Subtract(const DelayHistogram& other) {
  for (size_t i = 0; i < classes_.size(); ++i) classes_[i] -= other.classes_[i];
  count_ -= other.count_;
  sum_us_ -= other.sum_us_;
}

absl::Duration DelayHistogram::Mean() const {
  return count_ == 0 ? absl::ZeroDuration() : absl::Microseconds(sum_us_ / count_);
}

absl::Duration DelayHistogram::Quantile(double q) const {
  OUTPACE_CHECK(q > 0 && q <= 1);
  if (count_ == 0) return absl::ZeroDuration();
  const double rank = q * count_;
  double below = 0;
  for (int i = 0; i < kClasses; ++i) {
    const double here = classes_[static_cast<size_t>(i)];
    if (here > 0 && below + here >= rank) {
      const absl::Duration width = LowerEdge(i + 1) - LowerEdge(i);
      return LowerEdge(i) + width * ((rank - below) / here);
    }
    below += here;
  }
  return LowerEdge(kClasses);
}

void TrunkStats::Sums::Subtract(const Sums& other) {
  attempts -= other.attempts;
  answered -= other.answered;
  failed -= other.failed;
  trunk_faults -= other.trunk_faults;
  ended -= other.ended;
  talk_us -= other.talk_us;
  delays.Subtract(other.delays);
  for (size_t i = 0; i < statuses.size(); ++i) statuses[i] -= other.statuses[i];
  for (size_t i = 0; i < causes.size(); ++i) causes[i] -= other.causes[i];
}

TrunkFigures TrunkStats::Sums::Figures() const {
  TrunkFigures figures;
  figures.attempts = attempts;
  figures.answered = answered;
  figures.failed = failed;
  figures.trunk_faults = trunk_faults;
  figures.ended = ended;
  if (answered + failed > 0) {
    figures.asr = static_cast<double>(answered) / static_cast<double>(answered + failed);
  }
  if (ended > 0) figures.acd = absl::Microseconds(talk_us / ended);
  figures.pdd_mean = delays.Mean();
  figures.pdd_p50 = delays.Quantile(0.5);
  figures.pdd_p95 = delays.Quantile(0.95);
  for (size_t i = 0; i < statuses.size(); ++i) {
    if (statuses[i] > 0) figures.by_status.emplace_back(static_cast<int>(i) + 200, statuses[i]);
  }
  for (size_t i = 1; i < causes.size(); ++i) {
    if (causes[i] > 0) figures.by_q850_cause.emplace_back(static_cast<int>(i), causes[i]);
  }
  return figures;
}

TrunkStats::TrunkStats(MonoTime now)
    : slices_(std::make_unique<std::array<Sums, kSlices>>()), start_(now) {}

void TrunkStats::Advance(MonoTime now) {
  const int64_t slice = std::max(slice_, (now - start_) / kSlice);
  // After a pause of any length no slice needs to be dropped twice.
  for (int64_t dropped = 0; slice_ < slice && dropped < kSlices; ++dropped) {
    ++slice_;
    Sums& oldest = (*slices_)[static_cast<size_t>(slice_ % kSlices)];
    window_.Subtract(oldest);
    oldest = Sums();
  }
  slice_ = slice;
}

template <typename Change>
void TrunkStats::Count(MonoTime now, Change change) {
  Advance(now);
  change((*slices_)[static_cast<size_t>(slice_ % kSlices)]);
  change(window_);
  change(today_);
}

void TrunkStats::OnAttempt(MonoTime now) {
  ++in_progress_;
  Count(now, [](Sums& s) { ++s.attempts; });
}

void TrunkStats::OnUnsent(MonoTime now) {
  --in_progress_;
  Count(now, [](Sums& s) { --s.attempts; });
}

void TrunkStats::OnProgress(absl::Duration delay, MonoTime now) {
  Count(now, [delay](Sums& s) { s.delays.Add(delay); });
}

void TrunkStats::OnAnswer(int status, MonoTime now) {
  const auto index = static_cast<size_t>(std::clamp(status, 200, 299) - 200);
  --in_progress_;
  ++up_;
  faults_in_a_row_ = 0;
  Count(now, [index](Sums& s) {
    ++s.answered;
    ++s.statuses[index];
  });
}

void TrunkStats::OnFailure(int status, int q850_cause, bool trunk_fault, MonoTime now) {
  const auto index = static_cast<size_t>(std::clamp(status, 200, 699) - 200);
  const auto cause = static_cast<size_t>(std::clamp(q850_cause, 0, kCauses - 1));
  --in_progress_;
  faults_in_a_row_ = trunk_fault ? faults_in_a_row_ + 1 : 0;
  if (trunk_fault) {
    last_status_ = status;
    last_cause_ = q850_cause;
    last_error_at_ = now;
  }
  Count(now, [=](Sums& s) {
    ++s.failed;
    s.trunk_faults += trunk_fault;
    ++s.statuses[index];
    ++s.causes[cause];
  });
}

void TrunkStats::OnEnd(absl::Duration talk, MonoTime now) {
  const int64_t talk_us = std::max<int64_t>(absl::ToInt64Microseconds(talk), 0);
  --up_;
  Count(now, [talk_us](Sums& s) {
    ++s.ended;
    s.talk_us += talk_us;
  });
}

void TrunkStats::StartDay(MonoTime now) {
  Advance(now);
  today_ = Sums();
}

TrunkSnapshot TrunkStats::Snapshot(MonoTime now) {
  Advance(now);
  TrunkSnapshot snapshot;
  snapshot.window = window_.Figures();
  snapshot.today = today_.Figures();
  snapshot.in_progress = in_progress_;
  snapshot.up = up_;
  snapshot.faults_in_a_row = faults_in_a_row_;
  if (last_status_ != 0) {
    snapshot.last_error = absl::StrCat(last_status_);
    if (last_cause_ != 0) absl::StrAppend(&snapshot.last_error, ", Q.850 ", last_cause_);
    snapshot.last_error_age = now - last_error_at_;
  }
  return snapshot;
}

}  // namespace outpace::trunk
