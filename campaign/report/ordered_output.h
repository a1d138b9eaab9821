#pragma once

// Pieces of a file that threads finish in any order, handed on in the right one.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace outpace::report {

// Thread safe.
class OrderedOutput {
 public:
  // `write` is called by one thread at a time. `waiting_max`: pieces held for those before them;
  // who brings one more waits, so that memory stays bounded.
  OrderedOutput(const std::function<absl::Status(absl::string_view)>& write, size_t waiting_max)
      : write_(write), waiting_max_(waiting_max) {}

  // Piece `number`, each number once, from 0 on. `bytes` is empty afterwards, with room. The error
  // is write's, also where that came of another piece. Never waits for a piece that nobody works
  // on, as long as numbers are taken in order and each is brought before the next is taken.
  absl::Status Put(uint64_t number, std::string& bytes) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    const auto ready = [this, number]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return number == next_ || waiting_.size() < waiting_max_ || !status_.ok();
    };
    mutex_.Await(absl::Condition(&ready));
    if (!status_.ok()) return status_;
    waiting_[number].swap(bytes);
    bytes.clear();
    if (writing_) return absl::OkStatus();  // whoever writes goes on with what waits
    writing_ = true;
    while (status_.ok() && !waiting_.empty() && waiting_.begin()->first == next_) {
      std::string piece = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      mutex_.Unlock();
      const absl::Status written = piece.empty() ? absl::OkStatus() : write_(piece);
      mutex_.Lock();
      if (!written.ok()) status_ = written;
      ++next_;
      if (bytes.capacity() < piece.capacity()) {
        bytes.swap(piece);
        bytes.clear();
      }
    }
    writing_ = false;
    return status_;
  }

  // A thread gave up: nobody waits for its piece any more.
  void Fail(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (status_.ok()) status_ = status;
  }

 private:
  const std::function<absl::Status(absl::string_view)>& write_;
  const size_t waiting_max_;
  absl::Mutex mutex_;
  std::map<uint64_t, std::string> waiting_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace outpace::report
