#pragma once

// The bare stack, for comparison: a client on Sofia's transaction layer that places calls at a
// steady pace and does nothing else, in a process of its own.

#include <cstdint>

namespace outpace::bench {

struct NtaClientOptions {
  uint16_t port = 0;   // of the far end
  double rate = 0;     // calls a second
  uint64_t calls = 0;  // in all
};

// Places the calls, and goes on serving until standard input ends. Returns the exit code.
int RunNtaClient(const NtaClientOptions& options);

}  // namespace outpace::bench
