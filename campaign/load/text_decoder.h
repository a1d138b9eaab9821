#pragma once

// From the octets of a list file to UTF-8. What a file says of itself (byte order mark, strict
// UTF-8) is believed; anything else is a guess and is reported as one.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/load/utf8.h"

namespace outpace::load {

struct DecodedText {
  std::string owned;       // the converted text, if it had to be converted
  size_t skip = 0;         // bytes of a byte order mark, when it did not
  bool converted = false;  // text() is `owned`
  std::string encoding;    // "utf-8", "utf-16le", "utf-16be", "gb18030", "windows-1252"
  bool guessed = false;    // a person should look at the names before they are read out
  bool clean = true;       // every row is valid; false: rows must be checked one by one
  // The UTF-8 text; `bytes` is what was decoded and must outlive the view.
  absl::string_view text(absl::string_view bytes) const {
    return converted ? absl::string_view(owned) : bytes.substr(skip);
  }
};

// `encoding`: auto, utf-8, gb18030 or windows-1252. InvalidArgument, beginning with a reason code
// of the hostile set (E_EMPTY_FILE, E_NOT_TEXT, E_ENCODING), when this is no text we can read.
absl::StatusOr<DecodedText> DecodeText(absl::string_view bytes, absl::string_view encoding);

}  // namespace outpace::load
