#include "engine/trunk/disposition_table.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "engine/base/check.h"
#include "engine/trunk/disposition_defaults.h"

namespace outpace::trunk {
namespace {

constexpr absl::string_view kHeader = "status,cause,heard,seconds,outcome,disposition,trunk_fault";
constexpr size_t kRowsMax = 1000;
constexpr size_t kFileBytesMax = 1 << 20;
constexpr int kSecondsMax = 3600;

// Entry of `names` that equals `text`, so that verdicts can point at texts that never die.
const absl::string_view* FindName(const std::vector<absl::string_view>& names,
                                  absl::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  return found == names.end() ? nullptr : &*found;
}

// A whole number without sign or blanks; -1 if it is none.
int WholeNumber(absl::string_view text) {
  int value = 0;
  const bool digits =
      !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), [](char c) {
        return absl::ascii_isdigit(static_cast<unsigned char>(c));
      });
  return digits && absl::SimpleAtoi(text, &value) ? value : -1;
}

// "10-", "0-4", "4-10": from, until; the end is excluded. False if it is neither.
bool ParseSeconds(absl::string_view text, absl::Duration& min, absl::Duration& max) {
  if (text == "*") return true;
  const std::vector<absl::string_view> ends = absl::StrSplit(text, '-');
  if (ends.size() != 2) return false;
  const auto number = [](absl::string_view end, double& value) {
    return absl::SimpleAtod(end, &value) && value >= 0 && value <= kSecondsMax;
  };
  double from = 0, until = 0;
  if (!number(ends[0], from)) return false;
  min = absl::Seconds(from);
  if (ends[1].empty()) return true;
  if (!number(ends[1], until) || until <= from) return false;
  max = absl::Seconds(until);
  return true;
}

}  // namespace

const std::vector<absl::string_view>& TableOutcomes() {
  static const auto* const kNames = new std::vector<absl::string_view>{
      "answered", "no_answer",  "busy",  "invalid", "unreachable",
      "rejected", "congestion", "media", "failed"};
  return *kNames;
}

const std::vector<absl::string_view>& TableDispositions() {
  static const auto* const kNames = new std::vector<absl::string_view>{
      "NA", "N", "AB", "B", "ADC", "DC", "ADCT", "AFAX", "AA", "A", "AM", "DAIR", "PDROP", "LRERR"};
  return *kNames;
}

// In the order of the enum.
constexpr absl::string_view kHeardNames[kEarlyMediaCount] = {
    "none",     "sit_vacant",      "sit_no_circuit",  "announcement",  "busy_tone",   "ringback",
    "sit_info", "congestion_tone", "speech_or_music", "vacant_number", "powered_off", "suspended",
    "busy",     "unreachable",     "no_answer",       "barred",        "congestion",  "wait",
    "voicemail"};

absl::string_view EarlyMediaName(EarlyMedia heard) {
  return kHeardNames[static_cast<size_t>(heard)];
}

EarlyMedia EarlyMediaFromSound(absl::string_view sound, absl::string_view name) {
  if (sound == "announcement") {
    for (size_t i = static_cast<size_t>(EarlyMedia::kVacantNumber); i < kEarlyMediaCount; ++i) {
      if (kHeardNames[i] == name) return static_cast<EarlyMedia>(i);
    }
    return EarlyMedia::kAnnouncement;
  }
  if (sound == "sit_intercept") return EarlyMedia::kSitVacant;
  if (sound == "sit_reorder") {
    return name == "info" ? EarlyMedia::kSitInfo : EarlyMedia::kSitNoCircuit;
  }
  for (size_t i = 0; i < static_cast<size_t>(EarlyMedia::kVacantNumber); ++i) {
    if (kHeardNames[i] == sound) return static_cast<EarlyMedia>(i);
  }
  return EarlyMedia::kNone;
}

absl::string_view DispositionTable::DefaultText() { return internal::kDefaultTable; }

// What is wrong with one row, empty if nothing is.
std::string DispositionTable::ParseRow(absl::string_view line, Row& row) {
  std::vector<absl::string_view> fields = absl::StrSplit(line, ',');
  for (absl::string_view& field : fields) field = absl::StripAsciiWhitespace(field);
  // A spreadsheet pads rows with empty columns.
  while (fields.size() > 7 && fields.back().empty()) fields.pop_back();
  if (fields.size() != 7) {
    return absl::StrCat(fields.size(), " columns instead of 7; write ", kHeader);
  }
  for (absl::string_view status : absl::StrSplit(fields[0], '|')) {
    status = absl::StripAsciiWhitespace(status);
    if (status == "local") {
      row.local = true;
      for (int s = 500; s < kStatusMin + kStatuses; ++s) {
        row.statuses.set(static_cast<size_t>(s - kStatusMin));
      }
      row.statuses.set(408 - kStatusMin);
      if (fields[0] != "local") return "status: 'local' stands alone; give it a row of its own";
      continue;
    }
    row.far = true;
    int first = WholeNumber(status), last = first;
    if (status == "*") {
      first = 300, last = kStatusMin + kStatuses - 1;  // an answer is only ever named
    } else if (status.size() == 3 && absl::EndsWithIgnoreCase(status, "xx")) {
      first = WholeNumber(status.substr(0, 1)) * 100, last = first + 99;
    }
    if (first < kStatusMin || last >= kStatusMin + kStatuses) {
      return absl::StrCat("status '", status,
                          "' is none; write 200 to 699, a class such as 4xx, local or *");
    }
    for (int s = first; s <= last; ++s) row.statuses.set(static_cast<size_t>(s - kStatusMin));
  }
  for (absl::string_view cause : absl::StrSplit(fields[1], '|')) {
    cause = absl::StripAsciiWhitespace(cause);
    if (cause == "*") {
      row.causes.set();
      continue;
    }
    const int number = cause == "none" ? 0 : WholeNumber(cause);
    if (number < 0 || number >= kCauses || (number == 0 && cause != "none")) {
      return absl::StrCat("cause '", cause,
                          "' is none; write a Q.850 cause from 1 to 127, none or *");
    }
    row.causes.set(static_cast<size_t>(number));
  }
  for (absl::string_view heard : absl::StrSplit(fields[2], '|')) {
    heard = absl::StripAsciiWhitespace(heard);
    if (heard == "*") {
      row.heard.set();
      continue;
    }
    const auto* const found = std::find(std::begin(kHeardNames), std::end(kHeardNames), heard);
    if (found == std::end(kHeardNames)) {
      return absl::StrCat("heard '", heard, "' is none; write ", absl::StrJoin(kHeardNames, ", "),
                          " or *");
    }
    const auto at = static_cast<size_t>(found - std::begin(kHeardNames));
    row.heard.set(at);
    // The general word means those of the fingerprint set too.
    if (at != static_cast<size_t>(EarlyMedia::kAnnouncement)) continue;
    for (size_t i = static_cast<size_t>(EarlyMedia::kVacantNumber); i < kEarlyMediaCount; ++i) {
      row.heard.set(i);
    }
  }
  if (!ParseSeconds(fields[3], row.after_min, row.after_max)) {
    return absl::StrCat("seconds '", fields[3],
                        "' is no range; write e.g. 0-4 (below 4), 10- (10 and more) or *");
  }
  const absl::string_view* const outcome = FindName(TableOutcomes(), fields[4]);
  if (outcome == nullptr) {
    return absl::StrCat("outcome '", fields[4], "' is none; write one of ",
                        absl::StrJoin(TableOutcomes(), ", "));
  }
  const absl::string_view* const disposition = FindName(TableDispositions(), fields[5]);
  if (disposition == nullptr) {
    return absl::StrCat("disposition '", fields[5], "' is none; write one of ",
                        absl::StrJoin(TableDispositions(), ", "));
  }
  if (fields[6] != "yes" && fields[6] != "no") {
    return absl::StrCat("trunk_fault '", fields[6], "' is none; write yes or no");
  }
  // A refused call that counts as answered would be paid for as a contact, and the other way round
  // an answered one would be dialed again.
  std::bitset<kStatuses> answers;
  for (size_t s = 0; s < 100; ++s) answers.set(s);
  if (*outcome == "answered" && (row.statuses & ~answers).any()) {
    return "only a 2xx is 'answered'; write 2xx as the status, or another outcome";
  }
  if (*outcome != "answered" && (row.statuses & answers).any()) {
    return "a 2xx is 'answered' whatever else it is; take it out of the statuses";
  }
  row.verdict.outcome = *outcome;
  row.verdict.disposition = *disposition;
  row.verdict.trunk_fault = fields[6] == "yes";
  return "";
}

// Whether every call that `b` matches is matched by `a`.
bool DispositionTable::Covers(const Row& a, const Row& b) {
  return (b.statuses & ~a.statuses).none() && (a.local || !b.local) && (a.far || !b.far) &&
         (b.causes & ~a.causes).none() && (b.heard & ~a.heard).none() &&
         a.after_min <= b.after_min && a.after_max >= b.after_max;
}

absl::StatusOr<std::vector<DispositionTable::Row>> DispositionTable::ParseRows(
    absl::string_view text, absl::string_view name) {
  std::vector<Row> rows;
  std::vector<std::string> faults;
  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
  int line_number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++line_number;
    line = absl::StripAsciiWhitespace(line.substr(0, line.find('#')));
    // A spreadsheet leaves the columns of a comment or an empty row behind.
    if (line.find_first_not_of(", \t") == absl::string_view::npos) continue;
    if (absl::StartsWithIgnoreCase(line, "status,")) continue;
    Row row;
    std::string fault = ParseRow(line, row);
    row.verdict.line = line_number;
    if (fault.empty()) {
      const auto earlier =
          std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return Covers(r, row); });
      if (earlier != rows.end()) {
        fault = absl::StrCat("no call can reach this row: line ", earlier->verdict.line,
                             " matches all of it; put this one in front or take it out");
      }
    }
    if (fault.empty() && rows.size() >= kRowsMax) {
      faults.push_back(absl::StrCat(name, ":", line_number, ": more than ", kRowsMax, " rows"));
      break;
    }
    if (!fault.empty()) {
      faults.push_back(absl::StrCat(name, ":", line_number, ": ", fault));
    } else {
      rows.push_back(row);
    }
  }
  if (!faults.empty()) return absl::InvalidArgumentError(absl::StrJoin(faults, "\n"));
  return rows;
}

const std::vector<DispositionTable::Row>& DispositionTable::DefaultRows() {
  static const auto* const kRows = [] {
    absl::StatusOr<std::vector<Row>> rows = ParseRows(internal::kDefaultTable, "built-in");
    OUTPACE_CHECK(rows.ok());
    return new std::vector<Row>(*std::move(rows));
  }();
  return *kRows;
}

absl::StatusOr<DispositionTable> DispositionTable::Parse(absl::string_view text,
                                                         absl::string_view name) {
  absl::StatusOr<std::vector<Row>> rows = ParseRows(text, name);
  if (!rows.ok()) return rows.status();
  DispositionTable table;
  table.rows_ = *std::move(rows);
  for (Row& row : table.rows_) row.verdict.own_row = true;
  return table;
}

absl::StatusOr<DispositionTable> DispositionTable::Load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file) {
    text.resize(kFileBytesMax + 1);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  }
  // eof is how a whole file ends; anything else (a directory, a disk) is not one.
  if (!file.eof() && text.size() <= kFileBytesMax) {
    const int error = errno;
    const std::string why =
        absl::StrCat(path, ": the disposition table cannot be read: ", std::strerror(error));
    return error == ENOENT   ? absl::NotFoundError(why)
           : error == EACCES ? absl::PermissionDeniedError(why)
                             : absl::InvalidArgumentError(why);
  }
  if (text.size() > kFileBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": more than 1 MiB is no table"));
  }
  return Parse(text, path);
}

const DispositionTable::Row* DispositionTable::FindRow(const std::vector<Row>& rows,
                                                       const CallResult& result) {
  const int status_known =
      result.status >= kStatusMin && result.status < kStatusMin + kStatuses ? result.status : 500;
  const auto status = static_cast<size_t>(status_known - kStatusMin);
  const auto cause = static_cast<size_t>(
      std::clamp(result.q850_cause, 0, kCauses - 1));  // beyond 127: says nothing, as 127 does
  const auto heard = static_cast<size_t>(result.heard);
  // Two threads' readings of the clock: a refusal can be a hair "before" its INVITE. And no time is
  // below the end of a row that has none.
  const absl::Duration after = std::clamp(result.after, absl::ZeroDuration(), absl::Hours(24));
  // A refusal our own stack made for other reasons than silence is read as the far end's would be.
  const bool local = result.local && (status_known == 408 || status_known >= 500);
  for (const Row& row : rows) {
    if ((local ? row.local : row.far) && row.statuses[status] && row.causes[cause] &&
        row.heard[heard] && after >= row.after_min && after < row.after_max) {
      return &row;
    }
  }
  return nullptr;
}

CallVerdict DispositionTable::Decide(const CallResult& result) const {
  const Row* row = FindRow(rows_, result);
  if (row == nullptr) row = FindRow(DefaultRows(), result);
  OUTPACE_CHECK(row != nullptr);  // the built-in table ends in a row that matches all
  return row->verdict;
}

}  // namespace outpace::trunk
