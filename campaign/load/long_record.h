#pragma once

// A record that is too large to be held (a quote that never closes takes the rest of the file with
// it) is read on to its end without being kept: what is wrong with it, how long it is and how many
// lines it takes are all that is needed of it. Octet by octet, so that it may come in any pieces.

#include <cstdint>

#include "absl/strings/string_view.h"
#include "campaign/load/csv_reader.h"

namespace outpace::load {

class LongRecord {
 public:
  explicit LongRecord(char separator) : separator_(separator) {}

  // Reads on; returns how many of the octets belong to the record, fewer than given when it has
  // ended. Its line end belongs to it.
  size_t Take(absl::string_view text);
  void TakeEnd();  // there is no more text

  bool ended() const { return state_ == State::kEnded; }
  // Once it has ended.
  RowFault fault() const { return fault_; }
  uint64_t octets() const { return octets_; }  // without its line end
  uint64_t lines() const { return lines_; }    // line ends in it and behind it
  bool has_line_end() const { return has_line_end_; }
  bool blank() const { return blank_; }  // nothing but blanks: no row
  char last() const { return last_; }    // its last octet outside quotes

 private:
  enum class State : uint8_t {
    kFieldStart,
    kPlain,
    kQuoted,
    kQuoteInQuoted,  // its end, or the first of a doubled one
    kBehindQuoted,
    kBadQuote,
    kCr,  // of its line end: an LF may follow
    kEnded,
  };
  // Takes one octet; false when it is the first behind the record.
  bool TakeOne(char c);
  bool TakeQuoted(char c);
  void EndField();
  void EndLine(char c);
  void Blame(RowFault fault) {
    if (fault_ == RowFault::kNone) fault_ = fault;
  }

  const char separator_;
  State state_ = State::kFieldStart;
  RowFault fault_ = RowFault::kNone;
  bool has_line_end_ = false, blank_ = true;
  char last_ = '\0';
  bool quoted_cr_ = false;  // the last octet was a CR inside quotes
  uint64_t octets_ = 0, lines_ = 0, field_octets_ = 0, columns_ = 0;
};

}  // namespace outpace::load
