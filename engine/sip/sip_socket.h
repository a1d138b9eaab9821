#pragma once

// The UDP socket under the SIP agent. Sofia makes it and has no call that gives it out, but two
// things need it: reading back what buffer the kernel granted (it caps without a word), and a
// source filter that drops strangers' datagrams in the kernel. Sofia spends 10 KiB and 32 s on a
// request that got that far, so a flood from outside the trunks must not reach it.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

struct sockaddr;

namespace outpace::sip {

// The descriptor of this process' UDP socket bound to exactly `address`; -1 if there is none. The
// descriptor stays the stack's: not to be closed.
int FindUdpSocket(const sockaddr* address);

// What the kernel granted, in bytes as it counts them (Linux doubles the figure asked for to make
// room for its own bookkeeping; this is the doubled one). 0 on error.
int ReceiveBufferBytes(int fd);
int SendBufferBytes(int fd);

// The numeric address at the other end of the connected socket `fd`, as CanonicalHost() writes it
// (an IPv4 address in IPv6 form as IPv4); empty when there is none.
std::string PeerAddress(int fd);

// Lets only IPv4 datagrams from `sources` (host byte order, at most 1,000) into the socket from now
// on; replaces an earlier filter at once. An empty list drops everything. InvalidArgument for too
// many, Unavailable when the kernel refuses.
absl::Status AdmitOnly(int fd, const std::vector<uint32_t>& sources);
// Takes the filter away again.
void AdmitAll(int fd);

}  // namespace outpace::sip
