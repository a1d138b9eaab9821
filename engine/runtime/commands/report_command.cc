// report: a client of Admin.

#include "engine/runtime/commands/report_command.h"

#include <nlohmann/json.hpp>

#include "engine/runtime/commands/arguments.h"
#include "engine/runtime/commands/options.h"

namespace outpace::runtime {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

int RunReportCommand(const Arguments& given) {
  Arguments arguments = given;
  const std::string name = TakeVerb(arguments);
  Options options(
      "outpace report list | NAME [--day DAY | --from DAY --to DAY] [--campaign ID] [--list N]",
      "A report on a day or a range of days, folded from the stored calls and agents' time; each\n"
      "figure is defined where it is shown, and all in docs/REPORTS.md. Days are those of the\n"
      "campaign's report_zone. While an engine runs the report is made by it.\n\n"
      "  outpace report list\n"
      "  outpace report campaign --day yesterday --campaign DEMO\n"
      "  outpace report agents --from 2026-11-16 --to 2026-11-20 --format html --out week.html\n"
      "  outpace report intervals --interval 30\n"
      "  outpace report daily-cn --day yesterday --format html --out 日报.html\n");
  options.Add()("day", po::value<std::string>(), "2026-11-21, today (default) or yesterday")(
      "from", po::value<std::string>(), "first day")("to", po::value<std::string>(), "last day")(
      "zone", po::value<std::string>(), "IANA time zone of the days, instead of the campaign's")(
      "campaign", po::value<std::string>(), "only this campaign")(
      "list", po::value<std::string>(), "only this list")("interval", po::value<std::string>(),
                                                          "minutes: 15 (default), 30 or 60")(
      "format", po::value<std::string>(), "text (default), html, xlsx or json")(
      "lang", po::value<std::string>(), "en or zh; en, for daily-cn zh")(
      "out", po::value<std::string>(), "file to write; it appears whole or not at all");
  if (auto code = options.Parse(arguments)) return *code;
  if (name.empty()) return Misuse(options.usage(), "which report?");
  if (name == "list") return RunAdmin(options.ConfigPath(), "report.list", Json::object());
  Json json = Json::object();
  json["name"] = name;
  Copy(options, {"day", "from", "to", "zone", "campaign", "list", "interval", "format", "lang"},
       json);
  if (options.Has("out")) json["path"] = options.Text("out");
  return RunAdmin(options.ConfigPath(), "report", json);
}

}  // namespace outpace::runtime
