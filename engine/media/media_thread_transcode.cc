// Between legs of different codecs (not of the two laws, which are a table). Packet by packet where
// the other codec can have packets of that length, so that loss and silence stay visible to the
// listener; else packets of 20 ms are made of what comes.

#include <algorithm>
#include <utility>

#include "engine/media/media_leg.h"
#include "engine/media/media_thread.h"
#include "engine/media/wipe.h"

namespace outpace::media {
namespace {

// Opus has frames of these lengths only (RFC 6716 2.1.4; 2.5 and 5 ms aside); others have any.
bool Fits(codec::Codec codec, size_t samples, int rate) {
  if (codec != codec::Codec::kOpus) return true;
  const size_t ms = samples * 1000 / static_cast<size_t>(rate);
  return ms * static_cast<size_t>(rate) == samples * 1000 &&
         (ms == 10 || ms == 20 || ms == 40 || ms == 60);
}

}  // namespace

MediaThread::Transcoder& MediaThread::TranscoderOf(const Leg& from, codec::Codec codec, Leg& to) {
  if (to.transcoder != nullptr && to.transcoder->source == from.serial &&
      to.transcoder->in == codec && to.transcoder->out == to.codec.codec) {
    return *to.transcoder;
  }
  to.transcoder = std::make_unique<Transcoder>();
  Transcoder& made = *to.transcoder;
  made.source = from.serial;
  made.in = codec;
  made.out = to.codec.codec;
  made.rate = codec::InfoOf(made.in).wideband && codec::InfoOf(made.out).wideband ? 16000 : 8000;
  made.decoder = codec::NewDecoder(made.in, made.rate);
  made.encoder = codec::NewEncoder(made.out, made.rate, {.bitrate = 0, .fec = to.codec.fec});
  return made;
}

void MediaThread::Transcode(Leg& from, codec::Codec codec, Leg& to, const RtpHeader& in,
                            absl::Span<const uint8_t> payload, MonoTime now) {
  Transcoder& t = TranscoderOf(from, codec, to);
  const size_t before = t.pcm.size();
  if (!t.decoder->Decode(payload, t.pcm)) return;
  const int in_rate = codec::InfoOf(codec).rtp_rate;
  const int out_rate = codec::InfoOf(t.out).rtp_rate;
  RtpHeader header = in;
  header.timestamp = RescaleTicks(in.timestamp, in_rate, out_rate);
  if (before == 0 && !t.repacking && Fits(t.out, t.pcm.size(), t.rate)) {
    SendTranscoded(t, to, t.pcm, header, now);
    t.pcm.clear();
  } else {
    t.repacking = true;  // numbers of our own from now on
    const uint32_t ticks_a_sample = static_cast<uint32_t>(out_rate / 1000);
    const uint32_t samples_a_ms = static_cast<uint32_t>(t.rate / 1000);
    header.timestamp -= static_cast<uint32_t>(before) * ticks_a_sample / samples_a_ms;
    const size_t frame = static_cast<size_t>(t.rate) / 50;
    size_t at = 0;
    for (; at + frame <= t.pcm.size(); at += frame) {
      header.seq = t.seq++;
      SendTranscoded(t, to, absl::MakeConstSpan(t.pcm).subspan(at, frame), header, now);
      header.timestamp += static_cast<uint32_t>(out_rate) / 50;
      header.marker = false;
    }
    t.pcm.erase(t.pcm.begin(), t.pcm.begin() + static_cast<std::ptrdiff_t>(at));
  }
  if (pauses_ == 0 || !Confidential(to)) return;
  WipeBeyond(t.pcm);  // that has been sent
}

void MediaThread::SendTranscoded(Transcoder& t, Leg& to, absl::Span<const int16_t> samples,
                                 const RtpHeader& header, MonoTime now) {
  t.encoder->Encode(samples, coded_);
  if (coded_.empty() || coded_.size() > kRtpDatagramMax) return;
  uint8_t room[kRtpHeaderSize + kRtpDatagramMax + kSrtpTrailerMax];
  std::copy(coded_.begin(), coded_.end(), room + kRtpHeaderSize);
  const auto ticks = static_cast<uint32_t>(static_cast<int64_t>(samples.size()) *
                                           codec::InfoOf(t.out).rtp_rate / t.rate);
  const Stamp stamp = to.out.Relay(t.source, header, ticks, /*event=*/false, now);
  to.own_audio = false;
  SendRaw(to, {room + kRtpHeaderSize, coded_.size()}, stamp, to.codec.payload_type, now);
  if (pauses_ == 0 || !Confidential(to)) return;
  Wipe(absl::MakeSpan(room));
  WipeAll(coded_);
}

}  // namespace outpace::media
