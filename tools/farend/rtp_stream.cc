#include "tools/farend/rtp_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace outpace::farend {
namespace {

constexpr size_t kHeaderBytes = 12;  // RFC 3550 5.1
constexpr absl::Duration kTick = absl::Milliseconds(5);

void Put32(char* at, uint32_t value) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<char>(value >> (24 - 8 * i));
}

}  // namespace

RtpStream::RtpStream(RtpEngine& engine, UdpSocket socket, uint32_t ssrc)
    : engine_(engine), socket_(std::move(socket)), ssrc_(ssrc) {
  sequence_ = static_cast<uint16_t>(engine.rng_.Next());
  timestamp_ = static_cast<uint32_t>(engine.rng_.Next());
  engine_.reactor_.Watch(socket_.fd(), [this] { OnReadable(); });
}

RtpStream::~RtpStream() {
  engine_.Stop(this);
  engine_.reactor_.Unwatch(socket_.fd());
}

void RtpStream::SetRemote(Endpoint remote, int codec) {
  remote_ = remote;
  codec_ = codec;
}

void RtpStream::Play(std::shared_ptr<const Clip> clip) {
  const bool was_sending = clip_ != nullptr;
  clip_ = std::move(clip);
  frame_ = 0;
  if (clip_ == nullptr) {
    if (was_sending) engine_.Stop(this);
    return;
  }
  mark_ = true;  // start of a talk spurt (RFC 3551 4.1)
  if (was_sending) return;
  engine_.Start(this);
  SendFrame();
}

void RtpStream::SendFrame() {
  if (clip_ == nullptr || !remote_.valid()) return;
  char packet[kHeaderBytes + kFrameSamples];
  packet[0] = static_cast<char>(0x80);
  packet[1] = static_cast<char>(codec_ | (mark_ ? 0x80 : 0));
  packet[2] = static_cast<char>(sequence_ >> 8);
  packet[3] = static_cast<char>(sequence_ & 0xff);
  Put32(packet + 4, timestamp_);
  Put32(packet + 8, ssrc_);
  const std::string& voice = codec_ == 8 ? clip_->alaw : clip_->ulaw;
  if (frame_ < clip_->frames()) {
    std::memcpy(packet + kHeaderBytes, voice.data() + frame_ * kFrameSamples, kFrameSamples);
  } else {
    std::memset(packet + kHeaderBytes, codec_ == 8 ? 0xd5 : 0xff, kFrameSamples);
  }
  if (++frame_ >= clip_->frames()) frame_ = clip_->loop_from;
  mark_ = false;
  ++sequence_;
  timestamp_ += kFrameSamples;
  if (!socket_.Send(remote_, absl::string_view(packet, sizeof packet))) return;
  ++engine_.totals_.sent;
  if (stats_.sent++ == 0 && on_first_sent) on_first_sent(engine_.reactor_.clock().Wall());
}

void RtpStream::OnReadable() {
  char packet[2048];
  Endpoint from;
  absl::Time at;
  // One a turn: the loop is level-triggered, and a second read would mostly find nothing.
  const ptrdiff_t size = socket_.Receive(packet, sizeof packet, &from, &at);
  if (size >= 0) OnPacket(absl::string_view(packet, static_cast<size_t>(size)), at);
}

void RtpStream::OnPacket(absl::string_view packet, absl::Time at) {
  const auto byte = [&packet](size_t i) { return static_cast<uint8_t>(packet[i]); };
  if (packet.size() < kHeaderBytes || byte(0) >> 6 != 2) {
    ++stats_.invalid;
    ++engine_.totals_.invalid;
    return;
  }
  if (byte(1) >= 192 && byte(1) <= 223) return;  // RTCP of a neighbour's port (RFC 5761 4)
  size_t begin = kHeaderBytes + 4 * static_cast<size_t>(byte(0) & 0x0f);
  if ((byte(0) & 0x10) != 0 && begin + 4 <= packet.size()) {
    begin += 4 + 4 * (static_cast<size_t>(byte(begin + 2)) << 8 | byte(begin + 3));
  }
  begin = std::min(begin, packet.size());
  const absl::string_view payload = packet.substr(begin);
  uint32_t ssrc = 0;
  for (size_t i = 8; i < 12; ++i) ssrc = ssrc << 8 | byte(i);
  if (stats_.received == 0 || ssrc != peer_ssrc_) ++stats_.sources;
  peer_ssrc_ = ssrc;
  for (const char c : payload) {
    stats_.payload_hash = (stats_.payload_hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  }
  if (capture_max_ > 0) {
    captured_.append(payload.data(), payload.size());
    if (captured_.size() > capture_max_) captured_.erase(0, captured_.size() - capture_max_);
  }
  const bool burst = stats_.received == 0 || at - stats_.last_received >= kBurstGap;
  if (stats_.received++ == 0) stats_.first_received = at;
  stats_.last_received = at;
  ++engine_.totals_.received;
  if (burst) {
    ++stats_.bursts;
    ++engine_.totals_.bursts;
    if (on_burst) on_burst(at);
  }
}

RtpEngine::RtpEngine(Reactor& reactor, uint32_t address, uint64_t seed)
    : reactor_(reactor), address_(address), rng_(seed) {}

RtpEngine::~RtpEngine() { reactor_.Cancel(timer_); }

absl::StatusOr<std::unique_ptr<RtpStream>> RtpEngine::Open() {
  auto socket = UdpSocket::Bind({address_, 0}, true, 0);
  if (!socket.ok()) return socket.status();
  return std::unique_ptr<RtpStream>(
      new RtpStream(*this, *std::move(socket), static_cast<uint32_t>(rng_.Next())));
}

void RtpEngine::Start(RtpStream* stream) {
  // The group whose turn is farthest away: the second frame follows the first after about 20 ms.
  stream->group_ = (tick_ + kGroups - 1) % kGroups;
  groups_[stream->group_].push_back(stream);
  if (sending_++ > 0) return;
  next_tick_ = reactor_.clock().Mono() + kTick;
  Arm();
}

void RtpEngine::Stop(RtpStream* stream) {
  auto& group = groups_[stream->group_];
  const auto it = std::find(group.begin(), group.end(), stream);
  if (it == group.end()) return;
  *it = group.back();
  group.pop_back();
  if (--sending_ == 0) reactor_.Cancel(std::exchange(timer_, 0));
}

void RtpEngine::Arm() {
  timer_ = reactor_.After(next_tick_ - reactor_.clock().Mono(), [this] { Tick(); });
}

void RtpEngine::Tick() {
  timer_ = 0;
  const MonoTime now = reactor_.clock().Mono();
  // Frames that a stall held up go out now, up to 200 ms of them; what is older is skipped.
  if (now - next_tick_ > absl::Milliseconds(200)) next_tick_ = now;
  while (sending_ > 0 && next_tick_ <= now) {
    // By index: on_first_sent may start or stop streams.
    const size_t turn = tick_++ % kGroups;
    for (size_t i = 0; i < groups_[turn].size(); ++i) groups_[turn][i]->SendFrame();
    next_tick_ = next_tick_ + kTick;
  }
  if (sending_ > 0) Arm();
}

}  // namespace outpace::farend
