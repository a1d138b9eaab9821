#pragma once

// Pieces of a file as zstd frames (RFC 8878): frames one behind the other are one file to every
// reader, so that threads compress side by side and the bytes do not depend on who did which.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

struct ZSTD_CCtx_s;

namespace outpace::report {

// One thread at a time.
class ZstdFrame {
 public:
  ZstdFrame();
  ~ZstdFrame();
  // Replaces `frame`; empty for empty `bytes`. ResourceExhausted: no memory.
  absl::Status Compress(absl::string_view bytes, std::string& frame);

 private:
  ZSTD_CCtx_s* const context_;
};

}  // namespace outpace::report
