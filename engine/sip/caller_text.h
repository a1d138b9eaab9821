#pragma once

// Numbers as a trunk writes them into its headers. Pure functions over text from the network.

#include <string>

#include "absl/strings/string_view.h"

namespace outpace::sip {

// The user part of a URI made plain: %-escapes resolved, parameters ("+12025550100;npdi") cut off.
// Empty for more than 64 bytes, a bad escape or a control character.
std::string CleanUser(absl::string_view user);

// The user or telephone number of the first value of a P-Asserted-Identity header: "name"
// <sip:user@host>, <tel:+1...> or either without brackets. Empty if there is none.
std::string IdentityUser(absl::string_view header);

}  // namespace outpace::sip
