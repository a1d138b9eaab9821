#include "bench/pacing/rule_base.h"

#include <algorithm>

namespace outpace::lab {

void RuleBase::Add(List list, Flight flight) {
  std::vector<Flight>& flights = list == List::kFlights ? flights_ : answered_;
  places_[flight.id] = {list, static_cast<uint32_t>(flights.size())};
  flights.push_back(flight);
}

bool RuleBase::Remove(AttemptId id, List* from, Flight* flight) {
  const auto it = places_.find(id);
  if (it == places_.end()) return false;
  const Place place = it->second;
  places_.erase(it);
  std::vector<Flight>& flights = place.list == List::kFlights ? flights_ : answered_;
  *from = place.list;
  *flight = flights[place.index];
  if (place.index + 1 < flights.size()) {
    flights[place.index] = flights.back();
    places_[flights[place.index].id].index = place.index;
  }
  flights.pop_back();
  return true;
}

void RuleBase::OnDialed(AttemptId id, const pacing::LeadTraits&, MonoTime now) {
  if (!places_.contains(id)) Add(List::kFlights, {id, now});
}

void RuleBase::OnAnswered(AttemptId id, MonoTime now) {
  List from;
  Flight flight;
  if (!Remove(id, &from, &flight)) return;
  if (from == List::kFlights) {
    flight.mark = static_cast<uint32_t>(
        std::clamp<int64_t>(absl::ToInt64Milliseconds(now - flight.dialed), 0, 1'000'000));
    flight.dialed = now;
  }
  Add(List::kAnswered, flight);
}

void RuleBase::OnResolved(AttemptId id, pacing::AttemptResult, MonoTime) {
  List from;
  Flight flight;
  Remove(id, &from, &flight);
}

void RuleBase::OnConnected(AttemptId id, MonoTime) {
  List from;
  Flight flight;
  if (Remove(id, &from, &flight)) ++talking_;
}

void RuleBase::OnAbandoned(AttemptId id, MonoTime) {
  List from;
  Flight flight;
  Remove(id, &from, &flight);
}

void RuleBase::OnWasMachine(AttemptId) {}

void RuleBase::OnTalkEnded(AttemptId, absl::Duration, MonoTime) {
  talking_ = std::max(0, talking_ - 1);
}

void RuleBase::OnWrapEnded(absl::Duration, MonoTime) {}

int RuleBase::LegsMax(const pacing::PacingInput& input) {
  return std::max(0, std::min({input.lines_free, input.trunk_tokens, input.leads_ready}));
}

pacing::Decision RuleBase::Decide(const pacing::PacingInput& input, MonoTime now) {
  pacing::Decision decision;
  decision.agents_idle = input.agents_idle;
  decision.agents_talking = static_cast<int>(input.talk_ages.size());
  decision.agents_wrapping = static_cast<int>(input.wrap_ages.size());
  decision.calls_waiting = input.calls_waiting;
  decision.calls_in_amd = input.calls_in_amd;
  decision.in_flight = in_flight();
  decision.limit = pacing::Limit::kAgents;
  if (Agents(input) <= 0) return decision;
  const int64_t wanted = std::max<int64_t>(0, Wanted(input, now, decision));
  const int most = LegsMax(input);
  decision.legs_to_place = static_cast<int>(std::min<int64_t>(wanted, most));
  if (wanted > most) {
    decision.limit = most == input.leads_ready    ? pacing::Limit::kHopper
                     : most == input.trunk_tokens ? pacing::Limit::kTrunkRate
                                                  : pacing::Limit::kLines;
  }
  if (!input.next.empty()) {
    const size_t legs = static_cast<size_t>(decision.legs_to_place);
    while (picks_.size() < legs) picks_.push_back(static_cast<uint32_t>(picks_.size()));
    decision.picks = absl::MakeConstSpan(picks_.data(), legs);
  }
  decision.dial_level =
      static_cast<double>(in_flight() + decision.legs_to_place + talking_) / Agents(input);
  return decision;
}

}  // namespace outpace::lab
