#pragma once

// The tables behind number_info.h: text files whose rows end in a list of prefixes, and the sorted
// runs they become. A file is the same whether it is built in or an operator's (docs/NUMBERS.md):
// a header, then attributes and prefixes,
//
//   province,city,prefixes
//   广东,深圳,1350302 1350303-1350309 755

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace outpace::campaign::internal {

// Prefixes are compared by their first seven digits: "755" stands for 7550000..7559999.
inline constexpr int kPrefixDigits = 7;

struct PrefixRange {
  uint32_t first = 0, last = 0;  // of seven digits, both included
  int length = 0;                // digits as written, 1..7: the longer wins
};

// Which id, 1..65535, the longest prefix of a number has. Immutable; 6 bytes a run in memory.
class PrefixTable {
 public:
  void Add(PrefixRange range, uint16_t id) { rows_.push_back({range, id}); }
  // After the last Add(), once. Of two equal prefixes the one added later wins.
  void Freeze();
  // `seven`: the number's first seven digits. 0: no prefix of it is known. 5-15 ns.
  uint16_t Find(uint32_t seven) const;

 private:
  struct Row {
    PrefixRange range;
    uint16_t id;
  };
  std::vector<Row> rows_;  // until Freeze()
  // Run i reaches from starts_[i] to starts_[i + 1]; buckets_[n] is the run that holds n000.
  std::vector<uint32_t> starts_;
  std::vector<uint16_t> ids_;
  std::vector<uint32_t> buckets_;
};

// One row of a file; the cells are views into its text.
struct TableRow {
  std::vector<absl::string_view> cells;  // attributes in the order of the header
  std::vector<PrefixRange> prefixes;     // at least one
};

// Reads a whole file and hands out its rows. `header`: the first line it must have, which ends in
// "prefixes". Blank lines and lines that begin with '#' are passed over. InvalidArgument names
// file, line and reason; `take` need only tell the reason.
absl::Status ReadTable(absl::string_view file, absl::string_view text, absl::string_view header,
                       const std::function<absl::Status(const TableRow&)>& take);

// Text of campaign/number_data/<file>; empty if no such table is built in.
absl::string_view BuiltInTable(absl::string_view file);

// Decimal digits of a number; 0 has none.
int DigitCount(uint64_t number);
// The first seven digits of a number of any length up to nineteen, e.g. of an E.164 value; shorter
// ones are filled with zeros.
uint32_t FirstSeven(uint64_t number);

}  // namespace outpace::campaign::internal
