// monitor: a supervisor listens to an agent, coaches, or breaks in.

#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/api/http_client.h"
#include "engine/runtime/commands/options.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

constexpr char kText[] =
    "Rings your phone and joins it to all that an agent hears, from call to call, until you hang\n"
    "up, stop, or the agent logs out. The phone must be in agents.phone_networks.\n"
    "  monitor   you hear both, nobody hears you\n"
    "  whisper   the agent hears you too, the customer does not\n"
    "  barge     all hear you\n\n"
    "  outpace monitor start --agent a7 --phone sip:sup1@10.1.0.9:5060\n"
    "  outpace monitor mode --id 3 --mode whisper\n"
    "  outpace monitor stop --id 3\n"
    "  outpace monitor list\n";

absl::StatusOr<Json> Ask(const std::string& config_path, const std::string& verb,
                         const Json& body) {
  auto config = LoadConfig(config_path);
  if (!config.ok()) return config.status();
  auto client = api::HttpClient::Create(absl::StrCat("unix:", config->SocketPath()));
  auto response = client->Send("POST", absl::StrCat("/v1/monitor/", verb), body.dump());
  if (!response.ok()) {
    return absl::UnavailableError(
        absl::StrCat("no engine runs on ", config->data_dir, "; start one with: outpace serve"));
  }
  Json answer = Json::parse(response->body, nullptr, false);
  if (!answer.is_object()) return absl::InternalError("the engine's answer is no JSON object");
  if (response->status / 100 == 2) return answer;
  const Json error = answer.value("error", Json::object());
  return absl::FailedPreconditionError(error.is_object()
                                           ? error.value("message", std::string("refused"))
                                           : answer.value("message", std::string("refused")));
}

void Print(const std::string& verb, const Json& answer) {
  if (verb == "start") {
    std::printf("listener %llu: your phone is rung\n",
                static_cast<unsigned long long>(answer.value("id", uint64_t{0})));
  } else if (verb == "list") {
    for (const Json& m : answer.value("monitors", Json::array())) {
      std::printf("%4llu  %-12s %-8s %s\n",
                  static_cast<unsigned long long>(m.value("id", uint64_t{0})),
                  m.value("agent", std::string()).c_str(), m.value("mode", std::string()).c_str(),
                  m.value("joined", false) ? "listening" : "ringing");
    }
  }
}

}  // namespace

int RunMonitorCommand(const Arguments& arguments) {
  Options options("outpace monitor start|mode|stop|list [options]", kText);
  options.Add()("verb", po::value<std::string>()->default_value("list"), "what to do")(
      "agent", po::value<std::string>(), "whom to listen to")("phone", po::value<std::string>(),
                                                              "your phone, sip:name@address:port")(
      "mode", po::value<std::string>()->default_value("monitor"), "monitor, whisper or barge")(
      "id", po::value<uint64_t>(), "number of the listener, as start and list say");
  options.Positional("verb", 1);
  if (auto code = options.Parse(arguments)) return *code;
  const std::string verb = options.Text("verb");
  Json body = Json::object();
  if (verb == "start") {
    if (!options.Has("agent") || !options.Has("phone")) {
      return Misuse(options.usage(), "start needs --agent and --phone");
    }
    body = {{"agent", options.Text("agent")},
            {"phone", options.Text("phone")},
            {"mode", options.Text("mode")}};
  } else if (verb == "mode" || verb == "stop") {
    if (!options.Has("id")) return Misuse(options.usage(), absl::StrCat(verb, " needs --id"));
    body = {{"id", options.Get<uint64_t>("id")}, {"mode", options.Text("mode")}};
  } else if (verb != "list") {
    return Misuse(options.usage(), "the verb is start, mode, stop or list");
  }
  const auto answer = Ask(options.ConfigPath(), verb, body);
  if (!answer.ok()) return Fail(answer.status());
  Print(verb, *answer);
  return kDone;
}

}  // namespace outpace::runtime
