#include "campaign/load/encoding.h"

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "campaign/load/encoding_guess.h"

namespace outpace::load {
namespace {

constexpr size_t kHeadBytes = 4096;
constexpr size_t kScanBytes = 1024 * 1024;

absl::Status Refuse(absl::string_view code, absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(code, ": ", text));
}

// What lists are when they are not text: names for the first octets of common formats.
absl::string_view KnownBinary(absl::string_view bytes) {
  struct Magic {
    absl::string_view start, name;
  };
  static constexpr Magic kMagic[] = {
      {"PK\x03\x04", "a spreadsheet (.xlsx) or ZIP archive"},
      {"PK\x05\x06", "a ZIP archive"},
      {"\x1F\x8B", "a gzip archive"},
      {"%PDF", "a PDF"},
      {"\xD0\xCF\x11\xE0", "an old Excel file (.xls)"},
      {"BZh", "a bzip2 archive"},
      {"\x28\xB5\x2F\xFD", "a zstd archive"},
      {"7z\xBC\xAF\x27\x1C", "a 7-Zip archive"},
      {"\xFD"
       "7zXZ",
       "an xz archive"},
      {"\x89PNG", "a picture"},
      {"SQLite format 3", "a SQLite database"},
  };
  for (const Magic& magic : kMagic) {
    if (absl::StartsWith(bytes, magic.start)) return magic.name;
  }
  const absl::string_view start = absl::StripLeadingAsciiWhitespace(bytes.substr(0, 256));
  for (absl::string_view tag : {"<html", "<!doctype", "<table", "<?xml"}) {
    if (absl::StartsWithIgnoreCase(start, tag)) return "an HTML or XML page";
  }
  return "";
}

// Whether a file holds nothing but blanks and byte order marks. Stops at the first other character.
absl::StatusOr<bool> IsBlank(const ByteSource& source, const TextEncoding& encoding) {
  StreamDecoder decoder(source, encoding);
  std::string buffer(kHeadBytes, '\0');
  for (;;) {
    const absl::StatusOr<DecodedBlock> block = decoder.Next(absl::MakeSpan(buffer));
    if (!block.ok()) return block.status();
    if (block->size == 0) return true;
    absl::string_view text(buffer.data(), block->size);
    while (!text.empty()) {
      if (absl::ConsumePrefix(&text, "\xEF\xBB\xBF")) continue;
      if (!absl::ascii_isspace(static_cast<unsigned char>(text[0]))) return false;
      text.remove_prefix(1);
    }
  }
}

// Calls take(block) with the whole source; take returns false to stop.
template <typename Take>
absl::Status ForEachBlock(const ByteSource& source, uint64_t offset, Take take) {
  const auto buffer = std::make_unique<char[]>(kScanBytes);
  for (;;) {
    const absl::StatusOr<size_t> read =
        source.Read(offset, absl::MakeSpan(buffer.get(), kScanBytes));
    if (!read.ok()) return read.status();
    if (*read == 0 || !take(absl::string_view(buffer.get(), *read))) return absl::OkStatus();
    offset += *read;
  }
}

absl::StatusOr<Utf8> CheckSource(const ByteSource& source) {
  Utf8 out = Utf8::kValid;
  uint64_t offset = 0;
  // A character that a block's end cuts is looked at again at the beginning of the next.
  const auto buffer = std::make_unique<char[]>(kScanBytes);
  for (;;) {
    const absl::StatusOr<size_t> read =
        source.Read(offset, absl::MakeSpan(buffer.get(), kScanBytes));
    if (!read.ok()) return read.status();
    const absl::string_view text(buffer.get(), *read);
    out = CheckUtf8(text);
    if (out == Utf8::kInvalid || text.size() < kScanBytes) return out;
    offset += out == Utf8::kValid ? text.size() : ValidUtf8Prefix(text);
  }
}

absl::StatusOr<TextEncoding> FindOut(const ByteSource& source) {
  TextEncoding out;
  const absl::StatusOr<Utf8> check = CheckSource(source);
  if (!check.ok()) return check.status();
  if (*check != Utf8::kInvalid) {
    out.clean = *check == Utf8::kValid;
    out.reason = out.clean ? "UTF-8 throughout" : "UTF-8, cut in its last character";
    return out;
  }
  EncodingEvidence evidence;
  absl::Status status = ForEachBlock(source, 0, [&](absl::string_view block) {
    evidence.Add(block);
    return true;
  });
  if (!status.ok()) return status;
  EncodingGuess guess = evidence.Guess();
  out.name = std::move(guess.name);
  out.confidence = guess.confidence;
  out.reason = std::move(guess.reason);
  out.guessed = true;
  return out;
}

// A mark that a file begins with: believed, whatever was named.
bool ReadMark(absl::string_view head, TextEncoding& out) {
  if (absl::StartsWith(head, "\xFF\xFE")) {
    out.name = "utf-16le";
    out.bom_bytes = 2;
  } else if (absl::StartsWith(head, "\xFE\xFF")) {
    out.name = "utf-16be";
    out.bom_bytes = 2;
  } else if (absl::StartsWith(head, "\xEF\xBB\xBF")) {
    out.name = "utf-8";
    out.bom_bytes = 3;
  } else {
    return false;
  }
  out.reason = "byte order mark";
  return true;
}

absl::StatusOr<TextEncoding> Decide(const ByteSource& source, absl::string_view head,
                                    absl::string_view named) {
  TextEncoding out;
  const bool automatic = named.empty() || named == "auto";
  if (!automatic) {
    out.name = CanonicalEncoding(named);
    if (out.name.empty()) {
      return Refuse("E_ENCODING", absl::StrCat("\"", named.substr(0, 40), "\" is none of auto, ",
                                               absl::StrJoin(EncodingNames(), ", ")));
    }
    out.reason = "named";
  }
  const std::string name = out.name;
  if (ReadMark(head, out)) return out;
  const bool wide = absl::StartsWith(name, "utf-16");
  if (!wide && head.substr(0, head.find('\n')).find('\0') != absl::string_view::npos) {
    return Refuse("E_ENCODING",
                  "the first line holds NUL octets: UTF-16 without a byte order mark, or no text; "
                  "save it as \"CSV UTF-8\"");
  }
  return automatic ? FindOut(source) : out;
}

}  // namespace

absl::StatusOr<TextEncoding> DetectEncoding(const ByteSource& source, absl::string_view named) {
  std::string buffer(kHeadBytes, '\0');
  const absl::StatusOr<size_t> read = source.Read(0, absl::MakeSpan(buffer));
  if (!read.ok()) return read.status();
  const absl::string_view head(buffer.data(), *read);
  if (head.empty()) return Refuse("E_EMPTY_FILE", "the file has no bytes; export the list again");
  if (const absl::string_view binary = KnownBinary(head); !binary.empty()) {
    return Refuse("E_NOT_TEXT",
                  absl::StrCat("this is ", binary, ", not a CSV file; ",
                               absl::StartsWith(head, "PK")
                                   ? "give a spreadsheet its name back (.xlsx)"
                                   : "open it in a spreadsheet and save it as \"CSV UTF-8\""));
  }
  // UTF-32 before UTF-16: its little-endian mark begins with the other's.
  if (absl::StartsWith(head, absl::string_view("\xFF\xFE\0\0", 4)) ||
      absl::StartsWith(head, absl::string_view("\0\0\xFE\xFF", 4))) {
    return Refuse("E_ENCODING", "the file is UTF-32; save it as \"CSV UTF-8\"");
  }
  absl::StatusOr<TextEncoding> out = Decide(source, head, named);
  if (!out.ok()) return out;
  const absl::StatusOr<bool> blank = IsBlank(source, *out);
  if (!blank.ok()) return blank.status();
  if (*blank) {
    return Refuse("E_EMPTY_FILE", "the file holds nothing but blanks; export the list again");
  }
  return out;
}

}  // namespace outpace::load
