#pragma once

// Lists of leads that nobody has: deterministic rows of about 150 octets with mobile numbers of
// China, North America and the United Kingdom, each number once. Row n of one list is the same on
// every machine, and lists that begin at different numbers have no number in common.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/base/e164.h"

namespace outpace::bench {

// The n-th number, n < 600 million: all of them different.
E164 NumberOf(uint64_t n);

struct ListPlan {
  uint64_t rows = 0;
  uint64_t first = 0;  // of NumberOf()
  // Of a hundred rows so many have a number of the list that begins at `known_first` (duplicates),
  // and of the one at `listed_first` (do not call).
  uint64_t known_percent = 0, known_first = 0;
  uint64_t listed_percent = 0, listed_first = 0;
};

// Appends row n of the plan, with its line end.
void AppendRow(const ListPlan& plan, uint64_t n, std::string& to);
absl::string_view HeaderLine();
// Writes header and rows into a new file. Unavailable: the disk.
absl::Status WriteList(const ListPlan& plan, const std::string& path);

}  // namespace outpace::bench
