#include "engine/sip/sofia_overrides.h"

#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/sresolv.h>

#include <cerrno>

namespace outpace::sip {
namespace {
thread_local uint64_t resolvers_refused = 0;
}
uint64_t ResolversRefused() { return resolvers_refused; }
}  // namespace outpace::sip

extern "C" sres_resolver_t* sres_resolver_create(su_root_t*, char const*, tag_type_t, tag_value_t,
                                                 ...) {
  ++outpace::sip::resolvers_refused;
  errno = ENOSYS;
  return nullptr;
}

extern "C" int nta_msg_ackbye(nta_agent_t* agent, msg_t* msg) {
  outpace::sip::EndStray(agent, msg);
  return 0;
}
