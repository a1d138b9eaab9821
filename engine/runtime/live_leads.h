#pragma once

#include <vector>

#include "dnc/dnc_set.h"
#include "engine/base/e164.h"
#include "engine/base/ids.h"

namespace outpace::runtime {

// What a running engine knows of a campaign's leads beside the store, at one moment.
struct LiveLeads {
  std::vector<LeadId> in_hopper;        // wait to be dialed
  std::vector<LeadId> in_call;          // being dialed, in a call, in wrap-up
  std::vector<LeadId> tried_out_today;  // as often as the campaign allows a day
  std::vector<E164> numbers_in_call;    // of all campaigns
  dnc::DncSet dnc;                      // a snapshot
};

}  // namespace outpace::runtime
