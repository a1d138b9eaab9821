#pragma once

// Certificates made for one test: an authority and what it signs, in files under the test's
// temporary directory that go with the object. P-256, so that making one takes no time.

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace outpace::sip {

struct CertificateOf {
  std::string common_name = "far";
  std::string alternative_names = {};  // as in openssl.cnf: "DNS:a.example,IP:127.0.0.1"
  int starts_seconds = -60;            // from now
  int ends_seconds = 3'600;
};

class TestAuthority {
 public:
  TestAuthority();
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  const std::string& file() const { return certificate_file_; }
  struct Issued {
    std::string certificate_file;
    std::string key_file;
  };
  Issued Issue(const CertificateOf& of);

 private:
  struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  std::unique_ptr<X509, Free> Make(EVP_PKEY* key, const CertificateOf& of, bool authority);
  std::string Path(const std::string& name) const;

  std::string directory_;
  int made_ = 0;
  std::unique_ptr<EVP_PKEY, Free> key_;
  std::unique_ptr<X509, Free> certificate_;
  std::string certificate_file_;
};

struct FreeSslContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, FreeSslContext>;

// The far end's side, with that certificate; it asks the other side for one when
// `their_authority` (a file) is given. `max_version` 0: any.
SslContext ServerContext(const TestAuthority::Issued& issued, int max_version = 0,
                         const std::string& their_authority = "");
// A far end that connects to us, and takes any certificate; `issued` null: it has none.
SslContext ClientContext(const TestAuthority::Issued* issued = nullptr);

}  // namespace outpace::sip
