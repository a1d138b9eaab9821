// Exports on a schedule: their table, and running what is due.

#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "campaign/calling_window.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/export_delivery.h"
#include "engine/runtime/export_file.h"
#include "engine/runtime/stored_schedules.h"

namespace outpace::runtime {
namespace {

using report::ExportSchedule;

absl::Status NoSuch(const std::string& name) {
  return absl::NotFoundError(absl::StrCat("no schedule is named '", name.substr(0, 60),
                                          "'; see: outpace export schedule list"));
}

absl::StatusOr<ExportOrder> OrderOf(const ExportSchedule& schedule, absl::CivilDay day,
                                    const std::string& path, const campaign::LeadStore& store,
                                    const Clock& clock) {
  Json arguments = {{"zone", schedule.zone}, {"day", absl::FormatCivilTime(day)}};
  if (!schedule.campaign.empty()) arguments["campaign"] = schedule.campaign;
  if (!schedule.layout.empty()) arguments["layout"] = schedule.layout;
  if (!schedule.format.empty()) arguments["format"] = schedule.format;
  return ReadExportOrder(schedule.what, arguments, path, store, clock);
}

std::string InWords(const ExportSchedule& schedule) {
  return absl::StrFormat("%s of %s at %02d:%02d %s to %s", schedule.what,
                         schedule.today ? "the day" : "the day before", schedule.at_minute / 60,
                         schedule.at_minute % 60, schedule.zone, schedule.to);
}

absl::TimeZone ZoneOf(const ExportSchedule& schedule) {
  return campaign::FindTimeZone(schedule.zone).value_or(absl::UTCTimeZone());
}

// A directory of its own, below `parent` or the system's for temporary files.
absl::StatusOr<std::string> NewDirectory(const std::string& parent) {
  std::error_code error;
  const std::string above =
      parent.empty() ? std::filesystem::temp_directory_path(error).string() : parent;
  if (!error) std::filesystem::create_directories(above, error);
  std::string path = above + "/outpace-export-XXXXXX";
  if (error || ::mkdtemp(path.data()) == nullptr) {
    return absl::UnavailableError(absl::StrCat("cannot make a directory in ", above));
  }
  return path;
}

}  // namespace

absl::StatusOr<Json> Admin::Impl::RunSchedule(const ExportSchedule& schedule, absl::CivilDay day) {
  auto sink = MakeExportSink(schedule, hooks.stopping);
  if (!sink.ok()) return sink.status();
  auto directory = NewDirectory(hooks.spool);
  if (!directory.ok()) return directory.status();
  const auto remove = absl::MakeCleanup([&directory] {
    std::error_code ignored;
    std::filesystem::remove_all(*directory, ignored);
  });
  const std::string name = schedule.FileName(day);
  const std::string path = absl::StrCat(*directory, "/", name);
  auto order = OrderOf(schedule, day, path, store, clock);
  if (!order.ok()) return order.status();
  auto written = WriteExport(store, *order, path);
  if (!written.ok()) return written.status();
  // The side-car first: whoever waits for the file finds both.
  const std::string side_car = ".columns.json";
  const absl::Status delivered =
      (*sink)->Deliver({{path + side_car, name + side_car}, {path, name}});
  if (!delivered.ok()) return delivered;
  Json answer = Answer(absl::StrCat(name, ": ", written->rows, " ", schedule.what, " delivered\n"));
  answer["rows"] = written->rows;
  answer["delivered"] = name;
  return answer;
}

absl::StatusOr<Json> Admin::Impl::ScheduleAdd(const Json& arguments) {
  auto name = Need(arguments, "name");
  if (!name.ok()) return name.status();
  std::map<std::string, std::string> settings;
  const auto given = arguments.find("schedule");
  if (given != arguments.end() && given->is_object()) {
    for (const auto& [setting, value] : given->items()) {
      if (!value.is_string()) return absl::InvalidArgumentError("settings are texts");
      settings[setting] = value.get<std::string>();
    }
  }
  auto schedule = report::ParseExportSchedule(*name, settings);
  if (!schedule.ok()) return schedule.status();
  if (!schedule->campaign.empty()) {
    if (auto campaign = FindCampaign(schedule->campaign); !campaign.ok()) return campaign.status();
  }
  const absl::Time now = clock.Wall();
  const std::string file = schedule->FileName(absl::ToCivilDay(now, ZoneOf(*schedule)));
  const auto order =
      OrderOf(*schedule, absl::ToCivilDay(now, ZoneOf(*schedule)), file, store, clock);
  if (!order.ok()) return order.status();
  if (auto sink = MakeExportSink(*schedule, nullptr); !sink.ok()) return sink.status();
  std::error_code ignored;
  if (schedule->target() == ExportSchedule::Target::kDirectory &&
      !std::filesystem::is_directory(schedule->to, ignored)) {
    return absl::NotFoundError("to: there is no such directory, or the engine may not see it");
  }
  const absl::MutexLock lock(&shared->schedules);
  auto table = ReadSchedules(store);
  if (!table.ok()) return table.status();
  if (table->contains(*name)) {
    return absl::AlreadyExistsError(
        absl::StrCat("there is a schedule ", *name,
                     "; remove it first: outpace export schedule remove ", *name));
  }
  StoredSchedule& stored = (*table)[*name];
  stored.schedule = *schedule;
  stored.progress.last = now;  // what was due before it was there is not
  if (absl::Status s = WriteSchedules(*table, store); !s.ok()) return s;
  const absl::Time next = report::NextRun(*schedule, now, now);
  Json answer = Answer(absl::StrCat("schedule ", *name, ": ", InWords(*schedule), "; first at ",
                                    TimeText(next, ZoneOf(*schedule)), "\n"));
  answer["scheduled"] = InWords(*schedule);
  answer["next_ms"] = absl::ToUnixMillis(next);
  return answer;
}

absl::StatusOr<Json> Admin::Impl::ScheduleList(const Json&) {
  const auto table = ReadSchedules(store);
  if (!table.ok()) return table.status();
  const absl::Time now = clock.Wall();
  std::string text =
      absl::StrFormat("%-20s %-19s %-19s %s\n", "NAME", "NEXT", "LAST", "WHAT, RESULT");
  Json answer = Json::object();
  answer["schedules"] = Json::array();
  for (const auto& [name, stored] : *table) {
    const report::ScheduleProgress& progress = stored.progress;
    const absl::TimeZone zone = ZoneOf(stored.schedule);
    absl::Time next = report::NextRun(stored.schedule, std::max(progress.last, progress.due), now);
    if (progress.failures > 0) next = std::min(next, progress.retry_at);
    absl::StrAppendFormat(&text, "%-20s %-19s %-19s %s\n", name, TimeText(next, zone),
                          TimeText(stored.ran_at, zone), InWords(stored.schedule));
    if (!stored.result.empty()) {
      absl::StrAppendFormat(&text, "%61s%s (attempt %d)\n", "", stored.result, stored.attempts);
    }
    Json one = {{"name", name}, {"next_ms", absl::ToUnixMillis(next)}};
    one["settings"] = stored.schedule.ToMap();
    if (!stored.result.empty()) {
      one["ran_ms"] = absl::ToUnixMillis(stored.ran_at);
      one["attempts"] = stored.attempts;
      one["failures"] = progress.failures;
      one["delivered"] = stored.delivered;
      one["result"] = stored.result;
    }
    answer["schedules"].push_back(std::move(one));
  }
  answer["text"] = std::move(text);
  return answer;
}

absl::StatusOr<Json> Admin::Impl::ScheduleRemove(const Json& arguments) {
  auto name = Need(arguments, "name");
  if (!name.ok()) return name.status();
  const absl::MutexLock lock(&shared->schedules);
  auto table = ReadSchedules(store);
  if (!table.ok()) return table.status();
  if (table->erase(*name) == 0) return NoSuch(*name);
  if (absl::Status s = WriteSchedules(*table, store); !s.ok()) return s;
  return Answer(absl::StrCat("schedule ", *name, " removed\n"));
}

absl::Status Admin::Impl::NoteScheduled(const std::string& name, std::optional<absl::Time> due,
                                        const absl::StatusOr<Json>& ran) {
  const absl::MutexLock lock(&shared->schedules);
  auto table = ReadSchedules(store);
  if (!table.ok()) return table.status();
  const auto found = table->find(name);
  if (found == table->end()) return absl::OkStatus();  // removed meanwhile
  StoredSchedule& stored = found->second;
  stored.ran_at = clock.Wall();
  stored.attempts = due.has_value() && *due == stored.progress.due ? stored.attempts + 1 : 1;
  stored.delivered = ran.ok();
  stored.result = ran.ok() ? absl::StrCat("delivered ", Text(*ran, "delivered"), ", ",
                                          ran->value("rows", int64_t{0}), " rows")
                           : absl::StrCat("failed: ", ran.status().message());
  if (due.has_value()) report::NoteRun(*due, ran.ok(), stored.ran_at, stored.progress);
  return WriteSchedules(*table, store);
}

absl::StatusOr<Json> Admin::Impl::ScheduleRun(const Json& arguments) {
  auto name = Need(arguments, "name");
  if (!name.ok()) return name.status();
  const absl::MutexLock one_at_a_time(&shared->deliveries);
  const auto table = ReadSchedules(store);
  if (!table.ok()) return table.status();
  const auto found = table->find(*name);
  if (found == table->end()) return NoSuch(*name);
  const ExportSchedule& schedule = found->second.schedule;
  absl::CivilDay day = schedule.DayOf(clock.Wall());
  if (const std::string text = Text(arguments, "day");
      !text.empty() && !absl::ParseCivilTime(text, &day)) {
    return absl::InvalidArgumentError("day: write 2026-11-21");
  }
  auto ran = RunSchedule(schedule, day);
  if (absl::Status s = NoteScheduled(*name, std::nullopt, ran); !s.ok()) return s;
  return ran;
}

absl::StatusOr<Json> Admin::Impl::ScheduleDue(const Json&) {
  const auto table = ReadSchedules(store);
  if (!table.ok()) return table.status();
  Json answer = Answer("");
  answer["delivered"] = 0;
  answer["failed"] = Json::object();
  for (const auto& [name, seen] : *table) {
    if (hooks.stopping && hooks.stopping()) break;
    const absl::MutexLock one_at_a_time(&shared->deliveries);
    const auto due = report::RunNow(seen.schedule, seen.progress, clock.Wall());
    if (!due.has_value()) continue;
    const absl::CivilDay day = seen.schedule.DayOf(*due);
    const Json about = {{"name", name}, {"day", absl::FormatCivilTime(day)}};
    const auto ran = RunNoted("export.schedule.run", about, [&, &schedule = seen.schedule] {
      return RunSchedule(schedule, day);
    });
    if (absl::IsCancelled(ran.status())) break;  // the engine stops: the next start does it
    if (absl::Status s = NoteScheduled(name, due, ran); !s.ok()) return s;
    if (ran.ok()) {
      answer["delivered"] = answer["delivered"].get<int>() + 1;
    } else {
      answer["failed"][name] = std::string(ran.status().message());
    }
  }
  answer["text"] = absl::StrCat(answer["delivered"].get<int>(), " delivered, ",
                                answer["failed"].size(), " failed\n");
  return answer;
}

}  // namespace outpace::runtime
