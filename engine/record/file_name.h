#pragma once

// A recording's file name, made by the operator's pattern: VICIdial's words (CAMPAIGN, CUSTPHONE,
// FULLDATE, TINYDATE, EPOCH, AGENT, LEADID), ours (ATTEMPT) and the date parts %Y %y %m %d %H %M %S
// %j. What comes from outside (names of campaigns and agents, numbers) is cut to letters, digits,
// '_', '-' and '+' before it is put in, in one pass: it can add no directory, no dot, no further
// word, and means nothing to a shell, should one ever see it (CVE-2024-8504 began with such a
// name).

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/record/recording.h"

namespace outpace::record {

// InvalidArgument says what in the pattern is wrong: absolute, "..", a hidden file, an unknown
// %-part, a character that is not of [A-Za-z0-9._+-/], longer than 200 octets.
absl::Status CheckPattern(absl::string_view pattern);

// `pattern` was checked. With extension: ".wav", ".opus", and ".sealed" after it when encrypted.
// At most 240 octets a part.
std::string FileName(absl::string_view pattern, const RecordingOrder& order, absl::TimeZone zone);

// ".wav", ".opus", ".wav.sealed", ".opus.sealed".
std::string Extension(Format format, bool encrypted);

}  // namespace outpace::record
