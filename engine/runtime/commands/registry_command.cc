// dnc registry: national and state do-not-call lists, kept as files of their own.

#include <nlohmann/json.hpp>

#include "engine/runtime/commands/arguments.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

}  // namespace

int RunDncRegistryCommand(const Arguments& given) {
  Arguments arguments = given;
  const std::string verb = TakeVerb(arguments);
  Options options(
      "outpace dnc registry add NAME FILE... | list | remove NAME | verify",
      "A registry is a list of numbers that is taken over as a whole: the national one, a\n"
      "state's. `add` puts the newest copy in the place of the one of that name; from then on\n"
      "its numbers are not dialed, and calls to them that nobody has answered are cancelled.\n"
      "FILE: one number a line, or area code and number as the FTC gives them out.\n\n"
      "  outpace dnc registry add us-national 2026-11-*.txt --obtained 2026-11-20\n"
      "  outpace dnc registry list\n"
      "  outpace campaign set SPRING use_dnc_registries=N     consent exempts all its calls\n");
  options.Add()("name", po::value<std::vector<std::string>>(), "name, then files")(
      "obtained", po::value<std::string>(), "day this copy was fetched; today")(
      "country", po::value<std::string>(), "home of numbers without country code")(
      "force", "add: though it is older than the copy in force, or much smaller")(
      "json", "the answer as JSON");
  options.Positional("name", -1);
  if (auto code = options.Parse(arguments)) return *code;
  if (verb != "add" && verb != "list" && verb != "remove" && verb != "verify") {
    return Misuse(options.usage(), verb.empty() ? "what shall be done?" : "no such verb: " + verb);
  }
  const std::vector<std::string> names = options.Texts("name");
  const bool fits = verb == "add"      ? names.size() >= 2
                    : verb == "remove" ? names.size() == 1
                                       : names.empty();
  if (!fits) {
    return Misuse(options.usage(), verb == "add" ? "a name and at least one file"
                                                 : "that is not how many names it takes");
  }
  Json json = Json::object();
  if (!names.empty()) json["name"] = names.front();
  for (size_t i = 1; i < names.size(); ++i) json["paths"].push_back(names[i]);
  Copy(options, {"obtained", "country"}, json);
  if (options.Has("force")) json["force"] = true;
  return PrintAnswer(AskAdmin(options.ConfigPath(), "dnc.registry." + verb, json),
                     options.Has("json"));
}

}  // namespace outpace::runtime
