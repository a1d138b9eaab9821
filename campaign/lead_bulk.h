#pragma once

// Leads by the million: written as sorted files beside the store and taken over by it in one step.
// Until Publish() nobody sees them, so a load that is cut off leaves nothing behind, and running it
// again is all there is to do.

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "campaign/import.h"
#include "campaign/lead.h"
#include "engine/base/e164.h"
#include "engine/base/ids.h"

namespace outpace::campaign {

// A new lead, as a load has it: no strings of its own.
struct BulkLead {
  E164 phone;
  E164 alt_phone;                        // none if absent
  int64_t next_call_micros = INT64_MIN;  // a promised callback, since 1970 UTC; INT64_MIN: at once
  uint32_t zones = 0;                    // LeadStore::InternZones
  int8_t rank = 0;                       // -99..99
  uint8_t max_attempts = 0;              // 1..10; 0: the campaign's
  Tier tier = Tier::kA;
  // Texts of the fields of the load's layout, see AppendFieldText(); trailing empty ones may be
  // left out.
  absl::string_view fields;
};

// Fields of a lead in one text: of each its length as a varint, then its octets.
template <typename String>
void AppendFieldText(absl::string_view value, String& to) {
  for (size_t n = value.size();; n >>= 7) {
    if (n < 128) {
      to.push_back(static_cast<char>(n));
      break;
    }
    to.push_back(static_cast<char>((n & 127) | 128));
  }
  to.append(value.data(), value.size());
}

class LeadBulk {
 public:
  virtual ~LeadBulk() = default;  // without Publish(): everything written is removed

  // Leads with ids first, first + 1, ... Any thread, several at once; each call with ids of its
  // own, and the leads of a call in the order of their ids. Unavailable: the disk; the whole load
  // is then to be given up.
  virtual absl::Status Add(LeadId first, absl::Span<const BulkLead> leads) = 0;

  // All leads that were added, and `import`, become visible and durable together. Once, after all
  // Add() have returned. The list's count of leads is raised in the same write.
  virtual absl::Status Publish(const Import& import) = 0;
};

}  // namespace outpace::campaign
