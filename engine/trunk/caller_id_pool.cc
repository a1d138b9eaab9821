#include "engine/trunk/caller_id_pool.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/base/check.h"

namespace outpace::trunk {
namespace {

// Campaigns' own numbers that one trunk keeps count of.
constexpr size_t kForeignMax = 4096;
// Digits behind the country code that still name a place rather than a subscriber.
constexpr int kAreaDigitsMax = 5;

int DigitsOf(uint64_t value) {
  int digits = 0;
  for (; value > 0; value /= 10) ++digits;
  return digits;
}

uint64_t Head(E164 number, int digits) {
  uint64_t value = number.value();
  for (int n = DigitsOf(value); n > digits; --n) value /= 10;
  return value;
}

// How many leading digits may name an area: from the whole country code to the longest area.
// In the North American plan an area code is three digits or nothing: 415 and 416 are Californian
// and Canadian, and a shared exchange (NXX) would only look like a forged neighbour.
struct AreaLengths {
  int longest;
  int shortest;
};
AreaLengths AreaLengthsOf(E164 number) {
  const int country = CountryCodeLength(number);
  if (Head(number, 1) == 1) return {4, 1};
  return {country + kAreaDigitsMax, country};
}

uint64_t AreaKey(E164 number, int digits) {
  return static_cast<uint64_t>(digits) << 56 | Head(number, digits);
}
// In the North American plan only the area code and the country count.
bool IsAreaLength(E164 number, int digits) {
  return Head(number, 1) != 1 || digits == 1 || digits == 4;
}

}  // namespace

int CountryCodeLength(E164 number) {
  const uint64_t two = Head(number, 2);
  if (two / 10 == 1 || two / 10 == 7) return 1;
  // The zones' two-digit codes; all else has three digits.
  constexpr uint64_t kTwoDigits[] = {20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46,
                                     47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60, 61, 62, 63,
                                     64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98};
  return std::binary_search(std::begin(kTwoDigits), std::end(kTwoDigits), two) ? 2 : 3;
}

absl::string_view NoCallerIdName(NoCallerId why) {
  switch (why) {
    case NoCallerId::kNone:
      return "none";
    case NoCallerId::kEmpty:
      return "empty";
    case NoCallerId::kDailyCap:
      return "daily_cap";
    case NoCallerId::kResting:
      return "resting";
  }
  return "none";
}

absl::Status CheckCallerIdPool(const CallerIdPool& pool) {
  std::vector<std::string> faults;
  if (pool.calls_per_day < 0)
    faults.push_back("caller IDs: calls a day must be 0 (no cap) or more");
  if (pool.rest < absl::ZeroDuration() || pool.rest > absl::Hours(24)) {
    faults.push_back("caller IDs: the rest must be 0 to 24 hours");
  }
  for (size_t i = 0; i < pool.numbers.size(); ++i) {
    if (!pool.numbers[i].number.valid()) {
      faults.push_back(absl::StrCat("caller IDs: number ", i + 1, " is none"));
    }
  }
  if (faults.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(faults, "\n"));
}

CallerIdRota::CallerIdRota(CallerIdPool pool) : pool_(std::move(pool)) {
  OUTPACE_CHECK(CheckCallerIdPool(pool_).ok());
  for (const CallerId& id : pool_.numbers) {
    if (index_.contains(id.number.value())) continue;
    const uint32_t index = IndexOf(id);
    all_.members.push_back(index);
    if (pool_.choice != CallerIdChoice::kLocal) continue;
    const AreaLengths lengths = AreaLengthsOf(id.number);
    for (int digits = lengths.shortest; digits <= lengths.longest; ++digits) {
      if (IsAreaLength(id.number, digits)) {
        areas_[AreaKey(id.number, digits)].members.push_back(index);
      }
    }
  }
}

uint32_t CallerIdRota::IndexOf(CallerId id) {
  const auto [at, fresh] = index_.emplace(id.number.value(), static_cast<uint32_t>(uses_.size()));
  if (fresh) {
    Use use;
    use.id = id;
    uses_.push_back(use);
  }
  return at->second;
}

void CallerIdRota::StartDay(int64_t day) {
  if (day == day_) return;
  day_ = day;
  for (Use& use : uses_) use.calls = 0;
  all_.exhausted = false;
  all_.none_before = MonoTime();
  for (auto& [key, area] : areas_) {
    area.exhausted = false;
    area.none_before = MonoTime();
  }
}

bool CallerIdRota::Rested(const Use& use, MonoTime now) const {
  return !use.used || now - use.last >= pool_.rest;
}

int64_t CallerIdRota::NextOf(Area& area, MonoTime now, CallerIdTaken& taken) {
  if (area.members.empty()) {
    taken.why = NoCallerId::kEmpty;
    return -1;
  }
  if (!area.exhausted && now >= area.none_before) {
    MonoTime first_free;
    bool some_rest = false;
    for (size_t tried = 0; tried < area.members.size(); ++tried) {
      const uint32_t index = area.members[area.next];
      area.next = (area.next + 1) % static_cast<uint32_t>(area.members.size());
      const Use& use = uses_[index];
      if (Capped(use)) continue;
      if (Rested(use, now)) return index;
      const MonoTime free = use.last + pool_.rest;
      if (!some_rest || free < first_free) first_free = free;
      some_rest = true;
    }
    area.exhausted = !some_rest;
    if (some_rest) area.none_before = first_free;
  }
  taken.why = area.exhausted ? NoCallerId::kDailyCap : NoCallerId::kResting;
  taken.wait = area.exhausted ? absl::ZeroDuration() : area.none_before - now;
  return -1;
}

CallerIdTaken CallerIdRota::TakeIndex(uint32_t index, MonoTime now) {
  Use& use = uses_[index];
  CallerIdTaken taken;
  if (Capped(use)) {
    taken.why = NoCallerId::kDailyCap;
    return taken;
  }
  if (!Rested(use, now)) {
    taken.why = NoCallerId::kResting;
    taken.wait = use.last + pool_.rest - now;
    return taken;
  }
  taken.id = use.id;
  taken.index = index;
  taken.used_before = use.used ? use.last : MonoTime();
  ++use.calls;
  use.last = now;
  use.used = true;
  return taken;
}

CallerIdTaken CallerIdRota::Take(E164 dialed, E164 campaign_cid, MonoTime now, int64_t day) {
  StartDay(day);
  const bool own =
      campaign_cid.valid() && (pool_.choice == CallerIdChoice::kFixed || all_.members.empty());
  if (own) {
    const bool known = index_.contains(campaign_cid.value());
    // Beyond what we keep count of (4,096 campaigns on one trunk) a cap could not be held.
    if (!known && uses_.size() >= all_.members.size() + kForeignMax) {
      CallerIdTaken refused;
      refused.why = NoCallerId::kDailyCap;
      return refused;
    }
    return TakeIndex(IndexOf({.number = campaign_cid, .owned = false}), now);
  }
  CallerIdTaken taken;
  if (all_.members.empty()) {
    taken.why = NoCallerId::kEmpty;
    return taken;
  }
  if (pool_.choice == CallerIdChoice::kFixed) return TakeIndex(all_.members.front(), now);
  if (pool_.choice == CallerIdChoice::kLocal && dialed.valid()) {
    const AreaLengths lengths = AreaLengthsOf(dialed);
    for (int digits = lengths.longest; digits >= lengths.shortest; --digits) {
      if (!IsAreaLength(dialed, digits)) continue;
      const auto area = areas_.find(AreaKey(dialed, digits));
      if (area == areas_.end()) continue;
      const int64_t index = NextOf(area->second, now, taken);
      if (index >= 0) return TakeIndex(static_cast<uint32_t>(index), now);
    }
  }
  const int64_t index = NextOf(all_, now, taken);
  if (index >= 0) return TakeIndex(static_cast<uint32_t>(index), now);
  return taken;
}

void CallerIdRota::GiveBack(const CallerIdTaken& taken) {
  if (taken.why != NoCallerId::kNone) return;  // the call had none
  OUTPACE_CHECK(taken.index < uses_.size());
  Use& use = uses_[taken.index];
  if (use.calls > 0) --use.calls;  // a day may have begun since
  use.last = taken.used_before;
  use.used = taken.used_before != MonoTime();
  // It may be free again, whatever its areas were last told.
  const auto reopen = [](Area& area) {
    area.exhausted = false;
    area.none_before = MonoTime();
  };
  reopen(all_);
  const AreaLengths lengths = AreaLengthsOf(use.id.number);
  for (int digits = lengths.shortest; digits <= lengths.longest; ++digits) {
    const auto area = areas_.find(AreaKey(use.id.number, digits));
    if (area != areas_.end()) reopen(area->second);
  }
}

int CallerIdRota::CallsToday(E164 number) const {
  const auto found = index_.find(number.value());
  return found == index_.end() ? 0 : uses_[found->second].calls;
}

int CallerIdRota::NumbersLeft() const {
  return static_cast<int>(std::count_if(all_.members.begin(), all_.members.end(),
                                        [this](uint32_t i) { return !Capped(uses_[i]); }));
}

// "1;<day>;<number>:<calls>:<milliseconds of rest left>,..."
std::string CallerIdRota::Save(MonoTime now) const {
  std::string text = absl::StrCat("1;", day_, ";");
  bool first = true;
  for (const Use& use : uses_) {
    const absl::Duration rest =
        Rested(use, now) ? absl::ZeroDuration() : use.last + pool_.rest - now;
    const int64_t rest_ms = absl::ToInt64Milliseconds(absl::Ceil(rest, absl::Milliseconds(1)));
    if (use.calls == 0 && rest_ms == 0) continue;
    absl::StrAppend(&text, first ? "" : ",", use.id.number.value(), ":", use.calls, ":", rest_ms);
    first = false;
  }
  return text;
}

absl::Status CallerIdRota::Restore(absl::string_view text, MonoTime now, int64_t day) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ';');
  int64_t day_saved = 0;
  if (parts.size() != 3 || parts[0] != "1" || !absl::SimpleAtoi(parts[1], &day_saved)) {
    return absl::InvalidArgumentError("caller IDs: the counts are not in a form we know");
  }
  struct Entry {
    E164 number{};
    int calls = 0;
    int64_t rest_ms = 0;
  };
  std::vector<Entry> entries;
  for (absl::string_view part : absl::StrSplit(parts[2], ',', absl::SkipEmpty())) {
    const std::vector<absl::string_view> fields = absl::StrSplit(part, ':');
    Entry entry;
    uint64_t value = 0;
    if (fields.size() != 3 || !absl::SimpleAtoi(fields[0], &value) ||
        !absl::SimpleAtoi(fields[1], &entry.calls) ||
        !absl::SimpleAtoi(fields[2], &entry.rest_ms) || DigitsOf(value) < 8 ||
        DigitsOf(value) > 15 || entry.calls < 0 || entry.rest_ms < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("caller IDs: entry ", entries.size() + 1, " of the counts is damaged"));
    }
    entry.number = E164(value);
    entries.push_back(entry);
  }
  StartDay(day);
  for (const Entry& entry : entries) {
    // What is neither of the pool nor new to it has left the configuration, or is a campaign's own.
    if (!index_.contains(entry.number.value()) &&
        uses_.size() >= all_.members.size() + kForeignMax) {
      continue;
    }
    Use& use = uses_[IndexOf({.number = entry.number, .owned = false})];
    if (day_saved == day) use.calls = entry.calls;
    const absl::Duration rest = std::min(absl::Milliseconds(entry.rest_ms), pool_.rest);
    if (rest > absl::ZeroDuration()) {
      use.used = true;
      use.last = now + (rest - pool_.rest);  // before `now`: rested after what was left
    }
  }
  return absl::OkStatus();
}

}  // namespace outpace::trunk
