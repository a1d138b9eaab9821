// filter: named filters; and `lead filter`, which says what one would do.

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/runtime/commands/arguments.h"
#include "engine/runtime/commands/options.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

constexpr char kFieldHelp[] = "a column that no load has brought yet, with its type: NAME:number";

// Who changes a filter is kept with it.
std::string LoginName() {
  const passwd* const user = ::getpwuid(::geteuid());
  return user == nullptr ? "" : user->pw_name;
}

// "registered_capital:number" texts as an object; the text that is none otherwise.
std::string ReadFields(const std::vector<std::string>& texts, Json& json) {
  for (const std::string& text : texts) {
    const size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) return text;
    json[text.substr(0, colon)] = text.substr(colon + 1);
  }
  return "";
}

}  // namespace

int RunFilterCommand(const Arguments& given) {
  Arguments arguments = given;
  const std::string verb = TakeVerb(arguments);
  Options options(
      "outpace filter list | set NAME 'EXPRESSION' | show|history|remove NAME",
      "Filters with a name, for imports, campaigns and `lead filter`. Every change is a new "
      "version,\n"
      "and all versions are kept. docs/FILTERS.md tells the language.\n\n"
      "  outpace filter set makers 'registered_capital >= 500万 and not address1 endswith \"室\"'\n"
      "  outpace filter show makers --version 2\n"
      "  outpace filter history makers\n"
      "  outpace lead filter makers --campaign DEMO --explain\n"
      "  outpace campaign set DEMO lead_filter_id=makers\n");
  options.Add()("name", po::value<std::string>(), "letters, digits, _ and -")(
      "filter", po::value<std::string>(), "set: the expression")(
      "field", po::value<std::vector<std::string>>()->composing(), kFieldHelp)(
      "version", po::value<std::string>(), "show: this version")("json", "as JSON");
  options.Positional("name", 1);
  options.Positional("filter", 1);
  if (auto code = options.Parse(arguments)) return *code;
  static const std::vector<std::string> kVerbs = {"list", "set", "show", "history", "remove"};
  if (std::find(kVerbs.begin(), kVerbs.end(), verb) == kVerbs.end()) {
    return Misuse(options.usage(), verb.empty() ? "what shall be done?" : "no such verb: " + verb);
  }
  if (verb != "list" && !options.Has("name")) {
    return Misuse(options.usage(), "which filter? see: outpace filter list");
  }
  if (verb == "set" && !options.Has("filter")) {
    return Misuse(options.usage(), "which expression? write it in single quotes");
  }
  Json json = Json::object();
  Copy(options, {"name", "filter", "version"}, json);
  json["who"] = LoginName();
  json["fields"] = Json::object();
  if (const std::string bad = ReadFields(options.Texts("field"), json["fields"]); !bad.empty()) {
    return Misuse(options.usage(), "write NAME:TYPE: " + bad);
  }
  return PrintAnswer(AskAdmin(options.ConfigPath(), "filter." + verb, json), options.Has("json"));
}

int RunLeadFilterCommand(const Arguments& arguments) {
  Options options(
      "outpace lead filter NAME|'EXPRESSION' [--campaign ID | --list LIST] [--explain]",
      "Says what a filter would do to the leads that are stored, and changes nothing. --explain: "
      "how\n"
      "many each clause drops, by itself and behind those above it, with a few leads of each.\n"
      "For a file that is not loaded: outpace import FILE --campaign ID --filter ... --dry-run\n\n"
      "  outpace lead filter 'not company contains any (\"电气\", \"电器\")' --campaign DEMO "
      "--explain\n");
  options.Add()("filter", po::value<std::string>(), "an expression, or a filter's name")(
      "campaign", po::value<std::string>(), "only leads of this campaign")(
      "list", po::value<std::string>(), "only leads of this list")(
      "version", po::value<std::string>(), "of a named filter")(
      "field", po::value<std::vector<std::string>>()->composing(), kFieldHelp)(
      "explain", "clause by clause")("json", "as JSON");
  options.Positional("filter", 1);
  if (auto code = options.Parse(arguments)) return *code;
  if (!options.Has("filter")) return Misuse(options.usage(), "which filter?");
  Json json = Json::object();
  Copy(options, {"filter", "campaign", "list", "version"}, json);
  json["explain"] = options.Has("explain");
  json["fields"] = Json::object();
  if (const std::string bad = ReadFields(options.Texts("field"), json["fields"]); !bad.empty()) {
    return Misuse(options.usage(), "write NAME:TYPE: " + bad);
  }
  return PrintAnswer(AskAdmin(options.ConfigPath(), "lead.filter", json), options.Has("json"));
}

}  // namespace outpace::runtime
