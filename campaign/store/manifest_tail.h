#pragma once

// A power cut can leave the end of the MANIFEST, RocksDB's list of its files, in pieces. RocksDB
// refuses such a store, though nothing is lost: an entry takes effect only once it is synced, so
// one that is torn never did. This finds the torn end, so that it can be cut off.

#include <cstddef>
#include <optional>

#include "absl/strings/string_view.h"

namespace outpace::store {

// `manifest` is a whole file in RocksDB's log format (blocks of 32 KiB, records with a masked
// CRC-32C). The length to which to cut it, if all records are good up to there and none is good
// behind; nullopt if nothing is wrong, or if good records follow the damage: then it is no torn
// end. But what RocksDB writes in one go may be torn anywhere: entries that take effect only
// together (a bulk load is one for each family), and the bookkeeping behind a flush, do not count
// as good ones behind. Should it have been damage after all, the stamps (rocks_db.h) tell.
std::optional<size_t> TornManifestEnd(absl::string_view manifest);

}  // namespace outpace::store
