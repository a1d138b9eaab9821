#include "campaign/filter/source_text.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "campaign/filter/text_fold.h"

namespace outpace::filter {
namespace {

// The quote that closes a text opened by `c`; 0 when `c` opens none. A closing quote opens too:
// input methods do not always know which is meant.
char32_t ClosingQuote(char32_t c) {
  switch (c) {
    case U'"':
    case U'\'':
    case U'＂':
      return c;
    case U'“':
    case U'”':
      return U'”';
    case U'‘':
    case U'’':
      return U'’';
    default:
      return 0;
  }
}

char ShapeOf(char32_t c) {
  switch (c) {
    case U'、':
      return ',';
    case U'≥':
      return kAtLeast;
    case U'≤':
      return kAtMost;
    case U'≠':
      return kNotEqualSign;
    case U'−':
    case U'–':
      return '-';
    case U'\u00a0':
      return ' ';
    default:
      break;
  }
  const char32_t narrow = Narrow(c);
  if (narrow < 0x80) {
    const auto octet = static_cast<unsigned char>(narrow);
    if (!absl::ascii_isprint(octet) && !absl::ascii_isspace(octet)) return kOther;
    return static_cast<char>(octet);
  }
  if (u_charType(static_cast<UChar32>(c)) == U_CURRENCY_SYMBOL) return '$';
  return u_isalnum(static_cast<UChar32>(c)) ? kLetter : kOther;
}

// Columns of a terminal that a character takes.
size_t WidthOf(char32_t c) {
  if (c < 0x300) return 1;
  const auto type = u_charType(static_cast<UChar32>(c));
  if (type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK) return 0;
  const int width = u_getIntPropertyValue(static_cast<UChar32>(c), UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_FULLWIDTH || width == U_EA_WIDE ? 2 : 1;
}

}  // namespace

absl::StatusOr<SourceText> SourceText::Read(absl::string_view text) {
  SourceText source(text);
  if (absl::Status s = source.ReadCharacters(); !s.ok()) return s;
  if (absl::Status s = source.ReadShape(); !s.ok()) return s;
  return source;
}

absl::Status SourceText::ReadCharacters() {
  for (size_t at = 0; at < text_.size();) {
    offsets_.push_back(static_cast<uint32_t>(at));
    characters_.push_back(NextCharacter(text_, at));
    if (characters_.back() > 0x10ffff) {
      return absl::InvalidArgumentError(
          absl::StrCat("filter: column ", characters_.size(), ": the text is not UTF-8"));
    }
    if (characters_.size() > kLengthMax) {
      return absl::InvalidArgumentError(absl::StrCat("filter: column ", kLengthMax + 1,
                                                     ": longer than ", kLengthMax, " characters"));
    }
  }
  offsets_.push_back(static_cast<uint32_t>(text_.size()));
  return absl::OkStatus();
}

absl::Status SourceText::ReadShape() {
  std::vector<size_t> open;  // brackets
  for (size_t at = 0; at < characters_.size();) {
    const char32_t c = characters_[at];
    const bool name = Narrow(c) == U'`';
    if (const char32_t closing = name ? c : ClosingQuote(c); closing != 0) {
      const char end_shape = name ? kName : kQuote;
      size_t end = at + 1;
      for (; end < characters_.size(); ++end) {
        if (characters_[end] != closing) continue;
        if (end + 1 >= characters_.size() || characters_[end + 1] != closing) break;
        ++end;
      }
      if (end >= characters_.size()) {
        return Error(at, "the quote that opens here is never closed");
      }
      shape_ += end_shape;
      shape_.append(end - at - 1, kInside);
      shape_ += end_shape;
      at = end + 1;
      continue;
    }
    shape_ += ShapeOf(c);
    if (shape_.back() == '(') {
      open.push_back(at);
      if (open.size() > kDepthMax) {
        return Error(at, absl::StrCat("brackets nested deeper than ", kDepthMax));
      }
    } else if (shape_.back() == ')') {
      if (open.empty()) return Error(at, "there is no ( that this ) closes");
      open.pop_back();
    }
    ++at;
  }
  if (!open.empty()) return Error(open.back(), "this ( is never closed");
  return absl::OkStatus();
}

absl::string_view SourceText::Written(size_t begin, size_t end) const {
  return absl::string_view(text_).substr(offsets_[begin], offsets_[end] - offsets_[begin]);
}

std::string SourceText::Narrowed(size_t begin, size_t end) const {
  std::string out;
  for (size_t at = begin; at < end; ++at) AppendUtf8(Narrow(characters_[at]), out);
  return out;
}

std::string SourceText::Unquoted(size_t begin, size_t end) const {
  const char32_t closing = characters_[end - 1];
  std::string out;
  for (size_t at = begin + 1; at + 1 < end; ++at) {
    AppendUtf8(characters_[at], out);
    if (characters_[at] == closing) ++at;
  }
  return out;
}

absl::Status SourceText::Error(size_t at, absl::string_view what) const {
  size_t line_begin = at, line = 1;
  while (line_begin > 0 && characters_[line_begin - 1] != U'\n') --line_begin;
  size_t line_end = at;
  while (line_end < characters_.size() && characters_[line_end] != U'\n') ++line_end;
  line += static_cast<size_t>(std::count(
      characters_.begin(), characters_.begin() + static_cast<ptrdiff_t>(line_begin), U'\n'));
  const bool several =
      std::find(characters_.begin(), characters_.end(), U'\n') != characters_.end();
  // A long line is cut around the place.
  constexpr size_t kAround = 60;
  const size_t from = at - line_begin > kAround ? at - kAround : line_begin;
  const size_t to = std::min(line_end, at + kAround);
  std::string shown = from > line_begin ? "..." : "", caret(shown.size(), ' ');
  for (size_t i = from; i < to; ++i) {
    const bool control = characters_[i] < 0x20 || characters_[i] == 0x7f;
    AppendUtf8(control ? U' ' : characters_[i], shown);
    if (i < at) caret.append(WidthOf(characters_[i]), ' ');
  }
  if (to < line_end) shown += "...";
  return absl::InvalidArgumentError(
      absl::StrCat("filter: ", several ? absl::StrCat("line ", line, ", ") : "", "column ",
                   at - line_begin + 1, ": ", what, "\n  ", shown, "\n  ", caret, "^"));
}

}  // namespace outpace::filter
