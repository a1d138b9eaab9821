#include "engine/media/media_server.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/media/media_thread.h"
#include "engine/media/port_pool.h"
#include "engine/media/prompt.h"
#include "engine/media/sdp.h"
#include "engine/media/shard_media_plane.h"

namespace outpace::media {
namespace {

// An address to bind and what SDP says of it.
struct Address {
  IpAddress bind;
  IpAddress advertised;
};

absl::StatusOr<Address> ParseAddress(const std::string& bind, const std::string& advertised) {
  const absl::StatusOr<IpAddress> ip = IpAddress::Parse(bind);
  const absl::StatusOr<IpAddress> said = advertised.empty() ? ip : IpAddress::Parse(advertised);
  if (!ip.ok() || !said.ok() || said->any()) {
    return absl::InvalidArgumentError(
        "media: address and advertised_address must be numeric IPv4 or IPv6, and one of them must "
        "not be 0.0.0.0 or ::, because SDP has to name an address");
  }
  if (ip->v6() != said->v6()) {
    return absl::InvalidArgumentError(
        "media: address and advertised_address must be of the same family");
  }
  if (said->unusable() || (said->v6() && said->link_local())) {
    return absl::InvalidArgumentError(
        "media: the address in SDP must be one that a far end can send to; a link-local IPv6 "
        "address means nothing without its interface, and multicast is not for calls");
  }
  return Address{.bind = *ip, .advertised = *said};
}

absl::StatusOr<std::vector<Address>> ParseAddresses(const MediaConfig& config) {
  std::vector<Address> out;
  absl::StatusOr<Address> first = ParseAddress(config.address, config.advertised_address);
  if (!first.ok()) return first.status();
  out.push_back(*first);
  for (const MediaConfig::Bind& more : config.more_addresses) {
    absl::StatusOr<Address> next = ParseAddress(more.address, more.advertised);
    if (!next.ok()) return next.status();
    out.push_back(*next);
  }
  return out;
}

// All addresses under which our sockets can be reached: those bound, those we tell, and each of the
// machine where a socket listens on all.
std::vector<IpAddress> OwnAddresses(const std::vector<Address>& addresses) {
  std::vector<IpAddress> own;
  bool any = false;
  for (const Address& address : addresses) {
    own.push_back(address.bind);
    own.push_back(address.advertised);
    any = any || address.bind.any();
  }
  ifaddrs* interfaces = nullptr;
  if (!any || getifaddrs(&interfaces) != 0) return own;
  for (const ifaddrs* i = interfaces; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr == nullptr) continue;
    if (i->ifa_addr->sa_family == AF_INET) {
      own.emplace_back(ntohl(reinterpret_cast<const sockaddr_in*>(i->ifa_addr)->sin_addr.s_addr));
    } else if (i->ifa_addr->sa_family == AF_INET6) {
      own.emplace_back(reinterpret_cast<const sockaddr_in6*>(i->ifa_addr)->sin6_addr);
    }
  }
  freeifaddrs(interfaces);
  return own;
}

absl::Status CheckConfig(const MediaConfig& config) {
  if (config.shards < 1 || config.ports < config.shards) {
    return absl::InvalidArgumentError(
        absl::StrCat("media: ", config.ports, " ports for ", config.shards,
                     " shards; media.ports must be at least one for each shard"));
  }
  if (config.preroll_packets < 0 || config.preroll_packets > 3) {
    return absl::InvalidArgumentError("media: preroll_packets must be 0..3");
  }
  if (config.quarantine < absl::ZeroDuration() || config.dead_call_time < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("media: durations must not be negative");
  }
  CodecList codecs = config.codecs;
  std::sort(codecs.begin(), codecs.end());
  if (codecs.empty() || std::adjacent_find(codecs.begin(), codecs.end()) != codecs.end()) {
    return absl::InvalidArgumentError("media: codecs must name at least one, and none twice");
  }
  return absl::OkStatus();
}

}  // namespace

MediaServer::MediaServer() = default;

absl::StatusOr<std::unique_ptr<MediaServer>> MediaServer::Start(const MediaConfig& config,
                                                                const Clock& clock, Log& log) {
  if (absl::Status status = CheckConfig(config); !status.ok()) return status;
  const absl::StatusOr<std::vector<Address>> addresses = ParseAddresses(config);
  if (!addresses.ok()) return addresses.status();
  absl::StatusOr<PromptSet> prompts = PromptSet::Load({.safe_harbor_wav = config.safe_harbor_wav,
                                                       .hold_music_wav = config.hold_music_wav,
                                                       .directory = config.prompts_directory});
  if (!prompts.ok()) return prompts.status();
  if (config.safe_harbor_wav.empty()) {
    log.Warning("media.built_in_prompt",
                {{"effect", "the safe-harbor message is tones: it names no seller and no number"},
                 {"remedy", "set media.safe_harbor_wav (16 CFR 310.4(b)(4)(iii))"}});
  }
  std::unique_ptr<const listen::FingerprintSet> announcements;
  if (!config.announcements_file.empty()) {
    absl::StatusOr<listen::FingerprintSet> set =
        listen::FingerprintSet::Load(config.announcements_file);
    if (!set.ok()) return set.status();
    announcements = std::make_unique<const listen::FingerprintSet>(*std::move(set));
  }
  const bool rtcp_sockets = config.rtcp == RtcpMode::kPair;
  const absl::StatusOr<uint64_t> raised = EnsureDescriptors(config.ports, rtcp_sockets);
  if (!raised.ok()) return raised.status();
  if (*raised != 0) log.Info("media.descriptors_raised", {{"limit", *raised}});
  PortPool::Options options{.addresses = {},
                            .pairs = config.ports,
                            .first_port = config.port_first,
                            .dscp = config.dscp,
                            .rtcp_sockets = rtcp_sockets};
  for (const Address& address : *addresses) options.addresses.push_back(address.bind);
  absl::StatusOr<PortPool> pool = PortPool::Bind(options);
  if (!pool.ok()) return pool.status();

  auto server = std::unique_ptr<MediaServer>(new MediaServer());
  server->config_ = config;
  if (!server->config_.random_bytes) server->config_.random_bytes = &SystemRandomBytes;
  for (const Address& address : *addresses) server->advertised_.push_back(address.advertised);
  server->media_ =
      std::make_unique<MediaThread>(config, OwnAddresses(*addresses), *std::move(pool),
                                    *std::move(prompts), std::move(announcements), clock, log);
  if (absl::Status status = server->media_->Init(); !status.ok()) return status;
  server->thread_ = std::thread([media = server->media_.get()] {
    pthread_setname_np(pthread_self(), "media");
    media->Run();
  });
  return server;
}

MediaServer::~MediaServer() { Stop(); }

void MediaServer::Stop() {
  if (!thread_.joinable()) return;
  media_->Stop();
  thread_.join();
}

const std::vector<std::string>& MediaServer::prompt_names() const { return media_->prompt_names(); }

MediaStats MediaServer::Stats() const { return media_->Stats(); }

std::unique_ptr<ShardMediaPlane> MediaServer::ForShard(uint16_t shard, Loop& shard_loop,
                                                       call::MediaEvents& events) {
  OUTPACE_CHECK(shard < config_.shards);
  const std::shared_ptr<ShardLink>& link = media_->link(shard);
  OUTPACE_CHECK(link->loop == nullptr);
  link->loop = &shard_loop;
  link->events = &events;
  // Each shard gets its share of each address.
  std::vector<ShardMediaPlane::Port> ports;
  const std::vector<PortPair>& pairs = media_->pool().pairs();
  uint32_t nth = 0;
  for (uint32_t i = 0; i < pairs.size(); ++i, ++nth) {
    if (i > 0 && pairs[i].address != pairs[i - 1].address) nth = 0;
    if ((nth + pairs[i].address) % config_.shards != shard) continue;
    ports.push_back({.index = i, .number = pairs[i].rtp_port, .address = pairs[i].address});
  }
  return std::make_unique<ShardMediaPlane>(
      *media_, link, shard_loop, std::move(ports),
      ShardMediaPlane::Options{.shard = shard,
                               .advertised = advertised_,
                               .rtcp = config_.rtcp,
                               .quarantine = config_.quarantine,
                               .session_id_base = (uint64_t{shard} << 40) + 1,
                               .random_bytes = config_.random_bytes,
                               .codecs = config_.codecs});
}

}  // namespace outpace::media
