#include "campaign/report/zstd_frame.h"

#include <zstd.h>

#include "absl/strings/str_cat.h"

namespace outpace::report {
namespace {

// About the speed of the formatting itself; 5 and more would wait for the compressor.
constexpr int kLevel = 3;

}  // namespace

ZstdFrame::ZstdFrame() : context_(ZSTD_createCCtx()) {}
ZstdFrame::~ZstdFrame() { ZSTD_freeCCtx(context_); }

absl::Status ZstdFrame::Compress(absl::string_view bytes, std::string& frame) {
  frame.clear();
  if (bytes.empty()) return absl::OkStatus();
  if (context_ == nullptr) return absl::ResourceExhaustedError("zstd: no memory");
  ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context_, ZSTD_c_checksumFlag, 1);
  frame.resize(ZSTD_compressBound(bytes.size()));
  const size_t size =
      ZSTD_compress2(context_, frame.data(), frame.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size) != 0) {
    return absl::ResourceExhaustedError(absl::StrCat("zstd: ", ZSTD_getErrorName(size)));
  }
  frame.resize(size);
  return absl::OkStatus();
}

}  // namespace outpace::report
