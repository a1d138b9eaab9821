#include "campaign/report/agent_export.h"

#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "campaign/report/agent_times.h"
#include "campaign/report/cells.h"
#include "campaign/report/csv_writer.h"
#include "campaign/report/row_format.h"
#include "campaign/report/zstd_frame.h"

namespace outpace::report {
namespace {

struct Row {
  const AgentTimes& times;
  const std::string& full_name;
  double share;  // of all calls
};

std::string Clock(absl::Duration time) {
  std::string text;
  AppendClock(absl::ToInt64Milliseconds(time), text);
  return text;
}
std::string Percent(double ratio) { return absl::StrFormat("%.2f", 100 * ratio); }

struct Column {
  absl::string_view name;
  CellType type;
  std::string (*value)(const Row& row);
  absl::string_view definition;
};

constexpr CellType kText = CellType::kText, kNumber = CellType::kNumber, kTime = CellType::kCode;
constexpr Column kColumns[] = {
    {"user", kText, [](const Row& r) { return r.times.agent; }, "The agent's login name"},
    {"full_name", kText, [](const Row& r) { return r.full_name; }, "The agent's name, now"},
    {"user_group", kTime, [](const Row&) { return std::string(); },
     "Always empty: Outpace has no user groups"},
    {"calls", kNumber, [](const Row& r) { return absl::StrCat(r.times.calls); },
     "Calls that the agent was bridged to in the range, calls from outside included"},
    {"login_time", kTime, [](const Row& r) { return Clock(r.times.login()); },
     "pause_time + wait_time + talk_time + dispo_time, HH:MM:SS"},
    {"total_talk_time", kTime, [](const Row& r) { return Clock(r.times.talk); },
     "Bridged to customers, hold included"},
    {"avg_talk_time", kTime, [](const Row& r) { return Clock(r.times.talk_mean()); },
     "total_talk_time / calls"},
    {"avg_wait_time", kTime, [](const Row& r) { return Clock(r.times.wait_mean()); },
     "wait_time / calls"},
    {"pct_of_queue", kNumber, [](const Row& r) { return Percent(r.share); },
     "Share of this agent in the calls of all agents, percent"},
    {"pause_time", kTime, [](const Row& r) { return Clock(r.times.pause); },
     "Paused, and from login to the first READY"},
    {"sessions", kNumber, [](const Row& r) { return absl::StrCat(r.times.sessions); },
     "Logins that have a part in the range"},
    {"avg_session", kTime, [](const Row& r) { return Clock(r.times.session_mean()); },
     "login_time / sessions"},
    {"pauses", kNumber, [](const Row& r) { return absl::StrCat(r.times.pauses); },
     "Pauses that have a part in the range; one whose code is changed is two"},
    {"avg_pause_time", kTime, [](const Row& r) { return Clock(r.times.pause_mean()); },
     "pause_time / pauses"},
    {"pause_pct", kNumber, [](const Row& r) { return Percent(r.times.pause_ratio()); },
     "pause_time / login_time, percent"},
    {"pauses_per_session", kNumber,
     [](const Row& r) { return absl::StrFormat("%.2f", r.times.pauses_a_session()); },
     "pauses / sessions"},
    {"wait_time", kTime, [](const Row& r) { return Clock(r.times.wait); },
     "Ready, or reserved for a call on its way"},
    {"talk_time", kTime, [](const Row& r) { return Clock(r.times.talk); }, "As total_talk_time"},
    {"dispo_time", kTime, [](const Row& r) { return Clock(r.times.dispo); },
     "Wrap-up: from the hang-up to the disposition"},
    {"dead_time", kTime, [](const Row&) { return Clock(AgentTimes::dead()); },
     "Always 00:00:00: wrap-up begins with the hang-up, whoever hung up"},
    {"holds", kNumber, [](const Row& r) { return absl::StrCat(r.times.holds); },
     "How often a customer was put on hold"},
    {"hold_time", kTime, [](const Row& r) { return Clock(r.times.held); },
     "For how long; a part of talk_time"},
    {"conferences", kNumber, [](const Row& r) { return absl::StrCat(r.times.conferences); },
     "Others whom the agent brought into calls"},
    {"occupancy_pct", kNumber, [](const Row& r) { return Percent(r.times.occupancy()); },
     "(talk_time + dispo_time) / (wait_time + talk_time + dispo_time), percent"},
};

}  // namespace

absl::StatusOr<int64_t> ExportAgents(const campaign::LeadStore& store, const EventSource& source,
                                     const ExportOptions& options,
                                     const std::function<absl::Status(absl::string_view)>& write) {
  if (options.format == ExportFormat::kXlsx) {
    return absl::InvalidArgumentError("format: agents are exported as csv or jsonl");
  }
  const auto all = ReadAgentTimes(source, options.from, options.to, options.campaign);
  if (!all.ok()) return all.status();
  const auto records = store.Agents();
  if (!records.ok()) return records.status();
  std::map<AgentId, std::string> names;
  for (const campaign::AgentRecord& agent : *records) names[agent.user] = agent.full_name;

  const bool csv = options.format == ExportFormat::kCsv;
  std::string text;
  if (csv) {
    if (options.bom) text.append("\xef\xbb\xbf");
    for (const Column& column : kColumns) {
      absl::StrAppend(&text, &column == kColumns ? "" : ",", column.name);
    }
    text.append("\r\n");
  }
  for (const AgentTimes& times : *all) {
    const Row row = {times, names[times.agent], ShareOfCalls(times, *all)};
    for (const Column& column : kColumns) {
      const std::string value = column.value(row);
      if (csv) {
        if (&column != kColumns) text.push_back(',');
        column.type == kText ? AppendCsvText(value, ',', text) : AppendCsvCell(value, ',', text);
        continue;
      }
      text.push_back(&column == kColumns ? '{' : ',');
      AppendJsonString(column.name, text);
      text.push_back(':');
      if (column.type == kNumber) {
        text.append(value);
      } else if (value.empty()) {
        text.append("null");
      } else {
        AppendJsonString(value, text);
      }
    }
    text.append(csv ? "\r\n" : "}\n");
  }
  if (options.zstd) {
    std::string frame;
    ZstdFrame zstd;
    if (absl::Status s = zstd.Compress(text, frame); !s.ok()) return s;
    text.swap(frame);
  }
  if (absl::Status s = write(text); !s.ok()) return s;
  return static_cast<int64_t>(all->size());
}

std::string AgentSideCar(const ExportOptions& options) {
  using Json = nlohmann::ordered_json;
  Json json = Json::object();
  json["export"] = "agents";
  json["zone"] = options.zone.name();
  if (!options.campaign.empty()) json["campaign"] = options.campaign;
  json["program"] = "Outpace " OUTPACE_VERSION;
  json["format"] = std::string(ExportFormatName(options.format));
  json["from"] = absl::FormatTime(absl::RFC3339_full, options.from, options.zone);
  json["to"] = absl::FormatTime(absl::RFC3339_full, options.to, options.zone);
  json["columns"] = Json::array();
  for (const Column& column : kColumns) {
    json["columns"].push_back({{"header", std::string(column.name)},
                               {"type", std::string(CellTypeName(column.type))},
                               {"definition", std::string(column.definition)}});
  }
  return absl::StrCat(json.dump(2), "\n");
}

}  // namespace outpace::report
