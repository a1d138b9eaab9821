#pragma once

// The form in which texts are compared: ASCII for full-width letters, digits and punctuation, one
// case for all scripts that have two. Chinese text passes through unchanged and nearly at the speed
// of a copy; only scripts with case other than ASCII ask ICU (simple folding, one character for
// one: "ß" is not "ss"). Accents are kept: "é" is not "e".

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace outpace::filter {

// Room that Fold() may need for `size` octets of text: some letters of two octets fold to three,
// and it may write eight octets at a time.
constexpr size_t FoldedSizeMax(size_t size) { return size + size / 2 + 8; }

// Writes the folded form of UTF-8 `text` to `out` and returns its length in octets. Octets that are
// no UTF-8 are kept as they are. No allocation; any thread.
size_t Fold(absl::string_view text, char* out);
std::string Folded(absl::string_view text);

// `text` without blanks at its ends: ASCII white space, no-break space (U+00A0), ideographic
// space (U+3000).
absl::string_view TrimBlanks(absl::string_view text);

// A character of `text` at `at`, which is moved behind it; `at` < text.size(). Octets that are no
// UTF-8 count as characters by themselves, from 0x110000 on: equal to no real one.
char32_t NextCharacter(absl::string_view text, size_t& at);
void AppendUtf8(char32_t character, std::string& to);

// ASCII for a full-width form or the ideographic space, else the character itself.
constexpr char32_t Narrow(char32_t c) {
  if (c >= 0xff01 && c <= 0xff5e) return c - 0xfee0;
  return c == 0x3000 ? U' ' : c;
}

}  // namespace outpace::filter
