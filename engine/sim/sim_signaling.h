#pragma once

#include <string>

#include "absl/container/flat_hash_map.h"
#include "engine/call/signaling.h"
#include "engine/sim/sim_carrier.h"

namespace outpace::sim {

// One shard's SIP stack towards a SimCarrier. It does what engine/sip does below the interface:
// ends answers for legs that were forgotten, and answers BYEs of calls it does not know. Destroying
// it is what kill -9 does to a stack: the carrier's calls stay up.
class SimSignaling final : public call::Signaling {
 public:
  // `shard`: of the legs it will be given. `carrier` outlives it.
  SimSignaling(SimCarrier& carrier, uint16_t shard);
  ~SimSignaling() override;
  SimSignaling(const SimSignaling&) = delete;
  SimSignaling& operator=(const SimSignaling&) = delete;

  // Before the first Invite(). `events` outlives this object or is taken back with nullptr.
  void set_events(call::SignalingEvents* events) { events_ = events; }
  // Refuses the next `n` Invite() calls as a stack without memory does.
  void RefuseInvites(int n) { refuse_ = n; }
  // A stopped process reads nothing until then.
  void StallUntil(MonoTime until) { stalled_until_ = until; }
  MonoTime stalled_until() const { return stalled_until_; }

  absl::Status Invite(const call::InviteRequest& request) override;
  void Cancel(LegId leg) override;
  void Ack(LegId leg) override;
  void Bye(LegId leg, int q850_cause) override;
  void Forget(LegId leg) override;
  void ByeOrphan(const call::DialogState& dialog) override;
  void CancelOrphan(const OrphanInvite& invite) override;

  size_t legs() const { return call_ids_.size(); }         // known and not forgotten
  uint64_t late_answers() const { return late_answers_; }  // ended below the interface

 private:
  friend class SimCarrier;
  void Receive(const SimCarrier::Reply& reply);
  const std::string& CallId(LegId leg) const;

  SimCarrier& carrier_;
  const uint16_t shard_;
  call::SignalingEvents* events_ = nullptr;
  absl::flat_hash_map<LegId, std::string> call_ids_;
  absl::flat_hash_map<std::string, LegId> legs_;
  int refuse_ = 0;
  uint64_t late_answers_ = 0;
  MonoTime stalled_until_;
};

}  // namespace outpace::sim
