#pragma once

// The cells of one sheet, as they come, into lines of CSV text: line n is row n. Lists that people
// keep often have a title or a note above their header; such rows are left out (their lines stay
// empty) when a row shortly below names a telephone column and they do not.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "campaign/load/temp_file.h"
#include "campaign/load/xlsx_package.h"
#include "campaign/load/xlsx_strings.h"
#include "campaign/load/xlsx_workbook.h"

namespace outpace::load {

class SheetText final : public XmlHandler {
 public:
  // All must outlive this. `octets_max`: of the text; a sheet may name one long text from a million
  // cells.
  SheetText(const Workbook& workbook, const StringTable& strings, uint64_t octets_max,
            TempFile& out)
      : workbook_(workbook), strings_(strings), octets_max_(octets_max), out_(out) {}

  absl::Status Start(absl::string_view element, const XmlAttributes& attributes) override;
  absl::Status End(absl::string_view element) override;
  absl::Status Text(absl::string_view text) override;
  // Once, behind the last row: the text is whole.
  absl::Status Finish();

  uint64_t rows() const { return rows_; }  // with anything in them, without title rows
  uint64_t title_rows() const { return title_rows_; }
  uint64_t header_row() const { return header_row_; }
  uint64_t merged() const { return merged_; }  // ranges of cells
  uint64_t formulas_without_value() const { return formulas_without_value_; }

 private:
  enum class CellType { kNumber, kShared, kInline, kText, kFlag };
  static CellType TypeOf(absl::string_view t);

  absl::Status StartRow(const XmlAttributes& attributes);
  absl::Status StartCell(const XmlAttributes& attributes);
  absl::Status EndCell();
  absl::Status EndRow();
  absl::Status WriteRow(uint64_t row, std::vector<std::string>& cells, size_t used);
  // Writes what was held back until the header was found, or it was clear that there is none.
  absl::Status WriteBeginning(bool header_found);
  const NumberFormat& Format() const;

  const Workbook& workbook_;
  const StringTable& strings_;
  const uint64_t octets_max_;
  TempFile& out_;

  uint64_t row_ = 0;    // the one that is being read, from 1
  uint64_t lines_ = 0;  // written
  uint64_t rows_ = 0, title_rows_ = 0, header_row_ = 0;
  size_t width_ = 0;  // of the header: rows are at least as wide, whatever they leave empty
  uint64_t merged_ = 0, formulas_without_value_ = 0;
  std::vector<std::string> cells_;  // of the row; the first cells_used_ are its
  size_t cells_used_ = 0, row_bytes_ = 0;
  std::string line_;
  // The first rows, until it is known which of them is the header.
  bool at_beginning_ = true;
  std::vector<std::pair<uint64_t, std::vector<std::string>>> beginning_;
  // The cell that is being read.
  bool in_cell_ = false, in_value_ = false, has_formula_ = false;
  size_t column_ = 0, style_ = 0;
  CellType type_ = CellType::kNumber;
  std::string value_;
  RichText rich_;
};

}  // namespace outpace::load
