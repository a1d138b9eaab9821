#pragma once

// Leads as stores of schema version 1 had them: one record each, of tagged fields (codec.h), read
// when such a store is migrated and by nothing else.

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/lead.h"

namespace outpace::store {

// What were fields then and are members now, the uses of recycle rules and max_attempts, is in its
// place. Errors and promises are those of codec.h.
absl::StatusOr<campaign::Lead> DecodeLeadV1(absl::string_view bytes);

}  // namespace outpace::store
