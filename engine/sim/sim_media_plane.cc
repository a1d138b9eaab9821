#include "engine/sim/sim_media_plane.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace outpace::sim {

SimMediaPlane::SimMediaPlane(Loop& loop, SimCarrier* carrier, Options options)
    : loop_(loop), carrier_(carrier), options_(options) {}

SimMediaPlane::~SimMediaPlane() {
  for (auto& [id, leg] : legs_) {
    loop_.Cancel(leg.prompt);
    loop_.Cancel(leg.verdict);
  }
}

absl::StatusOr<std::string> SimMediaPlane::Open(LegId id, const call::MediaOptions&) {
  if (legs_.size() >= options_.ports_max) return absl::ResourceExhaustedError("no RTP port left");
  OUTPACE_CHECK(legs_.try_emplace(id).second);
  return LocalSdp(id);
}

absl::Status SimMediaPlane::SetRemote(LegId id, absl::string_view sdp) {
  Leg& leg = legs_.at(id);
  if (!absl::StrContains(sdp, "m=audio ") || absl::StrContains(sdp, "m=audio 0 ")) {
    return absl::InvalidArgumentError("sdp: no audio");
  }
  leg.remote = true;
  return absl::OkStatus();
}

std::string SimMediaPlane::LocalSdp(LegId id) {
  return absl::StrCat("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n",
                      "m=audio ", 10'000 + 2 * (id.index % 20'000), " RTP/AVP 0 8 101\r\n");
}

void SimMediaPlane::Bridge(LegId a, LegId b) {
  const auto first = legs_.find(a);
  const auto second = legs_.find(b);
  // A leg of another shard can have ended while the order was under way.
  if (first == legs_.end() || second == legs_.end() || first->second.partner.valid() ||
      second->second.partner.valid()) {
    ++bridges_missed_;
    return;
  }
  first->second.partner = b;
  second->second.partner = a;
  ++bridges_;
  if (carrier_ != nullptr) carrier_->OnBridged(a, b);
}

void SimMediaPlane::Unbridge(LegId id) {
  const auto it = legs_.find(id);
  if (it == legs_.end() || !it->second.partner.valid()) return;
  const LegId partner = std::exchange(it->second.partner, LegId());
  legs_.at(partner).partner = LegId();
  if (carrier_ == nullptr) return;
  carrier_->OnUnbridged(id);
  carrier_->OnUnbridged(partner);
}

void SimMediaPlane::Do(LegId id, call::MediaAction action) {
  if (std::holds_alternative<call::ListenAnswer>(action)) return Listen(id);
  if (!std::holds_alternative<call::Play>(action)) return;
  Leg& leg = legs_.at(id);
  loop_.Cancel(leg.prompt);
  leg.prompt = loop_.After(options_.prompt_length, [this, id] {
    legs_.at(id).prompt = 0;
    events_.at(id.shard)->OnPromptDone(id);
  });
}

void SimMediaPlane::Listen(LegId id) {
  if (carrier_ == nullptr) return;
  const auto [sound, after] = carrier_->VerdictOn(id);
  if (sound == listen::Sound::kNone) return;
  legs_.at(id).verdict = loop_.After(after, [this, id, sound = sound, after = after] {
    legs_.at(id).verdict = 0;
    listen::Heard heard;
    heard.sound = sound;
    heard.confidence = 0.95f;
    heard.after = after;
    events_.at(id.shard)->OnHeard(id, heard);
  });
}

void SimMediaPlane::Close(LegId id) {
  const auto it = legs_.find(id);
  OUTPACE_CHECK(it != legs_.end());
  Unbridge(id);
  loop_.Cancel(it->second.prompt);
  loop_.Cancel(it->second.verdict);
  legs_.erase(it);
}

void SimMediaPlane::LoseMedia(LegId id) {
  loop_.After(absl::ZeroDuration(), [this, id] {
    if (legs_.contains(id)) events_.at(id.shard)->OnMediaLost(id);
  });
}

LegId SimMediaPlane::partner(LegId id) const {
  const auto it = legs_.find(id);
  return it == legs_.end() ? LegId() : it->second.partner;
}

}  // namespace outpace::sim
