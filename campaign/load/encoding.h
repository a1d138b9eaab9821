#pragma once

// From the octets of a list file to UTF-8, and back for the files we hand out.
//
// What a file says of itself is believed: a byte order mark, strict UTF-8 throughout, or the name
// an operator gave. Anything else is a guess, told as one with a confidence, and a person should
// look at the names before they are read out to anybody. And whatever was decided, a row that does
// not decode is rejected by itself: the rest of the file is not.
//
// An octet that is no part of any character in the file's encoding is not replaced but kept: it is
// carried through UTF-8 as one of the last 256 private characters of Unicode (U+10FF00 + octet), so
// that a reject file can hand back the row exactly as it stood. In UTF-8 files it simply stays.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "campaign/load/byte_source.h"
#include "campaign/load/utf8.h"

namespace outpace::load {

struct TextEncoding {
  std::string name = "utf-8";  // in our spelling, see EncodingNames()
  double confidence = 1;       // 0..1; 1: believed, not guessed
  bool guessed = false;        // neither named nor told by the file itself
  // Every octet of the file belongs to a character (known only when the encoding was not named, or
  // is UTF-8; false: not known). Blocks tell it again of what they hold, see DecodedBlock.
  bool clean = false;
  uint8_t bom_bytes = 0;  // of a byte order mark at the file's start: no text
  // For people: "byte order mark", "UTF-8 throughout", "not UTF-8; reads as Chinese: 31 of 33 ...".
  std::string reason;
  bool is_utf8() const { return name == "utf-8"; }
};

// "utf-8", "utf-16le", "utf-16be", "gb18030", "big5", "shift_jis", "euc-kr", "windows-1250", ...,
// "iso-8859-1", ...: what may be named.
const std::vector<std::string>& EncodingNames();

// The spelling of EncodingNames() for what people write ("GBK", "cp936", "Latin1", "UTF8", "ANSI"
// is nothing); empty if it is none.
std::string CanonicalEncoding(absl::string_view name);

// `named`: an encoding's name, or "auto" or "" to find out. Reads the file once, whole, when it is
// not named (bounded memory). InvalidArgument, beginning with a reason code of the hostile set
// (E_EMPTY_FILE, E_NOT_TEXT, E_ENCODING), when this is no text we can read; else the source's
// errors. Any thread.
absl::StatusOr<TextEncoding> DetectEncoding(const ByteSource& source, absl::string_view named);

struct DecodedBlock {
  size_t size = 0;  // octets of UTF-8 written; 0: the end
  // False: it holds octets that are no text, and its rows are to be looked at one by one with
  // CheckRowText(). Each row by itself: the verdict does not depend on where blocks end.
  bool clean = true;
};

// Turns a source into UTF-8 blocks, in order, without its byte order mark. One thread.
class StreamDecoder {
 public:
  // Both must outlive the decoder; `encoding` as DetectEncoding gave it.
  StreamDecoder(const ByteSource& source, const TextEncoding& encoding);
  ~StreamDecoder();

  // Fills `to` (at least 64 octets) as far as whole characters fit. UTF-8 is read straight into it,
  // and checked there. A character that the file's end cuts is handed out as it stands (UTF-8) or
  // carried (others), and is not clean. Errors: the source's; Internal: ICU lacks the converter.
  absl::StatusOr<DecodedBlock> Next(absl::Span<char> to);

  // Octets of the source that are in the blocks so far, with the byte order mark: for progress.
  uint64_t consumed() const { return consumed_; }

 private:
  struct Converter;
  absl::StatusOr<DecodedBlock> NextUtf8(absl::Span<char> to);
  absl::StatusOr<DecodedBlock> NextConverted(absl::Span<char> to);

  const ByteSource& source_;
  const TextEncoding& encoding_;
  uint64_t consumed_ = 0;
  std::unique_ptr<Converter> converter_;  // none for UTF-8
};

enum class RowText { kGood, kBad, kCut };
// Whether a row, as decoded, is text. kCut: only its last character is not complete, as in a file
// that was cut. `is_utf8`: TextEncoding::is_utf8(). Pure.
RowText CheckRowText(absl::string_view row, bool is_utf8);

// Turns UTF-8 back into a file's encoding. One thread.
class TextEncoder {
 public:
  // InvalidArgument: no such encoding (`name` as CanonicalEncoding gives it).
  static absl::StatusOr<std::unique_ptr<TextEncoder>> Make(absl::string_view name);
  ~TextEncoder();

  // Appends `utf8` in the encoding; carried octets become octets again. A character the encoding
  // lacks becomes '?' and is counted. Whole characters at each call.
  void Append(absl::string_view utf8, std::string& to);
  // The byte order mark files of this encoding begin with: UTF-16 has one, others have none.
  absl::string_view bom() const;
  uint64_t lost() const { return lost_; }  // characters the encoding does not have

 private:
  struct Converter;
  TextEncoder();
  void Convert(absl::string_view utf8, std::string& to);

  std::string name_;
  uint64_t lost_ = 0;
  std::unique_ptr<Converter> converter_;  // none for UTF-8
};

}  // namespace outpace::load
