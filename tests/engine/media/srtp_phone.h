#pragma once

// The other side of SRTP: libsrtp2, which shares no code with ours.

#include <srtp2/srtp.h>

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "engine/media/sdes.h"
#include "engine/media/srtp.h"

namespace outpace::media {

// One direction of one stream or of all.
class LibSrtp {
 public:
  enum class Way { kIn, kOut };
  // `mki` not empty: packets carry it.
  LibSrtp(const SrtpKey& key, Way way, absl::string_view mki = "");
  ~LibSrtp();
  LibSrtp(const LibSrtp&) = delete;
  LibSrtp& operator=(const LibSrtp&) = delete;

  // Nothing when libsrtp2 refuses.
  std::optional<std::string> Protect(absl::string_view packet);
  std::optional<std::string> Unprotect(absl::string_view packet);
  std::optional<std::string> ProtectReport(absl::string_view packet);
  std::optional<std::string> UnprotectReport(absl::string_view packet);

 private:
  const bool mki_;
  srtp_t session_ = nullptr;
};

// A key whose octets count up from `first`.
SrtpKey KeyOf(SrtpSuite suite, uint8_t first);

// The a=crypto lines of an SDP, read by our own parser.
std::vector<SdesLine> CryptoOf(absl::string_view sdp);

}  // namespace outpace::media
