#pragma once

// Headers that the engine puts into an INVITE: caller identity, Identity (STIR), custom headers
// with lead fields. A lead's field is text from a CSV file, so a value could carry a line end and
// with it any header, or a second request; and a name could take the place of a header the stack
// makes.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/call/signaling.h"

namespace outpace::sip {

// The headers as lines "Name: value", each with "\r\n". InvalidArgument for a name that is no
// token, that is a compact form (one letter) or that the stack writes itself, for a control
// character in a value, and for more than 64 headers or 16 KiB. Messages hold neither name nor
// value.
absl::StatusOr<std::string> InviteHeaderLines(const std::vector<call::SipHeader>& headers);

// Whether one of `headers` has that name; case does not count.
bool HasHeader(const std::vector<call::SipHeader>& headers, absl::string_view name);

}  // namespace outpace::sip
