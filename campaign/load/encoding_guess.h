#pragma once

// Which encoding the octets of a file that does not say so most likely are in.
//
// Two kinds of evidence. Validity is looked at over the whole file: GB18030 has a grammar that text
// in other encodings breaks sooner or later. Likelihood is looked at in a sample of its lines: the
// share of Chinese characters that are among the commonest few hundred; whether octets over 7F
// stand alone between ASCII letters, as accents do, and make letters there in one code page or
// another, or make words of their own with small and capital letters where these belong; and what
// ICU's detector says of the rest (its statistics are of running text, and lists are names).

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace outpace::load {

struct EncodingGuess {
  std::string name;  // "utf-8": nothing fits; rows that are not UTF-8 are bad one by one
  double confidence = 0;
  std::string reason;
};

// Takes a file that is not UTF-8 throughout, block by block.
class EncodingEvidence {
 public:
  void Add(absl::string_view block);
  EncodingGuess Guess();

 private:
  void AddLine(absl::string_view line, bool whole);
  void CheckGb(unsigned char octet);

  std::string line_;  // the beginning of the line that the last block cut
  bool too_long_ = false;
  std::string sample_;  // lines with octets over 7F
  uint64_t utf8_lines_ = 0, other_lines_ = 0;
  // GB18030's grammar; `cut_line` notes the state at the last line end, since a file may be cut
  // inside a character.
  int gb_state_ = 0;
  unsigned char gb_first_ = 0;
  uint64_t gb_four_ = 0;  // characters of four octets
  bool gb_valid_ = true, gb_valid_at_line_ = true, any_line_ = false;
};

}  // namespace outpace::load
