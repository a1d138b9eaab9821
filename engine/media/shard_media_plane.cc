#include "engine/media/shard_media_plane.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/media/media_thread.h"

namespace outpace::media {
namespace {
constexpr absl::Duration kQuietWait = absl::Milliseconds(20);
}  // namespace

ShardMediaPlane::ShardMediaPlane(MediaThread& media, std::shared_ptr<ShardLink> link, Loop& loop,
                                 std::vector<Port> ports, const Options& options)
    : media_(media),
      link_(std::move(link)),
      loop_(loop),
      options_(options),
      next_session_id_(options.session_id_base) {
  for (const Port& port : ports) Free(port).push_back(port);
  legs_.reserve(ports.size());
}

ShardMediaPlane::~ShardMediaPlane() {
  link_->events = nullptr;  // events on their way are dropped when they arrive
  loop_.Cancel(backlog_timer_);
  loop_.Cancel(wake_timer_);
}

std::deque<ShardMediaPlane::Port>& ShardMediaPlane::Free(const Port& port) {
  return options_.advertised[port.address].v6() ? free_v6_ : free_v4_;
}

void ShardMediaPlane::ReleaseQuarantined() {
  const MonoTime now = loop_.clock().Mono();
  while (!quarantine_.empty() && quarantine_.front().until <= now) {
    const Port& port = quarantine_.front().port;
    Free(port).push_back(port);
    quarantine_.pop_front();
  }
}

size_t ShardMediaPlane::FreePorts() {
  ReleaseQuarantined();
  return free_v4_.size() + free_v6_.size();
}

absl::StatusOr<std::string> ShardMediaPlane::Open(LegId leg, const call::MediaOptions& options) {
  OUTPACE_CHECK(leg.valid() && leg.shard == options_.shard && !legs_.contains(leg));
  using Family = call::MediaOptions::Family;
  const bool v6 = options.family == Family::kAny ? options_.advertised.front().v6()
                                                 : options.family == Family::kIpv6;
  if (std::none_of(options_.advertised.begin(), options_.advertised.end(),
                   [v6](const IpAddress& ip) { return ip.v6() == v6; })) {
    return absl::FailedPreconditionError(
        absl::StrCat("media: no IPv", v6 ? 6 : 4, " address; set media.address"));
  }
  ReleaseQuarantined();
  std::deque<Port>& free = v6 ? free_v6_ : free_v4_;
  if (free.empty()) {
    return absl::ResourceExhaustedError("media: no free RTP port; raise media.ports");
  }
  std::unique_ptr<Crypto> crypto;
  if (options.srtp) {
    crypto = std::make_unique<Crypto>();
    if (absl::Status status = OfferKeys(*crypto); !status.ok()) return status;
  }
  LocalLeg& local = legs_[leg];
  local.port = free.front();
  free.pop_front();
  local.session_id = next_session_id_++;
  local.offered = !options.far_end_offers;
  local.crypto = std::move(crypto);
  Send(OpenLeg{.leg = leg, .port = local.port.index});
  return Describe(local, Form::kOffer);
}

std::string ShardMediaPlane::Describe(LocalLeg& leg, Form form) {
  LocalMedia media{
      .address = {.ip = options_.advertised[leg.port.address], .port = leg.port.number},
      .session_id = leg.session_id,
      .version = leg.version,
      .rtcp_mux = options_.rtcp == RtcpMode::kMux,
      .no_rtcp_port = options_.rtcp != RtcpMode::kPair,
      .codecs = options_.codecs};
  if (leg.crypto != nullptr) {
    media.crypto = leg.crypto->ours;
    if (form == Form::kAnswer) media.crypto = media.crypto.subspan(leg.crypto->chosen, 1);
  }
  if (form == Form::kAnswer) media.direction = Mirror(leg.remote->direction);
  const auto build = [&] {
    return form == Form::kAnswer ? BuildAnswer(media, *leg.remote) : BuildOffer(media);
  };
  std::string sdp = build();
  const size_t hash = absl::HashOf(sdp);
  if (leg.last_sdp != 0 && hash != leg.last_sdp) {  // RFC 3264 8: one more with each change
    media.version = ++leg.version;
    sdp = build();
  }
  leg.last_sdp = absl::HashOf(sdp);
  return sdp;
}

std::string ShardMediaPlane::LocalSdp(LegId leg) {
  const auto it = legs_.find(leg);
  if (it == legs_.end()) return std::string();
  const bool answer = it->second.remote.has_value() && !it->second.offered;
  return Describe(it->second, answer ? Form::kAnswer : Form::kOffer);
}

std::string ShardMediaPlane::Offer(LegId leg) {
  const auto it = legs_.find(leg);
  if (it == legs_.end()) return std::string();
  it->second.offered = true;
  return Describe(it->second, Form::kOffer);
}

absl::Status ShardMediaPlane::OfferKeys(Crypto& crypto) {
  uint32_t tag = 0;
  for (const SrtpSuite suite :
       {SrtpSuite::kAesCm128Sha1_80, SrtpSuite::kAesCm256Sha1_80, SrtpSuite::kAesCm128Sha1_32}) {
    absl::StatusOr<SrtpKey> key = NewSrtpKey(suite, options_.random_bytes);
    if (!key.ok()) return key.status();
    crypto.ours.push_back({.tag = ++tag, .key = *key});
  }
  crypto.senders.resize(crypto.ours.size());
  return absl::OkStatus();
}

// Which line holds from now on, with what keys, and what of that is new to the media thread.
absl::Status ShardMediaPlane::TakeKeys(const LocalLeg& leg, RemoteMedia& remote, Crypto& crypto,
                                       SetPeer& command) {
  const auto same_line = [](const SdesLine& a, const SdesLine& b) {
    return a.tag == b.tag && a.key.suite == b.key.suite;
  };
  const SdesLine* theirs = nullptr;
  for (const SdesLine& line : remote.crypto) {
    const auto ours = std::find_if(crypto.ours.begin(), crypto.ours.end(),
                                   [&](const SdesLine& o) { return same_line(o, line); });
    if (ours == crypto.ours.end()) continue;
    theirs = &line;
    crypto.chosen = static_cast<size_t>(ours - crypto.ours.begin());
    break;
  }
  if (theirs == nullptr) {
    if (leg.offered) return absl::InvalidArgumentError("sdp: a=crypto is none of those offered");
    // An offer of theirs: the first line we can do, under its tag. Our own key goes on where the
    // suite does.
    theirs = &remote.crypto.front();
    SdesLine ours;
    ours.tag = theirs->tag;
    std::shared_ptr<SrtpSender> sender;
    if (crypto.active != nullptr && crypto.ours[crypto.chosen].key.suite == theirs->key.suite) {
      ours.key = crypto.ours[crypto.chosen].key;
      sender = crypto.active;
    } else {
      absl::StatusOr<SrtpKey> key = NewSrtpKey(theirs->key.suite, options_.random_bytes);
      if (!key.ok()) return key.status();
      ours.key = *key;
    }
    crypto.ours.assign(1, ours);
    crypto.senders.assign(1, sender);
    crypto.chosen = 0;
  }
  if (crypto.active == nullptr || !(theirs->key == crypto.hearing) ||
      theirs->mki_size != crypto.hearing_mki) {
    command.receiver = std::make_shared<SrtpReceiver>(theirs->key, theirs->mki_size);
  }
  std::shared_ptr<SrtpSender>& sender = crypto.senders[crypto.chosen];
  if (sender == nullptr) sender = std::make_shared<SrtpSender>(crypto.ours[crypto.chosen].key);
  if (sender != crypto.active) command.sender = crypto.active = sender;
  crypto.hearing = theirs->key;
  crypto.hearing_mki = theirs->mki_size;
  remote.crypto.clear();
  return absl::OkStatus();
}

// 0: no reports.
uint16_t ShardMediaPlane::RtcpPort(const RemoteMedia& remote) const {
  switch (options_.rtcp) {
    case RtcpMode::kPair:
      return remote.rtcp_port;
    case RtcpMode::kMux:
      return remote.rtcp_mux ? remote.address.port : 0;
    case RtcpMode::kOff:
      return 0;
  }
  return 0;
}

absl::Status ShardMediaPlane::SetRemote(LegId leg, absl::string_view sdp) {
  const auto it = legs_.find(leg);
  if (it == legs_.end()) return absl::FailedPreconditionError("media: leg is not open");
  LocalLeg& local = it->second;
  const IpAddress& own = options_.advertised[local.port.address];
  SdpPolicy policy{.allow_loopback = own.loopback(),
                   .allow_hold_address = local.remote.has_value(),
                   .allow_link_local = own.link_local(),
                   .ipv6 = own.v6(),
                   .codecs = options_.codecs};
  if (local.crypto != nullptr) {
    policy.security = Security::kMust;  // never back into the clear
  } else if (!local.offered) {
    policy.security = Security::kMay;
  }
  absl::StatusOr<RemoteMedia> parsed = ParseSdp(sdp, policy);
  if (!parsed.ok()) return parsed.status();
  // Hold in the old style names no address: the far end is where it was.
  if (parsed->old_style_hold) parsed->address = local.remote->address;
  if (media_.IsOurs(parsed->address)) {
    // Two legs that send to each other's sockets would relay one packet for ever.
    return absl::InvalidArgumentError("sdp: address is one of our own ports");
  }
  SetPeer command{
      .leg = leg,
      .remote = parsed->address,
      .rtcp_port = RtcpPort(*parsed),
      .packet_ms = static_cast<uint8_t>(PacketMilliseconds(parsed->ptime_ms, parsed->maxptime_ms)),
      .codecs = parsed->codecs,
      .event_type = parsed->event_type,
      .event_rate = parsed->event_rate,
      .events = parsed->events,
      .sends =
          parsed->direction == Direction::kSendRecv || parsed->direction == Direction::kSendOnly,
      .listens =
          parsed->direction == Direction::kSendRecv || parsed->direction == Direction::kRecvOnly,
      .sender = nullptr,
      .receiver = nullptr};
  if (parsed->secure) {
    auto crypto = local.crypto != nullptr ? std::make_unique<Crypto>(*local.crypto)
                                          : std::make_unique<Crypto>();
    if (absl::Status status = TakeKeys(local, *parsed, *crypto, command); !status.ok()) {
      return status;
    }
    local.crypto = std::move(crypto);
  }
  local.remote = *std::move(parsed);
  local.offered = false;
  Send(command);
  return absl::OkStatus();
}

void ShardMediaPlane::Bridge(LegId a, LegId b) {
  OUTPACE_CHECK(a != b);
  Send(BridgeLegs{.a = a, .b = b});
}

void ShardMediaPlane::Unbridge(LegId leg) { Send(UnbridgeLeg{.leg = leg}); }

void ShardMediaPlane::Do(LegId leg, call::MediaAction action) {
  Send(DoAction{.leg = leg, .action = std::move(action)});
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
// That a leg opens, has a far end, or closes, is of no use to the media thread before a packet
// comes or somebody is to hear one: such commands share a wake-up. A bridge or a prompt is for ears
// that wait now.
void ShardMediaPlane::Send(const MediaCommand& command) {
  const bool urgent = std::holds_alternative<BridgeLegs>(command) ||
                      std::holds_alternative<UnbridgeLeg>(command) ||
                      std::holds_alternative<DoAction>(command);
  if (!urgent && wake_timer_ == 0) {
    wake_timer_ = loop_.After(kQuietWait, [this] {
      wake_timer_ = 0;
      media_.Wake();
    });
  }
  const auto post = [&] { return urgent ? media_.Post(command) : media_.PostQuietly(command); };
  if (!backlog_.empty() || !post()) {
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
