#pragma once

// The media thread's end of a recording. A call's timeline is cut at whole seconds; the tap fills
// the second that runs and the one before it, both sides apart, in blocks of the pool. When the
// newest audio enters second n, second n - 2 goes to the writer, both sides together. So a packet a
// second late still finds its place, the writer gets every second once and whole, and whatever a
// pause has to take back still lies here.
//
// G.711 is stored as it came, one octet a sample: recording a packet is a copy of 160 octets.

#include <array>
#include <memory>

#include "engine/record/channel.h"
#include "engine/record/recorder.h"

namespace outpace::record {

inline constexpr int64_t kPositionMax = 24 * 3600 * kRate;  // a recording is a day long at most

class Tap final : public RecordingTap {
 public:
  Tap(std::shared_ptr<Shared> shared, std::shared_ptr<Channel> channel);
  ~Tap() override;

  void Write(Side side, int64_t position, codec::Law law,
             absl::Span<const uint8_t> payload) override;
  void Write(Side side, int64_t position, absl::Span<const int16_t> samples) override;
  void Pause(int64_t position) override;
  void Resume(int64_t position) override;
  bool paused() const override { return paused_; }
  void Close(int64_t position) override;

 private:
  // One second of one side: a block, or two when it is linear.
  struct Piece {
    int64_t second = -1;
    Kind kind = Kind::kMu;
    bool begun = false;
    std::array<uint32_t, 2> blocks{BlockPool::kNone, BlockPool::kNone};
  };

  template <typename Sample>
  void WriteAny(Side side, int64_t position, Kind kind, absl::Span<const Sample> samples);
  Piece& PieceAt(Side side, int64_t second) {
    return pieces_[static_cast<size_t>(side)][static_cast<size_t>(second & 1)];
  }
  void Advance(int64_t second);
  void FlushSecond(int64_t second);
  // The block of the piece for the sample at `offset` of its second; nullptr: none is free.
  Block* BlockFor(Piece& piece, Side side, size_t offset);
  void Lose(int64_t from, int64_t to);
  void TellLost();

  const std::shared_ptr<Shared> shared_;
  const std::shared_ptr<Channel> channel_;
  std::array<std::array<Piece, 2>, 2> pieces_;  // side, second & 1
  int64_t newest_second_ = 0;
  int64_t newest_ = 0;  // end of the newest audio
  int64_t floor_ = 0;   // older audio is not taken
  int64_t lost_from_ = 0, lost_to_ = 0;
  bool paused_ = false;
  bool closed_ = false;
};

}  // namespace outpace::record
