#pragma once

// Which rows double a lead that is in the store already: VICIdial's DUPLIST, DUPCAMP and DUPSYS,
// with their windows of days. All numbers in question are looked through once, into a filter that
// tells for certain that a number is new; only what it does not clear is looked up in the store's
// index. A small file is looked up as it is.

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/lead_store.h"
#include "campaign/load/loader.h"
#include "campaign/load/seen_keys.h"

namespace outpace::load {

class StoreKeys {
 public:
  // `rows`: about how many rows the file has. `store` must outlive this. Errors: the store's.
  static absl::StatusOr<std::unique_ptr<StoreKeys>> Make(const campaign::LeadStore& store,
                                                         const LoadOptions& options, absl::Time now,
                                                         uint64_t rows);

  // doubled[i]: the lead of the lowest id that rows[i] doubles; none if it is new, or its number is
  // 0. Any thread.
  absl::Status Find(absl::Span<const SeenKey> rows, std::vector<LeadId>& doubled) const;

 private:
  StoreKeys(const campaign::LeadStore& store, const LoadOptions& options, absl::Time now);
  absl::Status ReadStore(uint64_t leads);
  bool InScope(const campaign::PhoneUse& use) const;
  // Whether the lead has the row's texts too.
  absl::StatusOr<bool> SameTexts(uint64_t text, LeadId lead) const;

  const campaign::LeadStore& store_;
  const LoadOptions& options_;
  const absl::Time since_;
  std::unique_ptr<KeyFilter> filter_;  // none: every number is looked up
};

// The hash of what is compared beside numbers, for SeenKey::text. Upper and lower case are one.
// Compared only where numbers are equal, 64 bits do not fail by chance.
uint64_t NameHash(absl::string_view first_name, absl::string_view last_name);
uint64_t TitleHash(absl::string_view title);

}  // namespace outpace::load
