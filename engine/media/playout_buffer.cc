#include "engine/media/playout_buffer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "engine/base/check.h"
#include "engine/media/wipe.h"

namespace outpace::media {
namespace {

constexpr int64_t kBinMs = 5;
// Each packet's weight in the histogram: it remembers the last five seconds or so.
constexpr float kForget = 1.0F / 256;
constexpr float kMeets = 0.99F;
// What a stream begins with, before it is known: 20 ms of jitter, soon outweighed.
constexpr float kPrior = 4.0F / 256;
// A timestamp that is further off its time than this was not delayed, it jumped.
constexpr int64_t kJumpMs = 1000;
// Likewise one that is this far ahead of the fastest.
constexpr int64_t kAheadMs = 200;
// So many packets after a jump make a new stream of an old SSRC; fewer may be somebody's replay.
constexpr int kStrayMax = 3;
// Made up at a stretch before a pause is taken for one; nothing is left of it by then.
constexpr int64_t kMadeUpMsMax = 80;
// Made up to wait for a packet when others are there.
constexpr int64_t kWaitMsMax = 40;
// As kMadeUpMsMax in a pause that the codec announced: more than the 400 ms between signs of life.
constexpr int64_t kDtxMsMax = 1500;
// A gap in what is there that is longer than this is a pause, not a loss.
constexpr int64_t kLossMsMax = 100;
// Delay over the target that is too much to wait for a pause.
constexpr int64_t kPatienceMs = 60;
constexpr int64_t kSteerEveryMs = 100;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr size_t kPayloadUsual = 320;

}  // namespace

PlayoutBuffer::PlayoutBuffer(int rate) : rate_(rate), frame_(rate / 50) {
  OUTPACE_CHECK(rate == 8000 || rate == 16000);
  for (auto& packet : packets_) {
    packet = std::make_unique<Packet>();
    packet->payload.reserve(kPayloadUsual);
  }
  pcm_.reserve(static_cast<size_t>(rate_ / 2));
  Reset();
}

PlayoutBuffer::~PlayoutBuffer() {
  if (confidential_) Reset();
}

void PlayoutBuffer::SetConfidential(bool on) {
  if (confidential_ == on) return;
  if (!on) Reset();
  confidential_ = on;
  if (!on) return;
  for (size_t i = count_; i < kPacketsMax; ++i) WipeAll(packets_[i]->payload);
  WipeBeyond(pcm_);
}

void PlayoutBuffer::Reset() {
  count_ = 0;
  if (confidential_) {
    for (const auto& packet : packets_) WipeAll(packet->payload);
    WipeAll(pcm_);
    for (auto& decoder : decoders_) decoder.reset();  // it blends what comes with what was
  }
  source_ = Source{};
  started_ = playing_ = concealing_ = dtx_ = false;
  next_ = made_up_ = now_ = 0;
  pcm_.clear();
  noise_.Clear();
  histogram_.fill(0);
  histogram_[3] = kPrior;
  minima_.fill(kNever);
  minimum_ = 0;
  minimum_until_ = base_ = last_lateness_ = steer_after_ = 0;
  target_ = 2 * frame_;
  jitter_ = delay_ = floor_ = 0;
}

int64_t PlayoutBuffer::SamplesAt(MonoTime at) const {
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t nanos = at.nanos() - epoch_.nanos();
  // In two parts: a product would overflow after a week.
  return nanos / kSecond * rate_ + nanos % kSecond * rate_ / kSecond;
}

absl::Duration PlayoutBuffer::DurationOf(int64_t samples) const {
  return absl::Seconds(1) * static_cast<double>(samples) / rate_;
}

codec::Decoder& PlayoutBuffer::DecoderOf(codec::Codec codec) {
  std::unique_ptr<codec::Decoder>& decoder = decoders_[static_cast<size_t>(codec)];
  if (decoder == nullptr) decoder = codec::NewDecoder(codec, rate_);
  return *decoder;
}

// ---- packets in ----

PlayoutPut PlayoutBuffer::Put(codec::Codec codec, const RtpHeader& header,
                              absl::Span<const uint8_t> payload, MonoTime at) {
  const int rtp_rate = codec::InfoOf(codec).rtp_rate;
  const int ticks = codec::TicksIn(codec, payload);
  if (ticks == 0) {
    ++stats_.malformed;
    return PlayoutPut::kMalformed;
  }
  if (!std::exchange(started_, true)) {
    epoch_ = at;
    next_ = -frame_;
  }
  const int64_t arrival = std::max(SamplesAt(at), now_ - Ms(kJumpMs));
  Packet what{.length = std::max<int64_t>(codec::SamplesOf(ticks, rtp_rate, rate_), 1),
              .codec = codec,
              .payload = {}};
  if (!Place(header, rtp_rate, arrival, &what.at)) {
    ++stats_.late;
    return PlayoutPut::kLate;
  }
  Measure(arrival - what.at, arrival);
  const PlayoutPut put = Insert(what, payload);
  switch (put) {
    case PlayoutPut::kKept:
      ++stats_.packets;
      break;
    case PlayoutPut::kLate:
      ++stats_.late;
      break;
    case PlayoutPut::kDuplicate:
      ++stats_.duplicate;
      break;
    case PlayoutPut::kOverflow:
      ++stats_.overflow;
      break;
    case PlayoutPut::kMalformed:
      break;
  }
  return put;
}

// Sets `*at` to the packet's media time. False for one from before a jump.
bool PlayoutBuffer::Place(const RtpHeader& header, int rtp_rate, int64_t arrival, int64_t* at) {
  const bool same = source_.known && source_.ssrc == header.ssrc && source_.rtp_rate == rtp_rate;
  if (same) {
    const int32_t step = static_cast<int32_t>(header.timestamp - source_.newest_timestamp);
    const int64_t ticks = source_.newest_ticks + step;
    *at = source_.origin + codec::SamplesOf(ticks, rtp_rate, rate_);
    const int64_t off = arrival - *at - base_;
    if (off <= Ms(kJumpMs) && off >= -Ms(kAheadMs)) {
      source_.strays = 0;
      if (step > 0) {
        source_.newest_ticks = ticks;
        source_.newest_timestamp = header.timestamp;
      }
      return true;
    }
    // A packet that somebody kept for seconds looks like a jump too, but comes alone. A sender that
    // means it sets the marker (RFC 3551 4.1).
    if (!header.marker && ++source_.strays < kStrayMax) return false;
  }
  if (source_.known) ++stats_.resyncs;
  // As if it had come as fast as the fastest; behind what is there already.
  int64_t origin = std::max(arrival - base_, next_);
  if (count_ > 0) origin = std::max(origin, packets_[count_ - 1]->end());
  source_ = {.known = true,
             .ssrc = header.ssrc,
             .rtp_rate = rtp_rate,
             .newest_timestamp = header.timestamp,
             .newest_ticks = 0,
             .origin = origin,
             .strays = 0};
  *at = origin;
  return true;
}

void PlayoutBuffer::Measure(int64_t lateness, int64_t arrival) {
  jitter_ += (static_cast<double>(std::abs(lateness - last_lateness_)) - jitter_) / 16;
  last_lateness_ = lateness;
  for (size_t i = 0; i < kMinima && arrival >= minimum_until_; ++i) {
    minimum_ = (minimum_ + 1) % kMinima;
    minima_[minimum_] = kNever;
    minimum_until_ += rate_;
  }
  if (arrival >= minimum_until_) minimum_until_ = arrival + rate_;  // after a long pause
  minima_[minimum_] = std::min(minima_[minimum_], lateness);
  base_ = *std::min_element(minima_.begin(), minima_.end());

  const int64_t bin = std::clamp<int64_t>((lateness - base_) / Ms(kBinMs), 0, kBins - 1);
  for (float& weight : histogram_) weight *= 1 - kForget;
  histogram_[static_cast<size_t>(bin)] += kForget;
  const float all = std::accumulate(histogram_.begin(), histogram_.end(), 0.0F);
  float met = 0;
  size_t bins = 0;
  while (bins < kBins && met < kMeets * all) met += histogram_[bins++];
  // Half a frame on top: ticks and packets need not fall together.
  target_ = std::clamp(static_cast<int64_t>(bins) * Ms(kBinMs) + frame_ / 2,
                       Ms(absl::ToInt64Milliseconds(kDepthMin)),
                       Ms(absl::ToInt64Milliseconds(kDepthMax)));
}

PlayoutPut PlayoutBuffer::Insert(const Packet& what, absl::Span<const uint8_t> payload) {
  if (what.end() <= next_) return PlayoutPut::kLate;
  size_t place = count_;
  while (place > 0 && packets_[place - 1]->at > what.at) --place;
  if (place > 0 && packets_[place - 1]->at == what.at) return PlayoutPut::kDuplicate;
  // Too much: the oldest goes, which keeps the delay within bounds.
  const int64_t span = Ms(absl::ToInt64Milliseconds(kSpanMax));
  while (count_ == kPacketsMax ||
         (count_ > 0 && what.end() - std::min(Head().at, what.at) > span)) {
    if (place == 0) return PlayoutPut::kOverflow;
    DropHead();
    --place;
    ++stats_.overflow;
  }
  std::rotate(packets_.begin() + static_cast<std::ptrdiff_t>(place),
              packets_.begin() + static_cast<std::ptrdiff_t>(count_),
              packets_.begin() + static_cast<std::ptrdiff_t>(count_) + 1);
  ++count_;
  Packet& slot = *packets_[place];
  slot.at = what.at;
  slot.length = what.length;
  slot.codec = what.codec;
  slot.payload.assign(payload.begin(), payload.end());
  return PlayoutPut::kKept;
}

// Media time goes on behind it, as if it had been played.
void PlayoutBuffer::DropHead() {
  next_ = std::max(next_, Head().end());
  made_up_ = 0;
  if (confidential_) WipeAll(packets_[0]->payload);
  std::rotate(packets_.begin(), packets_.begin() + 1,
              packets_.begin() + static_cast<std::ptrdiff_t>(count_));
  --count_;
}

// ---- frames out ----

int64_t PlayoutBuffer::Delay(int64_t now) const {
  return now - (next_ - static_cast<int64_t>(pcm_.size())) - base_;
}

bool PlayoutBuffer::Due(int64_t now) const {
  return now + frame_ / 2 >= packets_[0]->at + base_ + target_;
}

bool PlayoutBuffer::EndSpurt() {
  playing_ = dtx_ = false;
  return false;
}

// A talk spurt begins when its first packet has been delayed by the target.
bool PlayoutBuffer::Start(int64_t now) {
  const int64_t latest = now - base_ - target_ - frame_;
  while (count_ > 1 && Head().at < latest && packets_[1]->at <= now - base_ - target_) {
    DropHead();  // a burst after an outage: what is over is over
    ++stats_.late;
  }
  if (count_ == 0 || !Due(now)) return false;
  next_ = std::max(next_, Head().at);
  made_up_ = 0;
  last_codec_ = Head().codec;
  pcm_.clear();
  delay_ = static_cast<double>(Delay(now));
  playing_ = true;
  return true;
}

void PlayoutBuffer::DecodeHead() {
  const Packet& head = Head();
  last_codec_ = head.codec;
  // Opus says with a packet of one or two octets that it pauses; the decoder then makes the noise.
  dtx_ = head.codec == codec::Codec::kOpus && head.payload.size() <= 2;
  const size_t before = pcm_.size();
  codec::Decoder& decoder = DecoderOf(head.codec);
  if (!decoder.Decode(head.payload, pcm_)) {
    ++stats_.malformed;
    decoder.Conceal(static_cast<size_t>(head.length), pcm_);
  }
  // What overlaps with the packet before it was heard already.
  const auto heard = static_cast<size_t>(std::clamp<int64_t>(next_ - head.at, 0, head.length));
  const auto first = pcm_.begin() + static_cast<std::ptrdiff_t>(before);
  pcm_.erase(first, first + static_cast<std::ptrdiff_t>(std::min(heard, pcm_.size() - before)));
  DropHead();
}

void PlayoutBuffer::Conceal(size_t samples) {
  concealing_ = !dtx_;
  DecoderOf(last_codec_).Conceal(samples, pcm_);
}

// Adds samples to pcm_ at next_. False when there are none: a pause begins, or, without
// `may_conceal`, the next packet is not there.
bool PlayoutBuffer::MakeSamples(int64_t now, bool may_conceal) {
  while (count_ > 0 && Head().end() <= next_) {
    DropHead();
    ++stats_.late;
  }
  // The end of a pause is the time to delay by the target.
  bool wait = dtx_ && made_up_ > 0 && count_ > 0 && !Due(now);
  // A hole: while the buffer is too shallow the packet is waited for. If it was late the buffer is
  // deeper then, if it was lost little is.
  wait = wait || (count_ > 0 && Head().at > next_ && made_up_ < Ms(kWaitMsMax) &&
                  Delay(now) < target_ - frame_ / 2);
  if (count_ > 0 && Head().at <= next_ + made_up_ && !wait) {
    next_ = std::max(next_, Head().at);
    DecodeHead();
    return true;
  }
  if (!may_conceal) return false;
  if (count_ == 0 || wait) {
    if (made_up_ >= Ms(dtx_ ? kDtxMsMax : kMadeUpMsMax)) return EndSpurt();
    const int64_t missing = std::max<int64_t>(frame_ - static_cast<int64_t>(pcm_.size()), 1);
    Conceal(static_cast<size_t>(missing));
    made_up_ += missing;
    return true;
  }
  // A later packet is there: this one is lost.
  const int64_t gap = Head().at - next_ - made_up_;
  if (gap > Ms(kLossMsMax) && !Due(now)) return EndSpurt();
  next_ += std::exchange(made_up_, 0);
  const int64_t fill = std::min(gap, frame_);
  if (fill == gap) {
    concealing_ = true;
    DecoderOf(Head().codec).Recover(Head().payload, static_cast<size_t>(fill), pcm_);
  } else {
    Conceal(static_cast<size_t>(fill));
  }
  next_ += fill;
  return true;
}

PlayoutFrame PlayoutBuffer::Get(MonoTime now, absl::Span<int16_t> frame) {
  OUTPACE_CHECK(static_cast<int64_t>(frame.size()) == frame_);
  ++stats_.frames;
  concealing_ = false;
  if (started_) {
    now_ = std::max(now_, SamplesAt(now));
    if (playing_ || Start(now_)) {
      while (playing_ && static_cast<int64_t>(pcm_.size()) < frame_) MakeSamples(now_, true);
    }
  }
  if (!playing_) {
    noise_.Fill(frame);
    // What is left of a talk spurt that has just ended.
    const size_t left = std::min(pcm_.size(), frame.size());
    std::copy_n(pcm_.begin(), left, frame.begin());
    pcm_.clear();
    ++stats_.silent;
    return PlayoutFrame::kSilence;
  }
  Steer(now_);
  std::copy_n(pcm_.begin(), frame.size(), frame.begin());
  TakeOut(frame.size());
  if (!concealing_) return PlayoutFrame::kAudio;
  ++stats_.concealed;
  return PlayoutFrame::kConcealed;
}

void PlayoutBuffer::TakeOut(size_t samples) {
  pcm_.erase(pcm_.begin(), pcm_.begin() + static_cast<std::ptrdiff_t>(samples));
}

// Whether the frame at the front of pcm_ is a pause. Its level is learnt: down at once, up slowly.
bool PlayoutBuffer::Quiet() {
  constexpr double kRise = 1.01;       // twice as much in 1.4 s
  constexpr double kInaudible = 1000;  // 30 in 32768
  double energy = 0;
  for (size_t i = 0; i < static_cast<size_t>(frame_); ++i) {
    energy += static_cast<double>(pcm_[i]) * pcm_[i];
  }
  energy /= static_cast<double>(frame_);
  floor_ = std::min(energy, floor_ * kRise + 1);
  return energy <= 4 * floor_ + kInaudible;
}

// Leads the delay to the target, a frame at a time.
void PlayoutBuffer::Steer(int64_t now) {
  const int64_t delay = Delay(now);
  delay_ += (static_cast<double>(delay) - delay_) / 8;
  const bool quiet = Quiet();
  if (concealing_ || made_up_ > 0) return;
  const int64_t bound = Ms(absl::ToInt64Milliseconds(kDepthMax)) + Ms(kPatienceMs);
  const bool too_deep = std::min(delay_, static_cast<double>(delay)) >
                        static_cast<double>(target_ + frame_ + Ms(kBinMs));
  const bool much_too_deep = delay > target_ + frame_ + Ms(kPatienceMs) || delay > bound;
  if (now < steer_after_ && !much_too_deep) return;
  if (too_deep && (quiet || much_too_deep)) {
    LeaveOutFrame();
  } else if (delay_ < static_cast<double>(target_ - frame_ / 2) && delay < target_ && quiet) {
    // Once more from the start of this frame, later.
    pcm_.resize(pcm_.size() + static_cast<size_t>(frame_));
    std::copy_backward(pcm_.begin(), pcm_.end() - static_cast<std::ptrdiff_t>(frame_), pcm_.end());
    delay_ += static_cast<double>(frame_);
    ++stats_.inserted;
  } else {
    return;
  }
  steer_after_ = now + Ms(kSteerEveryMs);
}

// Fades the first frame of pcm_ into the second, if one is there: two are heard as one.
void PlayoutBuffer::LeaveOutFrame() {
  const auto frame = static_cast<size_t>(frame_);
  while (pcm_.size() < 2 * frame) {
    if (!MakeSamples(0, /*may_conceal=*/false)) return;
  }
  for (size_t i = 0; i < frame; ++i) {
    const auto in = static_cast<int>(i);
    const auto whole = static_cast<int>(frame);
    pcm_[frame + i] = static_cast<int16_t>((pcm_[i] * (whole - in) + pcm_[frame + i] * in) / whole);
  }
  TakeOut(frame);
  delay_ -= static_cast<double>(frame_);
  ++stats_.dropped;
}

PlayoutStats PlayoutBuffer::stats() const {
  PlayoutStats out = stats_;
  if (playing_) out.depth = DurationOf(Delay(now_) + frame_);
  out.target = DurationOf(target_);
  out.jitter = DurationOf(static_cast<int64_t>(std::lround(jitter_)));
  return out;
}

}  // namespace outpace::media
