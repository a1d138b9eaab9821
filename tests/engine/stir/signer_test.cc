#include "engine/stir/signer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/engine/stir/passport.h"

namespace outpace::stir {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

constexpr char kUrl[] = "https://cert.example.org/passport.pem";

std::string PublicPem(EVP_PKEY* key) {
  std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()), BIO_free_all);
  EXPECT_EQ(PEM_write_bio_PUBKEY(bio.get(), key), 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

Claims Call() {
  return {.attest = Attestation::kFull,
          .orig = E164(12155551212),
          .dest = E164(12355551212),
          .orig_id = "123e4567-e89b-12d3-a456-426655440000"};
}

TEST(Signer, ThePassportIsTheCanonicalTextAndItsSignatureHolds) {
  const Key key = EcKey("P-256");
  const auto signer = Signer::FromPem(Pem(key.get()), kUrl);
  ASSERT_TRUE(signer.ok()) << signer.status();
  const auto identity = (*signer)->Identity(Call(), absl::FromUnixSeconds(1443208345));
  ASSERT_TRUE(identity.ok());
  const Passport passport = Verify(*identity, key.get());
  EXPECT_TRUE(passport.valid);
  EXPECT_EQ(passport.header, R"({"alg":"ES256","ppt":"shaken","typ":"passport",)"
                             R"("x5u":"https://cert.example.org/passport.pem"})");
  // The claims of RFC 8588 section 4, byte for byte.
  EXPECT_EQ(passport.payload,
            R"({"attest":"A","dest":{"tn":["12355551212"]},"iat":1443208345,)"
            R"("orig":{"tn":"12155551212"},"origid":"123e4567-e89b-12d3-a456-426655440000"})");
  EXPECT_EQ(passport.parameters,
            "info=<https://cert.example.org/passport.pem>;alg=ES256;ppt=shaken");
}

TEST(Signer, AParserThatSortsKeysWritesTheSameText) {
  const Key key = EcKey("P-256");
  auto signer = Signer::FromPem(Pem(key.get()), kUrl).value();
  const Passport passport =
      Verify(signer->Identity(Call(), absl::FromUnixSeconds(1'800'000'000)).value(), key.get());
  // nlohmann::json keeps objects sorted by key and prints without white space.
  EXPECT_EQ(nlohmann::json::parse(passport.header).dump(), passport.header);
  const nlohmann::json claims = nlohmann::json::parse(passport.payload);
  EXPECT_EQ(claims.dump(), passport.payload);
  EXPECT_EQ(claims["dest"]["tn"][0], "12355551212");
  EXPECT_EQ(claims["orig"]["tn"], "12155551212");
  EXPECT_EQ(claims["iat"], 1'800'000'000);
}

TEST(Signer, AnotherKeyOrAnotherTextDoesNotVerify) {
  const Key key = EcKey("P-256");
  const Key other = EcKey("P-256");
  auto signer = Signer::FromPem(Pem(key.get()), kUrl).value();
  const std::string identity(signer->Identity(Call(), absl::FromUnixSeconds(1)).value());
  EXPECT_TRUE(Verify(identity, key.get()).valid);
  EXPECT_FALSE(Verify(identity, other.get()).valid);
  std::string forged = identity;
  const size_t dot = forged.find('.');
  forged[dot + 20] = forged[dot + 20] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(Verify(forged, key.get()).valid);
}

TEST(Signer, OneSignatureForTheSameCallInTheSameSecond) {
  const Key key = EcKey("P-256");
  auto signer = Signer::FromPem(Pem(key.get()), kUrl).value();
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  const std::string first(signer->Identity(Call(), now).value());
  EXPECT_EQ(signer->Identity(Call(), now + absl::Milliseconds(999)).value(), first);
  EXPECT_EQ(signer->signatures(), 1);
  Claims claims = Call();
  claims.dest = E164(12355551213);
  EXPECT_NE(signer->Identity(claims, now).value(), first);
  claims = Call();
  claims.attest = Attestation::kPartial;
  EXPECT_NE(signer->Identity(claims, now).value(), first);
  EXPECT_NE(signer->Identity(Call(), now + absl::Seconds(1)).value(), first);
  EXPECT_EQ(signer->signatures(), 4);
}

// Signatures whose r or s begins with zero octets are where a DER reading goes wrong: about one in
// 128 does. Also more calls in a second than are kept.
TEST(Signer, ManySignaturesOfOneSecondAllHold) {
  const Key key = EcKey("P-256");
  auto signer = Signer::FromPem(Pem(key.get()), kUrl).value();
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  for (uint64_t i = 0; i < 6'000; ++i) {
    Claims claims = Call();
    claims.dest = E164(12355000000 + i);
    const auto identity = signer->Identity(claims, now);
    ASSERT_TRUE(identity.ok());
    if (i % 8 == 0) {
      ASSERT_TRUE(Verify(*identity, key.get()).valid) << i;
    }
  }
  EXPECT_EQ(signer->signatures(), 6'000);
}

TEST(Signer, WhatIsNoKeyIsToldPlainly) {
  const auto fault = [](const std::string& pem) {
    const auto signer = Signer::FromPem(pem, kUrl);
    EXPECT_EQ(signer.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(signer.status().message());
  };
  EXPECT_THAT(fault(Pem(EcKey("P-384").get())), HasSubstr("on the curve secp384r1; SHAKEN signs"));
  EXPECT_THAT(fault(Pem(EcKey("secp256k1").get())), HasSubstr("on the curve secp256k1"));
  EXPECT_THAT(fault(Pem(Key(EVP_RSA_gen(2048)).get())), HasSubstr("a key of type RSA"));
  EXPECT_THAT(fault(Pem(EcKey("P-256").get(), "secret")), HasSubstr("key is encrypted; decrypt"));
  EXPECT_THAT(fault(PublicPem(EcKey("P-256").get())), HasSubstr("a public key and no private"));
  EXPECT_THAT(fault("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
              HasSubstr("a certificate and no private key"));
  EXPECT_THAT(fault(""), HasSubstr("no private key in PEM"));
  std::string cut = Pem(EcKey("P-256").get());
  cut.resize(cut.size() / 2);
  EXPECT_THAT(fault(cut), HasSubstr("no private key in PEM"));
}

TEST(Signer, TheAddressOfTheCertificateIsChecked) {
  const std::string pem = Pem(EcKey("P-256").get());
  for (const char* url : {"", "http://a/b", "https://", "https://a/\"b", "https://a/b>c",
                          "https://a/b c", "https://a/b\r\nX: y", "https://a/\\u0022"}) {
    const auto signer = Signer::FromPem(pem, url);
    EXPECT_EQ(signer.status().code(), absl::StatusCode::kInvalidArgument) << url;
    EXPECT_THAT(std::string(signer.status().message()), HasSubstr("https://")) << url;
  }
}

TEST(Signer, FilesAreReadOrToldWhyNot) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/stir-file-", getpid(), ".pem");
  {
    std::ofstream file(path);
    file << Pem(EcKey("P-256").get());
  }
  EXPECT_TRUE(Signer::FromFile(path, kUrl).ok());
  auto status = Signer::FromFile(path + ".absent", kUrl).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot be read: No such file"));
  status = Signer::FromFile(::testing::TempDir(), kUrl).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  {
    std::ofstream file(path);
    file << "not a key";
  }
  status = Signer::FromFile(path, kUrl).status();
  EXPECT_THAT(std::string(status.message()), StartsWith(path + ": no private key in PEM"));
  if (getuid() != 0) {  // root reads everything
    ASSERT_EQ(chmod(path.c_str(), 0), 0);
    EXPECT_EQ(Signer::FromFile(path, kUrl).status().code(), absl::StatusCode::kPermissionDenied);
  }
  unlink(path.c_str());
}

TEST(Attestation, ByOwnershipAndCustomer) {
  EXPECT_EQ(AttestationFor(true, true), Attestation::kFull);
  EXPECT_EQ(AttestationFor(false, true), Attestation::kPartial);
  EXPECT_EQ(AttestationFor(false, false), Attestation::kGateway);
  EXPECT_EQ(AttestationFor(true, false), Attestation::kFull);
}

TEST(OrigId, IsAUuidThatStays) {
  const std::string id = OrigIdOf("carrier-a");
  EXPECT_THAT(id, MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                               "[0-9a-f]{12}"));
  EXPECT_EQ(OrigIdOf("carrier-a"), id);
  EXPECT_NE(OrigIdOf("carrier-b"), id);
}

}  // namespace
}  // namespace outpace::stir
