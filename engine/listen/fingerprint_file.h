#pragma once

// The file of a fingerprint set. Numbers are little-endian:
//   8 octets "OPFPRNT" and a zero; u32 version (1); u32 CRC-32 of all that follows; u64 its length;
//   u32 samples; each: u16 + class, u16 + name, u32 length in ms, u32 frames,
//   then 4 rows of `frames` times (3 octets bits, 3 octets sure).
// Only prints are kept, no audio: nobody's voice can be played from it.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/listen/fingerprint_matcher.h"

namespace outpace::listen {

std::string EncodeFingerprints(absl::Span<const SamplePrint> samples);
// DataLoss says what is wrong with `bytes`; `name` is for messages. Reads nothing it was not given,
// whatever the lengths inside say.
absl::StatusOr<std::vector<SamplePrint>> DecodeFingerprints(absl::string_view bytes,
                                                            absl::string_view name);

// NotFound, PermissionDenied, DataLoss, Unavailable (the disk).
absl::StatusOr<std::vector<SamplePrint>> ReadFingerprintFile(const std::string& path);
// Whole or not at all: beside it, synced, renamed.
absl::Status WriteFingerprintFile(const std::string& path, absl::Span<const SamplePrint> samples);

}  // namespace outpace::listen
