#include "tests/engine/sip/test_certificates.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "gtest/gtest.h"

namespace outpace::sip {
namespace {

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  OUTPACE_CHECK(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

template <typename Write>
void WriteFile(const std::string& path, Write write) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  OUTPACE_CHECK(file != nullptr);
  OUTPACE_CHECK(write(file) == 1);
  std::fclose(file);
}

}  // namespace

TestAuthority::TestAuthority() {
  directory_ = absl::StrCat(::testing::TempDir(), "outpace_tls_XXXXXX");
  OUTPACE_CHECK(mkdtemp(directory_.data()) != nullptr);
  key_.reset(EVP_EC_gen("P-256"));
  certificate_ = Make(key_.get(), {.common_name = "Test authority"}, true);
  certificate_file_ = Path("authority.pem");
  WriteFile(certificate_file_,
            [this](std::FILE* file) { return PEM_write_X509(file, certificate_.get()); });
}

TestAuthority::~TestAuthority() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string TestAuthority::Path(const std::string& name) const {
  return absl::StrCat(directory_, "/", name);
}

std::unique_ptr<X509, TestAuthority::Free> TestAuthority::Make(EVP_PKEY* key,
                                                               const CertificateOf& of,
                                                               bool authority) {
  std::unique_ptr<X509, Free> certificate(X509_new());
  X509* raw = certificate.get();
  OUTPACE_CHECK(raw != nullptr && key != nullptr);
  X509_set_version(raw, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(raw), ++made_);
  X509_gmtime_adj(X509_getm_notBefore(raw), of.starts_seconds);
  X509_gmtime_adj(X509_getm_notAfter(raw), of.ends_seconds);
  X509_set_pubkey(raw, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(raw), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(of.common_name.c_str()), -1, -1,
                             0);
  X509* issuer = authority ? raw : certificate_.get();
  X509_set_issuer_name(raw, X509_get_subject_name(issuer));
  AddExtension(raw, issuer, NID_basic_constraints, authority ? "critical,CA:TRUE" : "CA:FALSE");
  AddExtension(raw, issuer, NID_subject_key_identifier, "hash");
  if (!of.alternative_names.empty()) {
    AddExtension(raw, issuer, NID_subject_alt_name, of.alternative_names);
  }
  OUTPACE_CHECK(X509_sign(raw, key_.get(), EVP_sha256()) > 0);
  return certificate;
}

TestAuthority::Issued TestAuthority::Issue(const CertificateOf& of) {
  const std::unique_ptr<EVP_PKEY, Free> key(EVP_EC_gen("P-256"));
  const std::unique_ptr<X509, Free> certificate = Make(key.get(), of, false);
  const Issued issued = {Path(absl::StrCat("certificate", made_, ".pem")),
                         Path(absl::StrCat("key", made_, ".pem"))};
  WriteFile(issued.certificate_file,
            [&](std::FILE* file) { return PEM_write_X509(file, certificate.get()); });
  WriteFile(issued.key_file, [&](std::FILE* file) {
    return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return issued;
}

SslContext ServerContext(const TestAuthority::Issued& issued, int max_version,
                         const std::string& their_authority) {
  SslContext context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* raw = context.get();
  OUTPACE_CHECK(SSL_CTX_use_certificate_chain_file(raw, issued.certificate_file.c_str()) == 1 &&
                SSL_CTX_use_PrivateKey_file(raw, issued.key_file.c_str(), SSL_FILETYPE_PEM) == 1);
  if (max_version != 0) {
    SSL_CTX_set_security_level(raw, 0);  // OpenSSL itself would not speak TLS 1.1 above it
    SSL_CTX_set_min_proto_version(raw, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(raw, max_version);
  }
  if (!their_authority.empty()) {
    OUTPACE_CHECK(SSL_CTX_load_verify_file(raw, their_authority.c_str()) == 1);
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

SslContext ClientContext(const TestAuthority::Issued* issued) {
  SslContext context(SSL_CTX_new(TLS_client_method()));
  if (issued != nullptr) {
    OUTPACE_CHECK(
        SSL_CTX_use_certificate_chain_file(context.get(), issued->certificate_file.c_str()) == 1 &&
        SSL_CTX_use_PrivateKey_file(context.get(), issued->key_file.c_str(), SSL_FILETYPE_PEM) ==
            1);
  }
  return context;
}

}  // namespace outpace::sip
