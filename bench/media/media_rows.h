#pragma once

// One row of media_bench: a system at a number of calls, measured from outside, and its printing.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/media/media_systems.h"

namespace outpace::bench {

struct RowOptions {
  SystemOptions system;
  double seconds = 10;   // counted
  double warm_up_s = 1;  // before
  std::string perf;      // perf record of the system's process into this file
};

struct MediaRow {
  std::string system;
  Mode mode = Mode::kRelay;
  int calls = 0;
  double media_us = 0, process_us = 0;  // CPU a packet that came in: moving thread, all threads
  double media_ms = 0, process_ms = 0;  // CPU a call-second
  double generator_share = 0;           // of a core
  double p50_ms = 0, p99_ms = 0, p999_ms = 0, max_ms = 0;  // one-way delay added
  uint64_t packets = 0;                                    // in, counted
  int64_t lost = -1;                                       // -1: not comparable
  double kib_a_call = 0;
  double verdicts_a_call = 0;
  uint64_t own_drops = 0;   // of the generator
  uint64_t late_ticks = 0;  // likewise
  uint64_t strays = 0;
  uint64_t recordings = 0, recording_faults = 0, blocks_lost = 0;
  // 200 OK to audio, where asked for: audio before the answer was read, after it.
  uint64_t answers = 0;
  double before_p50_ms = 0, before_p99_ms = 0, after_p50_ms = 0, after_p99_ms = 0,
         answer_max_ms = 0;
};

// Forks generator and system, measures, and ends both.
absl::StatusOr<MediaRow> Measure(const RowOptions& options);

// Of each figure by itself the median; of what must not happen at all the worst.
MediaRow Median(const std::vector<MediaRow>& runs);

std::string TableText(const std::vector<MediaRow>& rows);
std::string TableCsv(const std::vector<MediaRow>& rows);

}  // namespace outpace::bench
