#include "engine/media/key_tracker.h"

namespace outpace::media {
namespace {

constexpr char kKeys[] = "0123456789*#ABCD";
constexpr uint8_t kKeyCount = sizeof kKeys - 1;
// Durations from here on may be those of a segment's end (RFC 4733 2.5.1.3), its last packets lost.
constexpr uint32_t kLongDuration = 0xf000;

}  // namespace

bool KeyTracker::Continues(const RtpHeader& header, int rate, uint8_t code) const {
  if (!known_ || header.ssrc != ssrc_) return false;
  const auto step = static_cast<int32_t>(header.timestamp - timestamp_);
  if (step == 0) return true;
  // Overtaken by a later key; further back than 5 s the sender has begun anew.
  if (step < 0) return step > -5 * rate;
  if (code != code_ || ended_ || header.marker) return false;
  const bool segment = duration_ >= kLongDuration && step <= 0xffff;
  const bool moves = step <= rate * 60 / 1000;
  return segment || moves;
}

std::optional<char> KeyTracker::Take(const RtpHeader& header, int rate,
                                     absl::Span<const uint8_t> payload) {
  if (payload.size() < 4 || payload[0] >= kKeyCount) return std::nullopt;
  const uint8_t code = payload[0];
  const bool end = (payload[1] & 0x80) != 0;
  const uint32_t duration = static_cast<uint32_t>(payload[2] << 8 | payload[3]);
  const bool same = Continues(header, rate, code);
  if (same && static_cast<int32_t>(header.timestamp - timestamp_) < 0) return std::nullopt;
  ended_ = end || (same && header.timestamp == timestamp_ && ended_);
  known_ = true;
  code_ = code;
  ssrc_ = header.ssrc;
  timestamp_ = header.timestamp;
  duration_ = duration;
  if (same) return std::nullopt;
  return kKeys[code];
}

}  // namespace outpace::media
