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
#include "engine/media/ip_address.h"
#include "engine/media/media_command.h"
#include "engine/media/media_server.h"
#include "engine/media/sdes.h"
#include "engine/media/sdp.h"

namespace outpace::media {

class MediaThread;
struct ShardLink;

class ShardMediaPlane final : public call::MediaPlane {
 public:
  struct Port {
    uint32_t index = 0;    // into the pool
    uint16_t number = 0;   // UDP
    uint16_t address = 0;  // index into Options::advertised
  };
  struct Options {
    uint16_t shard = 0;
    std::vector<IpAddress> advertised;
    RtcpMode rtcp = RtcpMode::kPair;
    absl::Duration quarantine;
    uint64_t session_id_base = 0;  // o= numbers start here
    RandomBytes random_bytes;
    CodecList codecs = DefaultCodecs();
  };
  // `media` outlives the plane. Made by MediaServer::ForShard.
  ShardMediaPlane(MediaThread& media, std::shared_ptr<ShardLink> link, Loop& loop,
                  std::vector<Port> ports, const Options& options);
  ~ShardMediaPlane() override;

  // MediaPlane, plus what this implementation decides:
  // A leg of another shard, or one opened twice, is our own mistake (checked). Family kAny is that
  // of the first address configured; FailedPrecondition when there is none of the family asked for.
  absl::StatusOr<std::string> Open(LegId leg, const call::MediaOptions& options) override;
  // FailedPrecondition for a leg that is not open. Until then packets are held, not heard.
  // A leg opened with `srtp`, or once encrypted, takes nothing in the clear any more; an answer
  // must take one of our a=crypto lines. Keys that a description repeats stay in use, with their
  // replay window; new ones take over with the first packet under them.
  absl::Status SetRemote(LegId leg, absl::string_view sdp) override;
  // Before SetRemote accepted anything: our offer. Empty for a leg that is not open.
  std::string LocalSdp(LegId leg) override;
  std::string Offer(LegId leg) override;
  // Stops prompts on both. The legs may belong to different shards.
  void Bridge(LegId a, LegId b) override;
  void Unbridge(LegId leg) override;
  // A prompt on a bridged leg is heard instead of the partner until it ends.
  void Do(LegId leg, call::MediaAction action) override;
  void Close(LegId leg) override;

  // Ports that Open could give out now, of either family, for load figures.
  size_t FreePorts();

 private:
  // What RTP/SAVP needs beyond the description. Keys are wiped with it.
  struct Crypto {
    // What we said: the lines of our offer, all of which stay good, because two branches of a
    // forked call may each take another; or the one of our answer.
    std::vector<SdesLine> ours;
    // What sends under each of them, once it did: who comes back to a key goes on where it was,
    // since an index must never come twice under one key. The media thread's to use.
    std::vector<std::shared_ptr<SrtpSender>> senders;
    size_t chosen = 0;                   // of both
    std::shared_ptr<SrtpSender> active;  // what the media thread has; nullptr: nothing yet
    SrtpKey hearing;                     // the far end's
    uint8_t hearing_mki = 0;
  };
  struct LocalLeg {
    Port port;
    uint64_t session_id = 0;
    uint32_t version = 1;
    bool offered = true;  // the next description answers an offer of ours
    size_t last_sdp = 0;  // hash of what was given out last; what differs gets the next version
    std::unique_ptr<Crypto> crypto;  // nullptr: RTP/AVP
    std::optional<RemoteMedia> remote;
  };
  struct Quarantined {
    Port port;
    MonoTime until;
  };

  enum class Form { kOffer, kAnswer };
  std::string Describe(LocalLeg& leg, Form form);
  absl::Status OfferKeys(Crypto& crypto);
  absl::Status TakeKeys(const LocalLeg& leg, RemoteMedia& remote, Crypto& crypto, SetPeer& command);
  uint16_t RtcpPort(const RemoteMedia& remote) const;
  std::deque<Port>& Free(const Port& port);
  void ReleaseQuarantined();
  void Send(const MediaCommand& command);
  void SendBacklog();

  MediaThread& media_;
  std::shared_ptr<ShardLink> link_;
  Loop& loop_;
  const Options options_;
  uint64_t next_session_id_;
  absl::flat_hash_map<LegId, LocalLeg> legs_;
  std::deque<Port> free_v4_;  // the port that rested longest comes first
  std::deque<Port> free_v6_;
  std::deque<Quarantined> quarantine_;  // by time
  std::deque<MediaCommand> backlog_;    // the mailbox was full; in order
  Loop::TimerId backlog_timer_ = 0;
  Loop::TimerId wake_timer_ = 0;  // for commands that were posted quietly
};

}  // namespace outpace::media
