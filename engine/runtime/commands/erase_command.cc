// erase: a person, by number.

#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/runtime/commands/arguments.h"
#include "engine/runtime/commands/options.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

constexpr char kUsageLine[] = "outpace erase NUMBER [--reason TEXT]";
constexpr char kText[] =
    "Erases a person: leads with the number go, calls keep their figures without number and "
    "notes,\n"
    "recordings are removed, and a keyed hash of the number stays so that it is never loaded or\n"
    "dialed again. It cannot be undone. If a call with the person is under way the number is\n"
    "blocked at once and the rest is refused: erase again when the call is over.\n\n"
    "  outpace erase '+1 202 555 0100' --reason 'request of 2026-11-20'\n";

}  // namespace

int RunEraseCommand(const Arguments& arguments) {
  Options options(kUsageLine, kText);
  options.Add()("number", po::value<std::string>(), "in any spelling")(
      "country", po::value<std::string>(), "home of a number without country code: US, GB, CN, AU")(
      "reason", po::value<std::string>()->default_value("erased on request"),
      "stays in the records of the recordings; never put the number in it")(
      "missing-ok", "even if files of recordings are gone already");
  options.Positional("number", 1);
  if (auto code = options.Parse(arguments)) return *code;
  if (!options.Has("number")) return Misuse(options.usage(), "whose number?");
  Json json = Json::object();
  Copy(options, {"number", "country"}, json);
  const auto blocked = AskAdmin(options.ConfigPath(), "erase.block", json);
  if (!blocked.ok()) return Fail(blocked.status());
  std::fputs(blocked->value("text", std::string()).c_str(), stdout);

  // Recordings of the number, and of the person's leads under whatever number they were rung.
  Arguments erase = {"erase", "--config", options.ConfigPath(), "--reason", options.Text("reason")};
  if (options.Has("missing-ok")) erase.push_back("--missing-ok");
  Arguments by_number = erase;
  by_number.insert(by_number.end(), {"--number", options.Text("number")});
  if (options.Has("country")) {
    by_number.insert(by_number.end(), {"--country", options.Text("country")});
  }
  if (const int code = RunRecordingCommand(by_number); code != kDone) return code;
  for (const Json& lead : blocked->at("leads")) {
    Arguments by_lead = erase;
    by_lead.insert(by_lead.end(), {"--lead", absl::StrCat(lead.get<uint64_t>())});
    if (const int code = RunRecordingCommand(by_lead); code != kDone) return code;
  }
  return RunAdmin(options.ConfigPath(), "erase.person", json);
}

}  // namespace outpace::runtime
