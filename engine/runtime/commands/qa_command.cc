// qa: which recordings to hear, score sheets, scores, report.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/runtime/commands/arguments.h"
#include "engine/runtime/small_table.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

// The criteria of a file, a row each.
absl::StatusOr<Json> CriteriaOf(const std::string& path) {
  auto table = ReadSmallTable(path);
  if (!table.ok()) return table.status();
  static const std::vector<std::string> kColumns = {"id",     "name",   "name_zh",
                                                    "weight", "points", "fatal"};
  for (const std::string& column : table->heading) {
    if (std::find(kColumns.begin(), kColumns.end(), column) != kColumns.end()) continue;
    return absl::InvalidArgumentError(
        "the heading has '" + column.substr(0, 40) +
        "'; the columns are id, name, name_zh, weight, points, fatal");
  }
  Json criteria = Json::array();
  for (const SmallTable::Row& row : table->rows) {
    Json criterion = Json::object();
    for (size_t i = 0; i < table->heading.size() && i < row.cells.size(); ++i) {
      criterion[table->heading[i]] = row.cells[i];
    }
    criteria.push_back(std::move(criterion));
  }
  return criteria;
}

}  // namespace

int RunQaCommand(const Arguments& given) {
  Arguments arguments = given;
  const std::string verb = TakeVerb(arguments);
  Options options(
      "outpace qa sample | sheet list | sheet set NAME --file FILE | score ATTEMPT --sheet NAME "
      "CRITERION=POINTS ... | list | report",
      "Quality of calls. `sample`: the recordings of a day that somebody should hear; the same\n"
      "rule gives the same calls, whoever asks. `score`: what was heard; the agent sees it.\n"
      "`report`: by agent and by criterion. docs/QA.md tells the rules and the file.\n\n"
      "  outpace qa sample --day yesterday --rule 'agent:2, status:SALE:10, min:30'\n"
      "  outpace qa sheet set SALES --file sales.csv --pass 80\n"
      "  outpace qa score 4711 --sheet SALES --by mei greeting=2 consent=1 --comment 'Clear.'\n"
      "  outpace qa report --from 2026-11-01 --to 2026-11-30");
  options.Add()("word", po::value<std::vector<std::string>>(), "sheet or attempt, and points")(
      "rule", po::value<std::string>(), "sample: agent:2, min:20")(
      "day", po::value<std::string>(), "calls of: 2026-11-21, yesterday; today")(
      "from", po::value<std::string>(), "calls from this day on")("to", po::value<std::string>(),
                                                                  "calls up to this day")(
      "zone", po::value<std::string>(), "of these days, UTC")("campaign", po::value<std::string>(),
                                                              "calls of this campaign")(
      "agent", po::value<std::string>(), "calls of this agent")(
      "file", po::value<std::string>(), "sheet set: id,name,name_zh,weight,points,fatal")(
      "pass", po::value<std::string>(), "sheet set: percent from which on a call has passed")(
      "sheet", po::value<std::string>(), "score: by this sheet")("by", po::value<std::string>(),
                                                                 "score: who listened")(
      "comment", po::value<std::string>(), "score: for the agent")("json", "the answer as JSON");
  options.Positional("word", -1);
  if (auto code = options.Parse(arguments)) return *code;
  std::vector<std::string> words = options.Texts("word");
  Json json = Json::object();
  std::string operation = "qa." + verb;
  if (verb == "sample" || verb == "list" || verb == "report") {
    if (!words.empty()) return Misuse(options.usage(), "that is too much: " + words[0]);
    Copy(options, {"rule", "day", "from", "to", "zone", "campaign", "agent"}, json);
  } else if (verb == "sheet") {
    if (words == std::vector<std::string>{"list"}) {
      operation = "qa.sheet.list";
    } else if (words.size() == 2 && words[0] == "set" && options.Has("file")) {
      operation = "qa.sheet.set";
      auto criteria = CriteriaOf(options.Text("file"));
      if (!criteria.ok()) return Fail(criteria.status());
      json["name"] = words[1];
      Copy(options, {"pass"}, json);
      json["criteria"] = *std::move(criteria);
    } else {
      return Misuse(options.usage(), "sheet list, or sheet set NAME --file FILE");
    }
  } else if (verb == "score") {
    if (words.size() < 2) return Misuse(options.usage(), "which attempt, and which points?");
    json["attempt"] = words[0];
    words.erase(words.begin());
    Copy(options, {"sheet", "by", "comment"}, json);
    json["scores"] = Json::object();
    if (const std::string bad = ReadPairs(words, json["scores"]); !bad.empty()) {
      return Misuse(options.usage(), "write CRITERION=POINTS: " + bad);
    }
  } else {
    return Misuse(options.usage(), verb.empty() ? "what shall be done?" : "no such verb: " + verb);
  }
  return PrintAnswer(AskAdmin(options.ConfigPath(), operation, json), options.Has("json"));
}

}  // namespace outpace::runtime
