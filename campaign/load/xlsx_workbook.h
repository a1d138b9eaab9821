#pragma once

// What a workbook says of itself: its sheets and where they lie, how its styles show numbers, and
// from which day it counts dates.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/load/xlsx_format.h"
#include "campaign/load/xlsx_package.h"

namespace outpace::load {

struct Sheet {
  std::string name;
  std::string part;  // "xl/worksheets/sheet1.xml"; empty: no sheet of cells (a chart)
  bool hidden = false;
};

struct Workbook {
  std::vector<Sheet> sheets;
  std::string strings_part;           // of the shared strings; empty: none
  std::vector<NumberFormat> formats;  // by a cell's style
  bool date1904 = false;
};

// InvalidArgument: no workbook, or a damaged one.
absl::StatusOr<Workbook> ReadWorkbook(const XlsxPackage& package);

}  // namespace outpace::load
