// The reading half: events are folded back into the records they came from.

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "campaign/report/cells.h"
#include "campaign/report/event_fields.h"
#include "campaign/report/event_log.h"

namespace outpace::report {
namespace {

using campaign::AgentActivity;
using campaign::Attempt;
using Json = nlohmann::json;

bool Get(const Json& value, int64_t& out) {
  if (!value.is_number_integer()) return false;
  if (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX) return false;
  out = value.get<int64_t>();
  return true;
}

bool Get(const Json& value, std::string& out) {
  if (value.is_string()) {
    out = value.get<std::string>();
    return true;
  }
  const auto encoded = value.find("base64");
  return value.is_object() && value.size() == 1 && encoded != value.end() && encoded->is_string() &&
         absl::Base64Unescape(encoded->get<std::string>(), &out);
}

bool Get(const Json& value, bool& out) {
  if (!value.is_boolean()) return false;
  out = value.get<bool>();
  return true;
}

bool Get(const Json& value, int& out) {
  int64_t number = 0;
  if (!Get(value, number) || number < std::numeric_limits<int>::min() ||
      number > std::numeric_limits<int>::max()) {
    return false;
  }
  out = static_cast<int>(number);
  return true;
}

bool Get(const Json& value, double& out) {
  if (!value.is_number()) return false;
  out = value.get<double>();
  return true;
}

bool Get(const Json& value, absl::Duration& out) {
  int64_t micros = 0;
  if (!Get(value, micros)) return false;
  out = absl::Microseconds(micros);
  return true;
}

bool Get(const Json& value, absl::Time& out) {
  int64_t micros = 0;
  if (!Get(value, micros)) return false;
  out = absl::FromUnixMicros(micros);
  return true;
}

bool GetId(const Json& value, uint64_t& out) {
  int64_t id = 0;
  if (!Get(value, id)) return false;
  out = static_cast<uint64_t>(id);
  return true;
}

bool Get(const Json& value, E164& out) {
  uint64_t number = 0;
  if (!GetId(value, number) || number > 999'999'999'999'999) return false;  // ITU-T E.164
  out = E164(number);
  return true;
}

template <typename Tag>
bool Get(const Json& value, StrongId<Tag>& out) {
  uint64_t id = 0;
  if (!GetId(value, id)) return false;
  out = StrongId<Tag>(id);
  return true;
}

bool Get(const Json& value, campaign::Tier& out) {
  std::string text;
  if (!Get(value, text) || (text != "A" && text != "B")) return false;
  out = text == "A" ? campaign::Tier::kA : campaign::Tier::kB;
  return true;
}

// -1: no event of attempts.
int FindKind(const std::string& name) {
  for (int i = 0; i < kAttemptEvents; ++i) {
    if (name == EventKinds()[static_cast<size_t>(i)].name) return i;
  }
  return -1;
}

absl::Status Bad(absl::string_view what) { return absl::InvalidArgumentError(what); }

absl::Status Fold(const Json& line, int event, Attempt& attempt) {
  const EventKind& kind = EventKinds()[static_cast<size_t>(event)];
  bool undated = kind.at == nullptr;
  absl::Time at;
  for (const auto& [key, value] : line.items()) {
    if (key == "event" || key == "attempt") continue;
    if (key == "at_us") {
      if (!Get(value, at)) return Bad("at_us is no number");
      continue;
    }
    if (key == "undated") {
      undated = true;
      continue;
    }
    const absl::Span<const EventField> fields = EventFields();
    const auto field = std::find_if(fields.begin(), fields.end(), [&](const EventField& f) {
      return static_cast<int>(f.event) == event && key == f.key;
    });
    if (field == fields.end()) return Bad(absl::StrCat("no such key of ", kind.name));
    const bool read =
        std::visit([&](auto member) { return Get(value, attempt.*member); }, field->member);
    if (!read) return Bad(absl::StrCat("the value of ", field->key, " is of another kind"));
  }
  if (!undated) attempt.*kind.at = at;
  return absl::OkStatus();
}

absl::Status Fold(const Json& line, AgentActivity& activity) {
  for (const auto& [key, value] : line.items()) {
    bool read = true;
    if (key == "at_us") {
      read = Get(value, activity.at);
    } else if (key == "agent") {
      read = Get(value, activity.agent);
    } else if (key == "campaign") {
      read = Get(value, activity.campaign);
    } else if (key == "state") {
      read = Get(value, activity.state);
    } else if (key == "code") {
      read = Get(value, activity.code);
    } else if (key == "attempt") {
      read = Get(value, activity.attempt);
    } else if (key != "event") {
      return Bad("no such key of agent");
    }
    if (!read) return Bad("a value of agent is of another kind");
  }
  return activity.state.empty() ? Bad("an agent without a state") : absl::OkStatus();
}

}  // namespace

absl::Status EventLog::AddLine(absl::string_view text) {
  const Json line = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!line.is_object()) return Bad("no JSON object");
  std::string event;
  const auto named = line.find("event");
  if (named == line.end() || !Get(*named, event)) return Bad("no event");
  if (!begun_) {
    const bool is_log = event == "log" && line.contains("at_us") && line.contains("to_us") &&
                        Get(line["at_us"], from_) && Get(line["to_us"], to_);
    if (!is_log) return Bad("not the first line of an event log");
    if (line.contains("known_until_us") && !Get(line["known_until_us"], known_until_)) {
      return Bad("known_until_us is no number");
    }
    begun_ = true;
    return absl::OkStatus();
  }
  if (event == "agent") {
    AgentActivity activity;
    if (absl::Status status = Fold(line, activity); !status.ok()) return status;
    activities_.push_back(std::move(activity));
    return absl::OkStatus();
  }
  const int kind = FindKind(event);
  if (kind < 0) return Bad("no such event");
  AttemptId id;
  const auto attempt = line.find("attempt");
  if (attempt == line.end() || !Get(*attempt, id) || !id.valid()) return Bad("no attempt");
  const auto [found, is_new] = attempts_.try_emplace(id);
  if (is_new != (kind == 0)) {
    return Bad(is_new ? "an event of an attempt that was not placed" : "an attempt placed twice");
  }
  found->second.id = id;
  return Fold(line, kind, found->second);
}

absl::StatusOr<EventLog> EventLog::Read(std::istream& in) {
  EventLog log;
  std::string line;
  for (int64_t number = 1; std::getline(in, line); ++number) {
    const bool cut = in.eof();  // no line end
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    if (absl::Status status = log.AddLine(line); !status.ok()) {
      if (cut) return absl::DataLossError("event log: its last line is cut off");
      return absl::InvalidArgumentError(
          absl::StrCat("event log: line ", number, ": ", status.message()));
    }
  }
  if (in.bad()) return absl::DataLossError("event log: it cannot be read to its end");
  if (!log.begun_) return absl::InvalidArgumentError("event log: empty");
  std::stable_sort(log.activities_.begin(), log.activities_.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  return log;
}

absl::Status EventLog::ForEachAttempt(
    absl::Time from, absl::Time to,
    const std::function<bool(const campaign::Attempt&)>& visit) const {
  for (const auto& [id, attempt] : attempts_) {
    if (attempt.dialed_at < from || attempt.dialed_at >= to) continue;
    if (!visit(attempt)) break;
  }
  return absl::OkStatus();
}

absl::Status EventLog::ForEachActivity(
    absl::Time from, absl::Time to,
    const std::function<bool(const campaign::AgentActivity&)>& visit) const {
  for (const AgentActivity& activity : activities_) {
    if (activity.at < from || activity.at >= to) continue;
    if (!visit(activity)) break;
  }
  return absl::OkStatus();
}

}  // namespace outpace::report
