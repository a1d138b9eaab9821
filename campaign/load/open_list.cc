#include "campaign/load/open_list.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "campaign/load/xlsx_reader.h"

namespace outpace::load {

absl::StatusOr<OpenedList> OpenList(const std::string& path, const OpenListOptions& options) {
  absl::StatusOr<std::unique_ptr<ByteSource>> source = OpenFileSource(path);
  if (!source.ok()) return source.status();
  return OpenList(*std::move(source), path, options);
}

absl::StatusOr<OpenedList> OpenList(std::unique_ptr<ByteSource> source, const std::string& name,
                                    const OpenListOptions& options) {
  const bool automatic = options.format.empty() || options.format == "auto";
  if (!automatic && options.format != "csv" && options.format != "xlsx") {
    return absl::InvalidArgumentError(
        absl::StrCat("format: \"", options.format.substr(0, 40), "\" is none of auto, csv, xlsx"));
  }
  const bool named = absl::EndsWithIgnoreCase(name, ".xlsx");
  OpenedList out;
  out.format = "csv";
  if (options.format == "xlsx" || (automatic && named && IsZip(*source))) {
    XlsxOptions xlsx;
    xlsx.sheet = options.sheet;
    xlsx.temp_directory = options.temp_directory;
    xlsx.cancel = options.cancel;
    absl::StatusOr<XlsxText> text = ReadXlsx(*source, xlsx);
    if (!text.ok()) return text.status();
    out.format = "xlsx";
    out.source = std::move(text->csv);
    out.sheet = std::move(text->sheet);
    out.warnings = std::move(text->warnings);
    return out;
  }
  // A spreadsheet of another kind is told so whatever it is called; what is left is text, or
  // refused as none by DetectEncoding().
  if (automatic) {
    if (const std::string other = OtherSpreadsheet(*source); !other.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("E_NOT_TEXT: ", other));
    }
  }
  if (!options.sheet.empty()) {
    return absl::InvalidArgumentError("sheet: the file is no spreadsheet (.xlsx)");
  }
  out.source = std::move(source);
  return out;
}

LoadOptions OptionsFor(const OpenedList& opened, LoadOptions options) {
  if (opened.format == "xlsx") {
    options.encoding = "utf-8";
    options.separator = ',';
  }
  return options;
}

}  // namespace outpace::load
