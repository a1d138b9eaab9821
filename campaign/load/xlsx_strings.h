#pragma once

// Texts of a spreadsheet. Each different text of a workbook stands once in a table, and cells name
// it by its place there; the table of a large workbook is larger than memory should be, so it lies
// in temporary files and is paged in where a cell asks for it.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/load/temp_file.h"
#include "campaign/load/xlsx_package.h"

namespace outpace::load {

// A text longer than this is cut: the loader rejects the row for its length anyway.
inline constexpr size_t kCellBytesMax = 96 * 1024;

// Collects the text of a string item or an inline string: of its runs, without the reading aids
// that Japanese text has beside it (rPh).
class RichText {
 public:
  void Start(absl::string_view element);
  void End(absl::string_view element);
  void Text(absl::string_view text);
  // The text, with the control characters that XML cannot hold ("_x000D_") put back. Clears.
  std::string Take();

 private:
  std::string text_;
  int reading_aid_ = 0;
  int in_text_ = 0;
};

class StringTable {
 public:
  // From the workbook's part of shared strings; empty `part`: a table without any.
  static absl::StatusOr<std::unique_ptr<StringTable>> Read(const XlsxPackage& package,
                                                           const std::string& part,
                                                           const std::string& temp_directory);
  uint64_t size() const { return offsets_.size() / sizeof(uint64_t); }
  // Text number `index`, less than size().
  absl::string_view Get(uint64_t index) const;

 private:
  friend class SharedStrings;
  StringTable() = default;

  std::unique_ptr<TempFile> text_file_, offset_file_;  // of each text its end in the file of texts
  absl::string_view text_, offsets_;
};

}  // namespace outpace::load
