#pragma once

// The store's numbers for sets of time zones, asked for once each: a file has millions of rows and
// some dozens of sets.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "campaign/lead_store.h"

namespace outpace::load {

class ZoneIds {
 public:
  // `store` nullptr: nothing will be stored, and every number is 0.
  explicit ZoneIds(campaign::LeadStore* store) : store_(store) {}
  // Any thread. Errors: the store's.
  absl::StatusOr<uint32_t> Of(const std::vector<std::string>& zones);

 private:
  campaign::LeadStore* const store_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::vector<std::string>, uint32_t> ids_ ABSL_GUARDED_BY(mutex_);
};

// The view of it that one thread has, which answers without a lock. One thread.
class ZoneCache {
 public:
  explicit ZoneCache(ZoneIds& ids) : ids_(ids) {}
  // Of campaign::ZoneSetOf()'s number `set`, not 0.
  absl::StatusOr<uint32_t> OfSet(uint32_t set);
  // Of one zone by its name; false in `known` when it is none that may be used.
  absl::StatusOr<uint32_t> OfName(absl::string_view name, bool& known);

 private:
  struct Named {
    bool known = false;
    uint32_t id = 0;
  };
  ZoneIds& ids_;
  std::vector<int64_t> of_set_;  // -1: not asked for yet
  absl::flat_hash_map<std::string, Named> of_name_;
};

}  // namespace outpace::load
