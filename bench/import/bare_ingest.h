#pragma once

// The least that leads in RocksDB can cost: as many octets a lead as the store keeps, already in
// the order of their keys, through SstFileWriter and taken over by an empty database. No numbers
// are read, nothing is compared, nothing is synced.

#include <string>

#include "absl/status/status.h"

namespace outpace::bench {

// `list` gives the octets of the texts; the database is made in `directory` and removed. One
// thread.
absl::Status BareIngest(const std::string& list, uint64_t rows, const std::string& directory);

}  // namespace outpace::bench
