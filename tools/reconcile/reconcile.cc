// Judges a run of the dialer by what others saw: the carrier's log of every INVITE, answer and BYE,
// the agents' log of what they heard and were told, and the truth about the list (zones,
// do-not-call), written when the list was made. The engine's own export is held against them, call
// by call.
//
//   outpace-reconcile --carrier LOG --agents LOG --export CSV --truth CSV [--window 9-21]
//
// Prints one line a figure with its verdict; exits with 1 if any figure that must hold does not.

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

namespace {

using Json = nlohmann::json;
using Row = std::map<std::string, std::string>;

// RFC 4180: fields may be quoted, quotes doubled, line breaks inside quotes.
std::vector<Row> ReadCsv(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  std::vector<std::vector<std::string>> table(1);
  std::string cell;
  bool quoted = false;
  for (size_t i = text.rfind("\xef\xbb\xbf", 0) == 0 ? 3 : 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        cell += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        cell += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',' || c == '\n') {
      table.back().push_back(std::exchange(cell, ""));
      if (c == '\n') table.emplace_back();
    } else if (c != '\r') {
      cell += c;
    }
  }
  if (!cell.empty()) table.back().push_back(cell);
  std::vector<Row> rows;
  for (size_t r = 1; r < table.size(); ++r) {
    if (table[r].size() < 2) continue;
    Row row;
    for (size_t c = 0; c < table[0].size() && c < table[r].size(); ++c)
      row[table[0][c]] = table[r][c];
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Json> ReadJsonLines(const std::string& path) {
  std::ifstream file(path);
  std::vector<Json> lines;
  for (std::string line; std::getline(file, line);) {
    Json json = Json::parse(line, nullptr, false);
    if (json.is_object()) lines.push_back(std::move(json));
  }
  return lines;
}

struct Call {  // as the carrier saw it
  std::string number;
  int64_t invite_us = 0, answer_us = 0;
  bool ended = false;
};

class Report {
 public:
  // A figure that must hold.
  void Check(bool ok, const std::string& name, const std::string& value) {
    std::printf("  %-4s %-46s %s\n", ok ? "ok" : "FAIL", name.c_str(), value.c_str());
    failed_ |= !ok;
  }
  void Tell(const std::string& name, const std::string& value) {
    std::printf("       %-46s %s\n", name.c_str(), value.c_str());
  }
  bool failed() const { return failed_; }

 private:
  bool failed_ = false;
};

// drop_call_seconds of the demo, and what the agent's own line may add.
constexpr double kAnswerLimitMs = 2050;

double Quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

std::string AttemptOf(const std::string& call_id) {  // "op-<attempt>-<random>"
  const std::vector<std::string> parts = absl::StrSplit(call_id, '-');
  return parts.size() == 3 && parts[0] == "op" ? parts[1] : "";
}

// Whether the hour was inside [first, last) in every one of the blank-separated zones.
bool InWindow(const std::string& zones, absl::Time at, int first, int last) {
  for (absl::string_view name : absl::StrSplit(zones, absl::ByAnyChar(" ;|"), absl::SkipEmpty())) {
    absl::TimeZone zone;
    if (!absl::LoadTimeZone(std::string(name), &zone)) return false;
    const int hour = absl::ToCivilHour(at, zone).hour();
    if (hour < first || hour >= last) return false;
  }
  return true;
}

// Share of the agents' time from the first to the last call event that was spent with a call: from
// pop to the disposition's acknowledgement. From their own log, so it needs nothing of the engine.
double OccupancyOf(const std::vector<Json>& agents) {
  struct Desk {
    int64_t first = 0, last = 0, busy = 0, popped = 0;
  };
  std::map<std::string, Desk> desks;
  for (const Json& line : agents) {
    const std::string event = line.value("ev", "");
    Desk& desk = desks[line.value("agent", "")];
    const int64_t t = line.value("t", int64_t{0});
    if (event == "ready" && desk.first == 0) desk.first = t;
    if (event == "pop" && desk.popped == 0) desk.popped = t;
    if (event == "disposition_acked" && desk.popped != 0) {
      desk.busy += t - std::exchange(desk.popped, 0);
      desk.last = t;
    }
  }
  int64_t busy = 0, all = 0;
  for (const auto& [agent, desk] : desks) {
    if (desk.first == 0 || desk.last <= desk.first) continue;
    busy += desk.busy;
    all += desk.last - desk.first;
  }
  return all == 0 ? 0 : static_cast<double>(busy) / static_cast<double>(all);
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> files{{"--window", "9-21"}};
  for (int i = 1; i + 1 < argc; i += 2) files[argv[i]] = argv[i + 1];
  for (const char* name : {"--carrier", "--agents", "--export", "--truth"}) {
    if (files.count(name) == 0 || !std::ifstream(files[name])) {
      std::fprintf(stderr, "outpace-reconcile: %s FILE is missing or cannot be read\n", name);
      return 2;
    }
  }
  const std::vector<int> window = [&] {
    std::vector<int> hours;
    for (absl::string_view part : absl::StrSplit(files["--window"], '-')) {
      int hour = 0;
      if (absl::SimpleAtoi(part, &hour)) hours.push_back(hour);
    }
    return hours.size() == 2 ? hours : std::vector<int>{9, 21};
  }();

  std::map<std::string, Call> calls;  // by Call-ID; the engine's lead legs only
  int64_t duplicate_call_ids = 0;
  for (const Json& line : ReadJsonLines(files["--carrier"])) {
    const std::string id = line.value("call_id", "");
    const std::string event = line.value("ev", "");
    if (id.empty()) continue;
    const int64_t t = line.value("t", int64_t{0});
    if (event == "invite") {
      duplicate_call_ids += calls.count(id) != 0 ? 1 : 0;
      calls[id].number = line.value("to", "");
      calls[id].invite_us = t;
    }
    if (event == "answer") calls[id].answer_us = t;
    if (event == "bye_in" || event == "bye_out" || event == "final" || event == "lost") {
      calls[id].ended = true;
    }
  }

  std::map<std::string, Row> truth;
  for (Row& row : ReadCsv(files["--truth"])) {
    std::string number = row["number"];
    number.erase(std::remove(number.begin(), number.end(), '+'), number.end());
    truth[number] = std::move(row);
  }
  std::map<std::string, Row> exported;  // by Call-ID
  int64_t unsent = 0;
  for (Row& row : ReadCsv(files["--export"])) {
    if (row["sent"] == "N") {
      ++unsent;
    } else {
      exported[row["call_id"]] = std::move(row);
    }
  }

  const std::vector<Json> agents = ReadJsonLines(files["--agents"]);
  std::map<std::string, int64_t> audio_us;          // by attempt
  std::map<std::string, int64_t> agent_free_us;     // by attempt: since when its agent was free
  std::map<std::string, int64_t> free_since;        // by agent
  std::map<std::string, std::string> acknowledged;  // attempt -> status
  std::set<std::string> popped;
  for (const Json& line : agents) {
    const std::string event = line.value("ev", "");
    const std::string agent = line.value("agent", "");
    if (event == "ready" || event == "disposition_acked") {
      free_since[agent] = line.value("t", int64_t{0});
    }
    if (!line.contains("attempt")) continue;
    const std::string attempt = absl::StrCat(line["attempt"].get<uint64_t>());
    if (event == "audio_first") agent_free_us.emplace(attempt, free_since[agent]);
    if (event == "pop") popped.insert(attempt);
    if (event == "audio_first") audio_us.emplace(attempt, line.value("t", int64_t{0}));
    if (event == "disposition_acked") acknowledged[attempt] = line.value("status", "");
  }

  int64_t missing_in_export = 0, missing_at_carrier = 0, dnc = 0, outside = 0, unknown_numbers = 0;
  int64_t answered_carrier = 0, answered_export = 0, abandoned = 0, connected = 0, up = 0;
  int64_t results_lost = 0, machines = 0;
  std::map<std::string, int> by_number;
  std::vector<double> to_agent_ms;
  std::vector<double> waits_ms;  // of callers for an agent
  for (const auto& [id, call] : calls) {
    missing_in_export += exported.count(id) == 0 ? 1 : 0;
    ++by_number[call.number];
    const auto known = truth.find(call.number);
    if (known == truth.end()) {
      ++unknown_numbers;
    } else {
      const Row& row = known->second;
      dnc += row.at("listed_on_dnc") == "1" || row.at("listed_on_dnc") == "Y" ? 1 : 0;
      outside +=
          InWindow(row.at("time_zones"), absl::FromUnixMicros(call.invite_us), window[0], window[1])
              ? 0
              : 1;
    }
    if (call.answer_us == 0) continue;
    ++answered_carrier;
    up += call.ended ? 0 : 1;
    const auto heard = audio_us.find(AttemptOf(id));
    if (heard != audio_us.end()) {
      // From when both are there: a predictive dialer lets some callers wait for an agent who is
      // about to finish, and that wait is judged by the answer limit below.
      const int64_t both_us = std::max(call.answer_us, agent_free_us[AttemptOf(id)]);
      to_agent_ms.push_back(static_cast<double>(std::max<int64_t>(0, heard->second - both_us)) /
                            1000);
      const double wait_ms = static_cast<double>(both_us - call.answer_us) / 1000;
      if (wait_ms > 0) waits_ms.push_back(wait_ms);
    }
  }
  for (const auto& [id, row] : exported) {
    missing_at_carrier += calls.count(id) == 0 ? 1 : 0;
    answered_export += row.at("answered_ms").empty() ? 0 : 1;
    abandoned += row.at("abandoned") == "1" || row.at("abandoned") == "Y" ? 1 : 0;
    connected += row.at("connected_ms").empty() ? 0 : 1;
    machines += row.at("status") == "A" ? 1 : 0;
  }
  for (const auto& [attempt, status] : acknowledged) {
    bool found = false;
    for (const auto& [id, row] : exported) {
      found |= AttemptOf(id) == attempt && row.at("status") == status;
    }
    results_lost += found ? 0 : 1;
  }
  int64_t twice = 0;
  for (const auto& [number, count] : by_number) twice += count > 1 ? 1 : 0;
  const int64_t people = connected - machines + abandoned;
  const double ratio =
      people > 0 ? static_cast<double>(abandoned) / static_cast<double>(people) : 0;

  Report report;
  std::printf(
      "Reconciliation of the engine's export with the carrier's and the agents' own logs\n");
  report.Check(!calls.empty() && exported.size() == calls.size(),
               "INVITEs at the carrier = attempts exported",
               absl::StrCat(calls.size(), " = ", exported.size()));
  report.Check(missing_in_export == 0 && missing_at_carrier == 0, "  the same calls, by Call-ID",
               absl::StrCat(missing_in_export, " and ", missing_at_carrier, " unmatched"));
  report.Check(duplicate_call_ids == 0, "attempts sent twice", absl::StrCat(duplicate_call_ids));
  report.Check(twice == 0, "numbers rung twice", absl::StrCat(twice));
  report.Check(unknown_numbers == 0, "numbers that were on no list", absl::StrCat(unknown_numbers));
  report.Check(dnc == 0, "calls to do-not-call numbers", absl::StrCat(dnc));
  report.Check(outside == 0, "calls outside the calling window", absl::StrCat(outside));
  report.Check(answered_carrier == answered_export, "answered: carrier = export",
               absl::StrCat(answered_carrier, " = ", answered_export));
  report.Check(static_cast<int64_t>(popped.size()) == connected,
               "screen-pops seen = calls connected", absl::StrCat(popped.size(), " = ", connected));
  report.Check(results_lost == 0 && !acknowledged.empty(),
               "dispositions acknowledged and not exported",
               absl::StrCat(results_lost, " of ", acknowledged.size()));
  report.Check(ratio <= 0.03, "abandoned, of people who answered",
               absl::StrFormat("%.2f %% (%d of %d)", 100 * ratio, abandoned, people));
  report.Check(up == 0, "calls still up at the carrier", absl::StrCat(up));
  const double p99 = Quantile(to_agent_ms, 0.99);
  report.Check(!to_agent_ms.empty() && p99 <= 50, "caller and agent there to the agent's ear, p99",
               absl::StrFormat("%.2f ms (p50 %.2f ms, %d calls)", p99, Quantile(to_agent_ms, 0.5),
                               to_agent_ms.size()));
  report.Check(Quantile(waits_ms, 1) <= kAnswerLimitMs, "longest wait for an agent",
               absl::StrFormat("%.0f ms (%d of %d callers waited)", Quantile(waits_ms, 1),
                               waits_ms.size(), to_agent_ms.size()));
  report.Tell("refused before the INVITE left", absl::StrCat(unsent));
  report.Tell("occupancy, from the agents' own log",
              absl::StrFormat("%.1f %%", 100 * OccupancyOf(agents)));
  std::printf(report.failed() ? "FAILED: figures do not agree\n" : "All figures agree.\n");
  return report.failed() ? 1 : 0;
}
