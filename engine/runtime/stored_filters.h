#pragma once

// Named filters in the store. Every change is a new version and no version is ever removed, so that
// what a load or a campaign did a year ago can still be explained; a filter that is removed gets a
// last version that says so.
//
// Kept as named values of the store: "filter:<name>:<version>", one JSON object each, and
// "filters", the latest version of each name.

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/filter/filter.h"
#include "campaign/lead_store.h"

namespace outpace::runtime {

struct StoredFilter {
  std::string name;
  int version = 0;  // 1 and up
  bool removed = false;
  std::string text;           // as it was given
  filter::FieldTypes fields;  // of those it names, the ones that are not standard
  std::string who;            // login name, as the command line told it
  absl::Time when;
};

// Letters, digits, '_' and '-', 40 at most. No expression looks like that, so where either may be
// given the text itself says which it is.
bool IsFilterName(absl::string_view text);

class StoredFilters {
 public:
  // The store outlives it. Put() from one thread at a time, the rest from any.
  explicit StoredFilters(campaign::LeadStore& store) : store_(store) {}

  // The latest version of each, by name; those that were removed are left out.
  absl::StatusOr<std::vector<StoredFilter>> All() const;
  // `version` 0: the latest. NotFound lists the names there are; a removed one is not found, unless
  // an earlier version is asked for.
  absl::StatusOr<StoredFilter> Find(absl::string_view name, int version = 0) const;
  // Every version, oldest first. NotFound as Find(), but for removed ones.
  absl::StatusOr<std::vector<StoredFilter>> History(absl::string_view name) const;
  // Stores `filter` as the next version of its name; the result is that version. Durable.
  absl::StatusOr<int> Put(StoredFilter filter);

  // Fields that a filter may name: standard ones, columns of all loads, then `more`.
  absl::StatusOr<filter::FieldTypes> Fields(const filter::FieldTypes& more = {}) const;
  // The filter, ready to run on `today`.
  absl::StatusOr<filter::Filter> Compile(const StoredFilter& stored, absl::CivilDay today) const;

 private:
  absl::StatusOr<std::map<std::string, int>> Latest() const;
  absl::StatusOr<StoredFilter> Read(const std::string& name, int version) const;
  absl::Status NoSuch(absl::string_view name) const;

  campaign::LeadStore& store_;
};

}  // namespace outpace::runtime
