#include "campaign/load/xlsx_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "campaign/load/temp_file.h"
#include "campaign/load/xlsx_package.h"
#include "campaign/load/xlsx_sheet.h"
#include "campaign/load/xlsx_strings.h"
#include "campaign/load/xlsx_workbook.h"

namespace outpace::load {
namespace {

absl::StatusOr<const Sheet*> ChooseSheet(const Workbook& workbook, absl::string_view wanted) {
  std::vector<absl::string_view> names;
  for (const Sheet& sheet : workbook.sheets) {
    if (sheet.part.empty()) continue;
    if (wanted.empty() ? !sheet.hidden : absl::EqualsIgnoreCase(sheet.name, wanted)) return &sheet;
    names.push_back(sheet.name);
  }
  if (wanted.empty()) return XlsxError("it has no visible sheet of cells");
  size_t number = 0;
  if (absl::SimpleAtoi(wanted, &number) && number >= 1 && number <= workbook.sheets.size() &&
      !workbook.sheets[number - 1].part.empty()) {
    return &workbook.sheets[number - 1];
  }
  return XlsxError(absl::StrCat("it has no sheet \"", wanted.substr(0, 80),
                                "\"; it has: ", absl::StrJoin(names, ", ")));
}

void Warn(const SheetText& handler, XlsxText& out) {
  if (out.sheets.size() > 1) {
    std::vector<absl::string_view> others;
    for (const std::string& name : out.sheets) {
      if (name != out.sheet) others.push_back(name);
    }
    if (!others.empty()) {
      out.warnings.push_back(absl::StrCat("W_SHEETS: read sheet ", out.sheet, "; not read: ",
                                          absl::StrJoin(others, ", "), " (name one to read it)"));
    }
  }
  if (handler.title_rows() > 0) {
    out.warnings.push_back(absl::StrCat("W_TITLE_ROWS: the header is row ", handler.header_row(),
                                        "; ", handler.title_rows(), " rows above it left out"));
  }
  if (handler.merged() > 0) {
    out.warnings.push_back(
        absl::StrCat("W_MERGED_CELLS: ", handler.merged(),
                     " ranges of merged cells; their text is in the first cell only"));
  }
  if (handler.formulas_without_value() > 0) {
    out.warnings.push_back(absl::StrCat(
        "W_FORMULAS: ", handler.formulas_without_value(),
        " formulas have no value saved with them and are taken as empty; open the file in a "
        "spreadsheet and save it"));
  }
}

}  // namespace

bool IsZip(const ByteSource& source) {
  char head[4];
  const absl::StatusOr<size_t> read = source.Read(0, absl::MakeSpan(head));
  return read.ok() && *read == 4 && absl::string_view(head, 4) == "PK\x03\x04";
}

std::string OtherSpreadsheet(const ByteSource& source) {
  std::string head(1024 * 1024, '\0');
  const absl::StatusOr<size_t> read = source.Read(0, absl::MakeSpan(head));
  if (!read.ok()) return "";
  head.resize(*read);
  if (absl::StartsWith(head, "\xD0\xCF\x11\xE0")) {
    // A file with a password is an old compound file too, with a stream "EncryptedPackage"
    // (UTF-16).
    std::string encrypted;
    for (const char c : absl::string_view("EncryptedPackage")) {
      encrypted += c;
      encrypted += '\0';
    }
    if (absl::StrContains(head, encrypted)) {
      return "the spreadsheet has a password; save it without one";
    }
    return "an old Excel file (.xls) is not read; open it and save it as .xlsx";
  }
  if (!absl::StartsWith(head, "PK\x03\x04")) return "";
  const XlsxLimits limits;
  const auto package = XlsxPackage::Open(source, limits);
  if (!package.ok()) return "";
  if ((*package)->Has("mimetype")) {
    const absl::StatusOr<std::string> type = (*package)->Head("mimetype");
    if (type.ok() && absl::StrContains(*type, "opendocument")) {
      return "an OpenDocument file (.ods) is not read; open it and save it as .xlsx";
    }
  }
  if ((*package)->Has("xl/workbook.bin")) {
    return "a binary workbook (.xlsb) is not read; open it and save it as .xlsx";
  }
  return "";
}

absl::StatusOr<XlsxText> ReadXlsx(const ByteSource& source, const XlsxOptions& options) {
  if (const std::string other = OtherSpreadsheet(source); !other.empty()) return XlsxError(other);
  if (!IsZip(source)) return XlsxError("this is no spreadsheet (.xlsx)");
  const auto package = XlsxPackage::Open(source, options.limits, options.cancel);
  if (!package.ok()) return package.status();
  const absl::StatusOr<Workbook> workbook = ReadWorkbook(**package);
  if (!workbook.ok()) return workbook.status();
  const absl::StatusOr<const Sheet*> sheet = ChooseSheet(*workbook, options.sheet);
  if (!sheet.ok()) return sheet.status();
  const auto strings = StringTable::Read(**package, workbook->strings_part, options.temp_directory);
  if (!strings.ok()) return strings.status();
  absl::StatusOr<std::unique_ptr<TempFile>> text = TempFile::Make(options.temp_directory);
  if (!text.ok()) return text.status();

  const XlsxLimits& limits = options.limits;
  SheetText handler(*workbook, **strings, limits.free_octets + limits.ratio * source.size(),
                    **text);
  if (absl::Status status = (*package)->Read((*sheet)->part, handler); !status.ok()) return status;
  if (absl::Status status = handler.Finish(); !status.ok()) return status;
  if (absl::Status status = (*text)->Finish(); !status.ok()) return status;
  XlsxText out;
  out.sheet = (*sheet)->name;
  for (const Sheet& each : workbook->sheets) {
    if (!each.hidden && !each.part.empty()) out.sheets.push_back(each.name);
  }
  out.rows = handler.rows();
  if (out.rows == 0) {
    return XlsxError(absl::StrCat("sheet \"", out.sheet,
                                  "\" is empty; it has: ", absl::StrJoin(out.sheets, ", ")));
  }
  Warn(handler, out);
  out.csv = TempFile::IntoSource(*std::move(text));
  return out;
}

}  // namespace outpace::load
