#include "dnc/dnc_list.h"

#include <algorithm>

namespace outpace::dnc {
namespace {

constexpr uint64_t kRangeBit = uint64_t{1} << 63;

}  // namespace

void DncList::SetEnd(uint64_t key, absl::Time expires, bool is_new) {
  if (expires == absl::InfiniteFuture()) {
    if (!ends_.empty()) ends_.erase(key);
  } else if (is_new) {
    ends_[key] = expires;
  } else if (const auto it = ends_.find(key); it != ends_.end()) {
    it->second = std::max(it->second, expires);  // else it stands for good already
  }
}

void DncList::Add(uint64_t number, absl::Time expires) {
  SetEnd(number, expires, numbers_.Add(number));
}

void DncList::AddMany(absl::Span<const uint64_t> numbers) {
  numbers_.AddMany(numbers);
  if (ends_.empty()) return;
  for (const uint64_t number : numbers) ends_.erase(number);
}

void DncList::AddRange(Prefix prefix, absl::Time expires) {
  const size_t before = ranges_.size();
  ranges_.Add(prefix);
  SetEnd(prefix.digits | kRangeBit, expires, ranges_.size() > before);
}

void DncList::Remove(uint64_t number) {
  numbers_.Remove(number);
  if (!ends_.empty()) ends_.erase(number);
}

void DncList::RemoveRange(Prefix prefix) {
  ranges_.Remove(prefix);
  if (!ends_.empty()) ends_.erase(prefix.digits | kRangeBit);
}

Prefix DncList::RangeOf(uint64_t number, absl::Time now) const {
  // A longer range may have ended while a shorter one stands.
  for (;;) {
    const Prefix found = ranges_.Find(number);
    if (found.digits == 0 || InForce(found.digits | kRangeBit, now)) return found;
    number = found.digits / 10;
  }
}

absl::Time DncList::EndOf(uint64_t number) const {
  const auto it = ends_.find(number);
  return it == ends_.end() ? absl::InfiniteFuture() : it->second;
}

absl::Time DncList::EndOf(Prefix range) const { return EndOf(range.digits | kRangeBit); }

}  // namespace outpace::dnc
