#pragma once

// A call of three and more, as arithmetic: each tick the members' frames go in, and out comes what
// each of them hears. Everybody who may be heard is added up once in 32 bits, and a member's own
// voice is taken out again, so a call of eight costs little more than a call of three; members who
// hear the same (listeners, the muted, whoever said nothing in this frame) share one mix, which
// their codec need encode only once.
//
// The sum of several loud voices does not fit 16 bits. It is bent, not turned down: up to kMixKnee
// a sample passes as it is, beyond it approaches full scale along a curve. A gain that follows the
// loudness would make one speaker's words pump with another's; a curve has no memory and cannot.
//
// No allocation, no clock, no codec. Not copied around: about 10 KiB. Single thread.

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "engine/call/media_action.h"

namespace outpace::media {

// Where bending begins: 2.5 dB under full scale.
inline constexpr int kMixKnee = 24576;

// A 32-bit sum as a sample. Exact up to +/-kMixKnee, beyond it a curve without a corner that never
// reaches the end of the scale; rises wherever its argument does, or stays.
int16_t SoftLimit(int32_t sum);

class Mixer {
 public:
  static constexpr int kMembersMax = call::kMixLegsMax;
  static constexpr int kNone = -1;
  static constexpr size_t kFrameMax = 320;

  // `rate` is 8000 or 16000 samples a second; a frame is 20 ms (160 or 320 samples).
  explicit Mixer(int rate);
  Mixer(const Mixer&) = delete;
  Mixer& operator=(const Mixer&) = delete;

  // A new member's number, 0..7, the lowest free one; kNone when eight are in. `coached` is the
  // member whom a coach is heard by: one that is in, else the coach is heard by nobody.
  int Add(call::MixRole role, int coached = kNone);
  // A member's number is free for the next. Its coaches stay and are heard by nobody.
  void Remove(int member);
  // Becomes effective with the next Mix().
  void SetRole(int member, call::MixRole role, int coached = kNone);
  // A held member neither hears nor is heard: its music is the caller's affair.
  void SetHeld(int member, bool held);
  // A muted member hears and is not heard.
  void SetMuted(int member, bool muted);

  bool Has(int member) const;
  int members() const { return count_; }
  // Members that are heard by all as soon as they speak, held and muted ones included. With two of
  // them and nobody else the call may as well be a bridge.
  int talkers() const;
  size_t frame_samples() const { return frame_; }

  // What `member` says in the coming frame, frame_samples() samples, copied. The last one counts. A
  // member that puts nothing before Mix() is silent in it.
  void Put(int member, absl::Span<const int16_t> frame);
  // Makes the mixes of what was put since the last Mix().
  void Mix();

  // What `member` hears: frame_samples() samples, until the next Mix(). All zero when nobody who
  // speaks is heard by it. This is the right channel of the member's recording too.
  absl::Span<const int16_t> Heard(int member) const;
  // Number of that mix, 0..7: members with the same number hear the same samples. kNone for one
  // that came after the last Mix(), and hears nothing.
  int MixOf(int member) const;

 private:
  using Mask = uint8_t;  // a bit a member
  struct Member {
    bool in = false;
    bool held = false;
    bool muted = false;
    call::MixRole role = call::MixRole::kTalker;
    int coached = kNone;
    int mix = kNone;  // kNone: came after the last Mix()
  };

  Member& At(int member);
  const Member& At(int member) const;
  Mask SourcesOf(int listener) const;
  void Fill(size_t mix, Mask sources);

  size_t frame_;
  int count_ = 0;
  std::array<Member, kMembersMax> member_{};
  Mask put_ = 0;                             // since the last Mix()
  Mask spoke_ = 0;                           // in the last Mix()
  Mask in_total_ = 0;                        // the members that total_ adds up
  std::array<Mask, kMembersMax> sources_{};  // of each mix made
  size_t mixes_ = 0;
  alignas(32) std::array<int32_t, kFrameMax> total_{};
  alignas(32) std::array<std::array<int16_t, kFrameMax>, kMembersMax> said_{};
  alignas(32) std::array<std::array<int16_t, kFrameMax>, kMembersMax> mix_{};
};

}  // namespace outpace::media
