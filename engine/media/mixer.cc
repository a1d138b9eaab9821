#include "engine/media/mixer.h"

#include <algorithm>
#include <bit>

#include "engine/base/check.h"

namespace outpace::media {
namespace {

constexpr std::array<int16_t, Mixer::kFrameMax> kNothing{};

constexpr uint8_t Bit(int member) { return static_cast<uint8_t>(1U << member); }

}  // namespace

int16_t SoftLimit(int32_t sum) {
  if (sum <= kMixKnee && sum >= -kMixKnee) return static_cast<int16_t>(sum);
  // room * x / (x + room): slope 1 where it begins, and room is where it would end.
  constexpr int64_t kRoom = 32767 - kMixKnee;
  const int64_t beyond = (sum < 0 ? -int64_t{sum} : int64_t{sum}) - kMixKnee;
  const auto bent = static_cast<int32_t>(kMixKnee + kRoom * beyond / (beyond + kRoom));
  return static_cast<int16_t>(sum < 0 ? -bent : bent);
}

Mixer::Mixer(int rate) : frame_(static_cast<size_t>(rate / 50)) {
  OUTPACE_CHECK(rate == 8000 || rate == 16000);
}

int Mixer::Add(call::MixRole role, int coached) {
  for (int i = 0; i < kMembersMax; ++i) {
    Member& member = member_[static_cast<size_t>(i)];
    if (member.in) continue;
    member = Member{.in = true};
    ++count_;
    put_ = static_cast<Mask>(put_ & ~Bit(i));
    spoke_ = static_cast<Mask>(spoke_ & ~Bit(i));
    SetRole(i, role, coached);
    return i;
  }
  return kNone;
}

void Mixer::Remove(int member) {
  At(member) = Member{};
  --count_;
  // The number may be somebody else's next, who is not the one to be whispered to.
  for (Member& other : member_) {
    if (other.coached == member) other.coached = kNone;
  }
}

void Mixer::SetRole(int member, call::MixRole role, int coached) {
  Member& m = At(member);
  m.role = role;
  m.coached = role == call::MixRole::kCoach && coached != member && Has(coached) ? coached : kNone;
}

void Mixer::SetHeld(int member, bool held) { At(member).held = held; }
void Mixer::SetMuted(int member, bool muted) { At(member).muted = muted; }

bool Mixer::Has(int member) const {
  return member >= 0 && member < kMembersMax && member_[static_cast<size_t>(member)].in;
}

int Mixer::talkers() const {
  return static_cast<int>(std::count_if(member_.begin(), member_.end(), [](const Member& member) {
    return member.in && member.role == call::MixRole::kTalker;
  }));
}

void Mixer::Put(int member, absl::Span<const int16_t> frame) {
  OUTPACE_CHECK(Has(member) && frame.size() == frame_);
  std::copy(frame.begin(), frame.end(), said_[static_cast<size_t>(member)].begin());
  put_ |= Bit(member);
}

// Those `listener` hears, of those who spoke. The one place where roles mean something.
Mixer::Mask Mixer::SourcesOf(int listener) const {
  if (At(listener).held) return 0;
  Mask sources = 0;
  for (int i = 0; i < kMembersMax; ++i) {
    const Member& from = member_[static_cast<size_t>(i)];
    if (i == listener || (spoke_ & Bit(i)) == 0 || from.held || from.muted) continue;
    if (from.role == call::MixRole::kTalker ||
        (from.role == call::MixRole::kCoach && from.coached == listener)) {
      sources |= Bit(i);
    }
  }
  return sources;
}

void Mixer::Mix() {
  spoke_ = put_;
  put_ = 0;
  in_total_ = 0;
  for (int i = 0; i < kMembersMax; ++i) {
    const Member& member = member_[static_cast<size_t>(i)];
    if (!member.in) spoke_ = static_cast<Mask>(spoke_ & ~Bit(i));
    const bool heard = member.role == call::MixRole::kTalker && !member.held && !member.muted;
    if ((spoke_ & Bit(i)) != 0 && heard) in_total_ |= Bit(i);
  }
  std::fill_n(total_.begin(), frame_, 0);
  for (size_t i = 0; i < kMembersMax; ++i) {
    if ((in_total_ & Bit(static_cast<int>(i))) == 0) continue;
    for (size_t k = 0; k < frame_; ++k) total_[k] += said_[i][k];
  }
  mixes_ = 0;
  for (int i = 0; i < kMembersMax; ++i) {
    if (!Has(i)) continue;
    const Mask sources = SourcesOf(i);
    size_t mix = 0;
    while (mix < mixes_ && sources_[mix] != sources) ++mix;
    if (mix == mixes_) {
      sources_[mixes_++] = sources;
      Fill(mix, sources);
    }
    At(i).mix = static_cast<int>(mix);
  }
}

void Mixer::Fill(size_t mix, Mask sources) {
  int16_t* const out = mix_[mix].data();
  if (std::popcount(sources) <= 1) {
    // One voice goes through as it is, however loud.
    const int16_t* const from = sources == 0
                                    ? kNothing.data()
                                    : said_[static_cast<size_t>(std::countr_zero(sources))].data();
    std::copy_n(from, frame_, out);
    return;
  }
  std::array<int32_t, kFrameMax> sum;  // NOLINT: filled to frame_ here
  std::copy_n(total_.begin(), frame_, sum.begin());
  for (size_t i = 0; i < kMembersMax; ++i) {
    const Mask bit = Bit(static_cast<int>(i));
    const bool counted = (in_total_ & bit) != 0;
    const bool wanted = (sources & bit) != 0;
    if (counted == wanted) continue;
    const int32_t sign = wanted ? 1 : -1;
    for (size_t k = 0; k < frame_; ++k) sum[k] += sign * said_[i][k];
  }
  for (size_t k = 0; k < frame_; ++k) out[k] = SoftLimit(sum[k]);
}

absl::Span<const int16_t> Mixer::Heard(int member) const {
  const int mix = At(member).mix;
  const int16_t* const samples =
      mix == kNone ? kNothing.data() : mix_[static_cast<size_t>(mix)].data();
  return {samples, frame_};
}

int Mixer::MixOf(int member) const { return At(member).mix; }

Mixer::Member& Mixer::At(int member) {
  OUTPACE_CHECK(Has(member));
  return member_[static_cast<size_t>(member)];
}
const Mixer::Member& Mixer::At(int member) const {
  OUTPACE_CHECK(Has(member));
  return member_[static_cast<size_t>(member)];
}

}  // namespace outpace::media
