#include "engine/media/outgoing_stream.h"

#include <algorithm>

namespace outpace::media {
namespace {

// A sequence jump beyond this is a restarted sender, not loss (RFC 3550 A.1, MAX_DROPOUT).
constexpr int kSeqJumpMax = 3000;
// How far a timestamp may lie behind the newest audio (reordering), and how far ahead of what the
// clock allows (a sender that catches up), before the sender must have restarted. Seconds.
constexpr int64_t kBehindMax = 1;
constexpr int64_t kAheadMax = 2;
// No pause makes the stream jump further than this: half the timestamp's range would read as
// "back".
constexpr int64_t kPauseMax = int64_t{1} << 30;

}  // namespace

int64_t OutgoingStream::Samples(MonoTime from, MonoTime to) const {
  const int64_t micros = (to.nanos() - from.nanos()) / 1000;
  return std::clamp<int64_t>(micros * (rate_ / 1000) / 1000, 0, kPauseMax);
}

uint32_t OutgoingStream::TimestampAt(MonoTime now) const {
  if (!started_) return next_timestamp_;
  // next_timestamp_ is the end of a packet sent at last_at_: time that passed since then, less that
  // packet's own length, is silence. Of a 20 ms packet sent 20 ms ago nothing is left to skip.
  const int64_t passed = Samples(last_at_, now);
  const int64_t skip = std::max<int64_t>(0, passed - rate_ / 50);
  return next_timestamp_ + static_cast<uint32_t>(skip);
}

void OutgoingStream::Anchor(uint64_t source, const RtpHeader& in, MonoTime now) {
  source_ = source;
  source_ssrc_ = in.ssrc;
  seq_offset_ = static_cast<uint16_t>(next_seq_ - in.seq);
  timestamp_offset_ = TimestampAt(now) - in.timestamp;
}

Stamp OutgoingStream::Relay(uint64_t source, const RtpHeader& in, uint32_t samples, bool event,
                            MonoTime now) {
  bool anchored = false;
  if (source_ != source || source_ssrc_ != in.ssrc) {
    Anchor(source, in, now);
    anchored = true;
  } else {
    const auto seq_step = static_cast<int16_t>(in.seq + seq_offset_ - next_seq_);
    const auto time_step = static_cast<int32_t>(in.timestamp + timestamp_offset_ - next_timestamp_);
    const bool seq_jumped = seq_step > kSeqJumpMax || seq_step < -kSeqJumpMax;
    const bool time_jumped = !event && (time_step < -kBehindMax * rate_ ||
                                        time_step > Samples(last_at_, now) + kAheadMax * rate_);
    if (seq_jumped || time_jumped) {
      Anchor(source, in, now);
      anchored = true;
    }
  }

  Stamp out;
  out.seq = static_cast<uint16_t>(in.seq + seq_offset_);
  out.timestamp = in.timestamp + timestamp_offset_;
  out.marker = in.marker || anchored;
  if (static_cast<int16_t>(out.seq + 1 - next_seq_) > 0) {
    next_seq_ = static_cast<uint16_t>(out.seq + 1);
  }
  if (!event && static_cast<int32_t>(out.timestamp + samples - next_timestamp_) > 0) {
    next_timestamp_ = out.timestamp + samples;
  }
  // An event does not count as audio here: after a key held for seconds the audio goes on seconds
  // later.
  if (!event || !started_) last_at_ = now;
  started_ = true;
  return out;
}

Stamp OutgoingStream::Own(uint32_t samples, bool first, MonoTime now) {
  Stamp out;
  out.seq = next_seq_++;
  out.timestamp = first ? TimestampAt(now) : next_timestamp_;
  out.marker = first;
  next_timestamp_ = out.timestamp + samples;
  last_at_ = now;
  started_ = true;
  source_ = 0;
  return out;
}

Stamp OutgoingStream::Key(uint32_t samples, bool first, MonoTime now) {
  if (first) key_timestamp_ = TimestampAt(now);
  // The key lasts until now; its last packet comes again, and that is the pause already.
  if (first || next_timestamp_ != key_timestamp_ + samples) last_at_ = now;
  next_timestamp_ = key_timestamp_ + samples;
  started_ = true;
  source_ = 0;
  return {.seq = next_seq_++, .timestamp = key_timestamp_, .marker = first};
}

}  // namespace outpace::media
