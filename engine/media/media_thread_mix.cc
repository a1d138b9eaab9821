// Calls of three and more. Each member's packets go into a playout buffer; every 20 ms what they
// hold is mixed and each member is sent what it is to hear, as the next frame of its one stream.
//
// Who joined a leg follows it: a supervisor who listens to an agent stays with that agent from call
// to call. Two talkers with nobody listening are a bridge again, whose packets are relayed.

#include <algorithm>
#include <utility>

#include "engine/media/media_leg.h"
#include "engine/media/media_thread.h"
#include "engine/media/wipe.h"

namespace outpace::media {
namespace {

constexpr absl::Duration kLateMax = absl::Milliseconds(100);

}  // namespace

// ---- members ----

void MediaThread::AddMember(Mix& mix, Leg& leg, MonoTime now) {
  const auto coached = std::find_if(mix.legs.begin(), mix.legs.end(), [&](const Leg* other) {
    return other->serial == leg.attached_to;
  });
  leg.mix = &mix;
  leg.member =
      mix.mixer.Add(leg.role, coached == mix.legs.end() ? Mixer::kNone : (*coached)->member);
  leg.jitter = std::make_unique<PlayoutBuffer>(listen::kSampleRate);
  mix.mixer.SetHeld(leg.member, leg.held());
  mix.mixer.SetMuted(leg.member, leg.muted);
  mix.legs.push_back(&leg);
  if (pauses_ != 0) SetBuffersConfidential(leg);
  // What was said just before is heard too.
  const std::unique_ptr<Leg::Ring> ring = std::move(leg.ring);
  if (ring == nullptr) return;
  for (size_t i = ring->count - std::min(ring->count, ring->kept.size()); i < ring->count; ++i) {
    const Leg::Kept& kept = ring->kept[i % ring->kept.size()];
    RtpView view;
    if (now - kept.at > config_.preroll_age_max || ParseRtp(kept.bytes, &view) != RtpCheck::kOk) {
      continue;
    }
    const std::optional<codec::Codec> codec = leg.CodecOf(view.header.payload_type);
    if (!codec.has_value()) continue;
    leg.jitter->Put(*codec, view.header,
                    absl::MakeConstSpan(kept.bytes).subspan(view.payload_offset, view.payload_size),
                    now);
  }
}

void MediaThread::RemoveMember(Leg& leg, MonoTime now) {
  Mix& mix = *leg.mix;
  mix.mixer.Remove(leg.member);
  mix.legs.erase(std::find(mix.legs.begin(), mix.legs.end(), &leg));
  leg.mix = nullptr;
  leg.jitter.reset();
  if (pauses_ != 0 && !mix.legs.empty()) SetBuffersConfidential(*mix.legs.front());
  leg.out.Part();
  leg.own_audio = false;
  if (leg.Sounds()) StartSound(leg, now);
}

MediaThread::Mix& MediaThread::NewMix(MonoTime now) {
  mixes_.push_back(std::make_unique<Mix>());
  mixes_.back()->due = now + kPlayoutTick;
  counters_.mixed_calls.Add(1);
  return *mixes_.back();
}

// The mix that `leg` is in, made of it and its partner if there is none.
MediaThread::Mix& MediaThread::MixOf(Leg& leg, MonoTime now) {
  if (leg.mix != nullptr) return *leg.mix;
  Leg* const partner = leg.partner;
  Part(leg);
  Mix& mix = NewMix(now);
  AddMember(mix, leg, now);
  if (partner != nullptr) AddMember(mix, *partner, now);
  return mix;
}

void MediaThread::Settle(Mix& mix, MonoTime now) {
  const bool bridge = mix.legs.size() == 2 && mix.mixer.talkers() == 2;
  if (mix.legs.size() > 1 && !bridge) return;
  const absl::InlinedVector<Leg*, 2> rest(mix.legs.begin(), mix.legs.end());
  for (Leg* const leg : rest) RemoveMember(*leg, now);
  if (bridge) Join(*rest[0], *rest[1]);
  mixes_.erase(std::find_if(mixes_.begin(), mixes_.end(),
                            [&](const std::unique_ptr<Mix>& one) { return one.get() == &mix; }));
  counters_.mixed_calls.Subtract(1);
}

// A raw bridge.
void MediaThread::Join(Leg& a, Leg& b) {
  a.partner = &b;
  b.partner = &a;
  a.bridged_in = b.received.packets();
  b.bridged_in = a.received.packets();
  if (pauses_ != 0) SetBuffersConfidential(a);
  counters_.bridged_calls.Add(1);
}

// Takes `leg` and those who joined it out of whatever call they are in.
MediaThread::Group MediaThread::TakeOut(Leg& leg, MonoTime now) {
  Group group{&leg};
  const auto follows = [&](const Leg* other) { return other->attached_to == leg.serial; };
  if (leg.partner != nullptr) {
    if (follows(leg.partner)) group.push_back(leg.partner);
    Part(leg);
  }
  if (Mix* const mix = leg.mix) {
    std::copy_if(mix->legs.begin(), mix->legs.end(), std::back_inserter(group), follows);
    for (Leg* const one : group) RemoveMember(*one, now);
    Settle(*mix, now);
  }
  return group;
}

// Brings together who was taken out; the first two are bridged if nobody else is there.
void MediaThread::Gather(const Group& group, MonoTime now) {
  if (group.size() < 2) return;
  Mix& mix = NewMix(now);
  for (Leg* const leg : group) {
    if (mix.legs.size() < Mixer::kMembersMax) AddMember(mix, *leg, now);
  }
  Settle(mix, now);
}

// ---- commands ----

void MediaThread::Run(const UnbridgeLeg& command, MonoTime now) {
  Leg* const leg = Find(command.leg);
  if (leg == nullptr) return;
  if (leg->attached_to != 0) return Leave(*leg, now);
  Gather(TakeOut(*leg, now), now);
}

void MediaThread::Leave(Leg& leg, MonoTime now) {
  leg.attached_to = 0;
  leg.role = call::MixRole::kTalker;
  Part(leg);
  if (Mix* const mix = leg.mix) {
    RemoveMember(leg, now);
    Settle(*mix, now);
  }
}

void MediaThread::Do(Leg& leg, const call::LeaveCall&, MonoTime now) { Leave(leg, now); }

void MediaThread::Do(Leg& leg, const call::JoinCall& action, MonoTime now) {
  Leg* const with = Find(action.with);
  const bool inside = with != nullptr && leg.mix != nullptr && leg.mix == with->mix;
  const bool full = with != nullptr && !inside && with->mix != nullptr &&
                    with->mix->legs.size() == Mixer::kMembersMax;
  const bool joined = with != nullptr && with != &leg && !full;
  if (joined) {
    if (!inside && leg.partner != with) Leave(leg, now);
    Mix& mix = MixOf(*with, now);
    leg.attached_to = with->serial;
    with->joined = true;
    leg.role = action.role;
    if (leg.mix == &mix) {
      mix.mixer.SetRole(leg.member, leg.role, with->member);
    } else {
      AddMember(mix, leg, now);
    }
    Settle(mix, now);
  }
  Tell({.kind = Event::Kind::kJoined, .leg = leg.id, .at = now, .joined = joined}, now);
}

void MediaThread::Do(Leg& leg, const call::SetRole& action, MonoTime now) {
  if (leg.mix == nullptr && leg.attached_to == 0) return;
  leg.role = action.role;
  if (leg.mix == nullptr && leg.partner == nullptr) return;
  Mix& mix = MixOf(leg, now);
  const auto coached = std::find_if(mix.legs.begin(), mix.legs.end(), [&](const Leg* other) {
    return other->serial == leg.attached_to;
  });
  mix.mixer.SetRole(leg.member, leg.role,
                    coached == mix.legs.end() ? Mixer::kNone : (*coached)->member);
  Settle(mix, now);
}

// ---- times ----

void MediaThread::RunMixes(MonoTime now) {
  for (const std::unique_ptr<Mix>& mix : mixes_) {
    if (now - mix->due > kLateMax) mix->due = now;
    for (; mix->due <= now; mix->due = mix->due + kPlayoutTick) RunMix(*mix, now);
  }
}

void MediaThread::RunMix(Mix& mix, MonoTime now) {
  std::array<int16_t, kFrameSamples> frame;
  for (Leg* const leg : mix.legs) {
    leg->jitter->Get(now, absl::MakeSpan(frame));
    mix.mixer.Put(leg->member, frame);
  }
  mix.mixer.Mix();
  for (Leg* const leg : mix.legs) SendMixed(*leg, mix.mixer.Heard(leg->member), now);
  if (pauses_ != 0) Wipe(absl::MakeSpan(frame));
}

void MediaThread::SendMixed(Leg& leg, absl::Span<const int16_t> heard, MonoTime now) {
  std::array<int16_t, kFrameSamples> frame;
  std::copy(heard.begin(), heard.end(), frame.begin());
  Playing* const own = leg.play != nullptr && !leg.play->waits ? leg.play.get() : leg.music.get();
  if (own != nullptr) {
    const absl::Span<const int16_t> sound = own->audio->Linear(own->at, kFrameSamples);
    if (!own->over) frame.fill(0);
    for (size_t i = 0; i < sound.size(); ++i) frame[i] = SoftLimit(int32_t{frame[i]} + sound[i]);
    if (sound.empty() && own == leg.play.get())
      EndPlay(leg, /*tell=*/true, now);
    else
      Advance(*own, sound.size());
  }
  if (leg.keying == nullptr && leg.Listens()) SendLinear(leg, frame, now);
  if (pauses_ != 0) Wipe(absl::MakeSpan(frame));
}

// A key that a member pressed, for all others who take keys: made anew, since their streams are
// ours.
void MediaThread::MixKey(Leg& from, char key, MonoTime now) {
  if (from.silenced() || from.role != call::MixRole::kTalker) return;
  for (Leg* const leg : from.mix->legs) {
    if (leg == &from || leg->event_type == 0 || leg->role != call::MixRole::kTalker) continue;
    PushKeys(*leg, {&key, 1}, now);
  }
}

}  // namespace outpace::media
