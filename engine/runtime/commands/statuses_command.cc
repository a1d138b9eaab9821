// status list, set, remove, check, export, import, copy: what statuses mean and do.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/runtime/commands/arguments.h"
#include "engine/runtime/commands/options.h"

namespace outpace::runtime {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

bool IsStatusesVerb(const Arguments& arguments) {
  return !arguments.empty() && !arguments[0].empty() && arguments[0][0] != '-';
}

int RunStatusesCommand(const Arguments& given) {
  Arguments arguments = given;
  const std::string verb = TakeVerb(arguments);
  Options options(
      "outpace status list|check | set STATUS COLUMN=VALUE ... | remove STATUS | export|import "
      "FILE | copy --from C1 --to C2",
      "What the statuses of a campaign mean and what each does next. Without --campaign: those "
      "that\n"
      "every campaign has. Changes take force at once. docs/STATUSES.md tells the columns.\n\n"
      "  outpace status list --campaign DEMO\n"
      "  outpace status set HOT --campaign DEMO name='Hot lead' name_zh=高意向 hotkey=h \\\n"
      "      flags=selectable,human_answered,customer_contact delay=7200 tries=2 tier=A\n"
      "  outpace status set NA --campaign DEMO next=alt then=MAXCAL\n"
      "  outpace status export statuses.csv --campaign DEMO\n"
      "  outpace status import statuses.csv --campaign DEMO --dry-run\n"
      "`outpace status` alone prints the live figures of the running engine.\n");
  options.Add()("argument", po::value<std::vector<std::string>>(), "the status or file, and cells")(
      "campaign", po::value<std::string>(), "of this campaign")(
      "from", po::value<std::string>(), "copy: from this campaign")("to", po::value<std::string>(),
                                                                    "copy: to this campaign")(
      "own", "export: only what the campaign has of its own")(
      "replace", "import: the campaign has of its own only what the file says")(
      "dry-run", "import: check, and change nothing")("json", "as JSON");
  options.Positional("argument", -1);
  if (auto code = options.Parse(arguments)) return *code;
  static const std::vector<std::string> kVerbs = {"list",   "check",  "set", "remove",
                                                  "export", "import", "copy"};
  if (std::find(kVerbs.begin(), kVerbs.end(), verb) == kVerbs.end()) {
    return Misuse(options.usage(), "no such verb: " + verb);
  }
  std::vector<std::string> words = options.Texts("argument");
  const bool takes_word = verb == "set" || verb == "remove" || verb == "export" || verb == "import";
  if (takes_word == words.empty() || (words.size() > 1 && verb != "set")) {
    return Misuse(options.usage(), takes_word ? "which status, or file?" : "that is too much");
  }
  if ((verb == "set" || verb == "remove" || verb == "import") && !options.Has("campaign")) {
    return Misuse(options.usage(), "of which campaign? give --campaign ID");
  }
  if (verb == "copy" && (!options.Has("from") || !options.Has("to"))) {
    return Misuse(options.usage(), "from which campaign, to which?");
  }
  Json json = Json::object();
  Copy(options, {"campaign", "from", "to"}, json);
  for (const auto& [name, flag] : {std::pair("own", "own"), std::pair("replace", "replace"),
                                   std::pair("dry-run", "dry_run")}) {
    if (options.Has(name)) json[flag] = true;
  }
  if (takes_word) {
    const bool file = verb == "export" || verb == "import";
    json[file ? "path" : "status"] = words[0];
    words.erase(words.begin());
  }
  if (verb == "set") {
    json["set"] = Json::object();
    if (const std::string bad = ReadPairs(words, json["set"]); !bad.empty()) {
      return Misuse(options.usage(), "write COLUMN=VALUE: " + bad);
    }
  }
  return PrintAnswer(AskAdmin(options.ConfigPath(), "status." + verb, json), options.Has("json"));
}

}  // namespace outpace::runtime
