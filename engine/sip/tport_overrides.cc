#include "engine/sip/tport_overrides.h"

#include <dlfcn.h>
#include <openssl/ssl.h>
#include <sofia-sip/msg_types.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/su_strlst.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "engine/base/check.h"
#include "engine/sip/stream_guard.h"
#include "engine/sip/stream_tap.h"

struct tport_primary;  // begins with a tport_s
struct tls_issues_s;

// The library's state of one TLS connection, or of a TLS listener ("master"), as its tport_tls.c
// lays it out. Made and freed here; in between, the library's own code reads and writes it.
struct tls_s {
  su_home_t home[1];
  SSL_CTX* ctx;
  SSL* con;
  BIO* bio_con;
  unsigned type : 1, accept : 1, verify_incoming : 1, verify_outgoing : 1, verify_subj_in : 1,
      verify_subj_out : 1, verify_date : 1, x509_verified : 1;
  int read_events;
  void* read_buffer;
  size_t read_buffer_len;
  int write_events;
  void* write_buffer;
  size_t write_buffer_len;
  su_strlst_t* subjects;
};

extern "C" {
// The library's, by the names it calls them itself.
tport_t* tport_alloc_secondary(tport_primary* primary, int socket, int accepted,
                               char const** return_reason);
void tport_zap_secondary(tport_t* self);
ssize_t tport_recv_iovec(tport_t const* self, msg_t** message, su_iovec_t* iovec, size_t size,
                         int exact);
void tport_base_deliver(tport_t* self, msg_t* msg, su_time_t now);
tls_s* tls_init_master(tls_issues_s* issues);
tls_s* tls_init_secondary(tls_s* master, int socket, int accept);
void tls_free(tls_s* tls);
ssize_t tls_read(tls_s* tls);
int tls_connect(su_root_magic_t* magic, su_wait_t* wait, tport_t* self);
int tls_get_socket(tls_s* tls);
int tls_pending(tls_s const* tls);
int tls_events(tls_s const* tls, int mask);
void* tls_read_buffer(tls_s* tls, size_t size);
}

namespace outpace::sip {
namespace {

constexpr size_t kTlsBufferBytes = 16'384;  // the library's; a whole TLS record
constexpr int kKeepAlivesMax = 64;          // read at once; more is no keeping alive

bool IsSpace(absl::string_view octets) {
  return std::all_of(octets.begin(), octets.end(), absl::ascii_isspace);
}

template <typename Function>
Function* Original(const char* name) {
  void* symbol = dlsym(RTLD_NEXT, name);
  OUTPACE_CHECK(symbol != nullptr);
  return reinterpret_cast<Function*>(symbol);
}

template <typename Function>
bool IsOurs(const char* name, Function* function) {
  return dlsym(RTLD_DEFAULT, name) == reinterpret_cast<void*>(function);
}

// Set while the library's tls_connect() runs; see SSL_get1_peer_certificate().
thread_local bool in_tls_connect = false;

bool IsTls(tport_primary* primary) {
  return tport_has_tls(reinterpret_cast<const tport_t*>(primary)) != 0;
}

// Gives `fd` to nobody: the far end gets a reset, and no TIME_WAIT is left here.
void Slam(int fd) {
  const linger now{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
}

// The accessors that the library exports must see what we put into our idea of its state.
void CheckLayout() {
  auto* tls = static_cast<tls_s*>(su_home_new(sizeof(tls_s)));
  OUTPACE_CHECK(tls != nullptr);
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  SSL* connection = SSL_new(context);
  char buffer[8];
  tls->type = 1;  // a connection
  tls->con = connection;
  OUTPACE_CHECK(SSL_set_fd(connection, STDIN_FILENO) == 1);
  tls->bio_con = SSL_get_rbio(connection);
  OUTPACE_CHECK(tls_get_socket(tls) == STDIN_FILENO && tls_pending(tls) == 0);
  tls->read_events = SU_WAIT_IN;
  tls->write_events = 0;
  OUTPACE_CHECK(tls_events(tls, SU_WAIT_IN | SU_WAIT_OUT) == SU_WAIT_IN);
  tls->read_events = 0;
  tls->write_events = SU_WAIT_OUT;
  OUTPACE_CHECK(tls_events(tls, SU_WAIT_IN | SU_WAIT_OUT) == SU_WAIT_OUT);
  tls->read_buffer = buffer;
  tls->read_buffer_len = sizeof buffer;
  OUTPACE_CHECK(tls_read_buffer(tls, sizeof buffer) == buffer && tls->read_buffer_len == 0);
  SSL_free(connection);
  SSL_CTX_free(context);
  su_home_unref(tls->home);
}

}  // namespace

void CheckTportOverrides() {
  OUTPACE_CHECK(IsOurs("tport_alloc_secondary", &tport_alloc_secondary) &&
                IsOurs("tport_zap_secondary", &tport_zap_secondary) &&
                IsOurs("tport_recv_iovec", &tport_recv_iovec) &&
                IsOurs("tport_base_deliver", &tport_base_deliver) &&
                IsOurs("tls_init_master", &tls_init_master) &&
                IsOurs("tls_init_secondary", &tls_init_secondary) &&
                IsOurs("tls_free", &tls_free) && IsOurs("tls_read", &tls_read) &&
                IsOurs("tls_connect", &tls_connect));
  CheckLayout();
}

}  // namespace outpace::sip

using outpace::sip::Original;
using outpace::sip::StreamGuard;
using outpace::sip::StreamTap;

// ---- connections ----

extern "C" tport_t* tport_alloc_secondary(tport_primary* primary, int socket, int accepted,
                                          char const** return_reason) {
  static const auto kOriginal = Original<decltype(tport_alloc_secondary)>("tport_alloc_secondary");
  StreamGuard* guard = StreamGuard::OfThisThread();
  if (guard != nullptr && accepted != 0 && !guard->MayOpen(socket, outpace::sip::IsTls(primary))) {
    outpace::sip::Slam(socket);
    *return_reason = "refused";
    return nullptr;
  }
  tport_t* transport = kOriginal(primary, socket, accepted, return_reason);
  if (guard != nullptr && transport != nullptr) guard->Opened(transport, socket, accepted != 0);
  if (StreamTap* tap = StreamTap::OfThisThread(); tap != nullptr && transport != nullptr) {
    tap->Opened(socket, outpace::sip::IsTls(primary));
  }
  return transport;
}

extern "C" void tport_zap_secondary(tport_t* self) {
  static const auto kOriginal = Original<decltype(tport_zap_secondary)>("tport_zap_secondary");
  if (StreamGuard* guard = StreamGuard::OfThisThread(); guard != nullptr) guard->Gone(self);
  kOriginal(self);
}

extern "C" ssize_t tport_recv_iovec(tport_t const* self, msg_t** message, su_iovec_t* iovec,
                                    size_t size, int exact) {
  static const auto kOriginal = Original<decltype(tport_recv_iovec)>("tport_recv_iovec");
  if (StreamGuard* guard = StreamGuard::OfThisThread(); guard != nullptr) {
    guard->Reading(self, message);
  }
  return kOriginal(self, message, iovec, size, exact);
}

extern "C" void tport_base_deliver(tport_t* self, msg_t* msg, su_time_t now) {
  static const auto kOriginal = Original<decltype(tport_base_deliver)>("tport_base_deliver");
  if (StreamGuard* guard = StreamGuard::OfThisThread(); guard != nullptr) guard->Delivered(self);
  kOriginal(self, msg, now);
}

// ---- TLS ----

// The listener. It holds no keys of its own: SipTls has them.
extern "C" tls_s* tls_init_master(tls_issues_s*) {
  StreamGuard* guard = StreamGuard::OfThisThread();
  if (guard == nullptr || guard->tls() == nullptr) {
    errno = EIO;
    return nullptr;
  }
  return static_cast<tls_s*>(su_home_new(sizeof(tls_s)));
}

extern "C" tls_s* tls_init_secondary(tls_s* master, int socket, int accept) {
  StreamGuard* guard = StreamGuard::OfThisThread();
  auto* tls = static_cast<tls_s*>(su_home_new(sizeof(tls_s)));
  if (tls == nullptr) return nullptr;
  tls->ctx = master->ctx;
  tls->type = master->type;
  tls->accept = accept != 0 ? 1 : 0;
  tls->read_buffer = su_alloc(tls->home, outpace::sip::kTlsBufferBytes);
  tls->con = guard != nullptr && guard->tls() != nullptr ? guard->tls()->Begin(socket, accept != 0)
                                                         : nullptr;
  if (tls->read_buffer == nullptr || tls->con == nullptr) {
    tls_free(tls);
    errno = EIO;
    return nullptr;
  }
  tls->bio_con = SSL_get_rbio(tls->con);
  su_setblocking(socket, 0);
  return tls;
}

// The library's never frees the connection's SSL.
extern "C" void tls_free(tls_s* tls) {
  if (tls == nullptr) return;
  StreamGuard* guard = StreamGuard::OfThisThread();
  if (tls->con != nullptr && guard != nullptr && guard->tls() != nullptr) {
    guard->tls()->End(tls->con);
  }
  su_home_unref(tls->home);
}

// White space between messages is a keep-alive (RFC 5626 3.5.1), as the library knows for TCP. Over
// TLS it would begin a message with it, which is then never finished.
extern "C" ssize_t tls_read(tls_s* tls) {
  static const auto kOriginal = Original<decltype(tls_read)>("tls_read");
  StreamGuard* guard = StreamGuard::OfThisThread();
  for (int reads = 0; reads < outpace::sip::kKeepAlivesMax; ++reads) {
    const bool read_before = tls != nullptr && tls->read_buffer_len != 0;
    const ssize_t size = kOriginal(tls);
    if (size <= 0 || read_before || guard == nullptr ||
        !guard->BetweenMessages(SSL_get_fd(tls->con)) ||
        !outpace::sip::IsSpace(
            {static_cast<const char*>(tls->read_buffer), static_cast<size_t>(size)})) {
      return size;
    }
    tls->read_buffer_len = 0;
    if (size < 4 || tls->write_buffer != nullptr) continue;  // no ping, or no place for an answer
    if (SSL_write(tls->con, "\r\n", 2) != 2) break;
  }
  errno = EIO;
  return -1;
}

extern "C" int tls_connect(su_root_magic_t* magic, su_wait_t* wait, tport_t* self) {
  static const auto kOriginal = Original<decltype(tls_connect)>("tls_connect");
  outpace::sip::in_tls_connect = true;
  const int result = kOriginal(magic, wait, self);
  outpace::sip::in_tls_connect = false;
  return result;
}

// After the handshake the library takes the certificate apart once more, for its own verdict, which
// we do not ask for: it leaks each subjectAltName. Without a certificate it lets it be.
extern "C" X509* SSL_get1_peer_certificate(const SSL* connection) {
  static const auto kOriginal =
      Original<decltype(SSL_get1_peer_certificate)>("SSL_get1_peer_certificate");
  return outpace::sip::in_tls_connect ? nullptr : kOriginal(connection);
}
