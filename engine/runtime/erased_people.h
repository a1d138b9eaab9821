#pragma once

// People who asked to be erased, as the store keeps them: a keyed hash of each number and the key,
// so that the number is nowhere and yet is never loaded or dialed again.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "campaign/lead_store.h"
#include "dnc/dnc_set.h"

namespace outpace::runtime {

struct ErasedPeople {
  bool has_key = false;
  dnc::HashKey key{};
  std::vector<std::string> hashes;  // of dnc::DncSet::ErasedHash()

  void PutInto(dnc::DncSet& set) const;
};

// DataLoss: what is stored cannot be read.
absl::StatusOr<ErasedPeople> ReadErasedPeople(const campaign::LeadStore& store);

// Adds the number's hash, durable when it returns; with the first one a key is drawn. Returns all
// of them. One caller at a time.
absl::StatusOr<ErasedPeople> AddErasedPerson(campaign::LeadStore& store, E164 phone);

}  // namespace outpace::runtime
