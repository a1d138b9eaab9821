#pragma once

// From the bytes of a list file to leads in the store and a report that accounts for every row.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/lead_store.h"
#include "dnc/dnc_set.h"
#include "engine/base/clock.h"

namespace outpace::load {

enum class DuplicateCheck { kNone, kList, kCampaign, kSystem };  // DUPLIST, DUPCAMP, DUPSYS

struct LoadOptions {
  ListId list;  // must exist
  CampaignId campaign;
  std::string layout = "auto";    // auto, header, standard, stdrankowner (VICIdial, pipe or comma)
  std::string encoding = "auto";  // auto, utf-8, gb18030, windows-1252; UTF-16 by its BOM
  std::string country = "US";     // home of numbers without a country code
  DuplicateCheck duplicates = DuplicateCheck::kCampaign;
  bool scrub_dnc = true;                       // DNC numbers are rejected, not loaded
  std::map<std::string, std::string> columns;  // file column -> field, beside the known aliases
  // Calling codes that may be dialed ("86", "44"; "1" is the geographic US and Canada), empty: any
  // country. Numbers elsewhere are rejected: toll fraud comes in with a list.
  std::vector<std::string> destinations;
  // True: a file that could be read only with a guess (encoding, missing header, columns that name
  // what the engine owns) is parsed and reported with `held`, but nothing is stored. Naming the
  // encoding and the layout is the confirmation.
  bool hold_guesses = false;
};

struct Reject {
  uint64_t line = 0;        // 1-based line of the file on which the row begins
  uint64_t row_number = 0;  // 1-based, blank lines and the header not counted
  std::string code;         // "E_PHONE_LENGTH", "DUPLICATE_FILE", "DUPLICATE_STORE", "DNC", ...
  std::string column;       // name, or "" when the whole row is at fault
  std::string reason;       // "phone: 7 digits"; never the value
  // The row as it stood in the file, as UTF-8, its first 4 KiB (for the reject file; never logged).
  std::string row;
};

struct LoadReport {
  uint64_t rows = 0, loaded = 0, duplicates_in_file = 0, duplicates_in_store = 0, dnc = 0,
           invalid = 0;  // rows == loaded + the other four
  std::string encoding, layout;
  std::vector<std::string> columns;         // as mapped, in file order; "-" for ignored ones
  std::vector<Reject> rejects;              // the first 1000 in memory
  std::map<std::string, uint64_t> by_code;  // all of them counted: {"E_PHONE_LENGTH": 12, ...}
  uint64_t blank_lines = 0;                 // skipped, no rows
  // "W_ENCODING_GUESSED: ...": what a person should look at. One sentence each.
  std::vector<std::string> warnings;
  // Parsed, counted, nothing stored: see LoadOptions::hold_guesses. `loaded` is what would have
  // been.
  bool held = false;
};

// Loads a whole file from memory-mapped or read bytes. InvalidArgument (nothing stored) when the
// file as a whole makes no sense: empty, no phone column (lists the columns found and the aliases
// known), unknown layout, binary. Rows at fault are rejects, not errors. `on_reject` gets every
// reject, for the reject file; it may be empty. All loaded rows are durable when it returns OK. A
// load that was cut off is completed by running it again: what is in the store already counts as
// duplicate.
absl::StatusOr<LoadReport> LoadLeads(absl::string_view bytes, const LoadOptions& options,
                                     const dnc::DncSet& dnc, campaign::LeadStore& store,
                                     const Clock& clock,
                                     const std::function<void(const Reject&)>& on_reject);

}  // namespace outpace::load
