// Calling windows in the called party's own time. A window is local minutes of a local day, so
// every question is asked in civil time and answered through the zone: what counts is what the
// person's clock on the wall shows, also on the two days a year when it is moved.

#include "campaign/calling_window.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace outpace::campaign {
namespace {

constexpr absl::string_view kZoneNames[] = {
#include "campaign/zone_name_table.inc"
};

constexpr std::array<absl::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu",
                                                    "Fri", "Sat", "Sun"};
constexpr uint8_t kEveryDay = 0x7f;

absl::Status BadWindow(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(
      "calling window: ", what,
      "; write \"09:00-21:00\", \"24hours\" or \"Mon-Fri 09:00-18:00\" (local time of the lead)"));
}

int DayIndex(absl::string_view name) {
  for (size_t i = 0; i < kDays.size(); ++i) {
    if (absl::EqualsIgnoreCase(name, kDays[i])) return static_cast<int>(i);
  }
  return -1;
}

// "Mon-Fri", "Mon,Wed,Sat", "Sat-Mon" (round the end of the week). 0 if it makes no sense.
uint8_t ParseDays(absl::string_view text) {
  unsigned mask = 0;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    const std::pair<absl::string_view, absl::string_view> range =
        absl::StrSplit(part, absl::MaxSplits('-', 1));
    const int first = DayIndex(range.first);
    const int last =
        range.second.empty() && range.first.size() == part.size() ? first : DayIndex(range.second);
    if (first < 0 || last < 0) return 0;
    for (int day = first;; day = (day + 1) % 7) {
      mask |= 1u << day;
      if (day == last) break;
    }
  }
  return static_cast<uint8_t>(mask);
}

// "09:00" to minutes since midnight, 0..1440; -1 if it is none.
int ParseMinute(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(':', 1));
  int hour = 0, minute = 0;
  if (parts.first.empty() || parts.first.size() > 2 || parts.second.size() != 2 ||
      !absl::SimpleAtoi(parts.first, &hour) || !absl::SimpleAtoi(parts.second, &minute)) {
    return -1;
  }
  if (hour < 0 || minute < 0 || minute > 59) return -1;
  const int total = hour * 60 + minute;
  return total <= 1440 ? total : -1;
}

}  // namespace

absl::StatusOr<CallingWindow> CallingWindow::Parse(absl::string_view text) {
  CallingWindow window;
  text = absl::StripAsciiWhitespace(text);
  if (text.empty()) return BadWindow("empty");
  const size_t blank = text.find_last_of(" \t");
  absl::string_view hours = text;
  if (blank != absl::string_view::npos) {
    window.weekdays = ParseDays(absl::StripAsciiWhitespace(text.substr(0, blank)));
    if (window.weekdays == 0) return BadWindow("days are Mon Tue Wed Thu Fri Sat Sun");
    hours = text.substr(blank + 1);
  }
  if (absl::EqualsIgnoreCase(hours, "24hours")) {
    window.start_minute = 0;
    window.end_minute = 1440;
    return window;
  }
  const std::pair<absl::string_view, absl::string_view> ends =
      absl::StrSplit(hours, absl::MaxSplits('-', 1));
  window.start_minute = ParseMinute(ends.first);
  window.end_minute = ParseMinute(ends.second);
  if (window.start_minute < 0 || window.end_minute < 0) {
    return BadWindow("hours run from 00:00 to 24:00");
  }
  if (window.end_minute <= window.start_minute) return BadWindow("it must end after it starts");
  return window;
}

std::string CallingWindow::ToString() const {
  std::string out;
  if (weekdays != kEveryDay) {
    // A run of days is written as one range, anything else as a list; Parse reads both.
    int first = -1, last = -1, count = 0;
    for (int day = 0; day < 7; ++day) {
      if ((weekdays >> day & 1) == 0) continue;
      if (first < 0) first = day;
      last = day;
      ++count;
    }
    if (count > 1 && last - first + 1 == count) {
      absl::StrAppend(&out, kDays[static_cast<size_t>(first)], "-",
                      kDays[static_cast<size_t>(last)]);
    } else {
      for (int day = 0; day < 7; ++day) {
        if ((weekdays >> day & 1) == 0) continue;
        absl::StrAppend(&out, out.empty() ? "" : ",", kDays[static_cast<size_t>(day)]);
      }
    }
    out += ' ';
  }
  if (start_minute == 0 && end_minute == 1440) return out + "24hours";
  absl::StrAppendFormat(&out, "%02d:%02d-%02d:%02d", start_minute / 60, start_minute % 60,
                        end_minute / 60, end_minute % 60);
  return out;
}

bool CallingWindow::Contains(absl::Time now, absl::TimeZone zone) const {
  const absl::CivilSecond local = zone.At(now).cs;
  const int minute = local.hour() * 60 + local.minute();
  if (minute < start_minute || minute >= end_minute) return false;
  const auto weekday = static_cast<int>(absl::GetWeekday(local));  // Monday is 0
  return (weekdays >> weekday & 1) != 0;
}

bool CallingWindow::ContainsInAll(absl::Time now, const std::vector<absl::TimeZone>& zones) const {
  // No zone at all means "not known", and what is not known is not allowed.
  return !zones.empty() && std::all_of(zones.begin(), zones.end(), [&](const absl::TimeZone& zone) {
    return Contains(now, zone);
  });
}

absl::Time CallingWindow::NextOpen(absl::Time now, const std::vector<absl::TimeZone>& zones) const {
  if (ContainsInAll(now, zones)) return now;
  if (zones.empty()) return absl::InfiniteFuture();
  // A window can open only when some zone's local clock reaches its start (or, with 24 hours and
  // single days, midnight), or where a change of the clocks jumps into it. So those instants are
  // the candidates, in order; a jump over `start` is what TimeInfo::trans gives.
  std::vector<absl::Time> candidates;
  const absl::Time limit = now + absl::Hours(24 * 8);
  for (const absl::TimeZone& zone : zones) {
    const absl::CivilDay today(zone.At(now).cs);
    for (int day = 0; day <= 8; ++day) {
      const absl::CivilSecond start = absl::CivilSecond(today + day) + int64_t{start_minute} * 60;
      const absl::TimeZone::TimeInfo info = zone.At(start);
      candidates.push_back(info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre);
      if (info.kind == absl::TimeZone::TimeInfo::REPEATED) candidates.push_back(info.post);
    }
    absl::TimeZone::CivilTransition change;
    for (absl::Time t = now; zone.NextTransition(t, &change);) {
      t = zone.At(change.from).trans;
      if (t > limit) break;
      candidates.push_back(t);
    }
  }
  std::sort(candidates.begin(), candidates.end());
  for (absl::Time candidate : candidates) {
    if (candidate >= now && candidate <= limit && ContainsInAll(candidate, zones)) {
      return candidate;
    }
  }
  return absl::InfiniteFuture();
}

absl::StatusOr<absl::TimeZone> FindTimeZone(absl::string_view iana_name) {
  // A zone's name is a path below the zone directory: only names of our own list are opened.
  static const auto& places = *new const absl::flat_hash_map<absl::string_view, size_t>([] {
    absl::flat_hash_map<absl::string_view, size_t> out;
    for (size_t i = 0; i < std::size(kZoneNames); ++i) out[kZoneNames[i]] = i;
    return out;
  }());
  const auto known = places.find(iana_name);
  if (known == places.end()) {
    return absl::InvalidArgumentError(
        "time zone: not in the IANA list; write it like \"America/New_York\"");
  }
  // One slot a name, filled once and never freed: a hit takes no lock, since the gate asks on the
  // way to every call. Two threads that load the same zone at once both get the same value.
  static std::array<std::atomic<const absl::TimeZone*>, std::size(kZoneNames)> cache{};
  std::atomic<const absl::TimeZone*>& slot = cache[known->second];
  if (const absl::TimeZone* zone = slot.load(std::memory_order_acquire)) return *zone;
  auto loaded = std::make_unique<absl::TimeZone>();
  if (!absl::LoadTimeZone(std::string(iana_name), loaded.get())) {
    return absl::InvalidArgumentError(
        absl::StrCat("time zone: ", iana_name, " is not installed; install the package tzdata"));
  }
  const absl::TimeZone* expected = nullptr;
  const absl::TimeZone zone = *loaded;
  if (slot.compare_exchange_strong(expected, loaded.get(), std::memory_order_acq_rel)) {
    loaded.release();
  }
  return zone;
}

}  // namespace outpace::campaign
