#pragma once

// Puts a lead together again: hot record, names of its zones, texts. Included by the .cc files of
// the RocksDB store only.

#include <rocksdb/options.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "campaign/lead.h"
#include "campaign/store/dictionary.h"
#include "campaign/store/lead_record.h"
#include "campaign/store/rocks_db.h"

namespace outpace::store {

// Fills an empty dictionary with what the store has. DataLoss, Unavailable.
absl::Status ReadDictionary(const RocksDb& db, Dictionary& dictionary);

// Of a hot record: the lead with its zones, without texts.
absl::Status DecodeLeadHead(absl::string_view record, const DictionaryView& known, HotLead& hot);
// Owner and fields of `hot`; `texts` is its texts record, empty if there is none. DataLoss if it is
// not the one the hot record speaks of.
absl::Status AddTexts(absl::string_view texts, const DictionaryView& known, HotLead& hot);

// Reads the leads `ids`, in that order, and visits each until `visit` returns false; DataLoss if
// one is not there. `options` has a snapshot if texts are wanted: both records are of one state.
// What `visit` is given may be moved from.
absl::Status ReadLeads(const RocksDb& db, const Dictionary& dictionary,
                       const std::vector<uint64_t>& ids, const rocksdb::ReadOptions& options,
                       bool with_fields, const std::function<bool(campaign::Lead&)>& visit);

}  // namespace outpace::store
