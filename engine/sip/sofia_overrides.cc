#include "engine/sip/sofia_overrides.h"

#include <netdb.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/sresolv.h>
#include <sofia-sip/su_addrinfo.h>

#include <cerrno>

namespace outpace::sip {
namespace {
thread_local uint64_t resolvers_refused = 0;
thread_local uint64_t numeric_lookups = 0;
}  // namespace
uint64_t ResolversRefused() { return resolvers_refused; }
uint64_t NumericLookups() { return numeric_lookups; }
}  // namespace outpace::sip

extern "C" sres_resolver_t* sres_resolver_create(su_root_t*, char const*, tag_type_t, tag_value_t,
                                                 ...) {
  ++outpace::sip::resolvers_refused;
  errno = ENOSYS;
  return nullptr;
}

extern "C" int su_getaddrinfo(char const* node, char const* service, su_addrinfo_t const* hints,
                              su_addrinfo_t** result) {
  ++outpace::sip::numeric_lookups;
  addrinfo numeric{};
  if (hints != nullptr) numeric = *hints;
  numeric.ai_flags |= AI_NUMERICHOST;
  const bool no_service = service == nullptr || service[0] == '\0';
  return getaddrinfo(node, no_service ? "0" : service, &numeric, result);
}

extern "C" int nta_msg_ackbye(nta_agent_t* agent, msg_t* msg) {
  outpace::sip::EndStray(agent, msg);
  return 0;
}
