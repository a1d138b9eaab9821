#pragma once

// TLS as SIP towards a trunk wants it (RFC 3261 26.3.1, RFC 5922): TLS 1.2 or later, the chain
// checked, and the certificate carrying the name the operator configured for the trunk. The next
// hop itself is a number, so the name is looked up by the address the connection goes to. All of it
// happens inside the handshake: a certificate that does not fit ends it with an alert, and no
// octet of SIP has left by then. Sofia's own TLS code verifies nothing unless told, compares names
// with the host of the URI, reads the chain from fixed file names and never frees a connection; so
// tport_overrides.cc gives it the connections of this class instead. OpenSSL only, no Sofia.

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace outpace::sip {

struct TlsFiles {
  std::string certificate;  // PEM: ours, then its intermediates; empty: we show none
  std::string private_key;  // PEM; must fit the certificate
  std::string authorities;  // PEM: who may sign a trunk's; empty: those of the system
  bool clients_show_certificates = false;  // connections to us must, too, and are checked alike
};

// True if `certificate` is one for `name` (RFC 5922 7.1, 7.2): a numeric address must be among the
// subjectAltName addresses; a domain must be a "sip:" URI without a user or a DNS name there, or
// the common name where there is no subjectAltName at all. Case is ignored; wildcards never match.
bool CertificateIsFor(X509* certificate, absl::string_view name);

class SipTls {
 public:
  // Of the address we connect to, or are called from: the names of which the certificate must
  // carry every one. Empty: the address itself.
  using NamesOf = std::function<std::vector<std::string>(absl::string_view address)>;
  // A handshake failed. `why` is for people and holds nothing the far end wrote.
  using Refused = std::function<void(absl::string_view address, absl::string_view why)>;

  // InvalidArgument names the file that cannot be used. Ignores SIGPIPE for the process, as
  // OpenSSL's socket writes raise it.
  static absl::StatusOr<std::unique_ptr<SipTls>> Create(const TlsFiles& files, NamesOf names_of,
                                                        Refused refused);
  SipTls(const SipTls&) = delete;
  SipTls& operator=(const SipTls&) = delete;

  // A connection over the socket `fd`, which stays the caller's. `accepted`: we are the server.
  // Null when memory is out. The caller frees it with End().
  SSL* Begin(int fd, bool accepted);
  // Reports a handshake that began and never finished, and frees the connection. Writes nothing:
  // the socket is shut down by now.
  void End(SSL* connection);

  bool can_accept() const { return has_certificate_; }
  SSL_CTX* client() const { return client_.get(); }

 private:
  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  using Context = std::unique_ptr<SSL_CTX, FreeContext>;

  SipTls(NamesOf names_of, Refused refused)
      : names_of_(std::move(names_of)), refused_(std::move(refused)) {}
  absl::Status Fill(Context& context, const SSL_METHOD* method, const TlsFiles& files);
  static int VerifyCallback(X509_STORE_CTX* store, void* self);
  static void InfoCallback(const SSL* connection, int where, int value);
  bool Verify(X509_STORE_CTX* store);

  const NamesOf names_of_;
  const Refused refused_;
  bool has_certificate_ = false;
  Context client_, server_;
};

}  // namespace outpace::sip
