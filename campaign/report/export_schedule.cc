#include "campaign/report/export_schedule.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "campaign/calling_window.h"

namespace outpace::report {
namespace {

constexpr absl::Duration kRetries[] = {absl::Minutes(1), absl::Minutes(5), absl::Minutes(30)};

absl::Status Wrong(absl::string_view setting, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(setting, ": ", why));
}

bool AllOf(absl::string_view text, absl::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains(others, c);
  });
}

// "06:30" as minutes; -1: it is none.
int MinuteOf(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, ':');
  int hour = 0, minute = 0;
  // SimpleAtoi takes signs and spaces too.
  if (text.size() != 5 || parts.first.size() != 2 || !AllOf(text, ":") ||
      !absl::SimpleAtoi(parts.first, &hour) || !absl::SimpleAtoi(parts.second, &minute) ||
      hour < 0 || hour > 23 || minute < 0 || minute > 59) {
    return -1;
  }
  return hour * 60 + minute;
}

// Whether plain HTTP cannot be overheard: to this machine itself.
bool IsLoopback(absl::string_view host) {
  return host == "localhost" || absl::StartsWith(host, "127.") || host == "[::1]";
}

// The rest of a URL behind "scheme://". Nothing that needs quoting comes in: commands of SFTP take
// the path as it stands.
absl::Status CheckUrl(absl::string_view rest, bool user_wanted) {
  const auto [authority, path] = std::pair<absl::string_view, absl::string_view>(
      absl::StrSplit(rest, absl::MaxSplits('/', 1)));
  const size_t at = authority.rfind('@');
  if (at != absl::string_view::npos) {
    if (absl::StrContains(authority.substr(0, at), ':')) {
      return Wrong("to",
                   "has a password in it; write user:password into a file that only you may "
                   "read and name that: credentials=/etc/outpace/sftp.txt");
    }
    if (!user_wanted) {
      return Wrong("to", "has a user in it; that belongs into the file of credentials");
    }
  } else if (user_wanted) {
    return Wrong("to", "write the user: sftp://user@host/directory/");
  }
  const absl::string_view host =
      at == absl::string_view::npos ? authority : authority.substr(at + 1);
  if (host.empty() || !AllOf(authority, "@.-_:[]")) {
    return Wrong("to", "is no URL; write sftp://user@host/directory/ or https://host/directory/");
  }
  if (!AllOf(path, "/.-_") || absl::StrContains(absl::StrCat("/", path, "/"), "/../")) {
    return Wrong("to",
                 "the directory may have A-Z a-z 0-9 . _ - and / only, from the server's root");
  }
  return absl::OkStatus();
}

absl::Status CheckTarget(const ExportSchedule& schedule) {
  absl::string_view rest = schedule.to;
  if (absl::ConsumePrefix(&rest, "sftp://")) {
    if (absl::Status s = CheckUrl(rest, true); !s.ok()) return s;
    if (schedule.credentials.empty()) {
      return Wrong("credentials", "SFTP needs the path of a file: user:password, or a private key");
    }
    if (schedule.known_hosts.empty()) {
      return Wrong(
          "known_hosts",
          "SFTP needs the path of a file with the server's key (ssh-keyscan HOST, compared "
          "with what its operator says)");
    }
  } else if (absl::ConsumePrefix(&rest, "https://")) {
    return CheckUrl(rest, false);
  } else if (absl::ConsumePrefix(&rest, "http://")) {
    if (absl::Status s = CheckUrl(rest, false); !s.ok()) return s;
    const absl::string_view authority = rest.substr(0, rest.find('/'));
    const absl::string_view host = absl::StartsWith(authority, "[")
                                       ? authority.substr(0, authority.find(']') + 1)
                                       : authority.substr(0, authority.find(':'));
    if (!IsLoopback(host)) return Wrong("to", "http is for this machine only; write https://");
  } else if (!absl::StartsWith(schedule.to, "/") || absl::StrContains(schedule.to, "://")) {
    return Wrong("to",
                 "write a directory (/srv/exports), sftp://user@host/directory/ or "
                 "https://host/directory/");
  } else if (!schedule.credentials.empty()) {
    return Wrong("credentials", "a directory needs none");
  }
  if (schedule.target() != ExportSchedule::Target::kSftp && !schedule.known_hosts.empty()) {
    return Wrong("known_hosts", "is for SFTP only");
  }
  for (const auto& [setting, path] : {std::pair("credentials", &schedule.credentials),
                                      std::pair("known_hosts", &schedule.known_hosts)}) {
    if (!path->empty() && !absl::StartsWith(*path, "/")) {
      return Wrong(setting, "write the whole path, from /");
    }
  }
  return absl::OkStatus();
}

}  // namespace

ExportSchedule::Target ExportSchedule::target() const {
  if (absl::StartsWith(to, "sftp://")) return Target::kSftp;
  return absl::StartsWith(to, "/") ? Target::kDirectory : Target::kHttp;
}

std::map<std::string, std::string> ExportSchedule::ToMap() const {
  std::map<std::string, std::string> map = {
      {"what", what},
      {"layout", layout},
      {"format", format},
      {"campaign", campaign},
      {"at", absl::StrFormat("%02d:%02d", at_minute / 60, at_minute % 60)},
      {"zone", zone},
      {"day", today ? "today" : "yesterday"},
      {"to", to},
      {"credentials", credentials},
      {"known_hosts", known_hosts},
      {"file", file}};
  std::erase_if(map, [](const auto& setting) { return setting.second.empty(); });
  return map;
}

std::string ExportSchedule::FileName(absl::CivilDay day) const {
  return absl::StrReplaceAll(file, {{"{name}", name},
                                    {"{campaign}", campaign.empty() ? "all" : campaign},
                                    {"{day}", absl::FormatCivilTime(day)}});
}

absl::CivilDay ExportSchedule::DayOf(absl::Time due) const {
  const absl::TimeZone local = campaign::FindTimeZone(zone).value_or(absl::UTCTimeZone());
  return absl::ToCivilDay(due, local) - (today ? 0 : 1);
}

absl::StatusOr<ExportSchedule> ParseExportSchedule(
    absl::string_view name, const std::map<std::string, std::string>& settings) {
  ExportSchedule schedule;
  if (name.empty() || name.size() > 40 || !AllOf(name, "_-")) {
    return Wrong("name", "1 to 40 of A-Z a-z 0-9 _ -");
  }
  schedule.name = std::string(name);
  std::string at, day = "yesterday", file;
  const std::map<std::string, std::string*> kinds = {{"what", &schedule.what},
                                                     {"layout", &schedule.layout},
                                                     {"format", &schedule.format},
                                                     {"campaign", &schedule.campaign},
                                                     {"at", &at},
                                                     {"zone", &schedule.zone},
                                                     {"day", &day},
                                                     {"to", &schedule.to},
                                                     {"credentials", &schedule.credentials},
                                                     {"known_hosts", &schedule.known_hosts},
                                                     {"file", &file}};
  for (const auto& [setting, value] : settings) {
    const auto kind = kinds.find(setting);
    if (kind == kinds.end()) {
      return Wrong(setting.substr(0, 40),
                   "there is no such setting; what, at, to, zone, day, file, layout, format, "
                   "campaign, credentials, known_hosts");
    }
    *kind->second = value;
  }
  if (schedule.what != "calls" && schedule.what != "abandons" && schedule.what != "agents" &&
      schedule.what != "leads") {
    return Wrong("what", "calls, abandons, agents or leads");
  }
  if (schedule.what == "leads" && !schedule.format.empty()) {
    return Wrong("format", "lists of leads have one form, which the layout says");
  }
  schedule.at_minute = MinuteOf(at);
  if (schedule.at_minute < 0) return Wrong("at", "write the time of the run as 06:30");
  if (const auto zone = campaign::FindTimeZone(schedule.zone); !zone.ok()) return zone.status();
  if (day != "today" && day != "yesterday") return Wrong("day", "yesterday or today");
  schedule.today = day == "today";
  if (schedule.to.empty()) return Wrong("to", "is missing: a directory, sftp:// or https://");
  if (absl::Status s = CheckTarget(schedule); !s.ok()) return s;
  if (!file.empty()) {
    schedule.file = file;
  } else if (schedule.format == "jsonl" || schedule.format == "xlsx") {
    schedule.file = absl::StrCat("{name}-{day}.", schedule.format);
  }
  const std::string example = schedule.FileName(absl::CivilDay(2026, 1, 1));
  if (example.empty() || example.size() > 200 || example[0] == '.' || !AllOf(example, "._-")) {
    return Wrong("file", "may have A-Z a-z 0-9 . _ - and {name}, {campaign}, {day}");
  }
  return schedule;
}

absl::Time NextRun(const ExportSchedule& schedule, absl::Time last, absl::Time now) {
  const absl::TimeZone zone = campaign::FindTimeZone(schedule.zone).value_or(absl::UTCTimeZone());
  const auto due_on = [&](absl::CivilDay day) {
    // FromCivil: the first of two such times; of one that is left out, the instant of the change.
    return absl::FromCivil(absl::CivilMinute(day) + schedule.at_minute, zone);
  };
  // A zone that crosses the date line leaves a day out: hence by instants, not by counting days.
  absl::CivilDay day = absl::ToCivilDay(now, zone) + 1;
  while (due_on(day) > now) --day;
  if (due_on(day) > last) return due_on(day);
  while (due_on(day) <= std::max(last, now)) ++day;
  return due_on(day);
}

std::optional<absl::Time> RunNow(const ExportSchedule& schedule, const ScheduleProgress& progress,
                                 absl::Time now) {
  const absl::Time next = NextRun(schedule, std::max(progress.last, progress.due), now);
  if (next <= now) return next;
  if (progress.failures > 0 && progress.retry_at <= now) return progress.due;
  return std::nullopt;
}

void NoteRun(absl::Time due, bool delivered, absl::Time now, ScheduleProgress& progress) {
  const int failures = delivered ? 0 : (due == progress.due ? progress.failures : 0) + 1;
  if (failures == 0 || failures > static_cast<int>(std::size(kRetries))) {
    progress = {.last = due};
    return;
  }
  progress.due = due;
  progress.failures = failures;
  progress.retry_at = now + kRetries[failures - 1];
}

}  // namespace outpace::report
