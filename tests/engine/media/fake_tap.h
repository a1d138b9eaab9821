#pragma once

// A recording's inlet that remembers what was written where. Written to by the media thread, read
// by the test.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "engine/record/recorder.h"

namespace outpace::media {

class FakeTap final : public record::RecordingTap {
 public:
  explicit FakeTap(bool paused = false) : paused_(paused) {}
  void Write(record::Side side, int64_t position, codec::Law law,
             absl::Span<const uint8_t> payload) override {
    std::vector<int16_t> samples;
    for (const uint8_t octet : payload) samples.push_back(codec::ToLinear(law, octet));
    Write(side, position, samples);
  }
  void Write(record::Side side, int64_t position, absl::Span<const int16_t> samples) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++writes_[static_cast<size_t>(side)];
    for (const int16_t sample : samples) sides_[static_cast<size_t>(side)][position++] = sample;
  }
  void Pause(int64_t position) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    paused_ = true;
    pauses_.push_back(position);
  }
  void Resume(int64_t position) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (refusals_ > 0) {
      --refusals_;
      return;
    }
    paused_ = false;
    pauses_.push_back(position);
  }
  bool paused() const override {
    const std::lock_guard<std::mutex> lock(mutex_);
    return paused_;
  }
  void Close(int64_t position) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_.push_back(position);
  }

  // Stays paused the next `times` it is told to go on.
  void Refuse(int times) {
    const std::lock_guard<std::mutex> lock(mutex_);
    refusals_ = times;
  }
  int refusals() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return refusals_;
  }
  int writes(record::Side side) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return writes_[static_cast<size_t>(side)];
  }
  // By position.
  std::map<int64_t, int16_t> side(record::Side side) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return sides_[static_cast<size_t>(side)];
  }
  std::vector<int64_t> pauses() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return pauses_;
  }
  std::vector<int64_t> closed() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return closed_;
  }

 private:
  mutable std::mutex mutex_;
  bool paused_;
  int refusals_ = 0;
  int writes_[2] = {0, 0};
  std::map<int64_t, int16_t> sides_[2];
  std::vector<int64_t> pauses_;
  std::vector<int64_t> closed_;
};

}  // namespace outpace::media
