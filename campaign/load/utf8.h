#pragma once

// Strict UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF), at the speed of
// memory for the ASCII that most lists are made of.

#include <cstddef>

#include "absl/strings/string_view.h"

namespace outpace::load {

enum class Utf8 { kValid, kCutAtEnd, kInvalid };

// kCutAtEnd: valid but for a last character that is not complete. Any thread.
Utf8 CheckUtf8(absl::string_view text);

// Octets of `text` that are whole and valid characters, from its beginning. Any thread.
size_t ValidUtf8Prefix(absl::string_view text);

}  // namespace outpace::load
