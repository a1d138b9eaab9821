#pragma once

// What a trunk has done lately and today, for the board, the metrics and whoever asks why a trunk
// was closed. Every event costs a few additions: the last quarter of an hour is kept as thirty
// slices of half a minute with their sum beside them, so nothing is ever added up anew.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"

namespace outpace::trunk {

// Post-dial delays in 64 classes: 50 ms wide up to 1 s, 100 ms to 3 s, 500 ms to 10 s, 5 s to 60 s.
class DelayHistogram {
 public:
  static constexpr int kClasses = 64;
  void Add(absl::Duration delay);
  void Add(const DelayHistogram& other);
  void Subtract(const DelayHistogram& other);
  uint32_t count() const { return count_; }
  absl::Duration Mean() const;  // zero without entries
  // 0 < q <= 1; linear inside the class. Zero without entries; 60 s for what is beyond.
  absl::Duration Quantile(double q) const;

 private:
  static int ClassOf(absl::Duration delay);
  static absl::Duration LowerEdge(int number);
  std::array<uint32_t, kClasses> classes_{};
  uint32_t count_ = 0;
  int64_t sum_us_ = 0;
};

// A period of a trunk, as shown. Ratios are 0 without anything to divide.
struct TrunkFigures {
  int64_t attempts = 0;      // INVITEs sent
  int64_t answered = 0;      // 2xx
  int64_t failed = 0;        // final responses other than 2xx, also our own time-outs
  int64_t trunk_faults = 0;  // those of them that are the trunk's fault
  int64_t ended = 0;         // answered calls that are over
  double asr = 0;            // answered / (answered + failed): ITU-T E.411, calls that are decided
  absl::Duration acd;        // mean length of the answered calls that are over
  absl::Duration pdd_mean, pdd_p50, pdd_p95;           // INVITE to the first 18x (or the 2xx)
  std::vector<std::pair<int, int64_t>> by_status;      // ascending, only what occurred
  std::vector<std::pair<int, int64_t>> by_q850_cause;  // without 0 (none given)
};

struct TrunkSnapshot {
  TrunkFigures window;      // the last 14.5 to 15 minutes
  TrunkFigures today;       // since StartDay()
  int in_progress = 0;      // INVITEs without a final response
  int up = 0;               // answered calls that are not over
  int faults_in_a_row = 0;  // the trunk's faults since the last call that got anywhere
  std::string last_error;   // "503, Q.850 34", empty: none yet
  absl::Duration last_error_age;
};

// One trunk, as one thread sees it. About 90 KiB.
class TrunkStats {
 public:
  explicit TrunkStats(MonoTime now);

  void OnAttempt(MonoTime now);
  void OnUnsent(MonoTime now);  // takes an OnAttempt() back: the INVITE never left
  // First 18x of a call, or its 2xx if there was none: `delay` from the INVITE.
  void OnProgress(absl::Duration delay, MonoTime now);
  void OnAnswer(int status, MonoTime now);  // 200..299
  // `status` 300..699 (408 or 503 for our own time-outs), `q850_cause` 0 if none was given.
  void OnFailure(int status, int q850_cause, bool trunk_fault, MonoTime now);
  // An answered call is over after `talk`.
  void OnEnd(absl::Duration talk, MonoTime now);
  // Midnight where the day is counted: today's figures start anew, calls in progress stay.
  void StartDay(MonoTime now);

  TrunkSnapshot Snapshot(MonoTime now);

 private:
  static constexpr int kSlices = 30;
  static constexpr int kStatuses = 500;  // 200..699
  static constexpr int kCauses = 128;
  struct Sums {
    int64_t attempts = 0, answered = 0, failed = 0, trunk_faults = 0, ended = 0, talk_us = 0;
    DelayHistogram delays{};
    std::array<uint32_t, kStatuses> statuses{};
    std::array<uint32_t, kCauses> causes{};
    void Subtract(const Sums& other);
    TrunkFigures Figures() const;
  };
  // Drops the slices that are too old; amortised O(1), one slice in half a minute.
  void Advance(MonoTime now);
  // Calls `change` for the slice of now, the window and the day.
  template <typename Change>
  void Count(MonoTime now, Change change);

  std::unique_ptr<std::array<Sums, kSlices>> slices_;
  MonoTime start_;
  int64_t slice_ = 0;  // number since the start; its place is slice_ % kSlices
  Sums window_, today_;
  int in_progress_ = 0, up_ = 0, faults_in_a_row_ = 0;
  int last_status_ = 0, last_cause_ = 0;
  MonoTime last_error_at_;
};

}  // namespace outpace::trunk
