#pragma once

// What every rule of this folder needs: which dials are in flight and since when, how many calls
// are in conversation, and the limits of the input applied to what the rule wants.

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/pacing/policy.h"

namespace outpace::lab {

class RuleBase : public pacing::Policy {
 public:
  void OnDialed(AttemptId id, const pacing::LeadTraits& lead, MonoTime now) override;
  void OnAnswered(AttemptId id, MonoTime now) override;
  void OnResolved(AttemptId id, pacing::AttemptResult result, MonoTime now) override;
  void OnConnected(AttemptId id, MonoTime now) override;
  void OnAbandoned(AttemptId id, MonoTime now) override;
  void OnWasMachine(AttemptId id) override;
  void OnTalkEnded(AttemptId id, absl::Duration talk, MonoTime now) override;
  void OnWrapEnded(absl::Duration wrap, MonoTime now) override;
  // Wanted(), cut to the limits of the input; 0 without agents.
  pacing::Decision Decide(const pacing::PacingInput& input, MonoTime now) final;

 protected:
  struct Flight {
    AttemptId id;
    MonoTime dialed;
    uint32_t mark = 0;  // the rule's own
  };

  // Legs to place if there were no limits; below 0 counts as 0. Called with a floor that has
  // agents; `decision` holds the inputs and takes the rule's forecast.
  virtual int64_t Wanted(const pacing::PacingInput& input, MonoTime now,
                         pacing::Decision& decision) = 0;

  // Dialed, neither answered nor resolved; in no particular order.
  std::vector<Flight>& flights() { return flights_; }
  int in_flight() const { return static_cast<int>(flights_.size()); }
  // Answered, neither connected, abandoned nor resolved (waiting, or in AMD); `dialed` is the time
  // of the answer and `mark` the ring time in milliseconds.
  const std::vector<Flight>& answered() const { return answered_; }
  // Calls in conversation with an agent, those of agents who are about to leave included.
  int talking() const { return talking_; }
  static int Agents(const pacing::PacingInput& input) {
    return input.agents_idle + static_cast<int>(input.talk_ages.size() + input.wrap_ages.size());
  }
  // Agents free for an answer to come: calls that wait or may turn out to be persons go first.
  static int FreeAgents(const pacing::PacingInput& input) {
    return input.agents_idle - input.calls_waiting - input.calls_in_amd;
  }
  // Most legs the input allows.
  static int LegsMax(const pacing::PacingInput& input);

 private:
  enum class List : uint8_t { kFlights, kAnswered };
  struct Place {
    List list;
    uint32_t index;
  };
  void Add(List list, Flight flight);
  // False when the attempt is not in either list.
  bool Remove(AttemptId id, List* from, Flight* flight);

  std::vector<Flight> flights_;
  std::vector<Flight> answered_;
  absl::flat_hash_map<AttemptId, Place> places_;
  std::vector<uint32_t> picks_;
  int talking_ = 0;
};

}  // namespace outpace::lab
