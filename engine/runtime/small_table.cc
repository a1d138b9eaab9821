#include "engine/runtime/small_table.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "campaign/load/csv_reader.h"
#include "campaign/load/encoding.h"
#include "campaign/load/open_list.h"
#include "campaign/report/csv_writer.h"

namespace outpace::runtime {
namespace {

constexpr size_t kFileMax = 1 << 20;

// The file's text in UTF-8.
absl::StatusOr<std::string> ReadText(const std::string& path) {
  absl::StatusOr<load::OpenedList> opened = load::OpenList(path, {});
  if (!opened.ok()) return opened.status();
  const load::ByteSource& source = *opened->source;
  if (source.size() > kFileMax) return absl::InvalidArgumentError("it is larger than 1 MiB");
  const auto encoding = load::DetectEncoding(source, opened->format == "xlsx" ? "utf-8" : "auto");
  if (!encoding.ok()) return encoding.status();
  load::StreamDecoder decoder(source, *encoding);
  std::string text, block(64 * 1024, '\0');
  for (;;) {
    const auto decoded = decoder.Next(absl::MakeSpan(block));
    if (!decoded.ok()) return decoded.status();
    if (decoded->size == 0) return text;
    text.append(block.data(), decoded->size);
  }
}

}  // namespace

absl::StatusOr<SmallTable> ReadSmallTable(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadText(path);
  if (!text.ok()) return text.status();
  size_t skip = 0;
  const char separator = load::SniffSeparator(*text, skip);
  load::CsvReader reader(absl::string_view(*text).substr(skip), separator);
  SmallTable table;
  std::vector<std::string> faults;
  for (load::Row row; reader.Next(row);) {
    if (row.fault != load::RowFault::kNone) {
      faults.push_back(
          absl::StrCat("line ", row.line, ": a quote is not closed, or the line is too long"));
      continue;
    }
    SmallTable::Row out{row.line, {}};
    for (const absl::string_view cell : row.fields) {
      out.cells.emplace_back(absl::StripAsciiWhitespace(absl::StripPrefix(cell, "'")));
    }
    if (!table.heading.empty()) {
      table.rows.push_back(std::move(out));
      continue;
    }
    for (const std::string& cell : out.cells) table.heading.push_back(absl::AsciiStrToLower(cell));
  }
  if (table.heading.empty() && faults.empty()) faults.push_back("line 1: the heading is missing");
  if (!faults.empty()) return absl::InvalidArgumentError(absl::StrJoin(faults, "\n"));
  return table;
}

std::string MarkedCell(const std::string& text) {
  return report::LooksLikeFormula(text) || absl::StartsWith(text, "'") ? "'" + text : text;
}

}  // namespace outpace::runtime
