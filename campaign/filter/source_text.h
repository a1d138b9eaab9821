#pragma once

// The text of a filter, character by character, beside its shape: one octet a character, in which
// all ways of writing a bracket, a comma or a quote look alike. The grammar reads the shape, so an
// offset into it is a column, and names, texts and error messages come from the original.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace outpace::filter {

// Characters of a shape that stand for more than themselves. ASCII and its full-width forms are the
// ASCII character; 、 is a comma.
enum Shape : char {
  kLetter = '\x01',  // a letter or digit that is not ASCII
  kOther = '\x02',   // has no place outside of quotes
  kQuote = '\x03',   // either end of a quoted text, “ and ” too
  kInside = '\x04',  // within quotes; also a doubled quote, which stands for itself
  kName = '\x05',    // either end of a name in backquotes
  kAtLeast = '\x06',
  kAtMost = '\x07',
  kNotEqualSign = '\x08',
};

inline constexpr size_t kLengthMax = 65'536;  // characters of a filter
inline constexpr int kDepthMax = 64;          // brackets in brackets

class SourceText {
 public:
  // InvalidArgument: too long or too deep, no UTF-8, or a quote or bracket that nothing closes.
  static absl::StatusOr<SourceText> Read(absl::string_view text);

  const std::string& shape() const { return shape_; }
  // Characters [begin, end) as written.
  absl::string_view Written(size_t begin, size_t end) const;
  // The same, full-width forms as ASCII.
  std::string Narrowed(size_t begin, size_t end) const;
  // The text between the quotes at `begin` and `end` - 1, doubled ones undone.
  std::string Unquoted(size_t begin, size_t end) const;

  // InvalidArgument "filter: column 24: <what>", with the line and a caret under the character;
  // `at` may be one behind the last. Several lines: "line 2, column 5".
  absl::Status Error(size_t at, absl::string_view what) const;

 private:
  explicit SourceText(absl::string_view text) : text_(text) {}
  absl::Status ReadCharacters();
  absl::Status ReadShape();

  std::string text_;
  std::vector<char32_t> characters_;
  std::vector<uint32_t> offsets_;  // of each character in text_, and text_.size()
  std::string shape_;
};

}  // namespace outpace::filter
