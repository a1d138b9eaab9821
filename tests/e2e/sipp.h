#pragma once

// Debian's SIPp as the trunk: somebody else's SIP stack, that has never seen the engine's code. A
// scenario of tests/e2e/sipp plays the called side of one call; SIPp itself says whether the dialer
// did what the scenario expects, and keeps every message.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/e2e/process.h"

namespace outpace::e2e {

struct SippOptions {
  std::string scenario;       // "busy": tests/e2e/sipp/busy.xml; or the path of a file
  std::string name = "sipp";  // its logs are name-*.log
  uint16_t port = 0;          // UDP, on 127.0.0.1
  uint16_t media_port = 0;    // SIPp's own, not used by the scenarios
  uint16_t audio_port = 0;    // goes into the session description as [audio_port]
  int calls = 1;              // ends after so many
  bool tcp = false;           // listens on TCP
  std::vector<std::string> arguments = {};  // further ones
};

class Sipp {
 public:
  static absl::StatusOr<std::unique_ptr<Sipp>> Start(const SippOptions& options,
                                                     const TempDir& dir);
  // Its verdict: 0 when every call went as the scenario says. DeadlineExceeded: still waiting.
  absl::StatusOr<int> Finish(absl::Duration timeout);
  // Every message, both directions, as SIPp logged them.
  std::string Messages() const;
  std::string Errors() const;
  // The first request of this method that came in, or the `nth`; "" if none did.
  std::string Received(absl::string_view method, int nth = 1) const;

 private:
  Sipp() = default;
  std::string messages_path_, errors_path_, screen_path_;
  std::unique_ptr<Process> process_;
};

}  // namespace outpace::e2e
