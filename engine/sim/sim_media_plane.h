#pragma once

#include <cstdint>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "engine/base/ids.h"
#include "engine/base/loop.h"
#include "engine/call/media_plane.h"
#include "engine/sim/sim_carrier.h"

namespace outpace::sim {

// Media without packets: bridges at once, prompts that take their time, a pool of ports that can
// run out. One plane serves all shards, as the real one does. Misuse by a shard (a leg opened
// twice, a prompt on a closed leg) stops the test.
class SimMediaPlane final : public call::MediaPlane {
 public:
  struct Options {
    size_t ports_max = 100'000;
    absl::Duration prompt_length = absl::Seconds(6);
  };
  // `carrier` is told who talks with whom; may be nullptr. Both outlive this object.
  SimMediaPlane(Loop& loop, SimCarrier* carrier, Options options);
  SimMediaPlane(Loop& loop, SimCarrier* carrier) : SimMediaPlane(loop, carrier, Options()) {}
  ~SimMediaPlane() override;
  void set_events(uint16_t shard, call::MediaEvents* events) { events_[shard] = events; }

  absl::StatusOr<std::string> Open(LegId leg, const call::MediaOptions& options) override;
  absl::Status SetRemote(LegId leg, absl::string_view sdp) override;
  std::string LocalSdp(LegId leg) override;
  void Bridge(LegId a, LegId b) override;
  void Unbridge(LegId leg) override;
  // Prompts, and verdicts on answers; everything else is silently done.
  void Do(LegId leg, call::MediaAction action) override;
  void Close(LegId leg) override;

  // The dead-call time of this leg is over.
  void LoseMedia(LegId leg);

  size_t open_legs() const { return legs_.size(); }
  LegId partner(LegId leg) const;  // generation 0: not bridged
  uint64_t bridges() const { return bridges_; }
  uint64_t bridges_missed() const { return bridges_missed_; }  // one leg was closed or taken

 private:
  void Listen(LegId id);
  struct Leg {
    LegId partner;
    bool remote = false;
    Loop::TimerId prompt = 0;
    Loop::TimerId verdict = 0;
  };
  Loop& loop_;
  SimCarrier* const carrier_;
  const Options options_;
  absl::btree_map<uint16_t, call::MediaEvents*> events_;
  absl::btree_map<LegId, Leg> legs_;
  uint64_t bridges_ = 0;
  uint64_t bridges_missed_ = 0;
};

}  // namespace outpace::sim
