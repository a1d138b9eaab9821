// list: lists of leads.

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
    "outpace list show|create|set|activate|deactivate|reset|expire|archive|unarchive [LIST]";
constexpr char kText[] =
    "LIST is a list's number or name. A list that is off, expired or archived is not dialed.\n\n"
    "  outpace list show                          all lists\n"
    "  outpace list show 101                      its leads by status, penetration\n"
    "  outpace list create spring --campaign DEMO description='trade fair'\n"
    "  outpace list set 101 name=summer expires=2026-12-31\n"
    "  outpace list deactivate 101\n"
    "  outpace list reset 101                     its leads may be dialed once more\n"
    "  outpace list expire 101 2026-12-31         its last day; `never` takes it back\n"
    "  outpace list archive 101                   off, and shown with --all only\n";

}  // namespace

int RunListCommand(const Arguments& given) {
  Arguments arguments = given;
  const std::string verb = TakeVerb(arguments);
  Options options(kUsageLine, kText);
  options.Add()("list", po::value<std::string>(), "number or name")(
      "set", po::value<std::vector<std::string>>(), "NAME=VALUE: name, description, expires")(
      "campaign", po::value<std::string>(), "create: its campaign; show: only its lists")(
      "all", "show: archived ones too")("off", "create: not dialed until it is activated")(
      "json", "as JSON");
  options.Positional("list", 1);
  options.Positional("set", -1);
  if (auto code = options.Parse(arguments)) return *code;
  Json json = Json::object();
  Copy(options, {"list", "campaign"}, json);
  const auto run = [&](const char* operation) {
    return PrintAnswer(AskAdmin(options.ConfigPath(), operation, json), options.Has("json"));
  };
  if (verb == "show" && !options.Has("list")) {
    json["all"] = options.Has("all");
    return run("list.list");
  }
  static const std::vector<std::string> kVerbs = {
      "show", "create", "set", "activate", "deactivate", "reset", "expire", "archive", "unarchive"};
  if (std::find(kVerbs.begin(), kVerbs.end(), verb) == kVerbs.end()) {
    return Misuse(options.usage(), verb.empty() ? "what shall be done?" : "no such verb: " + verb);
  }
  if (!options.Has("list")) return Misuse(options.usage(), "which list? see: outpace list show");
  if (verb == "show") return run("list.show");
  if (verb == "reset") {
    auto door = AdminDoor::Open(options.ConfigPath());
    if (!door.ok()) return Fail(door.status());
    return PrintAnswer(RunJob(**door, "list.reset.start", json), options.Has("json"));
  }
  if (verb == "activate" || verb == "deactivate") {
    json["active"] = verb == "activate";
    return run("list.active");
  }
  if (verb == "archive" || verb == "unarchive") {
    json["archived"] = verb == "archive";
    return run("list.archived");
  }
  const std::vector<std::string> words = options.Texts("set");
  json["set"] = Json::object();
  if (verb == "expire") {
    if (words.size() != 1)
      return Misuse(options.usage(), "its last day? e.g. 2026-12-31, or never");
    json["set"]["expires"] = words[0];
    return run("list.set");
  }
  if (const std::string bad = ReadPairs(words, json["set"]); !bad.empty()) {
    return Misuse(options.usage(), "write NAME=VALUE: " + bad);
  }
  if (verb == "create") {
    if (!options.Has("campaign")) return Misuse(options.usage(), "--campaign is missing");
    json["off"] = options.Has("off");
    return run("list.create");
  }
  return run("list.set");
}

}  // namespace outpace::runtime
