#include "engine/sip/sip_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/sip/sip_socket.h"
#include "engine/sip/sip_text.h"

namespace outpace::sip {
namespace {

// Forward secrecy and AEAD first; the rest of HIGH is for carriers of the last decade.
constexpr char kCiphers[] =
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:HIGH:!aNULL:!eNULL:!3DES:!PSK:!SRP:!MD5";

absl::string_view Text(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<size_t>(ASN1_STRING_length(string))};
}

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

bool HasAddress(const GENERAL_NAMES* names, absl::string_view address) {
  unsigned char wanted[sizeof(in6_addr)];
  const std::string text(address);
  const int family = absl::StrContains(address, ':') ? AF_INET6 : AF_INET;
  if (inet_pton(family, text.c_str(), wanted) != 1) return false;
  const absl::string_view octets(reinterpret_cast<const char*>(wanted),
                                 family == AF_INET6 ? sizeof(in6_addr) : sizeof(in_addr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_IPADD && Text(name->d.iPAddress) == octets) return true;
  }
  return false;
}

bool HasDomain(const GENERAL_NAMES* names, absl::string_view domain) {
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_DNS && absl::EqualsIgnoreCase(Text(name->d.dNSName), domain)) return true;
    if (name->type != GEN_URI) continue;
    // A user part makes it the name of a person, not of the domain (RFC 5922 7.1).
    const absl::string_view text = Text(name->d.uniformResourceIdentifier);
    const absl::StatusOr<SipUri> uri = ParseSipUri(text);
    if (uri.ok() && uri->scheme == "sip" && !absl::StrContains(text, '@') &&
        absl::EqualsIgnoreCase(uri->host, domain)) {
      return true;
    }
  }
  return false;
}

bool IsCommonName(X509* certificate, absl::string_view domain) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  const int last = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (last < 0) return false;
  const X509_NAME_ENTRY* entry = X509_NAME_get_entry(subject, last);
  return absl::EqualsIgnoreCase(Text(X509_NAME_ENTRY_get_data(entry)), domain);
}

absl::Status Unusable(absl::string_view what, absl::string_view file) {
  ERR_clear_error();
  return absl::InvalidArgumentError(absl::StrCat("tls: cannot use the ", what, " in ", file));
}

// What a connection knows of its handshake. The last alert is kept here because the queue of
// OpenSSL's errors is Sofia's to empty, and the address because a socket that was shut down may
// have forgotten it.
struct Handshake {
  std::string address;
  const char* alert = nullptr;
};

int HandshakeIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

Handshake& HandshakeOf(const SSL* connection) {
  return *static_cast<Handshake*>(SSL_get_ex_data(connection, HandshakeIndex()));
}

}  // namespace

bool CertificateIsFor(X509* certificate, absl::string_view name) {
  int critical = 0;
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr)));
  if (names == nullptr && critical != -1) return false;  // there, but unreadable or twice
  if (!CanonicalHost(name).empty()) return names != nullptr && HasAddress(names.get(), name);
  if (name.empty()) return false;
  return names != nullptr ? HasDomain(names.get(), name) : IsCommonName(certificate, name);
}

absl::StatusOr<std::unique_ptr<SipTls>> SipTls::Create(const TlsFiles& files, NamesOf names_of,
                                                       Refused refused) {
  std::signal(SIGPIPE, SIG_IGN);
  std::unique_ptr<SipTls> tls(new SipTls(std::move(names_of), std::move(refused)));
  if (absl::Status status = tls->Fill(tls->client_, TLS_client_method(), files); !status.ok()) {
    return status;
  }
  if (absl::Status status = tls->Fill(tls->server_, TLS_server_method(), files); !status.ok()) {
    return status;
  }
  SSL_CTX_set_verify(tls->client_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_verify(tls->server_.get(),
                     files.clients_show_certificates
                         ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                         : SSL_VERIFY_NONE,
                     nullptr);
  tls->has_certificate_ = !files.certificate.empty();
  return tls;
}

absl::Status SipTls::Fill(Context& context, const SSL_METHOD* method, const TlsFiles& files) {
  context.reset(SSL_CTX_new(method));
  SSL_CTX* raw = context.get();
  if (raw == nullptr || SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(raw, kCiphers) != 1) {
    return absl::UnavailableError("tls: the library is not usable");
  }
  // Renegotiation is how TLS 1.2 peers make a server work for nothing.
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  // The moving buffer: Sofia copies a message that waits into another place.
  SSL_CTX_set_mode(raw, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_app_data(raw, this);
  SSL_CTX_set_cert_verify_callback(raw, VerifyCallback, this);
  SSL_CTX_set_info_callback(raw, InfoCallback);
  if (!files.certificate.empty()) {
    if (SSL_CTX_use_certificate_chain_file(raw, files.certificate.c_str()) != 1) {
      return Unusable("certificate", files.certificate);
    }
    if (SSL_CTX_use_PrivateKey_file(raw, files.private_key.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(raw) != 1) {
      return Unusable("private key", files.private_key);
    }
  }
  const bool loaded = files.authorities.empty()
                          ? SSL_CTX_set_default_verify_paths(raw) == 1
                          : SSL_CTX_load_verify_file(raw, files.authorities.c_str()) == 1;
  if (!loaded) return Unusable("authorities", files.authorities);
  return absl::OkStatus();
}

SSL* SipTls::Begin(int fd, bool accepted) {
  SSL* connection = SSL_new(accepted ? server_.get() : client_.get());
  if (connection == nullptr) return nullptr;
  auto handshake = std::make_unique<Handshake>();
  if (SSL_set_fd(connection, fd) != 1 ||
      SSL_set_ex_data(connection, HandshakeIndex(), handshake.get()) != 1) {
    SSL_free(connection);
    return nullptr;
  }
  handshake.release();  // End() takes it back
  SSL_set_quiet_shutdown(connection, 1);
  return connection;
}

void SipTls::End(SSL* connection) {
  if (connection == nullptr) return;
  const std::unique_ptr<Handshake> handshake(&HandshakeOf(connection));
  if (!SSL_in_before(connection) && !SSL_is_init_finished(connection)) {
    const long verified = SSL_get_verify_result(connection);
    refused_(handshake->address, verified != X509_V_OK ? X509_verify_cert_error_string(verified)
                                 : handshake->alert != nullptr ? handshake->alert
                                                               : "the handshake was not finished");
  }
  SSL_set_ex_data(connection, HandshakeIndex(), nullptr);
  SSL_free(connection);
}

int SipTls::VerifyCallback(X509_STORE_CTX* store, void* self) {
  return static_cast<SipTls*>(self)->Verify(store) ? 1 : 0;
}

bool SipTls::Verify(X509_STORE_CTX* store) {
  if (X509_verify_cert(store) != 1) return false;
  const auto* connection = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const std::string& address = HandshakeOf(connection).address;
  std::vector<std::string> names = names_of_(address);
  if (names.empty()) names.push_back(address);
  X509* certificate = X509_STORE_CTX_get0_cert(store);
  const bool fits = std::all_of(names.begin(), names.end(), [certificate](const std::string& name) {
    return CertificateIsFor(certificate, name);
  });
  if (!fits) X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
  return fits;
}

void SipTls::InfoCallback(const SSL* connection, int where, int value) {
  Handshake& handshake = HandshakeOf(connection);
  if ((where & SSL_CB_ALERT) != 0 && (value >> 8) == SSL3_AL_FATAL) {
    handshake.alert = SSL_alert_desc_string_long(value);
  }
  if ((where & SSL_CB_HANDSHAKE_START) == 0) return;
  handshake.address = PeerAddress(SSL_get_fd(connection));  // before, it was not connected
  if (SSL_is_server(connection) != 0) return;
  const auto* self = static_cast<const SipTls*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection)));
  const std::vector<std::string> names = self->names_of_(handshake.address);
  // A number is no server name (RFC 6066 3).
  if (!names.empty() && CanonicalHost(names.front()).empty()) {
    SSL_set_tlsext_host_name(const_cast<SSL*>(connection), names.front().c_str());
  }
}

}  // namespace outpace::sip
