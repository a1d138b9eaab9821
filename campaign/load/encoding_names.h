#pragma once

// Names of encodings: ours, what people write, and what ICU calls them.

#include "absl/strings/string_view.h"

namespace outpace::load {

// ICU's name of the converter for one of EncodingNames(); nullptr if it is none.
const char* IcuName(absl::string_view name);

// The name of EncodingNames() for a charset that ICU's detector reports; empty: one we do not
// guess.
absl::string_view NameOfDetected(absl::string_view icu);

}  // namespace outpace::load
