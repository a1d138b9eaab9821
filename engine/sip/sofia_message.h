#pragma once

// Plain values out of Sofia's parsed messages. Pointers into a message die with the callback that
// brought it, so everything here copies. For engine/sip's own .cc files: includes Sofia.

#include <sofia-sip/sip.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/su_alloc.h>

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/call/signaling.h"
#include "engine/sip/session_timer.h"

namespace outpace::sip {

// A memory home that lives as long as its scope: one for each message handled, so nothing collects
// in the agent's own.
class ScopedHome {
 public:
  ScopedHome() { su_home_init(home_); }
  ~ScopedHome() { su_home_deinit(home_); }
  ScopedHome(const ScopedHome&) = delete;
  ScopedHome& operator=(const ScopedHome&) = delete;
  su_home_t* get() { return home_; }

 private:
  su_home_t home_[1] = {SU_HOME_INIT(home_)};
};

inline absl::string_view View(const char* text) {
  return text != nullptr ? absl::string_view(text) : absl::string_view();
}

// Where a received message came from; an empty host if that is unknown.
struct Source {
  std::string host;  // canonical
  int port = 0;
};
Source SourceOf(msg_t* msg);

// The SDP of the body, empty if there is none.
std::string SdpOfMessage(const sip_t& sip);
// The first Q.850 cause in the Reason headers; 0 if there is none.
int CauseOf(const sip_t& sip);
// Retry-After in seconds, 0..300 s; zero if absent or malformed.
absl::Duration RetryAfterOf(const sip_t& sip);
// The reason phrase without control characters, at most 80 bytes.
std::string PhraseOf(const sip_t& sip);
// The URI of the first Contact; empty if there is none.
std::string ContactOf(const sip_t& sip);
// Whether a list of option tags (Supported, Require) has that one.
bool HasOption(const msg_list_t* list, absl::string_view option);
// The option tags in Require that we do not know, with commas between; empty for none.
std::string UnsupportedOf(const sip_t& sip);
// Whether Allow names that method. Without Allow: no.
bool AllowsMethod(const sip_t& sip, absl::string_view method);
std::optional<SessionHeader> SessionOf(const sip_t& sip);
// Min-SE in seconds, 90 at least, also when absent.
int64_t MinSeOf(const sip_t& sip);
// The user part of a URI, %-escapes resolved, without parameters ("+12025550100;npdi"), at most 64
// bytes; empty when there is none or it has a control character.
std::string UserOf(const url_t* url);
// The calling user: of P-Asserted-Identity, else of From (RFC 3325 9.1).
std::string CallerOf(const sip_t& sip);
// The dialog that an INVITE of the far end makes, seen from our side (RFC 3261 12.1.1); our tag is
// not in it yet.
call::DialogState DialogOfRequest(const sip_t& sip, absl::string_view next_hop);
// The dialog that a 2xx to an INVITE of ours makes; `next_hop` goes into it as it is.
call::DialogState DialogOf(const sip_t& sip, absl::string_view next_hop);

}  // namespace outpace::sip
