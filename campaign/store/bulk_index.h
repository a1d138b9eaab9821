#pragma once

// The index entries of one load: collected in the order of the file's rows, written in the order of
// their keys. Included by the .cc files of the RocksDB store only.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "campaign/lead.h"
#include "campaign/lead_bulk.h"
#include "campaign/store/bulk_file.h"
#include "campaign/store/dictionary.h"
#include "campaign/store/due_index.h"
#include "campaign/store/rocks_db.h"
#include "campaign/store/sorted_runs.h"

namespace outpace::store {

// Add(): any thread. Write(): once, after all Add(); fills `paths` with the files made.
class BulkPhones {
 public:
  // `common`: list, campaign and entry date of the load.
  BulkPhones(const RocksDb& db, const std::string& directory, const campaign::Lead& common);
  absl::Status Add(LeadId first, absl::Span<const campaign::BulkLead> leads);
  absl::Status Write(std::vector<std::string>& paths);

 private:
  const RocksDb& db_;
  const std::string path_;
  const std::string value_, alt_value_;
  SortedRuns<2> runs_;  // number; lead id * 2, + 1 for alt_phone
};

class BulkDue {
 public:
  // `plan` is pinned as long as this is used (rocks_due.h); `layout`: of the leads' fields.
  BulkDue(const RocksDb& db, const std::string& directory, const campaign::Lead& common,
          const campaign::FieldLayout& layout, const Dictionary& dictionary, const DuePlan& plan);
  absl::Status Add(LeadId first, absl::Span<const campaign::BulkLead> leads);
  absl::Status Write(std::vector<std::string>& paths);

 private:
  DueFacts FactsOf(LeadId id, const campaign::BulkLead& lead, const DictionaryView& known) const;

  const RocksDb& db_;
  const std::string path_;
  const campaign::Lead& common_;
  const uint8_t generation_;
  const campaign::LeadOrder order_;
  const Dictionary& dictionary_;
  size_t last_name_ = SIZE_MAX, owner_ = SIZE_MAX;  // their places in the layout
  SortedRuns<3> ready_;                             // status, tier and rank, order, lead id
  SortedRuns<4> waiting_;                           // due time, lead id, as ready_
};

}  // namespace outpace::store
