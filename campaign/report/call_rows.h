#pragma once

// Calls joined with their leads, in pieces on several threads: what every export of calls reads.

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "campaign/lead_store.h"
#include "campaign/report/call_export.h"
#include "campaign/report/call_row.h"

namespace outpace::report {

// Takes the rows of one thread. Everything is called on that thread alone.
class RowVisitor {
 public:
  virtual ~RowVisitor() = default;
  virtual void Row(const CallRow& row) = 0;
  // All rows of a piece have been shown; pieces as campaign::AttemptVisitor numbers them.
  virtual absl::Status EndPiece(uint64_t piece) = 0;
  // As campaign::AttemptVisitor::Cancel(): the one function that any thread calls.
  virtual void Cancel(const absl::Status&) {}
};

// The calls of the range, campaign and layout, on as many threads as there are visitors, each
// piece to one of them. Errors of the store and of EndPiece().
absl::Status ReadCallRows(const campaign::LeadStore& store, const ExportOptions& options,
                          const std::vector<RowVisitor*>& visitors);

}  // namespace outpace::report
