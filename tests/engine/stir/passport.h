#pragma once

// Keys for tests, and the verifier's side of a PASSporT.

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace outpace::stir {

struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, KeyFree>;

inline Key EcKey(const char* curve) { return Key(EVP_EC_gen(curve)); }

inline std::string Pem(EVP_PKEY* key, const char* password = nullptr) {
  std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()), BIO_free_all);
  EXPECT_EQ(PEM_write_bio_PrivateKey(
                bio.get(), key, password == nullptr ? nullptr : EVP_aes_256_cbc(),
                reinterpret_cast<const unsigned char*>(password),
                password == nullptr ? 0 : static_cast<int>(std::string(password).size()), nullptr,
                nullptr),
            1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

// The verifier of another implementation: takes the header apart, checks the raw signature.
struct Passport {
  std::string header, payload;
  bool valid = false;
  std::string parameters;
};
inline Passport Verify(absl::string_view identity, EVP_PKEY* key) {
  Passport passport;
  const std::vector<std::string> halves = absl::StrSplit(identity, absl::MaxSplits(';', 1));
  passport.parameters = halves.at(1);
  const std::vector<std::string> parts = absl::StrSplit(halves.at(0), '.');
  EXPECT_EQ(parts.size(), 3u);
  std::string signature;
  EXPECT_TRUE(absl::WebSafeBase64Unescape(parts[0], &passport.header));
  EXPECT_TRUE(absl::WebSafeBase64Unescape(parts[1], &passport.payload));
  EXPECT_TRUE(absl::WebSafeBase64Unescape(parts[2], &signature));
  EXPECT_EQ(signature.size(), 64u) << "r and s of 32 octets each (RFC 7518 3.4)";
  const auto* raw = reinterpret_cast<const unsigned char*>(signature.data());
  std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> sig(ECDSA_SIG_new(), ECDSA_SIG_free);
  ECDSA_SIG_set0(sig.get(), BN_bin2bn(raw, 32, nullptr), BN_bin2bn(raw + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int der_size = i2d_ECDSA_SIG(sig.get(), &der);
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                  EVP_MD_CTX_free);
  const std::string input = absl::StrCat(parts[0], ".", parts[1]);
  EXPECT_EQ(EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key), 1);
  passport.valid =
      EVP_DigestVerify(context.get(), der, static_cast<size_t>(der_size),
                       reinterpret_cast<const unsigned char*>(input.data()), input.size()) == 1;
  OPENSSL_free(der);
  return passport;
}

}  // namespace outpace::stir
