// dedup: leads that are one person or company, though written differently.

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
    "outpace dedup run --campaign X [--merge] | apply REVIEW.csv | history | undo NUMBER";
constexpr char kText[] =
    "Finds leads that are one person or company, though written differently. `run` changes "
    "nothing\n"
    "unless --merge is given; doubtful pairs go to a file for a person to decide. Merged leads "
    "stay\n"
    "in the store and every merge can be undone. docs/MATCHING.md tells how pairs are judged.\n\n"
    "  outpace dedup run --campaign DEMO --to review.csv          look first\n"
    "  outpace dedup run --campaign DEMO --merge                  merge what is surely the same\n"
    "  outpace dedup run --campaign DEMO --import 7 --merge       a new file against the campaign\n"
    "  outpace dedup apply review.csv                             after the decisions are filled "
    "in\n"
    "  outpace dedup history --lead 4711\n"
    "  outpace dedup undo 12\n";

int Run(const Options& options) {
  if (!options.Has("campaign")) return Misuse(options.usage(), "--campaign is missing");
  Json json = Json::object();
  Copy(options, {"campaign", "list", "import", "kind", "same", "review"}, json);
  if (options.Has("to")) json["path"] = options.Text("to");
  json["merge"] = options.Has("merge");
  auto door = AdminDoor::Open(options.ConfigPath());
  if (!door.ok()) return Fail(door.status());
  auto answer = RunJob(**door, "dedup.start", json);
  if (answer.ok()) answer->erase("job");
  return PrintAnswer(answer, options.Has("json"));
}

}  // namespace

int RunDedupCommand(const Arguments& given) {
  Arguments arguments = given;
  const std::string verb = TakeVerb(arguments);
  Options options(kUsageLine, kText);
  options.Add()("what", po::value<std::string>(),
                "apply: the review file; undo: the merge's number")(
      "campaign", po::value<std::string>(), "run: whose leads")("list", po::value<std::string>(),
                                                                "run: only the leads of this list")(
      "import", po::value<std::string>(), "run: only what has a lead of this import in it")(
      "kind", po::value<std::string>(), "run: person or company; by default what most leads are")(
      "same", po::value<std::string>(),
      "run: score from which two are the same; else the campaign's dedup_same")(
      "review", po::value<std::string>(),
      "run: score from which a person decides; else the campaign's dedup_review")(
      "to", po::value<std::string>(), "run: write the doubtful pairs to this file")(
      "merge", "run: merge what is the same")("last", po::value<std::string>(),
                                              "history: how many, 20 by default")(
      "lead", po::value<std::string>(), "history: only merges with this lead")(
      "json", "the report as JSON");
  options.Positional("what", 1);
  if (auto code = options.Parse(arguments)) return *code;
  if (verb == "run") return Run(options);
  Json json = Json::object();
  if (verb == "history") {
    Copy(options, {"last", "lead"}, json);
  } else if (verb == "apply" || verb == "undo") {
    if (!options.Has("what")) {
      return Misuse(options.usage(), verb == "apply" ? "which review file?" : "which merge?");
    }
    json[verb == "apply" ? "path" : "merge"] = options.Text("what");
  } else {
    return Misuse(options.usage(), verb.empty() ? "what shall be done?" : "no such verb: " + verb);
  }
  return PrintAnswer(AskAdmin(options.ConfigPath(), "dedup." + verb, json), options.Has("json"));
}

}  // namespace outpace::runtime
