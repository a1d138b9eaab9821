// Who listens in: detectors on what a leg says, and the recording of what it says and hears.

#include <algorithm>
#include <utility>

#include "engine/base/overload.h"
#include "engine/media/media_leg.h"
#include "engine/media/media_thread.h"
#include "engine/media/wipe.h"

namespace outpace::media {
namespace {

// How often the legs that are listened to are asked whether time has passed without a packet.
constexpr absl::Duration kListenStep = absl::Milliseconds(20);
constexpr absl::Duration kDropWithin = absl::Seconds(20);
// A beep that ended this long ago will not be followed by another: the voicemail records.
constexpr absl::Duration kBeepOld = absl::Milliseconds(1500);

int64_t SamplesOf(absl::Duration time) { return absl::ToInt64Milliseconds(time) * 8; }

}  // namespace

absl::Span<const int16_t> MediaThread::Decode(std::unique_ptr<codec::Decoder>& decoder,
                                              codec::Codec& has, codec::Codec codec,
                                              absl::Span<const uint8_t> payload) {
  pcm_.clear();
  if (codec::IsG711(codec)) {
    const codec::Law law = codec::LawOf(codec);
    for (const uint8_t octet : payload) pcm_.push_back(codec::ToLinear(law, octet));
    return pcm_;
  }
  if (decoder == nullptr || has != codec) {
    decoder = codec::NewDecoder(codec, listen::kSampleRate);
    has = codec;
  }
  decoder->Decode(payload, pcm_);
  return pcm_;
}

// ---- listening ----

MediaThread::Listening& MediaThread::Listen(Leg& leg, MonoTime now) {
  if (leg.listening == nullptr) {
    if (listening_.empty()) next_listen_ = now + kListenStep;
    leg.listening = std::make_unique<Listening>(now);
    listening_.push_back(&leg);
  }
  return *leg.listening;
}

void MediaThread::Do(Leg& leg, const call::ListenEarly& action, MonoTime now) {
  Listen(leg, now).ear.emplace<listen::EarlyListener>(action.country, announcements_.get());
}

void MediaThread::Do(Leg& leg, const call::ListenAnswer& action, MonoTime now) {
  Listen(leg, now).ear.emplace<listen::AnswerListener>(action.tuning);
  leg.machine = false;
}

void MediaThread::Do(Leg& leg, const call::ListenBeep& action, MonoTime now) {
  Listening& listening = Listen(leg, now);
  listening.ear.emplace<listen::BeepDetector>();
  listening.beep_from = listening.line.samples_out();
  listening.beep_until = listening.beep_from + SamplesOf(action.within);
}

void MediaThread::Do(Leg& leg, const call::ListenStop&, MonoTime) {
  if (leg.listening == nullptr) return;
  leg.listening->ear.emplace<std::monostate>();
  if (leg.listening->idle()) StopListening(leg);
}

void MediaThread::StopListening(Leg& leg) {
  if (leg.listening == nullptr) return;
  leg.listening.reset();
  listening_.erase(std::find(listening_.begin(), listening_.end(), &leg));
}

void MediaThread::Tap(Leg& leg, codec::Codec codec, const RtpHeader& header,
                      absl::Span<const uint8_t> payload, MonoTime now) {
  // Decoded once, whoever wants it: a decoder that is given a packet twice goes astray.
  absl::Span<const int16_t> samples;
  if (leg.listening != nullptr || !codec::IsG711(codec)) {
    samples = Decode(leg.ear, leg.ear_codec, codec, payload);
  }
  if (leg.recording != nullptr) RecordSaid(leg, codec, header, payload, samples, now);
  if (leg.listening == nullptr || samples.empty() ||
      samples.size() > 8 * size_t{codec::kPayloadMsMax}) {
    return;
  }
  leg.listening->line.Put(header, codec::InfoOf(codec).rtp_rate, samples, now);
  FeedListeners(leg, now);
}

void MediaThread::RunListeners(MonoTime now) {
  next_listen_ = now + kListenStep;
  for (size_t i = 0; i < listening_.size();) {
    Leg& leg = *listening_[i];
    leg.listening->line.Advance(now);
    FeedListeners(leg, now);
    if (i < listening_.size() && listening_[i] == &leg) ++i;  // else it was the last it heard
  }
}

void MediaThread::FeedListeners(Leg& leg, MonoTime now) {
  while (leg.listening != nullptr) {
    const listen::Frame frame = leg.listening->line.Next();
    if (frame.empty()) return;
    FeedEar(leg, frame, now);
    FeedDrop(leg, frame, now);
    if (leg.listening->idle()) StopListening(leg);
  }
}

void MediaThread::FeedEar(Leg& leg, listen::Frame frame, MonoTime now) {
  Listening& listening = *leg.listening;
  const int64_t heard_samples = listening.line.samples_out();
  std::optional<listen::Heard> heard = std::visit(
      Overload{[](std::monostate) { return std::optional<listen::Heard>(); },
               [&](listen::BeepDetector& beep) {
                 std::optional<listen::Heard> verdict;
                 const bool done = beep.Feed(frame);
                 if (done || heard_samples >= listening.beep_until) {
                   verdict.emplace();
                   verdict->sound = done ? listen::Sound::kBeep : listen::Sound::kNone;
                   verdict->confidence = done ? 1 : 0;
                   verdict->after = absl::Milliseconds((heard_samples - listening.beep_from) / 8);
                 }
                 return verdict;
               },
               [&](auto& listener) { return listener.Feed(frame); }},
      listening.ear);
  if (!heard.has_value()) return;
  if (heard->last) listening.ear.emplace<std::monostate>();
  if (heard->sound == listen::Sound::kMachine) leg.machine = true;
  if (heard->sound == listen::Sound::kBeep || heard->by_beep) leg.beep_at = now;
  Tell({.kind = Event::Kind::kHeard, .leg = leg.id, .at = now, .heard = *std::move(heard)}, now);
}

void MediaThread::FeedDrop(Leg& leg, listen::Frame frame, MonoTime now) {
  Listening& listening = *leg.listening;
  if (!listening.drop.has_value()) return;
  if (!listening.drop->Feed(frame) && listening.line.samples_out() < listening.drop_until) return;
  listening.drop.reset();
  if (leg.play == nullptr || !leg.play->waits) return;
  leg.play->waits = false;
  StartSound(leg, now);
}

void MediaThread::AwaitBeep(Leg& leg, MonoTime now) {
  if (leg.beep_at > MonoTime() && now - leg.beep_at < kBeepOld) {
    leg.play->waits = false;
    return StartSound(leg, now);
  }
  Listening& listening = Listen(leg, now);
  listening.drop.emplace(/*voice_heard=*/leg.machine);
  listening.drop_until = listening.line.samples_out() + SamplesOf(kDropWithin);
}

void MediaThread::ForgetBeep(Leg& leg) {
  if (leg.listening == nullptr) return;
  leg.listening->drop.reset();
  if (leg.listening->idle()) StopListening(leg);
}

// ---- recording ----

void MediaThread::Do(Leg& leg, const call::RecordStart& action, MonoTime now) {
  CloseRecording(leg, now);
  if (action.tap == nullptr) return;
  leg.recording = std::make_unique<Recording>(action.tap, now);
  leg.recording->paused = action.tap->paused();
}

void MediaThread::Do(Leg& leg, const call::RecordPause& action, MonoTime now) {
  Recording* const recording = leg.recording.get();
  if (recording == nullptr) return;
  const bool dated = action.ordered > MonoTime() && action.ordered < now;
  const int64_t at = recording->said.At(dated ? action.ordered : now);
  if (recording->paused != action.paused) {
    action.paused ? recording->tap->Pause(at) : recording->tap->Resume(at);
    recording->paused = recording->tap->paused();  // it may refuse to go on
  }
  SetConfidential(leg, action.paused && action.confidential);
}

void MediaThread::Do(Leg& leg, const call::RecordStop&, MonoTime now) { CloseRecording(leg, now); }

void MediaThread::CloseRecording(Leg& leg, MonoTime now) {
  if (leg.recording == nullptr) return;
  leg.recording->tap->Close(leg.recording->said.At(now));
  SetConfidential(leg, false);
  leg.recording.reset();
}

void MediaThread::RecordSaid(Leg& leg, codec::Codec codec, const RtpHeader& header,
                             absl::Span<const uint8_t> payload, absl::Span<const int16_t> samples,
                             MonoTime now) {
  Recording& recording = *leg.recording;
  if (recording.paused || leg.silenced()) return;  // nobody hears it, so it is not kept either
  const int rate = codec::InfoOf(codec).rtp_rate;
  if (codec::IsG711(codec)) {
    const int64_t at =
        recording.said.Place(header, rate, static_cast<int64_t>(payload.size()), now);
    return recording.tap->Write(record::Side::kCallee, std::max<int64_t>(0, at),
                                codec::LawOf(codec), payload);
  }
  const int64_t at = recording.said.Place(header, rate, static_cast<int64_t>(samples.size()), now);
  recording.tap->Write(record::Side::kCallee, std::max<int64_t>(0, at), samples);
}

void MediaThread::RecordSent(Leg& leg, const Stamp& stamp, absl::Span<const uint8_t> payload,
                             MonoTime now) {
  Recording& recording = *leg.recording;
  if (recording.paused) return;
  const codec::Codec codec = leg.codec.codec;
  const int rate = codec::InfoOf(codec).rtp_rate;
  const RtpHeader header{.seq = stamp.seq, .timestamp = stamp.timestamp};
  if (codec::IsG711(codec)) {
    const int64_t at =
        recording.sent.Place(header, rate, static_cast<int64_t>(payload.size()), now);
    return recording.tap->Write(record::Side::kAgent, std::max<int64_t>(0, at), codec::LawOf(codec),
                                payload);
  }
  const absl::Span<const int16_t> samples =
      Decode(recording.decoder, recording.decoder_codec, codec, payload);
  const int64_t at = recording.sent.Place(header, rate, static_cast<int64_t>(samples.size()), now);
  recording.tap->Write(record::Side::kAgent, std::max<int64_t>(0, at), samples);
}

bool MediaThread::Confidential(const Leg& leg) const {
  const auto confidential = [](const Leg& one) {
    return one.recording != nullptr && one.recording->confidential;
  };
  if (leg.mix != nullptr) {
    return std::any_of(leg.mix->legs.begin(), leg.mix->legs.end(),
                       [&](const Leg* one) { return confidential(*one); });
  }
  return confidential(leg) || (leg.partner != nullptr && confidential(*leg.partner));
}

// Of the recording of `leg`.
void MediaThread::SetConfidential(Leg& leg, bool on) {
  if (leg.recording->confidential == on) return;
  leg.recording->confidential = on;
  pauses_ += on ? 1 : -1;
  if (on) {
    WipeKept(leg);
  } else {
    ForgetSpeech(leg);
  }
}

// Of all who talk with `leg`.
void MediaThread::SetBuffersConfidential(Leg& leg) {
  const bool confidential = pauses_ != 0 && Confidential(leg);
  ForAllIn(leg, [&](Leg& one) {
    if (one.jitter != nullptr) one.jitter->SetConfidential(confidential);
    if (one.under != nullptr) one.under->SetConfidential(confidential);
  });
}

// What this thread holds of the last moments, of all who talk with `leg`.
void MediaThread::WipeKept(Leg& leg) {
  SetBuffersConfidential(leg);
  ForAllIn(leg, [](Leg& one) {
    if (one.listening != nullptr) one.listening->line.Wipe();
    if (one.ring == nullptr) return;
    for (Leg::Kept& kept : one.ring->kept) WipeAll(kept.bytes);
    one.ring.reset();
  });
  WipeAll(pcm_);
}

// What was said in confidence is over: codecs begin anew, for they blend what comes with what was,
// and a playout buffer may hold 200 ms that are to be heard yet, and would be recorded.
void MediaThread::ForgetSpeech(Leg& leg) {
  SetBuffersConfidential(leg);
  ForAllIn(leg, [](Leg& one) {
    one.ear.reset();
    one.voice.reset();
    if (one.recording != nullptr) one.recording->decoder.reset();
    if (one.transcoder == nullptr) return;
    Transcoder& t = *one.transcoder;
    t.decoder = codec::NewDecoder(t.in, t.rate);
    t.encoder = codec::NewEncoder(t.out, t.rate, {.bitrate = 0, .fec = one.codec.fec});
    WipeAll(t.pcm);
  });
}

}  // namespace outpace::media
