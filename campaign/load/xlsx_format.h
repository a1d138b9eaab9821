#pragma once

// How a spreadsheet shows a number: by its cell's format, as far as a list needs it. Dates and
// times are told from numbers by it, and numbers with leading zeros or dashes get these; colours,
// currency and thousands separators are left away, since a filter wants the number.

#include <string>

#include "absl/strings/string_view.h"

namespace outpace::load {

struct NumberFormat {
  enum class Kind { kPlain, kDate, kDateTime, kTime, kPattern };
  Kind kind = Kind::kPlain;
  std::string pattern;  // of kPattern: '0' and '#' for digits, everything else as it stands
};

// A format by its code ("yyyy\-mm\-dd", "00000", "[$-804]yyyy年m月d日"; ECMA-376 18.8.31).
NumberFormat FormatOfCode(absl::string_view code);
// One of the formats that have a number and no code (18.8.30).
NumberFormat FormatOfNumber(int id);

// `value`: the decimal text that stands in the file. `date1904`: days are counted from 1904. What
// is no number comes back as it is.
std::string ShowNumber(absl::string_view value, const NumberFormat& format, bool date1904);

}  // namespace outpace::load
