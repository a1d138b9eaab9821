// import: loads a list file, shows imports of the past, takes one back.

#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/runtime/commands/admin_door.h"
#include "engine/runtime/commands/arguments.h"
#include "engine/runtime/commands/options.h"
#include "engine/runtime/commands/progress.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

constexpr char kUsageLine[] =
    "outpace import FILE --campaign ID [--list NAME] | list | show N | undo N";
constexpr char kText[] =
    "Loads a list of leads: normalises numbers, drops duplicates, do-not-call numbers and what "
    "the\n"
    "filter leaves out, and accounts for every row. All or nothing: a load that is cancelled or\n"
    "killed leaves nothing behind, and the same file again changes nothing. May be run while the\n"
    "engine dials. docs/IMPORTING.md tells it all.\n\n"
    "  outpace import leads.csv --campaign DEMO --list november --rejects left-out.csv\n"
    "  outpace import leads.csv --campaign DEMO --dry-run         the whole report, nothing "
    "stored\n"
    "  outpace import 名单.csv --campaign DEMO --country CN --map "
    "'注册资本=registered_capital:number'\n"
    "  outpace import list                                        imports of the past\n"
    "  outpace import undo 7                                      takes a whole file back\n\n"
    "Exit code: 0 loaded (rows may have been left out: read the report), 1 nothing was loaded,\n"
    "2 wrong usage.\n";

// A job's answer without what only its starter needed.
int Print(absl::StatusOr<Json> answer, bool as_json) {
  if (answer.ok()) answer->erase("job");
  return PrintAnswer(answer, as_json);
}

int Load(const Options& options) {
  if (!options.Has("file")) return Misuse(options.usage(), "which file?");
  if (!options.Has("campaign")) return Misuse(options.usage(), "--campaign is missing");
  Json json = {{"path", options.Text("file")}, {"list", "default"}};
  Copy(options,
       {"campaign", "list", "layout", "encoding", "sheet", "format", "country", "template",
        "duplicates", "filter", "rejects"},
       json);
  json["no_scrub"] = options.Has("no-scrub");
  json["dry_run"] = options.Has("dry-run");
  json["again"] = options.Has("again");
  json["hold"] = options.Has("hold");
  json["destinations"] = options.Texts("to");
  json["map"] = Json::object();
  for (const std::string& pair : options.Texts("map")) {
    const size_t equals = pair.rfind('=');
    if (equals == std::string::npos) return Misuse(options.usage(), "write COLUMN=FIELD: " + pair);
    json["map"][pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  auto door = AdminDoor::Open(options.ConfigPath());
  if (!door.ok()) return Fail(door.status());
  return Print(RunJob(**door, "import.start", json), options.Has("json"));
}

int Undo(const Options& options) {
  if (!options.Has("file"))
    return Misuse(options.usage(), "which import? see: outpace import list");
  auto door = AdminDoor::Open(options.ConfigPath());
  if (!door.ok()) return Fail(door.status());
  return Print(RunJob(**door, "import.undo.start", {{"import", options.Text("file")}}),
               options.Has("json"));
}

}  // namespace

int RunImportCommand(const Arguments& given) {
  Arguments arguments = given;
  std::string verb;
  if (!arguments.empty() &&
      (arguments[0] == "list" || arguments[0] == "show" || arguments[0] == "undo")) {
    verb = TakeVerb(arguments);
  }
  Options options(kUsageLine, kText);
  options.Add()("file", po::value<std::string>(), "the list file; of show and undo: the import")(
      "campaign", po::value<std::string>(), "campaign that dials the list")(
      "list", po::value<std::string>(), "name or number of the list; made when new")(
      "layout", po::value<std::string>(),
      "auto, header, or VICIdial's: standard, stdrankowner, minicsv, ...")(
      "encoding", po::value<std::string>(), "auto, utf-8, gb18030, windows-1252, ...")(
      "format", po::value<std::string>(), "auto, csv or xlsx")("sheet", po::value<std::string>(),
                                                               "of an Excel file: name or number")(
      "country", po::value<std::string>(), "home of numbers without country code: US, GB, CN, AU")(
      "template", po::value<std::string>(), "a saved set of options: outpace template list")(
      "map", po::value<std::vector<std::string>>()->composing(),
      "COLUMN=FIELD[:text|number|date|flag], e.g. 'Tel privat=phone_number'")(
      "duplicates", po::value<std::string>(),
      "none, list, campaign, system; or DUPLIST, DUPCAMP30DAY, DUPSYSALT, DUPNAMEPHONELIST, ...")(
      "filter", po::value<std::string>(), "an expression (docs/FILTERS.md), or a saved one's name")(
      "to", po::value<std::vector<std::string>>()->composing(),
      "calling code that may be dialed, e.g. 86; other numbers are rejected")(
      "rejects", po::value<std::string>(), "write the rows left out here, each with its reason")(
      "dry-run", "the whole report, and nothing is stored")("again",
                                                            "load the very same file once more")(
      "hold", "store nothing if encoding or columns had to be guessed")(
      "last", po::value<std::string>(), "list: only so many, the latest")(
      "no-scrub", "load do-not-call numbers too (they are never dialed)")("json",
                                                                          "the report as JSON");
  options.Positional("file", 1);
  if (auto code = options.Parse(arguments)) return *code;
  if (verb.empty()) return Load(options);
  if (verb == "undo") return Undo(options);
  Json json = Json::object();
  Copy(options, {"campaign", "last"}, json);
  if (verb == "show") {
    if (!options.Has("file")) {
      return Misuse(options.usage(), "which import? see: outpace import list");
    }
    json["import"] = options.Text("file");
  }
  return Print(AskAdmin(options.ConfigPath(), "import." + verb, json), options.Has("json"));
}

}  // namespace outpace::runtime
