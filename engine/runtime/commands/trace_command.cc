// trace: the SIP of one attempt, out of the ring file in the data directory. It does not ask the
// engine, so it works as well on what a dead one left behind.

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "engine/runtime/commands/options.h"
#include "engine/runtime/files.h"
#include "engine/trace/ladder.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;

constexpr char kText[] =
    "Prints what was sent and received for one attempt: the last minutes of SIP are kept in\n"
    "sip-trace.ring in the data directory, and can be read while the engine runs and after it\n"
    "died. Numbers and names are masked unless asked; credentials and media keys always are.\n"
    "Without --attempt or --call-id it says how far back the trace reaches.\n\n"
    "  outpace trace --attempt 4711\n"
    "  outpace trace --attempt 4711 --pcap call.pcap      for Wireshark\n"
    "  outpace trace --call-id op-agent- --json           agents' phones\n";

absl::Status WritePcap(const std::string& path, const trace::Ladder& ladder, bool show_numbers) {
  auto file = AtomicFile::Create(path);
  if (!file.ok()) return file.status();
  if (absl::Status status = (*file)->Write(trace::LadderPcap(ladder, show_numbers)); !status.ok()) {
    return status;
  }
  return (*file)->Commit();
}

int PrintReach(trace::RingReader& ring) {
  const auto reach = ring.Scan("", [](const trace::RecordedMessage&) {});
  if (!reach.ok()) return Fail(reach.status());
  std::printf("The SIP trace %s.\n", trace::ReachText(*reach).c_str());
  return kDone;
}

}  // namespace

int RunTraceCommand(const Arguments& arguments) {
  Options options("outpace trace --attempt N [--json] [--pcap FILE] [--show-numbers]", kText);
  options.Add()("attempt", po::value<uint64_t>(), "number of the attempt, as exports and logs say")(
      "call-id", po::value<std::string>(), "instead: Call-IDs that begin so")(
      "json", "every message with its text, as JSON")("pcap", po::value<std::string>(),
                                                      "write a capture file instead of printing")(
      "show-numbers", "telephone numbers and names in full");
  if (auto code = options.Parse(arguments)) return *code;
  if (options.Has("attempt") && options.Has("call-id")) {
    return Misuse(options.usage(), "--attempt or --call-id, not both");
  }
  if (options.Has("json") && options.Has("pcap")) {
    return Misuse(options.usage(), "--json or --pcap, not both");
  }
  auto config = LoadConfig(options.ConfigPath());
  if (!config.ok()) return Fail(config.status());
  auto ring = trace::RingReader::Open(trace::RingPath(config->data_dir));
  if (!ring.ok() && absl::IsNotFound(ring.status())) {
    return Fail(absl::NotFoundError(
        absl::StrCat(ring.status().message(),
                     ": the engine has not run on this data directory, or with its trace off")));
  }
  if (!ring.ok()) return Fail(ring.status());

  std::string prefix = options.Text("call-id");
  std::string title = absl::StrCat("Call-ID ", prefix, "*");
  if (options.Has("attempt")) {
    const auto attempt = options.Get<uint64_t>("attempt");
    prefix = trace::CallIdPrefixOf(attempt);
    title = absl::StrCat("Attempt ", attempt);
  }
  if (prefix.empty()) return PrintReach(*ring);
  auto ladder = trace::ReadLadder(*ring, prefix, title);
  if (!ladder.ok()) return Fail(ladder.status());

  const bool show_numbers = options.Has("show-numbers");
  const std::string pcap = options.Text("pcap");
  if (!pcap.empty()) {
    if (absl::Status status = WritePcap(pcap, *ladder, show_numbers); !status.ok()) {
      return Fail(status);
    }
    std::printf("%s: %zu messages%s\n", pcap.c_str(), ladder->Messages(),
                show_numbers ? "" : ", numbers masked");
    return kDone;
  }
  const std::string text = options.Has("json") ? trace::LadderJson(*ladder, show_numbers)
                                               : trace::LadderText(*ladder, show_numbers);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kDone;
}

}  // namespace outpace::runtime
