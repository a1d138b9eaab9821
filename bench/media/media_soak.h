#pragma once

// Hours in small: calls of one to three minutes that come and go on one engine process, each
// recorded, with a tone from either side that tells the second of the call. What is looked for is
// what a bench of seconds cannot show: memory and descriptors that grow, a packet lost now and
// then, a recording that is too short, shifted or damaged.

#include <string>

#include "engine/record/recording.h"

namespace outpace::bench {

struct SoakOptions {
  double minutes = 0;
  int calls = 500;  // at once
  bool realtime = false;
  record::Format format = record::Format::kWav;
  std::string directory;  // empty: in $TMPDIR or /tmp
  double call_seconds_min = 60, call_seconds_max = 180;
  uint64_t disk_bytes_max =
      3'000'000'000;  // finished recordings beyond it are removed, oldest first
};

// 0: all was as it should be.
int RunSoak(const SoakOptions& options);

// Whether the values rise (they are taken at even intervals): their trend over the whole time is
// above `tolerance`, and too steady for chance (Mann-Kendall, 1 in 1,000; Theil-Sen slope).
bool Grows(const std::vector<double>& values, double tolerance);

// `directory` with all in it.
void RemoveAll(const std::string& directory);

}  // namespace outpace::bench
