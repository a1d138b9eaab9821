// erase: a person, by number.

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/runtime/commands/admin_door.h"
#include "engine/runtime/commands/arguments.h"
#include "engine/runtime/commands/options.h"
#include "engine/runtime/commands/progress.h"

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
    "blocked at once and the rest is refused: erase again when the call is over. While an import "
    "is\n"
    "under way the rest waits for its end.\n\n"
    "  outpace erase '+1 202 555 0100' --reason 'request of 2026-11-20'\n";

// Removes the files of recordings, by number and by lead, since a lead may have been rung under
// another number. Where there is no directory and no record there is nothing to remove.
int EraseRecordings(const Options& options, const Json& number, const Json& leads) {
  auto config = LoadConfig(options.ConfigPath());
  if (!config.ok()) return Fail(config.status());
  const bool no_files = !std::filesystem::exists(config->RecordingsPath());
  std::vector<Json> queries = {number};
  for (const Json& lead : leads) queries.push_back({{"lead", absl::StrCat(lead.get<uint64_t>())}});
  for (Json& query : queries) {
    query["without_erased"] = true;
    auto known = AskAdmin(options.ConfigPath(), "recording.list", query);
    if (!known.ok()) return Fail(known.status());
    if (no_files && known->at("recordings").empty()) continue;
    Arguments erase = {"erase", "--config", options.ConfigPath(), "--reason",
                       options.Text("reason")};
    if (options.Has("missing-ok")) erase.push_back("--missing-ok");
    for (const char* name : {"number", "country", "lead"}) {
      if (!query.contains(name)) continue;
      erase.push_back(absl::StrCat("--", name));
      erase.push_back(query[name].get<std::string>());
    }
    if (const int code = RunRecordingCommand(erase); code != kDone) return code;
  }
  return kDone;
}

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
  const auto found = AskAdmin(options.ConfigPath(), "erase.leads", json);
  if (!found.ok()) return Fail(found.status());
  if (const int code = EraseRecordings(options, json, found->at("leads")); code != kDone) {
    return code;
  }
  auto door = AdminDoor::Open(options.ConfigPath());
  if (!door.ok()) return Fail(door.status());
  return PrintAnswer(AskWhenIdle(**door, "erase.person", json), false);
}

}  // namespace outpace::runtime
