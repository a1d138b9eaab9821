// A refill: from the fronts of the due index to leads.

#include <rocksdb/options.h>
#include <rocksdb/snapshot.h>

#include <utility>
#include <vector>

#include "campaign/store/dictionary.h"
#include "campaign/store/lead_keys.h"
#include "campaign/store/lead_reader.h"
#include "campaign/store/rocks_db.h"
#include "campaign/store/rocks_due.h"
#include "campaign/store/rocks_lead_store.h"
#include "campaign/store/rocks_refill.h"

namespace outpace::store {

absl::StatusOr<std::vector<campaign::Lead>> RocksLeadStore::DueLeads(
    const campaign::DueQuery& query) const {
  const RocksDue::Read known = due_->BeginRead(query.campaign);
  rocksdb::ManagedSnapshot snapshot(db_->db.get());
  rocksdb::ReadOptions options;
  options.snapshot = snapshot.snapshot();
  DueFronts first;
  std::vector<std::string> empty;
  absl::StatusOr<std::vector<uint64_t>> ids = std::vector<uint64_t>();
  bool looked = false;
  const absl::StatusOr<DuePlan> plan = due_->PlanAt(query.campaign, options.snapshot);
  if (plan.ok()) {
    // The index may have become another one between the fronts and the snapshot.
    const bool fits = known.known && known.generation == plan->generation;
    RocksRefill refill(*db_, query, *plan, options, fits ? &known.fronts : nullptr);
    ids = refill.Run();
    looked = ids.ok() && known.generation == plan->generation;
    first = refill.first();
    empty = refill.empty();
  }
  due_->EndRead(query.campaign, known, looked, first, empty);
  if (!plan.ok()) return plan.status();
  if (!ids.ok()) return ids.status();
  std::vector<campaign::Lead> leads;
  leads.reserve(ids->size());
  const absl::Status status =
      ReadLeads(*db_, *dictionary_, *ids, options, query.with_fields, [&](campaign::Lead& lead) {
        // Where a lead has been moved to READY, the clock may have gone back since.
        if (DueAt(lead) <= query.now) leads.push_back(std::move(lead));
        return true;
      });
  if (!status.ok()) return status;
  return leads;
}

}  // namespace outpace::store
