#pragma once

// Whether the credentials of a request are right: RFC 7616's arithmetic a second time, on OpenSSL,
// for SIPp checks MD5 in Authorization only.

#include <string>

#include "absl/strings/string_view.h"

namespace outpace::e2e {

// `request`: a message as received, with Authorization or Proxy-Authorization. "" when its response
// follows from `password`, else what is wrong.
std::string CheckDigest(absl::string_view request, const std::string& password);

}  // namespace outpace::e2e
