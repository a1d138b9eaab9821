#include "engine/media/media_server.h"

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

bool IsLoopback(uint32_t ip) { return (ip >> 24) == 127; }

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
  return absl::OkStatus();
}

}  // namespace

MediaServer::MediaServer() = default;

absl::StatusOr<std::unique_ptr<MediaServer>> MediaServer::Start(const MediaConfig& config,
                                                                const Clock& clock, Log& log) {
  if (absl::Status status = CheckConfig(config); !status.ok()) return status;
  const absl::StatusOr<uint32_t> bind_ip = ParseIpv4(config.address);
  const absl::StatusOr<uint32_t> advertised =
      config.advertised_address.empty() ? bind_ip : ParseIpv4(config.advertised_address);
  if (!bind_ip.ok() || !advertised.ok() || *advertised == 0) {
    return absl::InvalidArgumentError(
        "media: address and advertised_address must be numeric IPv4, and one of them must not be "
        "0.0.0.0: SDP has to name an address");
  }
  absl::StatusOr<PromptSet> prompts = PromptSet::Load(config.safe_harbor_wav);
  if (!prompts.ok()) return prompts.status();
  if (config.safe_harbor_wav.empty()) {
    log.Warning("media.built_in_prompt",
                {{"effect", "the safe-harbor message is tones: it names no seller and no number"},
                 {"remedy", "set media.safe_harbor_wav (16 CFR 310.4(b)(4)(iii))"}});
  }
  absl::StatusOr<PortPool> pool = PortPool::Bind({.ip = *bind_ip,
                                                  .pairs = config.ports,
                                                  .first_port = config.port_first,
                                                  .dscp = config.dscp});
  if (!pool.ok()) return pool.status();

  auto server = std::unique_ptr<MediaServer>(new MediaServer());
  server->config_ = config;
  server->media_ = std::make_unique<MediaThread>(config, *bind_ip, *advertised, *std::move(pool),
                                                 *std::move(prompts), clock, log);
  if (absl::Status status = server->media_->Init(); !status.ok()) return status;
  server->thread_ = std::thread([media = server->media_.get()] { media->Run(); });
  return server;
}

MediaServer::~MediaServer() { Stop(); }

void MediaServer::Stop() {
  if (!thread_.joinable()) return;
  media_->Stop();
  thread_.join();
}

MediaStats MediaServer::Stats() const { return media_->Stats(); }

std::unique_ptr<ShardMediaPlane> MediaServer::ForShard(uint16_t shard, Loop& shard_loop,
                                                       call::MediaEvents& events) {
  OUTPACE_CHECK(shard < config_.shards);
  const std::shared_ptr<ShardLink>& link = media_->link(shard);
  OUTPACE_CHECK(link->loop == nullptr);
  link->loop = &shard_loop;
  link->events = &events;
  std::vector<ShardMediaPlane::Port> ports;
  const std::vector<PortPair>& pairs = media_->pool().pairs();
  for (uint32_t i = shard; i < pairs.size(); i += config_.shards) {
    ports.push_back({.index = i, .number = pairs[i].rtp_port});
  }
  const uint32_t advertised =
      ParseIpv4(config_.advertised_address.empty() ? config_.address : config_.advertised_address)
          .value();
  return std::make_unique<ShardMediaPlane>(
      *media_, link, shard_loop, std::move(ports),
      ShardMediaPlane::Options{.shard = shard,
                               .advertised_ip = advertised,
                               .allow_loopback = IsLoopback(advertised),
                               .quarantine = config_.quarantine,
                               .session_id_base = (uint64_t{shard} << 40) + 1});
}

}  // namespace outpace::media
