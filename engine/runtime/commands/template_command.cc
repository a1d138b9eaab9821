// template: how a kind of list file is read, under a name.

#include <nlohmann/json.hpp>

#include "engine/runtime/commands/arguments.h"
#include "engine/runtime/commands/options.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

constexpr char kUsageLine[] = "outpace template list | show NAME | set NAME | remove NAME";
constexpr char kText[] =
    "Whoever gets the same export every week says once how it is read. Options of `outpace "
    "import`\n"
    "win over the template's. A template can be kept as a JSON file, as `show` prints it.\n\n"
    "  outpace template set crm --encoding gb18030 --country CN --duplicates DUPCAMP30DAY \\\n"
    "      --map '注册资本=registered_capital:number' --map '内部编号=-'\n"
    "  outpace template set --from crm.json\n"
    "  outpace import export.csv --campaign DEMO --template crm\n";

}  // namespace

int RunTemplateCommand(const Arguments& given) {
  Arguments arguments = given;
  const std::string verb = TakeVerb(arguments);
  Options options(kUsageLine, kText);
  options.Add()("name", po::value<std::string>(), "of the template")(
      "from", po::value<std::string>(), "set: a JSON file, in place of the options below")(
      "description", po::value<std::string>(), "set: for people")(
      "layout", po::value<std::string>(), "set: as for import")(
      "encoding", po::value<std::string>(), "set: as for import")(
      "format", po::value<std::string>(), "set: as for import")(
      "sheet", po::value<std::string>(), "set: as for import")("country", po::value<std::string>(),
                                                               "set: as for import")(
      "separator", po::value<std::string>(), "set: , ; | or tab")(
      "duplicates", po::value<std::string>(), "set: as for import")(
      "filter", po::value<std::string>(), "set: as for import")(
      "map", po::value<std::vector<std::string>>()->composing(), "set: as for import")(
      "to", po::value<std::vector<std::string>>()->composing(), "set: as for import")("json",
                                                                                      "as JSON");
  options.Positional("name", 1);
  if (auto code = options.Parse(arguments)) return *code;
  if (verb != "list" && verb != "show" && verb != "set" && verb != "remove") {
    return Misuse(options.usage(), verb.empty() ? "what shall be done?" : "no such verb: " + verb);
  }
  Json json = Json::object();
  if (verb == "set" && options.Has("from")) {
    json["path"] = options.Text("from");
  } else if (verb == "set") {
    if (!options.Has("name")) return Misuse(options.usage(), "under which name?");
    Json given_template = {{"name", options.Text("name")}};
    Copy(
        options,
        {"description", "layout", "encoding", "format", "sheet", "country", "duplicates", "filter"},
        given_template);
    if (options.Has("separator")) {
      const std::string separator = options.Text("separator");
      given_template["separator"] = separator == "tab" ? "\t" : separator;
    }
    if (options.Has("to")) given_template["destinations"] = options.Texts("to");
    for (const std::string& pair : options.Texts("map")) {
      const size_t equals = pair.rfind('=');
      if (equals == std::string::npos)
        return Misuse(options.usage(), "write COLUMN=FIELD: " + pair);
      given_template["columns"][pair.substr(0, equals)] = pair.substr(equals + 1);
    }
    json["template"] = std::move(given_template);
  } else if (verb != "list") {
    if (!options.Has("name"))
      return Misuse(options.usage(), "which one? see: outpace template list");
    json["name"] = options.Text("name");
  }
  return PrintAnswer(AskAdmin(options.ConfigPath(), "template." + verb, json), options.Has("json"));
}

}  // namespace outpace::runtime
