#pragma once

// Where a lead's address lies, as far as rules on hours and states ask: who has moved kept the
// number and is called at home.

#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "campaign/lead.h"

namespace outpace::campaign {

struct HomePlace {
  absl::string_view region, area;  // "US", "FL"; static texts
  friend bool operator==(const HomePlace&, const HomePlace&) = default;
};
using HomePlaces = absl::InlinedVector<HomePlace, 2>;

// The states and provinces of North America that the texts `state` and `postal_code` name, each
// once: two where they disagree, none where they say nothing that is understood. States by their
// letters ("FL") or English names; postal codes "33101", "33101-1234" and "K1A 0B1". Only for leads
// whose `country_code` is of the United States or Canada ("US", "USA", "1", "CA", "CAN"), or which
// have none and a number of North America. `lead.has_fields` must be true. Any thread.
HomePlaces HomePlacesOf(const Lead& lead);

// IANA zones that the state lies in, by the area codes there are in it (docs/NUMBERS.md); empty:
// not known. Valid until the next LoadNumberTables(). Any thread.
const std::vector<std::string>& ZonesOfPlace(const HomePlace& place);

}  // namespace outpace::campaign
