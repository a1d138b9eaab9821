#pragma once

// What may not be seen in a trace. Two kinds: secrets (digest responses, SRTP keys), which are
// never stored, and what tells who was called (numbers, names), which is shown only when asked.
// Every mask keeps the length of the message, so Content-Length stays right in a capture.

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace outpace::trace {

// Overwrites with '*', in place: credentials of Authorization, Proxy-Authorization and
// (Proxy-)Authentication-Info (the scheme stays), SDP keys (a=crypto after "inline:", a=key-mgmt,
// k=).
void MaskSecrets(char* message, size_t size);

// The message with '*' for: the last 4 letters or digits of user parts of sip:, sips: and tel: URIs
// that have 5 or more, display names, the last 4 of any 5 or more digits elsewhere (not in Via,
// CSeq, ports and other places that hold no numbers), Identity (its PASSporT names both numbers),
// X- headers and other free text, DTMF digits. "+12025550123" becomes "+1202555****".
std::string MaskNumbers(absl::string_view message);

}  // namespace outpace::trace
