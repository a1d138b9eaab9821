#include "engine/record/tap.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace outpace::record {
namespace {

constexpr size_t kLinearHalf = kBlockOctets / 2;  // samples of linear audio a block holds

void FillSilence(Block& block, size_t from, size_t to) {
  if (block.kind == Kind::kLinear) {
    std::memset(block.linear() + from, 0, (to - from) * sizeof(int16_t));
  } else {
    const uint8_t silence = block.kind == Kind::kMu ? codec::kMuSilence : codec::kASilence;
    std::memset(block.octets + from, silence, to - from);
  }
}

// Copies `count` samples into the block from its sample `at` on. Kinds differ only in the second in
// which a call's codec changes.
void Store(Block& block, size_t at, Kind kind, const uint8_t* from, size_t count) {
  if (block.kind == kind) {
    std::memcpy(block.octets + at, from, count);
    return;
  }
  const codec::Law law = kind == Kind::kMu ? codec::Law::kMu : codec::Law::kA;
  for (size_t i = 0; i < count; ++i) {
    const int16_t sample = codec::ToLinear(law, from[i]);
    if (block.kind == Kind::kLinear) {
      block.linear()[at + i] = sample;
    } else {
      block.octets[at + i] =
          codec::FromLinear(block.kind == Kind::kMu ? codec::Law::kMu : codec::Law::kA, sample);
    }
  }
}

void Store(Block& block, size_t at, Kind /*kind*/, const int16_t* from, size_t count) {
  if (block.kind == Kind::kLinear) {
    std::memcpy(block.linear() + at, from, count * sizeof(int16_t));
    return;
  }
  const codec::Law law = block.kind == Kind::kMu ? codec::Law::kMu : codec::Law::kA;
  for (size_t i = 0; i < count; ++i) block.octets[at + i] = codec::FromLinear(law, from[i]);
}

}  // namespace

Tap::Tap(std::shared_ptr<Shared> shared, std::shared_ptr<Channel> channel)
    : shared_(std::move(shared)), channel_(std::move(channel)) {
  if (channel_->order.paused) Pause(0);
}

Tap::~Tap() { Close(newest_); }

void Tap::Write(Side side, int64_t position, codec::Law law, absl::Span<const uint8_t> payload) {
  WriteAny(side, position, law == codec::Law::kMu ? Kind::kMu : Kind::kA, payload);
}

void Tap::Write(Side side, int64_t position, absl::Span<const int16_t> samples) {
  WriteAny(side, position, Kind::kLinear, samples);
}

template <typename Sample>
void Tap::WriteAny(Side side, int64_t position, Kind kind, absl::Span<const Sample> samples) {
  if (paused_ || closed_ || channel_->dead.load(std::memory_order_relaxed)) return;
  if (position < floor_) {
    const int64_t early = floor_ - position;
    if (early >= static_cast<int64_t>(samples.size())) return;
    samples.remove_prefix(static_cast<size_t>(early));
    position = floor_;
  }
  while (!samples.empty() && position < kPositionMax) {
    const int64_t second = position / kRate;
    const auto offset = static_cast<size_t>(position % kRate);
    if (second > newest_second_) Advance(second);
    if (second + 1 < newest_second_) {  // more than a second late
      const auto rest = static_cast<size_t>((second + 1) * kRate - position);
      samples.remove_prefix(std::min(rest, samples.size()));
      position = (second + 1) * kRate;
      continue;
    }
    Piece& piece = PieceAt(side, second);
    if (!piece.begun) {
      piece.begun = true;
      piece.second = second;
      piece.kind = kind;
    }
    const bool linear = piece.kind == Kind::kLinear;
    const size_t in_block = linear ? offset % kLinearHalf : offset;
    const size_t room = (linear ? kLinearHalf : kBlockOctets) - in_block;
    const size_t count = std::min(samples.size(), room);
    const int64_t end = position + static_cast<int64_t>(count);
    if (Block* block = BlockFor(piece, side, offset); block != nullptr) {
      Store(*block, in_block, kind, samples.data(), count);
      if (lost_to_ > lost_from_) TellLost();
    } else {
      Lose(position, end);
    }
    newest_ = std::max(newest_, end);
    samples.remove_prefix(count);
    position = end;
  }
}

Block* Tap::BlockFor(Piece& piece, Side side, size_t offset) {
  const bool linear = piece.kind == Kind::kLinear;
  const size_t half = linear ? offset / kLinearHalf : 0;
  uint32_t& index = piece.blocks[half];
  if (index == BlockPool::kNone) {
    index = shared_->pool.Take();
    if (index == BlockPool::kNone) return nullptr;
    Block& block = shared_->pool.at(index);
    block.channel = channel_.get();
    block.side = static_cast<uint8_t>(side);
    block.kind = piece.kind;
    block.last = false;
    block.start = piece.second * kRate + static_cast<int64_t>(half * kLinearHalf);
    FillSilence(block, 0, linear ? kLinearHalf : kBlockOctets);
  }
  return &shared_->pool.at(index);
}

void Tap::Advance(int64_t second) {
  // What lies two seconds back or more is complete. At most two seconds are held.
  for (int64_t held = newest_second_ - 1; held <= newest_second_; ++held) {
    if (held >= 0 && held <= second - 2) FlushSecond(held);
  }
  newest_second_ = second;
}

void Tap::FlushSecond(int64_t second) {
  std::array<uint32_t, 4> full;
  size_t count = 0;
  for (auto& side : pieces_) {
    Piece& piece = side[static_cast<size_t>(second & 1)];
    if (!piece.begun || piece.second != second) continue;
    for (uint32_t& index : piece.blocks) {
      if (index != BlockPool::kNone) full[count++] = std::exchange(index, BlockPool::kNone);
    }
    piece.begun = false;
  }
  if (count == 0) return;
  shared_->pool.at(full[count - 1]).last = true;
  shared_->blocks_waiting.fetch_add(count, std::memory_order_relaxed);
  channel_->pushed.fetch_add(count, std::memory_order_relaxed);
  for (size_t i = 0; i < count; ++i) {
    uint32_t index = full[i];
    OUTPACE_CHECK(shared_->queue.TryPush(std::move(index)));  // it has room for the whole pool
  }
}

void Tap::Lose(int64_t from, int64_t to) {
  if (lost_to_ == lost_from_) {
    lost_from_ = from;
    lost_to_ = to;
    shared_->blocks_lost.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (lost_to_ / kRate != to / kRate) {
    shared_->blocks_lost.fetch_add(1, std::memory_order_relaxed);
  }
  lost_from_ = std::min(lost_from_, from);
  lost_to_ = std::max(lost_to_, to);
}

// The gap has ended, or the recording has. Should the ring be full the gap waits and grows; two
// places are kept for a pause and the end.
void Tap::TellLost() {
  if (channel_->events.Room() <= 2) return;
  channel_->events.Push({Event::Type::kLost, lost_from_, lost_to_});
  lost_from_ = lost_to_ = 0;
}

void Tap::Pause(int64_t position) {
  if (paused_ || closed_) return;
  position = std::clamp<int64_t>(position, floor_, kPositionMax);
  paused_ = true;
  for (auto& side : pieces_) {
    for (Piece& piece : side) {
      if (!piece.begun) continue;
      const size_t samples = piece.kind == Kind::kLinear ? kLinearHalf : kBlockOctets;
      for (const uint32_t index : piece.blocks) {
        if (index == BlockPool::kNone) continue;
        Block& block = shared_->pool.at(index);
        const int64_t from =
            std::clamp<int64_t>(position - block.start, 0, static_cast<int64_t>(samples));
        FillSilence(block, static_cast<size_t>(from), samples);
      }
    }
  }
  newest_ = std::max(newest_, position);
  channel_->events.Push({Event::Type::kPaused, position, 0});
}

void Tap::Resume(int64_t position) {
  if (!paused_ || closed_ || channel_->events.Room() < 6) return;
  position = std::clamp<int64_t>(position, floor_, kPositionMax);
  channel_->events.Push({Event::Type::kResumed, position, 0});
  floor_ = position;
  newest_ = std::max(newest_, position);
  paused_ = false;
}

void Tap::Close(int64_t position) {
  if (closed_) return;
  closed_ = true;
  position = std::clamp<int64_t>(position, 0, kPositionMax);
  channel_->ends_at.store(position, std::memory_order_release);
  for (int64_t second = newest_second_ - 1; second <= newest_second_; ++second) {
    if (second >= 0) FlushSecond(second);
  }
  if (lost_to_ > lost_from_) channel_->events.Push({Event::Type::kLost, lost_from_, lost_to_});
  channel_->closed.store(true, std::memory_order_release);
}

}  // namespace outpace::record
