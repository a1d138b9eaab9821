#pragma once

// Spreadsheets (.xlsx: ECMA-376, both flavours) as the CSV text a person would have got by saving
// the sheet, so that one pipeline reads both. Read as a stream: memory does not grow with the
// sheet; the text and the table of shared strings lie in temporary files without names.
//
// Line n of the text is row n of the sheet: a line end inside a cell becomes a blank. Numbers are
// plain digits (a telephone number never gets ".0" or "E+10"; what has lost digits, 16 and more, is
// written with an exponent so that nobody takes it for one). Cells formatted as dates are
// YYYY-MM-DD, with HH:MM:SS if they have a time; numbers shown with leading zeros keep them.
// Formulas give the value that was saved with them. Merged cells have their value in the first one
// only.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/load/byte_source.h"

namespace outpace::load {

// What a file may make of itself when it is unpacked. A sheet full of text packs to a twentieth.
struct XlsxLimits {
  uint64_t part_octets = uint64_t{8} << 30;   // of one unpacked part
  uint64_t free_octets = uint64_t{64} << 20;  // of a part, whatever the ratio
  uint64_t ratio = 400;                       // unpacked to packed, beyond that
  uint64_t parts = 10'000;                    // files in the archive
};

struct XlsxOptions {
  std::string sheet;           // by name, or by number from 1; empty: the first not hidden
  std::string temp_directory;  // empty: $TMPDIR, else /tmp
  XlsxLimits limits;
  const std::atomic<bool>* cancel = nullptr;  // true ends it with Cancelled
};

struct XlsxText {
  std::unique_ptr<ByteSource> csv;  // UTF-8, separated by commas, LF
  std::string sheet;                // the one that was read
  std::vector<std::string> sheets;  // all that are visible, in order
  uint64_t rows = 0;                // that hold anything
  // "W_SHEETS: ...": what a person should know. One sentence each.
  std::vector<std::string> warnings;
};

// Whether the file is a ZIP archive by its first octets, as every .xlsx is.
bool IsZip(const ByteSource& source);

// Why a file that is a spreadsheet of another kind is not read (.xls, with a password, .ods,
// .xlsb), and what to do; empty if it is none of these.
std::string OtherSpreadsheet(const ByteSource& source);

// Any thread. InvalidArgument, beginning with E_XLSX: damaged, too large when unpacked, no such
// sheet, or another kind of spreadsheet. Cancelled. Else errors of the source and of temporary
// files.
absl::StatusOr<XlsxText> ReadXlsx(const ByteSource& source, const XlsxOptions& options);

}  // namespace outpace::load
