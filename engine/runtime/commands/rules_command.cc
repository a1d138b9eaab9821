// dnc rules: which rules of jurisdictions there are, and what a choice of them says.

#include <nlohmann/json.hpp>

#include "absl/strings/str_split.h"
#include "engine/runtime/commands/arguments.h"
#include "engine/runtime/real_clock.h"
#include "engine/runtime/rules_text.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

// The sets that the campaign has chosen.
absl::StatusOr<std::vector<std::string>> SetsOfCampaign(const std::string& config,
                                                        const std::string& id) {
  auto answer = AskAdmin(config, "campaign.show", {{"id", id}});
  if (!answer.ok()) return answer.status();
  const std::string text = (*answer)["settings"].value("compliance", std::string());
  return std::vector<std::string>(absl::StrSplit(text, ',', absl::SkipEmpty()));
}

int Print(bool as_json, const Json& json, const std::string& text) {
  std::printf("%s", as_json ? (json.dump(2) + "\n").c_str() : text.c_str());
  return kDone;
}

}  // namespace

int RunDncRulesCommand(const Arguments& given) {
  Arguments arguments = given;
  const std::string verb = TakeVerb(arguments);
  Options options(
      "outpace dnc rules list | show SET... | show --campaign ID",
      "Rules of jurisdictions, each with its source. A campaign takes those of its setting\n"
      "`compliance`; where several speak of one thing, the stricter holds.\n\n"
      "  outpace dnc rules list\n"
      "  outpace dnc rules show us-tsr us-states\n"
      "  outpace dnc rules show --campaign DEMO\n"
      "  outpace campaign set DEMO compliance=us-tsr,us-states\n");
  options.Add()("set", po::value<std::vector<std::string>>(), "sets of rules")(
      "campaign", po::value<std::string>(), "those that this campaign has chosen")("json",
                                                                                   "as JSON");
  options.Positional("set", -1);
  if (auto code = options.Parse(arguments)) return *code;
  if (verb != "list" && verb != "show") {
    return Misuse(options.usage(), verb.empty() ? "what shall be done?" : "no such verb: " + verb);
  }
  // Without a configuration the built-in rules can be looked at all the same.
  const auto config = LoadConfig(options.ConfigPath());
  if (!config.ok() && !absl::IsNotFound(config.status())) return Fail(config.status());
  auto book = rules::RuleBook::Load(config.ok() ? config->rules_directory : std::string());
  if (!book.ok()) return Fail(book.status());
  if (verb == "list") {
    return Print(options.Has("json"), RuleListJson(*book), RuleListText(*book));
  }
  std::vector<std::string> sets = options.Texts("set");
  if (options.Has("campaign") == !sets.empty()) {
    return Misuse(options.usage(), "name sets of rules, or a campaign");
  }
  if (options.Has("campaign")) {
    auto chosen = SetsOfCampaign(options.ConfigPath(), options.Text("campaign"));
    if (!chosen.ok()) return Fail(chosen.status());
    sets = *std::move(chosen);
  }
  const auto set = rules::RuleSet::Combine(*book, sets);
  if (!set.ok()) return Fail(set.status());
  return Print(options.Has("json"), RuleSetJson(*set),
               RuleSetText(*set, absl::ToCivilDay(RealClock().Wall(), absl::UTCTimeZone())));
}

}  // namespace outpace::runtime
