#pragma once

// A small table that somebody keeps as a file: a heading and some dozen rows, as text in any
// encoding or as a spreadsheet.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace outpace::runtime {

struct SmallTable {
  struct Row {
    uint64_t line = 0;  // in the file, from 1 on
    std::vector<std::string> cells;
  };
  std::vector<std::string> heading;  // lower case
  std::vector<Row> rows;
};

// Up to 1 MiB; UTF-8, GB18030 and what else a list may be in. The mark that keeps a cell from being
// run as a formula (') is taken off. InvalidArgument: no text, no heading, or a line that is none,
// all of them at once; NotFound and the like: the file.
absl::StatusOr<SmallTable> ReadSmallTable(const std::string& path);

// A cell for a file that a spreadsheet may open: with the mark in front where it would be run.
std::string MarkedCell(const std::string& text);

}  // namespace outpace::runtime
