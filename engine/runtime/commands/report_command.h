#pragma once

#include "engine/runtime/commands/cli.h"

namespace outpace::runtime {

int RunReportCommand(const Arguments& arguments);

}  // namespace outpace::runtime
