#include "engine/media/shard_media_plane.h"

#include <utility>

#include "engine/base/check.h"
#include "engine/media/media_thread.h"

namespace outpace::media {

ShardMediaPlane::ShardMediaPlane(MediaThread& media, std::shared_ptr<ShardLink> link, Loop& loop,
                                 std::vector<Port> ports, const Options& options)
    : media_(media),
      link_(std::move(link)),
      loop_(loop),
      options_(options),
      next_session_id_(options.session_id_base),
      free_(ports.begin(), ports.end()) {
  legs_.reserve(ports.size());
}

ShardMediaPlane::~ShardMediaPlane() {
  link_->events = nullptr;  // events on their way are dropped when they arrive
  loop_.Cancel(backlog_timer_);
}

void ShardMediaPlane::ReleaseQuarantined() {
  const MonoTime now = loop_.clock().Mono();
  while (!quarantine_.empty() && quarantine_.front().until <= now) {
    free_.push_back(quarantine_.front().port);
    quarantine_.pop_front();
  }
}

size_t ShardMediaPlane::FreePorts() {
  ReleaseQuarantined();
  return free_.size();
}

absl::StatusOr<std::string> ShardMediaPlane::Open(LegId leg, const call::MediaOptions& options) {
  if (options.srtp) return absl::UnimplementedError("media: SRTP is not there");
  OUTPACE_CHECK(leg.valid() && leg.shard == options_.shard && !legs_.contains(leg));
  ReleaseQuarantined();
  if (free_.empty()) {
    return absl::ResourceExhaustedError("media: no free RTP port; raise media.ports");
  }
  LocalLeg& local = legs_[leg];
  local.port = free_.front();
  free_.pop_front();
  local.session_id = next_session_id_++;
  Send(OpenLeg{.leg = leg, .port = local.port.index});
  return Describe(local);
}

std::string ShardMediaPlane::Describe(LocalLeg& leg) {
  LocalMedia media{.address = {.ip = options_.advertised_ip, .port = leg.port.number},
                   .session_id = leg.session_id,
                   .version = leg.version};
  if (leg.remote.has_value()) media.direction = Mirror(leg.remote->direction);
  const auto build = [&] {
    return leg.remote.has_value() ? BuildAnswer(media, *leg.remote) : BuildOffer(media);
  };
  std::string sdp = build();
  if (!leg.last_sdp.empty() && sdp != leg.last_sdp) {  // RFC 3264 8: one more with each change
    media.version = ++leg.version;
    sdp = build();
  }
  leg.last_sdp = sdp;
  return sdp;
}

absl::Status ShardMediaPlane::SetRemote(LegId leg, absl::string_view sdp) {
  const auto it = legs_.find(leg);
  if (it == legs_.end()) return absl::FailedPreconditionError("media: leg is not open");
  LocalLeg& local = it->second;
  absl::StatusOr<RemoteMedia> parsed = ParseSdp(
      sdp,
      {.allow_loopback = options_.allow_loopback, .allow_hold_address = local.remote.has_value()});
  if (!parsed.ok()) return parsed.status();
  // Hold in the old style names no address: the far end is where it was.
  if (parsed->old_style_hold) parsed->address = local.remote->address;
  if (media_.IsOurs(parsed->address)) {
    // Two legs that send to each other's sockets would relay one packet for ever.
    return absl::InvalidArgumentError("sdp: address is one of our own ports");
  }
  local.remote = *std::move(parsed);
  const RemoteMedia& remote = *local.remote;
  Send(SetPeer{
      .leg = leg,
      .remote = remote.address,
      .codec = remote.codecs.front(),
      .event_type = remote.event_type,
      .sends = remote.direction == Direction::kSendRecv || remote.direction == Direction::kSendOnly,
      .listens =
          remote.direction == Direction::kSendRecv || remote.direction == Direction::kRecvOnly});
  return absl::OkStatus();
}

std::string ShardMediaPlane::LocalSdp(LegId leg) {
  const auto it = legs_.find(leg);
  return it == legs_.end() ? std::string() : Describe(it->second);
}

void ShardMediaPlane::Bridge(LegId a, LegId b) {
  OUTPACE_CHECK(a != b);
  Send(BridgeLegs{.a = a, .b = b});
}

void ShardMediaPlane::Unbridge(LegId leg) { Send(UnbridgeLeg{.leg = leg}); }

void ShardMediaPlane::Play(LegId leg, call::Prompt prompt) {
  Send(PlayPrompt{.leg = leg, .prompt = prompt});
}

void ShardMediaPlane::Close(LegId leg) {
  const auto it = legs_.find(leg);
  if (it == legs_.end()) return;
  quarantine_.push_back(
      {.port = it->second.port, .until = loop_.clock().Mono() + options_.quarantine});
  legs_.erase(it);
  Send(CloseLeg{.leg = leg});
}

// Commands are never dropped: a lost Close would keep a leg for ever, a lost Bridge would leave two
// people in silence. When the mailbox is full they wait here, in order.
void ShardMediaPlane::Send(const MediaCommand& command) {
  if (!backlog_.empty() || !media_.Post(command)) {
    backlog_.push_back(command);
    if (backlog_timer_ == 0) SendBacklog();
  }
}

void ShardMediaPlane::SendBacklog() {
  backlog_timer_ = 0;
  while (!backlog_.empty() && media_.Post(backlog_.front())) backlog_.pop_front();
  if (!backlog_.empty()) {
    backlog_timer_ = loop_.After(absl::Milliseconds(1), [this] { SendBacklog(); });
  }
}

}  // namespace outpace::media
