#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/ids.h"

namespace outpace::campaign {

// What became of the rows of a file. rows == accepted + duplicates + dnc + filtered + rejected.
struct ImportCounts {
  uint64_t rows = 0;
  uint64_t accepted = 0;
  uint64_t duplicates_in_file = 0, duplicates_in_store = 0;
  uint64_t dnc = 0;
  uint64_t filtered = 0;
  uint64_t rejected = 0;
  bool Balanced() const {
    return rows == accepted + duplicates_in_file + duplicates_in_store + dnc + filtered + rejected;
  }
};

enum class ImportState : uint8_t {
  kPublished,  // its leads are in the store
  kUndoing,    // being taken back; a restart goes on with it
  kUndone,     // taken back, but for leads that had been dialed
};
absl::string_view ImportStateName(ImportState state);  // "published", "undoing", "undone"

// One file that was loaded: stored with its leads, in the same write.
struct Import {
  ImportId id;
  ListId list;
  CampaignId campaign;
  std::string file;  // name without directories, as given
  uint64_t file_bytes = 0;
  std::string
      content_hash;     // of the file's octets (XXH3, 128 bits, hex): the same file again is known
  std::string options;  // how it was read: encoding, layout, filter; for people
  absl::Time started, finished;
  ImportCounts counts;
  std::map<std::string, uint64_t> by_code;  // {"E_PHONE_LENGTH": 12, "FILTER": 30, ...}
  // Lead ids given: [first_lead, first_lead + counts.accepted) at the load.
  LeadId first_lead;
  ImportState state = ImportState::kPublished;
  uint64_t kept = 0;  // after an undo: leads that had been dialed and stay
};

}  // namespace outpace::campaign
