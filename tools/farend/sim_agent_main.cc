#include <atomic>
#include <boost/program_options.hpp>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tools/farend/phone.h"
#include "tools/farend/signals.h"
#include "tools/farend/sim_agent.h"

namespace outpace::farend {
namespace {

namespace po = boost::program_options;

constexpr char kHelp[] =
    R"(outpace agent --simulate N: agents made of software, for trying the dialer.

Each logs in with its own name (sim1, sim2, ...), has a telephone of its own that the
dialer rings, takes calls, talks for a while, hangs up, and says what came of it. If
the dialer dies they come back to it. Users with these names must exist; the demo
makes them.

Example:
  outpace agent --simulate 20 --url http://127.0.0.1:8080 --campaign DEMO \
      --password secret --log agents.jsonl

The log (--log) is one JSON object a line; docs/CARRIER.md explains its fields.
SIGTERM, Ctrl-C or --duration end it: the agents finish, log out and go home.
)";

struct Arguments {
  int agents = 0;
  int first = 1;
  std::string url;
  std::string user_prefix;
  std::string address;
  std::string voice;
  std::string weights;
  std::string log;
  double duration_s = 0;
  SimAgentOptions agent;
};

absl::Status ParseWeights(const std::string& text,
                          std::vector<std::pair<std::string, double>>* out) {
  for (const absl::string_view item : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::vector<std::string> parts = absl::StrSplit(item, '=');
    double weight = 0;
    if (parts.size() != 2 || parts[0].empty() || !absl::SimpleAtod(parts[1], &weight) ||
        !(weight > 0) || !std::isfinite(weight)) {
      return absl::InvalidArgumentError(
          "--dispositions: want STATUS=weight,..., weights above 0, e.g. SALE=5,NI=60");
    }
    out->emplace_back(parts[0], weight);
  }
  if (out->empty()) return absl::InvalidArgumentError("--dispositions: empty; e.g. SALE=5,NI=60");
  return absl::OkStatus();
}

// Returns an exit code, or -1 to go on.
int ParseArguments(const std::vector<std::string>& args, Arguments* out) {
  SimAgentOptions& agent = out->agent;
  po::options_description options("Options");
  options.add_options()("help,h", "this text")(
      "simulate", po::value(&out->agents)->default_value(1), "number of agents, 1 to 1000")(
      "url", po::value(&out->url)->default_value("http://127.0.0.1:8080"),
      "the dialer's HTTP door")("campaign", po::value(&agent.campaign)->default_value("DEMO"),
                                "campaign to work for")(
      "user-prefix", po::value(&out->user_prefix)->default_value("sim"), "user names begin so")(
      "first", po::value(&out->first)->default_value(1), "number of the first user")(
      "password", po::value(&agent.password)->default_value("sim"), "password of all of them")(
      "talk-mean", po::value(&agent.talk_mean_s)->default_value(25), "mean talk time, seconds")(
      "talk-cv", po::value(&agent.talk_cv)->default_value(0.7), "its coefficient of variation")(
      "wrap-mean", po::value(&agent.wrap_mean_s)->default_value(3), "mean wrap-up time, seconds")(
      "wrap-cv", po::value(&agent.wrap_cv)->default_value(0.5), "its coefficient of variation")(
      "dispositions",
      po::value(&out->weights)->default_value("NI=45,CALLBK=15,A=10,NP=12,DEC=8,SALE=8,DNC=2"),
      "what calls end in, with weights")("seed", po::value(&agent.seed)->default_value(1),
                                         "seed of talk times and dispositions")(
      "address", po::value(&out->address)->default_value("127.0.0.1"),
      "IPv4 address of the telephones")("voice", po::value(&out->voice)->default_value("silence"),
                                        "what agents say: silence, human, music or a WAV file")(
      "log", po::value(&out->log), "JSON-lines log to append to; - is standard output")(
      "duration", po::value(&out->duration_s)->default_value(0),
      "seconds to run; 0 runs until a signal");
  po::variables_map values;
  try {
    po::store(po::command_line_parser(args).options(options).run(), values);
    po::notify(values);
  } catch (const po::error& error) {
    std::cerr << "outpace agent: " << error.what() << "; see outpace agent --simulate 1 --help\n";
    return 2;
  }
  if (values.count("help") > 0) {
    std::cout << kHelp << "\n" << options;
    return 0;
  }
  std::string wrong;
  if (out->agents < 1 || out->agents > 1000) wrong = "--simulate: want 1 to 1000 agents";
  if (!absl::StartsWith(out->url, "http://")) wrong = "--url: want http://address:port";
  if (agent.talk_mean_s <= 0 || agent.wrap_mean_s < 0 || agent.talk_cv < 0 || agent.wrap_cv < 0) {
    wrong = "--talk-mean must be above 0, the other times 0 or more";
  }
  if (!ParseAddress(out->address).ok()) wrong = "--address: want an IPv4 address";
  const absl::Status weights = ParseWeights(out->weights, &agent.dispositions);
  if (!weights.ok()) wrong = std::string(weights.message());
  if (wrong.empty()) return -1;
  std::cerr << "outpace agent: " << wrong << "\n";
  return 2;
}

ServerDoor DoorOf(const std::string& url) {
  ServerDoor door;
  door.http = [url] { return api::HttpClient::Create(url, absl::Seconds(10)); };
  door.events = [url](const std::string& token, api::WebSocketClient::Callbacks callbacks) {
    return api::WebSocketClient::Connect(
        absl::StrCat("ws://", url.substr(7), "/v1/agent/events?token=", token),
        std::move(callbacks));
  };
  return door;
}

}  // namespace

int RunSimulatedAgents(const std::vector<std::string>& args) {
  Arguments arguments;
  const int code = ParseArguments(args, &arguments);
  if (code >= 0) return code;
  RaiseFileLimit();
  const auto voice = LoadClip(arguments.voice);
  if (!voice.ok()) {
    std::cerr << "outpace agent: " << voice.status().message() << "\n";
    return 2;
  }
  SignalWatch signals;  // before any thread, so that all of them leave the signals to us
  auto log = EventLog::Open(arguments.log);
  if (!log.ok()) {
    std::cerr << "outpace agent: " << log.status().message() << "\n";
    return 1;
  }
  const uint32_t address = *ParseAddress(arguments.address);
  Reactor reactor;
  RtpEngine rtp(reactor, address, arguments.agent.seed);
  std::vector<std::unique_ptr<SimAgent>> agents(static_cast<size_t>(arguments.agents));
  std::vector<std::unique_ptr<Phone>> phones;
  for (size_t i = 0; i < agents.size(); ++i) {
    SimAgentOptions options = arguments.agent;
    options.user = absl::StrCat(arguments.user_prefix, static_cast<size_t>(arguments.first) + i);
    auto phone = Phone::Create(
        reactor, rtp, address, options.user, *voice, arguments.agent.seed * 1000 + i,
        {.on_audio = [&agent = agents[i]](absl::Time at) { agent->OnAudio(at); }, .on_line = {}});
    if (!phone.ok()) {
      std::cerr << "outpace agent: " << phone.status().message() << "\n";
      return 1;
    }
    options.phone = (*phone)->uri();
    phones.push_back(*std::move(phone));
    agents[i] = std::make_unique<SimAgent>(std::move(options), DoorOf(arguments.url),
                                           reactor.clock(), **log);
  }
  std::printf("agents: %d working for %s at %s\n", arguments.agents,
              arguments.agent.campaign.c_str(), arguments.url.c_str());
  std::fflush(stdout);

  const auto stop_all = [&agents] {
    for (const auto& agent : agents) agent->Stop();
  };
  signals.Attach(reactor, stop_all);
  if (arguments.duration_s > 0) {
    reactor.After(absl::Seconds(arguments.duration_s), stop_all);
  }
  // The telephones ring on until the last agent has logged out, so that the dialer's BYEs are
  // answered.
  std::atomic<size_t> working{agents.size()};
  std::vector<std::thread> threads;
  for (const auto& agent : agents) {
    threads.emplace_back([&agent, &working, &reactor] {
      agent->Run();
      if (working.fetch_sub(1) == 1) {
        // Half a second more for the last BYEs.
        if (!reactor.Post([&reactor] {
              reactor.After(absl::Milliseconds(500), [&reactor] { reactor.Stop(); });
            })) {
          reactor.Stop();
        }
      }
    });
  }
  reactor.Run();
  for (std::thread& thread : threads) thread.join();
  std::printf("agents: all logged out\n");
  std::fflush(stdout);
  return 0;
}

}  // namespace outpace::farend
