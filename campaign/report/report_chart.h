#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "campaign/report/report.h"

namespace outpace::report {

// For HTML and SVG, texts and quoted attributes: & < > " ' are named, control characters become
// '?'.
std::string Escaped(absl::string_view text);

// An <svg> element: lines over labels in their order, or lying bars, the first 24 labels.
std::string ChartSvg(const Chart& chart, Language language);

}  // namespace outpace::report
