#include <cstdio>
#include <string>

#include "engine/runtime/commands/cli.h"

namespace {

void PrintHelp() {
  std::printf(
      "Outpace: a predictive outbound dialer engine.\n\nUsage: outpace COMMAND [options]\n\n");
  for (const auto& command : outpace::runtime::Commands()) {
    std::printf("  %-13s %s\n", command.name, command.summary);
  }
  std::printf(
      "\n`outpace COMMAND --help` teaches each command. The configuration is ./outpace.toml,\n"
      "$OUTPACE_CONFIG, or what --config names. See README.md for a first run.\n");
}

}  // namespace

int main(int argc, char** argv) {
  const outpace::runtime::Arguments all(argv + 1, argv + argc);
  if (all.empty() || all[0] == "--help" || all[0] == "-h" || all[0] == "help") {
    PrintHelp();
    return all.empty() ? outpace::runtime::kUsage : outpace::runtime::kDone;
  }
  if (all[0] == "--version") {
    std::printf("outpace %s\n", OUTPACE_VERSION);
    return outpace::runtime::kDone;
  }
  for (const auto& command : outpace::runtime::Commands()) {
    if (all[0] == command.name) return command.run({all.begin() + 1, all.end()});
  }
  std::fprintf(stderr, "outpace: no command is named '%s'; see: outpace --help\n", all[0].c_str());
  return outpace::runtime::kUsage;
}
