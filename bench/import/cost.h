#pragma once

// What things cost a row: CPU of the whole process, wall time and the most memory it held at once,
// as medians of several rounds, in one table.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace outpace::bench {

struct Cost {
  double cpu_s = 0, wall_s = 0, peak_mib = 0;
};

class CostTable {
 public:
  explicit CostTable(uint64_t rows) : rows_(rows) {}
  // Does the work, and adds what it took to the line of this name.
  absl::Status Measure(const std::string& name, const std::function<absl::Status()>& work);

  Cost Median(const std::string& name) const;
  double CpuMicros(const std::string& name) const;  // a row
  // Lines in the order in which they were first measured.
  std::string Text() const;

 private:
  const uint64_t rows_;
  std::vector<std::string> names_;
  std::map<std::string, std::vector<Cost>> costs_;
};

}  // namespace outpace::bench
