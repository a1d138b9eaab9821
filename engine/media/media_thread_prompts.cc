// Frames of our own: prompts.

#include <algorithm>

#include "engine/media/media_leg.h"
#include "engine/media/media_thread.h"

namespace outpace::media {
namespace {

// A prompt that fell this far behind (the thread was not run) goes on from where it is, late,
// instead of pouring out what it missed.
constexpr absl::Duration kLateMax = absl::Milliseconds(100);

}  // namespace

void MediaThread::RunPrompts(MonoTime now) {
  for (size_t i = 0; i < playing_.size();) {
    Leg& leg = *playing_[i];
    PlayDueFrames(leg, now);
    if (leg.prompt != nullptr) {
      ++i;
      continue;
    }
    playing_[i] = playing_.back();
    playing_.pop_back();
  }
}

void MediaThread::PlayDueFrames(Leg& leg, MonoTime now) {
  if (now - leg.frame_due > kLateMax) leg.frame_due = now;
  const absl::Duration frame_time = absl::Milliseconds(leg.packet_ms);
  const size_t frame_samples = leg.packet_ms * size_t{8};
  for (; leg.frame_due <= now; leg.frame_due = leg.frame_due + frame_time) {
    const absl::Span<const uint8_t> frame =
        leg.prompt->Samples(codec::LawOf(leg.codec.codec), leg.prompt_at, frame_samples);
    if (frame.empty()) {  // the last frame has been heard to its end
      leg.prompt = nullptr;
      leg.out.Part();
      return Tell({.kind = Event::Kind::kPromptDone, .leg = leg.id, .at = now}, now);
    }
    const bool first = leg.prompt_at == 0;
    leg.prompt_at += frame.size();
    if (!leg.Listens()) continue;  // time runs on: who waits for the end is not left waiting
    const Stamp stamp = leg.out.Own(static_cast<uint32_t>(frame.size()), first, now);
    SendFrame(leg, frame, stamp, now);
    counters_.prompt_frames.Add(1);
  }
}

}  // namespace outpace::media
