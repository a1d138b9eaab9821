// tier: what the campaign's own results say of its leads.

#include <nlohmann/json.hpp>

#include "engine/runtime/commands/arguments.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

}  // namespace

int RunTierCommand(const Arguments& given) {
  Arguments arguments = given;
  const std::string verb = TakeVerb(arguments);
  Options options(
      "outpace tier show CAMPAIGN | explain LEAD | challenge CAMPAIGN | end-trial CAMPAIGN",
      "Which leads come first, learned from the campaign's own results (tier_mode=SCORE).\n"
      "`show`: what was learned, and how much better tier A does than leads of B drawn at\n"
      "random. `explain`: why a lead is in its tier, and its best hour. `challenge`: another\n"
      "choice of fields is tried on a part of the leads and takes over when it is better.\n\n"
      "  outpace campaign set SPRING tier_mode=SCORE\n"
      "  outpace tier show SPRING\n"
      "  outpace tier explain 4711\n"
      "  outpace tier challenge SPRING --fields -city --share 50");
  options.Add()("name", po::value<std::vector<std::string>>(), "campaign, or lead")(
      "fields", po::value<std::string>(), "challenge: as the setting tier_fields")(
      "profile", po::value<std::string>(), "challenge: as the setting tier_profile")(
      "share", po::value<std::string>(), "challenge: percent of the leads, 50")(
      "json", "the answer as JSON");
  options.Positional("name", -1);
  if (auto code = options.Parse(arguments)) return *code;
  const std::map<std::string, std::string> operations = {{"show", "tier.show"},
                                                         {"explain", "tier.explain"},
                                                         {"challenge", "tier.challenge"},
                                                         {"end-trial", "tier.end_trial"}};
  const auto operation = operations.find(verb);
  if (operation == operations.end()) {
    return Misuse(options.usage(), verb.empty() ? "what shall be done?" : "no such verb: " + verb);
  }
  const std::vector<std::string> names = options.Texts("name");
  if (names.size() != 1) {
    return Misuse(options.usage(), verb == "explain" ? "one lead, by its id" : "one campaign");
  }
  Json json = {{verb == "explain" ? "lead" : "id", names.front()}};
  Copy(options, {"fields", "profile", "share"}, json);
  return PrintAnswer(AskAdmin(options.ConfigPath(), operation->second, json), options.Has("json"));
}

}  // namespace outpace::runtime
