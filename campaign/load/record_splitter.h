#pragma once

// Cuts the stream of a file's text into pieces of whole records, so that each piece can be parsed
// by itself, by whichever thread is free. Where a piece ends must not change what a row is: a line
// end inside quotes ends nothing, and a record that is too large to be held comes as a piece of its
// own.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "campaign/load/csv_reader.h"
#include "campaign/load/encoding.h"

namespace outpace::load {

// Gives the next octets of a file's text: at least one, as many as fit; none at the end.
using TextInput = std::function<absl::StatusOr<DecodedBlock>(absl::Span<char>)>;

// A piece of a file's text: whole records, or one LongRecord.
struct TextPiece {
  std::vector<char> storage;
  // In `storage`, with at least kPieceSlack readable octets behind it. Of a long record its
  // beginning, kLongRecordKept octets.
  absl::string_view text;
  bool clean = true;  // see DecodedBlock
  bool is_long = false;
  Row long_row;             // if is_long, without fields: its line counts from the piece's first
  uint64_t long_lines = 0;  // line ends in it
  bool long_blank = false;  // it is a line of blanks
  bool long_scrap = false;  // see IsScrap()
};
inline constexpr size_t kPieceSlack = 64;
inline constexpr size_t kLongRecordKept = 4096;

class RecordSplitter {
 public:
  // `piece_octets`: how much text a piece holds, about. One thread at a time.
  RecordSplitter(TextInput input, char separator, size_t piece_octets)
      : input_(std::move(input)), separator_(separator), piece_octets_(piece_octets) {}

  // The next piece, into storage of an earlier one or a new one. False at the end. Errors: those of
  // the input.
  absl::StatusOr<bool> Next(TextPiece& piece);

 private:
  // Reads until `piece` holds `wanted` octets or the text ends.
  absl::Status Fill(TextPiece& piece, size_t wanted);
  absl::Status TakeLong(TextPiece& piece);

  const TextInput input_;
  const char separator_;
  const size_t piece_octets_;
  std::string carried_;  // the beginning of a record that the last piece did not hold whole
  bool carried_clean_ = true;
  bool at_end_ = false;
  size_t filled_ = 0;  // octets of the piece that is being made
};

// A last row without any line end that closes with Ctrl-Z, which was the end of a file for CP/M and
// DOS: behind a row of garbage it is more of the same.
bool IsScrap(const Row& row);

// Where the last record that is certainly whole ends in `text`, which begins with a record (or
// blank lines): behind its line end. 0: nowhere.
size_t EndOfLastRecord(absl::string_view text, char separator);

}  // namespace outpace::load
