#pragma once

// Looking at every lead of a campaign at once, for counts over the whole of it: a third of a
// microsecond a lead. So a lead is shown as numbers and views of where it is stored, and is put
// together only where a visitor asks for the whole of it.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/lead.h"
#include "engine/base/e164.h"
#include "engine/base/ids.h"

namespace outpace::campaign {

// Of a lead what decides whether it is dialed. Views are good until the visitor returns.
struct LeadGlance {
  LeadId id;
  ListId list;
  E164 phone;
  absl::string_view status;
  // Its set of zones: a number that means the same set all through one scan, and no other.
  uint32_t zones = 0;
  const std::vector<std::string>* zone_names = nullptr;  // never null for a visitor
  int called_count = 0;
  int max_attempts = 0;
  // Microseconds since 1970 UTC; INT64_MIN and INT64_MAX are InfinitePast and InfiniteFuture.
  int64_t last_call_micros = INT64_MIN;
  int64_t next_call_micros = INT64_MIN;
  int64_t hold_until_micros = INT64_MIN;
};

// Reads the lead that is being shown with all it has, texts too: some microseconds.
using WholeLead = absl::FunctionRef<absl::StatusOr<Lead>()>;

// Is shown leads on one thread at a time.
class LeadVisitor {
 public:
  virtual ~LeadVisitor() = default;
  // An error ends the scan, which returns it.
  virtual absl::Status Visit(const LeadGlance& lead, WholeLead whole) = 0;
};

}  // namespace outpace::campaign
