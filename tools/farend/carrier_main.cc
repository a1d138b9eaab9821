#include <sys/resource.h>

#include <boost/program_options.hpp>
#include <cstdio>
#include <iostream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "tools/farend/carrier.h"
#include "tools/farend/signals.h"

namespace outpace::farend {
namespace {

namespace po = boost::program_options;

constexpr char kHelp[] =
    R"(outpace carrier: a telephone network with people in it, for trying the dialer.

It answers SIP calls on one UDP port the way a scenario says: some numbers are picked
up by a person, some by a machine, some ring until the caller gives up, some are busy,
vacant or switched off. The same seed and number always give the same fate. Point a
trunk of the dialer at it; nothing leaves this computer unless you listen on another
address than 127.0.0.1.

Examples:
  outpace carrier
      Listens on 127.0.0.1:5070 with the built-in scenario.
  outpace carrier --listen 127.0.0.1:0 --scenario demo.toml --log carrier.jsonl
      Takes any free port and prints it in the first line; logs every call.

The log (--log) is one JSON object a line; docs/CARRIER.md explains its fields and
the scenario file. SIGTERM, Ctrl-C or --duration end it with a summary.
)";

struct Arguments {
  Endpoint listen;
  std::string scenario;
  std::string log;
  double duration_s = 0;
  double sip_loss = 0;
  uint64_t seed = 0;
  bool has_seed = false;
};

// Returns an exit code, or -1 to go on.
int ParseArguments(const std::vector<std::string>& args, Arguments* out) {
  std::string listen;
  po::options_description options("Options");
  options.add_options()("help,h", "this text")(
      "listen", po::value(&listen)->default_value("127.0.0.1:5070"),
      "IPv4 address and UDP port; port 0 takes any free one")(
      "scenario", po::value(&out->scenario), "TOML file; without it a built-in one")(
      "log", po::value(&out->log), "JSON-lines log to append to; - is standard output")(
      "seed", po::value(&out->seed), "in place of the scenario's seed")(
      "duration", po::value(&out->duration_s)->default_value(0),
      "seconds to run; 0 runs until a signal")(
      "print-port", "prints the port; kept for scripts, as the first line always says it")(
      "sip-loss", po::value(&out->sip_loss)->default_value(0),
      "share of SIP datagrams to drop each way, 0 to 1");
  po::variables_map values;
  try {
    po::store(po::command_line_parser(args).options(options).run(), values);
    po::notify(values);
  } catch (const po::error& error) {
    std::cerr << "outpace carrier: " << error.what() << "; see outpace carrier --help\n";
    return 2;
  }
  if (values.count("help") > 0) {
    std::cout << kHelp << "\n" << options;
    return 0;
  }
  const auto endpoint = ParseEndpoint(listen);
  if (!endpoint.ok()) {
    std::cerr << "outpace carrier: --listen: " << endpoint.status().message() << "\n";
    return 2;
  }
  if (out->sip_loss < 0 || out->sip_loss > 1 || out->duration_s < 0) {
    std::cerr << "outpace carrier: --sip-loss wants 0 to 1, --duration 0 or more\n";
    return 2;
  }
  out->listen = *endpoint;
  out->has_seed = values.count("seed") > 0;
  return -1;
}

void SummaryEvery(Reactor& reactor, Carrier& carrier, absl::Duration period) {
  reactor.After(period, [&reactor, &carrier, period] {
    carrier.WriteSummary();
    SummaryEvery(reactor, carrier, period);
  });
}

}  // namespace

int RunCarrier(const std::vector<std::string>& args) {
  Arguments arguments;
  const int code = ParseArguments(args, &arguments);
  if (code >= 0) return code;
  RaiseFileLimit();
  Scenario scenario = Scenario::Default();
  if (!arguments.scenario.empty()) {
    auto loaded = Scenario::Load(arguments.scenario);
    if (!loaded.ok()) {
      std::cerr << "outpace carrier: " << loaded.status().message() << "\n";
      return 2;
    }
    scenario = *std::move(loaded);
  }
  if (arguments.has_seed) scenario.set_seed(arguments.seed);
  SignalWatch signals;  // before the log's thread, which inherits the blocked signals
  auto log = EventLog::Open(arguments.log);
  if (!log.ok()) {
    std::cerr << "outpace carrier: " << log.status().message() << "\n";
    return 1;
  }
  Reactor reactor;
  auto carrier =
      Carrier::Create(reactor, std::move(scenario),
                      {.listen = arguments.listen, .sip_loss = arguments.sip_loss}, **log);
  if (!carrier.ok()) {
    std::cerr << "outpace carrier: " << carrier.status().message() << "\n";
    return 1;
  }
  std::printf("carrier: listening on %s\n", ToString((*carrier)->local()).c_str());
  std::fflush(stdout);
  signals.Attach(reactor, [&reactor] { reactor.Stop(); });
  reactor.OnBatchEnd([&log] { (*log)->Flush(); });
  SummaryEvery(reactor, **carrier, absl::Seconds(10));
  if (arguments.duration_s > 0) {
    reactor.After(absl::Seconds(arguments.duration_s), [&reactor] { reactor.Stop(); });
  }
  reactor.Run();
  (*carrier)->WriteSummary();
  // Not into the log, if that is standard output.
  std::fputs((*carrier)->SummaryText().c_str(), arguments.log == "-" ? stderr : stdout);
  std::fflush(stdout);
  return 0;
}

}  // namespace outpace::farend
