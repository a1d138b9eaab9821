#pragma once

// The index entries of one load: collected in the order of the file's rows, written in the order of
// their keys. Included by the .cc files of the RocksDB store only.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "campaign/lead.h"
#include "campaign/lead_bulk.h"
#include "campaign/store/bulk_file.h"
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
  BulkDue(const RocksDb& db, const std::string& directory, const campaign::Lead& common);
  absl::Status Add(LeadId first, absl::Span<const campaign::BulkLead> leads);
  absl::Status Write(std::vector<std::string>& paths);

 private:
  const RocksDb& db_;
  const std::string path_;
  const std::string prefix_;  // what the keys of all its leads begin with
  SortedRuns<3> runs_;        // place, due time, lead id
};

}  // namespace outpace::store
