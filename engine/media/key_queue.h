#pragma once

#include <array>
#include <cstddef>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/media/wipe.h"

namespace outpace::media {

// Keys that wait to be sent. They may be a card number's: none is left in memory once it is out, or
// when the queue goes.
class KeyQueue {
 public:
  static constexpr size_t kMax = 32;

  KeyQueue() = default;
  ~KeyQueue() { Wipe(absl::MakeSpan(keys_)); }
  KeyQueue(const KeyQueue&) = delete;
  KeyQueue& operator=(const KeyQueue&) = delete;

  // Those beyond kMax are dropped: whoever presses keys for ever is not followed for ever.
  void Push(absl::string_view keys) {
    for (const char key : keys.substr(0, kMax - count_)) keys_[(first_ + count_++) % kMax] = key;
  }
  bool empty() const { return count_ == 0; }
  // These two of a queue that is not empty.
  char front() const { return keys_[first_]; }
  void Pop() {
    Wipe(absl::MakeSpan(keys_).subspan(first_, 1));
    first_ = (first_ + 1) % kMax;
    --count_;
  }

 private:
  std::array<char, kMax> keys_{};  // a ring
  size_t first_ = 0;
  size_t count_ = 0;
};

}  // namespace outpace::media
