#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "engine/base/check.h"

namespace outpace::record {

// SHA-256 (FIPS 180-4) of what is given piece by piece.
struct Hash {
  Hash() : context(::EVP_MD_CTX_new()) {
    OUTPACE_CHECK(context != nullptr && ::EVP_DigestInit_ex(context, ::EVP_sha256(), nullptr) == 1);
  }
  ~Hash() { ::EVP_MD_CTX_free(context); }
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;
  void Add(absl::string_view bytes) {
    OUTPACE_CHECK(::EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
  }
  std::string Hex() {  // once
    std::string digest(32, '\0');
    OUTPACE_CHECK(
        ::EVP_DigestFinal_ex(context, reinterpret_cast<uint8_t*>(digest.data()), nullptr) == 1);
    return absl::BytesToHexString(digest);
  }
  EVP_MD_CTX* const context;
};

}  // namespace outpace::record
