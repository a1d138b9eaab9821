#include "campaign/report/cells.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_format.h"
#include "campaign/calling_window.h"

namespace outpace::report {
namespace {

constexpr int64_t kMicros = 1'000'000;

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

void TwoDigits(int64_t value, char* at) {
  at[0] = static_cast<char>('0' + value / 10);
  at[1] = static_cast<char>('0' + value % 10);
}

std::string OffsetText(const absl::TimeZone& zone, absl::Time time) {
  const int quarters = zone.At(time).offset / 900;
  return absl::StrFormat("%s%d.%02d", quarters < 0 ? "-" : "", std::abs(quarters) / 4,
                         std::abs(quarters) % 4 * 25);
}

}  // namespace

std::string DateCell(absl::Time time, absl::TimeZone zone) {
  return Happened(time) ? absl::FormatTime("%Y-%m-%d %H:%M:%S", time, zone) : "";
}

std::string PhoneCell(E164 phone) { return phone.valid() ? phone.Digits() : ""; }

std::string GmtOffsetCell(const std::vector<std::string>& zones, absl::Time time) {
  if (zones.empty() || !Happened(time)) return "";
  const absl::StatusOr<absl::TimeZone> zone = campaign::FindTimeZone(zones[0]);
  return zone.ok() ? OffsetText(*zone, time) : "";
}

void AppendNumber(int64_t value, std::string& to) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  to.append(text, end);
}

void AppendMillis(int64_t micros, std::string& to) {
  if (Happened(micros)) AppendNumber(FloorDiv(micros, 1000), to);
}

int64_t MillisBetween(int64_t from, int64_t to) {
  if (!Happened(from) || !Happened(to)) return -1;
  return std::max<int64_t>(0, FloorDiv(to, 1000) - FloorDiv(from, 1000));
}

void AppendSeconds(int64_t ms, std::string& to) {
  if (ms < 0) return;
  AppendNumber(ms / 1000, to);
  char rest[4] = {'.', '0', '0', '0'};
  rest[1] = static_cast<char>('0' + ms % 1000 / 100);
  TwoDigits(ms % 100, rest + 2);
  to.append(rest, sizeof(rest));
}

void AppendClock(int64_t ms, std::string& to) {
  if (ms < 0) return;
  const int64_t seconds = ms / 1000;
  if (seconds < 36'000) to.push_back('0');
  AppendNumber(seconds / 3600, to);
  char rest[6] = {':', '0', '0', ':', '0', '0'};
  TwoDigits(seconds / 60 % 60, rest + 1);
  TwoDigits(seconds % 60, rest + 4);
  to.append(rest, sizeof(rest));
}

bool DateCells::Find(int64_t seconds) {
  const int64_t quarter = FloorDiv(seconds, 900);
  if (quarter == quarter_) return true;
  const absl::TimeZone::CivilInfo begin = zone_.At(absl::FromUnixSeconds(quarter * 900));
  const absl::TimeZone::CivilInfo end = zone_.At(absl::FromUnixSeconds(quarter * 900 + 899));
  // Offsets with odd minutes are of long ago, and so are changes inside a quarter.
  if (begin.offset != end.offset || begin.offset % 900 != 0) return false;
  if (begin.cs.year() < 1000 || begin.cs.year() > 9999) return false;
  quarter_ = quarter;
  hour_ = begin.cs.hour();
  minute_ = begin.cs.minute();
  const auto year = static_cast<int64_t>(begin.cs.year());
  TwoDigits(year / 100, day_);
  TwoDigits(year % 100, day_ + 2);
  day_[4] = day_[7] = '-';
  TwoDigits(begin.cs.month(), day_ + 5);
  TwoDigits(begin.cs.day(), day_ + 8);
  day_[10] = ' ';
  return true;
}

void DateCells::Append(int64_t micros, std::string& to) {
  if (!Happened(micros)) return;
  const int64_t seconds = FloorDiv(micros, kMicros);
  if (!Find(seconds)) {
    to.append(DateCell(absl::FromUnixSeconds(seconds), zone_));
    return;
  }
  const int64_t inside = seconds - quarter_ * 900;
  char text[19];
  std::copy_n(day_, 11, text);
  TwoDigits(hour_, text + 11);
  text[13] = ':';
  TwoDigits(minute_ + inside / 60, text + 14);
  text[16] = ':';
  TwoDigits(inside % 60, text + 17);
  to.append(text, sizeof(text));
}

int DateCells::Hour(int64_t micros) {
  if (!Happened(micros)) return -1;
  const int64_t seconds = FloorDiv(micros, kMicros);
  return Find(seconds) ? hour_ : zone_.At(absl::FromUnixSeconds(seconds)).cs.hour();
}

GmtOffsetCells::Zone* GmtOffsetCells::Find(const std::vector<std::string>& zones) {
  if (zones.empty()) return nullptr;
  std::unique_ptr<Zone>& zone = zones_[zones[0]];
  if (zone == nullptr) {
    zone = std::make_unique<Zone>();
    const absl::StatusOr<absl::TimeZone> found = campaign::FindTimeZone(zones[0]);
    if (found.ok()) {
      zone->known = true;
      zone->zone = *found;
    }
  }
  return zone.get();
}

void GmtOffsetCells::Append(Zone* zone, int64_t micros, std::string& to) {
  if (zone == nullptr || !zone->known || !Happened(micros)) return;
  // Offsets change at full quarters of an hour at most.
  const int64_t quarter = FloorDiv(micros, 900 * kMicros);
  if (quarter != zone->quarter) {
    zone->quarter = quarter;
    zone->text = OffsetText(zone->zone, absl::FromUnixMicros(micros));
  }
  to.append(zone->text);
}

}  // namespace outpace::report
