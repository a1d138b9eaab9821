#pragma once

// A load of many leads into the RocksDB store: everything it writes is files in a directory of its
// own, of which the database knows nothing until they are published.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "campaign/lead_bulk.h"
#include "campaign/lead_store.h"
#include "campaign/store/bulk_index.h"
#include "campaign/store/dictionary.h"
#include "campaign/store/rocks_db.h"

namespace outpace::store {

// What a load has written, to be taken over in one step.
struct BulkResult {
  std::vector<std::string> files[kFamilies];
  std::vector<std::pair<uint64_t, uint64_t>> ids;  // first and last of each Add()
  uint64_t leads = 0;
};

class RocksBulk final : public campaign::LeadBulk {
 public:
  using Publisher = std::function<absl::Status(const BulkResult&, const campaign::Import&)>;

  // `directory` is there and empty, and is removed with this. `due` is how the campaign's due index
  // is laid out until the load is over. `publish` takes the files over;
  // `ended` is called when the load is over, whichever way.
  RocksBulk(const RocksDb& db, std::string directory, const campaign::BulkOptions& options,
            uint32_t layout, const Dictionary& dictionary, const DuePlan& due, Publisher publish,
            std::function<void()> ended);
  ~RocksBulk() override;

  absl::Status Add(LeadId first, absl::Span<const campaign::BulkLead> leads) override;
  absl::Status Publish(const campaign::Import& import) override;

 private:
  absl::Status WriteRecords(LeadId first, absl::Span<const campaign::BulkLead> leads);

  const RocksDb& db_;
  const std::string directory_;
  const campaign::Lead common_;  // what all its leads have alike
  const uint32_t layout_;
  const Dictionary& dictionary_;
  const Publisher publish_;
  const std::function<void()> ended_;
  BulkPhones phones_;
  BulkDue due_;
  absl::Mutex mutex_;
  BulkResult result_ ABSL_GUARDED_BY(mutex_);
  bool published_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace outpace::store
