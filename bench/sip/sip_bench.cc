// What a call costs: the bare SIP stack, the engine with one leg a call, and the engine with each
// call bridged to an agent, on the same work and against the same far end, in one table.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bench/sip/nta_client.h"
#include "bench/sip/process.h"
#include "bench/sip/row.h"
#include "bench/sip/runs.h"

namespace outpace::bench {
namespace {

constexpr char kUsage[] =
    R"(Usage: sip_bench [options]: CPU, memory and set-up time of a call, engine beside bare stack.
  --rates 50,500,3000   calls a second
  --seconds 20          of measurement a row (60 for the record)
  --runs 1              runs a row; the table has medians (3 for the record)
  --only WHAT           rows with WHAT in their name: nta, one-leg, bridged; comma for several
  --ring-ms 400  --hold-ms 2000
  --csv FILE            the table as CSV too
  --engine PATH         the outpace program
  --media LINE          a line for the engine's [media], e.g. 'rtcp = "off"'
  --held N              hold N calls first, for the memory of each once their set-up is over
  --flood N             N messages a second of strangers during the window (5000)
  --blackhole N         N calls a second on a second trunk that answers nothing (one-leg)
  --perf FILE           perf record of the window (one row at a time)
  --agents-per-cps 1.15  --fds-per-leg 2  --port-rest 5   what the engine needs for a rate
  --quick               a few seconds at 20 calls/s: does the bench itself work
Exit code 1: a call failed, or a row could not be measured.
)";

struct Options {
  RunOptions run;
  std::vector<double> rates = {50, 500, 3'000};
  std::vector<std::string> only;
  int runs = 1;
  std::string csv;
};

std::string OwnPath() {
  char path[4'096];
  const ssize_t n = ::readlink("/proc/self/exe", path, sizeof path);
  return n > 0 ? std::string(path, static_cast<size_t>(n)) : "";
}

[[noreturn]] void Usage(const std::string& why) {
  std::fprintf(stderr, "%s\n%s", why.c_str(), kUsage);
  std::exit(2);
}

Options Parse(int count, char** arguments) {
  Options options;
  options.run.self = OwnPath();
  const char* engine = std::getenv("OUTPACE_BINARY");
  options.run.engine = engine != nullptr && *engine != '\0' ? engine : OUTPACE_BINARY;
  for (int i = 1; i < count; ++i) {
    const std::string name = arguments[i];
    if (name == "--help") {
      std::printf("%s", kUsage);
      std::exit(0);
    }
    if (name == "--quick") {
      options.rates = {20};
      options.run.seconds = 1;
      options.run.ring_ms = 350;
      options.run.hold_ms = 200;
      continue;
    }
    if (i + 1 >= count) Usage(absl::StrCat("no value, or not known: ", name));
    const std::string value = arguments[++i];
    const auto number = [&] {
      double parsed = 0;
      if (!absl::SimpleAtod(value, &parsed) || parsed <= 0) {
        Usage(absl::StrCat(name, " must be a number above 0"));
      }
      return parsed;
    };
    if (name == "--rates") {
      options.rates.clear();
      for (const auto& rate : absl::StrSplit(value, ',')) {
        double parsed = 0;
        if (!absl::SimpleAtod(rate, &parsed) || parsed <= 0) Usage("--rates: numbers, by commas");
        options.rates.push_back(parsed);
      }
    } else if (name == "--seconds") {
      options.run.seconds = number();
    } else if (name == "--runs") {
      options.runs = static_cast<int>(number());
    } else if (name == "--only") {
      options.only = absl::StrSplit(value, ',');
    } else if (name == "--ring-ms") {
      options.run.ring_ms = static_cast<int>(number());
    } else if (name == "--hold-ms") {
      options.run.hold_ms = static_cast<int>(number());
    } else if (name == "--csv") {
      options.csv = value;
    } else if (name == "--engine") {
      options.run.engine = value;
    } else if (name == "--perf") {
      options.run.perf = value;
    } else if (name == "--held") {
      options.run.held = static_cast<int>(number());
    } else if (name == "--flood") {
      options.run.flood = static_cast<int>(number());
    } else if (name == "--blackhole") {
      options.run.silent = number();
    } else if (name == "--media") {
      options.run.more_media = absl::StrCat(value, "\n");
    } else if (name == "--agents-per-cps") {
      options.run.agents_per_cps = number();
    } else if (name == "--fds-per-leg") {
      options.run.fds_per_leg = static_cast<int>(number());
    } else if (name == "--port-rest") {
      options.run.port_rest_s = number();
    } else {
      Usage(absl::StrCat("not known: ", name));
    }
  }
  return options;
}

bool Wanted(const Options& options, const std::string& system) {
  return options.only.empty() ||
         std::any_of(options.only.begin(), options.only.end(), [&](const std::string& what) {
           return system.find(what) != std::string::npos;
         });
}

int Main(const Options& options) {
  struct System {
    const char* name;
    absl::StatusOr<Row> (*run)(const RunOptions&);
  };
  constexpr System kSystems[] = {
      {"bare nta", RunNta}, {"engine one-leg", RunOneLeg}, {"engine bridged", RunBridged}};
  const std::string machine = MachineText();
  std::printf("%s", machine.c_str());
  std::vector<Row> rows;
  bool bad = false;
  for (const System& system : kSystems) {
    if (!Wanted(options, system.name)) continue;
    for (const double rate : options.rates) {
      RunOptions run = options.run;
      run.rate = rate;
      std::vector<Row> results;
      for (int i = 0; i < options.runs; ++i) {
        std::fprintf(stderr, "%s, %g calls/s, run %d of %d\n", system.name, rate, i + 1,
                     options.runs);
        absl::StatusOr<Row> row = system.run(run);
        if (!row.ok()) {
          std::fprintf(stderr, "%s, %g calls/s: %s\n", system.name, rate,
                       std::string(row.status().message()).c_str());
          bad = true;
          break;
        }
        std::fprintf(stderr, "%s", TableText({*row}).c_str());
        results.push_back(*std::move(row));
      }
      if (results.empty()) continue;
      rows.push_back(Median(results));
      bad |= rows.back().failures > 0;
    }
  }
  std::printf("%s\nCPU us a call by thread:\n%s", TableText(rows).c_str(),
              ThreadText(rows).c_str());
  std::printf(
      "setup: INVITE at the far end to its ACK, less the ring time, in ms; peak/1s: most INVITEs "
      "in "
      "any second at the far end.\n");
  if (!options.csv.empty()) WriteFile(options.csv, TableCsv(rows));
  return bad ? 1 : 0;
}

}  // namespace
}  // namespace outpace::bench

int main(int count, char** arguments) {
  using namespace outpace::bench;
  if (count == 5 && std::strcmp(arguments[1], "--child-nta") == 0) {
    NtaClientOptions options;
    int port = 0;
    if (!absl::SimpleAtoi(arguments[2], &port) || !absl::SimpleAtod(arguments[3], &options.rate) ||
        !absl::SimpleAtoi(arguments[4], &options.calls)) {
      return 2;
    }
    options.port = static_cast<uint16_t>(port);
    return RunNtaClient(options);
  }
  return Main(Parse(count, arguments));
}
