#include "engine/runtime/status_file.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "campaign/report/csv_writer.h"
#include "campaign/status_columns.h"
#include "engine/runtime/files.h"
#include "engine/runtime/small_table.h"

namespace outpace::runtime {
namespace {

constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";
}  // namespace

absl::Status WriteStatusFile(const campaign::StatusSet& statuses, bool own_only,
                             const std::string& path) {
  auto file = AtomicFile::Create(path);
  if (!file.ok()) return file.status();
  const std::function<absl::Status(absl::string_view)> write = [&](absl::string_view bytes) {
    return (*file)->Write(bytes);
  };
  report::CsvWriter csv(write);
  csv.Raw(kByteOrderMark);
  const std::vector<std::string> columns = campaign::StatusColumns();
  for (const std::string& column : columns) csv.Plain(column);
  if (absl::Status s = csv.EndRow(); !s.ok()) return s;
  for (const campaign::Disposition& row : own_only ? statuses.own() : statuses.rows()) {
    for (const std::string& column : columns) {
      csv.Plain(MarkedCell(campaign::StatusCell(row, column)));
    }
    if (absl::Status s = csv.EndRow(); !s.ok()) return s;
  }
  if (absl::Status s = csv.Finish(); !s.ok()) return s;
  return (*file)->Commit();
}

absl::StatusOr<std::vector<campaign::Disposition>> ReadStatusFile(
    const std::string& path, const campaign::StatusSet& known) {
  const absl::StatusOr<SmallTable> table = ReadSmallTable(path);
  if (!table.ok()) return table.status();
  const std::vector<std::string> columns = campaign::StatusColumns();
  const std::vector<std::string>& heading = table->heading;
  std::vector<std::string> faults;
  for (const std::string& name : heading) {
    if (std::find(columns.begin(), columns.end(), name) == columns.end()) {
      faults.push_back(absl::StrCat("line 1: \"", name.substr(0, 40),
                                    "\" is no column of a status; they are ",
                                    absl::StrJoin(columns, ", ")));
    }
  }
  const auto status = std::find(heading.begin(), heading.end(), "status");
  if (status == heading.end()) faults.push_back("line 1: the heading has no column \"status\"");
  if (!faults.empty()) return absl::InvalidArgumentError(absl::StrJoin(faults, "\n"));
  const auto status_at = static_cast<size_t>(status - heading.begin());
  std::vector<campaign::Disposition> rows;
  for (const SmallTable::Row& row : table->rows) {
    const auto tell = [&](absl::string_view fault) {
      faults.push_back(absl::StrCat("line ", row.line, ": ", fault));
    };
    const campaign::Disposition* before =
        status_at < row.cells.size() ? known.Find(row.cells[status_at]) : nullptr;
    campaign::Disposition out = before == nullptr ? campaign::Disposition() : *before;
    bool good = true;
    for (size_t i = 0; i < std::min(heading.size(), row.cells.size()); ++i) {
      const absl::Status set = campaign::SetStatusCell(heading[i], row.cells[i], out);
      if (!set.ok()) tell(set.message());
      good = good && set.ok();
    }
    if (!good) continue;
    if (out.status.empty()) {
      tell("status: is missing");
    } else if (std::any_of(rows.begin(), rows.end(), [&](const campaign::Disposition& other) {
                 return other.status == out.status;
               })) {
      tell(absl::StrCat(out.status, " stands twice"));
    } else {
      rows.push_back(std::move(out));
    }
  }
  if (!faults.empty()) return absl::InvalidArgumentError(absl::StrJoin(faults, "\n"));
  return rows;
}

}  // namespace outpace::runtime
