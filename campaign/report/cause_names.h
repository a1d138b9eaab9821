#pragma once

#include "absl/strings/string_view.h"

namespace outpace::report {

// ITU-T Q.850's name of a cause, shortened; empty for one that is rare.
absl::string_view Q850Name(int cause);

}  // namespace outpace::report
