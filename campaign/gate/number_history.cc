#include "campaign/gate/number_history.h"

#include <algorithm>

namespace outpace::gate {
namespace {

// From the highest bit down: 43 of the time (until 2248), 16 of the campaign, 5 of what happened.
constexpr int kCampaignShift = 5;
constexpr int kTimeShift = 21;
constexpr uint64_t kCampaignMask = 0xffff;
constexpr uint64_t kAnswered = 1, kAbandoned = 2, kMachine = 4, kConversation = 8, kRefused = 16;
constexpr uint64_t kFlags = 31;

constexpr int kPrunedMost = 2000;

// Rounded up: no rest ends early for it.
int64_t MillisOf(absl::Time at) { return absl::ToUnixMillis(at + absl::Nanoseconds(999'999)); }
int64_t MillisIn(uint64_t packed) { return static_cast<int64_t>(packed >> kTimeShift); }

rules::PastAttempt Unpack(uint64_t packed) {
  return {.at = absl::FromUnixMillis(MillisIn(packed)),
          .campaign = static_cast<uint32_t>((packed >> kCampaignShift) & kCampaignMask),
          .answered = (packed & kAnswered) != 0,
          .abandoned = (packed & kAbandoned) != 0,
          .machine = (packed & kMachine) != 0,
          .conversation = (packed & kConversation) != 0,
          .refused = (packed & kRefused) != 0};
}

}  // namespace

rules::PastAttempt PastAttemptOf(const campaign::Attempt& record,
                                 const campaign::StatusSet& statuses) {
  rules::PastAttempt out;
  out.at = record.dialed_at;
  out.answered = record.answered_at != absl::InfinitePast();
  out.abandoned = record.abandoned;
  const campaign::Disposition* status = statuses.Find(record.status);
  if (status == nullptr) {
    // Not disposed of yet, or by a status nobody knows: whom an agent heard was spoken with.
    out.conversation = record.connected_at != absl::InfinitePast();
    return out;
  }
  out.machine = out.answered && status->answering_machine;
  out.conversation = record.connected_at != absl::InfinitePast() && status->human_answered;
  out.refused = status->not_interested || status->dnc;
  return out;
}

void NumberHistory::Add(const campaign::Attempt& record, const campaign::StatusSet& statuses) {
  const bool reached = !record.trunk_fault || record.ringing_at != absl::InfinitePast() ||
                       record.answered_at != absl::InfinitePast();
  const uint64_t number = record.dialed.value();
  const int64_t millis = MillisOf(record.dialed_at);
  if (record.inbound || !record.dialed.valid() || millis < 0) return;
  if (!record.sent || !reached) {
    // Its dialing may stand here already.
    const auto known = by_number_.find(number);
    if (known == by_number_.end()) return;
    return Remove(known->second, millis);
  }
  auto [mark, is_new] =
      marks_.try_emplace(record.campaign, static_cast<uint32_t>(campaigns_.size()));
  if (is_new) campaigns_.push_back(record.campaign);
  const rules::PastAttempt attempt = PastAttemptOf(record, statuses);
  const uint64_t flags = (attempt.answered ? kAnswered : 0) | (attempt.abandoned ? kAbandoned : 0) |
                         (attempt.machine ? kMachine : 0) |
                         (attempt.conversation ? kConversation : 0) |
                         (attempt.refused ? kRefused : 0);
  Put(number,
      static_cast<uint64_t>(millis) << kTimeShift |
          (mark->second & kCampaignMask) << kCampaignShift | flags,
      /*newer=*/true);
}

void NumberHistory::Remove(Entries& entries, int64_t millis) {
  entries.erase(std::remove_if(entries.begin(), entries.end(),
                               [millis](Packed packed) { return MillisIn(packed) == millis; }),
                entries.end());
}

void NumberHistory::Put(uint64_t number, Packed packed, bool newer) {
  Entries& entries = by_number_[number];
  for (auto known = entries.rbegin(); known != entries.rend(); ++known) {
    if ((*known & ~kFlags) != (packed & ~kFlags)) continue;
    if (newer) *known = packed;
    return;
  }
  entries.push_back(packed);
  order_.push_back({number, MillisIn(packed)});
}

void NumberHistory::Find(absl::Span<const E164> numbers, Attempts& out) const {
  const size_t before = out.size();
  for (const E164 number : numbers) {
    const auto found = by_number_.find(number.value());
    if (found == by_number_.end()) continue;
    for (auto entry = found->second.rbegin(); entry != found->second.rend(); ++entry) {
      out.push_back(Unpack(*entry));
    }
  }
  const auto newer = [](const rules::PastAttempt& a, const rules::PastAttempt& b) {
    return a.at > b.at;
  };
  const auto begin = out.begin() + static_cast<int64_t>(before);
  if (!std::is_sorted(begin, out.end(), newer)) std::sort(begin, out.end(), newer);
}

uint32_t NumberHistory::MarkOf(const CampaignId& campaign) const {
  const auto mark = marks_.find(campaign);
  // Beyond 16 bits marks begin anew, and two campaigns count as one: the strict side.
  return mark == marks_.end() ? kCampaignMask + 1
                              : static_cast<uint32_t>(mark->second & kCampaignMask);
}

void NumberHistory::Prune(absl::Time now, absl::Duration reach) {
  const int64_t oldest = absl::ToUnixMillis(now - reach - kSlack);
  for (int i = 0; i < kPrunedMost && !order_.empty() && order_.front().millis < oldest; ++i) {
    const Addition gone = order_.front();
    order_.pop_front();
    const auto entries = by_number_.find(gone.number);
    if (entries == by_number_.end()) continue;
    Remove(entries->second, gone.millis);
    if (entries->second.empty()) by_number_.erase(entries);
  }
  from_ = std::max(from_, absl::FromUnixMillis(oldest));
}

void NumberHistory::AddOlder(const NumberHistory& older) {
  for (const Addition& addition : older.order_) {
    const auto entries = older.by_number_.find(addition.number);
    if (entries == older.by_number_.end()) continue;
    for (const Packed packed : entries->second) {
      if (MillisIn(packed) != addition.millis) continue;
      const CampaignId& campaign =
          older.campaigns_[static_cast<size_t>((packed >> kCampaignShift) & kCampaignMask)];
      auto [mark, is_new] = marks_.try_emplace(campaign, static_cast<uint32_t>(campaigns_.size()));
      if (is_new) campaigns_.push_back(campaign);
      Put(addition.number,
          (packed & ~(kCampaignMask << kCampaignShift)) | (mark->second & kCampaignMask)
                                                              << kCampaignShift,
          /*newer=*/false);
    }
  }
  std::sort(order_.begin(), order_.end(),
            [](const Addition& a, const Addition& b) { return a.millis < b.millis; });
  from_ = std::min(from_, older.from_);
}

}  // namespace outpace::gate
