#include "campaign/lead_store.h"

#include <iterator>
#include <utility>

namespace outpace::campaign {
namespace {

template <typename T>
void MoveOnto(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

bool StoreBatch::empty() const {
  return leads.empty() && leads_removed.empty() && imports.empty() && attempts.empty() &&
         dnc_added.empty() && dnc_removed.empty() && lists.empty() && campaigns.empty() &&
         agents.empty() && recordings.empty() && activities.empty() && meta.empty();
}

// The other batch is the later one: where both name the same thing, it must win. The vectors are
// applied in order by the store, so appending does that; a map needs the assignment.
void StoreBatch::Append(StoreBatch other) {
  MoveOnto(unchanged, other.unchanged);
  MoveOnto(leads, other.leads);
  MoveOnto(leads_removed, other.leads_removed);
  MoveOnto(imports, other.imports);
  MoveOnto(attempts, other.attempts);
  MoveOnto(dnc_added, other.dnc_added);
  MoveOnto(dnc_removed, other.dnc_removed);
  MoveOnto(lists, other.lists);
  MoveOnto(campaigns, other.campaigns);
  MoveOnto(agents, other.agents);
  MoveOnto(recordings, other.recordings);
  MoveOnto(activities, other.activities);
  for (auto& [name, value] : other.meta) meta[name] = std::move(value);
}

}  // namespace outpace::campaign
