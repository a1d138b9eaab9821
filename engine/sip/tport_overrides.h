#pragma once

// Functions of Sofia's transport layer that the shared library finds here instead, as in
// su_duration.h. Most tell the StreamGuard of the thread what happens and go on to the original;
// those of its TLS code are replaced, so that SipTls decides whom we talk to. Where no guard is on
// the thread, nothing changes.

struct tport_s;
union su_sockaddr_u;

// Of the library, but in none of its headers: ends the requests that wait on a transport with an
// error (errno), and closes it.
extern "C" void tport_error_report(tport_s* transport, int error, const su_sockaddr_u* address);

namespace outpace::sip {

// Aborts unless the library comes through ours, and its TLS state is laid out as ours.
void CheckTportOverrides();

}  // namespace outpace::sip
