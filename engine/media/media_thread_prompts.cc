// Frames of our own: keys, prompts, and the music of who is on hold.

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "engine/media/media_leg.h"
#include "engine/media/media_thread.h"
#include "engine/media/mixer.h"
#include "engine/media/wipe.h"

namespace outpace::media {
namespace {

// What fell this far behind (the thread was not run) goes on from where it is, late, instead of
// pouring out what it missed.
constexpr absl::Duration kLateMax = absl::Milliseconds(100);
constexpr absl::Duration kFrameTime = absl::Milliseconds(20);

// A key in steps of 20 ms: five packets while it is down, three that say it is up again (RFC 4733
// 2.5.1.4), which are the pause too.
constexpr int kKeyDown = 5;
constexpr int kKeySteps = 8;

constexpr absl::string_view kKeys = "0123456789*#ABCD";

}  // namespace

// ---- commands ----

void MediaThread::Do(Leg& leg, const call::Play& action, MonoTime now) {
  if (leg.play != nullptr) EndPlay(leg, /*tell=*/false, now);
  leg.play = std::make_unique<Playing>();
  leg.play->audio = &prompts_.Get(action.prompt);
  leg.play->loop = action.loop;
  leg.play->over = action.over;
  leg.play->waits = action.after_beep;
  if (action.over) {
    leg.under = std::make_unique<PlayoutBuffer>(listen::kSampleRate);
    if (pauses_ != 0) SetBuffersConfidential(leg);
  }
  if (action.after_beep) {
    AwaitBeep(leg, now);
  } else {
    StartSound(leg, now);
  }
}

void MediaThread::Do(Leg& leg, const call::PlayStop&, MonoTime now) {
  if (leg.play != nullptr) EndPlay(leg, /*tell=*/false, now);
}

void MediaThread::Do(Leg& leg, const call::Hold& action, MonoTime now) {
  if (leg.mix != nullptr) leg.mix->mixer.SetHeld(leg.member, action.held);
  if (!action.held) {
    if (leg.music == nullptr) return;
    leg.music.reset();
    leg.out.Part();
    leg.own_audio = false;
    return;
  }
  leg.music = std::make_unique<Playing>();
  leg.music->audio = &prompts_.Get(action.music);
  leg.music->loop = true;
  if (leg.play == nullptr && leg.keying == nullptr) StartSound(leg, now);
}

void MediaThread::Do(Leg& leg, const call::Mute& action, MonoTime) {
  leg.muted = action.muted;
  if (leg.mix != nullptr) leg.mix->mixer.SetMuted(leg.member, action.muted);
}

void MediaThread::Do(Leg& leg, const call::SendDigits& action, MonoTime now) {
  std::string digits;
  for (const char digit : action.digits) {
    if (absl::StrContains(kKeys, digit) && digits.size() < KeyQueue::kMax) digits.push_back(digit);
  }
  if (digits.empty()) return;
  if (leg.event_type == 0) {
    if (leg.play != nullptr) EndPlay(leg, /*tell=*/false, now);
    leg.play = std::make_unique<Playing>();
    leg.play->own = std::make_unique<PromptAudio>(DigitTones(digits));
    leg.play->audio = leg.play->own.get();
    leg.play->told = false;
    return StartSound(leg, now);
  }
  PushKeys(leg, digits, now);
}

void MediaThread::PushKeys(Leg& leg, absl::string_view keys, MonoTime now) {
  const bool begins = leg.keying == nullptr;
  if (begins) leg.keying = std::make_unique<Keying>();
  leg.keying->keys.Push(keys);
  leg.keying->confidential |= pauses_ != 0 && Confidential(leg);
  if (begins) StartSound(leg, now);
}

void MediaThread::EndPlay(Leg& leg, bool tell, MonoTime now) {
  tell = tell && leg.play->told;
  if (leg.play->waits) ForgetBeep(leg);
  leg.play.reset();
  leg.under.reset();
  leg.out.Part();
  leg.own_audio = false;
  if (tell) Tell({.kind = Event::Kind::kPromptDone, .leg = leg.id, .at = now}, now);
}

// ---- times ----

void MediaThread::StartSound(Leg& leg, MonoTime now) {
  leg.frame_due = now;
  Appoint(leg, now);
}

void MediaThread::Appoint(Leg& leg, MonoTime at) {
  leg.scheduled_at = at;
  agenda_.push_back({.at = at, .port = leg.port, .serial = leg.serial});
  std::push_heap(agenda_.begin(), agenda_.end());
}

void MediaThread::RunAgenda(MonoTime now) {
  while (!agenda_.empty() && agenda_.front().at <= now) {
    const Appointment due = agenda_.front();
    std::pop_heap(agenda_.begin(), agenda_.end());
    agenda_.pop_back();
    Leg* const leg = legs_[due.port].get();
    // Of a leg that is gone, or replaced by a later appointment.
    if (leg == nullptr || leg->serial != due.serial || leg->scheduled_at != due.at) continue;
    SoundDueFrames(*leg, now);
  }
}

void MediaThread::SoundDueFrames(Leg& leg, MonoTime now) {
  if (now - leg.frame_due > kLateMax) leg.frame_due = now;
  // What a member of a mix hears is sent with the mix, keys aside.
  const auto ours = [&leg] { return leg.mix == nullptr ? leg.Sounds() : leg.keying != nullptr; };
  while (ours() && leg.frame_due <= now) {
    absl::Duration length;
    if (leg.keying != nullptr) {
      length = SendKeyPacket(leg, now);
    } else if (leg.play != nullptr && !leg.play->waits) {
      length = leg.play->over ? SendOver(leg, *leg.play, now) : SendPrompt(leg, *leg.play, now);
    } else {
      length = SendPrompt(leg, *leg.music, now);
    }
    leg.frame_due = leg.frame_due + length;
  }
  if (ours()) Appoint(leg, leg.frame_due);
}

// ---- frames ----

absl::Duration MediaThread::SendKeyPacket(Leg& leg, MonoTime now) {
  Keying& keying = *leg.keying;
  const int step = keying.step;
  const bool up = step >= kKeyDown;
  const uint32_t tick = static_cast<uint32_t>(leg.event_rate) / 50;
  const uint32_t duration = tick * static_cast<uint32_t>(std::min(step + 1, kKeyDown));
  constexpr size_t kSize = 4;
  uint8_t room[kRtpHeaderSize + kSize + kSrtpTrailerMax];
  const absl::Span<uint8_t> payload = absl::MakeSpan(room).subspan(kRtpHeaderSize, kSize);
  payload[0] = static_cast<uint8_t>(kKeys.find(keying.keys.front()));
  payload[1] = static_cast<uint8_t>((up ? 0x80 : 0) | 10);  // -10 dBm0
  payload[2] = static_cast<uint8_t>(duration >> 8);
  payload[3] = static_cast<uint8_t>(duration);
  if (leg.Listens() && leg.event_type != 0) {
    const Stamp stamp = leg.out.Key(duration, step == 0, now);
    // A card number's not through oRTP: its blocks would keep it.
    const bool sent = keying.confidential ? SendPacket(leg, payload, stamp, leg.event_type)
                                          : Session(leg).SendFrame(payload, stamp, leg.event_type);
    CountSent(leg, sent, kSize, nullptr, now);
  }
  Wipe(absl::MakeSpan(room));
  leg.own_audio = false;
  if (++keying.step == kKeySteps) {
    keying.step = 0;
    keying.keys.Pop();
    if (keying.keys.empty()) leg.keying.reset();
  }
  return kFrameTime;
}

bool MediaThread::Advance(Playing& playing, size_t count) {
  playing.at += count;
  if (playing.at < playing.audio->frames() * kFrameSamples) return true;
  if (playing.loop) playing.at = 0;
  return playing.loop;
}

// The prompt alone; in G.711 it lies ready in the leg's law, in packets of the leg's length.
absl::Duration MediaThread::SendPrompt(Leg& leg, Playing& playing, MonoTime now) {
  const bool g711 = codec::IsG711(leg.codec.codec);
  const size_t wanted = g711 ? leg.packet_ms * size_t{8} : kFrameSamples;
  const absl::Span<const int16_t> linear = playing.audio->Linear(playing.at, wanted);
  if (linear.empty()) {  // the last frame has been heard to its end
    if (&playing == leg.play.get()) EndPlay(leg, /*tell=*/true, now);
    return absl::ZeroDuration();
  }
  const size_t first = playing.at;
  Advance(playing, linear.size());
  const absl::Duration length = absl::Milliseconds(linear.size() / 8);
  if (!leg.Listens()) return length;  // time runs on: who waits for the end is not left waiting
  counters_.prompt_frames.Add(1);
  if (!g711) {
    SendLinear(leg, linear, now);
    return length;
  }
  const absl::Span<const uint8_t> frame =
      playing.audio->Samples(codec::LawOf(leg.codec.codec), first, linear.size());
  const Stamp stamp = leg.out.Own(static_cast<uint32_t>(frame.size()), !leg.own_audio, now);
  leg.own_audio = true;
  SendFrame(leg, frame, stamp, now);
  return length;
}

// The prompt over what the partner says.
absl::Duration MediaThread::SendOver(Leg& leg, Playing& playing, MonoTime now) {
  const absl::Span<const int16_t> prompt = playing.audio->Linear(playing.at, kFrameSamples);
  if (prompt.empty()) {
    EndPlay(leg, /*tell=*/true, now);
    return absl::ZeroDuration();
  }
  std::array<int16_t, kFrameSamples> frame{};
  leg.under->Get(now, absl::MakeSpan(frame));
  for (size_t i = 0; i < prompt.size(); ++i) frame[i] = SoftLimit(int32_t{frame[i]} + prompt[i]);
  Advance(playing, prompt.size());
  if (leg.Listens()) {
    counters_.prompt_frames.Add(1);
    SendLinear(leg, frame, now);
  }
  if (pauses_ != 0 && Confidential(leg)) Wipe(absl::MakeSpan(frame));
  return kFrameTime;
}

void MediaThread::SendLinear(Leg& to, absl::Span<const int16_t> frame, MonoTime now) {
  uint8_t room[kRtpHeaderSize + kRtpDatagramMax + kSrtpTrailerMax];
  uint8_t* const payload = room + kRtpHeaderSize;
  const codec::Codec codec = to.codec.codec;
  size_t size = frame.size();
  if (codec::IsG711(codec)) {
    const codec::Law law = codec::LawOf(codec);
    std::transform(frame.begin(), frame.end(), payload,
                   [law](int16_t sample) { return codec::FromLinear(law, sample); });
  } else {
    if (to.voice == nullptr || to.voice_codec != codec) {
      to.voice = codec::NewEncoder(codec, listen::kSampleRate, {.bitrate = 0, .fec = to.codec.fec});
      to.voice_codec = codec;
    }
    to.voice->Encode(frame, coded_);
    size = std::min(coded_.size(), kRtpDatagramMax);
    std::copy_n(coded_.begin(), size, payload);
  }
  const auto ticks = static_cast<uint32_t>(static_cast<int64_t>(frame.size()) *
                                           codec::InfoOf(codec).rtp_rate / listen::kSampleRate);
  const Stamp stamp = to.out.Own(ticks, !to.own_audio, now);
  to.own_audio = true;
  SendRaw(to, {payload, size}, stamp, to.codec.payload_type, now);
  if (pauses_ == 0 || !Confidential(to)) return;
  Wipe(absl::MakeSpan(room));
  WipeAll(coded_);
}

absl::Span<const uint8_t> MediaThread::SilentPayload(codec::Codec codec) {
  std::vector<uint8_t>& payload = silent_[static_cast<size_t>(codec)];
  if (payload.empty()) {
    constexpr std::array<int16_t, kFrameSamples> kSilence{};
    codec::NewEncoder(codec, listen::kSampleRate)->Encode(kSilence, payload);
  }
  return payload;
}

}  // namespace outpace::media
