#pragma once

// One row of a list file to one lead, or the reason why not.

#include <string>
#include <utility>

#include "absl/time/time.h"
#include "campaign/lead.h"
#include "campaign/load/columns.h"
#include "campaign/load/csv_reader.h"
#include "campaign/load/loader.h"

namespace outpace::load {

struct RowResult {
  campaign::Lead lead;  // valid if `code` is empty; without id, list and campaign
  std::string code;     // "E_PHONE_LENGTH", ...
  std::string column;   // header of the column at fault
  std::string reason;   // for people; never a value
  bool phone_repaired = false, short_row = false, alt_dropped = false, time_adjusted = false;
};

class RowReader {
 public:
  // `options` and `columns` must outlive the reader. `now`: a callback must lie after it. `clean`:
  // the whole text is known to be valid UTF-8 without replacement characters.
  RowReader(const LoadOptions& options, const ColumnMap& columns, absl::Time now, bool clean)
      : options_(options), columns_(columns), now_(now), clean_(clean) {}
  RowResult Read(const Row& row) const;

 private:
  bool CheckRow(const Row& row, RowResult& out) const;
  bool ReadPhones(const Row& row, RowResult& out) const;
  bool ReadZone(const Row& row, RowResult& out) const;
  bool ReadFields(const Row& row, RowResult& out) const;
  bool ReadCallback(absl::string_view text, const Column& column, RowResult& out) const;
  std::string CountryOf(const Row& row, bool& known) const;

  const LoadOptions& options_;
  const ColumnMap& columns_;
  const absl::Time now_;
  const bool clean_;
};

}  // namespace outpace::load
