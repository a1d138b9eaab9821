#include "campaign/report/cells.h"

#include <cstdlib>

#include "absl/strings/str_format.h"
#include "campaign/calling_window.h"

namespace outpace::report {

std::string DateCell(absl::Time time, absl::TimeZone zone) {
  return Happened(time) ? absl::FormatTime("%Y-%m-%d %H:%M:%S", time, zone) : "";
}

std::string PhoneCell(E164 phone) { return phone.valid() ? phone.Digits() : ""; }

std::string GmtOffsetCell(const std::vector<std::string>& zones, absl::Time time) {
  if (zones.empty() || !Happened(time)) return "";
  const absl::StatusOr<absl::TimeZone> zone = campaign::FindTimeZone(zones[0]);
  if (!zone.ok()) return "";
  const int quarters = zone->At(time).offset / 900;
  return absl::StrFormat("%s%d.%02d", quarters < 0 ? "-" : "", std::abs(quarters) / 4,
                         std::abs(quarters) % 4 * 25);
}

}  // namespace outpace::report
