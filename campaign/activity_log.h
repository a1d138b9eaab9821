#pragma once

// What writers and readers of the agents' activities agree on.

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace outpace::campaign {

// Every state an agent is in is written again at least this often, so that whoever reads a stretch
// of time finds all of them by looking back as far (and a little: writing takes its time).
inline constexpr absl::Duration kActivityRepeat = absl::Hours(1);
inline constexpr absl::Duration kActivityLookBack = absl::Minutes(65);

// A stored value (StoreBatch::meta): until when the activities are whole. The engine that runs
// writes it every kActivitiesKnownEvery; one that has ended in order leaves it empty.
inline constexpr char kActivitiesKnownKey[] = "activities.known";
inline constexpr absl::Duration kActivitiesKnownEvery = absl::Seconds(10);
std::string ActivitiesKnown(absl::Time until);
// Empty or no number: InfiniteFuture, no agent's state is open.
absl::Time ParseActivitiesKnown(absl::string_view saved);

}  // namespace outpace::campaign
