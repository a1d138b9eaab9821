#pragma once

// From the octets of a list file to leads in the store and a report that accounts for every row.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/import.h"
#include "campaign/lead_store.h"
#include "campaign/load/byte_source.h"
#include "dnc/dnc_set.h"
#include "engine/base/clock.h"

namespace outpace::load {

// Among which leads a duplicate is looked for: VICIdial's DUPLIST, DUPCAMP, DUPSYS. Rows of one
// file are compared with each other by all but kNone.
enum class DuplicateCheck { kNone, kList, kCampaign, kSystem };

// What has to be equal.
enum class DuplicateKey {
  kPhone,          // the number to dial
  kNamePhone,      // and first and last name: VICIdial's NAMEPHONE
  kTitleAltPhone,  // the alternate number and the title: TITLEALTPHONE. Rows without are no double
};

struct LoadOptions {
  ListId list;  // must exist when the leads are published: see LoadHooks::on_publish
  CampaignId campaign;
  ImportId import;                // the number this load is stored under; none: the next free one
  std::string file;               // name without directories, for the record of the import
  std::string layout = "auto";    // auto, header, or one by position: layouts.h
  std::string encoding = "auto";  // or a name, see encoding.h
  char separator = 0;             // , ; tab or |; 0: found out from the first line
  std::string country = "US";     // home of numbers without a country code
  DuplicateCheck duplicates = DuplicateCheck::kCampaign;
  DuplicateKey duplicate_key = DuplicateKey::kPhone;
  bool duplicates_alt = false;  // the number to dial is looked for among alternate numbers too
  int duplicates_days = 0;      // only leads entered in the last n days count; 0: all
  // Rows for which this does not hold are left out (docs/FILTERS.md); empty: none. It may name any
  // column of the file, and number_type, number_area, ... of the number.
  std::string filter;
  absl::TimeZone zone;    // whose today the filter means: the campaign's report_zone
  bool again = false;     // load the file though the very same one is loaded already
  int threads = 0;        // 0: one a core
  bool scrub_dnc = true;  // DNC numbers are rejected, not loaded; erased people always
  // Header -> "field", "field:type" or "-", before the known aliases: see ParseColumnTarget().
  std::map<std::string, std::string> columns;
  // Calling codes that may be dialed ("86", "44"; "1" is the geographic US and Canada), empty: any
  // country. Numbers elsewhere are rejected: toll fraud comes in with a list.
  std::vector<std::string> destinations;
  // True: a file that could be read only with a guess (encoding, missing header, columns that name
  // what the engine owns) is parsed and reported with `held`, but nothing is stored. Naming the
  // encoding and the layout is the confirmation.
  bool hold_guesses = false;
  bool dry_run = false;        // count and report everything, store nothing
  std::string temp_directory;  // for what memory is too small for; empty: $TMPDIR, else /tmp
  size_t piece_octets = 0;     // text that a thread works on at once, for tests; 0: by the file
};

struct Reject {
  uint64_t line = 0;        // 1-based line of the file on which the row begins
  uint64_t row_number = 0;  // 1-based, blank lines and the header not counted
  std::string code;         // "E_PHONE_LENGTH", "DUPLICATE_FILE", "DUPLICATE_STORE", "DNC", ...
  std::string column;       // name, or "" when the whole row is at fault
  std::string reason;       // "phone: 7 digits"; never the value
  LeadId duplicate_of;      // of a DUPLICATE_STORE: the first lead with the number
  uint64_t duplicate_of_line = 0;  // of a DUPLICATE_FILE: the line on which that row begins
  bool row_cut = false;            // `row` is only the beginning of a row too long to be held
  int clause = -1;                 // of a FILTER: which one, see LoadReport::by_clause
  // The row as it stood in the file, as UTF-8, for the reject file; never logged. 256 KiB at most,
  // in LoadReport::rejects 4 KiB.
  std::string row;
};

// What a file turned out to be: enough to write another one like it.
struct FileShape {
  std::string encoding = "utf-8";
  bool byte_order_mark = false;
  char separator = ',';
  bool separator_line = false;       // it began with Excel's "sep=;"
  std::string line_end = "\n";       // of its first row
  std::string header;                // its header row as it stands, UTF-8; empty: it has none
  std::vector<std::string> columns;  // as mapped, in file order; "-" for ignored ones
};

struct LoadProgress {
  uint64_t octets_done = 0, octets_total = 0;  // of the source
  uint64_t rows = 0, accepted = 0;             // so far
  double rows_per_second = 0;                  // since the first row
};

// What a load calls while it runs: one call at a time, from any of its threads, in file order. All
// may be empty.
struct LoadHooks {
  std::function<void(const FileShape&)> on_shape;        // once, before any row
  std::function<void(const Reject&)> on_reject;          // each row that is not loaded
  std::function<void(const LoadProgress&)> on_progress;  // at most four times a second of the clock
  // Once, when all rows are judged and written, on the thread that called LoadLeads(); not called
  // when nothing is to be stored. `publish` makes the leads visible and durable. To be called once,
  // and its status returned; or an error without calling it: then nothing is stored. What must be
  // there before the leads are (their list, the reject file) is made here. Empty: it is called.
  std::function<absl::Status(const std::function<absl::Status()>& publish)> on_publish;
  // True ends the load with Cancelled, and nothing of it stays.
  const std::atomic<bool>* cancel = nullptr;
};

struct LoadReport {
  // Those of this load; what was counted at the time when `already_imported`.
  campaign::ImportCounts counts;
  ImportId import;  // none when `held`
  // The very same file, with the same options and into the same list: nothing was done.
  bool already_imported = false;
  std::string encoding, layout;
  double encoding_confidence = 1;           // 0..1; 1: told by the file or by the options
  std::string filter;                       // in its normal form
  std::vector<std::string> columns;         // as mapped, in file order; "-" for ignored ones
  std::vector<Reject> rejects;              // the first 1000 in memory
  std::map<std::string, uint64_t> by_code;  // all of them counted: {"E_PHONE_LENGTH": 12, ...}
  // Clauses of the filter as written, and the rows each dropped (as the first that did).
  std::vector<std::pair<std::string, uint64_t>> by_clause;
  uint64_t blank_lines = 0;  // skipped, no rows
  // "W_ENCODING_GUESSED: ...": what a person should look at. One sentence each.
  std::vector<std::string> warnings;
  // Parsed, counted, nothing stored: see LoadOptions::hold_guesses. `counts.accepted` is what would
  // have been.
  bool held = false;
};

// From a file's octets to leads in the store: CSV in any encoding (spreadsheets: open_list.h).
//
// Memory does not grow with the file, and the result depends neither on the number of threads nor
// on how fast they are. All or nothing: until the last row is judged and written nobody sees a
// lead, and a load that was killed is simply run again.
//
// InvalidArgument (nothing stored) when the file as a whole makes no sense: empty, binary, no phone
// column (it lists the columns found and the names known), unknown layout or filter. NotFound: no
// such list, and no on_publish hook that could make it. Cancelled: see LoadHooks::cancel. Else
// errors of the source, the store and the temporary directory. Rows at fault are no errors: they
// are counted, and told to the hooks. One load at a time into a store.
absl::StatusOr<LoadReport> LoadLeads(const ByteSource& source, const LoadOptions& options,
                                     const dnc::DncSet& dnc, campaign::LeadStore& store,
                                     const Clock& clock, const LoadHooks& hooks);

}  // namespace outpace::load
