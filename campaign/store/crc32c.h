#pragma once

// CRC-32C, the checksum of every record.

#include <cstdint>

#include "absl/strings/string_view.h"

namespace outpace::store {

// CRC-32C (Castagnoli, RFC 3720 B.4) of `bytes`; by the processor's own instruction where it has
// one (SSE 4.2), else by tables. Any thread.
uint32_t Crc32c(absl::string_view bytes);

// The same by tables, on any machine: what the other is compared with.
uint32_t Crc32cByTables(absl::string_view bytes);

}  // namespace outpace::store
