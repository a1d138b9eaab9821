#include "campaign/number_tables.h"

#include <algorithm>
#include <bit>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "campaign/number_plan_internal.h"

extern "C" {
struct OutpaceNumberTable {
  const char* name;
  const char* begin;
  const char* end;
};
extern const OutpaceNumberTable outpace_number_tables_begin[];
extern const OutpaceNumberTable outpace_number_tables_end[];
}

namespace outpace::campaign::internal {
namespace {

constexpr uint32_t kSpace = 10'000'000;  // of seven digits
constexpr uint32_t kBucket = 1'000;

// "755" or "1350303-1350309".
bool ParsePrefixes(absl::string_view text, PrefixRange& out) {
  const std::vector<absl::string_view> ends = absl::StrSplit(text, '-');
  if (ends.size() > 2 || ends[0].size() != ends.back().size()) return false;
  const size_t length = ends[0].size();
  if (length == 0 || length > kPrefixDigits) return false;
  for (absl::string_view end : ends) {
    if (!std::all_of(end.begin(), end.end(), absl::ascii_isdigit)) return false;
  }
  const auto unit = static_cast<uint32_t>(kPowersOfTen[kPrefixDigits - length]);
  out.first = static_cast<uint32_t>(Digits(ends[0]).value()) * unit;
  out.last = static_cast<uint32_t>(Digits(ends.back()).value() + 1) * unit - 1;
  out.length = static_cast<int>(length);
  return out.first <= out.last;
}

// Cells may stand in quotes, as spreadsheets write them when a comma is inside.
absl::Status SplitCells(absl::string_view line, std::vector<absl::string_view>& cells) {
  cells.clear();
  while (true) {
    if (absl::ConsumePrefix(&line, "\"")) {
      const size_t quote = line.find('"');
      if (quote == absl::string_view::npos) {
        return absl::InvalidArgumentError("a quote is not closed");
      }
      cells.push_back(line.substr(0, quote));
      line.remove_prefix(quote + 1);
      if (!line.empty() && line[0] != ',') {
        return absl::InvalidArgumentError("text or another quote behind a closing quote");
      }
    } else {
      const size_t comma = std::min(line.find(','), line.size());
      cells.push_back(absl::StripAsciiWhitespace(line.substr(0, comma)));
      line.remove_prefix(comma);
    }
    if (!absl::ConsumePrefix(&line, ",")) return absl::OkStatus();
  }
}

absl::Status SplitRow(absl::string_view line, size_t columns, TableRow& row) {
  if (absl::Status status = SplitCells(line, row.cells); !status.ok()) return status;
  if (row.cells.size() != columns) {
    return absl::InvalidArgumentError(
        absl::StrCat(row.cells.size(), " columns, where the header has ", columns));
  }
  row.prefixes.clear();
  for (absl::string_view text : absl::StrSplit(row.cells.back(), ' ', absl::SkipEmpty())) {
    PrefixRange range;
    if (!ParsePrefixes(text, range)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "'", text, "' is no prefix of 1 to 7 digits and no range of two of one length"));
    }
    row.prefixes.push_back(range);
  }
  row.cells.pop_back();
  return row.prefixes.empty() ? absl::InvalidArgumentError("no prefixes") : absl::OkStatus();
}

}  // namespace

void PrefixTable::Freeze() {
  // A sweep over the seven-digit space: at each point where a range begins or ends, the longest of
  // those open says the id. Few are open at a time, so a plain vector holds them.
  struct Edge {
    uint32_t at;
    uint32_t row;
    bool opens;
  };
  std::vector<Edge> edges;
  edges.reserve(rows_.size() * 2);
  for (uint32_t i = 0; i < rows_.size(); ++i) {
    edges.push_back({rows_[i].range.first, i, true});
    edges.push_back({rows_[i].range.last + 1, i, false});
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.at < b.at; });
  std::vector<uint32_t> open;
  const auto weaker = [&](uint32_t a, uint32_t b) {
    return std::pair(rows_[a].range.length, a) < std::pair(rows_[b].range.length, b);
  };
  starts_ = {0};
  ids_ = {0};
  for (size_t i = 0; i < edges.size();) {
    const uint32_t at = edges[i].at;
    for (; i < edges.size() && edges[i].at == at; ++i) {
      if (edges[i].opens) {
        open.push_back(edges[i].row);
      } else {
        std::erase(open, edges[i].row);
      }
    }
    const uint16_t id =
        open.empty() ? uint16_t{0} : rows_[*std::max_element(open.begin(), open.end(), weaker)].id;
    if (id == ids_.back() || at >= kSpace) continue;
    starts_.push_back(at);
    ids_.push_back(id);
  }
  rows_ = {};
  starts_.push_back(kSpace);

  buckets_.reserve(kSpace / kBucket + 1);
  uint32_t run = 0;
  for (uint32_t at = 0; at <= kSpace; at += kBucket) {
    while (run + 1 < ids_.size() && starts_[run + 1] <= at) ++run;
    buckets_.push_back(run);
  }
}

uint16_t PrefixTable::Find(uint32_t seven) const {
  const uint32_t bucket = seven / kBucket;
  uint32_t run = buckets_[bucket];
  // The runs that may hold it: from the one that holds the bucket's begin to the next bucket's. A
  // search without branches, since which way it turns cannot be foretold.
  uint32_t left = buckets_[bucket + 1] - run;
  while (left > 0) {
    const uint32_t half = (left + 1) / 2;
    run += starts_[run + half] <= seven ? half : 0;
    left -= half;
  }
  return ids_[run];
}

absl::Status ReadTable(absl::string_view file, absl::string_view text, absl::string_view header,
                       const std::function<absl::Status(const TableRow&)>& take) {
  absl::ConsumePrefix(&text, "\xef\xbb\xbf");
  const auto columns = static_cast<size_t>(std::count(header.begin(), header.end(), ',') + 1);
  bool headed = false;
  int number = 0;
  TableRow row;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    absl::Status status;
    if (!headed) {
      headed = true;
      if (line != header) {
        status = absl::InvalidArgumentError(absl::StrCat("the header must be '", header, "'"));
      }
    } else {
      status = SplitRow(line, columns, row);
      if (status.ok()) status = take(row);
    }
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(file, ":", number, ": ", status.message()));
    }
  }
  if (headed) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(file, ":1: the header '", header, "' is missing"));
}

absl::string_view BuiltInTable(absl::string_view file) {
  for (const OutpaceNumberTable* row = outpace_number_tables_begin;
       row != outpace_number_tables_end; ++row) {
    if (file == row->name) {
      return absl::string_view(row->begin, static_cast<size_t>(row->end - row->begin));
    }
  }
  return {};
}

int DigitCount(uint64_t number) {
  // From the number of binary digits: log10(2) = 1233/4096, and one more where the power of ten
  // between them is reached.
  const int guess = static_cast<int>(std::bit_width(number)) * 1233 >> 12;
  return guess + (number >= kPowersOfTen[guess] ? 1 : 0);
}

uint32_t FirstSeven(uint64_t number) {
  const int digits = DigitCount(number);
  if (digits <= kPrefixDigits) {
    return static_cast<uint32_t>(number * kPowersOfTen[kPrefixDigits - digits]);
  }
  return static_cast<uint32_t>(number / kPowersOfTen[digits - kPrefixDigits]);
}

}  // namespace outpace::campaign::internal
