#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/pacing/policy.h"

namespace outpace::runtime {

// What a decision was taken under, as far as it only changes with the settings: shared by all
// records until then.
struct DecisionTerms {
  struct Contract {
    std::string name;      // "regulation", "client"
    std::string window;    // AbandonWindowName(): "day", "campaign", "rolling_24h", "rolling_30d"
    double ratio_max = 0;  // abandoned over answered by a person
  };
  std::string dial_method;
  std::string trunk;
  double level = 1;                 // auto_dial_level
  double level_max = 1;             // adaptive_maximum_level
  std::vector<Contract> contracts;  // as Decision::contract numbers them
};

// One decision of a campaign's pacer and what came of it.
struct DecisionRecord {
  absl::Time at;
  pacing::Decision decision;  // `picks` is empty: they are valid only until the next decision
  int placed = 0;             // legs placed: less than decided when the gate held leads back
  int placed_minute = 0;      // legs placed in the last minute, these included
  int lines_free = 0;         // the caps the pacer was given
  int trunk_tokens = 0;
  int leads_ready = 0;
  bool trunk_shared = false;  // lines and tokens are the campaign's share of a trunk of several
  std::shared_ptr<const DecisionTerms> terms;
};

// The last decisions of a campaign that tell something: those that placed legs, those with another
// limit or alarm than the one before, and one each kQuietEvery otherwise; several a second are
// taken, and most are alike. Allocates when it is made only. Controller's loop.
class DecisionRing {
 public:
  static constexpr absl::Duration kQuietEvery = absl::Seconds(10);

  explicit DecisionRing(size_t capacity = 600) : records_(capacity) {}

  // Remembers it as the latest; true when it is also kept.
  bool Add(const DecisionRecord& record, MonoTime now) {
    latest_ = record;
    latest_.placed_minute = CountMinute(record.placed, now);
    const pacing::Decision& d = record.decision;
    const bool tells = size_ == 0 || record.placed > 0 || d.legs_to_place > 0 ||
                       d.limit != limit_ || d.alarm != alarm_ || now - kept_ >= kQuietEvery;
    if (!tells) return false;
    limit_ = d.limit;
    alarm_ = d.alarm;
    kept_ = now;
    records_[next_] = latest_;
    next_ = (next_ + 1) % records_.size();
    if (size_ < records_.size()) ++size_;
    return true;
  }
  size_t size() const { return size_; }
  // The last decision, kept or not; nullptr before the first.
  const DecisionRecord* latest() const { return size_ == 0 ? nullptr : &latest_; }
  // The kept ones, newest first, at most `most`.
  std::vector<DecisionRecord> Last(size_t most) const {
    std::vector<DecisionRecord> last;
    for (size_t i = 0; i < size_ && i < most; ++i) {
      last.push_back(records_[(next_ + records_.size() - 1 - i) % records_.size()]);
    }
    return last;
  }

 private:
  // Adds to the present second and sums the last sixty.
  int CountMinute(int placed, MonoTime now) {
    const int64_t second = now.nanos() / 1'000'000'000;
    const auto slots = static_cast<int64_t>(by_second_.size());
    // A second that nobody looked at has no legs. A clock that stands still or goes back changes
    // nothing here.
    for (int64_t s = std::max(second_ + 1, second - slots + 1); s <= second; ++s) {
      by_second_[static_cast<size_t>(((s % slots) + slots) % slots)] = 0;
    }
    second_ = std::max(second_, second);
    by_second_[static_cast<size_t>(((second_ % slots) + slots) % slots)] += placed;
    int sum = 0;
    for (const int legs : by_second_) sum += legs;
    return sum;
  }

  std::vector<DecisionRecord> records_;
  std::array<int, 60> by_second_{};
  int64_t second_ = INT64_MIN / 2;
  size_t next_ = 0;
  size_t size_ = 0;
  DecisionRecord latest_;
  pacing::Limit limit_ = pacing::Limit::kNone;  // of the last one kept
  pacing::Alarm alarm_ = pacing::Alarm::kNone;
  MonoTime kept_;
};

}  // namespace outpace::runtime
