#pragma once

#include <vector>

#include "campaign/lead_store.h"
#include "dnc/dnc_set.h"

namespace outpace::runtime {

// Puts stored do-not-call entries into `set`, those of a campaign at once: a national list of fifty
// million takes seconds.
void PutEntries(const std::vector<campaign::DncEntry>& entries, dnc::DncSet& set);

}  // namespace outpace::runtime
