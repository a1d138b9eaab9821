#pragma once

// The campaign's filter (lead_filter_id) where leads enter the hopper. It runs on the thread that
// reads the store. A lead that does not pass is held like one that the gate refuses, so it leaves
// the index of due leads and those behind it are seen; it is looked at anew when the filter or the
// campaign changes. A promised callback is not filtered: somebody waits for it.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "campaign/filter/filter.h"
#include "campaign/filter/lead_fields.h"
#include "campaign/gate/gate.h"
#include "campaign/lead.h"
#include "campaign/lead_store.h"

namespace outpace::runtime {

struct SieveOrder {
  std::string filter;   // its name; empty: every lead passes
  absl::TimeZone zone;  // of its days
  absl::Time now;
  campaign::StatusSet statuses = {};  // of the campaign
};

struct SievedLeads {
  std::vector<campaign::Lead> passed, held;  // in their order; those held with hold_until
};

class LeadSieve {
 public:
  // The store outlives it. One thread.
  explicit LeadSieve(campaign::LeadStore& store) : store_(store) {}

  // `leads` have their fields. NotFound: no such filter; else errors of the store.
  absl::StatusOr<SievedLeads> Sort(std::vector<campaign::Lead> leads, const SieveOrder& order);
  // What the filter has against one lead, with the clause; none: it passes.
  absl::StatusOr<std::optional<gate::Reason>> WhyNot(const campaign::Lead& lead,
                                                     const SieveOrder& order);

 private:
  // A filter as compiled for a day of a zone.
  struct Ready {
    int version = 0;
    absl::CivilDay today;
    std::string zone;
    filter::Filter filter;
    filter::LeadValues values;
  };
  absl::StatusOr<Ready*> Find(const SieveOrder& order);

  campaign::LeadStore& store_;
  std::map<std::string, std::unique_ptr<Ready>> ready_;
};

}  // namespace outpace::runtime
