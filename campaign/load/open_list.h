#pragma once

// Opens a list as people hand it over: a text file, or a spreadsheet that becomes one.

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "campaign/load/byte_source.h"
#include "campaign/load/loader.h"

namespace outpace::load {

struct OpenListOptions {
  // "auto": a spreadsheet if both its name (.xlsx) and its octets say so; "csv": text; "xlsx". A
  // spreadsheet under another name is refused until somebody says that it is one.
  std::string format = "auto";
  std::string sheet;           // of a spreadsheet, by name or number; empty: the first not hidden
  std::string temp_directory;  // for a spreadsheet's text; empty: $TMPDIR, else /tmp
  const std::atomic<bool>* cancel = nullptr;  // true ends the unpacking with Cancelled
};

struct OpenedList {
  std::unique_ptr<ByteSource> source;  // text in any encoding; of a spreadsheet UTF-8 CSV
  std::string format;                  // "csv", "xlsx"
  std::string sheet;                   // of a spreadsheet: the one that was read
  std::vector<std::string> warnings;   // to be told with those of the load
};

// InvalidArgument: no such format, a damaged spreadsheet (E_XLSX), one of a kind that is not read;
// NotFound, PermissionDenied, Unavailable: the file; Cancelled.
absl::StatusOr<OpenedList> OpenList(const std::string& path, const OpenListOptions& options);

// The same of a file that is open already, by the `name` it came with (an upload).
absl::StatusOr<OpenedList> OpenList(std::unique_ptr<ByteSource> source, const std::string& name,
                                    const OpenListOptions& options);

// What the text of an opened list is read with: that of a spreadsheet is ours, whatever encoding
// and separator were named for the text files of the same kind. Pure.
LoadOptions OptionsFor(const OpenedList& opened, LoadOptions options);

}  // namespace outpace::load
