#pragma once

// Three more functions of libsofia-sip-ua that this program replaces, by the same means and with
// the same proof as su_duration() (see su_duration.h):
//
// sres_resolver_create() gives nta no DNS resolver. Debian's nta can abort on a failed DNS answer
// (sofia-sip#343), and a Contact with a host name in it would make it ask; without a resolver it
// fails that one request and goes on.
//
// nta_msg_ackbye() is what nta calls for the 2xx of a second fork. Its own version sends the BYE
// once, without a transaction: lose that packet and somebody's phone stays up. It also goes
// wherever the Contact points. Ours is the one path for all stray 2xx responses, in SofiaSignaling.
//
// su_getaddrinfo() is what the transport falls back to for a host that is no number. Its own asks
// DNS and waits: a request whose version we do not speak is answered towards the host name in its
// Via, so one datagram (RFC 4475 3.1.2.16) stopped the SIP thread for seconds. Ours reads numeric
// addresses and fails for names at once.

#include <cstdint>

struct nta_agent_s;
struct msg_s;

namespace outpace::sip {

uint64_t ResolversRefused();  // on this thread
uint64_t NumericLookups();    // calls of our su_getaddrinfo() on this thread

// Ends the call that a stray 2xx in `msg` stands for; takes `msg`. Defined in sofia_signaling.cc.
void EndStray(nta_agent_s* agent, msg_s* msg);

}  // namespace outpace::sip
