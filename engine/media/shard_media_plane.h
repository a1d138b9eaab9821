#pragma once

// One shard's view of the media plane: SDP, the shard's own part of the port pool, and the mailbox
// to the media thread. Everything here is used on the shard's thread only, so there is nothing to
// lock.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/base/loop.h"
#include "engine/call/media_plane.h"
#include "engine/media/media_command.h"
#include "engine/media/sdp.h"

namespace outpace::media {

class MediaThread;
struct ShardLink;

class ShardMediaPlane final : public call::MediaPlane {
 public:
  struct Port {
    uint32_t index = 0;   // into the pool
    uint16_t number = 0;  // UDP
  };
  struct Options {
    uint16_t shard = 0;
    uint32_t advertised_ip = 0;  // host order
    bool allow_loopback = false;
    absl::Duration quarantine;
    uint64_t session_id_base = 0;  // o= numbers start here
  };
  // `media` outlives the plane. Made by MediaServer::ForShard.
  ShardMediaPlane(MediaThread& media, std::shared_ptr<ShardLink> link, Loop& loop,
                  std::vector<Port> ports, const Options& options);
  ~ShardMediaPlane() override;

  // MediaPlane, plus what this implementation decides:
  // A leg of another shard, or one opened twice, is our own mistake (checked).
  absl::StatusOr<std::string> Open(LegId leg, const call::MediaOptions& options) override;
  // FailedPrecondition for a leg that is not open. Until then packets are held, not heard.
  absl::Status SetRemote(LegId leg, absl::string_view sdp) override;
  // Before SetRemote accepted anything: our offer. Empty for a leg that is not open.
  std::string LocalSdp(LegId leg) override;
  // Stops prompts on both. The legs may belong to different shards.
  void Bridge(LegId a, LegId b) override;
  void Unbridge(LegId leg) override;
  // On a bridged leg the prompt is heard instead of the partner until it ends.
  void Play(LegId leg, call::Prompt prompt) override;
  void Close(LegId leg) override;

  // Ports that Open could give out now, for load figures.
  size_t FreePorts();

 private:
  struct LocalLeg {
    Port port;
    uint64_t session_id = 0;
    uint64_t version = 1;
    std::string last_sdp;  // as last given out; a changed one gets the next version
    std::optional<RemoteMedia> remote;
  };
  struct Quarantined {
    Port port;
    MonoTime until;
  };

  std::string Describe(LocalLeg& leg);
  void ReleaseQuarantined();
  void Send(const MediaCommand& command);
  void SendBacklog();

  MediaThread& media_;
  std::shared_ptr<ShardLink> link_;
  Loop& loop_;
  const Options options_;
  uint64_t next_session_id_;
  absl::flat_hash_map<LegId, LocalLeg> legs_;
  std::deque<Port> free_;               // the port that rested longest comes first
  std::deque<Quarantined> quarantine_;  // by time
  std::deque<MediaCommand> backlog_;    // the mailbox was full; in order
  Loop::TimerId backlog_timer_ = 0;
};

}  // namespace outpace::media
