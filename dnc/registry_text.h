#pragma once

// The text that a registry is given out as: one number a line.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "dnc/number_set.h"

namespace outpace::dnc {

struct RegistryLines {
  uint64_t lines = 0;     // that are not blank
  uint64_t numbers = 0;   // read from them, doubles too
  uint64_t rejected = 0;  // lines that no number could be read from, but for one heading
  std::vector<uint64_t> first_rejected;  // their numbers from 1; twenty at most
};

// Adds to `out` what `read` makes of each line of the file: the value of an E164, or 0. LF, CRLF or
// CR end a line, a byte order mark is passed over, and so is a first line without an ASCII digit.
// 250 M sorted lines: 23 s with campaign::RegistryNumber() and the writing of the file. Memory:
// that of `out` and 70 MiB. Errors of the disk; InvalidArgument: a line of more than 4 KiB, so it
// is another kind of file. `out` then holds what came before.
absl::StatusOr<RegistryLines> ReadRegistryText(
    const std::string& path, absl::FunctionRef<uint64_t(absl::string_view line)> read,
    NumberSet& out);

}  // namespace outpace::dnc
