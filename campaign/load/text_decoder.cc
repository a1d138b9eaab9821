#include "campaign/load/text_decoder.h"

#include <unicode/ucnv.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace outpace::load {
namespace {

struct CloseConverter {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, CloseConverter>;

absl::Status Refuse(absl::string_view code, absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(code, ": ", text));
}

// Converts everything to UTF-8. With `strict` the first bad octet is an error, else bad ones become
// U+FFFD, and the rows that hold it are rejected later.
absl::StatusOr<std::string> Convert(absl::string_view bytes, const char* from, bool strict) {
  UErrorCode error = U_ZERO_ERROR;
  Converter source(ucnv_open(from, &error));
  Converter target(ucnv_open("UTF-8", &error));
  if (U_FAILURE(error)) {
    return absl::InternalError(absl::StrCat("ICU has no converter for ", from, ": ",
                                            u_errorName(error), "; install libicu"));
  }
  if (strict) {
    ucnv_setToUCallBack(source.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &error);
  }
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 2);
  char buffer[64 * 1024];
  UChar pivot[8 * 1024];
  UChar *pivot_source = pivot, *pivot_target = pivot;
  const char* next = bytes.data();
  const char* const end = next + bytes.size();
  bool reset = true;
  for (;;) {
    char* to = buffer;
    error = U_ZERO_ERROR;
    ucnv_convertEx(target.get(), source.get(), &to, buffer + sizeof(buffer), &next, end, pivot,
                   &pivot_source, &pivot_target, pivot + 8 * 1024, reset, /*flush=*/true, &error);
    reset = false;
    out.append(buffer, static_cast<size_t>(to - buffer));
    if (error == U_BUFFER_OVERFLOW_ERROR) continue;
    if (U_FAILURE(error)) {
      return Refuse("E_ENCODING", absl::StrCat("the file is not ", from, " throughout"));
    }
    return out;
  }
}

bool IsBlank(absl::string_view text) {
  while (!text.empty()) {
    if (absl::ConsumePrefix(&text, "\xEF\xBB\xBF")) continue;
    if (!absl::ascii_isspace(static_cast<unsigned char>(text[0]))) return false;
    text.remove_prefix(1);
  }
  return true;
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

// Two files pasted together read as GB18030 throughout, since nearly any pair of octets is a
// character there. The lines tell them apart: GB18030 text is almost never valid UTF-8 with
// characters of three octets, so when a fifth of the lines with high octets is, it is UTF-8 with
// foreign rows in it, and the rows are judged one by one.
bool IsMostlyUtf8(absl::string_view bytes) {
  size_t utf8 = 0, other = 0;
  for (absl::string_view line : absl::StrSplit(bytes, '\n')) {
    const bool high = std::any_of(line.begin(), line.end(),
                                  [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    if (!high) continue;
    const bool three = std::any_of(line.begin(), line.end(),
                                   [](char c) { return static_cast<unsigned char>(c) >= 0xe0; });
    if (three && CheckUtf8(line) == Utf8::kValid) {
      ++utf8;
    } else {
      ++other;
    }
    if (utf8 + other == 5000) break;
  }
  return utf8 * 5 >= utf8 + other;
}

absl::StatusOr<DecodedText> Converted(absl::string_view bytes, const char* from,
                                      absl::string_view name) {
  DecodedText out;
  absl::StatusOr<std::string> text = Convert(bytes, from, /*strict=*/false);
  if (!text.ok()) return text.status();
  out.owned = *std::move(text);
  out.converted = true;
  out.encoding = std::string(name);
  // U+FFFD in the result marks a row that did not decode.
  out.clean = !absl::StrContains(out.owned, "\xEF\xBF\xBD");
  return out;
}

absl::StatusOr<DecodedText> Guess(absl::string_view bytes) {
  DecodedText out;
  out.encoding = "utf-8";
  const Utf8 check = CheckUtf8(bytes);
  if (check != Utf8::kInvalid) {
    out.clean = check == Utf8::kValid;
    return out;
  }
  out.clean = false;
  out.guessed = true;
  if (IsMostlyUtf8(bytes)) return out;
  // Judged up to the last whole line: a file cut in the middle of a character is still GB18030.
  const size_t last_line = bytes.find_last_of('\n');
  const absl::string_view whole =
      last_line == absl::string_view::npos ? bytes : bytes.substr(0, last_line);
  if (!Convert(whole, "gb18030", /*strict=*/true).ok()) return out;
  absl::StatusOr<DecodedText> gb = Converted(bytes, "gb18030", "gb18030");
  if (gb.ok()) gb->guessed = true;
  return gb;
}

}  // namespace

absl::StatusOr<DecodedText> DecodeText(absl::string_view bytes, absl::string_view encoding) {
  if (bytes.empty()) return Refuse("E_EMPTY_FILE", "the file has no bytes; export the list again");
  if (const absl::string_view binary = KnownBinary(bytes); !binary.empty()) {
    return Refuse("E_NOT_TEXT", absl::StrCat("this is ", binary,
                                             ", not a CSV file; open it in a spreadsheet and save "
                                             "it as \"CSV UTF-8\""));
  }
  const bool automatic = encoding == "auto" || encoding.empty();
  if (!automatic && encoding != "utf-8" && encoding != "gb18030" && encoding != "windows-1252") {
    return Refuse("E_ENCODING", absl::StrCat("\"", encoding.substr(0, 40),
                                             "\" is none of auto, utf-8, gb18030, windows-1252"));
  }
  // UTF-32 before UTF-16: its little-endian mark begins with the other's.
  if (absl::StartsWith(bytes, absl::string_view("\xFF\xFE\0\0", 4)) ||
      absl::StartsWith(bytes, absl::string_view("\0\0\xFE\xFF", 4))) {
    return Refuse("E_ENCODING", "the file is UTF-32; save it as \"CSV UTF-8\"");
  }
  absl::StatusOr<DecodedText> out = DecodedText();
  if (absl::StartsWith(bytes, "\xFF\xFE") || absl::StartsWith(bytes, "\xFE\xFF")) {
    const bool little = bytes[0] == '\xFF';
    out = Converted(bytes.substr(2), little ? "UTF-16LE" : "UTF-16BE",
                    little ? "utf-16le" : "utf-16be");
  } else if (bytes.substr(0, std::min(bytes.find('\n'), size_t{4096})).find('\0') !=
             absl::string_view::npos) {
    return Refuse("E_ENCODING",
                  "the first line holds NUL octets: UTF-16 without a byte order mark, or no text; "
                  "save it as \"CSV UTF-8\"");
  } else if (absl::StartsWith(bytes, "\xEF\xBB\xBF")) {
    out->encoding = "utf-8";
    out->skip = 3;
    out->clean = CheckUtf8(bytes.substr(3)) == Utf8::kValid;
  } else if (automatic) {
    out = Guess(bytes);
  } else if (encoding == "utf-8") {
    out->encoding = "utf-8";
    out->clean = CheckUtf8(bytes) == Utf8::kValid;
  } else {
    out = Converted(bytes, std::string(encoding).c_str(), encoding);
  }
  if (out.ok() && IsBlank(out->text(bytes))) {
    return Refuse("E_EMPTY_FILE", "the file holds nothing but blanks; export the list again");
  }
  return out;
}

}  // namespace outpace::load
