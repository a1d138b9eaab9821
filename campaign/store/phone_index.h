#pragma once

// The index of numbers: which leads have a number, as their own or as alt_phone. Key: number and
// lead id, big endian. Value, so that the duplicate check reads the index only: 1 byte of flags
// (1: alt_phone), 5 bytes of entry date in seconds since 1970 plus 2^39, little endian (all zeros
// InfinitePast, all ones InfiniteFuture), the list's id as a varint, the campaign's name.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/lead_store.h"

namespace outpace::store {

inline constexpr size_t kPhoneKeyBytes = 16;

// For the number of the lead itself.
std::string PhoneValue(const campaign::Lead& lead);
// Of that, the value for its alt_phone.
std::string AltValue(std::string phone_value);
// Into `use`, whose campaign keeps its space. DataLoss if damaged.
absl::Status DecodePhoneUse(absl::string_view key, absl::string_view value,
                            campaign::PhoneUse& use);
// The entry date as the index keeps it: whole seconds.
absl::Time EnteredOf(const campaign::Lead& lead);
// Whether alt_phone has an entry of its own.
inline bool HasAltEntry(const campaign::Lead& lead) {
  return lead.alt_phone.valid() && lead.alt_phone != lead.phone;
}

}  // namespace outpace::store
