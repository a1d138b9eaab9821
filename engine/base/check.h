#pragma once

// OUTPACE_CHECK guards what only a mistake of ours can break. It is on in every build: a dialer
// that goes on with broken state rings people it must not ring.

namespace outpace::internal {
// Prints "file:line: check failed: expression" to stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* expression);
}  // namespace outpace::internal

#define OUTPACE_CHECK(condition) \
  (static_cast<bool>(condition)  \
       ? static_cast<void>(0)    \
       : ::outpace::internal::CheckFailed(__FILE__, __LINE__, #condition))
