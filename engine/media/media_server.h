#pragma once

// The media plane: one thread that owns every RTP socket and every bridge, and one ShardMediaPlane
// for each call shard. Shards say what they want through a bounded mailbox and never wait; the
// thread says what happened through the shards' loops. See docs/decisions/ortp.md for the design.

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/loop.h"
#include "engine/call/media_plane.h"
#include "engine/media/ip_address.h"
#include "engine/media/media_stats.h"
#include "engine/media/sdes.h"
#include "engine/media/sdp_codec.h"

namespace outpace::media {

// Where a leg's RTCP goes and comes.
enum class RtcpMode {
  kPair,  // the odd port after RTP's (RFC 3550 11): two ports and two sockets a leg
  kMux,   // RTP's own port where the far end agrees (RFC 5761), else no reports
  kOff,   // no reports
};

struct MediaConfig {
  std::string address = "127.0.0.1";  // numeric IPv4 or IPv6 that RTP is bound to
  std::string advertised_address;     // what SDP says; empty: `address` (set it behind 1:1 NAT)
  // Further addresses of the machine, of either family: more ports than one address has, or calls
  // by IPv4 and by IPv6. `ports` are shared out evenly.
  struct Bind {
    std::string address;
    std::string advertised;  // as above
  };
  std::vector<Bind> more_addresses;
  int ports = 64;           // legs at once, shared out evenly among the shards
  uint16_t port_first = 0;  // even for kPair; the same on each address; 0: any (tests)
  RtcpMode rtcp = RtcpMode::kPair;
  std::vector<uint16_t> refused_ports;  // of our addresses, to which media is never sent: SIP's
  uint16_t shards = 1;
  absl::Duration quarantine = absl::Seconds(5);       // before a closed leg's port is used again
  absl::Duration dead_call_time = absl::Seconds(30);  // 0: off
  int preroll_packets = 3;                            // 0..3 kept while not bridged
  absl::Duration preroll_age_max = absl::Milliseconds(200);
  absl::Duration rtcp_interval = absl::Seconds(5);  // sender reports; 0: none
  int dscp = 46;                                    // EF
  // What legs may speak, the best first; each once, at least one. PCMU or PCMA should be among
  // them: there are far ends that have nothing else.
  CodecList codecs = DefaultCodecs();
  std::string safe_harbor_wav;    // empty: built-in tones
  std::string hold_music_wav;     // empty: built-in
  std::string prompts_directory;  // its *.wav files are prompts; empty: none
  // A far end that takes audio and was sent none for so long gets a frame of silence, for there are
  // phones that hang up when nothing comes. 0: never.
  absl::Duration keepalive = absl::Seconds(5);
  // Far ends behind NAT that name a private address: the first valid packet says where they are,
  // from then on they must stay there. Whoever is first can be anybody: off by default.
  bool latch = false;
  std::string announcements_file;   // of listen::FingerprintSet; empty: none are known
  bool realtime = true;             // try SCHED_RR 5; without the right, one Info line and on
  bool lock_memory = false;         // try mlockall; likewise
  size_t mailbox_capacity = 16384;  // power of two
  RandomBytes random_bytes;         // of SRTP keys, on each shard's thread; empty: OpenSSL's
};

class MediaThread;
class ShardMediaPlane;

class MediaServer {
 public:
  // Raises the limit of file descriptors if need be and it may, loads prompts, binds all ports and
  // starts the thread. `clock` and `log` outlive the server.
  // InvalidArgument, NotFound, Unavailable or ResourceExhausted with the remedy in the message.
  static absl::StatusOr<std::unique_ptr<MediaServer>> Start(const MediaConfig& config,
                                                            const Clock& clock, Log& log);
  ~MediaServer();  // Stop()

  // The plane of one shard, `shard` < config.shards, once each. Called before `shard_loop` runs or
  // on its thread; the plane is then used and destroyed on that thread only. `events` is called
  // there too. `shard_loop` outlives the server's Stop(); `events` outlives the plane; the plane
  // does not outlive the server.
  std::unique_ptr<ShardMediaPlane> ForShard(uint16_t shard, Loop& shard_loop,
                                            call::MediaEvents& events);
  // Any thread. Each number by itself is right; together they are of about the same moment.
  MediaStats Stats() const;
  // Names of the prompts directory's files without ".wav"; the n-th is Prompt(kFirstLoaded + n).
  const std::vector<std::string>& prompt_names() const;
  // Ends the thread; commands given later have no effect. May be called more than once.
  void Stop();

 private:
  MediaServer();
  std::unique_ptr<MediaThread> media_;
  std::thread thread_;
  MediaConfig config_;
  std::vector<IpAddress> advertised_;  // by the index of the address in the pool
};

}  // namespace outpace::media
