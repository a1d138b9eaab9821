#include "engine/runtime/dnc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "campaign/number_plan.h"
#include "campaign/registry_line.h"
#include "campaign/report/csv_writer.h"
#include "engine/record/hash.h"

namespace outpace::runtime {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;
constexpr size_t kLineMax = size_t{64} << 10;
constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr absl::string_view kSeparators = ",;\t";

// The cells of a row as RFC 4180 has them: quotes around what holds separators, doubled inside.
std::vector<std::string> CellsOf(absl::string_view line, char separator) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      cells.back().push_back('"');
      ++i;
    } else if (c == '"' && (quoted || absl::StripAsciiWhitespace(cells.back()).empty())) {
      if (!quoted) cells.back().clear();
      quoted = !quoted;
    } else if (c == separator && !quoted) {
      cells.emplace_back();
    } else {
      cells.back().push_back(c);
    }
  }
  for (std::string& cell : cells) absl::StripAsciiWhitespace(&cell);
  return cells;
}

// What stands in the first cell. Empty: nothing stands in the line; a line whose first cell alone
// is empty is all of it, so that it is told and not passed over.
std::string FirstCell(absl::string_view line) {
  absl::string_view cell = absl::StripAsciiWhitespace(line.substr(0, line.find_first_of(",;\t|")));
  // As spreadsheets write it: numbers in quotes.
  if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') {
    cell = absl::StripAsciiWhitespace(cell.substr(1, cell.size() - 2));
  }
  if (!cell.empty()) return std::string(cell);
  return line.find_first_not_of(",;\t|\" ") == absl::string_view::npos ? "" : std::string(line);
}

// ASCII or full width.
bool HasDigit(absl::string_view text) {
  if (text.find_first_of("0123456789") != absl::string_view::npos) return true;
  for (size_t i = 0; i + 2 < text.size(); ++i) {
    if (text[i] == '\xEF' && text[i + 1] == '\xBC' && text[i + 2] >= '\x90' &&
        text[i + 2] <= '\x99') {
      return true;
    }
  }
  return false;
}

// A cell that a spreadsheet would run, or that begins with the mark for that, gets the mark; a
// reader takes one off.
std::string Marked(const std::string& text) {
  return report::LooksLikeFormula(text) || absl::StartsWith(text, "'") ? "'" + text : text;
}
std::string Unmarked(absl::string_view text) { return std::string(absl::StripPrefix(text, "'")); }

std::string TimeCell(absl::Time time) {
  if (time == absl::InfinitePast() || time == absl::InfiniteFuture()) return "";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

// Gives all whole lines at the front of `text`; what is left is the beginning of one. A CR at the
// very end waits for the LF that may follow.
absl::Status TakeLines(std::string& text,
                       absl::FunctionRef<absl::Status(absl::string_view)> visit) {
  size_t begin = 0;
  absl::Status status;
  for (;;) {
    const size_t end = text.find_first_of("\r\n", begin);
    if (end == std::string::npos || (text[end] == '\r' && end + 1 == text.size())) break;
    status = visit(absl::string_view(text).substr(begin, end - begin));
    if (!status.ok()) return status;
    begin = end + (text[end] == '\r' && text[end + 1] == '\n' ? 2 : 1);
  }
  text.erase(0, begin);
  return status;
}

}  // namespace

absl::StatusOr<std::string> ForEachLine(
    const std::string& path, absl::FunctionRef<absl::Status(absl::string_view line)> visit) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot be opened"));
  const absl::Cleanup close = [fd] { ::close(fd); };
  record::Hash hash;
  std::string text, piece(kReadBytes, '\0');
  bool first = true;
  for (;;) {
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot be read"));
    if (got == 0) break;
    const absl::string_view octets(piece.data(), static_cast<size_t>(got));
    hash.Add(octets);
    text.append(octets.data(), octets.size());
    if (first && text.size() < kByteOrderMark.size()) continue;
    if (std::exchange(first, false) && absl::StartsWith(text, kByteOrderMark)) {
      text.erase(0, kByteOrderMark.size());
    }
    if (absl::Status s = TakeLines(text, visit); !s.ok()) return s;
    if (text.size() > kLineMax) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": a line is longer than 64 KiB; a list is text, an entry a line"));
    }
  }
  if (absl::Status s = TakeLines(text, visit); !s.ok()) return s;
  if (!text.empty() && text.back() == '\r') text.pop_back();
  if (!text.empty()) {
    if (absl::Status s = visit(text); !s.ok()) return s;
  }
  return hash.Hex();
}

absl::StatusOr<absl::Time> ParseDncTime(absl::string_view text, bool end_of_day) {
  absl::Time time;
  std::string fault;
  for (const char* format :
       {absl::RFC3339_full, "%Y-%m-%d%ET%H:%M:%E*S", "%Y-%m-%d %H:%M:%E*S", "%Y-%m-%d %H:%M"}) {
    if (absl::ParseTime(format, text, absl::UTCTimeZone(), &time, &fault) &&
        time != absl::InfiniteFuture() && time != absl::InfinitePast()) {
      return time;
    }
  }
  absl::CivilDay day;
  if (absl::ParseCivilTime(text, &day)) {
    return absl::FromCivil(end_of_day ? day + 1 : day, absl::UTCTimeZone());
  }
  return absl::InvalidArgumentError(
      "a day is written 2026-11-21, a time 2026-11-21 14:30:00 or with a zone "
      "2026-11-21T14:30:00Z");
}

absl::Status ParseDncNumber(absl::string_view text, absl::string_view country,
                            campaign::DncEntry& entry) {
  text = absl::StripAsciiWhitespace(text);
  // An "x" may begin an extension; a star never does.
  const bool starred = absl::StrContains(text, '*');
  if (starred || text.find_first_of("xX") != absl::string_view::npos) {
    auto range = dnc::Prefix::Parse(text);
    if (range.ok() && !absl::StartsWith(text, "+")) {
      return absl::InvalidArgumentError(
          "a range begins with + and its country code, as in +1900*: without it nobody knows whose "
          "numbers these are");
    }
    if (range.ok()) {
      entry.phone = E164();
      entry.range = *range;
      return absl::OkStatus();
    }
    if (starred) return range.status();
  }
  auto phone = campaign::NormalizePhone(text, country);
  if (!phone.ok()) return phone.status();
  entry.phone = *phone;
  entry.range = {};
  return absl::OkStatus();
}

std::string CleanDncText(absl::string_view text) {
  std::string clean(text);
  std::replace_if(
      clean.begin(), clean.end(),
      [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); }, ' ');
  absl::StripAsciiWhitespace(&clean);
  return clean;
}

struct DncFileReader::Name {
  absl::string_view text;
  Column column;
};
const DncFileReader::Name DncFileReader::kNames[] = {
    {"phone", kNumber},   {"number", kNumber},      {"phone_number", kNumber},
    {"phone1", kNumber},  {"telephone", kNumber},   {"tel", kNumber},
    {"电话", kNumber},    {"号码", kNumber},        {"手机", kNumber},
    {"scope", kScope},    {"level", kScope},        {"list", kScope},
    {"reason", kReason},  {"source", kSource},      {"date", kAdded},
    {"added", kAdded},    {"added_at", kAdded},     {"expires", kExpires},
    {"expiry", kExpires}, {"expires_at", kExpires}, {"by", kBy},
    {"added_by", kBy},
};

absl::StatusOr<bool> DncFileReader::TakeHeading(absl::string_view line) {
  const size_t at = line.find_first_of(kSeparators);
  const char separator = at == absl::string_view::npos ? ',' : line[at];
  const std::vector<std::string> cells = CellsOf(line, separator);
  std::array<std::optional<size_t>, kColumnCount> columns;
  for (size_t i = 0; i < cells.size(); ++i) {
    std::string name = absl::AsciiStrToLower(cells[i]);
    std::replace(name.begin(), name.end(), ' ', '_');
    const auto known = std::find_if(std::begin(kNames), std::end(kNames),
                                    [&](const Name& one) { return one.text == name; });
    if (known == std::end(kNames)) continue;
    if (columns[known->column].has_value()) {
      return absl::FailedPreconditionError(
          absl::StrCat("the heading has two columns for the same: ", cells[*columns[known->column]],
                       " and ", cells[i]));
    }
    columns[known->column] = i;
  }
  if (!columns[kNumber].has_value()) return false;
  columns_ = columns;
  separator_ = separator;
  has_columns_ = true;
  return true;
}

absl::StatusOr<std::optional<campaign::DncEntry>> DncFileReader::ReadBare(absl::string_view line) {
  const std::string cell = FirstCell(line);
  if (cell.empty()) return std::nullopt;
  const bool heading = std::exchange(heading_may_come_, false);
  campaign::DncEntry entry = defaults_;
  const absl::Status fault = ParseDncNumber(cell, country_, entry);
  if (fault.ok()) return entry;
  if (heading && !HasDigit(cell)) return std::nullopt;
  entry.phone = campaign::RegistryNumber(line, country_);
  if (!entry.phone.valid()) return fault;
  return entry;
}

absl::StatusOr<std::optional<campaign::DncEntry>> DncFileReader::ReadColumns(
    absl::string_view line) {
  const std::vector<std::string> cells = CellsOf(line, separator_);
  const bool blank =
      std::all_of(cells.begin(), cells.end(), [](const std::string& c) { return c.empty(); });
  if (blank) return std::nullopt;
  const auto text_of = [&](Column column) {
    const std::optional<size_t> at = columns_[column];
    return at.has_value() && *at < cells.size() ? cells[*at] : std::string();
  };
  campaign::DncEntry entry = defaults_;
  if (absl::Status s = ParseDncNumber(text_of(kNumber), country_, entry); !s.ok()) return s;
  if (const std::string scope = text_of(kScope); !scope.empty()) {
    auto named = dnc::DncScope::Parse(scope);
    if (!named.ok()) return named.status();
    entry.scope = *std::move(named);
  }
  const auto take = [&](Column column, std::string& to) {
    if (std::string text = CleanDncText(Unmarked(text_of(column))); !text.empty()) to = text;
  };
  take(kReason, entry.reason);
  take(kSource, entry.source);
  take(kBy, entry.by);
  if (entry.reason.size() > campaign::kDncReasonMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("the reason has more than ", campaign::kDncReasonMax, " bytes"));
  }
  const auto take_time = [&](Column column, bool end_of_day, absl::Time& to) {
    const std::string text = text_of(column);
    if (text.empty()) return absl::OkStatus();
    auto time = ParseDncTime(text, end_of_day);
    if (time.ok()) to = *time;
    return time.status();
  };
  if (absl::Status s = take_time(kAdded, false, entry.added); !s.ok()) return s;
  if (absl::Status s = take_time(kExpires, true, entry.expires); !s.ok()) return s;
  return entry;
}

absl::StatusOr<std::optional<campaign::DncEntry>> DncFileReader::Read(absl::string_view line) {
  if (heading_may_come_ && !FirstCell(line).empty()) {
    auto heading = TakeHeading(line);
    if (!heading.ok()) return heading.status();
    if (*heading) {
      heading_may_come_ = false;
      return std::nullopt;
    }
  }
  auto entry = has_columns_ ? ReadColumns(line) : ReadBare(line);
  if (!entry.ok() || !entry->has_value()) return entry;
  const dnc::DncScope& scope = (*entry)->scope;
  if (!checked_.contains(scope)) {
    if (absl::Status s = check_(scope); !s.ok()) return s;
    checked_.insert(scope);
  }
  return entry;
}

std::string DncCsvHeading() { return "number,scope,reason,source,date,expires,by\r\n"; }

std::string DncCsvRow(const campaign::DncEntry& entry) {
  std::string row;
  const std::function<absl::Status(absl::string_view)> write = [&](absl::string_view piece) {
    row.append(piece.data(), piece.size());
    return absl::OkStatus();
  };
  report::CsvWriter csv(write);
  csv.Plain(entry.phone.valid() ? entry.phone.ToString() : entry.range.ToString());
  csv.Plain(entry.scope.ToString());
  for (const std::string* text : {&entry.reason, &entry.source}) csv.Plain(Marked(*text));
  csv.Plain(TimeCell(entry.added));
  csv.Plain(TimeCell(entry.expires));
  csv.Plain(Marked(entry.by));
  csv.EndRow().IgnoreError();
  csv.Finish().IgnoreError();
  return row;
}

}  // namespace outpace::runtime
