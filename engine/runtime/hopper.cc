#include "engine/runtime/hopper.h"

namespace outpace::runtime {

uint32_t SegmentOf(ListId list, campaign::Tier tier) {
  // The finalizer of MurmurHash3: every bit of the input moves every bit of the result.
  uint64_t mixed = 2 * list.value() + static_cast<uint64_t>(tier);
  mixed ^= mixed >> 33;
  mixed *= 0xff51afd7ed558ccdULL;
  mixed ^= mixed >> 33;
  mixed *= 0xc4ceb9fe1a85ec53ULL;
  mixed ^= mixed >> 33;
  const auto segment = static_cast<uint32_t>(mixed);
  return segment == 0 ? 1 : segment;
}

std::vector<campaign::Lead> Hopper::TakeAt(absl::Span<const uint32_t> picks, MonoTime now) {
  if (picks.empty()) return {};
  const size_t last = *std::max_element(picks.begin(), picks.end());
  OUTPACE_CHECK(last < queue_.size());
  // Leads that were passed over for too long, from the front on, as many as there are picks.
  std::vector<uint32_t> places;
  for (size_t i = 0; i < queue_.size() && places.size() < picks.size(); ++i) {
    const Place& waiting = queue_[i];
    if (waiting.passed && now - waiting.passed_since >= kPassedOverMax) {
      places.push_back(static_cast<uint32_t>(i));
    }
  }
  const size_t overdue = places.size();
  for (const uint32_t pick : picks) {
    if (places.size() == picks.size()) break;
    const auto is_in =
        std::find(places.begin(), places.begin() + static_cast<ptrdiff_t>(overdue), pick);
    if (is_in == places.begin() + static_cast<ptrdiff_t>(overdue)) places.push_back(pick);
  }
  std::vector<campaign::Lead> leads;
  leads.reserve(places.size());
  std::vector<bool> taken(*std::max_element(places.begin(), places.end()) + 1, false);
  for (const uint32_t place : places) {
    OUTPACE_CHECK(!taken[place]);
    taken[place] = true;
    leads.push_back(std::move(queue_[place].lead));
  }
  // What stays in front moves up; behind the last place taken nothing changes.
  size_t kept = taken.size();
  for (size_t i = taken.size(); i-- > 0;) {
    if (taken[i]) continue;
    Place& stays = queue_[i];
    if (!stays.passed) stays.passed_since = now;
    stays.passed = true;
    if (--kept != i) queue_[kept] = std::move(stays);
  }
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(kept));
  return leads;
}

void Hopper::Arrange(std::vector<tier::RankedLead> ranked, size_t most) {
  absl::flat_hash_map<LeadId, size_t> places;
  for (size_t i = 0; i < queue_.size(); ++i) places[queue_[i].lead.id] = i;
  std::deque<Place> arranged;
  std::vector<bool> moved(queue_.size(), false);
  for (tier::RankedLead& next : ranked) {
    const LeadId id = next.lead.id;
    const auto waits = places.find(id);
    if (waits != places.end()) {
      Place& place = queue_[waits->second];
      if (moved[waits->second]) continue;
      moved[waits->second] = true;
      place.lead.tier = next.pick.tier;
      place.traits = TraitsOf(place.lead);
      arranged.push_back(std::move(place));
    } else if (out_.insert(id).second) {
      arranged.push_back({TraitsOf(next.lead), {}, false, std::move(next.lead)});
    } else {
      continue;  // under way
    }
    picks_[id] = next.pick;
  }
  for (size_t i = queue_.size(); i-- > 0;) {
    if (!moved[i]) arranged.push_front(std::move(queue_[i]));
  }
  queue_ = std::move(arranged);
  for (; queue_.size() > most; queue_.pop_back()) Release(queue_.back().lead.id);
}

}  // namespace outpace::runtime
