#pragma once

// One line of the bench's table, and how it is printed.

#include <map>
#include <string>
#include <vector>

#include "bench/sip/far_end.h"
#include "bench/sip/process.h"

namespace outpace::bench {

struct Row {
  std::string system;                // "bare nta", "engine one-leg", "engine bridged"
  double offered = 0, achieved = 0;  // calls a second
  uint64_t calls = 0;                // that ended in the window
  uint64_t failures = 0;
  double user_us = 0, sys_us = 0;  // CPU a call of the process under test
  double setup_p50_ms = 0, setup_p99_ms = 0;
  double held_kib = -1, ended_kib = -1;  // memory a call; below 0: not measured
  uint64_t retransmissions = 0;
  uint64_t peak = 0;  // most INVITEs in any one second at the far end
  int hold_ms = 0;
  std::map<std::string, double> threads_us;
  std::string note;
  double sum_us() const { return user_us + sys_us; }
};

// The moment between which calls are counted.
struct Window {
  int64_t from_ns = 0, to_ns = 0;
};

// Fills in what the far end saw: calls, rate, set-up times, launches, retransmissions. Calls held
// long are no part of it.
void Measure(const std::vector<CallLog>& calls, const Window& window, int ring_ms, Row& row);
void SetCpu(const CpuUse& used, Row& row);

// Of each figure by itself the median over runs of the same row.
Row Median(const std::vector<Row>& runs);

// Most of `times` (ns, any order) in any window of one second.
uint64_t PeakInOneSecond(std::vector<int64_t> times);

std::string TableText(const std::vector<Row>& rows);
std::string TableCsv(const std::vector<Row>& rows);
std::string ThreadText(const std::vector<Row>& rows);
// Processor, cores, kernel, date and load.
std::string MachineText();

}  // namespace outpace::bench
