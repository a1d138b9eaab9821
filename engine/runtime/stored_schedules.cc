#include "engine/runtime/stored_schedules.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"

namespace outpace::runtime {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kKey[] = "export_schedules";

// 0 stands for "never".
int64_t MillisOf(absl::Time time) {
  return time == absl::InfinitePast() ? 0 : absl::ToUnixMillis(time);
}
absl::Time TimeOf(const Json& json, const char* name) {
  const int64_t millis = json.value(name, int64_t{0});
  return millis == 0 ? absl::InfinitePast() : absl::FromUnixMillis(millis);
}

absl::StatusOr<StoredSchedule> FromJson(const std::string& name, const Json& json) {
  std::map<std::string, std::string> settings;
  const Json given = json.value("settings", Json::object());
  for (const auto& [setting, value] : given.items()) settings[setting] = value.get<std::string>();
  auto schedule = report::ParseExportSchedule(name, settings);
  if (!schedule.ok()) return schedule.status();
  StoredSchedule stored;
  stored.schedule = *std::move(schedule);
  stored.progress.last = TimeOf(json, "last_ms");
  stored.progress.due = TimeOf(json, "due_ms");
  stored.progress.failures = json.value("failures", 0);
  stored.progress.retry_at = TimeOf(json, "retry_ms");
  stored.ran_at = TimeOf(json, "ran_ms");
  stored.attempts = json.value("attempts", 0);
  stored.delivered = json.value("delivered", false);
  stored.result = json.value("result", std::string());
  return stored;
}

}  // namespace

absl::StatusOr<ScheduleTable> ReadSchedules(const campaign::LeadStore& store) {
  ScheduleTable table;
  auto value = store.GetMeta(kKey);
  if (!value.ok()) return value.status();
  if (!value->has_value()) return table;
  const Json json = Json::parse(**value, nullptr, false);
  if (!json.is_object()) {
    return absl::DataLossError(absl::StrCat("store: the value \"", kKey, "\" is damaged"));
  }
  try {  // a member of another type
    for (const auto& [name, one] : json.items()) {
      auto stored = FromJson(name, one);
      if (!stored.ok()) return stored.status();
      table[name] = *std::move(stored);
    }
  } catch (const Json::exception&) {
    return absl::DataLossError(absl::StrCat("store: the value \"", kKey, "\" is damaged"));
  }
  return table;
}

absl::Status WriteSchedules(const ScheduleTable& table, campaign::LeadStore& store) {
  Json json = Json::object();
  for (const auto& [name, stored] : table) {
    json[name] = {{"settings", stored.schedule.ToMap()},
                  {"last_ms", MillisOf(stored.progress.last)},
                  {"due_ms", MillisOf(stored.progress.due)},
                  {"failures", stored.progress.failures},
                  {"retry_ms", MillisOf(stored.progress.retry_at)},
                  {"ran_ms", MillisOf(stored.ran_at)},
                  {"attempts", stored.attempts},
                  {"delivered", stored.delivered},
                  {"result", stored.result}};
  }
  campaign::StoreBatch batch;
  batch.meta[kKey] = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return store.Commit(batch);
}

}  // namespace outpace::runtime
