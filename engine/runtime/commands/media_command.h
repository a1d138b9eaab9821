#pragma once

// What `outpace media` does, apart from reading its arguments. The set is a file; no engine is
// asked, and one that runs reads the set when it starts.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace outpace::runtime {

// Each returns the text to print. Files are WAV, mono, 8000 Hz (InvalidArgument otherwise).

// Adds `files` to the set at `set_path`, which is made if there is none: all of them or, when one
// is refused, none. A sample is known by its file's name without folder and ".wav", or by `name` if
// there is only one file.
absl::StatusOr<std::string> LearnAnnouncements(const std::string& set_path,
                                               absl::string_view announcement_class,
                                               absl::string_view name,
                                               absl::Span<const std::string> files);
// The samples by class, and what each is known by.
absl::StatusOr<std::string> ShowAnnouncements(const std::string& set_path);
// What the engine would hear in each file, and after how many seconds. `set_path` may be empty:
// tones alone.
absl::StatusOr<std::string> TestAnnouncements(const std::string& set_path,
                                              absl::string_view country,
                                              absl::Span<const std::string> files);
// Takes samples out again, by name: all or none.
absl::StatusOr<std::string> ForgetAnnouncements(const std::string& set_path,
                                                absl::Span<const std::string> names);

}  // namespace outpace::runtime
