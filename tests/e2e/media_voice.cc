#include "tests/e2e/media_voice.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/codec/g711.h"
#include "tests/e2e/process.h"

namespace outpace::e2e {
namespace {

constexpr size_t kFrame = 160;
constexpr absl::Duration kFrameLength = absl::Milliseconds(20);
constexpr int kPcmu = 0, kPcma = 8, kComfortNoise = 13, kEvents = 101;
constexpr absl::string_view kKeys = "0123456789*#ABCD";  // RFC 4733 3.2
// A key: five packets while it is held, three that say it is over.
constexpr int kHeldPackets = 5, kKeyPackets = 8;

codec::Law LawOf(int payload_type) {
  return payload_type == kPcma ? codec::Law::kA : codec::Law::kMu;
}

}  // namespace

Voice::Voice(AudioProbe& probe) : probe_(probe) {
  thread_ = std::thread([this] { Run(); });
}

Voice::~Voice() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  thread_.join();
}

void Voice::SetPeer(farend::Endpoint peer) {
  std::lock_guard<std::mutex> lock(mutex_);
  new_peer_ = peer;
}

void Voice::SetCodec(int payload_type) {
  OUTPACE_CHECK(payload_type == kPcmu || payload_type == kPcma);
  std::lock_guard<std::mutex> lock(mutex_);
  codec_ = payload_type;
}

void Voice::Say(Source source) { Play(ToneLoop(source), /*again_and_again=*/true); }

void Voice::Play(std::vector<int16_t> clip, bool again_and_again) {
  std::lock_guard<std::mutex> lock(mutex_);
  clip_ = std::move(clip);
  clip_at_ = 0;
  loop_ = again_and_again;
  packets_ = true;
}

void Voice::Hush() { Play({}); }

void Voice::Stop() {
  std::lock_guard<std::mutex> lock(mutex_);
  packets_ = false;
}

void Voice::PressKey(char key) {
  OUTPACE_CHECK(kKeys.find(key) != absl::string_view::npos);
  std::lock_guard<std::mutex> lock(mutex_);
  keys_to_press_ += key;
}

bool Voice::WaitUntilPlayed(absl::Duration timeout) {
  return WaitFor(timeout, [this] { return !loop_ && clip_at_ >= clip_.size(); });
}

absl::Time Voice::last_said() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return last_said_;
}

void Voice::Run() {
  MonoTime next = MonoNow();
  for (;;) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (stop_) return;
      if (new_peer_.has_value()) probe_.SetPeer(*std::exchange(new_peer_, std::nullopt));
      if (packets_ && probe_.has_peer()) SendFrame();
    }
    next = next + kFrameLength;
    const std::vector<AudioPacket> packets =
        probe_.Receive(std::max(next - MonoNow(), absl::ZeroDuration()));
    std::lock_guard<std::mutex> lock(mutex_);
    for (const AudioPacket& packet : packets) Keep(packet);
    ticked_.notify_all();
  }
}

void Voice::SendFrame() {
  if (!keys_to_press_.empty()) {
    const bool over = key_step_ >= kHeldPackets;
    const int duration = static_cast<int>(kFrame) * (std::min(key_step_, kHeldPackets - 1) + 1);
    std::string event(4, '\0');
    event[0] = static_cast<char>(kKeys.find(keys_to_press_[0]));
    event[1] = static_cast<char>((over ? 0x80 : 0) | 10);  // -10 dBm0
    event[2] = static_cast<char>(duration >> 8);
    event[3] = static_cast<char>(duration);
    const bool last = key_step_ == kKeyPackets - 1;
    probe_.SendPacket(kEvents, key_step_ == 0, event, last ? kKeyPackets * kFrame : 0);
    if (++key_step_ < kKeyPackets) return;
    key_step_ = 0;
    keys_to_press_.erase(0, 1);
    return;
  }
  const codec::Law law = LawOf(codec_);
  std::string payload(kFrame, static_cast<char>(codec::SilenceOf(law)));
  for (size_t i = 0; i < kFrame && clip_at_ < clip_.size(); ++i) {
    payload[i] = static_cast<char>(codec::FromLinear(law, clip_[clip_at_]));
    if (++clip_at_ == clip_.size()) {
      last_said_ = WallNow();
      if (loop_) clip_at_ = 0;
    }
  }
  probe_.SendPacket(codec_, false, payload, kFrame);
}

void Voice::Keep(const AudioPacket& packet) {
  const auto byte = [&packet](size_t i) { return static_cast<uint8_t>(packet.payload[i]); };
  if (packet.payload_type == kEvents && packet.payload.size() >= 4) {
    // All packets of one key have one timestamp.
    if (!keys_.empty() && key_timestamp_ == packet.timestamp) return;
    key_timestamp_ = packet.timestamp;
    keys_ += byte(0) < kKeys.size() ? kKeys[byte(0)] : '?';
    return;
  }
  if (packet.payload_type == kComfortNoise) return;
  if (packet.payload_type != kPcmu && packet.payload_type != kPcma) {
    ++strange_;
    return;
  }
  Frame frame{.at = packet.at,
              .timestamp = packet.timestamp,
              .ssrc = packet.ssrc,
              .sequence = packet.sequence,
              .payload_type = packet.payload_type,
              .samples = {}};
  const codec::Law law = LawOf(packet.payload_type);
  for (size_t i = 0; i < packet.payload.size(); ++i) {
    frame.samples.push_back(codec::ToLinear(law, byte(i)));
  }
  heard_.push_back(std::move(frame));
}

Voice::Place Voice::Now() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return heard_.size();
}

bool Voice::WaitFor(absl::Duration timeout, const std::function<bool()>& done) {
  std::unique_lock<std::mutex> lock(mutex_);
  return ticked_.wait_for(lock, absl::ToChronoMilliseconds(timeout), done);
}

std::vector<int16_t> Voice::Latest(absl::Time since) const {
  auto begin = heard_.end();
  while (begin != heard_.begin() && (begin - 1)->at >= since) --begin;
  std::vector<int16_t> samples;
  for (; begin != heard_.end(); ++begin) {
    samples.insert(samples.end(), begin->samples.begin(), begin->samples.end());
  }
  return samples;
}

std::string Voice::WaitToHear(const std::vector<Source>& present, absl::Duration how_long,
                              absl::Duration timeout) {
  const absl::Time begin = WallNow();
  std::string wrong;
  const bool heard = WaitFor(timeout, [&] {
    const absl::Time now = WallNow();
    if (now - begin < how_long) return false;
    std::vector<int16_t> samples = Latest(now - how_long);
    const size_t whole = SamplesIn(how_long);
    // Who sends nothing is silent; who speaks must be heard all the time, but for a late packet.
    if (!present.empty() && samples.size() < whole * 4 / 5) {
      wrong = absl::StrCat("only ", samples.size(), " samples of ", whole);
      return false;
    }
    samples.resize(std::max(samples.size(), whole), 0);
    wrong = MismatchAnywhere(samples, present);
    return wrong.empty();
  });
  return heard ? "" : absl::StrCat("heard at last: ", wrong);
}

std::string Voice::KeepsHearing(const std::vector<Source>& present, absl::Duration how_long) {
  const Place place = Now();
  const absl::Time begin = WallNow();
  WaitFor(how_long * 2, [&] { return WallNow() - begin >= how_long; });
  std::vector<int16_t> samples = HeardSince(place);
  const size_t whole = SamplesIn(how_long);
  if (!present.empty() && samples.size() < whole * 4 / 5) {
    return absl::StrCat("only ", samples.size(), " samples of ", whole);
  }
  samples.resize(std::max(samples.size(), SamplesIn(absl::Milliseconds(100))), 0);
  return MismatchAnywhere(samples, present);
}

std::vector<int16_t> Voice::HeardSince(Place place) const {
  std::vector<Frame> frames;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    frames.assign(heard_.begin() + static_cast<ptrdiff_t>(std::min(place, heard_.size())),
                  heard_.end());
  }
  std::stable_sort(frames.begin(), frames.end(), [](const Frame& a, const Frame& b) {
    return a.ssrc == b.ssrc && static_cast<int16_t>(a.sequence - b.sequence) < 0;
  });
  std::vector<int16_t> samples;
  for (size_t i = 0; i < frames.size(); ++i) {
    if (i > 0 && frames[i].ssrc == frames[i - 1].ssrc) {
      const uint32_t expected =
          frames[i - 1].timestamp + static_cast<uint32_t>(frames[i - 1].samples.size());
      const uint32_t gap = frames[i].timestamp - expected;
      if (gap <= 10 * kSamplesPerSecond) samples.resize(samples.size() + gap, 0);
    }
    samples.insert(samples.end(), frames[i].samples.begin(), frames[i].samples.end());
  }
  return samples;
}

double Voice::LoudestSince(Place place, Source source) const {
  return LoudestOf(source, HeardSince(place));
}

absl::Time Voice::WaitForSound(Place place, absl::Duration timeout) {
  absl::Time at = absl::InfiniteFuture();
  WaitFor(timeout, [&] {
    for (size_t i = place; i < heard_.size(); ++i) {
      if (PowerOf(heard_[i].samples) < kAbsent) continue;
      at = heard_[i].at;
      return true;
    }
    return false;
  });
  return at;
}

bool Voice::WaitForPackets(Place place, size_t packets, absl::Duration timeout) {
  return WaitFor(timeout, [&] { return heard_.size() >= place + packets; });
}

std::string Voice::Keys() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return keys_;
}

bool Voice::WaitForKeys(const std::string& keys, absl::Duration timeout) {
  return WaitFor(timeout, [&] { return keys_ == keys; });
}

size_t Voice::strange_packets() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return strange_;
}

std::vector<int> Voice::CodecsSince(Place place) const {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<int> codecs;
  for (size_t i = place; i < heard_.size(); ++i) {
    const int type = heard_[i].payload_type;
    if (std::find(codecs.begin(), codecs.end(), type) == codecs.end()) codecs.push_back(type);
  }
  return codecs;
}

}  // namespace outpace::e2e
