#pragma once

// A first look at a file's octets: what they are known by, and how many rows they can hold at most.

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "campaign/load/byte_source.h"

namespace outpace::load {

struct Survey {
  std::string hash;    // XXH3, 128 bits, in hex
  uint64_t lines = 0;  // line ends and one: no fewer than the rows a text has, in any encoding
};
// Reads the source once, a block at a time. Errors: the source's; Cancelled when `cancel` (may be
// nullptr) is set.
absl::StatusOr<Survey> SurveySource(const ByteSource& source, const std::atomic<bool>* cancel);

}  // namespace outpace::load
