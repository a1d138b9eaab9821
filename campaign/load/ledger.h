#pragma once

// What becomes of each row, in the order of the file: the one place that knows which rows came
// before. Pieces are handed to it one after another, whichever thread has parsed them. Every row
// goes through exactly one of two doors here, accepted or Account(), and nothing else moves the
// counters: that is why the totals add up.

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "campaign/load/loader.h"
#include "campaign/load/piece_parser.h"
#include "campaign/load/seen_keys.h"

namespace outpace::load {

class Ledger {
 public:
  // `first_line`: the line of the file on which the first piece begins. `seen` nullptr: doubles are
  // not looked for. All must outlive the ledger.
  Ledger(const LoadOptions& options, const LoadHooks& hooks, uint64_t first_line, SeenKeys* seen,
         LoadReport& report)
      : options_(options), hooks_(hooks), seen_(seen), report_(report), line_(first_line) {}

  // Settles the rows of the next piece. What stays in piece.leads is accepted. Unavailable: see
  // SeenKeys. One thread at a time.
  absl::Status Settle(ParsedPiece& piece);
  // After the last piece: warnings about rows.
  void WarnOfRows();

 private:
  void DropScrap(ParsedPiece& piece);
  absl::Status FindDoubles(ParsedPiece& piece);
  // Whether an earlier row of the file has the row's key: its line, else 0.
  absl::Status SeenBefore(ParsedPiece& piece, std::vector<uint64_t>& earlier);
  absl::Status SeenBeforeByAlt(ParsedPiece& piece, std::vector<uint64_t>& earlier);
  void Account(const RowVerdict& verdict);

  const LoadOptions& options_;
  const LoadHooks& hooks_;
  SeenKeys* const seen_;
  LoadReport& report_;
  uint64_t line_;                    // of the file, on which the piece begins
  bool after_garbage_ = false;       // the last row did not decode, and no blank line came since
  std::vector<RowVerdict> doubles_;  // of the piece
  std::vector<uint64_t> earlier_;
  uint64_t repaired_ = 0, short_rows_ = 0, alt_dropped_ = 0, time_adjusted_ = 0;
};

}  // namespace outpace::load
