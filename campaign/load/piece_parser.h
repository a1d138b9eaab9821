#pragma once

// One piece of a file's text to the leads in it and to what is wrong with its other rows: all that
// can be said of a row without knowing the rows of other pieces. Pieces are parsed by several
// threads at once, in no order.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "campaign/lead_bulk.h"
#include "campaign/load/record_splitter.h"
#include "campaign/load/row_filter.h"
#include "campaign/load/row_reader.h"
#include "campaign/load/store_keys.h"
#include "dnc/dnc_set.h"

namespace outpace::load {

// How a row that is not loaded is counted.
enum class Fate : uint8_t { kRejected, kDnc, kFiltered, kDuplicateInFile, kDuplicateInStore };

// A row's place in its piece: rows from 0, lines from 1.
struct RowPlace {
  uint32_t row = 0;
  uint64_t line = 0;
  absl::string_view raw;
  uint64_t octets = 0;  // of the row: more than raw has when it is too long to be held
};

struct RowVerdict {
  RowPlace place;
  Fate fate = Fate::kRejected;
  RowFinding finding;
  LeadId duplicate_of;             // kDuplicateInStore
  uint64_t duplicate_of_line = 0;  // kDuplicateInFile: a line of the file
  int clause = -1;                 // kFiltered
};

// Views are of the piece's text and of `texts`.
struct ParsedPiece {
  // Rows that are leads unless a double is found, in order; leads[i], places[i], keys[i] and
  // doubled[i] (of the store) are of one row. keys is empty when nobody looks for doubles.
  std::vector<campaign::BulkLead> leads;
  std::vector<RowPlace> places;
  std::vector<SeenKey> keys;  // their lines are those of places
  std::vector<LeadId> doubled;
  std::vector<RowVerdict> verdicts;  // of all other rows, in order
  uint64_t rows = 0, lines = 0, blank_lines = 0;
  uint64_t repaired = 0, short_rows = 0, alt_dropped = 0, time_adjusted = 0;
  // Its last row IsScrap(), and no blank line stands between it and the row before.
  bool ends_in_scrap = false;
  bool ends_in_blank_lines = false;
  std::vector<char> texts;
  size_t texts_used = 0;
};

class PieceParser {
 public:
  // What the parsers of a load share; must outlive them.
  struct Rules {
    RowReader::Rules row;
    char separator;
    const dnc::DncSet& dnc;       // asked only for erased people unless the options say scrub_dnc
    const RowFilter* filter;      // nullptr: none
    const StoreKeys* store_keys;  // nullptr: nobody looks for doubles
  };
  explicit PieceParser(const Rules& rules) : rules_(rules), reader_(rules.row) {}

  // Errors: those of the store. One thread.
  absl::Status Parse(const TextPiece& piece, ParsedPiece& out);

 private:
  absl::Status ParseLong(const TextPiece& piece, ParsedPiece& out);
  void TakeRow(const Row& row, const PieceFacts& facts, ParsedPiece& out);
  dnc::DncMatch MatchDnc() const;
  SeenKey KeyOf(const RowPlace& place) const;
  // The lead's texts behind those that out.texts has.
  void AppendTexts(ParsedPiece& out);
  absl::Status Finish(ParsedPiece& out);

  const Rules rules_;
  RowReader reader_;
  RowLead lead_;
  RowFilter::Scratch scratch_;
  std::vector<size_t> text_ends_;
};

}  // namespace outpace::load
