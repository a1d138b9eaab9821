#pragma once

// Do-not-call entries as text: files that are imported, and the CSV that is exported, which reads
// back to the same entries.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/lead_store.h"

namespace outpace::runtime {

// Gives each line of the file, without its end (LF, CRLF or CR) and the file without a byte order
// mark, until `visit` fails; one line is held at a time. Returns the SHA-256 of the file's octets,
// 64 hexadecimal digits. NotFound and other errors of the disk; InvalidArgument: a line of more
// than 64 KiB.
absl::StatusOr<std::string> ForEachLine(
    const std::string& path, absl::FunctionRef<absl::Status(absl::string_view line)> visit);

// "2026-11-21", "2026-11-21 14:30:00", "2026-11-21T14:30:00Z", "...+08:00"; without a zone UTC. A
// day alone is its beginning, or its end. InvalidArgument.
absl::StatusOr<absl::Time> ParseDncTime(absl::string_view text, bool end_of_day);

// A number in any spelling, or a range: "+1900*", "+1-900-XXX-XXXX". InvalidArgument says why,
// never the number.
absl::Status ParseDncNumber(absl::string_view text, absl::string_view country,
                            campaign::DncEntry& entry);

// Without control characters and blanks at its ends.
std::string CleanDncText(absl::string_view text);

// Reads a file line by line. With a heading that names a column for the number, columns are taken
// by name (see kColumns in dnc_file.cc); otherwise the first cell is the number, or the first two
// as the FTC's registry has them.
class DncFileReader {
 public:
  // `defaults`: what a line does not say. `check`: whether such a list may be written to; asked
  // once for each.
  DncFileReader(campaign::DncEntry defaults, std::string country,
                std::function<absl::Status(const dnc::DncScope&)> check)
      : defaults_(std::move(defaults)), country_(std::move(country)), check_(std::move(check)) {}

  // none: a blank line, or the heading. InvalidArgument says what is wrong with it, NotFound that
  // its list does not exist; neither has a number in it. FailedPrecondition: the heading is
  // impossible, so that no line can be read.
  absl::StatusOr<std::optional<campaign::DncEntry>> Read(absl::string_view line);

 private:
  enum Column : size_t { kNumber, kScope, kReason, kSource, kAdded, kExpires, kBy, kColumnCount };
  struct Name;
  static const Name kNames[];

  // Whether the line is a heading with a number's column.
  absl::StatusOr<bool> TakeHeading(absl::string_view line);
  absl::StatusOr<std::optional<campaign::DncEntry>> ReadColumns(absl::string_view line);
  absl::StatusOr<std::optional<campaign::DncEntry>> ReadBare(absl::string_view line);

  const campaign::DncEntry defaults_;
  const std::string country_;
  const std::function<absl::Status(const dnc::DncScope&)> check_;
  bool heading_may_come_ = true;
  bool has_columns_ = false;
  char separator_ = ',';
  std::array<std::optional<size_t>, kColumnCount> columns_;
  std::set<dnc::DncScope> checked_;
};

// The heading of an export, and an entry as a row of it; RFC 4180, with line ends.
std::string DncCsvHeading();
std::string DncCsvRow(const campaign::DncEntry& entry);

}  // namespace outpace::runtime
